//! What a ledger program holds, in words that are the same for all of them, so that one verdict judges them all.

mod fortnox;
mod visma;

use std::collections::BTreeMap;

use bokbro_simulators::visma::VismaConfig;
use rust_decimal::Decimal;
use serde_json::Value;

use super::case::Program;
use crate::world::{COMPANY, World};

/// Everything that the verdict looks at.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) customers: Vec<Customer>,
    pub(super) orders: Vec<SalesOrder>,
    /// Drafts that nothing became of.
    pub(super) drafts: Vec<Draft>,
    /// Invoices and credit invoices.
    pub(super) invoices: Vec<Invoice>,
    /// Money that came and, with a minus, money that went.
    pub(super) payments: Vec<Payment>,
    pub(super) vouchers: Vec<Voucher>,
}

/// A buyer.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) number: String,
    /// Organization number of a company, e-mail address in lower case of a person; empty for somebody unknown.
    pub(super) identity: String,
}

/// An order that an invoice is made from.
#[derive(Debug)]
pub(super) struct SalesOrder {
    pub(super) number: String,
    pub(super) reference: String,
    /// Number of its invoice.
    pub(super) invoice: String,
}

/// An invoice to be.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) reference: String,
}

/// An invoice, or a credit invoice with everything negative.
#[derive(Debug)]
pub(super) struct Invoice {
    pub(super) number: String,
    pub(super) reference: String,
    /// Number of the customer.
    pub(super) customer: String,
    /// Number of the order that it was made from.
    pub(super) order: Option<String>,
    pub(super) date: String,
    /// Whether it counts in the books and was not taken back.
    pub(super) stands: bool,
    pub(super) total: Decimal,
    pub(super) vat: Decimal,
    /// What is left to be paid.
    pub(super) balance: Decimal,
    pub(super) rows: Vec<Row>,
    /// Whether the rows' prices have the VAT in them.
    pub(super) includes_vat: bool,
    /// Key of its voucher.
    pub(super) voucher: String,
}

/// A row that something is asked for.
#[derive(Debug)]
pub(super) struct Row {
    /// In percent.
    pub(super) rate: Decimal,
    pub(super) quantity: Decimal,
    /// Of one, in kronor.
    pub(super) price: Decimal,
}

/// A payment of an invoice.
#[derive(Debug)]
pub(super) struct Payment {
    /// Its number, where it has one.
    pub(super) number: Option<String>,
    /// Number of the invoice.
    pub(super) invoice: String,
    pub(super) date: String,
    pub(super) stands: bool,
    pub(super) amount: Decimal,
    /// Account that the money is claimed on.
    pub(super) account: String,
    pub(super) voucher: String,
}

/// A voucher.
#[derive(Debug)]
pub(super) struct Voucher {
    pub(super) key: String,
    pub(super) date: String,
    /// By account: debit positive, credit negative.
    pub(super) entries: BTreeMap<u64, Decimal>,
}

impl Books {
    /// What the day's ledger program holds.
    pub(super) fn of(world: &World, program: Program) -> Self {
        match program {
            Program::Fortnox => fortnox::read(&world.fortnox.books(COMPANY)),
            Program::Visma | Program::VismaWithoutRotation => {
                let company = &VismaConfig::default().companies[0];
                visma::read(&world.visma.books(&company.customer_id))
            }
        }
    }

    /// How many documents of each kind there are.
    pub(super) fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("customers", self.customers.len()),
            ("orders", self.orders.len()),
            ("drafts", self.drafts.len()),
            ("invoices", self.invoices.len()),
            ("payments", self.payments.len()),
            ("vouchers", self.vouchers.len()),
        ]
    }

    /// The document that a step made for an order, as a person finds it there by its reference and names it.
    pub(super) fn number_of(&self, step: &str, reference: &str) -> Option<String> {
        match step {
            "order" => {
                self.orders.iter().find(|one| one.reference == reference).map(|one| one.number.clone())
            }
            "draft" => self.drafts.iter().find(|one| one.reference == reference).map(|one| one.id.clone()),
            "invoice" => {
                self.invoices.iter().find(|one| one.reference == reference).map(|one| one.number.clone())
            }
            _ => None,
        }
    }
}

/// Kronor, or any other number, from a member of a document, however it is spelled.
fn number(value: &Value) -> Decimal {
    value.to_string().trim_matches('"').parse().unwrap_or(Decimal::MIN)
}

/// A document's member as text.
fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or_default()
}

/// The same of a number.
fn plain(document: &Value, name: &str) -> String {
    document[name].as_str().map_or_else(|| document[name].to_string(), str::to_owned)
}

/// Documents of one kind.
fn all<'a>(books: &'a Value, kind: &str) -> &'a [Value] {
    books[kind].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What the rows of a voucher add up to by account; rows have these names.
fn entries(voucher: &Value, [rows, account, debit, credit]: [&str; 4]) -> BTreeMap<u64, Decimal> {
    let mut entries: BTreeMap<u64, Decimal> = BTreeMap::new();
    for row in all(voucher, rows) {
        *entries.entry(row[account].as_u64().unwrap_or_default()).or_default() +=
            number(&row[debit]) - number(&row[credit]);
    }
    entries
}
