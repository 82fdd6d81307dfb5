//! Steps of an order: what is sent, what is found, what is refused.

use super::*;

#[tokio::test]
async fn only_members_that_the_api_knows_are_sent_and_the_same_order_is_the_same_bytes() {
    let bench = bench([]);
    let effector = bench.effector(ParcelWish::Ship);
    let steps: Vec<String> = effector.steps().into_iter().map(|step| step.0).collect();
    assert_eq!(steps, ["articles", "order"]);
    let sent = intent(&*effector, "order", &Ledger::default());
    assert_eq!((sent.reference.as_str(), sent.may_exist, sent.replaces), ("1753-1001", true, true));
    let expected = concat!(
        r#"{"goodsOwnerId":159,"orderNumber":"1753-1001","deliveryDate":"2026-11-21T12:00:00Z","#,
        r#""goodsOwnerOrderId":"ord_01ARZ3NDEKTSV4RRFFQ69G5FAV","#,
        r#""consignee":{"name":"Åsa Öberg","address1":"Storgatan 1","postCode":"111 22","city":"Stockholm","#,
        r#""countryCode":"SE"},"emailNotification":{"toBeNotified":true,"value":"asa@example.se"},"#,
        r#""orderLines":[{"rowNumber":"1","articleNumber":"OIL-30","numberOfItems":2},"#,
        r#"{"rowNumber":"2","articleNumber":"SOAP","numberOfItems":0.5}]}"#
    );
    assert_eq!(sent.request, expected);
    assert_eq!(intent(&*effector, "order", &Ledger::default()), sent);
}

#[tokio::test]
async fn missing_articles_are_made_and_known_ones_left_alone() {
    let made = || reply(200, &json!({"articleSystemId": null, "message": null}));
    let bench = bench([articles(&["SOAP"]), articles(&["SOAP"]), made()]);
    let effector = bench.effector(ParcelWish::Ship);
    let wanted = intent(&*effector, "articles", &Ledger::default());
    assert_eq!(effector.look_up(&wanted, &Ledger::default()).await.unwrap(), Found::No);
    let receipt = effector.send(&wanted, &Ledger::default()).await.unwrap();
    assert_eq!(receipt.external_id, "1 new");
    let list = "GET /demo/api/v1/articles?goodsOwnerId=159&maxArticlesToGet=200&articleNumbers=OIL-30&articleNumbers=SOAP";
    assert_eq!(bench.script.lines(), [list, list, "PUT /demo/api/v1/articles"]);
    let sent = bench.script.sent().pop().unwrap();
    assert_eq!(
        sent.body,
        r#"{"goodsOwnerId":159,"articleNumber":"OIL-30","articleName":"Ansiktsolja 30 ml"}"#
    );
    assert_eq!(sent.authorization, "Basic u:p");
}

