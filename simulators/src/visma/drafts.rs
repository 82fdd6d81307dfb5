//! Drafts of customer invoices, each of which becomes one invoice at most (`apis/visma.md` 2.3).

use super::books::Books;
use super::call::{Answer, Call, Operation, Outcome, SALES, SALES_READ, operation};
use super::documents::{Kind, accept, totals};
use super::errors::Refusal;
use super::invoices;
use super::lists::{List, by_id, place_of};
use crate::kit::json::{Json, Object, parse};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/customerinvoicedrafts", SALES_READ, list),
    operation("POST", "/v2/customerinvoicedrafts", SALES, create),
    operation("GET", "/v2/customerinvoicedrafts/{id}", SALES_READ, show),
    operation("PUT", "/v2/customerinvoicedrafts/{id}", SALES, replace),
    operation("DELETE", "/v2/customerinvoicedrafts/{id}", SALES, delete),
    operation("POST", "/v2/customerinvoicedrafts/{id}/convert", SALES, convert),
];

/// Drafts cannot be polled for changes: they have no time of change.
const LIST: List = List { filterable: &["Rows/ArticleNumber"], parameters: &[] };
const WHAT: &str = "the customer invoice draft";

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.drafts, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    by_id(&books.drafts, call.param(0), WHAT).map(Answer::shows)
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let draft = accept(books, call, Kind::Draft)?;
    let document = books.stored(draft.clone(), call.now);
    books.drafts.push(document);
    Ok(Answer::created(&draft))
}

fn replace(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.drafts, call.param(0), WHAT)?;
    let mut draft = accept(books, call, Kind::Draft)?;
    for name in ["Id", "CreatedUtc"] {
        draft.set(name, books.drafts[place].fields.text(name));
    }
    books.drafts[place].fields = draft.clone();
    Ok(Answer::shows(&draft))
}

fn delete(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.drafts, call.param(0), WHAT)?;
    books.drafts.remove(place);
    Ok(Answer::done())
}

/// Makes the invoice and takes the draft away. The totals in the body, when there are any, must be the draft's.
fn convert(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.drafts, call.param(0), WHAT)?;
    let mut draft = books.drafts[place].fields.clone();
    if !call.body.is_empty() {
        let body = std::str::from_utf8(&call.body).ok().and_then(|text| parse(text).ok());
        match body {
            Some(Json::Object(expected)) => validate(books, &draft, &expected)?,
            Some(Json::Null) => {}
            _ => return Err(Refusal::invalid("Body", "is no JSON object")),
        }
    }
    let keeps = call.is_set("keepOriginalDraftDate") && call.is_set("overrideCompanyKeepOriginalDraftDate");
    if !keeps && !books.settings.keep_draft_date {
        draft.set("InvoiceDate", super::call::written(call.today()));
    }
    let invoice = invoices::book(books, call, draft)?;
    let place = place_of(&books.drafts, call.param(0), WHAT)?;
    books.drafts.remove(place);
    Ok(Answer::created(&invoice))
}

fn validate(books: &Books, draft: &Object, expected: &Object) -> Result<(), Refusal> {
    let totals = totals(books, draft);
    for (name, actual) in [
        ("TotalAmountInvoiceCurrency", totals.total),
        ("TotalVatAmountInvoiceCurrency", totals.vat),
        ("TotalRoundingsInvoiceCurrency", totals.round_off),
    ] {
        if let Some(Json::Number(expected)) = expected.get(name)
            && *expected != actual
        {
            return Err(Refusal::invalid(name, "is not the draft's"));
        }
    }
    Ok(())
}
