//! Customers (`apis/visma.md` 2.2).

use super::books::Books;
use super::call::{Answer, Call, Operation, Outcome, SALES, SALES_READ, moment, operation};
use super::errors::Refusal;
use super::fields::{Texts, copy_texts, flag, require};
use super::lists::{List, by_id, place_of};
use crate::kit::json::Object;

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/customers", SALES_READ, list),
    operation("POST", "/v2/customers", SALES, create),
    operation("GET", "/v2/customers/{id}", SALES_READ, show),
    operation("PUT", "/v2/customers/{id}", SALES, replace),
    operation("DELETE", "/v2/customers/{id}", SALES, delete),
];

const LIST: List = List {
    filterable: &["IsActive", "CorporateIdentityNumber", "EmailAddress", "ChangedUtc"],
    parameters: &[],
};

const TEXTS: Texts = &[
    ("CustomerNumber", 16),
    ("CorporateIdentityNumber", 20),
    ("CurrencyCode", 3),
    ("EmailAddress", 255),
    ("InvoiceAddress1", 50),
    ("InvoiceAddress2", 50),
    ("InvoiceCity", 50),
    ("InvoicePostalCode", 10),
    ("InvoiceCountryCode", 2),
    ("DeliveryAddress1", 50),
    ("DeliveryAddress2", 50),
    ("DeliveryCity", 50),
    ("DeliveryPostalCode", 10),
    ("DeliveryCountryCode", 2),
    ("DeliveryCustomerName", 100),
    ("Name", 50),
    ("Note", 4000),
    ("MobilePhone", 50),
    ("Telephone", 50),
    ("VatNumber", 20),
];

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.customers, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    by_id(&books.customers, call.param(0), "the customer").map(Answer::shows)
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let mut customer = accept(books, call, None)?;
    if customer.text("CustomerNumber").is_empty() {
        let number = Books::next_number(&books.customers, "CustomerNumber");
        customer.set("CustomerNumber", number.to_string());
    }
    customer.set("Id", books.new_id());
    let document = books.stored(customer.clone(), call.now);
    books.customers.push(document);
    Ok(Answer::created(&customer))
}

fn replace(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.customers, call.param(0), "the customer")?;
    let old = books.customers[place].fields.clone();
    let mut customer = accept(books, call, Some(call.param(0)))?;
    customer.set("Id", old.text("Id"));
    if customer.text("CustomerNumber").is_empty() {
        customer.set("CustomerNumber", old.text("CustomerNumber"));
    }
    books.customers[place].fields = customer.clone();
    Ok(Answer::shows(&customer))
}

fn delete(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.customers, call.param(0), "the customer")?;
    let is_used = |document: &super::books::Document| document.fields.text("CustomerId") == call.param(0);
    if books.drafts.iter().chain(&books.invoices).any(is_used) {
        return Err(Refusal::new(400, 4001, "CanNotBeDeletedException - The customer has transactions"));
    }
    books.customers.remove(place);
    Ok(Answer::done())
}

/// Checks what was sent. `id` is that of the customer that is replaced.
fn accept(books: &Books, call: &Call, id: Option<&str>) -> Result<Object, Refusal> {
    let input = call.input()?;
    require(
        &input,
        &["Name", "InvoiceCity", "InvoicePostalCode", "IsActive", "IsPrivatePerson", "TermsOfPaymentId"],
    )?;
    let mut customer = Object::default();
    copy_texts(&input, TEXTS, &mut customer)?;
    customer.set("IsActive", flag(&input, "IsActive")?);
    customer.set("IsPrivatePerson", flag(&input, "IsPrivatePerson")?);
    customer.set("DiscountPercentage", super::fields::decimal(&input, "DiscountPercentage", 4)?);
    let terms = by_id(&books.terms, input.text("TermsOfPaymentId"), "the terms of payment")?;
    customer.set("TermsOfPaymentId", terms.text("Id"));
    customer.set("TermsOfPayment", terms.clone());
    for (name, default) in [("CurrencyCode", "SEK"), ("InvoiceCountryCode", "SE")] {
        if customer.text(name).is_empty() {
            customer.set(name, default);
        }
    }
    let number = customer.text("CustomerNumber");
    let other = books.customers.iter().find(|other| other.fields.text("CustomerNumber") == number);
    if !number.is_empty() && other.is_some_and(|other| Some(other.fields.text("Id")) != id) {
        return Err(Refusal::taken(books.settings.conflict_status, "CustomerNumber"));
    }
    customer.set("ChangedUtc", moment(call.now));
    Ok(customer)
}
