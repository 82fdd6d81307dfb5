//! The proxy before a stand-in that only counts.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A proxy before something that counts the calls that reach it.
async fn proxy() -> (AwsProxy, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "done" }
    };
    let upstream = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", upstream.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(upstream, Router::new().fallback(count)).await });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    (AwsProxy::serve(listener, &base).unwrap(), calls)
}

/// Sends a call; gives the status and the error's type, or nothing when the connection broke.
async fn call(proxy: &AwsProxy, target: &str) -> Option<(u16, String)> {
    let request = http_client().post(&proxy.url).header("x-amz-target", target).body("{}");
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.ok()?).unwrap_or_default();
    Some((status, body["__type"].as_str().unwrap_or_default().to_owned()))
}

const GET: &str = "DynamoDB_20120810.GetItem";
const SEND: &str = "AmazonSQS.SendMessage";

#[tokio::test]
async fn each_service_throttles_in_its_own_words() {
    let (proxy, calls) = proxy().await;
    let cases = [
        (Service::Dynamodb, GET, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        (Service::Sqs, SEND, "com.amazonaws.sqs#ThrottlingException"),
        (Service::Secretsmanager, "secretsmanager.GetSecretValue", "ThrottlingException"),
    ];
    for (service, target, code) in cases {
        proxy.faults.add(Fault::new(Kind::Throttle, service));
        assert_eq!(call(&proxy, target).await, Some((400, code.to_owned())));
        assert_eq!(call(&proxy, target).await, Some((200, String::new())));
    }
    assert_eq!((calls.load(Ordering::SeqCst), proxy.faults.hits()), (3, 3));
}

#[tokio::test]
async fn connections_break_before_or_after_the_work() {
    let (proxy, calls) = proxy().await;
    for (kind, done) in [(Kind::Reset, 0), (Kind::DropAfterCommit, 1)] {
        calls.store(0, Ordering::SeqCst);
        proxy.faults.add(Fault::new(kind, Service::Dynamodb).at("GetItem"));
        assert_eq!(call(&proxy, GET).await, None, "{kind:?}");
        assert_eq!(calls.load(Ordering::SeqCst), done, "{kind:?}");
    }
}

#[tokio::test]
async fn every_third_call_fails_over_http_until_it_is_ended() {
    let (proxy, _) = proxy().await;
    let control = format!("{}{CONTROL}", proxy.url);
    let fault = json!({"kind": "server_error", "service": "sqs", "every": 3, "times": 10});
    let posted = http_client().post(&control).json(&fault).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::CREATED);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(call(&proxy, SEND).await.unwrap().0);
        assert_eq!(call(&proxy, GET).await.unwrap().0, 200);
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 503]);
    let told: Value = http_client().get(&control).send().await.unwrap().json().await.unwrap();
    assert_eq!((&told["hit"], &told["pending"][0]["times"]), (&json!(2), &json!(8)));
    http_client().delete(&control).send().await.unwrap();
    for _ in 0..6 {
        assert_eq!(call(&proxy, SEND).await.unwrap().0, 200);
    }
    let odd = http_client().post(&control).json(&json!({"kind": "flood"})).send().await.unwrap();
    assert!(odd.status().is_client_error());
}
