//! How documents are found again, and that nothing but the exact match is found.

use bokbro_app::error::Error;
use bokbro_app::ports::Found;
use bokbro_domain::effect::{Ledger, StepName};
use bokbro_domain::posting::Posting;
use jiff::SignedDuration;

use super::office::*;
use super::{Reply, json};

/// Looks a step's document up and says what was found and which calls it took.
async fn look_up(
    posting: Posting,
    step: &str,
    replies: Vec<Reply>,
) -> (Result<Option<String>, String>, Vec<String>) {
    look_up_after(posting, step, replies, 0).await
}

/// The same some seconds after the step was sent.
async fn look_up_after(
    posting: Posting,
    step: &str,
    replies: Vec<Reply>,
    seconds: i64,
) -> (Result<Option<String>, String>, Vec<String>) {
    let office = office(replies);
    let effector = office.effector(posting);
    let mut ledger = done(effector.as_ref(), &steps_before(step, true));
    let intent = intent(effector.as_ref(), step, &ledger);
    let now: jiff::Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    ledger.mark_sent(&intent, now - SignedDuration::from_secs(seconds));
    let found = effector.look_up(&intent, &ledger).await;
    assert_eq!(office.script.left(), 0, "every reply is asked for");
    let found = match found {
        Ok(Found::Yes(receipt)) => Ok(Some(receipt.external_id)),
        Ok(Found::No) => Ok(None),
        Err(error) => Err(error.code().to_owned()),
    };
    (found, office.script.lines())
}

fn customer(number: &str, more: &str) -> String {
    format!(
        r#"{{"Id":"id-{number}","CustomerNumber":"{number}","IsActive":true,"IsPrivatePerson":true{more}}}"#
    )
}

