//! Reading the registers of customers and invoices back, page by page.
//!
//! Visma documents how lists are filtered and sorted, but not by which properties (`apis/visma.md` 2). So a register is
//! asked for in several ways, the best one first; one that is refused is not tried again while the process lives. What
//! the list could not be filtered by is filtered here.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Contents, Entry, Register, RegisterPage, Registers, Span};
use bokbro_domain::money::{Currency, Money};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::Visma;
use super::api::Api;
use super::customers::organisation;
use super::wire::{Customer, Invoice, Page, Row, day, moment, money};
use crate::kit::{LooseText, path_segment, reasons};

/// Name and value of query parameters, besides size and number of the page.
pub(super) type Query = Vec<(&'static str, String)>;

/// How moments stand in filters; changes are told to the second.
const MOMENT: &str = "%Y-%m-%dT%H:%M:%S.00Z";

/// Which of the ways to ask serves, as far as refusals have taught it.
#[derive(Default)]
pub(super) struct Learned(Mutex<HashMap<(Register, Discriminant<Span>), usize>>);

impl Learned {
    fn first(&self, register: Register, span: &Span) -> usize {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(register, discriminant(span))).copied().unwrap_or_default()
    }

    fn keep(&self, register: Register, span: &Span, way: usize) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((register, discriminant(span)), way);
    }
}

#[async_trait]
impl Registers for Visma {
    async fn page(
        &self,
        access: &Access,
        register: Register,
        span: Span,
        number: u32,
    ) -> Result<RegisterPage, Error> {
        match register {
            Register::Customers => {
                let read = (register, "list_customers", "/v2/customers");
                self.register_page(access, read, span, number, customer).await
            }
            Register::Invoices => {
                let read = (register, "list_invoices", "/v2/customerinvoices");
                self.register_page(access, read, span, number, invoice).await
            }
        }
    }

    async fn entry(
        &self,
        access: &Access,
        register: Register,
        external_id: &str,
    ) -> Result<Option<Entry>, Error> {
        let (api, id) = (self.api(access), path_segment(external_id));
        let (operation, entry) = match register {
            Register::Customers => {
                let operation = "get_customer";
                let found = api.get(operation, &format!("/v2/customers/{id}")).await?;
                (operation, found.as_ref().map(customer))
            }
            Register::Invoices => {
                let operation = "get_invoice";
                let found = api.get(operation, &format!("/v2/customerinvoices/{id}")).await?;
                (operation, found.as_ref().map(invoice))
            }
        };
        entry.map(|entry| entry.ok_or_else(|| api.nameless(operation))).transpose()
    }
}

impl Visma {
    async fn register_page<T: DeserializeOwned>(
        &self,
        access: &Access,
        (register, operation, path): (Register, &'static str, &str),
        span: Span,
        number: u32,
        entry: fn(&T) -> Option<Entry>,
    ) -> Result<RegisterPage, Error> {
        let api = self.api(access);
        let (ways, first) = (ways(register, span), self.learned.first(register, &span));
        for (way, query) in ways.iter().enumerate().skip(first) {
            if let Some(page) = api.list_page(operation, path, query, number).await? {
                if way > first {
                    self.learned.keep(register, &span, way);
                }
                return read(&api, operation, &page, number, span, entry);
            }
        }
        Err(Error::park("visma_6000", reasons::bad_query("Visma", operation)))
    }
}

/// The ways to ask for a register, the best first, the plain list last. Ids and invoice numbers never change, so an order
/// by them holds still while it is read.
fn ways(register: Register, span: Span) -> Vec<Query> {
    let by = match register {
        Register::Customers => "Id",
        Register::Invoices => "InvoiceNumber",
    };
    let sorted = ("$orderby", by.to_owned());
    let narrowed = match (register, span) {
        (_, Span::All) | (Register::Customers, Span::Days(..)) => None,
        (Register::Customers, Span::Since(since)) => {
            Some(("$filter", format!("ChangedUtc ge {}", since.strftime(MOMENT))))
        }
        // This one is the list's own and documented, so it is never done without.
        (Register::Invoices, Span::Since(since)) => {
            let since = ("modifiedSinceUtc", since.strftime(MOMENT).to_string());
            return vec![vec![since.clone(), sorted], vec![since]];
        }
        (Register::Invoices, Span::Days(first, last)) => Some(("$filter", of_days(first, last))),
    };
    let plain = [vec![sorted.clone()], Vec::new()];
    let filtered = narrowed.map(|filter| [vec![filter.clone(), sorted], vec![filter]]);
    filtered.into_iter().flatten().chain(plain).collect()
}

/// A day more on either side: in which zone a day without one is compared is not documented.
fn of_days(first: Date, last: Date) -> String {
    let before = first.yesterday().unwrap_or(first);
    let after = last.tomorrow().unwrap_or(last);
    format!("InvoiceDate ge {before}T00:00:00.00Z and InvoiceDate le {after}T00:00:00.00Z")
}

fn read<T>(
    api: &Api,
    operation: &'static str,
    page: &Page<T>,
    number: u32,
    span: Span,
    entry: fn(&T) -> Option<Entry>,
) -> Result<RegisterPage, Error> {
    let entries: Option<Vec<Entry>> = page.data.iter().map(entry).collect();
    let mut entries = entries.ok_or_else(|| api.nameless(operation))?;
    // Pages may be smaller than was asked for, so only what the page tells counts.
    let pages: u32 = page.meta.pages.parse().ok_or_else(|| api.nameless(operation))?;
    entries.retain(|entry| is_within(entry, span));
    Ok(RegisterPage { entries, total: page.meta.results.parse(), more: number < pages })
}

/// Whether an entry belongs to what is read; one that does not say so does.
fn is_within(entry: &Entry, span: Span) -> bool {
    match (span, &entry.contents) {
        (Span::Since(since), _) => {
            // Changes are told to the second.
            let since = since.checked_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN);
            entry.changed_at.is_none_or(|changed| changed > since)
        }
        (Span::Days(first, last), Contents::Invoice { date, .. }) => {
            date.is_none_or(|date| (first..=last).contains(&date))
        }
        (Span::All, _) | (Span::Days(..), Contents::Customer { .. }) => true,
    }
}

