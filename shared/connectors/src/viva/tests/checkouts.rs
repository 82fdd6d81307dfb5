//! Payment pages: what is asked for, and what comes of answers that are none.

use bokbro_app::ports::CheckoutWish;
use bokbro_domain::ids::OrderNumber;
use bokbro_domain::money::{Currency, Money};
use serde_json::{Value, json};

use super::*;

async fn open(bench: &Bench) -> Result<CheckoutCode, Error> {
    let wish = CheckoutWish {
        amount: Money::new(1_200, Currency::SEK),
        order_number: OrderNumber::parse("TEST-1").unwrap(),
        text: "Testorder TEST-1".to_owned(),
    };
    bench.viva.checkout_open(&bench.access, &wish).await
}

#[tokio::test]
async fn a_page_is_asked_for_once_in_minor_units() {
    for (shops, source) in [(None, None), (Some(""), None), (Some(" 1753 , 1754"), Some("1753"))] {
        let mut bench = bench([status(200, r#"{"orderCode":9451234567890123}"#)]);
        let mut connection = (*bench.access.connection).clone();
        connection.settings.extend(shops.map(|shops| ("source_codes".to_owned(), shops.to_owned())));
        bench.access.connection = Arc::new(connection);
        assert_eq!(open(&bench).await.unwrap(), CODE);
        let sent = bench.script.sent().remove(0);
        assert_eq!(sent.line, "POST /checkout/v2/orders");
        assert!(sent.authorization.starts_with("Bearer "), "{}", sent.authorization);
        let mut expected = json!({"amount": 1200, "currencyCode": "752", "customerTrns": "Testorder TEST-1",
            "merchantTrns": "TEST-1", "paymentTimeout": 86_400});
        if let Some(source) = source {
            expected["sourceCode"] = json!(source);
        }
        assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap(), expected);
    }
}

#[tokio::test]
async fn codes_come_as_numbers_or_texts_and_keep_every_digit() {
    for body in [r#"{"orderCode":9451234567890123}"#, r#"{"orderCode":"9451234567890123","more":1}"#] {
        assert_eq!(open(&bench([status(200, body)])).await.unwrap(), CODE, "{body}");
    }
}

#[tokio::test]
async fn what_is_no_code_is_no_page_and_nothing_is_sent_twice() {
    let unavailable = [
        status(200, "{}"),
        status(200, r#"{"orderCode":1.5}"#),
        status(200, r#"{"orderCode":null}"#),
        status(200, "<html>"),
        status(500, ""),
        status(409, ""),
        Reply::MaybeSent,
    ];
    for (index, reply) in unavailable.into_iter().enumerate() {
        let bench = bench([reply]);
        let error = open(&bench).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "case {index}: {error:?}");
        assert_eq!((bench.script.lines().len(), bench.script.left()), (1, 0), "case {index}");
    }
    let refused = open(&bench([status(400, "")])).await.unwrap_err();
    assert_eq!((refused.disposition(), refused.code()), (Disposition::Park, "viva_400"));
    let right = open(&bench([status(403, "")])).await.unwrap_err();
    assert_eq!(right.disposition(), Disposition::NeedsConsent);
}

#[test]
fn a_page_has_an_address_for_browsers() {
    let page = bench([]).viva.checkout_page(CODE);
    assert_eq!(page, "https://www.vivapayments.com/web/checkout?ref=9451234567890123");
}
