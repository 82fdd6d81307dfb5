//! What follows from an answer that is not the document.

use bokbro_app::error::Error;
use bokbro_app::ports::SendError;
use bokbro_domain::posting::Posting;

use super::*;

fn steps() -> [(&'static str, Receipt); 3] {
    [
        ("customer", receipt(OWN_NUMBER, &[])),
        ("invoice", invoice("747.00", "149.40", "0.00")),
        ("payment", receipt("5", &[("booked", "false")])),
    ]
}

/// Sends a step's request after the steps before it.
async fn send(
    posting: Posting,
    before: usize,
    step: &str,
    replies: Vec<Reply>,
) -> Result<Receipt, SendError> {
    let bench = bench(replies);
    let effector = bench.effector(posting);
    let ledger = done(effector.as_ref(), &steps()[..before]);
    let intent = intent(effector.as_ref(), step, &ledger);
    let result = effector.send(&intent, &ledger).await;
    assert_eq!(bench.script.left(), 0, "every reply is asked for");
    result
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
async fn answers_to_an_invoice_are_sorted() {
    let html = "<html><body>Service Unavailable</body></html>";
    let upper = r#"{"ErrorInformation":{"Error":1,"Message":"Fel.","Code":2001304}}"#;
    let as_text = r#"{"ErrorInformation":{"error":"1","message":"Fel.","code":"2001304"}}"#;
    let cases: Vec<(Vec<Reply>, &str)> = vec![
        (vec![json(201, include_str!("../fixtures/answer.invoice.json"))], "done 31"),
        (vec![refused(400, 2_001_304)], "rejected: fortnox_2001304"),
        (vec![json(400, upper)], "rejected: fortnox_2001304"),
        (vec![json(400, as_text)], "rejected: fortnox_2001304"),
        (vec![refused(400, 2_000_359)], "rejected: fortnox_2000359"),
        (vec![refused(400, 2_000_401)], "rejected: period_locked"),
        (vec![refused(400, 2_002_141)], "rejected: period_locked"),
        (vec![refused(404, 2_000_433)], "rejected: fortnox_2000433"),
        (vec![json(400, html)], "rejected: fortnox_http_400"),
        (vec![json(422, "")], "rejected: fortnox_http_422"),
        (vec![refused(400, 2_000_663)], "not done: needs_consent"),
        (vec![refused(400, 2_001_101)], "not done: needs_consent"),
        (vec![refused(403, 2_001_103)], "not done: needs_consent"),
        (vec![json(403, html)], "not done: needs_consent"),
        (
            vec![json(401, r#"{"message":"unauthorized"}"#), json(401, r#"{"message":"unauthorized"}"#)],
            "not done: provider_unavailable",
        ),
        (
            vec![
                json(401, r#"{"message":"unauthorized"}"#),
                json(201, include_str!("../fixtures/answer.invoice.json")),
            ],
            "done 31",
        ),
        (vec![json(429, html)], "not done: provider_unavailable"),
        (vec![Reply::NotSent], "not done: provider_unavailable"),
        (vec![Reply::MaybeSent], "unknown: outcome_unknown"),
        (vec![json(408, "")], "unknown: outcome_unknown"),
        (vec![json(409, "")], "unknown: outcome_unknown"),
        (vec![refused(500, 1_000_003)], "unknown: outcome_unknown"),
        (vec![json(502, html)], "unknown: outcome_unknown"),
        (vec![json(201, "")], "unknown: outcome_unknown"),
        (vec![json(200, html)], "unknown: outcome_unknown"),
        (vec![json(201, r#"{"Invoice":{"DocumentNumber":"31","Total":7"#)], "unknown: outcome_unknown"),
        (vec![json(201, r#"{"Invoice":{"DocumentNumber":"31"}}"#)], "unknown: outcome_unknown"),
        (
            vec![json(201, r#"{"Invoice":{"DocumentNumber":"31","Total":"API_NORIGHT"}}"#)],
            "unknown: outcome_unknown",
        ),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        assert_eq!(word(send(posting(), 1, "invoice", replies).await), expected, "case {index}");
    }
}

#[tokio::test]
async fn a_limit_is_handed_on() {
    let result = send(posting(), 1, "invoice", vec![Reply::RetryAfter(429, "17".to_owned())]).await;
    let Err(SendError::NotDone(Error::Unavailable { after, .. })) = result else {
        panic!("{}", word(result))
    };
    assert_eq!(after.unwrap().as_secs(), 17);
}

#[tokio::test]
async fn messages_never_quote_what_fortnox_says() {
    let Err(SendError::Rejected(reason)) = send(posting(), 1, "invoice", vec![refused(400, 2_000_107)]).await
    else {
        panic!("not rejected");
    };
    assert!(reason.message.contains("2000107") && !reason.message.contains("Värde"), "{}", reason.message);
}

#[tokio::test]
async fn a_customer_number_that_is_taken_is_looked_up() {
    let taken = || refused(400, 2_000_637);
    let own = format!(r#"{{"Customer":{{"CustomerNumber":"{OWN_NUMBER}","Active":true}}}}"#);
    let result = send(posting(), 0, "customer", vec![taken(), json(200, &own)]).await;
    assert_eq!(word(result), format!("done {OWN_NUMBER}"));
    let gone = vec![taken(), not_found(2_000_433), list("Customers", &[])];
    assert_eq!(word(send(posting(), 0, "customer", gone).await), "rejected: fortnox_2000637");
}

#[tokio::test]
async fn what_a_person_did_meanwhile_counts_as_done() {
    let booked =
        include_str!("../fixtures/answer.invoice.json").replace(r#""Booked": false"#, r#""Booked": true"#);
    let unknown_code = || refused(400, 2_009_999);
    let result = send(posting(), 2, "bookkeep_invoice", vec![unknown_code(), json(200, &booked)]).await;
    assert_eq!(word(result), "done 31");
    let unbooked = json(200, include_str!("../fixtures/answer.invoice.json"));
    let result = send(posting(), 2, "bookkeep_invoice", vec![unknown_code(), unbooked]).await;
    assert_eq!(word(result), "rejected: fortnox_2009999");

    let booked = json(200, r#"{"InvoicePayment":{"Number":5,"Booked":true}}"#);
    let result = send(posting(), 3, "bookkeep_payment", vec![unknown_code(), booked]).await;
    assert_eq!(word(result), "done 5");

    let paid = r#"{"Number":"4","InvoiceNumber":31,"Amount":747,"PaymentDate":"2026-11-20"}"#;
    let single = json(200, &format!(r#"{{"InvoicePayment":{paid}}}"#));
    let replies = vec![refused(400, 2_003_055), list("InvoicePayments", &[paid]), single];
    assert_eq!(word(send(posting(), 2, "payment", replies).await), "done 4");
    let replies = vec![refused(400, 2_003_055), list("InvoicePayments", &[])];
    assert_eq!(word(send(posting(), 2, "payment", replies).await), "rejected: fortnox_2003055");
}

#[tokio::test]
async fn when_the_state_cannot_be_looked_at_the_step_is_tried_again() {
    let down = [Reply::NotSent, Reply::NotSent, Reply::NotSent];
    let replies = [refused(400, 2_009_999)].into_iter().chain(down).collect();
    assert_eq!(word(send(posting(), 2, "bookkeep_invoice", replies).await), "not done: provider_unavailable");
}

#[tokio::test]
async fn reads_that_tell_nothing_never_mean_absent() {
    let html = "<html>404 Not Found</html>";
    let cases: Vec<(Vec<Reply>, &str)> = vec![
        (vec![json(404, html)], "provider_unavailable"),
        (vec![json(200, "")], "provider_unavailable"),
        (vec![json(200, html)], "provider_unavailable"),
        (vec![json(200, r#"{"Customers":[]}"#)], "provider_unavailable"),
        (vec![refused(403, 2_000_663)], "needs_consent"),
        (vec![refused(400, 2_000_729)], "fortnox_2000729"),
        (vec![json(503, html), json(503, html), json(503, html)], "provider_unavailable"),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        let bench = bench(replies);
        let effector = bench.effector(posting());
        let ledger = Ledger::default();
        let intent = intent(effector.as_ref(), "customer", &ledger);
        let error = effector.look_up(&intent, &ledger).await.err().unwrap();
        assert_eq!(error.code(), expected, "case {index}: {error}");
    }
}
