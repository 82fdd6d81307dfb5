//! Deliveries as tables and properties.

use proptest::prelude::*;

use super::*;

const PAID: &str = include_str!("fixtures/webhook-paid.json");
const CODE: CheckoutCode = CheckoutCode(9_451_234_567_890_123);

fn event(event_type: u32, data: &str) -> String {
    format!(r#"{{"EventTypeId":{event_type},"EventData":{data},"MessageId":"m-1","RecipientId":"r-1"}}"#)
}

fn read(body: &str) -> PaymentHint {
    parse(body.as_bytes()).unwrap_or_else(|unreadable| panic!("{unreadable}: {body}"))
}

#[test]
fn a_payment_is_read_from_its_exact_lexemes() {
    let hint = read(PAID);
    assert_eq!(hint.event, HintedEvent::Paid);
    assert_eq!(hint.event_type, 1796);
    assert_eq!(hint.provider.as_str(), "viva");
    assert_eq!(hint.transaction.unwrap().as_str(), "0b7d6d3e-2c58-4e9a-9f43-5a4e0d6a1796");
    assert_eq!(hint.checkout_code, Some(CODE));
    assert_eq!(hint.amount.as_deref(), Some("747.00"));
    assert_eq!(hint.currency.as_deref(), Some("752"));
    assert_eq!(hint.merchant.as_deref(), Some("7a1e0000-0000-4000-8000-00000000cafe"));
    assert_eq!(hint.source.as_deref(), Some("1234"));
    assert_eq!(hint.message_id.as_deref(), Some("5d0c0000-0000-4000-8000-000000001796"));
}

#[test]
fn events_are_told_apart_by_number() {
    let cases = [
        (1796, HintedEvent::Paid),
        (1797, HintedEvent::Reversed),
        (1798, HintedEvent::Failed),
        (4865, HintedEvent::OrderChanged),
        (1799, HintedEvent::Other),
        (2054, HintedEvent::Other),
        (0, HintedEvent::Other),
        (u32::MAX, HintedEvent::Other),
    ];
    for (number, expected) in cases {
        let hint = read(&event(number, r#"{"TransactionId":"a-1","OrderCode":1}"#));
        assert_eq!((hint.event, hint.event_type), (expected, number));
    }
}

#[test]
fn codes_and_amounts_come_in_many_spellings() {
    let cases = [
        (r#""OrderCode":"9007199254740993""#, Some(9_007_199_254_740_993), None),
        (r#""OrderCode":9007199254740993"#, Some(9_007_199_254_740_993), None),
        (r#""OrderCode":0"#, None, None),
        (r#""OrderCode":null,"Amount":null"#, None, None),
        (r#""Amount":1.20"#, None, Some("1.20")),
        (r#""Amount":"1.2000""#, None, Some("1.2000")),
        (r#""Amount":-9.0"#, None, Some("9.0")),
        (r#""Amount":12"#, None, Some("12")),
    ];
    for (members, code, amount) in cases {
        let hint = read(&event(1797, &format!(r#"{{"TransactionId":"a-1",{members}}}"#)));
        assert_eq!(
            (hint.checkout_code.map(|code| code.0), hint.amount.as_deref()),
            (code, amount),
            "{members}"
        );
    }
}

#[test]
fn optional_members_may_be_missing_or_odd() {
    let bare = read(r#"{"EventTypeId":1796,"EventData":{"TransactionId":"a-1"}}"#);
    assert_eq!((bare.message_id, bare.merchant, bare.source, bare.currency), (None, None, None, None));
    let recipient = read(&event(1796, r#"{"TransactionId":"a-1"}"#));
    assert_eq!(recipient.merchant.as_deref(), Some("r-1"));
    for (currency, expected) in
        [("752", Some("752")), (r#""752""#, Some("752")), ("36", Some("036")), (r#""SEK""#, None)]
    {
        let hint = read(&event(1796, &format!(r#"{{"TransactionId":"a-1","CurrencyCode":{currency}}}"#)));
        assert_eq!(hint.currency.as_deref(), expected, "{currency}");
    }
    let long = "x".repeat(65);
    let hint = read(&event(
        1796,
        &format!(r#"{{"TransactionId":"a-1","SourceCode":"{long}","MerchantId":"a\nb"}}"#),
    ));
    assert_eq!((hint.source, hint.merchant.as_deref()), (None, Some("r-1")));
}

#[test]
fn an_unknown_kind_of_event_needs_nothing_else() {
    for body in [
        r#"{"EventTypeId":2054}"#,
        r#"{"EventTypeId":2054,"EventData":null}"#,
        r#"{"EventTypeId":2054,"EventData":"text"}"#,
        r#"{"EventTypeId":2054,"EventData":[1]}"#,
        r#"{"EventTypeId":2054,"EventData":{"Amount":{"Value":1}}}"#,
    ] {
        let hint = read(body);
        assert_eq!((hint.event, hint.transaction, hint.amount), (HintedEvent::Other, None, None), "{body}");
    }
}

#[test]
fn what_is_no_event_of_vivas_is_refused_without_quoting_it() {
    let secret = "hunter2-do-not-log";
    let with = |data: &str| event(1796, data);
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[1796]".to_owned(),
        format!("<html>{secret}</html>"),
        format!(r#"{{"EventData":{{"Email":"{secret}"}}}}"#),
        r#"{"EventTypeId":"1796","EventData":{"TransactionId":"a-1"}}"#.to_owned(),
        r#"{"EventTypeId":1796.5}"#.to_owned(),
        r#"{"EventTypeId":-1}"#.to_owned(),
        r#"{"EventTypeId":99999999999}"#.to_owned(),
        r#"{"EventTypeId":1796}"#.to_owned(),
        PAID.replace('}', ""),
        with(&format!(r#""{secret}""#)),
        with("[]"),
        with("{}"),
        with(&format!(r#"{{"TransactionId":"{secret} and more"}}"#)),
        with(r#"{"TransactionId":""}"#),
        with(r#"{"TransactionId":{}}"#),
        with(r#"{"TransactionId":17}"#),
        with(r#"{"TransactionId":"a-1","OrderCode":[1]}"#),
        with(r#"{"TransactionId":"a-1","OrderCode":1.5}"#),
        with(r#"{"TransactionId":"a-1","OrderCode":-1}"#),
        with(r#"{"TransactionId":"a-1","OrderCode":2.593699567872608e15}"#),
        with(r#"{"TransactionId":"a-1","Amount":1e2}"#),
        with(r#"{"TransactionId":"a-1","Amount":"--1"}"#),
        with(r#"{"TransactionId":"a-1","Amount":"1,20"}"#),
        with(&format!(r#"{{"TransactionId":"a-1","Amount":"{secret}"}}"#)),
        event(4865, r#"{"TransactionId":"a-1"}"#),
        event(4865, r#"{"OrderCode":0}"#),
        event(1798, r#"{"OrderCode":1}"#),
    ];
    for body in bodies {
        let unreadable = parse(body.as_bytes()).err().unwrap_or_else(|| panic!("was read: {body}"));
        assert!(!unreadable.to_string().contains(secret), "{unreadable}");
    }
}

proptest! {
    #[test]
    fn every_digit_of_code_and_amount_survives(
        code in 1_u64..,
        whole in "0|[1-9][0-9]{0,11}",
        fraction in "(\\.[0-9]{1,4})?",
        sign in "-?",
        quoted in any::<bool>(),
    ) {
        let quote = if quoted { "\"" } else { "" };
        let amount = format!("{whole}{fraction}");
        let data = format!(
            r#"{{"TransactionId":"a-1","OrderCode":{quote}{code}{quote},"Amount":{quote}{sign}{amount}{quote}}}"#
        );
        let hint = read(&event(1796, &data));
        prop_assert_eq!(hint.checkout_code, Some(CheckoutCode(code)));
        prop_assert_eq!(hint.amount, Some(amount));
    }

    #[test]
    fn no_bytes_make_it_panic(noise in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>()) {
        let mut body = PAID.as_bytes().to_vec();
        let at = at.index(body.len());
        let end = (at + noise.len()).min(body.len());
        body.splice(at..end, noise.iter().copied());
        for bytes in [noise.as_slice(), body.as_slice()] {
            if let Ok(hint) = parse(bytes) {
                prop_assert_eq!(hint.provider.as_str(), "viva");
            }
        }
    }
}
