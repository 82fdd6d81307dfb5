//! What facts add up to, as tables and properties.

use proptest::prelude::*;

use super::*;
use crate::testing::{at, kr, line, order};
use crate::vat::VatRate;

fn fact(id: &str, kind: FactKind, status: FactStatus, amount: &str) -> PaymentFact {
    PaymentFact {
        transaction: TransactionId::parse(id).unwrap(),
        parent: None,
        kind,
        status,
        method: PaymentMethod::default(),
        amount: kr(amount),
        checkout_code: None,
        merchant_text: None,
        made_at: at("2026-11-20T11:00:00Z"),
    }
}

fn charge(amount: &str) -> PaymentFact {
    fact("a", FactKind::Charge, FactStatus::Captured, amount)
}

fn reversal(id: &str, amount: &str) -> PaymentFact {
    fact(id, FactKind::Reversal, FactStatus::Captured, amount)
}

fn of_747() -> Order {
    order(vec![line("2", "349.00", VatRate::Standard), line("1", "49.00", VatRate::Standard)])
}

#[test]
fn facts_decide_the_state() {
    let failed = fact("f", FactKind::Charge, FactStatus::Failed, "747.00");
    let pending = fact("p", FactKind::Charge, FactStatus::Pending, "747.00");
    let voided = fact("a", FactKind::Charge, FactStatus::Voided, "747.00");
    let named = PaymentFact { parent: Some(TransactionId::parse("a").unwrap()), ..reversal("b", "747.00") };
    let cases: Vec<(&str, Vec<PaymentFact>, Result<OrderState, &str>)> = vec![
        ("nothing", vec![], Ok(OrderState::Pending)),
        ("failed is not final", vec![failed.clone()], Ok(OrderState::Pending)),
        ("failed, then paid", vec![failed, charge("747.00")], Ok(OrderState::Paid)),
        ("not settled", vec![pending], Ok(OrderState::Pending)),
        ("paid", vec![charge("747.00")], Ok(OrderState::Paid)),
        (
            "some given back",
            vec![charge("747.00"), reversal("b", "100.00")],
            Ok(OrderState::PartiallyRefunded),
        ),
        ("all given back", vec![charge("747.00"), reversal("b", "747.00")], Ok(OrderState::Refunded)),
        (
            "given back in parts",
            vec![charge("747.00"), reversal("b", "700.00"), reversal("c", "47.00")],
            Ok(OrderState::Refunded),
        ),
        ("void without a reversal of its own", vec![voided.clone()], Ok(OrderState::Refunded)),
        ("void with its reversal", vec![voided, named], Ok(OrderState::Refunded)),
        ("an öre short", vec![charge("746.99")], Err("amount_differs")),
        ("an öre over", vec![charge("747.01")], Err("amount_differs")),
        ("reversal alone", vec![reversal("b", "10.00")], Err("amount_differs")),
        ("more back than taken", vec![charge("747.00"), reversal("b", "747.01")], Err("reversed_too_much")),
    ];
    for (name, facts, expected) in cases {
        let got = assess(&of_747(), &facts).map(|a| a.state).map_err(|m| m.code());
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn another_currency_is_never_added_up() {
    let euro =
        PaymentFact { amount: Money::new(74_700, Currency::parse("EUR").unwrap()), ..charge("747.00") };
    assert_eq!(assess(&of_747(), &[euro]).unwrap_err().code(), "currency_differs");
}

#[test]
fn a_cancelled_order_that_is_paid_is_a_mismatch() {
    let mut cancelled = of_747();
    cancelled.state = OrderState::Cancelled;
    assert_eq!(assess(&cancelled, &[]).unwrap().state, OrderState::Cancelled);
    assert_eq!(assess(&cancelled, &[charge("747.00")]).unwrap_err().code(), "paid_after_cancel");
}

#[test]
fn the_first_capture_dates_the_payment_and_says_how_it_was_paid() {
    let method = |name: &str| PaymentMethod::parse(name).unwrap();
    let late = PaymentFact {
        made_at: at("2026-11-21T11:00:00Z"),
        method: method("card"),
        ..fact("z", FactKind::Charge, FactStatus::Failed, "747.00")
    };
    let swish = PaymentFact { method: method("swish"), ..charge("747.00") };
    let totals = assess(&of_747(), &[late, swish]).unwrap().totals;
    assert_eq!(totals.method, Some(method("swish")));
    assert_eq!(totals.paid_at, Some(at("2026-11-20T11:00:00Z")));
    assert_eq!(totals.transactions, [TransactionId::parse("a").unwrap()]);
}

#[test]
fn order_numbers_are_found_in_the_merchants_text() {
    let cases: [(&str, &[&str]); 6] = [
        ("1042", &["1042"]),
        (" #1042 ", &["#1042", "1042"]),
        ("Order 1042", &["Order 1042", "1042"]),
        ("Order #1042", &["Order #1042", "1042"]),
        ("#", &["#"]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        let found: Vec<String> = order_numbers_in(text).into_iter().map(String::from).collect();
        assert_eq!(found, expected, "{text}");
    }
}

fn any_fact() -> impl Strategy<Value = PaymentFact> {
    let kinds = prop_oneof![Just(FactKind::Charge), Just(FactKind::Reversal)];
    let statuses = prop_oneof![
        Just(FactStatus::Captured),
        Just(FactStatus::Pending),
        Just(FactStatus::Failed),
        Just(FactStatus::Voided)
    ];
    (0u8..20, kinds, statuses, prop_oneof![Just(74_700i64), 0i64..80_000], 0i64..5).prop_map(
        |(id, kind, status, minor, minute)| PaymentFact {
            transaction: TransactionId::parse(&format!("t{id}")).unwrap(),
            parent: None,
            kind,
            status,
            method: PaymentMethod::default(),
            amount: Money::new(minor, Currency::SEK),
            checkout_code: None,
            merchant_text: None,
            made_at: at("2026-11-20T11:00:00Z") + jiff::SignedDuration::from_mins(minute),
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_facts_changes_nothing(facts in prop::collection::vec(any_fact(), 0..6).prop_shuffle(), seed in 0usize..720) {
        let mut shuffled = facts.clone();
        let length = shuffled.len().max(1);
        shuffled.rotate_left(seed % length);
        shuffled.reverse();
        let (a, b) = (assess(&of_747(), &facts), assess(&of_747(), &shuffled));
        // Two facts of one id at one time may be listed either way; everything that decides must agree.
        prop_assert_eq!(a.as_ref().map(|x| (x.state, x.totals.captured, x.totals.reversed, x.totals.paid_at)).map_err(Mismatch::code),
                        b.as_ref().map(|x| (x.state, x.totals.captured, x.totals.reversed, x.totals.paid_at)).map_err(Mismatch::code));
    }

    #[test]
    fn paid_means_exactly_the_total(facts in prop::collection::vec(any_fact(), 0..6)) {
        if let Ok(assessment) = assess(&of_747(), &facts)
            && assessment.state.has_been_paid()
        {
            prop_assert_eq!(assessment.totals.captured, kr("747.00"));
        }
    }
}
