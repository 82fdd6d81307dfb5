//! Vouchers: those that documents write, and those written by hand.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::books::{Books, Document};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::chart::VOUCHER_SERIES;
use super::documents::VOUCHER;
use super::errors::{Refusal, UNRECORDED};
use super::fields::{accept, initial, merge};
use super::invoices::date_of;
use super::json::{Json, Object};
use super::lists::{List, Search, as_it_is, no_filter};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/vouchers", "bookkeeping", list),
    operation("POST", "/3/vouchers", "bookkeeping", create),
    operation("GET", "/3/vouchers/sublist", "bookkeeping", list),
    operation("GET", "/3/vouchers/sublist/{series}", "bookkeeping", list_series),
    operation("GET", "/3/vouchers/{series}/{number}", "bookkeeping", show),
    operation("GET", "/3/voucherseries", "bookkeeping", list_all_series),
    operation("GET", "/3/voucherseries/{code}", "bookkeeping", show_series),
];

const LIST: List = List {
    envelope: "Vouchers",
    fields: &[
        "@url",
        "ApprovalState",
        "Comments",
        "Description",
        "ReferenceNumber",
        "ReferenceType",
        "TransactionDate",
        "VoucherNumber",
        "VoucherSeries",
        "Year",
    ],
    search: &[
        ("financialyear", Search::Exactly("Year")),
        ("fromdate", Search::From("TransactionDate")),
        ("todate", Search::To("TransactionDate")),
        ("lastmodified", Search::LastModified),
        ("costcenter", Search::Part("CostCenter")),
    ],
    sort: &[("vouchernumber", "VoucherNumber"), ("transactiondate", "TransactionDate")],
    filter: no_filter,
    item: as_it_is,
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    year_of(books, call)?;
    LIST.answer(call, books.vouchers.iter())
}

fn list_series(books: &mut Books, call: &Call) -> Outcome {
    year_of(books, call)?;
    LIST.answer(
        call,
        books.vouchers.iter().filter(|voucher| voucher.fields.text("VoucherSeries") == call.param(0)),
    )
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    call.only_parameters(&["financialyear"])?;
    let year = year_of(books, call)?;
    let is_it = |voucher: &&Document| {
        voucher.fields.text("VoucherSeries") == call.param(0)
            && voucher.fields.number("VoucherNumber").to_string() == call.param(1)
            && voucher.fields.number("Year") == Decimal::from(year)
    };
    let voucher = books
        .vouchers
        .iter()
        .find(is_it)
        .ok_or_else(|| Refusal::not_found(UNRECORDED, "Kan inte hitta verifikationen."))?;
    Ok(Answer::shows("Voucher", voucher.fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    call.only_parameters(&["financialyear"])?;
    let year = year_of(books, call)?;
    let given = accept(&call.input("Voucher")?, VOUCHER, &|account| books.accounts.contains_key(&account))?;
    for field in ["Description", "TransactionDate", "VoucherSeries"] {
        if given.text(field).is_empty() {
            return Err(Refusal::missing(field));
        }
    }
    if given.objects("VoucherRows").any(|row| row.get("Account").is_none()) {
        return Err(Refusal::missing("Account"));
    }
    let series = given.text("VoucherSeries").to_owned();
    if !VOUCHER_SERIES.iter().any(|&(code, _, manual)| code == series && manual) {
        return Err(Refusal::not_now(format!(
            "Verifikationsserien {series} tillåter inte manuella verifikationer."
        )));
    }
    let date = date_of(&given, "TransactionDate").ok_or_else(Refusal::wrong_data)?;
    let named_year = given.get("Year").map_or(Decimal::from(year), |_| given.number("Year"));
    if books.bookable(date, 2_000_401)? != year || named_year != Decimal::from(year) {
        return Err(Refusal::not_now("Datumet ligger utanför räkenskapsåret."));
    }
    let sum: Decimal =
        given.objects("VoucherRows").map(|row| row.number("Debit") - row.number("Credit")).sum();
    if !sum.is_zero() {
        return Err(Refusal::not_now("Verifikationen balanserar inte."));
    }
    let mut voucher = initial(VOUCHER);
    merge(&mut voucher, given);
    let row_fields = |row: &Object| -> Json {
        let mut full = Object::default();
        for (name, value) in
            [("CostCenter", ""), ("Description", ""), ("Project", ""), ("TransactionInformation", "")]
        {
            full.set(name, value);
        }
        full = full.with("Debit", 0_u32).with("Credit", 0_u32).with("Quantity", 0_u32).with("Removed", false);
        merge(&mut full, row.clone());
        full.into()
    };
    let rows: Vec<Json> = voucher.objects("VoucherRows").map(row_fields).collect();
    voucher.set("VoucherRows", rows);
    let voucher = books.add_voucher(voucher, &series, year, "MANUAL", "", call.now);
    Ok(Answer::created("Voucher", voucher, "vouchers"))
}

/// The year that the query names, or the latest, which stands for the one that the user last looked at.
fn year_of(books: &Books, call: &Call) -> Result<u32, Refusal> {
    let latest = books.years.iter().max_by_key(|year| year.to).map(|year| year.id);
    match call.query.get("financialyear") {
        None => latest.ok_or_else(|| Refusal::not_now("Räkenskapsår saknas.")),
        // A date is refused here although other resources take one (`apis/fortnox.md` 2.9).
        Some(text) if text.parse::<Date>().is_ok() => Err(Refusal::bad_parameter()),
        Some(text) => books
            .years
            .iter()
            .map(|year| year.id)
            .find(|id| id.to_string() == *text)
            .ok_or_else(Refusal::bad_parameter),
    }
}

fn series(books: &Books, code: &str) -> Option<Object> {
    let year = books.years.iter().max_by_key(|year| year.to)?.id;
    let &(code, description, manual) = VOUCHER_SERIES.iter().find(|(known, _, _)| *known == code)?;
    Some(
        Object::default()
            .with("@url", format!("https://api.fortnox.se/3/voucherseries/{code}"))
            .with("Code", code)
            .with("Description", description)
            .with("Manual", manual)
            .with("NextVoucherNumber", books.next_voucher_number(code, year))
            .with("Year", year),
    )
}

fn list_all_series(books: &mut Books, call: &Call) -> Outcome {
    const SERIES: List = List {
        envelope: "VoucherSeriesCollection",
        fields: &["@url", "Code", "Description", "Manual", "Year"],
        search: &[("financialyear", Search::Any), ("financialyeardate", Search::Any)],
        sort: &[],
        filter: no_filter,
        item: as_it_is,
    };
    let documents: Vec<Document> = VOUCHER_SERIES
        .iter()
        .filter_map(|(code, _, _)| series(books, code))
        .map(super::registers::listed)
        .collect();
    SERIES.answer(call, documents.iter())
}

fn show_series(books: &mut Books, call: &Call) -> Outcome {
    let found = series(books, call.param(0));
    let found = found.ok_or_else(|| Refusal::not_found(UNRECORDED, "Kan inte hitta verifikationsserien."))?;
    Ok(Answer::shows("VoucherSeries", found))
}