#[tokio::test]
async fn an_order_is_found_by_number_and_told_from_others() {
    let ours = json!(OURS);
    let mut changed = shown(&ours, 200);
    changed["orderLines"][0]["orderedNumberOfItems"] = json!(3);
    let mut late = changed.clone();
    late["orderInfo"]["orderStatus"]["number"] = json!(400);
    let mut elsewhere = shown(&ours, 300);
    elsewhere["consignee"]["address1"] = json!("Lillgatan 2");
    let mut other_number = shown(&ours, 200);
    other_number["orderInfo"]["orderNumber"] = json!("1753-10011");
    let cases = [
        ("none", vec![], Ok(Seen::No)),
        ("another number", vec![other_number], Ok(Seen::No)),
        ("ours", vec![shown(&ours, 200)], Ok(Seen::Yes)),
        ("ours, sent", vec![shown(&ours, 450)], Ok(Seen::Yes)),
        ("ours, changed", vec![changed], Ok(Seen::No)),
        ("ours, to another place", vec![elsewhere], Ok(Seen::No)),
        ("ours, changed too late", vec![late], Err("picking_started")),
        ("ours, canceled", vec![shown(&ours, 1000)], Err("parcel_canceled")),
        ("canceled and anew", vec![shown(&ours, 1000), shown(&ours, 200)], Ok(Seen::Yes)),
        ("another system's", vec![shown(&json!("shop-7"), 200)], Err("foreign_order")),
        ("nobody's", vec![shown(&Value::Null, 200)], Err("foreign_order")),
        (
            "another order of ours",
            vec![shown(&json!("ord_01ARZ3NDEKTSV4RRFFQ69G5FAW"), 200)],
            Err("foreign_order"),
        ),
    ];
    for (name, orders, expected) in cases {
        let bench = bench([found(&orders)]);
        let effector = bench.effector(ParcelWish::Ship);
        let wanted = intent(&*effector, "order", &Ledger::default());
        let looked = effector.look_up(&wanted, &Ledger::default()).await;
        match (looked, expected) {
            (Ok(Found::Yes(receipt)), Ok(Seen::Yes)) => assert_eq!(receipt.external_id, "50161", "{name}"),
            (Ok(Found::No), Ok(Seen::No)) => {}
            (Err(error), Err(wanted)) => assert_eq!(code(&error), wanted, "{name}"),
            (looked, _) => panic!("{name}: {looked:?}"),
        }
        assert_eq!(bench.script.lines(), [FIND], "{name}");
    }
}

#[tokio::test]
async fn a_write_is_sorted_by_what_is_known_of_its_outcome() {
    let ours = || found(&[shown(&json!(OURS), 200)]);
    let begun = || found(&[shown(&json!(OURS), 320)]);
    let none = || found(&[]);
    let page = |status| Reply::Typed(status, "text/html", "<html>no</html>".to_owned());
    let answer = |id: Value| reply(200, &json!({"orderId": id, "message": null}));
    let cases: Vec<(&str, Vec<Reply>, &str)> = vec![
        ("made", vec![reply(201, &json!({"orderId": 50161, "message": "Order created"}))], "50161"),
        ("no id, found", vec![answer(Value::Null), ours()], "50161"),
        ("no id, not found", vec![answer(Value::Null), none()], "unknown"),
        ("a page that says done", vec![page(200)], "unknown"),
        ("an empty answer", vec![Reply::Status(200, String::new())], "unknown"),
        ("no connection", vec![Reply::NotSent], "not done"),
        ("broken connection", vec![Reply::MaybeSent], "unknown"),
        ("500 with a message", vec![reply(500, &json!({"Message": "An error has occurred."}))], "unknown"),
        ("503", vec![page(503)], "unknown"),
        ("408", vec![page(408)], "unknown"),
        ("429", vec![Reply::RetryAfter(429, "7".to_owned())], "not done"),
        ("401", vec![page(401)], "not done"),
        ("403", vec![page(403)], "not done"),
        ("404", vec![page(404)], "not done"),
        (
            "400 and nothing there",
            vec![reply(400, &json!("The article does not exist.")), none()],
            "ongoing_400",
        ),
        (
            "400 because it has begun",
            vec![reply(400, &json!({"Message": "started"})), begun()],
            "picking_started",
        ),
        (
            "400 and no way to look",
            vec![Reply::Status(400, String::new()), Reply::MaybeSent, Reply::MaybeSent, Reply::MaybeSent],
            "not done",
        ),
    ];
    for (name, replies, expected) in cases {
        let bench = bench(replies);
        let effector = bench.effector(ParcelWish::Ship);
        let wanted = intent(&*effector, "order", &Ledger::default());
        let ended = match effector.send(&wanted, &Ledger::default()).await {
            Ok(receipt) => receipt.external_id,
            Err(SendError::NotDone(_)) => "not done".to_owned(),
            Err(SendError::Unknown(_)) => "unknown".to_owned(),
            Err(SendError::Rejected(reason)) => reason.code,
        };
        assert_eq!(ended, expected, "{name}");
        assert_eq!(bench.script.left(), 0, "{name}");
        assert_eq!(bench.script.lines()[0], "PUT /demo/api/v1/orders", "{name}");
        assert_eq!(bench.script.sent()[0].body, wanted.request, "{name}: what is sent is what was noted");
    }
}

