//! The documents that orders become.

use bokbro_app::error::Error;
use bokbro_domain::effect::{Ledger, StepName};
use bokbro_domain::order::{Address, CustomerKind, LineKind};
use bokbro_domain::posting::Posting;
use bokbro_domain::vat::VatRate;

use super::*;

/// Compares what a step would send with a document in `fixtures`.
fn check(posting: Posting, steps: &[(&str, Receipt)], step: &str, expected: &str) {
    let bench = bench([]);
    let effector = bench.effector(posting);
    let ledger = done(effector.as_ref(), steps);
    let intent = intent(effector.as_ref(), step, &ledger);
    let sent: serde_json::Value = serde_json::from_str(&intent.request).unwrap();
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(sent, expected, "{step} sends {}", serde_json::to_string_pretty(&sent).unwrap());
}

fn customer() -> (&'static str, Receipt) {
    ("customer", receipt(OWN_NUMBER, &[]))
}

/// A company with an apostrophe, a parcel for somebody else, all rates, a discount and broken quantities.
fn company() -> Posting {
    let mut posting = posting();
    posting.customer.kind = CustomerKind::Company;
    posting.customer.name = "O'Hara & Söner <AB>".to_owned();
    posting.customer.email = Some("o'hara@example.se".to_owned());
    posting.customer.phone = Some("+46 70-123 45 67".to_owned());
    posting.customer.organisation_number = Some("5566778899".to_owned());
    posting.customer.billing.address2 = Some("c/o \"Kontoret\"".to_owned());
    posting.customer.delivery = Some(Address { city: "Umeå".to_owned(), ..address("Lagret 🚚") });
    posting.keys.organisation_number = Some("5566778899".to_owned());
    let mut discount = row(LineKind::Discount, "1", "-10.50", VatRate::Zero, 3004);
    discount.text = "Rabatt…".to_owned();
    posting.rows = vec![
        row(LineKind::Goods, "1.5000", "10.01", VatRate::Reduced, 3002),
        row(LineKind::Goods, "3", "0.10", VatRate::Low, 3003),
        discount,
    ];
    posting
}

#[test]
fn documents_are_as_written_down() {
    check(posting(), &[], "customer", include_str!("../fixtures/customer.private.json"));
    check(company(), &[], "customer", include_str!("../fixtures/customer.company.json"));
    check(posting(), &[customer()], "invoice", include_str!("../fixtures/invoice.private.json"));
    check(company(), &[customer()], "invoice", include_str!("../fixtures/invoice.company.json"));
    check(by_order(), &[customer()], "order", include_str!("../fixtures/order.private.json"));
    let steps = [customer(), ("invoice", invoice("747.00", "149.40", "0.00"))];
    check(posting(), &steps, "payment", include_str!("../fixtures/payment.private.json"));
}

/// An order that is paid as its invoice is made, on the payment provider's account.
fn in_cash() -> Posting {
    let mut posting = Posting { profile: PostingProfile::CashInvoice, ..posting() };
    posting.payment.card_account = Some(posting.payment.account);
    posting
}

#[test]
fn a_cash_invoice_says_that_it_is_paid() {
    let bench = bench([]);
    let effector = bench.effector(in_cash());
    let ledger = done(effector.as_ref(), &[customer()]);
    let request = intent(effector.as_ref(), "invoice", &ledger).request;
    for said in [r#""InvoiceType":"CASHINVOICE""#, r#""PaymentWay":"CARD""#] {
        assert!(request.contains(said), "{said} in {request}");
    }
    // It is booked as it is made, whatever the accounting method.
    for cash_method in [false, true] {
        let bench = super::bench([]);
        let effector = bench.effector(Posting { cash_method, ..in_cash() });
        let steps = [customer(), ("invoice", invoice("747.00", "149.40", "0.00"))];
        let ledger = done(effector.as_ref(), &steps);
        let request = intent(effector.as_ref(), "bookkeep_invoice", &ledger).request;
        assert!(request.contains("/3/invoices/31/bookkeep"), "{request}");
    }
}