#[tokio::test]
async fn a_private_customer_is_found_by_exact_address_in_one_call() {
    let same = r#","EmailAddress":"asa@example.se""#;
    let items = [
        customer("3", r#","EmailAddress":"xasa@example.se""#),
        customer(
            "5",
            &format!(r#"{same},"CorporateIdentityNumber":"556677-8899","IsPrivatePerson":false"#)
                .replace(r#","IsPrivatePerson":false"#, ""),
        )
        .replace(r#""IsPrivatePerson":true"#, r#""IsPrivatePerson":false"#),
        customer("6", same).replace(r#""IsActive":true"#, r#""IsActive":false"#),
        customer("8", &format!(r#"{same},"CurrencyCode":"EUR""#)),
        customer("12", same),
        customer("9", r#","EmailAddress":"ASA@example.se ","CurrencyCode":"SEK""#),
    ];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let (found, calls) = look_up(posting(), "customer", vec![list(&items)]).await;
    assert_eq!(found.unwrap().as_deref(), Some("9"));
    assert_eq!(calls, ["GET /v2/customers?$pagesize=1000&$filter=EmailAddress eq 'asa@example.se'&$page=1"]);
}

#[tokio::test]
async fn our_own_number_comes_first_among_equals_and_last_in_searches() {
    let same = r#","EmailAddress":"asa@example.se""#;
    let (ours, other) = (customer(OWN_NUMBER, same), customer("1", same));
    let (found, _) = look_up(posting(), "customer", vec![list(&[&other, &ours])]).await;
    assert_eq!(found.unwrap().as_deref(), Some(OWN_NUMBER));

    let moved = customer(OWN_NUMBER, r#","EmailAddress":"ny@example.se""#);
    let (found, calls) = look_up(posting(), "customer", vec![list(&[]), list(&[&moved])]).await;
    assert_eq!(found.unwrap().as_deref(), Some(OWN_NUMBER));
    assert!(calls[1].contains("$filter=CustomerNumber eq 'BB0123456789AB'"), "{calls:?}");
    let (found, _) = look_up(posting(), "customer", vec![list(&[]), refused(400, 6000)]).await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn a_company_is_found_by_its_number_however_it_is_typed() {
    for typed in ["556677-8899", "5566778899", "16556677-8899"] {
        let found = customer("4", &format!(r#","CorporateIdentityNumber":"{typed}""#));
        let other = customer("2", r#","CorporateIdentityNumber":"556677-0000""#);
        let (found, calls) = look_up(company(), "customer", vec![list(&[&other, &found])]).await;
        assert_eq!(found.unwrap().as_deref(), Some("4"), "{typed}");
        assert!(calls[0].contains("contains(CorporateIdentityNumber,'556677')"), "{calls:?}");
    }
}

#[tokio::test]
async fn an_article_is_found_by_its_number() {
    let article =
        |number: &str, active: bool| format!(r#"{{"Id":"a","Number":"{number}","IsActive":{active}}}"#);
    for (item, expected) in [
        (article("BB-25-3001", true), Some("BB-25-3001")),
        (article("BB-25-3001", false), None),
        (article("BB-25-30011", true), None),
    ] {
        let (found, calls) = look_up(posting(), "article_25", vec![list(&[&item])]).await;
        assert_eq!(found.unwrap().as_deref(), expected, "{item}");
        assert!(calls[0].ends_with("$filter=Number eq 'BB-25-3001'&$page=1"), "{calls:?}");
    }
}

const TOTALS: &str = r#""TotalAmount":747.0,"TotalVatAmount":149.4,"TotalRoundings":0,"IncludesVat":true,
    "TotalAmountInvoiceCurrency":747.00000000000001,"TotalVatAmountInvoiceCurrency":149.4"#;

fn draft(id: &str, text: &str) -> String {
    format!(r#"{{"Id":"{id}","Rows":[{{"Text":null}},{{"Text":"{text}"}}],{TOTALS}}}"#)
}

fn invoice(number: u32, reference: &str, more: &str) -> String {
    format!(
        r#"{{"Id":"{INVOICE}","InvoiceNumber":{number},"CreatedFromDraftId":"{DRAFT}","Rows":[{{"Text":"Order 1753-1001 ({reference})"}}],
            "RemainingAmountInvoiceCurrency":747,{TOTALS}{more}}}"#
    )
}

#[tokio::test]
async fn a_draft_is_found_by_its_marker_or_as_the_invoice_it_became() {
    let ours = draft(DRAFT, &format!("Order 1753-1001 ({REFERENCE})"));
    let longer = draft("other", &format!("Order 1753-1001 ({REFERENCE}2)"));
    let (found, calls) = look_up(posting(), "draft", vec![list(&[&longer, &ours])]).await;
    assert_eq!(found.unwrap().as_deref(), Some(DRAFT));
    assert_eq!(calls, ["GET /v2/customerinvoicedrafts?$pagesize=1000&$page=1"]);
    let replies = vec![list(&[&longer]), list(&[&invoice(31, REFERENCE, "")])];
    assert_eq!(look_up(posting(), "draft", replies).await.0.unwrap().as_deref(), Some(DRAFT));
    let replies = vec![list(&[]), list(&[&invoice(31, &format!("{REFERENCE}X"), "")])];
    assert_eq!(look_up(posting(), "draft", replies).await.0.unwrap(), None);
}

#[tokio::test]
async fn a_draft_that_is_there_has_not_been_converted() {
    let here = json(200, &draft(DRAFT, "x"));
    let (found, calls) = look_up(posting(), "invoice", vec![list(&[]), here]).await;
    assert_eq!(found.unwrap(), None);
    assert_eq!(calls[1], format!("GET /v2/customerinvoicedrafts/{DRAFT}"));
}

#[tokio::test]
async fn a_draft_that_is_gone_has_an_invoice_that_is_waited_for() {
    let credit = invoice(29, REFERENCE, r#","IsCreditInvoice":true"#);
    let items = [credit, invoice(33, REFERENCE, ""), invoice(31, REFERENCE, "")];
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let (found, calls) = look_up(posting(), "invoice", vec![list(&items)]).await;
    assert_eq!(found.unwrap().as_deref(), Some("31"));
    let filter = format!("$filter=Rows/any(c: contains(c/Text,'{REFERENCE}'))");
    assert!(calls[0].contains(&filter), "{calls:?}");
    for (status, seconds, code) in
        [(400, 0, "not_yet"), (404, 120, "not_yet"), (404, 121, "visma_draft_gone")]
    {
        let replies = vec![list(&[]), refused(status, 3000)];
        let (found, _) = look_up_after(posting(), "invoice", replies, seconds).await;
        assert_eq!(found.unwrap_err(), code, "{seconds}");
    }
}

#[tokio::test]
async fn what_remains_of_the_invoice_tells_whether_it_was_paid() {
    let remaining = |amount: &str, more: &str| {
        let shown = invoice(31, REFERENCE, more);
        json(
            200,
            &shown.replace(
                r#""RemainingAmountInvoiceCurrency":747"#,
                &format!(r#""RemainingAmountInvoiceCurrency":{amount}"#),
            ),
        )
    };
    let day = |date: &str| format!(r#","PaymentDate":"{date}""#);
    let cases: Vec<(Reply, Result<Option<String>, String>)> = vec![
        (remaining("747", ""), Ok(None)),
        (remaining("0", &day("2026-11-20T00:00:00")), Ok(Some(REFERENCE.to_owned()))),
        (remaining("0", ""), Ok(Some(REFERENCE.to_owned()))),
        (remaining("0.0", &day("2026-11-19T00:00:00")), Err("paid_by_hand".to_owned())),
        (remaining("47", &day("2026-11-20")), Err("paid_by_hand".to_owned())),
        (remaining("0", r#","CreditedBy":[{"CreditInvoiceId":"x"}]"#), Err("invoice_canceled".to_owned())),
        (remaining("null", ""), Err("invoice_unreadable".to_owned())),
        (refused(400, 3000), Err("invoice_canceled".to_owned())),
    ];
    for (index, (reply, expected)) in cases.into_iter().enumerate() {
        let (found, calls) = look_up(posting(), "payment", vec![reply]).await;
        assert_eq!(found, expected, "case {index}");
        assert_eq!(calls, [format!("GET /v2/customerinvoices/{INVOICE}")]);
    }
}

#[tokio::test]
async fn reads_that_tell_nothing_never_mean_absent() {
    let html = "<html>404 Not Found</html>";
    let cases: Vec<(Vec<Reply>, &str)> = vec![
        (vec![json(404, html)], "provider_unavailable"),
        (vec![json(200, "")], "provider_unavailable"),
        (vec![json(200, html)], "provider_unavailable"),
        (vec![json(200, r#"{"Meta":{}}"#)], "provider_unavailable"),
        (vec![refused(400, 5000)], "provider_unavailable"),
        (vec![refused(403, 4002)], "needs_consent"),
        (vec![refused(403, 4006)], "needs_consent"),
        (vec![refused(400, 6000)], "visma_6000"),
        (vec![json(503, html), json(503, html), json(503, html)], "provider_unavailable"),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        let office = office(replies);
        let effector = office.effector(posting());
        let ledger = Ledger::default();
        let intent = intent(effector.as_ref(), "customer", &ledger);
        let error: Error = effector.look_up(&intent, &ledger).await.err().unwrap();
        assert_eq!(error.code(), expected, "case {index}: {error}");
        assert!(!error.to_string().contains("Värde"), "{error}");
    }
    assert_eq!(StepName::from("customer").0, "customer");
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let page = |page: u32| {
        let item = customer(&page.to_string(), r#","EmailAddress":"x@example.se""#);
        json(200, &format!(r#"{{"Meta":{{"TotalNumberOfPages":2}},"Data":[{item}]}}"#))
    };
    let (found, calls) = look_up(posting(), "customer", vec![page(1), page(2), list(&[])]).await;
    assert_eq!((found.unwrap(), calls.len()), (None, 3));
    assert!(calls[1].ends_with("$page=2"), "{calls:?}");
}