#[tokio::test]
async fn a_cancellation_ends_by_what_the_warehouse_shows() {
    let (ours, theirs) = (json!(OURS), json!("shop-7"));
    let gone = || reply(200, &json!({"orderId": 50161}));
    let cases: Vec<(&str, Vec<Reply>, Result<&str, &str>)> = vec![
        ("open", vec![found(&[shown(&ours, 200)]), gone()], Ok("50161")),
        ("not there", vec![found(&[])], Ok("was not needed: there is no such order of ours")),
        (
            "another system's",
            vec![found(&[shown(&theirs, 200)])],
            Ok("was not needed: there is no such order of ours"),
        ),
        ("canceled", vec![found(&[shown(&ours, 1000)])], Ok("50161")),
        ("sent", vec![found(&[shown(&ours, 450)])], Ok("came too late: the parcel has left (450 T)")),
        ("picked", vec![found(&[shown(&ours, 400)])], Err("picking_started")),
        (
            "refused",
            vec![found(&[shown(&ours, 320)]), Reply::Status(400, "no".into()), found(&[shown(&ours, 320)])],
            Err("picking_started"),
        ),
        (
            "refused, but canceled",
            vec![found(&[shown(&ours, 200)]), Reply::Status(400, "no".into()), found(&[shown(&ours, 1000)])],
            Ok("50161"),
        ),
    ];
    for (name, replies, expected) in cases {
        let bench = bench(replies);
        let ledger = done(&*bench.effector(ParcelWish::Ship), "order");
        let effector = bench.effector(ParcelWish::Cancel);
        let wanted = intent(&*effector, "cancel", &ledger);
        let ended = match effector.look_up(&wanted, &ledger).await {
            Ok(Found::Yes(receipt)) => Ok(receipt.external_id),
            Ok(Found::No) => match effector.send(&wanted, &ledger).await {
                Ok(receipt) => Ok(receipt.external_id),
                Err(SendError::Rejected(reason)) => Err(reason.code),
                Err(other) => panic!("{name}: {other:?}"),
            },
            Err(error) => Err(code(&error).to_owned()),
        };
        assert_eq!(ended, expected.map(str::to_owned).map_err(str::to_owned), "{name}");
        assert_eq!(bench.script.left(), 0, "{name}");
    }
}

#[tokio::test]
async fn what_was_never_sent_needs_no_cancellation_and_what_was_canceled_is_not_sent_again() {
    let bench = bench([]);
    let cancel = bench.effector(ParcelWish::Cancel);
    assert_eq!(cancel.intent(&StepName::from("cancel"), &Ledger::default()).unwrap(), None);
    let mut ledger = done(&*bench.effector(ParcelWish::Ship), "order");
    let wanted = intent(&*cancel, "cancel", &ledger);
    ledger.mark_sent(&wanted, now());
    ledger.mark_done(&wanted.step, Receipt::default(), now());
    let again = bench.effector(ParcelWish::Ship).intent(&StepName::from("order"), &ledger).unwrap_err();
    assert_eq!(code(&again), "canceled_before");
}

#[tokio::test]
async fn an_order_without_goods_has_no_steps() {
    let bench = bench([]);
    let mut order = order();
    order.body.lines.retain(|line| line.kind != LineKind::Goods);
    let effector = bench.ongoing.effector(bench.access.clone(), &order, ParcelWish::Ship).unwrap();
    assert!(effector.steps().is_empty());
}

/// Whether a look-up is to find something.
enum Seen {
    Yes,
    No,
}
