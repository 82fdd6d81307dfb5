//! Customers.

use jiff::Timestamp;

use super::books::{Books, next_number, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::chart::COUNTRIES;
use super::documents::CUSTOMER;
use super::errors::Refusal;
use super::fields::{accept, initial, merge};
use super::json::{Json, Object};
use super::lists::{List, Search, as_it_is};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/customers", "customer", list),
    operation("POST", "/3/customers", "customer", create),
    operation("GET", "/3/customers/{number}", "customer", show),
    operation("PUT", "/3/customers/{number}", "customer", update),
    operation("DELETE", "/3/customers/{number}", "customer", delete),
];

const LIST: List = List {
    envelope: "Customers",
    fields: &[
        "@url",
        "Address1",
        "Address2",
        "City",
        "CustomerNumber",
        "Email",
        "Name",
        "OrganisationNumber",
        "Phone1",
        "ZipCode",
    ],
    search: &[
        ("customernumber", Search::Part("CustomerNumber")),
        ("name", Search::Part("Name")),
        ("zipcode", Search::Part("ZipCode")),
        ("city", Search::Part("City")),
        ("email", Search::Part("Email")),
        ("phone", Search::Part("Phone1")),
        ("organisationnumber", Search::Part("OrganisationNumber")),
        ("gln", Search::Part("GLN")),
        ("glndelivery", Search::Part("GLNDelivery")),
        ("lastmodified", Search::LastModified),
    ],
    sort: &[("customernumber", "CustomerNumber"), ("name", "Name")],
    filter: |customer, value, _| match value {
        "active" => Some(customer.flag("Active")),
        "inactive" => Some(!customer.flag("Active")),
        _ => None,
    },
    item: |mut item| {
        let phone = item.0.remove("Phone1").unwrap_or(Json::Null);
        item.set("Phone", phone);
        // Single customers show null where lists show empty text.
        for value in item.0.values_mut().filter(|value| **value == Json::Null) {
            *value = "".into();
        }
        as_it_is(item)
    },
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, books.customers.iter())
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    Ok(Answer::shows("Customer", books.customers[at].fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let given = accept(&call.input("Customer")?, CUSTOMER, &|account| books.accounts.contains_key(&account))?;
    if given.text("Name").is_empty() {
        return Err(Refusal::missing("Name"));
    }
    let number = match given.text("CustomerNumber") {
        "" => {
            let mut number = next_number(&books.customers, "CustomerNumber");
            while books.customer_numbers.contains(&number.to_string()) {
                number += 1;
            }
            number.to_string()
        }
        own if books.customer_numbers.contains(own) => {
            return Err(Refusal::invalid(2_000_637, format!("Kundnummer {own} används redan.")));
        }
        own => own.to_owned(),
    };
    let mut customer = initial(CUSTOMER);
    merge(&mut customer, given);
    name_countries(&mut customer)?;
    customer.set("CustomerNumber", number.clone());
    customer.set("@url", format!("https://api.fortnox.se/3/customers/{number}"));
    books.customer_numbers.insert(number);
    let document = books.written(customer.clone(), call.now);
    books.customers.push(document);
    // The answer to a POST has shown this account as a number, later reads as text (`apis/fortnox.md` 2.6).
    if !customer.text("SalesAccount").is_empty() {
        let account = customer.number("SalesAccount");
        customer.set("SalesAccount", account);
    }
    Ok(Answer::created("Customer", customer, "customers"))
}

fn update(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let given = accept(&call.input("Customer")?, CUSTOMER, &|account| books.accounts.contains_key(&account))?;
    let mut customer = books.customers[at].fields.clone();
    let number = customer.text("CustomerNumber").to_owned();
    merge(&mut customer, given);
    if customer.text("CustomerNumber") != number {
        return Err(Refusal::not_now("Kundnumret kan inte ändras."));
    }
    name_countries(&mut customer)?;
    books.customers[at].fields = customer.clone();
    books.customers[at].modified = call.now;
    Ok(Answer::shows("Customer", customer))
}

/// Gives a customer another number, which people can do in the program; its documents follow, without counting as changed.
///
/// # Errors
/// When there is no such customer, or when the number was used before.
pub(super) fn renumber(books: &mut Books, from: &str, to: &str, now: Timestamp) -> Result<(), String> {
    let at = position(&books.customers, "CustomerNumber", from)
        .ok_or_else(|| format!("there is no customer {from}"))?;
    if !books.customer_numbers.insert(to.to_owned()) {
        return Err(format!("number {to} was used before"));
    }
    let customer = &mut books.customers[at];
    customer.fields.set("CustomerNumber", to);
    customer.fields.set("@url", format!("https://api.fortnox.se/3/customers/{to}"));
    customer.modified = now;
    for document in books.orders.iter_mut().chain(&mut books.invoices) {
        if document.fields.text("CustomerNumber") == from {
            document.fields.set("CustomerNumber", to);
        }
    }
    Ok(())
}

fn delete(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let number = books.customers[at].fields.text("CustomerNumber");
    if books
        .orders
        .iter()
        .chain(&books.invoices)
        .any(|document| document.fields.text("CustomerNumber") == number)
    {
        return Err(Refusal::not_now("Kunden används och kan inte tas bort."));
    }
    books.customers.remove(at);
    Ok(Answer::gone())
}

fn find(books: &Books, call: &Call) -> Result<usize, Refusal> {
    position(&books.customers, "CustomerNumber", call.param(0)).ok_or_else(Refusal::customer_not_found)
}

/// Sets the Swedish names of the customer's countries.
fn name_countries(customer: &mut Object) -> Result<(), Refusal> {
    for (code, name) in [
        ("CountryCode", "Country"),
        ("DeliveryCountryCode", "DeliveryCountry"),
        ("VisitingCountryCode", "VisitingCountry"),
    ] {
        let wanted = customer.text(code);
        if wanted.is_empty() {
            continue;
        }
        let (_, swedish) = COUNTRIES
            .iter()
            .find(|(known, _)| *known == wanted)
            .ok_or_else(|| Refusal::not_now(format!("Ogiltig landskod ({wanted}).")))?;
        customer.set(name, *swedish);
    }
    Ok(())
}

/// What an order or invoice takes over from its customer.
///
/// # Errors
/// When the customer does not exist or is not active.
pub(super) fn carried_over(books: &Books, number: &str) -> Result<Object, Refusal> {
    if number.is_empty() {
        return Err(Refusal::missing("CustomerNumber"));
    }
    let at = position(&books.customers, "CustomerNumber", number)
        .ok_or_else(|| Refusal::invalid(2_000_204, format!("Kunde inte hämta/hitta kund ({number}).")))?;
    let customer = &books.customers[at].fields;
    if !customer.flag("Active") {
        return Err(Refusal::not_now("Kunden är inte aktiv."));
    }
    let mut carried = Object::default();
    for (of_document, of_customer) in [
        ("CustomerName", "Name"),
        ("Address1", "Address1"),
        ("Address2", "Address2"),
        ("City", "City"),
        ("Country", "Country"),
        ("ZipCode", "ZipCode"),
        ("DeliveryAddress1", "DeliveryAddress1"),
        ("DeliveryAddress2", "DeliveryAddress2"),
        ("DeliveryCity", "DeliveryCity"),
        ("DeliveryCountry", "DeliveryCountry"),
        ("DeliveryName", "DeliveryName"),
        ("DeliveryZipCode", "DeliveryZipCode"),
        ("Currency", "Currency"),
        ("OrganisationNumber", "OrganisationNumber"),
        ("OurReference", "OurReference"),
        ("Phone1", "Phone1"),
        ("Phone2", "Phone2"),
        ("TermsOfPayment", "TermsOfPayment"),
        ("YourReference", "YourReference"),
    ] {
        let value = customer.text(of_customer);
        if !value.is_empty() {
            carried.set(of_document, value);
        }
    }
    let email = Object::default().with("EmailAddressTo", customer.text("Email"));
    Ok(carried.with("EmailInformation", email))
}
