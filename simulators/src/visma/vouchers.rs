//! Vouchers (`apis/visma.md` 2.2): balanced, never changed, read by fiscal year.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::books::{Books, Document, Origin, account_number};
use super::call::{Answer, BOOKS, BOOKS_READ, Call, Operation, Outcome, day, operation};
use super::errors::Refusal;
use super::fields::{Texts, copy_texts, date, decimal, require};
use super::lists::{List, by_id};
use crate::kit::json::{Json, Object};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/vouchers", BOOKS_READ, list),
    operation("POST", "/v2/vouchers", BOOKS, create),
    operation("GET", "/v2/vouchers/{year}", BOOKS_READ, list_year),
    operation("GET", "/v2/vouchers/{year}/{id}", BOOKS_READ, show),
];

const LIST: List = List { filterable: &["VoucherDate", "ModifiedUtc"], parameters: &[] };

/// `VoucherType` of one that was made by hand.
pub(super) const BY_HAND: u32 = 2;

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.vouchers, &books.settings)
}

fn of_year(books: &Books, year: &str) -> Result<Vec<Document>, Refusal> {
    let year = by_id(&books.years, year, "the fiscal year")?;
    let [from, to] = ["StartDate", "EndDate"].map(|name| day(year.text(name)));
    let inside = |voucher: &&Document| {
        let date = day(voucher.fields.text("VoucherDate"));
        date >= from && date <= to
    };
    let found = books.vouchers.iter().filter(inside);
    Ok(found.map(|one| Document { fields: one.fields.clone(), listed_from: one.listed_from }).collect())
}

fn list_year(books: &mut Books, call: &Call) -> Outcome {
    let vouchers = of_year(books, call.param(0))?;
    LIST.answer(call, &vouchers, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let vouchers = of_year(books, call.param(0))?;
    by_id(&vouchers, call.param(1), "the voucher").map(Answer::shows)
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let input = call.input()?;
    require(&input, &["VoucherText", "Rows"])?;
    let mut texts = Object::default();
    copy_texts(&input, &[("VoucherText", 1000), ("NumberSeries", 10)], &mut texts)?;
    let voucher_date = date(&input, "VoucherDate")?.unwrap_or_else(|| call.today());
    books.bookable(voucher_date)?;
    let rows = rows_of(books, &input, voucher_date, &[("TransactionText", 60)])?;
    balanced(&rows)?;
    let by_default = call.query.get("useDefaultVoucherSeries").is_none_or(|value| value != "false");
    let series = if by_default { "A" } else { texts.text("NumberSeries") };
    if series.is_empty() {
        return Err(Refusal::invalid("NumberSeries", "is required"));
    }
    let origin = Origin {
        date: voucher_date,
        text: texts.text("VoucherText").to_owned(),
        kind: BY_HAND,
        source: None,
    };
    Ok(Answer::created(&books.add_voucher(origin, series, rows, call.now)))
}

/// The rows of a voucher or of a draft of one, on accounts of the year that holds a day; `texts` says how long a
/// row's may be.
///
/// # Errors
/// When an account is not in use or an amount is not one.
pub(super) fn rows_of(books: &Books, input: &Object, on: Date, texts: Texts) -> Result<Vec<Json>, Refusal> {
    let year = books.year_of(on);
    let mut rows = Vec::new();
    for row in input.objects("Rows") {
        let account = account_number(row, "AccountNumber").unwrap_or_default();
        let known = books.accounts.iter().any(|known| {
            year.is_none_or(|year| known.fields.text("FiscalYearId") == year.text("Id"))
                && known.fields.text("Number") == account.to_string()
                && known.fields.flag("IsActive")
        });
        if !known {
            return Err(Refusal::new(400, 3002, "AccountNotFoundException - The account was not found"));
        }
        let (debit, credit) = (decimal(row, "DebitAmount", 2)?, decimal(row, "CreditAmount", 2)?);
        if debit < Decimal::ZERO || credit < Decimal::ZERO {
            return Err(Refusal::invalid("Rows", "hold a negative amount"));
        }
        let mut kept = Object::default()
            .with("AccountNumber", account)
            .with("DebitAmount", debit)
            .with("CreditAmount", credit);
        copy_texts(row, texts, &mut kept)?;
        rows.push(Json::from(kept));
    }
    Ok(rows)
}

/// # Errors
/// When there are no rows, or they do not add up to nothing.
pub(super) fn balanced(rows: &[Json]) -> Result<(), Refusal> {
    let side = |row: &Json| match row {
        Json::Object(row) => row.number("DebitAmount") - row.number("CreditAmount"),
        _ => Decimal::ZERO,
    };
    let sum: Decimal = rows.iter().map(side).sum();
    if rows.is_empty() || !sum.is_zero() {
        return Err(Refusal::invalid("Rows", "do not balance"));
    }
    Ok(())
}
