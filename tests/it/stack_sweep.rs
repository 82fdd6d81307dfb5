//! Payments that no webhook told of, against the real binaries: found when somebody asks, and by the hourly tick.

use bokbro_app::ports::{Inserted, Orders as _};
use bokbro_app::records::TimelineEntry;
use bokbro_app::wire::order_in::read_order;
use bokbro_aws::{Clients, Tables};
use bokbro_domain::ids::{CorrelationId, OrderId, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::said::Said;
use bokbro_tests::stack::{LIMIT, Ordered, Stack, read, until};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use ulid::Ulid;
use uuid::Uuid;

/// An order that is paid at the provider and was told of by nobody.
async fn paid_in_silence(stack: &Stack) -> Ordered {
    let order = stack.ordered().await;
    stack.pay_in_silence(order.code).await;
    order
}

#[tokio::test]
async fn one_order_is_looked_at_when_somebody_asks() {
    let Some(stack) = Stack::shared() else { return };
    let order = paid_in_silence(&stack).await;
    let path = format!("/v1/orders/{}/sync", order.id);
    let (status, shown) = read(stack.request(Method::POST, &path)).await;
    assert_eq!((status, &shown["id"]), (StatusCode::ACCEPTED, &json!(order.id)));
    stack.booked(&order, LIMIT).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    let (status, _) = read(stack.stranger(Method::POST, &path)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let unknown = "/v1/orders/ord_00000000000000000000000000/sync";
    let (status, _) = read(stack.request(Method::POST, unknown)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn everything_open_is_looked_at_when_somebody_asks() {
    // Alone: other tests have orders that are paid in silence and must not be found.
    let Some(stack) = Stack::alone() else { return };
    let orders = [paid_in_silence(&stack).await, paid_in_silence(&stack).await];
    let (status, job) = read(stack.request(Method::POST, "/v1/orders/sync-pending")).await;
    assert_eq!(
        (status, &job["kind"], &job["state"]),
        (StatusCode::ACCEPTED, &json!("sweep"), &json!("waiting"))
    );
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    let done = until(LIMIT, "the sweep to end", async || {
        Some(stack.get(&path).await).filter(|job: &Value| job["state"] == "done")
    });
    let done = done.await;
    assert!(done["counts"]["nudged_payments"].as_u64() >= Some(2), "{done}");
    for order in &orders {
        stack.booked(order, LIMIT).await;
        stack.books(order).await.assert_one_of_each("747.00", "149.40");
    }
}

#[tokio::test]
async fn the_tick_finds_an_order_that_was_paid_two_hours_ago() {
    let Some(stack) = Stack::shared() else { return };
    let clients = Clients::from_config(stack.aws().await);
    let (hub, idempotency) =
        (stack.text("/tables/hub").to_owned(), stack.text("/tables/idempotency").to_owned());
    let store = clients.hub(Tables { hub, idempotency });
    // Posted two hours ago, which the API does not let one do.
    let (body, code) = stack.order_to_pay().await;
    let tenant = TenantId::parse(stack.text("/tenant")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the stack lives in real time")]
    let at = Timestamp::now() - SignedDuration::from_hours(2);
    let ulid = Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap(), Uuid::new_v4().as_u128());
    let order =
        Order::new(OrderId::from_ulid(ulid), tenant, read_order(body.to_string().as_bytes()).unwrap(), at);
    let entry = TimelineEntry {
        id: ulid.to_string(),
        at,
        event: "order_accepted".to_owned(),
        message: Said::quoted("Order accepted; waits for its payment."),
        correlation: CorrelationId::from_ulid(ulid),
    };
    assert_eq!(store.order_insert(&order, None, &entry).await.unwrap(), Inserted::Created);
    stack.pay_in_silence(code).await;

    // A time that no other run of this test has ticked at.
    let due = Timestamp::from_second(i64::from(Uuid::new_v4().as_fields().0)).unwrap().to_string();
    stack.invoke("scheduler", &json!({ "time": due })).await.unwrap();
    let path = format!("/v1/orders/{}", order.id);
    until(LIMIT, "the sweep to have it booked", async || {
        (stack.get(&path).await["sync"]["accounting"]["state"] == "done").then_some(())
    })
    .await;
}
