//! The way to the warehouse and back against the real binaries: over HTTP, through queues, with every role enforced.

use bokbro_tests::stack::{LIMIT, Ordered, Stack, read, until};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

/// Waits until the order's side at the warehouse is as wanted.
async fn warehouse_until(stack: &Stack, order: &Ordered, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/orders/{}", order.id);
    until(LIMIT, what, async || {
        let shown = stack.get(&path).await;
        assert_ne!(shown["sync"]["warehouse"]["state"], "needs_attention", "{shown}");
        good(&shown["sync"]["warehouse"]).then_some(shown)
    })
    .await
}

/// The warehouse's orders with the order's id.
async fn parcels(stack: &Stack, order: &Ordered) -> Vec<Value> {
    let state = stack.look("ongoing", "state").await;
    let orders = state["orders"].as_array().cloned().unwrap_or_default();
    orders.into_iter().filter(|parcel| parcel["members"]["goodsOwnerOrderId"] == order.id.as_str()).collect()
}

#[tokio::test]
async fn a_paid_order_is_shipped_once_and_its_parcel_comes_back() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    let shown = warehouse_until(&stack, &order, "a parcel order", |sync| sync["state"] == "done").await;
    let there = parcels(&stack, &order).await;
    assert_eq!((there.len(), &there[0]["writes"]), (1, &json!(1)), "{there:?}");
    assert_eq!(shown["sync"]["warehouse"]["order_id"], json!(there[0]["id"].to_string()));
    let work = json!({"order_number": shown["order_number"], "status": 450, "parcels": ["3735"]});
    stack.steer("ongoing", "work", &work).await;
    let shown = warehouse_until(&stack, &order, "the parcel", |sync| sync["stage"] == "shipped").await;
    let sync = &shown["sync"]["warehouse"];
    assert_eq!((&sync["tracking"][0]["number"], &sync["lines"][0]["shipped"]), (&json!("3735"), &json!("2")));
    stack.booked(&order, LIMIT).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
}

#[tokio::test]
async fn the_hourly_tick_reads_parcels_that_no_webhook_told_of_and_the_stock() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    let shown = warehouse_until(&stack, &order, "a parcel order", |sync| sync["state"] == "done").await;
    let work =
        json!({"order_number": shown["order_number"], "status": 450, "parcels": ["3736"], "deliver": false});
    stack.steer("ongoing", "work", &work).await;
    stack.steer("ongoing", "receive", &json!({"article_number": "OIL-30", "items": "1000"})).await;
    // A time that no other run of this test has ticked at.
    let due = Timestamp::from_second(i64::from(Uuid::new_v4().as_fields().0)).unwrap().to_string();
    stack.invoke("scheduler", &json!({ "time": due })).await.unwrap();
    let shown = warehouse_until(&stack, &order, "the parcel", |sync| sync["stage"] == "shipped").await;
    assert_eq!(shown["sync"]["warehouse"]["tracking"][0]["number"], "3736");
    until(LIMIT, "the stock to be read", async || {
        let listed = stack.get("/v1/stock").await;
        let oil =
            listed["items"].as_array().unwrap().iter().find(|stock| stock["sku"] == "OIL-30").cloned()?;
        let sellable: Decimal = oil["sellable"].as_str().unwrap().parse().unwrap();
        (sellable > Decimal::ZERO).then_some(())
    })
    .await;
}

#[tokio::test]
async fn news_of_parcels_are_taken_with_the_secret_only() {
    let Some(stack) = Stack::shared() else { return };
    let path = format!("/webhooks/ongoing/{}", stack.text("/ongoing_endpoint"));
    let token = stack.text("/ongoing_token").to_owned();
    let news = json!({"orderId": 1, "orderNumber": "nobody's", "orderStatus": {"number": 450}}).to_string();
    let no = Some("guessed".to_owned());
    let cases = [
        ("news", path.clone(), Some(token.clone()), news.clone(), 200, ""),
        ("no secret", path.clone(), None, news.clone(), 401, "not_theirs"),
        ("another secret", path.clone(), no, news.clone(), 401, "not_theirs"),
        (
            "an unknown endpoint",
            "/webhooks/ongoing/wh_x".to_owned(),
            Some(token.clone()),
            news,
            404,
            "unknown_endpoint",
        ),
        ("not an event", path, Some(token), "{}".to_owned(), 400, "not_an_event"),
    ];
    for (name, path, token, body, status, code) in cases {
        let mut posted = stack.stranger(Method::POST, &path).header("content-type", "application/json");
        if let Some(token) = token {
            posted = posted.header("X-Auth-Token", token);
        }
        let (answered, body) = read(posted.body(body)).await;
        assert_eq!(answered.as_u16(), status, "{name}: {body}");
        assert_eq!(body["code"].as_str().unwrap_or_default(), code, "{name}: {body}");
    }
    let (status, _) = read(stack.stranger(Method::GET, "/webhooks/ongoing/wh_x")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
