//! Drafts of vouchers, each of which becomes one voucher at most (`apis/visma.md` 2.3).

use super::books::{Books, Origin};
use super::call::{Answer, BOOKS, BOOKS_READ, Call, Operation, Outcome, day, moment, operation, written};
use super::errors::Refusal;
use super::fields::{Texts, copy_texts, date};
use super::lists::{List, by_id, place_of};
use super::vouchers::{BY_HAND, balanced, rows_of};
use crate::kit::json::{Json, Object};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/voucherdrafts", BOOKS_READ, list),
    operation("POST", "/v2/voucherdrafts", BOOKS, create),
    operation("GET", "/v2/voucherdrafts/{id}", BOOKS_READ, show),
    operation("PUT", "/v2/voucherdrafts/{id}", BOOKS, replace),
    operation("DELETE", "/v2/voucherdrafts/{id}", BOOKS, delete),
    operation("POST", "/v2/voucherdrafts/{id}/convert", BOOKS, convert),
];

/// None of its properties is known to be filterable.
const LIST: List = List { filterable: &[], parameters: &[] };
const WHAT: &str = "the voucher draft";
/// Text of a row; a voucher's may be longer.
const ROW_TEXTS: Texts = &[("TransactionText", 50)];

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.voucher_drafts, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    by_id(&books.voucher_drafts, call.param(0), WHAT).map(Answer::shows)
}

/// Whether a draft must balance, or lie in an open year, is not documented: only its conversion checks that.
fn accept(books: &mut Books, call: &Call) -> Result<Object, Refusal> {
    let input = call.input()?;
    let mut draft = Object::default();
    copy_texts(&input, &[("VoucherText", 1000), ("NumberSeries", 10)], &mut draft)?;
    let on = date(&input, "VoucherDate")?.unwrap_or_else(|| call.today());
    let rows = rows_of(books, &input, on, ROW_TEXTS)?;
    Ok(draft.with("VoucherDate", written(on)).with("Rows", rows).with("ModifiedUtc", moment(call.now)))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let draft = accept(books, call)?.with("CreatedUtc", moment(call.now)).with("Id", books.new_id());
    let document = books.stored(draft.clone(), call.now);
    books.voucher_drafts.push(document);
    Ok(Answer::created(&draft))
}

fn replace(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.voucher_drafts, call.param(0), WHAT)?;
    let mut draft = accept(books, call)?;
    for name in ["Id", "CreatedUtc"] {
        draft.set(name, books.voucher_drafts[place].fields.text(name));
    }
    books.voucher_drafts[place].fields = draft.clone();
    Ok(Answer::shows(&draft))
}

fn delete(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.voucher_drafts, call.param(0), WHAT)?;
    books.voucher_drafts.remove(place);
    Ok(Answer::done())
}

/// Makes the voucher and takes the draft away.
fn convert(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.voucher_drafts, call.param(0), WHAT)?;
    let draft = books.voucher_drafts[place].fields.clone();
    let on = day(draft.text("VoucherDate")).unwrap_or_else(|| call.today());
    books.bookable(on)?;
    let rows: Vec<Json> = draft.objects("Rows").map(|row| row.clone().into()).collect();
    balanced(&rows)?;
    let series = Some(draft.text("NumberSeries")).filter(|series| !series.is_empty()).unwrap_or("A");
    let origin = Origin { date: on, text: draft.text("VoucherText").to_owned(), kind: BY_HAND, source: None };
    let voucher = books.add_voucher(origin, series, rows, call.now);
    books.voucher_drafts.remove(place);
    Ok(Answer::created(&voucher))
}