/// A customer; `None` when its id is missing.
fn customer(customer: &Customer) -> Option<Entry> {
    let id = customer.id.as_deref()?.to_lowercase();
    let contents = Contents::Customer {
        organisation_number: organisation(customer),
        email: customer.email_address.as_deref().map(|email| email.trim().to_lowercase()),
        active: customer.is_active.to_bool() != Some(false),
    };
    let number = customer.customer_number.0.clone().unwrap_or_else(|| id.clone());
    Some(Entry { external_id: id, number, changed_at: moment(&customer.changed_utc), contents })
}

/// An invoice; `None` when its id is missing. There is none that is not in the books, and none is canceled: it is credited
/// (`apis/visma.md` 2.1).
fn invoice(invoice: &Invoice) -> Option<Entry> {
    let id = invoice.id.as_deref()?.to_lowercase();
    // Kronor where the invoice does not say; amounts in a currency that Bokbro does not know are left out.
    let currency = invoice.currency_code.as_deref().map_or(Ok(Currency::SEK), Currency::parse).ok();
    let is_credit = invoice.is_credit_invoice.to_bool() == Some(true);
    let amount = |member: &LooseText| {
        let amount = money(member, currency?)?;
        // Which sign a credit invoice's amounts have is not documented.
        Some(if is_credit { Money { minor: -amount.minor.abs(), ..amount } } else { amount })
    };
    let balance = amount(&invoice.remaining_amount_invoice_currency);
    let is_settled = balance.is_some_and(|balance| balance.minor == 0);
    let contents = Contents::Invoice {
        reference: invoice.rows.iter().flatten().find_map(marked).map(str::to_owned),
        customer_id: invoice.customer_id.as_deref().map(str::to_lowercase),
        customer_number: invoice.customer_number.0.clone(),
        date: day(&invoice.invoice_date),
        total: amount(&invoice.total_amount_invoice_currency),
        balance,
        booked: invoice.voucher_id.as_deref().map(|_| true),
        canceled: false,
        credited: invoice.credited_by.as_ref().is_some_and(|credits| !credits.is_empty()),
        paid_on: day(&invoice.payment_date).filter(|_| is_settled),
    };
    let number = invoice.invoice_number.0.clone().unwrap_or_else(|| id.clone());
    Some(Entry { external_id: id, number, changed_at: moment(&invoice.modified_utc), contents })
}

/// The reference in a text row that marks an order's document; other members that hold it are people's to write.
fn marked(row: &Row) -> Option<&str> {
    let (_, behind) = row.text.as_deref()?.strip_prefix("Order ")?.strip_suffix(')')?.rsplit_once('(')?;
    Some(behind).filter(|reference| !reference.is_empty() && !reference.contains(char::is_whitespace))
}
