//! Orders: written by number, changed until the warehouse has begun, refused otherwise.

use serde_json::{Value, json};

use super::{Bench, order, read};
use crate::kit::{Fault, Kind};
use crate::ongoing::{ErrorBody, Work};

#[tokio::test]
async fn an_order_is_one_order_however_often_it_is_put() {
    let bench = Bench::stocked().await;
    let (status, made) = bench.put("orders", &order("1001")).await;
    assert_eq!((status, &made["message"]), (201, &Value::Null));
    let mut changed = order("1001");
    changed["orderRemark"] = json!("ring the bell");
    assert_eq!(bench.put("orders", &changed).await, (200, made.clone()));
    let (_, found) = bench.get("orders?goodsOwnerId=159&orderNumber=1001").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["orderInfo"]["orderRemark"], "ring the bell");
    assert_eq!(found[0]["orderInfo"]["orderId"], made["orderId"]);
    assert_eq!(bench.get(&format!("orders/{}", made["orderId"])).await.1, found[0]);
    assert_eq!(bench.get("orders?goodsOwnerId=159&orderNumber=404").await, (200, json!([])));
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_may_be_repeated() {
    let bench = Bench::stocked().await;
    bench.it.kit.faults.add(Fault::new(Kind::DropAfterCommit, "PUT", "/demo/api/v1/orders"));
    bench.request(reqwest::Method::PUT, "orders").json(&order("1001")).send().await.unwrap_err();
    assert_eq!(bench.put("orders", &order("1001")).await.0, 200);
    assert_eq!(bench.it.orders().len(), 1);
    assert_eq!(bench.it.orders()[0].writes, 2);
}

#[tokio::test]
async fn nothing_changes_once_the_warehouse_has_begun() {
    let bench = Bench::stocked().await;
    let (_, made) = bench.put("orders", &order("1001")).await;
    bench.work("1001", 300).await;
    assert_eq!(bench.put("orders", &order("1001")).await.0, 200, "released is not begun");
    bench.work("1001", 320).await;
    assert_eq!(bench.put("orders", &order("1001")).await.0, 400);
    assert_eq!(bench.delete(&format!("orders/{}", made["orderId"])).await.0, 400);
    assert_eq!(bench.it.orders()[0].status, 320);
}

#[tokio::test]
async fn an_order_is_cancelled_by_id_or_number_once() {
    let bench = Bench::stocked().await;
    let (_, made) = bench.put("orders", &order("1001")).await;
    bench.put("orders", &order("1002")).await;
    assert_eq!(bench.delete(&format!("orders/{}", made["orderId"])).await.0, 200);
    assert_eq!(bench.delete("orders?goodsOwnerId=159&orderNumber=1002").await.0, 200);
    assert!(bench.it.orders().iter().all(|order| order.status == 1000));
    assert_eq!(bench.delete("orders?goodsOwnerId=159&orderNumber=1002").await.0, 400);
    assert_eq!(bench.put("orders", &order("1002")).await.0, 400);
    assert_eq!(bench.delete("orders?goodsOwnerId=159&orderNumber=404").await.0, 404);
}

