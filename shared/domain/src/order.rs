//! An order as the webshop posts it, its rules, and the states that it goes through.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::day::DayId;
use crate::ids::{CheckoutCode, OrderId, OrderNumber, ParkedId, Provider, Target, TenantId};
use crate::in_books::InBooks;
use crate::money::{Currency, Money, MoneyError};
use crate::payment::PaymentTotals;
use crate::said;
use crate::said::Said;
use crate::shipment::Shipment;
use crate::vat::VatRate;

/// Most lines that an order may have; a webshop's basket is far below, and the whole order must fit one table item.
pub const MAX_LINES: usize = 500;

/// A rule of an order that is broken, with the field that breaks it as a JSON path (`lines[2].quantity`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// Path of the field in the posted JSON.
    pub field: String,
    /// What is wrong and what would be right, for people.
    pub message: Said,
}

impl FieldError {
    /// A broken rule at a field.
    pub fn new(field: impl Into<String>, message: Said) -> Self {
        Self { field: field.into(), message }
    }
}

/// Refuses an order with more lines than [`MAX_LINES`].
#[must_use]
pub fn too_many_lines(lines: usize) -> FieldError {
    let message = said!(
        "field-many-lines",
        "has {lines} lines; an order may have at most {most}",
        lines,
        most = MAX_LINES
    );
    FieldError::new("lines", message)
}

/// Who buys: decides how the customer is matched and which VAT type the books use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    /// A person (privatperson).
    Private,
    /// A company (företag), as a rule with an organization number.
    Company,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Addressee.
    pub name: String,
    /// Street and number.
    pub address1: String,
    /// Care of, floor, entry code.
    pub address2: Option<String>,
    /// Postal code.
    pub zip: String,
    /// Town.
    pub city: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
}

/// The buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Person or company.
    pub kind: CustomerKind,
    /// Full name.
    pub name: String,
    /// E-mail address; the key by which returning private customers are found.
    pub email: Option<String>,
    /// Telephone number, free form.
    pub phone: Option<String>,
    /// Organization number (organisationsnummer); the key by which companies are found.
    pub organisation_number: Option<String>,
    /// Where the invoice goes.
    pub billing: Address,
    /// Where the parcel goes when that is elsewhere.
    pub delivery: Option<Address>,
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Something that is picked and packed.
    Goods,
    /// Freight (frakt).
    Shipping,
    /// Another charge, for gift wrapping say.
    Fee,
    /// A deduction: the only kind whose price is not positive.
    Discount,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What the line stands for.
    pub kind: LineKind,
    /// Stock keeping unit; goods must have one.
    pub sku: Option<String>,
    /// What the customer reads.
    pub text: String,
    /// How many, more than zero, at most four decimals.
    pub quantity: Decimal,
    /// Price of one, VAT included.
    pub unit_price: Money,
    /// The line's rate.
    pub vat_rate: VatRate,
}

impl Line {
    /// Quantity times price, VAT included, rounded to öre.
    ///
    /// # Errors
    /// When the product is too large.
    pub fn gross(&self) -> Result<Money, crate::money::MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// What the webshop says of an order; fixed once accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBody {
    /// The webshop's own number, unique per tenant.
    pub order_number: OrderNumber,
    /// Currency of every amount in the order.
    pub currency: Currency,
    /// The order's code at the payment provider, when the webshop knows it.
    pub checkout_code: Option<CheckoutCode>,
    /// The payment's transaction id or another reference that the payment carries, when the webshop knows it.
    pub payment_reference: Option<String>,
    /// The buyer.
    pub customer: Customer,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What is to be paid, VAT included.
    pub total: Money,
}

