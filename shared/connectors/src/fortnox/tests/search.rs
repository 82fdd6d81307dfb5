//! How documents are found again, and that nothing but the exact match is found.

use bokbro_app::ports::Found;
use bokbro_domain::effect::Ledger;
use bokbro_domain::order::CustomerKind;
use bokbro_domain::posting::Posting;

use super::*;

/// Looks a step's document up and says what was found and which calls it took.
async fn look_up(
    posting: Posting,
    steps: &[(&str, Receipt)],
    step: &str,
    replies: Vec<Reply>,
) -> (Option<Receipt>, Vec<String>) {
    let bench = bench(replies);
    let effector = bench.effector(posting);
    let ledger = if steps.is_empty() { Ledger::default() } else { done(effector.as_ref(), steps) };
    let intent = intent(effector.as_ref(), step, &ledger);
    let found = effector.look_up(&intent, &ledger).await.unwrap();
    assert_eq!(bench.script.left(), 0, "every reply is asked for");
    let found = match found {
        Found::Yes(receipt) => Some(receipt),
        Found::No => None,
    };
    (found, bench.script.lines())
}

async fn customer_number(posting: Posting, replies: Vec<Reply>) -> (Option<String>, usize) {
    let (found, calls) = look_up(posting, &[], "customer", replies).await;
    (found.map(|receipt| receipt.external_id), calls.len())
}

fn customers(items: &[&str]) -> Reply {
    list("Customers", items)
}

