//! Finding the customer that a buyer is already.
//!
//! Own number first: a customer that Bokbro made costs one call, and the answer is exact and does not lag. A customer
//! that the bookkeeper made costs one search more.

use bokbro_app::error::Error;
use bokbro_domain::effect::Receipt;
use bokbro_domain::order::CustomerKind;
use bokbro_domain::posting::Posting;

use super::api::{Api, Searched};
use super::wire::{Customer, text};
use crate::kit::path_segment;

const PATH: &str = "/3/customers";

/// Looks a buyer up by number, then by organization number, then by e-mail address.
pub(super) async fn find(api: &Api, posting: &Posting) -> Result<Option<Receipt>, Error> {
    let keys = &posting.keys;
    if let Some(receipt) = by_own_number(api, posting).await? {
        return Ok(Some(receipt));
    }
    if let Some(number) = &keys.organisation_number {
        let found = search(api, "organisationnumber", search_part(number)).await?;
        let same = |customer: &Customer| organisation(customer).is_some_and(|other| other == tail(number));
        if let Some(receipt) = lowest(found, same) {
            return Ok(Some(receipt));
        }
    }
    let Some(email) = &keys.email else { return Ok(None) };
    let found = search(api, "email", email).await?;
    Ok(lowest(found, |customer| {
        text(&customer.email).is_some_and(|other| other.trim().to_lowercase() == *email)
            && may_be(customer, posting)
    }))
}

/// Looks up the number that Bokbro gives. An inactive customer cannot be invoiced and counts as absent, and so does one
/// that somebody has given another organization number: the refusal to make it anew then asks a human.
async fn by_own_number(api: &Api, posting: &Posting) -> Result<Option<Receipt>, Error> {
    let keys = &posting.keys;
    let another = |customer: &Customer| match (organisation(customer), &keys.organisation_number) {
        (Some(other), Some(number)) => other != tail(number),
        (None, _) | (_, None) => false,
    };
    let number = &keys.own_number;
    let path = format!("{PATH}/{}", path_segment(number));
    let found: Option<Customer> = api.get("get_customer", &path, "Customer").await?;
    Ok(found
        .filter(|customer| customer.active.to_bool() != Some(false) && !another(customer))
        .and_then(|customer| receipt(&customer)))
}

/// The customer of a number that a person named, if it can be the buyer.
pub(super) async fn by_number(api: &Api, posting: &Posting, number: &str) -> Result<Option<Receipt>, Error> {
    let keys = &posting.keys;
    if number == keys.own_number {
        return by_own_number(api, posting).await;
    }
    let path = format!("{PATH}/{}", path_segment(number));
    let found: Option<Customer> = api.get("get_customer", &path, "Customer").await?;
    let same_organisation = |customer: &Customer| {
        let wanted = keys.organisation_number.as_deref().map(tail);
        wanted.is_some() && organisation(customer).as_deref() == wanted
    };
    let same_email = |customer: &Customer| {
        let email = text(&customer.email).map(|email| email.trim().to_lowercase());
        email.is_some() && email == keys.email && may_be(customer, posting)
    };
    Ok(found
        .filter(|customer| customer.active.to_bool() != Some(false))
        .filter(|customer| same_organisation(customer) || same_email(customer))
        .and_then(|customer| receipt(&customer)))
}

/// What a customer gives to later steps.
pub(super) fn receipt(customer: &Customer) -> Option<Receipt> {
    let external_id = text(&customer.customer_number)?.to_owned();
    Some(Receipt { external_id, ..Receipt::default() })
}

/// Searches active customers. Whether a filter may stand beside a search is not documented
/// (`apis/fortnox.md` 2.3), so a refusal is taken back by searching without it.
async fn search(api: &Api, by: &'static str, value: &str) -> Result<Vec<Customer>, Error> {
    let query = [(by, value), ("filter", "active")];
    match api.search("search_customers", PATH, "Customers", &query).await? {
        Searched::Found(customers) => Ok(customers),
        Searched::BadParameter => api.list("search_customers", PATH, "Customers", &[(by, value)]).await,
    }
}

/// The lowest number of those that fit, so that every worker takes the same.
fn lowest(found: Vec<Customer>, fits: impl Fn(&Customer) -> bool) -> Option<Receipt> {
    let fitting = found.iter().filter(|c| c.active.to_bool() != Some(false) && fits(c));
    let mut receipts: Vec<Receipt> = fitting.filter_map(receipt).collect();
    receipts.sort_by_cached_key(|receipt| number_order(&receipt.external_id));
    receipts.into_iter().next()
}

/// Order of document and customer numbers: numbers by value, then other texts.
pub(super) fn number_order(number: &str) -> (u64, String) {
    (number.parse().unwrap_or(u64::MAX), number.to_owned())
}

/// Whether a customer with the buyer's e-mail address can be the buyer: not when it has another organization number,
/// and not when it is a company and the buyer a person who shops from work.
fn may_be(customer: &Customer, posting: &Posting) -> bool {
    match (organisation(customer), &posting.keys.organisation_number) {
        (None, _) => true,
        (Some(other), Some(number)) => other == tail(number),
        (Some(other), None) => posting.customer.kind == CustomerKind::Company || !is_legal_person(&other),
    }
}

/// The last ten digits: Fortnox shows organization numbers as typed, with or without dash and century.
pub(super) fn organisation(customer: &Customer) -> Option<String> {
    let digits: String = text(&customer.organisation_number)?.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { None } else { Some(tail(&digits).to_owned()) }
}

fn tail(digits: &str) -> &str {
    digits.len().checked_sub(10).and_then(|at| digits.get(at..)).unwrap_or(digits)
}

/// The digits before the dash: a substring of the number however it was typed.
fn search_part(digits: &str) -> &str {
    let tail = tail(digits);
    tail.get(..6).unwrap_or(tail)
}

/// In a personal identity number (personnummer) the third digit begins the month; elsewhere it is 2 or more.
fn is_legal_person(ten_digits: &str) -> bool {
    ten_digits.as_bytes().get(2).is_some_and(|third| *third >= b'2')
}
