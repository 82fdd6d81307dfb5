//! What is read of the company's settings.

use bokbro_app::error::Error;
use bokbro_app::ports::Accounting as _;
use bokbro_domain::posting::{AccountRole, BookYear, Chart};

use super::office::{list, office};
use super::{Arc, BTreeMap, json};

const YEAR: &str = r#"{"Id":"y","StartDate":"2026-01-01T00:00:00","EndDate":"2026-12-31T00:00:00","IsLockedForAccounting":false}"#;
const OLD_YEAR: &str = r#"{"Id":"x","StartDate":"2025-01-01T00:00:00","EndDate":"2025-12-31T00:00:00","IsLockedForAccounting":true}"#;
const CLAIM: &str = r#"{"Id":"viva","IsActive":true,"LedgerAccountNumber":1580,"CurrencyCode":"SEK"}"#;
const BANK: &str = r#"{"Id":"bank","IsActive":true,"LedgerAccountNumber":1930}"#;
const EUROS: &str = r#"{"Id":"euro","IsActive":true,"LedgerAccountNumber":1580,"CurrencyCode":"EUR"}"#;

struct Books<'a> {
    locked: &'a str,
    years: &'a [&'a str],
    codings: &'a [&'a str],
    banks: &'a [&'a str],
    accounts: &'a [&'a str],
    named: Option<&'a str>,
}

const CODINGS: &[&str] = &[
    r#"{"Id":"1","IsActive":true,"VatRatePercent":25,"DomesticSalesSubjectToVatAccountNumber":3041}"#,
    r#"{"Id":"2","IsActive":true,"VatRatePercent":25,"DomesticSalesSubjectToVatAccountNumber":3001}"#,
    r#"{"Id":"3","IsActive":true,"VatRatePercent":0.12,"DomesticSalesSubjectToVatAccountNumber":3052}"#,
    r#"{"Id":"4","IsActive":true,"VatRatePercent":0.12,"DomesticSalesSubjectToVatAccountNumber":3042}"#,
    r#"{"Id":"5","IsActive":false,"VatRatePercent":6,"DomesticSalesSubjectToVatAccountNumber":3003}"#,
    r#"{"Id":"6","IsActive":true,"VatRatePercent":0,"DomesticSalesVatExemptAccountNumber":3004,"DomesticSalesSubjectToVatAccountNumber":null}"#,
];

const PLAIN: Books<'_> = Books {
    locked: "null",
    years: &[YEAR],
    codings: CODINGS,
    banks: &[BANK, EUROS, CLAIM],
    accounts: &[
        r#"{"Number":"2610","IsActive":true}"#,
        r#"{"Number":"2611","IsActive":true}"#,
        r#"{"Number":"2621","IsActive":false}"#,
        r#"{"Number":"2620","IsActive":true}"#,
        r#"{"Number":"2631","IsActive":false}"#,
    ],
    named: None,
};

async fn read(books: Books<'_>) -> Result<Chart, Error> {
    let settings = format!(r#"{{"Name":"AB","AccountingLockedTo":{}}}"#, books.locked);
    let mut replies = vec![json(200, &settings), list(books.years)];
    if !books.years.is_empty() {
        replies.extend([list(books.codings), list(books.banks), list(books.accounts)]);
    }
    let mut office = office(replies);
    if let Some(named) = books.named {
        let mut connection = office.access.connection.as_ref().clone();
        connection.settings.insert("bank_account".to_owned(), named.to_owned());
        office.access.connection = Arc::new(connection);
    }
    let chart = office.visma.read_chart(&office.access).await;
    assert_eq!(office.script.left(), 0, "every reply is asked for");
    chart
}

#[tokio::test]
async fn the_codings_accounts_are_used() {
    let expected = Chart {
        accounts: BTreeMap::from([
            (AccountRole::Sales25, 3001),
            (AccountRole::Sales12, 3042),
            (AccountRole::Sales0, 3004),
            (AccountRole::RoundOff, 3004),
            (AccountRole::PaymentClaim, 1580),
            (AccountRole::Vat25, 2611),
            (AccountRole::Vat12, 2620),
        ]),
        payment_mode: Some("viva".to_owned()),
        cash_method: false,
        locked_through: None,
        card_account: None,
        years: vec![BookYear { from: "2026-01-01".parse().unwrap(), to: "2026-12-31".parse().unwrap() }],
    };
    assert_eq!(read(PLAIN).await.unwrap(), expected);
}

#[tokio::test]
async fn the_named_bank_account_decides() {
    let chart = read(Books { named: Some("1930"), ..PLAIN }).await.unwrap();
    assert_eq!(
        (chart.accounts[&AccountRole::PaymentClaim], chart.payment_mode.as_deref()),
        (1930, Some("bank"))
    );
    let chart = read(Books { banks: &[BANK], ..PLAIN }).await.unwrap();
    assert_eq!((chart.accounts.get(&AccountRole::PaymentClaim), chart.payment_mode), (None, None));
    for named in ["1940", "Viva"] {
        let error = read(Books { named: Some(named), ..PLAIN }).await.unwrap_err();
        assert_eq!(error.code(), "account_missing", "{error}");
    }
}

#[tokio::test]
async fn locked_periods_and_years_are_one_lock() {
    for (locked, years, through) in [
        (r#""2026-09-30T00:00:00""#, &[YEAR][..], Some("2026-09-30")),
        (r#""2026-09-30""#, &[OLD_YEAR, YEAR][..], Some("2026-09-30")),
        (r#""0001-01-01T00:00:00""#, &[YEAR][..], None),
        ("null", &[OLD_YEAR, YEAR][..], Some("2025-12-31")),
    ] {
        let chart = read(Books { locked, years, ..PLAIN }).await.unwrap();
        assert_eq!(chart.locked_through, through.map(|day| day.parse().unwrap()), "{locked}");
    }
}

#[tokio::test]
async fn a_company_without_fiscal_year_is_parked() {
    assert_eq!(read(Books { years: &[], ..PLAIN }).await.unwrap_err().code(), "financial_year_missing");
}
