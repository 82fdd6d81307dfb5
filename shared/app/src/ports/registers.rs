//! Reading a ledger program's registers back: its customers and invoices, whoever made them.

use async_trait::async_trait;
use bokbro_domain::money::Money;
use jiff::Timestamp;
use jiff::civil::Date;

use super::Access;
use crate::error::Error;

/// A register of a ledger program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// Customers (kundregister).
    Customers,
    /// Customer invoices and credit invoices (kundfakturor).
    Invoices,
}

impl Register {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Customers, Self::Invoices];

    /// Its name in keys, cursors and jobs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Invoices => "invoices",
        }
    }
}

/// Which part of a register is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Everything.
    All,
    /// What has changed since a time, by the provider's clock.
    Since(Timestamp),
    /// Documents of these days, first and last included; customers have no day and are all read.
    Days(Date, Date),
}

/// A customer or an invoice as the ledger program has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the provider knows it by for as long as it exists.
    pub external_id: String,
    /// The number that people know it by; may be changed there.
    pub number: String,
    /// When it was changed last, where the provider tells.
    pub changed_at: Option<Timestamp>,
    /// What is in it.
    pub contents: Contents,
}

/// What is in an entry of a register. No names and no addresses: only what is compared and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// A customer.
    Customer {
        /// Digits of the organization number.
        organisation_number: Option<String>,
        /// E-mail address in lower case; stored as a hash only.
        email: Option<String>,
        /// Whether the customer may be used.
        active: bool,
    },
    /// An invoice or a credit invoice.
    Invoice {
        /// Our reference, where the list shows one of its own member; exact, whoever wrote it.
        reference: Option<String>,
        /// `external_id` of the customer it is to: it stays when people give the customer another number, where the
        /// provider has such a thing.
        customer_id: Option<String>,
        /// Number of the customer it is to.
        customer_number: Option<String>,
        /// Invoice date.
        date: Option<Date>,
        /// Sum with VAT, negative for a credit invoice.
        total: Option<Money>,
        /// What is left to pay.
        balance: Option<Money>,
        /// Whether it is in the books.
        booked: Option<bool>,
        /// Canceled before it was in the books.
        canceled: bool,
        /// Whether an own credit invoice takes it back, as far as the list tells.
        credited: bool,
        /// When the last of it was paid.
        paid_on: Option<Date>,
    },
}

/// One page of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterPage {
    /// What it holds.
    pub entries: Vec<Entry>,
    /// How many entries the whole reading has by now, where the provider tells: fewer than before means that entries have
    /// moved up over the border between two pages.
    pub total: Option<u64>,
    /// Whether there is a page after it.
    pub more: bool,
}

/// A ledger program whose registers can be read back.
#[async_trait]
pub trait Registers: Send + Sync {
    /// One page of a register in an order that does not change while it is read, the largest pages that the provider
    /// allows.
    ///
    /// # Errors
    /// By what happens next.
    async fn page(
        &self,
        access: &Access,
        register: Register,
        span: Span,
        number: u32,
    ) -> Result<RegisterPage, Error>;

    /// One entry as it is now; `None` when it is not there any more.
    ///
    /// # Errors
    /// By what happens next.
    async fn entry(
        &self,
        access: &Access,
        register: Register,
        external_id: &str,
    ) -> Result<Option<Entry>, Error>;
}
