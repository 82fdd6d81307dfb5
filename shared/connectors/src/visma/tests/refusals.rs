//! What follows from an answer that is not the document.

use bokbro_app::error::Error;
use bokbro_app::ports::SendError;
use bokbro_domain::effect::Receipt;
use bokbro_domain::posting::{Posting, PostingProfile};

use super::office::*;
use super::{Reply, json};

const ANSWER: &str = r#"{"Id":"i","InvoiceNumber":31,"TotalAmountInvoiceCurrency":747,"TotalVatAmountInvoiceCurrency":149.40000000000001,
    "TotalRoundings":-0,"RemainingAmountInvoiceCurrency":747,"Rows":null}"#;
const TERMS: &str = r#"{"Id":"t-30","NumberOfDays":30,"AvailableForSales":true}"#;
const CASH: &str = r#"{"Id":"t-0","NumberOfDays":0,"AvailableForSales":true}"#;
const PREPAID: &str = r#"{"Id":"t-no","NumberOfDays":0,"AvailableForSales":false}"#;

/// Sends a step's request after the steps before it; gives the body that was sent last too.
async fn send(step: &str, replies: Vec<Reply>) -> (Result<Receipt, SendError>, String) {
    let office = office(replies);
    let effector = office.effector(posting());
    let mut ledger = done(effector.as_ref(), &steps_before(step, true));
    let intent = intent(effector.as_ref(), step, &ledger);
    ledger.mark_sent(&intent, "2026-11-20T12:00:00Z".parse().unwrap());
    let result = effector.send(&intent, &ledger).await;
    assert_eq!(office.script.left(), 0, "every reply is asked for");
    (
        result,
        office
            .script
            .sent()
            .into_iter()
            .map(|sent| sent.body)
            .find(|body| !body.is_empty())
            .unwrap_or_default(),
    )
}

/// The outcome in a word, with the code of its error or reason.
fn word(result: Result<Receipt, SendError>) -> String {
    match result {
        Ok(receipt) => format!("done {}", receipt.external_id),
        Err(SendError::NotDone(error)) => format!("not done: {}", error.code()),
        Err(SendError::Unknown(error)) => format!("unknown: {}", error.code()),
        Err(SendError::Rejected(reason)) => format!("rejected: {}", reason.code),
    }
}