#[test]
fn a_cash_invoice_that_would_land_elsewhere_is_not_begun() {
    let first = |posting: Posting| {
        let bench = bench([]);
        bench.effector(posting).intent(&StepName::from("customer"), &Ledger::default())
    };
    for card_account in [None, Some(1930)] {
        let mut posting = in_cash();
        posting.payment.card_account = card_account;
        let error = first(posting).unwrap_err();
        assert_eq!(error.code(), "cash_account_differs");
        assert!(error.to_string().contains("CASHBYCARD to 1580"), "{error}");
    }
    let error = first(Posting { profile: PostingProfile::VoucherPerDay, ..posting() }).unwrap_err();
    assert_eq!(error.code(), "profile_not_supported");
}

/// There is no payment that could write a difference off.
#[test]
fn a_cash_invoice_on_another_sum_is_not_booked() {
    let bench = bench([]);
    let effector = bench.effector(in_cash());
    let mut rounded = invoice("747.00", "149.40", "0.00");
    rounded.facts.insert("total_to_pay".to_owned(), "746.60".to_owned());
    let ledger = done(effector.as_ref(), &[customer(), ("invoice", rounded)]);
    let error = effector.intent(&StepName::from("bookkeep_invoice"), &ledger).unwrap_err();
    assert_eq!(error.code(), "payment_differs");
}