impl OrderBody {
    /// Checks every rule that spans fields; single fields are checked where they are read.
    ///
    /// # Errors
    /// The first rule that is broken, with its field.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.lines.is_empty() {
            return Err(FieldError::new("lines", said!("field-no-lines", "must have at least one line")));
        }
        if self.lines.len() > MAX_LINES {
            return Err(too_many_lines(self.lines.len()));
        }
        let bad_sum = |why: MoneyError| said!("field-bad-sum", "{why}"; why = why.said());
        let mut sum = Money::zero(self.currency);
        for (index, line) in self.lines.iter().enumerate() {
            let at = |field: &str| format!("lines[{index}].{field}");
            line.check(&at)?;
            let gross = line.gross().map_err(|e| FieldError::new(at("unit_price"), bad_sum(e)))?;
            sum = sum.plus(gross).map_err(|e| FieldError::new(at("unit_price"), bad_sum(e)))?;
        }
        if sum != self.total {
            let message = said!(
                "field-total-differs",
                "is {total}, but the lines add up to {sum}";
                total = self.total.said();
                sum = sum.said()
            );
            return Err(FieldError::new("total", message));
        }
        if self.total.minor <= 0 {
            return Err(FieldError::new(
                "total",
                said!("field-nothing-to-pay", "must be more than 0: there is nothing to be paid"),
            ));
        }
        Ok(())
    }
}

impl Line {
    fn check(&self, at: &dyn Fn(&str) -> String) -> Result<(), FieldError> {
        if self.quantity <= Decimal::ZERO {
            return Err(FieldError::new(
                at("quantity"),
                said!(
                    "field-quantity-not-positive",
                    "must be more than 0; deduct with a line of kind discount"
                ),
            ));
        }
        if self.quantity.normalize().scale() > 4 {
            return Err(FieldError::new(
                at("quantity"),
                said!("field-many-decimals", "has more than four decimals"),
            ));
        }
        match self.kind {
            LineKind::Discount if self.unit_price.minor > 0 => Err(FieldError::new(
                at("unit_price"),
                said!("field-discount-positive", "must not be positive on a line of kind discount"),
            )),
            LineKind::Goods | LineKind::Shipping | LineKind::Fee if self.unit_price.minor < 0 => {
                Err(FieldError::new(
                    at("unit_price"),
                    said!(
                        "field-price-negative",
                        "must not be negative; deduct with a line of kind discount"
                    ),
                ))
            }
            LineKind::Goods if self.sku.is_none() => Err(FieldError::new(
                at("sku"),
                said!("field-sku-missing", "must be given on a line of kind goods"),
            )),
            LineKind::Goods | LineKind::Shipping | LineKind::Fee | LineKind::Discount => Ok(()),
        }
    }
}

/// Where an order is, computed from the payment provider's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Waits for its payment.
    Pending,
    /// Paid in full.
    Paid,
    /// Paid, and all of it given back.
    Refunded,
    /// Paid, and some of it given back.
    PartiallyRefunded,
    /// Given up before it was paid.
    Cancelled,
}

impl OrderState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Paid, Self::Refunded, Self::PartiallyRefunded, Self::Cancelled];

    /// The state's name in the API and in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the state's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether money has been taken for the order at some time, so that the books must show it.
    #[must_use]
    pub fn has_been_paid(self) -> bool {
        match self {
            Self::Paid | Self::Refunded | Self::PartiallyRefunded => true,
            Self::Pending | Self::Cancelled => false,
        }
    }
}

/// How far an order has come at one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Not begun.
    Waiting,
    /// A worker is at it.
    Running,
    /// Nothing left to do.
    Done,
    /// Something passing went wrong; it will be tried again by itself.
    Retrying,
    /// A human must look.
    NeedsAttention,
}

impl SyncState {
    /// The state's name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Retrying => "retrying",
            Self::NeedsAttention => "needs_attention",
        }
    }
}

