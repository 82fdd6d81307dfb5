//! Articles. VAT and sales account of an invoice's row come from its article's coding (`apis/visma.md` 2.2).

use super::books::Books;
use super::call::{Answer, Call, Operation, Outcome, SALES, SALES_READ, moment, operation};
use super::errors::Refusal;
use super::fields::{Texts, copy_texts, decimal, flag, require};
use super::lists::{List, by_id, place_of};
use crate::kit::json::Object;
use crate::kit::totals::round;

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/articles", SALES_READ, list),
    operation("POST", "/v2/articles", SALES, create),
    operation("GET", "/v2/articles/{id}", SALES_READ, show),
    operation("PUT", "/v2/articles/{id}", SALES, replace),
];

const LIST: List = List {
    filterable: &["Number", "CodingType", "ChangedUtc"],
    parameters: &["showPricesWithTwoDecimals", "customerId"],
};

const TEXTS: Texts = &[("Number", 40), ("Name", 50), ("NameEnglish", 50), ("Note", 4000)];

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.articles, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    by_id(&books.articles, call.param(0), "the article").map(Answer::shows)
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let mut article = accept(books, call, None)?;
    article.set("Id", books.new_id());
    article.set("CreatedUtc", moment(call.now));
    let document = books.stored(article.clone(), call.now);
    books.articles.push(document);
    Ok(Answer::created(&article))
}

fn replace(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.articles, call.param(0), "the article")?;
    let mut article = accept(books, call, Some(call.param(0)))?;
    for name in ["Id", "CreatedUtc"] {
        article.set(name, books.articles[place].fields.text(name));
    }
    books.articles[place].fields = article.clone();
    Ok(Answer::shows(&article))
}

/// Checks what was sent. `id` is that of the article that is replaced.
fn accept(books: &Books, call: &Call, id: Option<&str>) -> Result<Object, Refusal> {
    let input = call.input()?;
    require(&input, &["Number", "Name", "CodingId", "UnitId", "IsActive"])?;
    let mut article = Object::default();
    copy_texts(&input, TEXTS, &mut article)?;
    article.set("IsActive", flag(&input, "IsActive")?);
    let coding = by_id(&books.codings, input.text("CodingId"), "the article account coding")?;
    let unit = by_id(&books.units, input.text("UnitId"), "the unit")?;
    article.set("CodingId", coding.text("Id"));
    article.set("CodingName", coding.text("Name"));
    article.set("IsServiceArticle", coding.text("Type") == "Service");
    article.set("UnitId", unit.text("Id"));
    article.set("UnitName", unit.text("Name"));
    article.set("UnitAbbreviation", unit.text("Abbreviation"));
    let (net, gross) = (decimal(&input, "NetPrice", 2)?, decimal(&input, "GrossPrice", 2)?);
    let percent = rust_decimal::Decimal::ONE_HUNDRED + coding.number("VatRatePercent");
    let agreed = round(net * percent / rust_decimal::Decimal::ONE_HUNDRED);
    if !gross.is_zero() && !net.is_zero() && agreed != gross {
        return Err(Refusal::invalid("GrossPrice", "does not agree with NetPrice"));
    }
    article.set("NetPrice", net);
    article.set("GrossPrice", gross);
    let other = books.articles.iter().find(|other| other.fields.text("Number") == article.text("Number"));
    if other.is_some_and(|other| Some(other.fields.text("Id")) != id) {
        return Err(Refusal::taken(books.settings.conflict_status, "Number"));
    }
    article.set("ChangedUtc", moment(call.now));
    Ok(article)
}
