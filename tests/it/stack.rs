//! The main job and its bad days against the real binaries: over HTTP, through queues, with every role enforced.

use std::time::Duration;

use bokbro_tests::stack::{LIMIT, Stack, json_of, own_sample, read, until};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// A worker's lease lasts 65 s at most.
const LEASE_AND_MORE: Duration = Duration::from_secs(100);

#[tokio::test]
async fn a_payment_on_the_hosted_page_is_booked() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    let shown = stack.booked(&order, LIMIT).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    assert_eq!((&shown["state"], &shown["payment"]["captured"]), (&json!("paid"), &json!("747.00")));
    for number in ["customer_number", "invoice_number", "payment_number"] {
        assert!(shown["sync"]["accounting"][number].is_string(), "{shown}");
    }
    let timeline = stack.get(&format!("/v1/orders/{}/timeline", order.id)).await;
    let events: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events[..2], ["order_accepted", "order_paid"]);
    assert!(events.contains(&"bookkeep_payment_done"), "{events:?}");

    let (status, refused) =
        read(stack.request(Method::POST, &format!("/v1/orders/{}/cancel", order.id))).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("already_paid")));
}

#[tokio::test]
async fn the_webhook_answers_as_the_provider_needs() {
    let Some(stack) = Stack::shared() else { return };
    let path = stack.webhook_path();
    let (status, shaken) = read(stack.stranger(Method::GET, &path)).await;
    assert_eq!((status, &shaken), (StatusCode::OK, &json!({ "Key": stack.text("/viva_key") })));

    let event = |event_type: u32| json!({"EventTypeId": event_type, "EventData": {}}).to_string();
    let cases = [
        ("an event of no known type", path.clone(), event(9999), 200, ""),
        ("an unknown endpoint", "/webhooks/viva/wh_nobody".to_owned(), event(1796), 404, "unknown_endpoint"),
        ("not an event", path.clone(), r#"{"hello":"there"}"#.to_owned(), 400, "not_an_event"),
        ("not JSON", path.clone(), "hello".to_owned(), 400, "not_an_event"),
        ("over 256 KiB", path.clone(), " ".repeat(256 * 1024 + 1), 413, "too_large"),
    ];
    for (name, path, body, status, code) in cases {
        let posted = stack.stranger(Method::POST, &path).header("content-type", "application/json");
        let (answered, body) = read(posted.body(body)).await;
        assert_eq!(answered.as_u16(), status, "{name}: {body}");
        assert_eq!(body["code"].as_str().unwrap_or_default(), code, "{name}: {body}");
    }
    let (status, _) = read(stack.stranger(Method::GET, "/webhooks/viva/wh_nobody")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn fifty_webhooks_at_once_and_one_after_book_once() {
    let Some(stack) = Stack::alone() else { return };
    let queues = stack.sqs().await;
    // Others may have left messages that rest until a dead worker's time is over.
    let resting = in_queues(&stack, &queues).await;
    let order = stack.ordered().await;
    let (transaction, event) = stack.pay_in_silence(order.code).await;
    let deliver = async || read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await.0;
    let answers = join_all((0..50).map(|_| deliver())).await;
    assert!(answers.iter().all(StatusCode::is_success), "{answers:?}");
    stack.booked(&order, LIMIT).await;
    assert_eq!(deliver().await, StatusCode::OK);
    // A nudge that found the order taken comes back when that lease would have ended.
    let what = "every nudge to be handled";
    until(LEASE_AND_MORE, what, async || (in_queues(&stack, &queues).await <= resting).then_some(())).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    assert!(stack.parked_for(&transaction).await.is_empty());
}

/// How many messages are in the queues or under way.
async fn in_queues(stack: &Stack, client: &aws_sdk_sqs::Client) -> u32 {
    let mut count = 0;
    for queue in ["/queues/payments", "/queues/accounting", "/queues/pulls"] {
        let request =
            client.get_queue_attributes().queue_url(stack.text(queue)).attribute_names("All".into());
        let attributes = request.send().await.unwrap().attributes.unwrap();
        let counts =
            attributes.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
        count += counts.map(|(_, value)| value.parse::<u32>().unwrap()).sum::<u32>();
    }
    count
}

#[tokio::test]
async fn a_forged_webhook_is_parked_and_books_nothing() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    // Two lies: a payment that was never made, and another amount than the one that was.
    let (paid, event) = stack.pay_in_silence(order.code).await;
    let invented = Uuid::new_v4().to_string();
    let cases = [
        (invented.as_str(), json!({"TransactionId": invented}), "transaction_unknown"),
        (paid.as_str(), json!({"Amount": 1.0}), "webhook_contradicts"),
    ];
    for (transaction, lie, code) in cases {
        let mut forged = event.clone();
        for (member, value) in lie.as_object().unwrap() {
            forged["EventData"][member] = value.clone();
        }
        let (status, _) = read(stack.stranger(Method::POST, &stack.webhook_path()).json(&forged)).await;
        assert_eq!(status, StatusCode::OK);
        let parked = until(LIMIT, code, async || {
            let parked = stack.parked_for(transaction).await;
            (!parked.is_empty()).then_some(parked)
        })
        .await;
        assert_eq!(parked[0]["code"], code, "{parked:?}");
        assert!(parked[0]["reason"].as_str().unwrap().contains("Nothing was booked"), "{parked:?}");
    }
    assert_eq!(stack.get(&format!("/v1/orders/{}", order.id)).await["state"], "pending");
    stack.books(&order).await.assert_nothing();
}

#[tokio::test]
async fn a_bad_order_is_refused_with_its_field() {
    let Some(stack) = Stack::shared() else { return };
    let cases = [
        ("/total", json!("747.01"), "total"),
        ("/currency", json!("KRONOR"), "currency"),
        ("/lines/0/quantity", json!(2), "lines[0].quantity"),
        ("/lines/1/vat_rate", json!("20"), "lines[1].vat_rate"),
        ("/customer/name", json!("Åsa\u{0}Öberg"), "customer.name"),
    ];
    for (place, value, field) in cases {
        let mut body = own_sample();
        *body.pointer_mut(place).unwrap() = value;
        let answer = stack.request(Method::POST, "/v1/orders").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{place}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem = json_of(answer).await;
        assert_eq!((&problem["code"], &problem["field"]), (&json!("invalid"), &json!(field)), "{problem}");
        for member in ["detail", "correlation_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        // Nothing was stored: the number is still free.
        *body.pointer_mut(place).unwrap() = own_sample_value(place);
        let (status, stored) = stack.post(&body).await;
        assert_eq!(status, StatusCode::CREATED, "{place}: {stored}");
    }
    let answer = stack.request(Method::POST, "/v1/orders").body("{\"order_number\":").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

fn own_sample_value(place: &str) -> Value {
    own_sample().pointer(place).unwrap().clone()
}

#[tokio::test]
async fn strangers_wrong_paths_and_wrong_methods_are_told_so() {
    let Some(stack) = Stack::shared() else { return };
    let (status, health) = read(stack.stranger(Method::GET, "/health")).await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("ok")));
    let wrong_key = stack.stranger(Method::GET, "/v1/orders").bearer_auth("bk_0123456789abcdef");
    let cases = [
        (stack.stranger(Method::GET, "/v1/orders"), 401, "unauthorized"),
        (wrong_key, 401, "unauthorized"),
        (stack.request(Method::GET, "/nothing/here"), 404, "not_found"),
        (stack.request(Method::GET, "/v1/orders/ord_01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404, "not_found"),
        (stack.request(Method::GET, "/v1/orders/1753"), 404, "not_found"),
        (stack.request(Method::DELETE, "/v1/orders"), 405, "method_not_allowed"),
        (stack.request(Method::GET, "/v1/orders?limit=0"), 400, "invalid"),
        (stack.request(Method::GET, "/v1/orders?cursor=nonsense"), 400, "invalid"),
    ];
    for (request, status, code) in cases {
        let (answered, problem) = read(request).await;
        assert_eq!((answered.as_u16(), problem["code"].as_str().unwrap()), (status, code), "{problem}");
    }
}

#[tokio::test]
async fn a_key_makes_one_order_and_a_number_is_taken_once() {
    let Some(stack) = Stack::shared() else { return };
    let (body, key) = (own_sample(), Uuid::new_v4().to_string());
    let post = async |body: &Value, key: &str| {
        read(stack.request(Method::POST, "/v1/orders").header("idempotency-key", key).json(body)).await
    };
    let (status, first) = post(&body, &key).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    let (status, again) = post(&body, &key).await;
    assert_eq!((status, &again["id"]), (StatusCode::OK, &first["id"]));
    let (status, other) = post(&own_sample(), &key).await;
    assert_eq!((status, &other["code"]), (StatusCode::CONFLICT, &json!("idempotency_key_reused")));
    let (status, taken) = stack.post(&body).await;
    assert_eq!((status, &taken["field"]), (StatusCode::CONFLICT, &json!("order_number")), "{taken}");
}

#[tokio::test]
async fn a_list_goes_on_at_its_cursor() {
    let Some(stack) = Stack::shared() else { return };
    let mut posted = Vec::new();
    for _ in 0..3 {
        let (status, order) = stack.post(&own_sample()).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        posted.push(order["id"].as_str().unwrap().to_owned());
    }
    // Newest first; others post meanwhile, so ours may lie a few pages on.
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stack.get(&format!("/v1/orders?state=pending&limit=2{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let ours: Vec<&String> = found.iter().filter(|id| posted.contains(id)).collect();
    assert_eq!(ours, posted.iter().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cancelled_order_stays_so() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    for _ in 0..2 {
        let (status, shown) =
            read(stack.request(Method::POST, &format!("/v1/orders/{}/cancel", order.id))).await;
        assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("cancelled")));
    }
    assert_eq!(stack.get(&format!("/v1/orders/{}", order.id)).await["state"], "cancelled");
}

/// Needs `/proc`, to find the worker's process.
#[cfg(target_os = "linux")]
mod killed {
    use std::fs;
    use std::path::PathBuf;

    use super::{LEASE_AND_MORE, LIMIT, Stack, json, until};

    /// The worker is killed while the ledger program, which has made the invoice already, has not yet answered. The next
    /// nudge waits for the dead worker's lease to end, finds the invoice and goes on from there.
    #[tokio::test]
    async fn a_worker_killed_while_it_books_leaves_one_of_each() {
        let Some(stack) = Stack::alone() else { return };
        let order = stack.ordered().await;
        let slow =
            json!({"match": {"method": "POST", "path": "/3/invoices"}, "kind": "delay", "delay_ms": 20_000});
        stack.steer("fortnox", "faults", &slow).await;
        let (transaction, _) = stack.pay_in_silence(order.code).await;
        let told = json!({ "transaction_id": transaction, "fresh": true });
        stack.steer("viva", "webhooks/send", &told).await;
        until(LIMIT, "the invoice to be made", async || {
            (!stack.books(&order).await.invoices.is_empty()).then_some(())
        })
        .await;
        // Workers that rest are killed along with it; they are started again when there is work.
        assert!(kill_workers(&stack, "accounting") > 0, "a worker was booking");
        let id = order.id.clone();
        // From here on the others may go on: nobody is killed any more, and nobody's requests are slow.
        let stack = stack.beside_others();
        let shown = stack.get(&format!("/v1/orders/{id}")).await;
        assert_ne!(shown["sync"]["accounting"]["state"], "done", "the worker died before it could tell");

        stack.steer("viva", "webhooks/send", &told).await;
        stack.booked(&order, LEASE_AND_MORE).await;
        stack.books(&order).await.assert_one_of_each("747.00", "149.40");
        assert!(stack.parked_for(&transaction).await.is_empty());
    }

    /// Kills the stack's workers of one role that are running; says how many there were.
    fn kill_workers(stack: &Stack, role: &str) -> usize {
        let wanted = [
            format!("BOKBRO_SYNC_ROLE={role}"),
            format!("AWS_ENDPOINT_URL={}", stack.text("/functions_aws_endpoint")),
        ];
        let mut killed = 0;
        for entry in fs::read_dir("/proc").unwrap() {
            let path: PathBuf = entry.unwrap().path();
            // Other people's processes, and those that have just ended, cannot be read.
            let Ok(environment) = fs::read(path.join("environ")) else { continue };
            let has = |variable: &String| {
                environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes())
            };
            if wanted.iter().all(has) {
                let pid: i32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                killed += 1;
            }
        }
        killed
    }
}
