//! A day's voucher: what is sent, how it is found, and what stops it.

use bokbro_app::error::Error;
use bokbro_app::ports::{Found, SendError, Vouchers};
use bokbro_domain::posting::{DayVoucher, VoucherRow};

use super::*;

const MARKER: &str = "day_viva-card-2026-11-20_1";
const YEAR: &str = r#"{"Id":3,"FromDate":"2026-01-01","ToDate":"2026-12-31"}"#;
const ROWS: &str = r#"[{"Account":1580,"Debit":747,"Credit":0},{"Account":3001,"Debit":0,"Credit":597.60},
    {"Account":2611,"Debit":0,"Credit":149.4},{"Account":3002,"Debit":1,"Credit":0,"Removed":true}]"#;

fn day() -> DayVoucher {
    let row =
        |account, amount: &str, text: &str| VoucherRow { account, amount: kr(amount), text: text.to_owned() };
    DayVoucher {
        reference: MARKER.to_owned(),
        date: "2026-11-20".parse().unwrap(),
        text: "Viva card 2026-11-20 · 12 orders".to_owned(),
        rows: vec![
            row(1580, "747.00", "Fordran Viva"),
            row(3001, "-597.60", "Försäljning 25 %"),
            row(2611, "-149.40", "Moms 25 %"),
        ],
    }
}

