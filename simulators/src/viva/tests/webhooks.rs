//! What the receiver of events sees.

use serde_json::{Value, json};

use super::Shop;
use crate::kit::{Fault, Kind};
use crate::viva::{DeliveryState, Members, Outcome, Pay, Post, Refund, Refused};

#[tokio::test]
async fn an_event_arrives_as_viva_sends_it() {
    let mut shop = Shop::open().await;
    shop.viva.kit.clock.set("2026-06-10T06:55:00Z".parse().unwrap());
    let code = shop.order(74_700);
    let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
    let (headers, body) = shop.receiver.events.recv().await.unwrap();
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert!(!headers.contains_key("user-agent"));
    assert_eq!(body, paid.event.get());
    for part in [
        r#""Amount":747.0,"#,
        r#""OriginalAmount":747.0000,"#,
        r#""ConversionRate":1.0000000,"#,
        r#""TotalFee":0.0,"#,
        r#""CurrencyCode":"752","#,
        r#""StatusId":"F","#,
        r#""MerchantTrns":"1753-1001","#,
        r#""InsDate":"2026-06-10T09:55:"#,
        r#""Created":"2026-06-10T06:55:"#,
        r#""CorrelationId":"26-161-"#,
        r#""EventTypeId":1796,"#,
        &format!(r#""OrderCode":{},"#, code.0),
        &format!(r#""TransactionId":"{}","#, paid.transaction_id),
        &format!(r#""RecipientId":"{}","#, shop.account.merchant_id),
        &format!(r#""Url":"{}/hook?shop=1","#, shop.receiver.running.url),
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let event: Value = serde_json::from_str(&body).unwrap();
    let created = event["Created"].as_str().unwrap();
    assert_eq!((created.len(), &created[27..]), (28, "Z"), "seven fraction digits");
    let local = event["EventData"]["InsDate"].as_str().unwrap();
    assert!(local.len() <= 23 && !local.contains('+') && !local.ends_with('Z'), "{local}");
}

#[tokio::test]
async fn refusals_are_retried_hourly_until_24_attempts_were_made() {
    let shop = Shop::open().await;
    shop.receiver.kit.faults.add(Fault::status(302, "POST", "/hook").times(2));
    shop.receiver.kit.faults.add(Fault::new(Kind::Reset, "POST", "/hook"));
    shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    for attempts in 1..=4 {
        assert_eq!(shop.viva.deliveries()[0].attempts.len(), attempts);
        shop.advance(1).await;
        shop.viva.settled().await;
    }
    let taken = &shop.viva.deliveries()[0];
    assert_eq!(taken.state, DeliveryState::Delivered);
    let seen: Vec<_> = taken.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(seen, [Some(302), Some(302), None, Some(200)]);
    assert_eq!(taken.attempts[2].error, Some("broken connection"));

    shop.receiver.kit.faults.add(Fault::status(500, "POST", "/hook").times(100));
    shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    shop.advance(100).await;
    let log = shop.sim("/_sim/webhooks/settle", &Value::Null).await;
    assert_eq!(log[1]["state"], "given_up");
    assert_eq!(log[1]["attempts"].as_array().unwrap().len(), 24);
    assert_eq!(shop.receiver.kit.faults.remaining()[0].times, 76);
}

#[tokio::test]
async fn switches_drop_duplicate_and_delay_events() {
    let mut shop = Shop::open().await;
    shop.sim("/_sim/config", &json!({"drop_next": 1})).await;
    shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    assert_eq!(shop.viva.deliveries()[0].state, DeliveryState::Dropped);
    assert!(shop.receiver.bodies().is_empty());

    shop.sim("/_sim/config", &json!({"duplicates": 1, "duplicate_after_ms": 3_600_000})).await;
    shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    assert_eq!(shop.receiver.bodies().len(), 1);
    shop.advance(1).await;
    shop.viva.settled().await;
    let first = shop.viva.deliveries()[1].body().to_owned();
    assert_eq!(shop.receiver.bodies(), [first], "the same content an hour later");

    shop.sim("/_sim/config", &json!({"duplicates": 0, "delay_ms": 7_200_000})).await;
    shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    assert!(shop.receiver.bodies().is_empty());
    shop.advance(2).await;
    shop.viva.settled().await;
    assert_eq!(shop.receiver.bodies().len(), 1);

    shop.sim("/_sim/config", &json!({"delay_ms": 0, "drop_every": 2})).await;
    for _ in 0..4 {
        shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    }
    assert_eq!(shop.receiver.bodies().len(), 2);
}

#[tokio::test]
async fn the_same_event_can_come_fifty_times_at_once() {
    let mut shop = Shop::open().await;
    let paid = shop.viva.pay(&Pay::new(shop.order(100))).await.unwrap();
    let body =
        json!({"transaction_id": paid.transaction_id, "event_type": 1796, "times": 50, "concurrently": true});
    let sent = shop.sim("/_sim/webhooks/send", &body).await;
    let sent = sent["deliveries"].as_array().unwrap();
    assert_eq!(sent.len(), 50);
    assert!(sent.iter().all(|one| one["state"] == "delivered"));
    let bodies = shop.receiver.bodies();
    assert_eq!(bodies.len(), 51);
    assert!(bodies.iter().all(|body| body == paid.event.get()));
}

#[tokio::test]
async fn events_can_come_in_any_order_and_late() {
    let mut shop = Shop::open().await;
    let code = shop.order(10_000);
    let paid = shop.viva.pay(&Pay { deliver: false, ..Pay::new(code) }).await.unwrap();
    let reversed = Refund {
        negative_amount: true,
        status_id: Some("R".to_owned()),
        vanish: true,
        ..Refund::new(&paid.transaction_id)
    };
    let reversed = shop.viva.refund(&reversed).await.unwrap();
    assert_eq!(shop.viva.deliveries()[0].state, DeliveryState::Held);
    let late =
        Post { transaction_id: Some(paid.transaction_id.clone()), event_type: Some(1796), ..Post::default() };
    shop.viva.send(late).await.unwrap();

    let bodies = shop.receiver.bodies();
    assert_eq!(bodies, [reversed.event.get(), paid.event.get()]);
    for part in [
        r#""EventTypeId":1797"#,
        r#""Amount":-100.0,"#,
        r#""OriginalAmount":-100.0000,"#,
        r#""StatusId":"R""#,
    ] {
        assert!(bodies[0].contains(part), "{part} in {}", bodies[0]);
    }
    assert!(bodies[0].contains(&format!(r#""ParentId":"{}""#, paid.transaction_id)));
    assert_eq!(shop.get_transaction(&reversed.transaction_id).await.status(), 404);
    assert_eq!(shop.get_transaction(&paid.transaction_id).await.status(), 404);
}

#[tokio::test]
async fn forgeries_and_surprises_keep_their_exact_text() {
    let mut shop = Shop::open().await;
    let code = shop.order(74_700);
    let forged = r#"{"EventTypeId":1796, "EventData":{"TransactionId":"x","OrderCode":9007199254740993,"Amount":1.10}}"#;
    shop.receiver.kit.faults.add(Fault::status(400, "POST", "/hook").after_commit());
    let post: Post = serde_json::from_str(&format!(r#"{{"body":{forged}}}"#)).unwrap();
    let sent = shop.viva.send(post).await.unwrap();
    assert_eq!(sent[0].state, DeliveryState::GivenUp, "nobody repeats a forgery");

    let invented = r#"{"order_code":"CODE","event_type":99999,"order_code_as_string":true,
        "overrides":{"Amount":747.00,"Novelty":{"deep":[1.50]}},"envelope":{"RetryCount":3}}"#;
    let post = serde_json::from_str(&invented.replace("CODE", &code.0.to_string())).unwrap();
    shop.viva.send(post).await.unwrap();

    let bodies = shop.receiver.bodies();
    assert_eq!(bodies[0], forged);
    let as_string = format!(r#""OrderCode":"{}""#, code.0);
    for part in
        [r#""Amount":747.00,"#, r#""Novelty":{"deep":[1.50]}"#, r#""RetryCount":3"#, "99999", &as_string]
    {
        assert!(bodies[1].contains(part), "{part} in {}", bodies[1]);
    }
    assert!(shop.viva.transactions().is_empty(), "Viva knows nothing of an invented payment");
}

#[tokio::test]
async fn switches_spell_events_in_unusual_ways() {
    let mut shop = Shop::open().await;
    shop.viva.switch(|switches| (switches.order_code_as_string, switches.unknown_members) = (true, true));
    let code = shop.order(100);
    shop.viva.pay(&Pay { outcome: Outcome::Failed, ..Pay::new(code) }).await.unwrap();
    let event: Value = serde_json::from_str(&shop.receiver.bodies()[0]).unwrap();
    assert_eq!(event["EventData"]["OrderCode"], code.0.to_string());
    assert_eq!((&event["EventTypeId"], &event["EventData"]["StatusId"]), (&json!(1798), &json!("E")));
    assert!(event["SchemaRevision"].is_string() && event["EventData"]["SustainabilityScore"].is_object());
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let shop = Shop::open().await;
    let unknown = Post { transaction_id: Some("none".to_owned()), ..Post::default() };
    assert!(matches!(shop.viva.send(unknown).await, Err(Refused::Unknown(_))));
    assert!(matches!(shop.viva.send(Post::default()).await, Err(Refused::Invalid(_))));
    shop.sim("/_sim/config", &json!({"webhook_url": null})).await;
    let code = shop.order(100);
    shop.viva.pay(&Pay::new(code)).await.unwrap();
    assert_eq!(shop.viva.deliveries()[0].state, DeliveryState::Dropped);
    let nowhere = Post { order_code: Some(code), ..Post::default() };
    assert!(matches!(shop.viva.send(nowhere).await, Err(Refused::Invalid(_))));
}

#[test]
fn members_keep_their_order_and_spelling() {
    let text = r#"{"b":1.2000,"a":{"z":0.0},"c":[1e2]}"#;
    let mut members: Members = serde_json::from_str(text).unwrap();
    assert_eq!(members.to_raw().get(), text);
    members.set("a", 7);
    members.set("d", "new");
    assert_eq!(members.to_raw().get(), r#"{"b":1.2000,"a":7,"c":[1e2],"d":"new"}"#);
}
