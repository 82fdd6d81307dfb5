//! The documents that orders become.

use bokbro_domain::effect::{Ledger, StepName};
use bokbro_domain::posting::{Posting, PostingProfile};

use super::office::*;

/// Compares what a step would send with a document in `fixtures`.
fn check(posting: Posting, private: bool, step: &str, expected: &str) {
    let office = office([]);
    let effector = office.effector(posting);
    let ledger = done(effector.as_ref(), &steps_before(step, private));
    let sent: serde_json::Value =
        serde_json::from_str(&intent(effector.as_ref(), step, &ledger).request).unwrap();
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(sent, expected, "{step} sends {}", serde_json::to_string_pretty(&sent).unwrap());
}

#[test]
fn documents_are_as_written_down() {
    check(posting(), true, "customer", include_str!("../fixtures/customer.private.json"));
    check(company(), false, "customer", include_str!("../fixtures/customer.company.json"));
    check(posting(), true, "article_25", include_str!("../fixtures/article.json"));
    check(posting(), true, "draft", include_str!("../fixtures/draft.private.json"));
    check(company(), false, "draft", include_str!("../fixtures/draft.company.json"));
    check(posting(), true, "invoice", include_str!("../fixtures/convert.json"));
    check(posting(), true, "payment", include_str!("../fixtures/payment.json"));
}

#[test]
fn the_same_posting_gives_the_same_bytes_with_every_digit() {
    let office = office([]);
    let effector = office.effector(company());
    let ledger = done(effector.as_ref(), &steps_before("draft", true));
    let first = intent(effector.as_ref(), "draft", &ledger);
    assert_eq!(first, intent(office.effector(company()).as_ref(), "draft", &ledger));
    for lexeme in [r#""UnitPrice":10.01,"#, r#""Quantity":1.5,"#, r#""UnitPrice":10.5,"Quantity":-1,"#] {
        assert!(first.request.contains(lexeme), "{lexeme} in {}", first.request);
    }
}

#[test]
fn steps_follow_the_rates() {
    let names = |posting: Posting| {
        office([]).effector(posting).steps().into_iter().map(|step| step.0).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(posting()), "customer article_25 draft price_draft invoice payment");
    assert_eq!(names(company()), "customer article_12 article_6 article_0 draft price_draft invoice payment");
    let mut odd = posting();
    odd.rows[1].unit_price = kr("48.42");
    assert_eq!(names(odd), "customer article_25 article_round_off draft price_draft invoice payment");
}

#[test]
fn a_draft_is_priced_anew_only_when_it_shows_prices_the_other_way() {
    let office = office([]);
    let effector = office.effector(posting());
    for (private, shown, expected) in
        [(true, "true", false), (true, "false", true), (false, "false", false), (false, "true", true)]
    {
        let mut steps = steps_before("invoice", private);
        steps.last_mut().unwrap().1.facts.insert("includes_vat".to_owned(), shown.to_owned());
        let ledger = done(effector.as_ref(), &steps);
        let intent = effector.intent(&StepName::from("price_draft"), &ledger).unwrap();
        assert_eq!(intent.is_some(), expected, "{private} {shown}");
        if let Some(intent) = intent {
            assert!(intent.request.starts_with(r#"{"method":"PUT","path":"/v2/customerinvoicedrafts/"#));
        }
    }
}

#[test]
fn a_document_that_differs_is_neither_booked_nor_paid() {
    let office = office([]);
    let effector = office.effector(posting());
    for (fact, value) in [("total", "748.00"), ("vat", "149.39"), ("round_off", "1.00")] {
        for step in ["invoice", "payment"] {
            let mut steps = steps_before(step, true);
            let ledger = {
                steps.last_mut().unwrap().1.facts.insert(fact.to_owned(), value.to_owned());
                done(effector.as_ref(), &steps)
            };
            let error = effector.intent(&StepName::from(step), &ledger).unwrap_err();
            assert_eq!(error.code(), "totals_differ", "{step}: {error}");
        }
    }
}

#[test]
fn payments_are_whole_or_rounded_or_none() {
    let code = |posting: Posting| {
        let office = office([]);
        let effector = office.effector(posting);
        let ledger = done(effector.as_ref(), &steps_before("payment", true));
        match effector.intent(&StepName::from("payment"), &ledger) {
            Ok(intent) => {
                intent.map(|intent| intent.request.split("PaymentType\":").nth(1).unwrap()[..1].to_owned())
            }
            Err(error) => Some(error.code().to_owned()),
        }
    };
    let paying = |amount: &str| {
        let mut posting = posting();
        posting.payment.amount = kr(amount);
        posting
    };
    assert_eq!(code(posting()).as_deref(), Some("2"));
    assert_eq!(code(paying("747.99")).as_deref(), Some("3"));
    assert_eq!(code(paying("746.00")).as_deref(), Some("payment_differs"));
    let mut nowhere = posting();
    nowhere.payment.mode = None;
    assert_eq!(code(nowhere).as_deref(), Some("account_missing"));
}

#[test]
fn what_cannot_be_booked_is_parked_before_the_first_call() {
    let code = |posting: Posting| {
        let error = office([]).effector(posting).intent(&StepName::from("customer"), &Ledger::default());
        error.unwrap_err().code().to_owned()
    };
    assert_eq!(
        code(Posting { profile: PostingProfile::OrderAndInvoice, ..posting() }),
        "visma_without_orders"
    );
}
