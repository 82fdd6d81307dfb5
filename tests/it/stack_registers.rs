//! Reading registers by hand against the real binaries: over HTTP, through the queue, with every role enforced.

use bokbro_tests::stack::{LIMIT, Stack, read, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn ask(stack: &Stack, provider: &str, body: &Value) -> (StatusCode, Value) {
    read(stack.request(Method::POST, &format!("/v1/connections/{provider}/sync")).json(body)).await
}

#[tokio::test]
async fn the_books_are_read_back_and_an_order_shows_how_its_invoice_stands() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    let shown = stack.booked(&order, LIMIT).await;
    let provider = shown["sync"]["accounting"]["provider"].as_str().unwrap().to_owned();
    let (status, job) = ask(&stack, &provider, &json!({ "full": true })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{job}");
    assert_eq!((&job["kind"], &job["provider"]), (&json!("registers"), &json!(provider)));
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    let done = until(LIMIT, "the registers to be read", async || {
        let job = stack.get(&path).await;
        assert_ne!(job["state"], "failed", "{job}");
        (job["state"] == "done").then_some(job)
    })
    .await;
    assert!(done["counts"]["read"].as_u64().unwrap() >= 2, "{done}");
    assert_eq!(done["progress"], Value::Null);
    let connections = stack.get("/v1/connections").await;
    let connection = connections["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|connection| connection["provider"] == provider.as_str())
        .unwrap();
    assert!(connection["registers"]["invoices"].as_u64().unwrap() >= 1, "{connection}");
    assert!(connection["registers"]["read_at"].is_string());
    // What was written a moment ago is not compared yet; the field is there, and tells when it is.
    let shown = stack.get(&format!("/v1/orders/{}", order.id)).await;
    assert!(shown["sync"]["accounting"].as_object().unwrap().contains_key("in_books"), "{shown}");
    let log = stack.get("/v1/audit").await;
    let noted = |entry: &Value| entry["what"] == "connection_synced" && entry["after"]["job"] == done["id"];
    assert!(log["items"].as_array().unwrap().iter().any(noted), "{log}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_reason() {
    let Some(stack) = Stack::shared() else { return };
    let connections = stack.get("/v1/connections").await;
    let is_ledger =
        |name: &str| connections["items"].as_array().unwrap().iter().any(|c| c["provider"] == name);
    assert!(is_ledger("fortnox") && is_ledger("viva"));
    let cases = [
        ("viva", json!({}), 409, "nothing_to_read", None),
        ("nobody", json!({}), 404, "not_found", None),
        ("fortnox", json!({ "from": "2026-01-01" }), 400, "invalid", Some("to")),
        ("fortnox", json!({ "from": "yesterday", "to": "2026-01-01" }), 400, "invalid", Some("from")),
        ("fortnox", json!({ "everything": true }), 400, "invalid", Some("everything")),
    ];
    for (provider, body, status, code, field) in cases {
        let (answered, problem) = ask(&stack, provider, &body).await;
        assert_eq!((answered.as_u16(), &problem["code"]), (status, &json!(code)), "{problem}");
        assert_eq!(problem["field"].as_str(), field, "{problem}");
    }
    let (status, asked) = ask(&stack, "ongoing", &json!({})).await;
    assert_eq!((status, &asked["reads"]), (StatusCode::ACCEPTED, &json!(["parcels", "stock"])), "{asked}");
    let (status, _) = read(stack.stranger(Method::POST, "/v1/connections/fortnox/sync")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