/// How far an order has come at one target, with the external numbers once known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncStatus {
    /// How far.
    pub state: SyncState,
    /// At which provider.
    pub provider: Option<Provider>,
    /// External numbers by their API name, `invoice_number` say.
    pub numbers: BTreeMap<String, String>,
    /// What a person should know, when something is amiss.
    pub message: Option<Said>,
    /// The item that waits for a human, when there is one.
    pub parked: Option<ParkedId>,
    /// Öre given back to the buyer that the target shows.
    #[serde(default)]
    pub credited: i64,
    /// A human did it, or said that it need not be done: nothing is done there for the order any more.
    #[serde(default)]
    pub by_hand: bool,
    /// The day whose voucher books it, while that has not been written.
    #[serde(default)]
    pub day: Option<DayId>,
    /// What the warehouse told last.
    pub shipment: Option<Shipment>,
    /// How its invoice and credit invoices stand in the books by their numbers, as last read back from there.
    #[serde(default)]
    pub in_books: BTreeMap<String, InBooks>,
}

impl Default for SyncStatus {
    fn default() -> Self {
        Self {
            state: SyncState::Waiting,
            provider: None,
            numbers: BTreeMap::new(),
            message: None,
            parked: None,
            credited: 0,
            by_hand: false,
            day: None,
            shipment: None,
            in_books: BTreeMap::new(),
        }
    }
}

/// Number of the order's invoice.
pub const INVOICE: &str = "invoice_number";
/// Numbers of its credit invoices, in one row.
pub const CREDIT_INVOICES: &str = "credit_invoice_number";
/// Number of its customer.
pub const CUSTOMER: &str = "customer_number";
/// Number that a warehouse has given the order.
pub const PARCEL_ORDER: &str = "order_id";
/// How taking the order back from the warehouse ended.
pub const CANCELLATION: &str = "cancellation";

impl SyncStatus {
    /// Number of the invoice, once there is one.
    #[must_use]
    pub fn invoice(&self) -> Option<&str> {
        self.numbers.get(INVOICE).map(String::as_str)
    }

    /// Numbers of the credit invoices.
    pub fn credit_invoices(&self) -> impl Iterator<Item = &str> {
        self.numbers.get(CREDIT_INVOICES).into_iter().flat_map(|row| row.split(", "))
    }

    /// Whether a warehouse has the order and nobody has tried to take it back from there.
    #[must_use]
    pub fn may_be_taken_back(&self) -> bool {
        self.numbers.contains_key(PARCEL_ORDER) && !self.numbers.contains_key(CANCELLATION)
    }
}

/// An order as Bokbro keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Bokbro's own id; the reference inside every document at a provider.
    pub id: OrderId,
    /// Whose order it is.
    pub tenant: TenantId,
    /// What the webshop said.
    pub body: OrderBody,
    /// Where the order is.
    pub state: OrderState,
    /// What the payment provider's facts add up to.
    pub payment: PaymentTotals,
    /// How far the books have come.
    pub accounting: SyncStatus,
    /// How far the parcel has come.
    pub warehouse: SyncStatus,
    /// Rises by one with every change of state or payment; guards against lost updates.
    pub version: u64,
    /// When the order was accepted.
    pub created_at: Timestamp,
    /// When anything in it last changed.
    pub updated_at: Timestamp,
}

impl Order {
    /// A new order that waits for its payment.
    #[must_use]
    pub fn new(id: OrderId, tenant: TenantId, body: OrderBody, now: Timestamp) -> Self {
        let payment = PaymentTotals::none(body.currency);
        Self {
            id,
            tenant,
            body,
            state: OrderState::Pending,
            payment,
            accounting: SyncStatus::default(),
            warehouse: SyncStatus::default(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether the books lack what a worker can bring: the sale, or money that was given back since.
    #[must_use]
    pub fn books_lack(&self) -> bool {
        let books = &self.accounting;
        let lag = !books.by_hand && books.credited != self.payment.reversed.minor;
        self.state.has_been_paid() && (books.state != SyncState::Done || lag)
    }

    /// How far the order has come at a target.
    #[must_use]
    pub fn sync(&self, target: Target) -> &SyncStatus {
        match target {
            Target::Accounting => &self.accounting,
            Target::Warehouse => &self.warehouse,
        }
    }
}
