//! Money given back: the documents, whichever way Visma takes them, and what stops the work.

use bokbro_app::ports::{Effector, Found, SendError};
use bokbro_domain::effect::{Intent, Ledger, StepName};
use bokbro_domain::order::LineKind;
use bokbro_domain::posting::Posting;
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;

use super::office::*;
use super::{Reply, json};

const SALE: &str = "00000006-0000-4000-8000-00000000000f";

/// Both oils of the private order, given back.
fn credit() -> Posting {
    let mut posting = posting();
    posting.reference = format!("{REFERENCE}-credit-69800");
    posting.rows = vec![row(LineKind::Goods, "-2", "349.00", VatRate::Standard)];
    (posting.gross, posting.payment.amount) = (kr("-698.00"), kr("-698.00"));
    (posting.vat_by_row, posting.vat_by_rate) = (kr("-139.60"), kr("-139.60"));
    posting
}

/// The credit's ledger before a step, with this total of its draft and its invoice.
fn before(effector: &dyn Effector, step: &str, total: &str) -> Ledger {
    let mut steps = steps_before(step, true);
    for (_, receipt) in &mut steps {
        for (name, value) in [("total", total), ("vat", "-139.60")] {
            receipt.facts.entry(name.to_owned()).and_modify(|fact| *fact = value.to_owned());
        }
    }
    let mut ledger = done(effector, &steps);
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let sale = StepName::of_sale("invoice");
    let sent = Intent {
        step: sale.clone(),
        reference: REFERENCE.to_owned(),
        request: "{}".to_owned(),
        may_exist: false,
        replaces: false,
    };
    ledger.mark_sent(&sent, now);
    ledger.mark_done(&sale, receipt("30", &[("id", SALE)]), now);
    ledger
}

#[test]
fn a_credit_is_a_draft_that_says_so() {
    let office = office([]);
    let effector = office.effector(credit());
    let names: Vec<String> = effector.steps().into_iter().map(|step| step.0).collect();
    assert_eq!(names.join(" "), "customer article_25 draft price_draft invoice payment");
    let draft = intent(&*effector, "draft", &before(&*effector, "draft", ""));
    assert!(draft.may_exist, "somebody may have credited the invoice");
    for part in [r#""IsCreditInvoice":true"#, r#""UnitPrice":349,"Quantity":2,"#, r#"-credit-69800)""#] {
        assert!(draft.request.contains(part), "{part} in {}", draft.request);
    }
}

#[test]
fn rows_are_signed_the_other_way_when_the_draft_s_total_says_so() {
    let office = office([]);
    let effector = office.effector(credit());
    let priced_anew = |total: &str| {
        let ledger = before(&*effector, "invoice", total);
        effector.intent(&StepName::from("price_draft"), &ledger).unwrap().map(|intent| intent.request)
    };
    assert_eq!(priced_anew("-698.00"), None);
    let turned = priced_anew("698.00").unwrap();
    assert!(turned.contains(r#""UnitPrice":349,"Quantity":-2,"#), "{turned}");
}

#[test]
fn a_draft_on_another_total_is_neither_booked_nor_paid() {
    let office = office([]);
    let effector = office.effector(credit());
    for total in ["698.00", "-697.99", "0.00"] {
        for step in ["invoice", "payment"] {
            let mut ledger = before(&*effector, "invoice", total);
            let invoice = StepName::from("invoice");
            if step == "payment" {
                ledger = before(&*effector, "payment", "-698.00");
                let facts = &mut ledger.steps.get_mut(&invoice).unwrap().receipt.as_mut().unwrap().facts;
                facts.insert("total".to_owned(), total.to_owned());
            }
            let error = effector.intent(&StepName::from(step), &ledger).unwrap_err();
            assert_eq!(error.code(), "totals_differ", "{step} {total}: {error}");
        }
    }
}

/// What the credit invoice shows as left.
fn shown(remaining: &str) -> Reply {
    json(
        200,
        &format!(
            r#"{{"Id":"{INVOICE}","InvoiceNumber":31,"IsCreditInvoice":true,"TotalAmountInvoiceCurrency":-698,
        "TotalVatAmountInvoiceCurrency":-139.6,"RemainingAmountInvoiceCurrency":{remaining}}}"#
        ),
    )
}

