//! A day's voucher: its draft, the conversion, how both are found, and what stops them.

use bokbro_app::error::Error;
use bokbro_app::ports::{Clock as _, Effector, Found, SendError, Vouchers};
use bokbro_domain::effect::{Ledger, Receipt, StepName};
use bokbro_domain::posting::{DayVoucher, VoucherRow};
use jiff::SignedDuration;

use super::office::{Office, intent, kr, list, office, receipt, refused};
use super::{Reply, StillClock, json};

const MARKER: &str = "day_viva-card-2026-11-20_1";
const DRAFT: &str = "00000003-0000-4000-8000-00000000000d";
const YEAR: &str = r#"{"Id":"y","StartDate":"2026-01-01T00:00:00","EndDate":"2026-12-31T00:00:00","IsLockedForAccounting":false}"#;
const ROWS: &str = r#"[{"AccountNumber":1580,"DebitAmount":747.0,"CreditAmount":0},
    {"AccountNumber":3001,"DebitAmount":0,"CreditAmount":597.6},{"AccountNumber":2611,"CreditAmount":149.40}]"#;

fn day() -> DayVoucher {
    let row =
        |account, amount: &str, text: &str| VoucherRow { account, amount: kr(amount), text: text.to_owned() };
    DayVoucher {
        reference: MARKER.to_owned(),
        date: "2026-11-20".parse().unwrap(),
        text: "Viva card 2026-11-20, 12 orders".to_owned(),
        rows: vec![
            row(1580, "747.00", "Fordran Viva"),
            row(3001, "-597.60", "Försäljning 25 %"),
            row(2611, "-149.40", "En text som är längre än de femtio tecken som en rad tar"),
        ],
    }
}

/// The voucher or, without a number, its draft.
fn voucher(number: &str) -> String {
    format!(
        r#"{{"Id":"{DRAFT}","VoucherDate":"2026-11-20T00:00:00","VoucherText":"Viva ({MARKER})",
            "NumberAndNumberSeries":{number},"Rows":{ROWS}}}"#
    )
}

fn draft() -> String {
    voucher("null")
}