fn steps() -> [(&'static str, Receipt); 2] {
    [("customer", receipt(OWN_NUMBER, &[])), ("invoice", invoice("747.00", "149.40", "0.00"))]
}

#[tokio::test]
async fn a_customer_that_bokbro_made_costs_one_call() {
    let body =
        format!(r#"{{"Customer":{{"CustomerNumber":"{OWN_NUMBER}","Active":true,"Email":"x@y.se"}}}}"#);
    let (found, calls) = look_up(posting(), &[], "customer", vec![json(200, &body)]).await;
    assert_eq!(found.unwrap().external_id, OWN_NUMBER);
    assert_eq!(calls, [format!("GET /3/customers/{OWN_NUMBER}")]);
}

#[tokio::test]
async fn a_private_customer_is_found_by_exact_address_in_two_calls() {
    let items = [
        r#"{"CustomerNumber":"7","Email":"xasa@example.se","OrganisationNumber":""}"#,
        r#"{"CustomerNumber":"12","Email":"ASA@example.se ","OrganisationNumber":""}"#,
        r#"{"CustomerNumber":"9","Email":"asa@example.se","OrganisationNumber":"800101-1234"}"#,
        r#"{"CustomerNumber":"3","Email":"asa@example.se","OrganisationNumber":"556677-8899"}"#,
    ];
    let (found, calls) =
        look_up(posting(), &[], "customer", vec![not_found(2_000_433), customers(&items)]).await;
    // Number 3 is a company, and the buyer a person.
    assert_eq!(found.unwrap().external_id, "9");
    assert_eq!(calls[1], "GET /3/customers?limit=500&email=asa@example.se&filter=active&page=1");
}

#[tokio::test]
async fn nobody_alike_means_that_there_is_no_customer() {
    let replies = vec![not_found(2_000_433), customers(&[])];
    assert_eq!(customer_number(posting(), replies).await, (None, 2));
}

#[tokio::test]
async fn a_company_is_found_by_its_number_however_it_was_typed() {
    let mut posting = posting();
    posting.customer.kind = CustomerKind::Company;
    posting.keys.organisation_number = Some("5566778899".to_owned());
    let items = [
        r#"{"CustomerNumber":"2","OrganisationNumber":"556677-8898"}"#,
        r#"{"CustomerNumber":"10","OrganisationNumber":"5566778899"}"#,
        r#"{"CustomerNumber":"4","OrganisationNumber":"16556677-8899"}"#,
    ];
    let (found, calls) =
        look_up(posting.clone(), &[], "customer", vec![not_found(2_000_433), customers(&items)]).await;
    assert_eq!(found.unwrap().external_id, "4");
    assert!(calls[1].contains("organisationnumber=556677&"), "{calls:?}");

    // The same address with another number is another company; with none it is the buyer.
    let items = [
        r#"{"CustomerNumber":"5","Email":"asa@example.se","OrganisationNumber":"556000-0001"}"#,
        r#"{"CustomerNumber":"6","Email":"asa@example.se","OrganisationNumber":""}"#,
    ];
    let replies = vec![not_found(2_000_433), customers(&[]), customers(&items)];
    assert_eq!(customer_number(posting, replies).await, (Some("6".to_owned()), 3));
}

#[tokio::test]
async fn an_inactive_customer_counts_as_absent() {
    let own = format!(r#"{{"Customer":{{"CustomerNumber":"{OWN_NUMBER}","Active":false}}}}"#);
    let items = [r#"{"CustomerNumber":"8","Email":"asa@example.se","Active":"false"}"#];
    let replies = vec![json(200, &own), customers(&items)];
    assert_eq!(customer_number(posting(), replies).await, (None, 2));
}

#[tokio::test]
async fn a_search_whose_filter_is_refused_is_repeated_without_it() {
    let items = [r#"{"CustomerNumber":"8","Email":"asa@example.se"}"#];
    let replies = vec![not_found(2_000_433), refused(400, 2_000_588), customers(&items)];
    assert_eq!(customer_number(posting(), replies).await, (Some("8".to_owned()), 3));
}

#[tokio::test]
async fn an_invoice_is_found_by_its_reference_alone() {
    let ours = format!(r#""ExternalInvoiceReference1":"{REFERENCE}""#);
    let items = [
        format!(r#"{{"DocumentNumber":"9","ExternalInvoiceReference1":"{REFERENCE}2"}}"#),
        format!(r#"{{"DocumentNumber":"30",{ours},"Cancelled":true}}"#),
        format!(r#"{{"DocumentNumber":"101",{ours},"Cancelled":false}}"#),
        format!(r#"{{"DocumentNumber":"31",{ours},"Cancelled":"false"}}"#),
    ];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let document = json(200, include_str!("../fixtures/answer.invoice.json"));
    let (found, calls) =
        look_up(posting(), &steps()[..1], "invoice", vec![list("Invoices", &items), document]).await;
    let mut expected = invoice("747.00", "149.40", "0.00");
    expected.facts.insert("balance".to_owned(), "747.00".to_owned());
    expected.facts.insert("accounting_method".to_owned(), "ACCRUAL".to_owned());
    assert_eq!(found, Some(expected));
    assert_eq!(calls[1], "GET /3/invoices/31");
}

#[tokio::test]
async fn an_invoice_made_from_an_order_is_found_by_the_order() {
    let steps = [("customer", receipt(OWN_NUMBER, &[])), ("order", receipt("8", &[]))];
    for none in [r#""0""#, "0", "null", r#""""#] {
        let order = json(200, &format!(r#"{{"Order":{{"DocumentNumber":"8","InvoiceReference":{none}}}}}"#));
        assert_eq!(look_up(by_order(), &steps, "invoice", vec![order]).await.0, None, "{none}");
    }
    let order = json(200, r#"{"Order":{"DocumentNumber":"8","InvoiceReference":"31"}}"#);
    let document = json(200, include_str!("../fixtures/answer.invoice.json"));
    let (found, _) = look_up(by_order(), &steps, "invoice", vec![order, document]).await;
    assert_eq!(found.unwrap().external_id, "31");
}

#[tokio::test]
async fn an_order_is_found_by_its_reference_alone() {
    let items = [
        r#"{"DocumentNumber":"1","ExternalInvoiceReference1":""}"#.to_owned(),
        format!(r#"{{"DocumentNumber":"8","ExternalInvoiceReference1":"{REFERENCE}"}}"#),
    ];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let (found, _) = look_up(by_order(), &steps()[..1], "order", vec![list("Orders", &items)]).await;
    assert_eq!(found, Some(receipt("8", &[])));
}

#[tokio::test]
async fn a_payment_is_found_by_invoice_amount_and_day() {
    let item = |number: u8, invoice: &str, amount: &str, day: &str| {
        format!(
            r#"{{"Number":{number},"InvoiceNumber":{invoice},"Amount":{amount},"PaymentDate":"{day}","Booked":false}}"#
        )
    };
    let items = [
        item(1, "131", "747", "2026-11-20"),
        item(2, "31", "700", "2026-11-20"),
        item(3, "31", "747", "2026-11-21"),
        item(5, "31", "\"747.00\"", "2026-11-20"),
        item(4, "\"31\"", "747", "2026-11-20"),
    ];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let on = |account: &str| {
        let body = r#"{"InvoicePayment":{"Number":"4","Amount":747,"Booked":false,"ModeOfPaymentAccount":"#;
        json(200, &format!("{body}{account}}}}}"))
    };
    let ours = Some(receipt("4", &[("amount", "747.00"), ("booked", "false")]));
    for account in ["1580", "\"1580\"", "\"API_NORIGHT\""] {
        let replies = vec![list("InvoicePayments", &items), on(account)];
        let (found, calls) = look_up(posting(), &steps(), "payment", replies).await;
        assert_eq!(found, ours, "{account}");
        assert!(calls[1].ends_with("/3/invoicepayments/4"), "{calls:?}");
    }
    let (found, _) =
        look_up(posting(), &steps(), "payment", vec![list("InvoicePayments", &items[..1])]).await;
    assert_eq!(found, None);
    // On the bank's account instead of the payment provider's, of another amount, of another day: made by hand.
    for (items, account) in [(&items[4..], Some("1930")), (&items[1..2], None), (&items[2..3], None)] {
        let replies = [list("InvoicePayments", items)].into_iter().chain(account.map(on));
        let bench = bench(replies);
        let effector = bench.effector(posting());
        let ledger = done(effector.as_ref(), &steps());
        let asked = intent(effector.as_ref(), "payment", &ledger);
        let error = effector.look_up(&asked, &ledger).await.unwrap_err();
        assert_eq!(error.code(), "paid_by_hand", "{error}");
    }
}

#[tokio::test]
async fn booking_is_found_in_the_document() {
    let unbooked = include_str!("../fixtures/answer.invoice.json");
    let booked = unbooked.replace(r#""Booked": false"#, r#""Booked": true"#);
    let look = |body: String| look_up_owned("bookkeep_invoice", body);
    assert!(look(booked).await.is_some());
    assert!(look(unbooked.to_owned()).await.is_none());
}

async fn look_up_owned(step: &str, body: String) -> Option<Receipt> {
    look_up(posting(), &steps(), step, vec![json(200, &body)]).await.0
}

#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let page = |number: u8, item: &str| {
        json(
            200,
            &format!(
                r#"{{"MetaInformation":{{"@TotalPages":"2","@CurrentPage":{number}}},"Orders":[{item}]}}"#
            ),
        )
    };
    let ours = format!(r#"{{"DocumentNumber":"8","ExternalInvoiceReference1":"{REFERENCE}"}}"#);
    let (found, calls) =
        look_up(by_order(), &steps()[..1], "order", vec![page(1, "{}"), page(2, &ours)]).await;
    assert_eq!(found.unwrap().external_id, "8");
    assert!(calls[1].ends_with("&page=2"), "{calls:?}");
}