#[tokio::test]
async fn a_payment_goes_whichever_way_visma_takes() {
    let echo = || json(201, r#"{"PaymentAmount":1}"#);
    // Answers, how it ends, and the amounts that were sent.
    type Case = (Vec<Reply>, Result<(), &'static str>, &'static [&'static str]);
    let cases: Vec<Case> = vec![
        (vec![echo(), shown("0")], Ok(()), &["-698"]),
        (vec![refused(400, 2000), shown("-698"), echo(), shown("0")], Ok(()), &["-698", "698"]),
        (vec![refused(400, 4002), shown("-698"), echo(), shown("0.00")], Ok(()), &["-698", "698"]),
        (vec![refused(400, 4026), shown("-698")], Err("period_locked"), &["-698"]),
        (
            vec![refused(400, 2000), shown("-698"), refused(400, 2000)],
            Err("visma_credit_unpaid"),
            &["-698", "698"],
        ),
        (vec![echo(), shown("-1396")], Err("visma_credit_unpaid"), &["-698"]),
        (vec![echo(), shown("-698")], Err("visma_credit_unpaid"), &["-698"]),
        (vec![echo(), shown("null")], Err("visma_credit_unpaid"), &["-698"]),
        (vec![echo(), json(500, ""), json(500, ""), json(500, "")], Err("provider_unavailable"), &["-698"]),
        (vec![refused(400, 2000), shown("-698"), Reply::MaybeSent], Err("outcome_unknown"), &["-698", "698"]),
    ];
    for (index, (replies, expected, amounts)) in cases.into_iter().enumerate() {
        let office = office(replies);
        let effector = office.effector(credit());
        let mut ledger = before(&*effector, "payment", "-698.00");
        let intent = intent(&*effector, "payment", &ledger);
        ledger.mark_sent(&intent, "2026-11-20T12:00:00Z".parse().unwrap());
        let ended = match effector.send(&intent, &ledger).await {
            Ok(_) => Ok(()),
            Err(SendError::Rejected(reason)) => Err(reason.code),
            Err(SendError::NotDone(error) | SendError::Unknown(error)) => Err(error.code().to_owned()),
        };
        assert_eq!(ended.as_ref().map(|_| ()).map_err(String::as_str), expected, "case {index}");
        assert_eq!(office.script.left(), 0, "case {index}: every reply is asked for");
        let sent: Vec<String> =
            office.script.sent().into_iter().map(|sent| sent.body).filter(|body| !body.is_empty()).collect();
        assert_eq!(sent.len(), amounts.len(), "case {index}");
        for (body, amount) in sent.iter().zip(amounts) {
            assert!(body.contains(&format!(r#""PaymentAmount":{amount},"#)), "case {index}: {body}");
        }
    }
}

#[tokio::test]
async fn somebody_else_s_credit_of_the_sale_stops_ours() {
    let sale = |credited: &str| {
        json(200, &format!(r#"{{"Id":"{SALE}","InvoiceNumber":30,"CreditedBy":{credited}}}"#))
    };
    let credit_with = |reference: &str| {
        json(200, &format!(r#"{{"Id":"k","InvoiceNumber":33,"OurReference":"{reference}"}}"#))
    };
    let ours = format!("{REFERENCE}-credit-100");
    let linked = r#"[{"CreditInvoiceId":"k"}]"#;
    let cases: Vec<(Vec<Reply>, Option<&str>)> = vec![
        (vec![sale("null")], None),
        (vec![sale("[]")], None),
        (vec![sale(linked), credit_with(&ours)], None),
        (vec![sale(linked), credit_with(REFERENCE)], Some("by invoice 33")),
        (vec![sale(linked), credit_with("")], Some("by invoice 33")),
        (vec![sale(linked), refused(400, 3000)], Some("by invoice ?")),
        (vec![sale("[{}]")], Some("by invoice ?")),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        let office = office([vec![list(&[]), list(&[])], replies].concat());
        let effector = office.effector(credit());
        let mut ledger = before(&*effector, "draft", "");
        let intent = intent(&*effector, "draft", &ledger);
        ledger.mark_sent(&intent, "2026-11-20T12:00:00Z".parse().unwrap());
        let found = effector.look_up(&intent, &ledger).await;
        assert_eq!(office.script.left(), 0, "case {index}: every reply is asked for");
        match (found, expected) {
            (Ok(Found::No), None) => {}
            (Err(error), Some(says)) => {
                assert_eq!(error.code(), "credited_by_hand", "case {index}");
                assert!(error.to_string().contains(says), "case {index}: {error}");
            }
            (found, _) => panic!("case {index}: {}", found.is_ok()),
        }
    }
}

/// The sale's search finds its credits too, which have its reference in theirs, and the other way round.
#[tokio::test]
async fn a_sale_and_its_credits_are_not_taken_for_each_other() {
    let invoice = |reference: &str, is_credit: bool| {
        format!(
            r#"{{"Id":"i","InvoiceNumber":9,"IsCreditInvoice":{is_credit},"TotalAmountInvoiceCurrency":1,
                "TotalVatAmountInvoiceCurrency":1,"Rows":[{{"Text":"Order 1753-1001 ({reference})"}}]}}"#
        )
    };
    let (sale, back) = (REFERENCE.to_owned(), format!("{REFERENCE}-credit-69800"));
    let other = format!("{REFERENCE}-credit-6980");
    for (posting, reference, is_credit, ours) in [
        (posting(), &sale, false, true),
        (posting(), &sale, true, false),
        (posting(), &back, true, false),
        (credit(), &back, true, true),
        (credit(), &back, false, false),
        (credit(), &other, true, false),
        (credit(), &sale, true, false),
    ] {
        let case = format!("{} {reference} {is_credit}", posting.gross);
        let mut replies = vec![list(&[&invoice(reference, is_credit)])];
        if !ours {
            // The draft is there, so it was not converted.
            replies.push(json(200, &format!(r#"{{"Id":"{DRAFT}","TotalAmount":1,"TotalVatAmount":1}}"#)));
        }
        let office = office(replies);
        let effector = office.effector(posting.clone());
        let total = posting.gross.to_string();
        let mut ledger = if posting.is_credit() {
            before(&*effector, "invoice", &total)
        } else {
            done(&*effector, &steps_before("invoice", true))
        };
        let intent = intent(&*effector, "invoice", &ledger);
        ledger.mark_sent(&intent, "2026-11-20T12:00:00Z".parse().unwrap());
        let found = effector.look_up(&intent, &ledger).await.unwrap();
        assert_eq!(matches!(found, Found::Yes(_)), ours, "{case}");
    }
}
