//! A human's decisions over HTTP, against the real binaries with every role enforced.

use bokbro_tests::stack::{LIMIT, Stack, own_sample, read, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The item that waits because of a transaction.
async fn waiting(stack: &Stack, transaction: &str) -> Value {
    until(LIMIT, "the payment to be parked", async || stack.parked_for(transaction).await.pop()).await
}

async fn resolve(stack: &Stack, id: &str, decision: &Value) -> (StatusCode, Value) {
    read(stack.request(Method::POST, &format!("/v1/parked/{id}/resolve")).json(decision)).await
}

#[tokio::test]
async fn a_payment_without_an_order_is_matched_and_booked() {
    let Some(stack) = Stack::shared() else { return };
    let mut body = own_sample();
    let number = body["order_number"].as_str().unwrap().to_owned();
    let code = stack.checkout(74_700, "a text that names nothing").await;
    let (transaction, event) = stack.pay_in_silence(code).await;
    let (status, _) = read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
    assert_eq!(status, StatusCode::OK);
    let item = waiting(&stack, &transaction).await;
    assert_eq!(item["code"], "unmatched_payment");
    assert_eq!(item["actions"], json!(["match", "retry", "dismiss"]));
    let id = item["id"].as_str().unwrap();

    let cases = [
        (json!({}), 400, "invalid", "action"),
        (json!({"action": "burn"}), 400, "invalid", "action"),
        (json!({"action": "match"}), 400, "invalid", "order_id"),
        (
            json!({"action": "match", "order_id": "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
            400,
            "invalid",
            "order_id",
        ),
        (json!({"action": "dismiss"}), 400, "invalid", "reason"),
        (json!({"action": "exists", "number": "1"}), 409, "action_not_available", "action"),
    ];
    for (decision, status, code, field) in cases {
        let (answered, problem) = resolve(&stack, id, &decision).await;
        let told = (answered.as_u16(), problem["code"].as_str(), problem["field"].as_str());
        assert_eq!(told, (status, Some(code), Some(field)), "{decision}: {problem}");
    }
    let nobody = resolve(&stack, "prk_01ARZ3NDEKTSV4RRFFQ69G5FAV", &json!({"action": "retry"})).await;
    assert_eq!(nobody.0, StatusCode::NOT_FOUND);
    assert_eq!(resolve(&stack, "nonsense", &json!({"action": "retry"})).await.0, StatusCode::NOT_FOUND);

    body["viva_order_code"] = Value::Null;
    let (status, order) = stack.post(&body).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    let decision = json!({"action": "match", "order_id": order["id"], "reason": format!("the buyer of {number} called")});
    let (status, resolved) = resolve(&stack, id, &decision).await;
    assert_eq!((status, &resolved["action"]), (StatusCode::OK, &json!("match")), "{resolved}");
    let email = body["customer"]["email"].as_str().unwrap().to_owned();
    let order = bokbro_tests::stack::Ordered { id: order["id"].as_str().unwrap().to_owned(), code, email };
    stack.booked(&order, LIMIT).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    assert!(stack.parked_for(&transaction).await.is_empty());

    let audit = stack.get("/v1/audit?limit=200").await;
    let ours = audit["items"].as_array().unwrap().iter().find(|entry| entry["subject"] == id).unwrap();
    assert_eq!(ours["what"], "parked_item_resolved");
    assert!(stack.text("/api_key").starts_with(ours["who"].as_str().unwrap()), "{ours}");
}

#[tokio::test]
async fn trouble_in_the_books_is_closed_by_hand() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered_abroad().await;
    let (_, event) = stack.pay_in_silence(order.code).await;
    read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
    let path = format!("/v1/orders/{}", order.id);
    let parked = stack.parked_in_the_books(&order).await;
    let listed = stack.get(&format!("/v1/parked?code=foreign_customer&order={}", order.id)).await;
    assert_eq!(listed["items"][0]["id"], parked.as_str(), "{listed}");
    assert_eq!(listed["items"][0]["actions"], json!(["retry", "dismiss"]));
    assert_eq!(stack.get("/v1/parked?code=no_such_reason").await["items"], json!([]));

    let decision = json!({"action": "dismiss", "reason": "booked as verification A17"});
    let (status, resolved) = resolve(&stack, &parked, &decision).await;
    assert_eq!(status, StatusCode::OK, "{resolved}");
    let shown = stack.get(&path).await;
    assert_eq!(shown["sync"]["accounting"]["state"], "done", "{shown}");
    assert_eq!(shown["sync"]["accounting"]["message"], "Done by hand: booked as verification A17");
    assert_eq!(resolve(&stack, &parked, &decision).await.0, StatusCode::NOT_FOUND);
    let timeline = stack.get(&format!("{path}/timeline")).await;
    let events: Vec<_> =
        timeline["items"].as_array().unwrap().iter().map(|entry| entry["event"].as_str()).collect();
    assert!(events.contains(&Some("parked_resolved")), "{events:?}");
}