#[tokio::test]
async fn answers_to_a_conversion_are_sorted() {
    let html = "<html><body>Service Unavailable</body></html>";
    let denied = || refused(401, 4005);
    let camel = r#"{"id":"i","invoiceNumber":31,"totalAmountInvoiceCurrency":747,"totalVatAmountInvoiceCurrency":149.4}"#;
    let cases: Vec<(Vec<Reply>, &str)> = vec![
        (vec![json(201, ANSWER)], "done 31"),
        (vec![json(201, camel)], "done 31"),
        (vec![refused(400, 2000)], "rejected: visma_2000"),
        (vec![refused(400, 3001)], "rejected: financial_year_missing"),
        (vec![refused(400, 4002)], "rejected: visma_4002"),
        (vec![refused(403, 4002)], "not done: needs_consent"),
        (vec![refused(403, 4003)], "not done: needs_consent"),
        (vec![refused(403, 4004)], "not done: needs_consent"),
        (vec![refused(400, 4005)], "not done: needs_consent"),
        (vec![refused(403, 4006)], "not done: needs_consent"),
        (vec![refused(403, 4007)], "not done: needs_consent"),
        (vec![refused(403, 4009)], "not done: needs_consent"),
        (vec![refused(403, 4011)], "not done: needs_consent"),
        (vec![refused(403, 4034)], "not done: needs_consent"),
        (vec![refused(400, 4013)], "rejected: visma_4013"),
        (vec![refused(400, 4026)], "rejected: period_locked"),
        (vec![refused(400, 4038)], "rejected: period_locked"),
        (vec![refused(400, 5005)], "rejected: visma_5005"),
        (vec![refused(400, 5000)], "unknown: outcome_unknown"),
        (vec![refused(400, 5002)], "unknown: outcome_unknown"),
        (vec![json(400, html)], "rejected: visma_http_400"),
        (vec![json(403, html)], "rejected: visma_http_403"),
        (vec![denied(), denied()], "not done: provider_unavailable"),
        (vec![denied(), json(201, ANSWER)], "done 31"),
        (vec![refused(429, 4010)], "not done: provider_unavailable"),
        (vec![Reply::NotSent], "not done: provider_unavailable"),
        (vec![Reply::MaybeSent], "unknown: outcome_unknown"),
        (vec![json(408, "")], "unknown: outcome_unknown"),
        (vec![refused(409, 4000)], "unknown: outcome_unknown"),
        (vec![refused(500, 5000)], "unknown: outcome_unknown"),
        (vec![json(201, "")], "unknown: outcome_unknown"),
        (vec![json(201, r#"{"InvoiceNumber":31,"TotalAm"#)], "unknown: outcome_unknown"),
        (vec![json(201, r#"{"InvoiceNumber":31}"#)], "unknown: outcome_unknown"),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        assert_eq!(word(send("invoice", replies).await.0), expected, "case {index}");
    }
}

#[tokio::test]
async fn a_draft_that_is_gone_is_never_taken_for_a_refusal() {
    let found = format!(
        r#"{{"Id":"i","InvoiceNumber":31,"OurReference":"{REFERENCE}","TotalAmountInvoiceCurrency":747,"TotalVatAmountInvoiceCurrency":149.4}}"#
    );
    let gone = || refused(404, 3000);
    let replies = vec![gone(), list(&[&found])];
    assert_eq!(word(send("invoice", replies).await.0), "done 31");
    let replies = vec![gone(), list(&[]), gone()];
    assert_eq!(word(send("invoice", replies).await.0), "unknown: not_yet");
}

#[tokio::test]
async fn ids_are_looked_up_when_they_are_needed() {
    let made = format!(r#"{{"Id":"c","CustomerNumber":"{OWN_NUMBER}","IsPrivatePerson":true}}"#);
    let (result, body) = send("customer", vec![list(&[TERMS, PREPAID, CASH]), json(201, &made)]).await;
    assert_eq!(word(result), format!("done {OWN_NUMBER}"));
    assert!(body.contains(r#""TermsOfPaymentId":"t-0""#), "{body}");
    let coding = |id: &str, more: &str| {
        format!(
            r#"{{"Id":"{id}","IsActive":true,"VatRatePercent":0.25,"DomesticSalesSubjectToVatAccountNumber":3001{more}}}"#
        )
    };
    let other = coding("a", "").replace("3001", "3041");
    let codings = [other, coding("c", ""), coding("b", "")];
    let codings: Vec<&str> = codings.iter().map(String::as_str).collect();
    let units = [r#"{"Id":"tim","Code":"tim"}"#, r#"{"Id":"st","Code":"ST"}"#];
    let article = r#"{"Id":"x","Number":"BB-25-3001","IsActive":true}"#;
    let replies = vec![list(&codings), list(&units), json(201, article)];
    let (result, body) = send("article_25", replies).await;
    assert_eq!(word(result), "done BB-25-3001");
    assert!(body.contains(r#""CodingId":"b""#) && body.contains(r#""UnitId":"st""#), "{body}");
    assert_eq!(word(send("article_25", vec![list(&[])]).await.0), "not done: visma_register_incomplete");
    let down = vec![Reply::NotSent, Reply::NotSent, Reply::NotSent];
    assert_eq!(word(send("customer", down).await.0), "not done: provider_unavailable");
}

/// Terms that may be paid as the invoice is made are the customer's only when there are no others, and a cash invoice's
/// only choice: by card before in cash.
#[tokio::test]
async fn cash_invoices_are_on_terms_of_their_own() {
    let terms = |id: &str, days: u32, kind: u32| {
        format!(
            r#"{{"Id":"{id}","NumberOfDays":{days},"TermsOfPaymentTypeId":{kind},"AvailableForSales":true}}"#
        )
    };
    let (days, till, card) = (terms("t-30", 30, 0), terms("t-cash", 0, 2), terms("t-card", 0, 3));
    let made = format!(r#"{{"Id":"{CUSTOMER}","CustomerNumber":"{OWN_NUMBER}"}}"#);
    let (_, body) = send("customer", vec![list(&[&till, &card, &days]), json(201, &made)]).await;
    assert!(body.contains(r#""TermsOfPaymentId":"t-30""#), "{body}");

    let draft = async |all: &[&str]| {
        let office = office([list(all), json(201, "{}")]);
        let posting = Posting { profile: PostingProfile::CashInvoice, ..posting() };
        let effector = office.effector(posting);
        let ledger = done(effector.as_ref(), &steps_before("draft", true));
        let sent = effector.send(&intent(effector.as_ref(), "draft", &ledger), &ledger).await;
        (sent, office.script.sent())
    };
    for (all, chosen) in [(&[&*till, &card, &days][..], "t-card"), (&[&*days, &till], "t-cash")] {
        let (_, sent) = draft(all).await;
        let wanted = format!(r#""TermsOfPaymentId":"{chosen}""#);
        assert!(sent[1].body.contains(&wanted), "{}", sent[1].body);
    }
    let (refused, sent) = draft(&[&days]).await;
    let Err(SendError::NotDone(Error::Parked(reason))) = refused else { panic!("a draft was made") };
    assert_eq!((reason.code.as_str(), sent.len()), ("visma_without_cash_terms", 1));
}

#[tokio::test]
async fn a_number_that_is_taken_is_looked_up() {
    let own =
        format!(r#"{{"Id":"c","CustomerNumber":"{OWN_NUMBER}","IsPrivatePerson":true,"IsActive":true}}"#);
    let taken = || vec![list(&[CASH]), refused(400, 4000), list(&[])];
    let replies = [taken(), vec![list(&[&own])]].concat();
    assert_eq!(word(send("customer", replies).await.0), format!("done {OWN_NUMBER}"));
    // The number cannot be searched for: all customers are read.
    let replies = [taken(), vec![refused(400, 6000), list(&[&own])]].concat();
    assert_eq!(word(send("customer", replies).await.0), format!("done {OWN_NUMBER}"));
    let inactive = own.replace(r#""IsActive":true"#, r#""IsActive":false"#);
    let replies = [taken(), vec![list(&[&inactive])]].concat();
    assert_eq!(word(send("customer", replies).await.0), "rejected: visma_4000");
}

#[tokio::test]
async fn an_invoice_that_is_paid_meanwhile_counts_as_paid() {
    let paid =
        ANSWER.replace(r#""RemainingAmountInvoiceCurrency":747"#, r#""RemainingAmountInvoiceCurrency":0"#);
    let result = send("payment", vec![refused(400, 4002), json(200, &paid)]).await.0;
    assert_eq!(word(result), format!("done {REFERENCE}"));
    let result = send("payment", vec![refused(400, 4023), json(200, ANSWER)]).await.0;
    assert_eq!(word(result), "rejected: visma_4023");
    let echo = r#"{"PaymentAmount":747.0,"BankTransactionId":"b"}"#;
    assert_eq!(word(send("payment", vec![json(201, echo)]).await.0), format!("done {REFERENCE}"));
}

#[tokio::test]
async fn a_limit_is_handed_on_and_nothing_is_quoted() {
    let result = send("invoice", vec![Reply::RetryAfter(429, "17".to_owned())]).await.0;
    let Err(SendError::NotDone(Error::Unavailable { after, .. })) = result else {
        panic!("{}", word(result))
    };
    assert_eq!(after.unwrap().as_secs(), 17);
    let in_words =
        |text: &str| json(429, &format!(r#"{{"ErrorCode":4010,"DeveloperErrorMessage":"{text}"}}"#));
    let quota = "API calls quota exceeded! maximum admitted 600 per Minute. Try again in 55 seconds.";
    for (text, told) in [
        (quota, Some(55)),
        ("Try again in 1 second", Some(1)),
        ("Try again in a few seconds.", None),
        ("seconds", None),
    ] {
        let result = send("invoice", vec![in_words(text)]).await.0;
        let Err(SendError::NotDone(Error::Unavailable { after, .. })) = result else {
            panic!("{text}: {}", word(result))
        };
        assert_eq!(after.map(|after| after.as_secs()), told, "{text}");
    }
    let Err(SendError::Rejected(reason)) = send("invoice", vec![refused(400, 2000)]).await.0 else {
        panic!("not rejected");
    };
    assert!(reason.message.contains("2000") && !reason.message.contains("Värde"), "{}", reason.message);
}