#[test]
fn actions_have_no_body() {
    let steps = [customer(), ("invoice", invoice("747.00", "149.40", "0.00"))];
    check(posting(), &steps, "bookkeep_invoice", r#"{"method":"PUT","path":"/3/invoices/31/bookkeep"}"#);
    let steps = [customer(), ("order", receipt("8", &[]))];
    check(by_order(), &steps, "invoice", r#"{"method":"PUT","path":"/3/orders/8/createinvoice"}"#);
}

#[test]
fn an_invoice_of_another_day_gets_the_day_of_its_payment() {
    let mut tomorrow = invoice("747.00", "149.40", "0.00");
    tomorrow.facts.insert("invoice_date".to_owned(), "2026-11-21".to_owned());
    let steps = [customer(), ("order", receipt("8", &[])), ("invoice", tomorrow)];
    let expected = r#"{"method":"PUT","path":"/3/invoices/31","body":{"Invoice":{"InvoiceDate":"2026-11-20","DueDate":"2026-11-20"}}}"#;
    check(by_order(), &steps, "date_invoice", expected);
}

#[test]
fn the_same_posting_gives_the_same_bytes() {
    let bench = bench([]);
    let first = intent(bench.effector(company()).as_ref(), "customer", &Ledger::default());
    let second = intent(bench.effector(company()).as_ref(), "customer", &Ledger::default());
    assert_eq!(first, second);
    assert!(first.may_exist, "a customer may exist before the first order");
}

#[test]
fn amounts_keep_every_digit() {
    let bench = bench([]);
    let effector = bench.effector(company());
    let ledger = done(effector.as_ref(), &[customer()]);
    let request = intent(effector.as_ref(), "invoice", &ledger).request;
    for lexeme in
        [r#""Price":10.01,"#, r#""Price":0.1,"#, r#""Price":-10.5,"#, r#""DeliveredQuantity":"1.5""#]
    {
        assert!(request.contains(lexeme), "{lexeme} in {request}");
    }
}

#[test]
fn steps_follow_the_profile() {
    let names = |posting: Posting| {
        bench([]).effector(posting).steps().into_iter().map(|step| step.0).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(posting()), "customer invoice bookkeep_invoice payment bookkeep_payment");
    assert_eq!(
        names(by_order()),
        "customer order invoice date_invoice bookkeep_invoice payment bookkeep_payment"
    );
    assert_eq!(names(in_cash()), "customer invoice bookkeep_invoice");
}

#[test]
fn an_invoice_that_differs_is_neither_booked_nor_paid() {
    let bench = bench([]);
    let effector = bench.effector(posting());
    for invoice in [
        invoice("748.00", "149.40", "0.00"),
        invoice("747.00", "149.39", "0.00"),
        invoice("747.00", "149.40", "1.00"),
    ] {
        let ledger = done(effector.as_ref(), &[customer(), ("invoice", invoice)]);
        for step in ["bookkeep_invoice", "payment"] {
            let error = effector.intent(&StepName::from(step), &ledger).unwrap_err();
            assert_eq!(error.code(), "totals_differ", "{step}: {error}");
        }
    }
}

#[test]
fn rounding_to_whole_kronor_is_written_off() {
    let mut posting = posting();
    posting.gross = kr("746.60");
    posting.payment.amount = kr("746.60");
    let bench = bench([]);
    let effector = bench.effector(posting.clone());
    let ledger = done(effector.as_ref(), &[customer(), ("invoice", invoice("747.00", "149.40", "0.40"))]);
    let request = intent(effector.as_ref(), "payment", &ledger).request;
    assert!(request.contains(r#""WriteOffs":[{"Amount":0.4,"AccountNumber":3740}]"#), "{request}");

    posting.payment.round_off_account = None;
    let error = bench.effector(posting).intent(&StepName::from("payment"), &ledger).unwrap_err();
    assert_eq!(error.code(), "account_missing");
}

#[test]
fn a_payment_that_is_not_the_invoices_is_parked() {
    let mut posting = posting();
    posting.payment.amount = kr("700.00");
    let bench = bench([]);
    let effector = bench.effector(posting);
    let ledger = done(effector.as_ref(), &[customer(), ("invoice", invoice("747.00", "149.40", "0.00"))]);
    assert_eq!(effector.intent(&StepName::from("payment"), &ledger).unwrap_err().code(), "payment_differs");
}

#[test]
fn what_is_not_needed_is_left_out() {
    let bench = bench([]);
    let needed = |posting: Posting, steps: &[(&str, Receipt)], step: &str| {
        let effector = bench.effector(posting);
        let ledger = done(effector.as_ref(), steps);
        effector.intent(&StepName::from(step), &ledger).unwrap().is_some()
    };
    let with = |name: &str, value: &str| {
        let mut invoice = invoice("747.00", "149.40", "0.00");
        invoice.facts.insert(name.to_owned(), value.to_owned());
        ("invoice", invoice)
    };
    let cash = Posting { cash_method: true, ..posting() };
    assert!(!needed(cash, &[customer(), with("booked", "false")], "bookkeep_invoice"));
    assert!(!needed(posting(), &[customer(), with("accounting_method", "CASH")], "bookkeep_invoice"));
    assert!(!needed(posting(), &[customer(), with("booked", "true")], "bookkeep_invoice"));
    assert!(needed(posting(), &[customer(), with("accounting_method", "ACCRUAL")], "bookkeep_invoice"));

    let order = ("order", receipt("8", &[]));
    assert!(!needed(by_order(), &[customer(), order.clone(), with("booked", "false")], "date_invoice"));
    assert!(needed(by_order(), &[customer(), order, with("invoice_date", "2026-11-22")], "date_invoice"));

    let paid = |booked| ("payment", receipt("5", &[("booked", booked)]));
    assert!(needed(posting(), &[customer(), with("booked", "false"), paid("false")], "bookkeep_payment"));
    assert!(!needed(posting(), &[customer(), with("booked", "false"), paid("true")], "bookkeep_payment"));
}

#[test]
fn buyers_abroad_are_parked() {
    let mut billed = posting();
    billed.customer.billing.country = "NO".to_owned();
    let mut delivered = posting();
    delivered.customer.delivery = Some(Address { country: "FI".to_owned(), ..address("Aino") });
    for posting in [billed, delivered] {
        let bench = bench([]);
        let error = bench.effector(posting).intent(&StepName::from("customer"), &Ledger::default());
        assert!(matches!(error, Err(Error::Parked(reason)) if reason.code == "foreign_customer"));
    }
}

#[test]
fn a_long_text_is_cut_and_keeps_its_stock_keeping_unit() {
    let mut posting = posting();
    posting.rows[0].text = "å".repeat(300);
    let bench = bench([]);
    let effector = bench.effector(posting);
    let ledger = done(effector.as_ref(), &[customer()]);
    let request = intent(effector.as_ref(), "invoice", &ledger).request;
    let expected = format!(r#""Description":"{} (OIL-30)""#, "å".repeat(246));
    assert!(request.contains(&expected), "{request}");
}

#[test]
fn numbers_for_people_are_named() {
    let bench = bench([]);
    let effector = bench.effector(by_order());
    let named: Vec<_> = effector.steps().iter().filter_map(|step| effector.number_name(step)).collect();
    assert_eq!(named, ["customer_number", "order_number", "invoice_number", "payment_number"]);
}
