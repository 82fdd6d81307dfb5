//! Faults, clock and log over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};

use super::{Fault, Kind, Kit, Running, Server, http_client};

struct Counter {
    kit: Kit,
    running: Running,
    commits: Arc<AtomicU32>,
}

impl Counter {
    async fn start() -> Self {
        let commits = Arc::new(AtomicU32::new(0));
        let counted = commits.clone();
        let routes = Router::new().route(
            "/things/{id}",
            post(move || async move { (counted.fetch_add(1, Ordering::SeqCst) + 1).to_string() }),
        );
        let kit = Kit::default();
        let running = Server::start(None, kit.clone(), Arc::new(()), routes).await.unwrap();
        Self { kit, running, commits }
    }

    async fn post(&self) -> reqwest::Result<reqwest::Response> {
        http_client().post(format!("{}/things/7?q=1", self.running.url)).send().await
    }

    fn commits(&self) -> u32 {
        self.commits.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_reset_breaks_the_connection_before_the_effect() {
    let sim = Counter::start().await;
    sim.kit.faults.add(Fault::new(Kind::Reset, "POST", "/things/{}"));
    assert!(sim.post().await.unwrap_err().is_request());
    assert_eq!(sim.commits(), 0);
    assert_eq!(sim.post().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_drop_after_commit_breaks_the_connection_after_the_effect() {
    let sim = Counter::start().await;
    sim.kit.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/things/7"));
    assert!(sim.post().await.unwrap_err().is_request());
    assert_eq!(sim.commits(), 1);
    assert_eq!(sim.kit.log.requests()[0].status, None);
    assert_eq!(sim.kit.log.calls("POST /things/{id}"), 1);
}

#[tokio::test]
async fn a_status_comes_before_or_after_the_effect() {
    let sim = Counter::start().await;
    sim.kit
        .faults
        .add(Fault { retry_after: Some("3".to_owned()), ..Fault::status(429, "POST", "/things/*") });
    sim.kit.faults.add(Fault::status(502, "POST", "/things/7").after_commit());
    let limited = sim.post().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(sim.commits(), 0);
    assert_eq!(sim.post().await.unwrap().status(), 502);
    assert_eq!(sim.commits(), 1);
}

#[tokio::test]
async fn the_sim_routes_steer_and_are_not_counted() {
    let sim = Counter::start().await;
    let (client, base) = (http_client(), format!("{}/_sim", sim.running.url));
    let fault = json!({"match": {"method": "POST", "path": "/things/7"}, "kind": "body", "body": "<html>", "content_type": "text/html"});
    assert_eq!(client.post(format!("{base}/faults")).json(&fault).send().await.unwrap().status(), 201);
    assert_eq!(sim.post().await.unwrap().text().await.unwrap(), "<html>");
    let faults: Value = client.get(format!("{base}/faults")).send().await.unwrap().json().await.unwrap();
    assert_eq!(faults, json!([]));

    let moved = json!({"set": "2031-05-06T07:08:09Z"});
    let clock: Value =
        client.post(format!("{base}/clock")).json(&moved).send().await.unwrap().json().await.unwrap();
    assert!(clock["now"].as_str().unwrap().starts_with("2031-05-06T07:08:"));

    let stats: Value = client.get(format!("{base}/stats")).send().await.unwrap().json().await.unwrap();
    assert_eq!(stats, json!({"calls_total": 1, "by_operation": {"POST /things/{id}": 1}}));
    let lines: Value = client.get(format!("{base}/requests")).send().await.unwrap().json().await.unwrap();
    assert_eq!(lines[0]["path"], "/things/7?q=1");
    assert_eq!(
        client.post(format!("{base}/config")).json(&json!({"x": 1})).send().await.unwrap().status(),
        400
    );
}

#[tokio::test]
async fn a_stopped_server_lets_go_of_its_port() {
    let sim = Counter::start().await;
    let port = sim.running.url.rsplit(':').next().unwrap().parse().unwrap();
    sim.running.stop().await;
    let again = Server::start(Some(port), Kit::default(), Arc::new(()), Router::new()).await.unwrap();
    assert!(again.url.ends_with(&port.to_string()));
}