#[tokio::test]
async fn a_part_may_be_picked_and_parcels_can_be_followed() {
    let bench = Bench::stocked().await;
    bench.put("orders", &order("1001")).await;
    let picked = [("1".to_owned(), 1.into())].into();
    let work = Work {
        order_number: "1001".to_owned(),
        status: 450,
        picked: Some(picked),
        parcels: vec!["373512345678".to_owned()],
        ..Work::default()
    };
    bench.it.work(&work).await.unwrap();
    let (_, found) = bench.get("orders?goodsOwnerId=159&orderNumber=1001").await;
    let found = &found[0];
    assert_eq!(found["orderInfo"]["orderStatus"], json!({ "number": 450, "text": "Sent" }));
    let picked: Vec<&Value> =
        found["orderLines"].as_array().unwrap().iter().map(|line| &line["pickedNumberOfItems"]).collect();
    assert_eq!(picked, [&json!(1), &json!(0)]);
    assert_eq!(found["orderLines"][1]["orderedNumberOfItems"], json!(1.5));
    assert_eq!(found["tracking"][0]["waybill"], "373512345678");
    assert!(found["orderInfo"]["shippedTime"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_every_shape_of_body() {
    let bench = Bench::stocked().await;
    let without = |name: &str| {
        let mut body = order("1001");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |pointer: &str, value: Value| {
        let mut body = order("1001");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut surprising = order("1001");
    surprising["surprise"] = json!(1);
    let wrong = [
        without("goodsOwnerId"),
        without("orderNumber"),
        without("deliveryDate"),
        without("consignee"),
        with("/goodsOwnerId", json!(160)),
        with("/orderLines/0/articleNumber", json!("NO-SUCH")),
        with("/orderLines/1/rowNumber", json!("1")),
        surprising,
        json!([]),
    ];
    for body in wrong {
        assert_eq!(bench.put("orders", &body).await.0, 400, "{body}");
    }
    for (shape, sign) in [
        (ErrorBody::Message, r#"{"Message":"#),
        (ErrorBody::Text, "\"The orderNumber"),
        (ErrorBody::Html, "<!DOCTYPE"),
        (ErrorBody::Empty, ""),
    ] {
        bench.it.switch(|switches| switches.error_body = shape);
        let request = bench.request(reqwest::Method::PUT, "orders").json(&without("orderNumber"));
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(text.starts_with(sign) && text.is_empty() == sign.is_empty(), "{text}");
    }
    assert!(bench.it.orders().is_empty());
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let bench = Bench::stocked().await;
    let url = format!("{}/demo/api/v1/orders?goodsOwnerId=159", bench.it.url);
    assert_eq!(read(bench.http.get(&url)).await.0, 401);
    assert_eq!(read(bench.http.get(&url).basic_auth("WSI-demo", Some("wrong"))).await.0, 401);
}

#[tokio::test]
async fn two_writes_at_once_of_one_goods_owner_collide() {
    let bench = Bench::stocked().await;
    bench.it.switch(|switches| switches.write_ms = 100);
    let (one, other) = (order("1001"), order("1002"));
    let (first, second) = tokio::join!(bench.put("orders", &one), bench.put("orders", &other));
    let mut statuses = [first.0, second.0];
    statuses.sort_unstable();
    assert_eq!((statuses, bench.it.collisions()), ([201, 503], 1));
    assert_eq!(bench.it.orders().len(), 1);
}

#[tokio::test]
async fn another_system_may_have_made_the_order() {
    let bench = Bench::stocked().await;
    let mut foreign = order("1001");
    foreign["goodsOwnerOrderId"] = json!("fortnox-17");
    let made = bench.http.post(format!("{}/_sim/foreign-order", bench.it.url)).json(&foreign);
    assert_eq!(read(made).await.1["created"], true);
    let (_, found) = bench.get("orders?goodsOwnerId=159&orderNumber=1001").await;
    assert_eq!(found[0]["orderInfo"]["goodsOwnerOrderId"], "fortnox-17");
    assert_eq!(bench.put("orders", &order("1001")).await.0, 200, "nothing protects it from a second writer");
}

#[tokio::test]
async fn ids_may_be_missing_from_answers() {
    let bench = Bench::stocked().await;
    bench.it.switch(|switches| switches.null_ids = true);
    assert_eq!(bench.put("orders", &order("1001")).await, (201, json!({ "orderId": null, "message": null })));
}

#[tokio::test]
async fn lists_go_on_behind_the_last_id() {
    let bench = Bench::stocked().await;
    for number in 0..5 {
        bench.put("orders", &order(&format!("10{number}"))).await;
    }
    let mut seen = Vec::new();
    let mut from = 0;
    loop {
        let path = format!("orders?goodsOwnerId=159&orderIdFrom={from}&maxOrdersToGet=2");
        let (_, page) = bench.get(&path).await;
        let page = page.as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        from = last["orderInfo"]["orderId"].as_u64().unwrap() + 1;
        seen.extend(page.iter().map(|order| order["orderInfo"]["orderNumber"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, ["100", "101", "102", "103", "104"]);
    bench.work("103", 450).await;
    let (_, sent) = bench.get("orders?goodsOwnerId=159&orderStatusFrom=450&orderStatusTo=500").await;
    assert_eq!(sent.as_array().unwrap().len(), 1);
}
