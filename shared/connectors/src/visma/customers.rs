//! Finding the customer that a buyer is already.
//!
//! Organization number and e-mail address first: Visma is known to filter by them, and they find the customers that
//! Bokbro made as well. The own number is unique at Visma, so that what no search finds cannot be doubled either.

use bokbro_app::error::Error;
use bokbro_domain::effect::Receipt;
use bokbro_domain::order::CustomerKind;
use bokbro_domain::posting::Posting;

use super::api::{Api, Searched, quoted};
use super::map::facts;
use super::wire::Customer;
use crate::kit::LooseText;

const PATH: &str = "/v2/customers";

/// Looks a buyer up by organization number, by e-mail address and by own number. `thorough` reads all customers when the
/// own number cannot be searched for: for the case that it is known to be taken.
pub(super) async fn find(api: &Api, posting: &Posting, thorough: bool) -> Result<Option<Receipt>, Error> {
    let keys = &posting.keys;
    if let Some(number) = &keys.organisation_number {
        let filter = format!("contains(CorporateIdentityNumber,{})", quoted(search_part(number)));
        let found: Vec<Customer> = api.list("search_customers", PATH, Some(&filter)).await?;
        let same = |customer: &Customer| organisation(customer).is_some_and(|other| other == tail(number));
        if let Some(receipt) = best(&found, posting, same) {
            return Ok(Some(receipt));
        }
    }
    if let Some(email) = &keys.email {
        let filter = format!("EmailAddress eq {}", quoted(email));
        let found: Vec<Customer> = api.list("search_customers", PATH, Some(&filter)).await?;
        let same = |customer: &Customer| {
            customer.email_address.as_deref().is_some_and(|other| other.trim().to_lowercase() == *email)
                && may_be(customer, posting)
        };
        if let Some(receipt) = best(&found, posting, same) {
            return Ok(Some(receipt));
        }
    }
    by_own_number(api, posting, thorough).await
}

/// Looks up the number that Bokbro gives.
async fn by_own_number(api: &Api, posting: &Posting, thorough: bool) -> Result<Option<Receipt>, Error> {
    let found = with_number(api, &posting.keys.own_number, thorough).await?;
    let another = |customer: &Customer| match (organisation(customer), &posting.keys.organisation_number) {
        (Some(other), Some(number)) => other != tail(number),
        (None, _) | (_, None) => false,
    };
    Ok(best(&found, posting, |customer| has_own_number(customer, posting) && !another(customer)))
}

/// The customer that a person named, when it can be the buyer.
pub(super) async fn by_number(api: &Api, posting: &Posting, number: &str) -> Result<Option<Receipt>, Error> {
    let found = with_number(api, number, true).await?;
    let is_buyer = |customer: &Customer| {
        let (ours, theirs) = (&posting.keys.organisation_number, organisation(customer));
        let same_email = customer.email_address.as_deref().map(|email| email.trim().to_lowercase());
        ours.as_deref().is_some_and(|ours| theirs.as_deref() == Some(tail(ours)))
            || (posting.keys.email.is_some() && same_email == posting.keys.email && may_be(customer, posting))
            || has_own_number(customer, posting)
    };
    Ok(best(&found, posting, |customer| {
        customer.customer_number.as_deref() == Some(number) && is_buyer(customer)
    }))
}

/// Customers with a number, or all of them when Visma does not filter by it, which is not known.
async fn with_number(api: &Api, number: &str, thorough: bool) -> Result<Vec<Customer>, Error> {
    let filter = format!("CustomerNumber eq {}", quoted(number));
    match api.search("search_customers", PATH, Some(&filter)).await? {
        Searched::Found(customers) => Ok(customers),
        Searched::BadFilter if thorough => api.list("list_customers", PATH, None).await,
        Searched::BadFilter => Ok(Vec::new()),
    }
}

/// What a customer gives to later steps.
pub(super) fn receipt(customer: &Customer) -> Option<Receipt> {
    let id = customer.id.0.clone()?;
    let private = customer.is_private_person.to_bool()?;
    let facts = [(facts::ID, id.clone()), (facts::PRIVATE, private.to_string())];
    let external_id = customer.customer_number.0.clone().unwrap_or(id);
    Some(Receipt { external_id, facts: facts.map(|(name, value)| (name.to_owned(), value)).into() })
}

/// The one with our own number, else the one with the lowest, so that every worker takes the same. An inactive customer
/// cannot be invoiced, and an invoice is in its customer's currency.
fn best(found: &[Customer], posting: &Posting, fits: impl Fn(&Customer) -> bool) -> Option<Receipt> {
    let usable = |customer: &&Customer| {
        customer.is_active.to_bool() != Some(false)
            && customer.currency_code.as_deref().is_none_or(|currency| currency == "SEK")
            && fits(customer)
    };
    let order = |customer: &&Customer| {
        let number = customer.customer_number.as_deref().unwrap_or_default();
        let by_value = number.parse().unwrap_or(u64::MAX);
        (!has_own_number(customer, posting), by_value, number.to_owned())
    };
    found.iter().filter(usable).min_by_key(order).and_then(receipt)
}

fn has_own_number(customer: &Customer, posting: &Posting) -> bool {
    customer.customer_number.as_deref() == Some(&posting.keys.own_number)
}

/// Whether a customer with the buyer's e-mail address can be the buyer: not when it has another organization number,
/// and not when it is a company and the buyer a person who shops from work.
fn may_be(customer: &Customer, posting: &Posting) -> bool {
    match (organisation(customer), &posting.keys.organisation_number) {
        (Some(other), Some(number)) => other == tail(number),
        _ if posting.customer.kind == CustomerKind::Company => true,
        _ => customer.is_private_person.to_bool() != Some(false),
    }
}

/// The last ten digits: organization numbers are shown as typed, with or without dash and century.
pub(super) fn organisation(customer: &Customer) -> Option<String> {
    let digits = |member: &LooseText| -> Option<String> {
        Some(member.as_deref()?.chars().filter(char::is_ascii_digit).collect())
    };
    let digits = digits(&customer.corporate_identity_number).filter(|digits| !digits.is_empty())?;
    Some(tail(&digits).to_owned())
}

fn tail(digits: &str) -> &str {
    digits.len().checked_sub(10).and_then(|at| digits.get(at..)).unwrap_or(digits)
}

/// The digits before the dash: a substring of the number however it was typed.
fn search_part(digits: &str) -> &str {
    let tail = tail(digits);
    tail.get(..6).unwrap_or(tail)
}