fn settings(more: &str) -> Reply {
    json(200, &format!(r#"{{"Name":"AB","ProductVariant":4{more}}}"#))
}

fn of_day(office: &Office) -> Box<dyn Effector> {
    Vouchers::effector(&office.visma, office.access.clone(), day())
}

/// The steps before `step` done, and `step` sent a while ago.
fn sent_ledger(effector: &dyn Effector, step: &str, ago: SignedDuration) -> Ledger {
    let then = StillClock::default().now() - ago;
    let mut ledger = Ledger::default();
    if step == "voucher" {
        let name = StepName::from("voucher_draft");
        ledger.mark_sent(&intent(effector, &name.0, &ledger), then);
        ledger.mark_done(&name, receipt(DRAFT, &[]), then);
    }
    ledger.mark_sent(&intent(effector, step, &ledger), then);
    ledger
}

async fn send(step: &str, replies: Vec<Reply>) -> (Result<Receipt, SendError>, Office) {
    let office = office(replies);
    let effector = of_day(&office);
    let ledger = sent_ledger(&*effector, step, SignedDuration::ZERO);
    let result = effector.send(&intent(&*effector, step, &ledger), &ledger).await;
    assert_eq!(office.script.left(), 0, "every reply is asked for");
    (result, office)
}

async fn look_up(step: &str, ago: i64, replies: Vec<Reply>) -> (Result<Found, Error>, Vec<String>) {
    let office = office(replies);
    let effector = of_day(&office);
    let ledger = sent_ledger(&*effector, step, SignedDuration::from_secs(ago));
    let found = effector.look_up(&intent(&*effector, step, &ledger), &ledger).await;
    assert_eq!(office.script.left(), 0, "every reply is asked for");
    (found, office.script.lines())
}

#[tokio::test]
async fn a_draft_is_made_and_becomes_the_voucher() {
    let (sent, office) = send("voucher_draft", vec![settings(""), list(&[YEAR]), json(201, &draft())]).await;
    assert_eq!(sent.unwrap(), receipt(DRAFT, &[]));
    let asked = office.script.sent();
    assert_eq!(asked[2].line, "POST /v2/voucherdrafts");
    let body: serde_json::Value = serde_json::from_str(&asked[2].body).unwrap();
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/voucher_draft.json")).unwrap();
    assert_eq!(body, expected, "{body:#}");

    let (sent, office) = send("voucher", vec![json(201, &voucher(r#""A12""#))]).await;
    assert_eq!(sent.unwrap(), receipt("A12", &[]));
    let asked = &office.script.sent()[0];
    assert_eq!(
        (asked.line.as_str(), asked.body.as_str()),
        (&*format!("POST /v2/voucherdrafts/{DRAFT}/convert"), "")
    );
    let effector = of_day(&office);
    let names: Vec<Option<&str>> = effector.steps().iter().map(|step| effector.number_name(step)).collect();
    assert_eq!(names, [None, Some("voucher_number")]);
}

#[tokio::test]
async fn nothing_is_written_on_a_day_that_cannot_be_booked_on() {
    let locked_year = YEAR.replace("false", "true");
    let next = YEAR.replace("2026", "2027");
    let cases = [
        (vec![settings(""), list(&[&next])], "financial_year_missing", "open it there"),
        (vec![settings(""), list(&[&locked_year])], "period_locked", "a locked fiscal year"),
        (
            vec![settings(r#","AccountingLockedTo":"2026-11-20T00:00:00""#), list(&[YEAR])],
            "period_locked",
            "2026-11-20",
        ),
        (vec![json(200, r#"{"ProductVariant":2}"#)], "profile_not_supported", "keeps no vouchers"),
    ];
    for (replies, code, text) in cases {
        let (sent, office) = send("voucher_draft", replies).await;
        let Err(SendError::NotDone(Error::Parked(reason))) = sent else { panic!("{code} was sent") };
        assert_eq!(reason.code, code);
        assert!(reason.message.contains(text), "{}", reason.message);
        assert!(office.script.lines().iter().all(|line| line.starts_with("GET")), "{code}");
    }
}

#[tokio::test]
async fn a_conversion_that_is_refused_is_told_in_words() {
    for (code, name) in [(4026, "period_locked"), (4038, "period_locked"), (3001, "financial_year_missing")] {
        let (sent, _) = send("voucher", vec![refused(400, code)]).await;
        let Err(SendError::Rejected(reason)) = sent else { panic!("{code} is not refused") };
        assert_eq!(reason.code, name);
        assert!(reason.message.contains("try again"), "{}", reason.message);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_sent_is_looked_into() {
    let added =
        voucher(r#""A12""#).replace("149.40}", r#"149.40},{"AccountNumber":2611,"DebitAmount":0.01}"#);
    for answer in [json(201, &added), json(201, "{}"), Reply::MaybeSent] {
        let (sent, _) = send("voucher", vec![answer]).await;
        assert!(matches!(sent, Err(SendError::Unknown(_))));
    }
    let (found, _) = look_up("voucher", 0, vec![list(&[YEAR]), list(&[&added])]).await;
    let error = found.unwrap_err();
    assert_eq!(error.code(), "totals_differ");
    assert!(error.to_string().contains("voucher A12"), "{error}");
}

#[tokio::test]
async fn a_draft_is_found_by_its_marker_or_as_the_voucher_that_it_became() {
    let other = draft().replace(MARKER, &format!("{MARKER}0"));
    let (found, lines) = look_up("voucher_draft", 60, vec![list(&[&other, &draft()])]).await;
    assert_eq!(found.unwrap(), Found::Yes(receipt(DRAFT, &[])));
    assert_eq!(lines, ["GET /v2/voucherdrafts?$pagesize=1000&$page=1"]);
    let nothing = vec![list(&[&other]), list(&[YEAR]), list(&[])];
    assert_eq!(look_up("voucher_draft", 60, nothing).await.0.unwrap(), Found::No);
    let became = vec![list(&[]), list(&[YEAR]), list(&[&voucher(r#""A12""#)])];
    assert!(matches!(look_up("voucher_draft", 60, became).await.0.unwrap(), Found::Yes(_)));
    let changed = draft().replace("597.6", "597.5");
    let (found, _) = look_up("voucher_draft", 60, vec![list(&[&changed])]).await;
    assert_eq!(found.unwrap_err().code(), "totals_differ");
}

#[tokio::test]
async fn a_voucher_is_found_whether_or_not_dates_can_be_searched_by() {
    let found = voucher(r#""A12""#);
    let (yes, lines) = look_up("voucher", 60, vec![list(&[YEAR]), list(&[&found])]).await;
    assert_eq!(yes.unwrap(), Found::Yes(receipt("A12", &[])));
    assert_eq!(
        lines[1],
        "GET /v2/vouchers/y?$pagesize=1000&$filter=VoucherDate ge 2026-11-19T00:00:00Z and VoucherDate le \
         2026-11-21T00:00:00Z&$page=1"
    );
    let (yes, lines) = look_up("voucher", 60, vec![list(&[YEAR]), refused(400, 6000), list(&[&found])]).await;
    assert_eq!(yes.unwrap(), Found::Yes(receipt("A12", &[])));
    assert_eq!(lines[2], "GET /v2/vouchers/y?$pagesize=1000&$page=1");
}

#[tokio::test]
async fn a_draft_that_is_there_was_not_converted_and_one_that_is_gone_was() {
    let (found, lines) = look_up("voucher", 60, vec![list(&[YEAR]), list(&[]), json(200, &draft())]).await;
    assert_eq!(found.unwrap(), Found::No);
    assert_eq!(lines[2], format!("GET /v2/voucherdrafts/{DRAFT}"));
    let gone = || vec![list(&[YEAR]), list(&[]), refused(404, 3000)];
    assert!(matches!(look_up("voucher", 60, gone()).await.0, Err(Error::NotYet { .. })));
    assert_eq!(look_up("voucher", 600, gone()).await.0.unwrap_err().code(), "visma_draft_gone");
    // The conversion itself says that the draft is gone.
    let (sent, _) =
        send("voucher", vec![refused(404, 3000), list(&[YEAR]), list(&[&voucher(r#""A12""#)])]).await;
    assert_eq!(sent.unwrap(), receipt("A12", &[]));
    let mut replies = vec![refused(404, 3000)];
    replies.extend(gone());
    assert!(matches!(send("voucher", replies).await.0, Err(SendError::Unknown(_))));
}

#[tokio::test]
async fn a_named_document_must_be_ours_and_say_the_same() {
    let adopt = async |step: &str, named: &str, replies: Vec<Reply>| {
        let office = office(replies);
        let effector = of_day(&office);
        let ledger = sent_ledger(&*effector, step, SignedDuration::ZERO);
        let adopted = effector.adopt(&intent(&*effector, step, &ledger), named, &ledger).await;
        adopted.map(|receipt| receipt.external_id).map_err(|error| error.to_string())
    };
    let found = || vec![list(&[YEAR]), list(&[&voucher(r#""A12""#)])];
    for named in ["A12", "a 12"] {
        assert_eq!(adopt("voucher", named, found()).await.unwrap(), "A12");
    }
    assert!(adopt("voucher", "A13", found()).await.unwrap_err().contains("is not there"));
    let changed = voucher(r#""A12""#).replace("597.6", "597.5");
    let why = adopt("voucher", "A12", vec![list(&[YEAR]), list(&[&changed])]).await.unwrap_err();
    assert!(why.contains("other rows"), "{why}");
    assert_eq!(adopt("voucher_draft", DRAFT, vec![json(200, &draft())]).await.unwrap(), DRAFT);
}