fn voucher(members: &str) -> String {
    format!(r#"{{"VoucherSeries":"A","VoucherNumber":12,"TransactionDate":"2026-11-20",{members}}}"#)
}

fn whole() -> String {
    voucher(&format!(r#""Comments":"{MARKER}","VoucherRows":{ROWS}"#))
}

fn shown(voucher: &str) -> Reply {
    json(200, &format!(r#"{{"Voucher":{voucher}}}"#))
}

fn series(manual: &str) -> Reply {
    json(200, &format!(r#"{{"VoucherSeries":{{"Code":"A","Manual":{manual}}}}}"#))
}

fn years() -> Reply {
    list("FinancialYears", &[YEAR])
}

impl Bench {
    fn of_day(&self) -> Box<dyn Effector> {
        Vouchers::effector(&self.fortnox, self.access.clone(), day())
    }
}

async fn send(replies: impl IntoIterator<Item = Reply>) -> (Result<Receipt, SendError>, Bench) {
    let bench = bench(replies);
    let effector = bench.of_day();
    let wish = intent(&*effector, "voucher", &Ledger::default());
    (effector.send(&wish, &Ledger::default()).await, bench)
}

async fn look_up(replies: impl IntoIterator<Item = Reply>) -> (Result<Found, Error>, Bench) {
    let bench = bench(replies);
    let effector = bench.of_day();
    let wish = intent(&*effector, "voucher", &Ledger::default());
    (effector.look_up(&wish, &Ledger::default()).await, bench)
}

#[tokio::test]
async fn a_voucher_goes_to_the_year_of_its_day() {
    let (sent, bench) = send([years(), series("true"), shown(&whole())]).await;
    assert_eq!(sent.unwrap(), receipt("A12", &[]));
    let lines = bench.script.lines();
    assert_eq!(
        lines,
        [
            "GET /3/financialyears?limit=500&date=2026-11-20&page=1",
            "GET /3/voucherseries/A?financialyear=3",
            "POST /3/vouchers?financialyear=3",
        ]
    );
    let sent: serde_json::Value = serde_json::from_str(&bench.script.sent()[2].body).unwrap();
    let expected: serde_json::Value = serde_json::from_str(include_str!("../fixtures/voucher.json")).unwrap();
    assert_eq!(sent, expected, "{sent:#}");
}

/// Like the year, the id is Fortnox' own, so the intent is without it: the same for everybody.
#[test]
fn the_intent_knows_no_id() {
    let bench = bench([]);
    let (first, second) = (bench.of_day(), bench.of_day());
    let wish = intent(&*first, "voucher", &Ledger::default());
    assert_eq!(wish, intent(&*second, "voucher", &Ledger::default()));
    assert_eq!((wish.reference.as_str(), wish.may_exist), (MARKER, false));
    assert!(!wish.request.contains("Year"), "{}", wish.request);
    assert_eq!(first.number_name(&"voucher".into()), Some("voucher_number"));
}

#[tokio::test]
async fn nothing_is_sent_where_it_cannot_be_booked() {
    let next = r#"{"Id":4,"FromDate":"2027-01-01","ToDate":"2027-12-31"}"#;
    let cases = [
        (vec![list("FinancialYears", &[])], "financial_year_missing", "2026-11-20"),
        (vec![list("FinancialYears", &[next])], "financial_year_missing", "open it there"),
        (vec![years(), series("false")], "voucher_series_closed", "takes no vouchers by hand"),
        (vec![years(), not_found(2_000_000)], "voucher_series_closed", "is not there"),
    ];
    for (replies, code, text) in cases {
        let (sent, bench) = send(replies).await;
        let Err(SendError::NotDone(Error::Parked(reason))) = sent else { panic!("{code} was sent") };
        assert_eq!(reason.code, code);
        assert!(reason.message.contains(text), "{}", reason.message);
        assert!(bench.script.lines().iter().all(|line| line.starts_with("GET")), "{code}");
    }
}

#[tokio::test]
async fn a_locked_period_is_told_in_words() {
    let (sent, _) = send([years(), series("true"), refused(400, 2_000_401)]).await;
    let Err(SendError::Rejected(reason)) = sent else { panic!("not refused") };
    assert_eq!(reason.code, "period_locked");
    assert!(reason.message.contains("unlock the period"), "{}", reason.message);
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_sent_is_looked_into() {
    let other = whole().replace("149.4}", "149.39}");
    for answer in [shown(&other), shown(&voucher(r#""Comments":"x""#)), json(201, "{}")] {
        let (sent, _) = send([years(), series("true"), answer]).await;
        assert!(matches!(sent, Err(SendError::Unknown(_))));
    }
    let (sent, _) = send([years(), series("true"), Reply::MaybeSent]).await;
    assert!(matches!(sent, Err(SendError::Unknown(_))));
}

#[tokio::test]
async fn a_voucher_is_found_by_its_marker_alone() {
    let item = |number: u32, members: &str| {
        format!(
            r#"{{"VoucherSeries":"A","VoucherNumber":{number},"TransactionDate":"2026-11-20",{members}}}"#
        )
    };
    let others = [
        item(9, &format!(r#""Comments":"{MARKER}0""#)),
        item(10, &format!(r#""Description":"Viva ({MARKER}) copied""#)),
        item(11, r#""Comments":"""#),
    ];
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let (found, bench) = look_up([years(), list("Vouchers", &others)]).await;
    assert_eq!(found.unwrap(), Found::No);
    assert_eq!(
        bench.script.lines()[1],
        "GET /3/vouchers/sublist/A?limit=500&financialyear=3&fromdate=2026-11-19&todate=2026-11-21&page=1"
    );
    for marked in [format!(r#""Comments":"{MARKER}""#), format!(r#""Description":"Viva ({MARKER})""#)] {
        let listed = [item(13, &marked), item(12, &marked)];
        let mut all = others.clone();
        all.extend(listed.iter().map(String::as_str));
        let (found, bench) = look_up([years(), list("Vouchers", &all), shown(&whole())]).await;
        assert_eq!(found.unwrap(), Found::Yes(receipt("A12", &[])));
        assert_eq!(bench.script.lines()[2], "GET /3/vouchers/A/12?financialyear=3");
    }
}

#[tokio::test]
async fn a_list_that_takes_no_dates_is_asked_another_way() {
    let b = whole().replace(r#""VoucherSeries":"A""#, r#""VoucherSeries":"B""#);
    let replies = [years(), refused(400, 2_000_588), list("Vouchers", &[&b, &whole()]), shown(&whole())];
    let (found, bench) = look_up(replies).await;
    assert_eq!(found.unwrap(), Found::Yes(receipt("A12", &[])));
    assert!(bench.script.lines()[2].starts_with("GET /3/vouchers?"), "{:?}", bench.script.lines());
}

#[tokio::test]
async fn a_voucher_that_somebody_changed_is_told_of() {
    for changed in
        [whole().replace("597.60", "597.61"), whole().replace(r#":"2026-11-20""#, r#":"2026-11-21""#)]
    {
        let (found, _) = look_up([years(), list("Vouchers", &[&changed]), shown(&changed)]).await;
        let error = found.unwrap_err();
        assert_eq!(error.code(), "totals_differ");
        assert!(error.to_string().contains("voucher A12"), "{error}");
    }
    // The list is ahead of the document itself.
    let (found, _) = look_up([years(), list("Vouchers", &[&whole()]), not_found(2_000_000)]).await;
    assert!(matches!(found, Err(Error::NotYet { .. })));
}

#[tokio::test]
async fn a_named_voucher_must_be_ours_and_say_the_same() {
    let adopt = async |named: &str, reply: Option<Reply>| {
        let bench = bench([years()].into_iter().chain(reply));
        let effector = bench.of_day();
        let wish = intent(&*effector, "voucher", &Ledger::default());
        let adopted = effector.adopt(&wish, named, &Ledger::default()).await;
        (adopted.map(|receipt| receipt.external_id).map_err(|error| error.to_string()), bench.script.lines())
    };
    for named in ["A12", "a 12", " A  12 ", "12"] {
        let (adopted, lines) = adopt(named, Some(shown(&whole()))).await;
        assert_eq!(adopted.unwrap(), "A12", "{named}");
        assert_eq!(lines[1], "GET /3/vouchers/A/12?financialyear=3");
    }
    let refusals = [
        (shown(&whole().replace(MARKER, "somebody's")), MARKER),
        (shown(&whole().replace("597.60", "597.61")), "other rows"),
        (not_found(2_000_000), "is not there"),
    ];
    for (reply, what) in refusals {
        let why = adopt("A12", Some(reply)).await.0.unwrap_err();
        assert!(why.contains(what) && why.contains("Nothing was sent"), "{why}");
    }
    let why = adopt("twelve", None).await.0.unwrap_err();
    assert!(why.contains("is not there"), "{why}");
}

#[tokio::test]
async fn the_series_can_be_another_one() {
    let mut bench =
        bench([years(), json(200, r#"{"VoucherSeries":{"Code":"L","Manual":true}}"#), shown(&whole())]);
    let mut connection = connection();
    connection.settings.insert("voucher_series".to_owned(), " L ".to_owned());
    bench.access.connection = Arc::new(connection);
    let effector = bench.of_day();
    let wish = intent(&*effector, "voucher", &Ledger::default());
    effector.send(&wish, &Ledger::default()).await.unwrap();
    assert_eq!(bench.script.lines()[1], "GET /3/voucherseries/L?financialyear=3");
    assert!(bench.script.sent()[2].body.contains(r#""VoucherSeries":"L""#));
}
