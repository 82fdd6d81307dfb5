//! AWS's bad days against the real binaries: throttled, answered with errors and left without answers, they book every
//! order once.

use std::time::Duration;

use bokbro_tests::stack::{LIMIT, Ordered, Stack, read, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// A worker that a bad day stopped in mid-work may leave its lease behind, which lasts 75 s.
const LEASE_AND_MORE: Duration = Duration::from_secs(150);
const ORDERS: usize = 4;

#[tokio::test]
async fn every_order_is_booked_once_whatever_aws_answers_for_a_while() {
    let Some(stack) = Stack::alone() else { return };
    // Not among them: ChangeMessageVisibility. A message that nobody gives back rests for six minutes, as it should.
    let faults = [
        json!({"kind": "throttle", "service": "dynamodb", "every": 3, "times": 60}),
        json!({"kind": "drop_after_commit", "service": "dynamodb", "every": 4, "times": 30}),
        json!({"kind": "server_error", "service": "dynamodb", "operation": "PutItem", "every": 2, "times": 20}),
        json!({"kind": "reset", "service": "dynamodb", "operation": "BatchGetItem", "times": 6}),
        json!({"kind": "throttle", "service": "sqs", "operation": "SendMessage", "every": 2, "times": 10}),
        json!({"kind": "drop_after_commit", "service": "sqs", "operation": "SendMessage", "every": 3, "times": 6}),
        json!({"kind": "throttle", "service": "secretsmanager", "every": 2, "times": 10}),
    ];
    for fault in &faults {
        stack.bad_day(fault).await;
    }
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(paid(&stack).await);
    }
    let hit = stack.good_days().await;
    assert!(hit > 10, "{hit} calls went wrong");
    for order in &orders {
        stack.booked(order, LEASE_AND_MORE).await;
        stack.books(order).await.assert_one_of_each("747.00", "149.40");
    }
}

/// Posts an order, pays it and delivers the webhook, each repeated as a webshop and a payment provider repeat.
async fn paid(stack: &Stack) -> Ordered {
    let (body, code) = stack.order_to_pay().await;
    let key = Uuid::new_v4().to_string();
    let order = until(LIMIT, "the order to be taken", async || {
        let post = stack.request(Method::POST, "/v1/orders").header("idempotency-key", &key).json(&body);
        let (status, order): (StatusCode, Value) = read(post).await;
        assert!(status.is_success() || status.is_server_error(), "{status}: {order}");
        status.is_success().then_some(order)
    })
    .await;
    let (_, event) = stack.pay_in_silence(code).await;
    until(LIMIT, "the webhook to be accepted", async || {
        let (status, _) = read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
        assert!(status.is_success() || status.is_server_error(), "{status}");
        status.is_success().then_some(())
    })
    .await;
    let email = body["customer"]["email"].as_str().unwrap().to_owned();
    Ordered { id: order["id"].as_str().unwrap().to_owned(), code, email }
}
