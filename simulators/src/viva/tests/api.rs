//! What a shop sees of the API.

use serde_json::{Value, json};

use super::Shop;
use crate::kit::Fault;
use crate::viva::{Amount, Currency, NewOrder, OrderCode, Outcome, Pay, Refund, Refused};

#[tokio::test]
async fn a_token_needs_the_clients_secret_and_lapses_after_an_hour() {
    let shop = Shop::open().await;
    let ask = |grant: &'static str, secret: &'static str| {
        let request = shop.client.post(shop.url("/connect/token")).form(&[("grant_type", grant)]);
        request.basic_auth(&shop.account.client_id, Some(secret)).send()
    };
    let wrong = ask("client_credentials", "guess").await.unwrap();
    assert_eq!(wrong.status(), 400);
    assert_eq!(wrong.json::<Value>().await.unwrap(), json!({"error": "invalid_client"}));
    let other = ask("password", "simulated-client-secret").await.unwrap();
    assert_eq!(other.json::<Value>().await.unwrap(), json!({"error": "unsupported_grant_type"}));
    let good: Value =
        ask("client_credentials", "simulated-client-secret").await.unwrap().json().await.unwrap();
    assert_eq!((&good["expires_in"], &good["token_type"]), (&json!(3600), &json!("Bearer")));

    let token = shop.token().await;
    let read = || shop.client.get(shop.url("/checkout/v2/transactions/none")).bearer_auth(&token).send();
    assert_eq!(read().await.unwrap().status(), 404);
    shop.advance(1).await;
    let lapsed = read().await.unwrap();
    assert_eq!(lapsed.status(), 401);
    assert!(lapsed.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn the_webhook_key_is_for_the_merchant_only() {
    let shop = Shop::open().await;
    let path = "/api/messages/config/token";
    assert_eq!(shop.get_legacy(path).await, json!({"Key": shop.account.webhook_key}));
    assert_eq!(shop.client.get(shop.url(path)).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn orders_are_made_in_minor_units_of_the_accounts_currency() {
    let shop = Shop::open().await;
    let token = shop.token().await;
    let make = |body: Value| {
        shop.client.post(shop.url("/checkout/v2/orders")).bearer_auth(&token).json(&body).send()
    };

    for refused in [
        json!({}),
        json!({"amount": 29}),
        json!({"amount": "many"}),
        json!({"amount": 74700, "currencyCode": 978}),
        json!({"amount": 74700, "currencyCode": "SEK"}),
    ] {
        assert_eq!(make(refused.clone()).await.unwrap().status(), 400, "{refused}");
    }
    assert!(shop.viva.orders().is_empty());

    let body = json!({"amount": 74750, "currencyCode": "752", "merchantTrns": "1753-1001", "sourceCode": "8541",
                      "customer": {"email": "asa@example.se", "requestLang": "sv-SE"}, "disableCash": true});
    let answer: Value = make(body).await.unwrap().json().await.unwrap();
    let code = answer["orderCode"].as_u64().unwrap();
    let state = shop.get_legacy(&format!("/api/orders/{code}")).await;
    assert_eq!(
        (
            &state["OrderCode"],
            &state["RequestAmount"],
            &state["StateId"],
            &state["MerchantTrns"],
            &state["SourceCode"]
        ),
        (&json!(code), &json!(747.5), &json!(0), &json!("1753-1001"), &json!("8541"))
    );
    let unknown = shop.merchant(shop.client.get(shop.url("/api/orders/1234567890123456")));
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    assert_eq!(shop.client.get(shop.url(&format!("/api/orders/{code}"))).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn order_codes_have_16_digits_and_many_lie_beyond_what_floats_hold() {
    let shop = Shop::open().await;
    let codes: Vec<u64> = (0..100).map(|_| shop.order(100).0).collect();
    assert!(codes.iter().all(|code| code.to_string().len() == 16));
    let beyond = codes.iter().filter(|code| **code > 1 << 53).collect::<Vec<_>>();
    assert_eq!(beyond.len(), 50);
    assert!(beyond.iter().all(|code| **code as f64 as u64 != **code));
}

#[tokio::test]
async fn an_order_expires_silently_or_is_cancelled_or_paid() {
    let mut shop = Shop::open().await;
    let (expiring, cancelled, paid) = (shop.order(100), shop.order(200), shop.order(300));
    shop.viva.pay(&Pay::new(paid)).await.unwrap();
    let cancel = |code: OrderCode| {
        let request = shop.client.delete(shop.url(&format!("/api/orders/{}", code.0)));
        shop.merchant(request).send()
    };
    let answer: Value = cancel(cancelled).await.unwrap().json().await.unwrap();
    assert_eq!((&answer["OrderCode"], &answer["Success"]), (&json!(cancelled), &json!(true)));
    let refused: Value = cancel(paid).await.unwrap().json().await.unwrap();
    assert_eq!((&refused["ErrorCode"], &refused["Success"]), (&json!(403), &json!(false)));
    shop.advance(1).await;
    for (code, state) in [(expiring, 1), (cancelled, 2), (paid, 3)] {
        assert_eq!(shop.get_legacy(&format!("/api/orders/{}", code.0)).await["StateId"], state);
        assert!(matches!(shop.viva.pay(&Pay::new(code)).await, Err(Refused::Conflict(_))));
    }
    let forced = Pay { deliver: false, force: true, ..Pay::new(expiring) };
    shop.viva.pay(&forced).await.unwrap();
    shop.viva.settled().await;
    let types: Vec<Value> =
        shop.receiver.bodies().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let types: Vec<_> = types.iter().map(|event: &Value| &event["EventTypeId"]).collect();
    assert_eq!(types, [&json!(1796), &json!(4865)], "no event tells of an order that expired");
}

#[tokio::test]
async fn a_transaction_is_spelled_as_viva_spells_it() {
    let shop = Shop::open().await;
    shop.viva.kit.clock.set("2026-11-20T12:32:00Z".parse().unwrap());
    let (whole, broken) = (shop.order(74_700), shop.order(3_050));
    for (code, spelled) in [(whole, r#""amount":747.0,"#), (broken, r#""amount":30.50,"#)] {
        let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
        let text = shop.get_transaction(&paid.transaction_id).await.text().await.unwrap();
        assert!(text.contains(spelled), "{text}");
        assert!(text.contains(&format!(r#""orderCode":{},"#, code.0)), "{text}");
        assert!(text.contains(r#""insDate":"2026-11-20T14:32:"#) && text.contains(r#"+02:00""#), "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&answer["statusId"], &answer["currencyCode"]), (&json!("F"), &json!("752")));
        assert_eq!(answer["merchantTrns"], "1753-1001");
        assert!(answer.get("transactionId").is_none() && answer.get("parentId").is_none());
    }
}

#[tokio::test]
async fn reads_lag_by_count_and_by_time_and_can_vanish() {
    let shop = Shop::open().await;
    shop.viva.switch(|switches| switches.read_lag_reads = 2);
    let code = shop.order(100);
    let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
    for status in [404, 404, 200] {
        assert_eq!(shop.get_transaction(&paid.transaction_id).await.status(), status);
    }

    shop.sim("/_sim/config", &json!({"read_lag_reads": 0, "read_lag_ms": 3_600_000})).await;
    let search = format!("/api/transactions/?ordercode={}", code.0);
    assert_eq!(shop.get_transaction(&paid.transaction_id).await.status(), 404);
    assert_eq!(shop.get_legacy(&search).await["Transactions"], json!([]));
    shop.advance(1).await;
    assert_eq!(shop.get_transaction(&paid.transaction_id).await.status(), 200);
    assert_eq!(shop.get_legacy(&search).await["Transactions"][0]["TransactionId"], paid.transaction_id);

    shop.sim("/_sim/vanish", &json!({"transaction_id": paid.transaction_id})).await;
    assert_eq!(shop.get_transaction(&paid.transaction_id).await.status(), 404);
    let empty = shop.get_legacy(&search).await;
    assert_eq!((&empty["Transactions"], &empty["Success"]), (&json!([]), &json!(true)));
}

#[tokio::test]
async fn the_older_search_finds_by_order_or_day() {
    let shop = Shop::open().await;
    shop.viva.kit.clock.set("2026-11-20T22:30:00Z".parse().unwrap());
    let code = shop.order(3_050);
    let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
    let found = shop.get_legacy(&format!("/api/transactions?ordercode={}", code.0)).await;
    let one = &found["Transactions"][0];
    assert_eq!(
        (&one["TransactionId"], &one["ParentId"], &one["Amount"], &one["Order"]["OrderCode"]),
        (&json!(paid.transaction_id), &Value::Null, &json!(30.5), &json!(code))
    );
    // In Greece the 21st has begun.
    for (query, count) in [
        ("date=2026-11-21", 1),
        ("date=2026-11-20", 0),
        ("date=2026-11-21&sourcecode=9", 0),
        ("ordercode=5", 0),
    ] {
        let found = shop.get_legacy(&format!("/api/transactions/?{query}")).await;
        assert_eq!(found["Transactions"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(shop.get_legacy("/api/transactions/").await["ErrorCode"], 400);
}

#[tokio::test]
async fn refunds_mark_the_payment_and_are_transactions_of_their_own() {
    let shop = Shop::open().await;
    let paid = shop.viva.pay(&Pay::new(shop.order(10_000))).await.unwrap();
    let refund = |query: &'static str| {
        let path = format!("/api/transactions/{}{query}", paid.transaction_id);
        shop.merchant(shop.client.delete(shop.url(&path))).send()
    };
    let part: Value = refund("?amount=900&sourceCode=1753").await.unwrap().json().await.unwrap();
    assert_eq!(
        (&part["Amount"], &part["StatusId"], &part["CurrencyCode"]),
        (&json!(-9.0), &json!("F"), &json!("752"))
    );
    let too_much: Value = refund("?amount=9101").await.unwrap().json().await.unwrap();
    assert_eq!(too_much["Success"], false);
    shop.advance(48).await;
    let rest: Value = refund("").await.unwrap().json().await.unwrap();
    assert_eq!(rest["Amount"], json!(-91.0));
    let nothing_left: Value = refund("").await.unwrap().json().await.unwrap();
    assert_eq!((&nothing_left["ErrorCode"], &nothing_left["TransactionId"]), (&json!(403), &Value::Null));

    let known = shop.viva.transactions();
    assert_eq!(
        known.iter().map(|one| (one.status_id.as_str(), one.type_id)).collect::<Vec<_>>(),
        [("R", 5), ("F", 4), ("F", 4)]
    );
    assert!(known[1..].iter().all(|one| one.parent_id.as_ref() == Some(&paid.transaction_id)));
    let reversal = shop.get_transaction(rest["TransactionId"].as_str().unwrap()).await;
    assert_eq!(reversal.json::<Value>().await.unwrap()["transactionTypeId"], 4);
}

#[tokio::test]
async fn a_card_payment_is_voided_on_its_own_day_and_swish_is_refunded() {
    let shop = Shop::open().await;
    shop.viva.kit.clock.set("2026-11-20T08:00:00Z".parse().unwrap());
    let card = shop.viva.pay(&Pay::new(shop.order(10_000))).await.unwrap();
    let swish = Pay { type_id: Some(70), ..Pay::new(shop.order(10_000)) };
    let swish = shop.viva.pay(&swish).await.unwrap();
    shop.viva.refund(&Refund::new(&card.transaction_id)).await.unwrap();
    shop.viva.refund(&Refund::new(&swish.transaction_id)).await.unwrap();
    let known = shop.viva.transactions();
    assert_eq!(
        known.iter().map(|one| (one.status_id.as_str(), one.type_id)).collect::<Vec<_>>(),
        [("X", 5), ("R", 70), ("F", 7), ("F", 71)]
    );
}

#[tokio::test]
async fn refunds_over_the_api_can_be_switched_off() {
    let shop = Shop::open().await;
    let paid = shop.viva.pay(&Pay::new(shop.order(10_000))).await.unwrap();
    shop.sim("/_sim/config", &json!({"refunds_over_api": false, "legacy_error_status": 403})).await;
    let path = format!("/api/transactions/{}?amount=100", paid.transaction_id);
    let refused = shop.merchant(shop.client.delete(shop.url(&path))).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!((&refused["ErrorCode"], &refused["StatusId"]), (&json!(403), &Value::Null));
    assert_eq!(shop.viva.transactions().len(), 1);
}

#[tokio::test]
async fn another_shops_payment_and_a_wrong_currency_are_read_as_they_are() {
    let shop = Shop::open().await;
    let body = json!({"order_code": "9007199254740993", "amount": "99.95", "currency": "978", "source_code": "4711",
                      "merchant_trns": "other-1"});
    let paid = shop.sim("/_sim/pay", &body).await;
    let text = shop.get_transaction(paid["transaction_id"].as_str().unwrap()).await.text().await.unwrap();
    for part in [r#""amount":99.95"#, r#""orderCode":9007199254740993"#, r#""currencyCode":"978""#, "other-1"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(paid["event"]["EventData"]["SourceCode"], "4711");
    let no_amount = Pay::new(OrderCode(1_111_222_233_334_444));
    assert!(matches!(shop.viva.pay(&no_amount).await, Err(Refused::Invalid(_))));
    let other = NewOrder { amount: Some(100), currency_code: Some(Currency(978)), ..NewOrder::default() };
    assert!(matches!(shop.viva.create_order(other), Err(Refused::Invalid(_))));
}

#[tokio::test]
async fn a_failed_transaction_can_still_succeed() {
    let mut shop = Shop::open().await;
    let code = shop.order(10_000);
    let failed = Pay { outcome: Outcome::Failed, ..Pay::new(code) };
    let failed = shop.viva.pay(&failed).await.unwrap();
    assert_eq!(shop.get_legacy(&format!("/api/orders/{}", code.0)).await["StateId"], 0);
    let again = Pay { transaction_id: Some(failed.transaction_id.clone()), ..Pay::new(code) };
    let paid = shop.viva.pay(&again).await.unwrap();
    assert_eq!(failed.transaction_id, paid.transaction_id);
    let answer: Value = shop.get_transaction(&paid.transaction_id).await.json().await.unwrap();
    assert_eq!(answer["statusId"], "F");
    let events = shop.receiver.bodies();
    assert!(events[0].contains(r#""EventTypeId":1798"#) && events[1].contains(r#""EventTypeId":1796"#));
}

#[tokio::test]
async fn a_person_can_pay_on_the_page() {
    let shop = Shop::open().await;
    let code = shop.order(74_700);
    let url = shop.url(&format!("/web/checkout?ref={}", code.0));
    let page = shop.client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("747.00") && page.contains("<form"), "{page}");
    for (outcome, paid) in [("failed", false), ("paid", true)] {
        let form = [("ref", code.0.to_string()), ("outcome", outcome.to_owned())];
        let answer = shop.client.post(shop.url("/web/checkout")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(shop.viva.orders()[0].paid, paid);
    }
    let page = shop.client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("This order is paid."), "{page}");
}

#[tokio::test]
async fn faults_and_counters_concern_viva_and_not_the_sim_routes() {
    let shop = Shop::open().await;
    shop.viva.kit.faults.add(Fault::status(503, "POST", "*"));
    shop.sim("/_sim/pay", &json!({"order_code": shop.order(100)})).await;
    let token = shop.client.post(shop.url("/connect/token")).send().await.unwrap();
    assert_eq!(token.status(), 503);
    assert_eq!(shop.viva.kit.log.stats().calls_total, 1);
    shop.sim("/_sim/reset", &Value::Null).await;
    assert!(
        shop.viva.orders().is_empty()
            && shop.viva.transactions().is_empty()
            && shop.viva.deliveries().is_empty()
    );
}

#[tokio::test]
async fn state_shows_orders_transactions_and_webhooks() {
    let shop = Shop::open().await;
    let code = shop.order(74_700);
    let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
    let state = shop.client.get(shop.url("/_sim/state")).send().await.unwrap();
    let state: Value = state.json().await.unwrap();
    assert_eq!(
        (&state["orders"][0]["order_code"], &state["orders"][0]["paid"]),
        (&json!(code), &json!(true))
    );
    assert_eq!(state["transactions"][0]["transaction_id"], paid.transaction_id);
    assert_eq!(state["transactions"][0]["amount"], "747.00");
    assert_eq!(state["webhooks"][0]["attempts"][0]["status"], 200);

    let unknown =
        shop.client.post(shop.url("/_sim/config")).json(&json!({"webhok_url": "x"})).send().await.unwrap();
    assert_eq!(unknown.status(), 400);
}

#[test]
fn amounts_are_exact_in_every_spelling() {
    for (text, minor, lexeme) in [
        ("747.00", 74_700, "747.0"),
        ("747", 74_700, "747.0"),
        ("30.5", 3_050, "30.50"),
        ("0.05", 5, "0.05"),
        ("-1.20", -120, "-1.20"),
        ("90071992547409.93", 9_007_199_254_740_993, "90071992547409.93"),
    ] {
        let amount: Amount = text.parse().unwrap();
        assert_eq!((amount, amount.lexeme().get()), (Amount(minor), lexeme));
    }
    for wrong in ["1.001", "one", "", "1e400", "99999999999999999999"] {
        assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn every_token_given_out_is_remembered() {
    let shop = Shop::open().await;
    let mut given = vec![shop.token().await, shop.token().await];
    let mut issued = shop.viva.secrets_issued();
    given.sort();
    issued.sort();
    assert_eq!(issued, given);
}
