//! Reading the registers of customers and invoices back, page by page in the order of their numbers.
//!
//! Lists are live, so the order must be one that changes do not disturb: numbers stay, and new ones come last
//! (`apis/fortnox.md` 2.3). Rows of lists are summaries; what they lack is read with the document itself.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Contents, Entry, Register, RegisterPage, Registers, Span};
use bokbro_domain::money::Currency;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Fortnox;
use super::api::{Api, ListPage};
use super::customers::organisation;
use super::wire::{Customer, Invoice, day, money, reference, text};
use crate::kit::path_segment;

/// The time zone that `lastmodified` is written in. Which one Fortnox reads it in is not documented (`apis/fortnox.md`
/// 2.3): UTC or Sweden's. Sweden's clocks are always ahead, so what is written in UTC is read as that very time or as one
/// or two hours before it, and leaves nothing out either way.
const WRITTEN_IN: TimeZone = TimeZone::UTC;
/// `lastmodified` has no seconds.
const MINUTES: &str = "%Y-%m-%d %H:%M";
/// Whether a change in the very minute counts is not documented either, so the one before it is asked for.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

#[async_trait]
impl Registers for Fortnox {
    async fn page(
        &self,
        access: &Access,
        register: Register,
        span: Span,
        number: u32,
    ) -> Result<RegisterPage, Error> {
        let (api, query) = (self.api(access), query(register, span));
        let operation = list_operation(register);
        match register {
            Register::Customers => {
                let page = api.list_page(operation, "/3/customers", "Customers", &query, number).await?;
                read(&api, operation, page, customer)
            }
            Register::Invoices => {
                let page = api.list_page(operation, "/3/invoices", "Invoices", &query, number).await?;
                read(&api, operation, page, invoice)
            }
        }
    }

    async fn entry(
        &self,
        access: &Access,
        register: Register,
        external_id: &str,
    ) -> Result<Option<Entry>, Error> {
        let (api, number) = (self.api(access), path_segment(external_id));
        let (operation, entry) = match register {
            Register::Customers => {
                let operation = "get_customer";
                let found = api.get(operation, &format!("/3/customers/{number}"), "Customer").await?;
                (operation, found.as_ref().map(customer))
            }
            Register::Invoices => {
                let operation = "get_invoice";
                let found = api.get(operation, &format!("/3/invoices/{number}"), "Invoice").await?;
                (operation, found.as_ref().map(invoice))
            }
        };
        entry.map(|entry| entry.ok_or_else(|| api.unnumbered(operation))).transpose()
    }
}

fn list_operation(register: Register) -> &'static str {
    match register {
        Register::Customers => "list_customers",
        Register::Invoices => "list_invoices",
    }
}

/// What is asked for, besides size and number of the page.
fn query(register: Register, span: Span) -> Vec<(&'static str, String)> {
    let by = match register {
        Register::Customers => "customernumber",
        Register::Invoices => "documentnumber",
    };
    let mut query = vec![("sortby", by.to_owned()), ("sortorder", "ascending".to_owned())];
    match (register, span) {
        (_, Span::All) | (Register::Customers, Span::Days(..)) => {}
        (_, Span::Since(since)) => query.push(("lastmodified", last_modified(since))),
        (Register::Invoices, Span::Days(first, last)) => {
            query.extend([("fromdate", first.to_string()), ("todate", last.to_string())]);
        }
    }
    query
}

fn last_modified(since: Timestamp) -> String {
    let from = since.checked_sub(MARGIN).unwrap_or(since);
    from.to_zoned(WRITTEN_IN).strftime(MINUTES).to_string()
}

fn read<T>(
    api: &Api,
    operation: &'static str,
    page: ListPage<T>,
    entry: fn(&T) -> Option<Entry>,
) -> Result<RegisterPage, Error> {
    let entries: Option<Vec<Entry>> = page.items.iter().map(entry).collect();
    let entries = entries.ok_or_else(|| api.unnumbered(operation))?;
    Ok(RegisterPage { entries, total: page.total, more: page.more })
}

/// A customer; `None` when its number is missing. Only the document itself tells whether it is active; a row of a list
/// counts as active.
fn customer(customer: &Customer) -> Option<Entry> {
    let number = text(&customer.customer_number)?.to_owned();
    let contents = Contents::Customer {
        organisation_number: organisation(customer),
        email: text(&customer.email).map(|email| email.trim().to_lowercase()),
        active: customer.active.to_bool() != Some(false),
    };
    Some(Entry { external_id: number.clone(), number, changed_at: None, contents })
}

/// An invoice; `None` when its number is missing.
fn invoice(invoice: &Invoice) -> Option<Entry> {
    let number = text(&invoice.document_number)?.to_owned();
    // Kronor where the row does not say; amounts in a currency that Bokbro does not know are left out.
    let currency = text(&invoice.currency).map_or(Ok(Currency::SEK), Currency::parse).ok();
    let amount = |member| currency.and_then(|currency| money(member, currency));
    // A credit invoice refers to the invoice that it takes back by the same member.
    let is_credit = invoice.credit.to_bool() == Some(true);
    let contents = Contents::Invoice {
        reference: text(&invoice.external_invoice_reference1).map(str::to_owned),
        customer_id: text(&invoice.customer_number).map(str::to_owned),
        customer_number: text(&invoice.customer_number).map(str::to_owned),
        date: day(&invoice.invoice_date),
        total: amount(&invoice.total),
        balance: amount(&invoice.balance),
        booked: invoice.booked.to_bool(),
        canceled: invoice.cancelled.to_bool() == Some(true),
        credited: !is_credit && reference(&invoice.credit_invoice_reference).is_some(),
        paid_on: day(&invoice.final_pay_date),
    };
    Some(Entry { external_id: number.clone(), number, changed_at: None, contents })
}
