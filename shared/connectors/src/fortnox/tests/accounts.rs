//! What is read of the company's settings.

use bokbro_app::error::Error;
use bokbro_domain::posting::{AccountRole, BookYear, Chart};

use super::*;

const YEAR: &str = r#"{"Id":3,"FromDate":"2026-01-01","ToDate":"2026-12-31","AccountingMethod":"ACCRUAL"}"#;
const OLD_YEAR: &str = r#"{"Id":2,"FromDate":"2025-01-01","ToDate":"2025-12-31","AccountingMethod":"CASH"}"#;
const CARD: &str = r#"{"Code":"CARD","AccountNumber":"1580"}"#;
const BANK: &str = r#"{"Code":"BG","AccountNumber":"1930"}"#;

struct Books<'a> {
    years: &'a [&'a str],
    modes: &'a [&'a str],
    locked: &'a str,
    accounts: &'a [&'a str],
    wanted_mode: Option<&'a str>,
}

const PLAIN: Books<'_> = Books {
    years: &[OLD_YEAR, YEAR],
    modes: &[BANK, CARD],
    locked: "{}",
    accounts: &[
        r#"{"Number":1580,"Active":true}"#,
        r#"{"Number":3002,"Active":true}"#,
        r#"{"Number":3003,"Active":false}"#,
        r#"{"Number":2611,"Active":true}"#,
        r#"{"Number":2621,"Active":true}"#,
        r#"{"Number":2631,"Active":false}"#,
    ],
    wanted_mode: None,
};

async fn read(books: Books<'_>) -> Result<(Chart, Vec<String>), Error> {
    let predefined = [
        r#"{"Name":"SALES","Account":3001}"#,
        r#"{"Name":"ROUNDOFF","Account":"3740"}"#,
        r#"{"Name":"FREIGHT","Account":3520}"#,
        r#"{"Name":"OUTVAT_MP1","Account":2610}"#,
        r#"{"Name":"CASHBYCARD","Account":1930}"#,
    ];
    let mut bench = bench([
        list("FinancialYears", books.years),
        list("PreDefinedAccounts", &predefined),
        list("ModesOfPayments", books.modes),
        json(200, &format!(r#"{{"LockedPeriod":{}}}"#, books.locked)),
        list("Accounts", books.accounts),
    ]);
    if let Some(mode) = books.wanted_mode {
        let mut connection = connection();
        connection.settings.insert("payment_mode".to_owned(), mode.to_owned());
        bench.access.connection = Arc::new(connection);
    }
    let chart = bench.fortnox.read_chart(&bench.access).await?;
    Ok((chart, bench.script.lines()))
}

#[tokio::test]
async fn the_companys_own_accounts_are_used() {
    let (chart, calls) = read(PLAIN).await.unwrap();
    let expected = Chart {
        accounts: BTreeMap::from([
            (AccountRole::Sales25, 3001),
            (AccountRole::Sales12, 3002),
            (AccountRole::Vat25, 2610),
            (AccountRole::Vat12, 2621),
            (AccountRole::PaymentClaim, 1580),
            (AccountRole::RoundOff, 3740),
        ]),
        payment_mode: Some("CARD".to_owned()),
        cash_method: false,
        locked_through: None,
        card_account: Some(1930),
        years: [("2025-01-01", "2025-12-31"), ("2026-01-01", "2026-12-31")]
            .map(|(from, to)| BookYear { from: from.parse().unwrap(), to: to.parse().unwrap() })
            .into(),
    };
    assert_eq!(chart, expected);
    assert_eq!(calls.len(), 5);
    assert_eq!(calls[4], "GET /3/accounts?limit=500&sortby=number&financialyear=3&page=1");
}

#[tokio::test]
async fn without_account_1580_the_named_way_of_payment_decides() {
    let without = |wanted_mode| Books { accounts: &[], wanted_mode, ..PLAIN };
    let (chart, _) = read(without(None)).await.unwrap();
    assert_eq!((chart.accounts.get(&AccountRole::PaymentClaim), chart.payment_mode), (None, None));
    let (chart, _) = read(without(Some("BG"))).await.unwrap();
    assert_eq!(chart.accounts.get(&AccountRole::PaymentClaim), Some(&1930));
    assert_eq!(chart.payment_mode.as_deref(), Some("BG"));
}

#[tokio::test]
async fn the_named_way_of_payment_comes_first_among_equals() {
    let modes = [CARD, r#"{"Code":"VIVA","AccountNumber":"1580"}"#];
    let (chart, _) = read(Books { modes: &modes, ..PLAIN }).await.unwrap();
    assert_eq!(chart.payment_mode.as_deref(), Some("CARD"));
    let (chart, _) = read(Books { modes: &modes, wanted_mode: Some("VIVA"), ..PLAIN }).await.unwrap();
    assert_eq!(chart.payment_mode.as_deref(), Some("VIVA"));
}

#[tokio::test]
async fn the_locked_period_and_the_accounting_method_are_read() {
    let (chart, _) = read(Books { locked: r#"{"EndDate":"2026-09-30"}"#, ..PLAIN }).await.unwrap();
    assert_eq!(chart.locked_through, Some("2026-09-30".parse().unwrap()));
    for open in [r#"{"EndDate":null}"#, r#"{"EndDate":""}"#] {
        assert_eq!(read(Books { locked: open, ..PLAIN }).await.unwrap().0.locked_through, None, "{open}");
    }
    // This year has not been opened: the last one tells.
    let (chart, _) = read(Books { years: &[OLD_YEAR], ..PLAIN }).await.unwrap();
    assert!(chart.cash_method);
}

#[tokio::test]
async fn a_company_without_financial_year_is_parked() {
    let error = read(Books { years: &[], ..PLAIN }).await.unwrap_err();
    assert_eq!(error.code(), "financial_year_missing");
}
