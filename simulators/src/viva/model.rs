//! The simulated account's orders and transactions, and the wishes that tests and shops have of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::wire::{Amount, Currency, OrderCode};

/// What `POST /_sim/config` can change; members left out of its body stay as they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// Where events go; without it they are only logged.
    pub webhook_url: Option<String>,
    /// "Allow refunds via API"; off, a refund is refused with `ErrorCode` 403.
    pub refunds_over_api: bool,
    /// HTTP status of refusals of the older API. What Viva sends beside `ErrorCode` is not documented.
    pub legacy_error_status: u16,
    /// A new transaction is 404 for its first this many reads by id.
    pub read_lag_reads: u32,
    /// A new transaction is found by no read for this many milliseconds.
    pub read_lag_ms: u32,
    /// The next this many events are never sent.
    pub drop_next: u32,
    /// Every n-th event is never sent; 0 for none.
    pub drop_every: u32,
    /// Each event is sent this many times more, although it was taken.
    pub duplicates: u32,
    /// Milliseconds after a success until its duplicate.
    pub duplicate_after_ms: u32,
    /// Milliseconds before an event's first attempt.
    pub delay_ms: u32,
    /// Events carry `OrderCode` as a string.
    pub order_code_as_string: bool,
    /// Events carry members that no documentation names.
    pub unknown_members: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            webhook_url: None,
            refunds_over_api: true,
            legacy_error_status: 200,
            read_lag_reads: 0,
            read_lag_ms: 0,
            drop_next: 0,
            drop_every: 0,
            duplicates: 0,
            duplicate_after_ms: 0,
            delay_ms: 0,
            order_code_as_string: false,
            unknown_members: false,
        }
    }
}

/// A payment order: what the shop asks Viva to collect.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    /// Viva's 16 digits.
    pub order_code: OrderCode,
    /// What is to be paid, in the account's currency.
    pub amount: Amount,
    /// ISO 4217 number.
    pub currency_code: Currency,
    /// The shop's reference.
    pub merchant_trns: Option<String>,
    /// The text shown to the payer.
    pub customer_trns: Option<String>,
    /// Which of the account's shops it belongs to.
    pub source_code: String,
    /// Labels of the shop.
    pub tags: Vec<String>,
    /// Language of the payment page.
    pub request_lang: String,
    /// E-mail address of the payer.
    pub email: Option<String>,
    /// Name of the payer.
    pub full_name: Option<String>,
    /// Telephone number of the payer.
    pub phone: Option<String>,
    /// After this time it cannot be paid.
    pub expires_at: Timestamp,
    /// Cancelled by the shop.
    pub cancelled: bool,
    /// Paid at least once.
    pub paid: bool,
}

/// The state of an order as `GET /api/orders/{code}` numbers it (apis/viva-ongoing-bank.md 1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Waits for payment.
    Pending = 0,
    /// Waited too long; no event tells of it.
    Expired = 1,
    /// Cancelled by the shop.
    Cancelled = 2,
    /// Paid.
    Paid = 3,
}

impl Order {
    /// Its state at a time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> OrderState {
        match () {
            () if self.paid => OrderState::Paid,
            () if self.cancelled => OrderState::Cancelled,
            () if now >= self.expires_at => OrderState::Expired,
            () => OrderState::Pending,
        }
    }
}

/// One movement of money, or the failed try of one.
#[derive(Clone, Debug, Serialize)]
pub struct Transaction {
    /// Viva's id, a UUID.
    pub transaction_id: String,
    /// The transaction that this one reverses.
    pub parent_id: Option<String>,
    /// The order it belongs to.
    pub order_code: OrderCode,
    /// Always positive here; see `negative`.
    pub amount: Amount,
    /// Whether Viva's answers and events show the amount with a minus. Which sign a real reversal has is not known.
    pub negative: bool,
    /// ISO 4217 number.
    pub currency_code: Currency,
    /// `F` done, `E` failed, `R` refunded, `X` voided, and others (apis/viva-ongoing-bank.md 1.8).
    pub status_id: String,
    /// 5 card charge, 4 card refund, 7 card void, 70 Swish, and others.
    pub type_id: u16,
    /// The shop's reference.
    pub merchant_trns: Option<String>,
    /// The text shown to the payer.
    pub customer_trns: Option<String>,
    /// Which of the account's shops it belongs to.
    pub source_code: String,
    /// When it was made.
    pub ins_date: Timestamp,
    /// Six digits that Viva repeats in several members.
    pub reference_number: u32,
    /// Reads by id so far, which `read_lag_reads` counts.
    pub reads: u32,
    /// No longer found by any read, as after some reversals (apis/viva-ongoing-bank.md 1.7).
    pub vanished: bool,
}

impl Transaction {
    /// A successful card payment of an order, not yet known to anyone.
    pub(crate) fn of(order: &Order, now: Timestamp) -> Self {
        Self {
            transaction_id: Uuid::new_v4().to_string(),
            parent_id: None,
            order_code: order.order_code,
            amount: order.amount,
            negative: false,
            currency_code: order.currency_code,
            status_id: "F".to_owned(),
            type_id: 5,
            merchant_trns: order.merchant_trns.clone(),
            customer_trns: order.customer_trns.clone(),
            source_code: order.source_code.clone(),
            ins_date: now,
            reference_number: reference_number(),
            reads: 0,
            vanished: false,
        }
    }

    /// The amount with the sign that Viva shows.
    #[must_use]
    pub fn shown_amount(&self) -> Amount {
        if self.negative { Amount(-self.amount.0) } else { self.amount }
    }

    /// Whether this is a payment by card, which can be voided on its own day.
    pub(crate) fn is_card(&self) -> bool {
        matches!(self.type_id, 0 | 1 | 5 | 6)
    }
}

/// Six random digits.
pub(crate) fn reference_number() -> u32 {
    100_000 + Uuid::new_v4().as_fields().0 % 900_000
}

/// A wish that the account cannot fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No such order or transaction.
    Unknown(&'static str),
    /// It exists but does not allow this now.
    Conflict(&'static str),
    /// The wish itself makes no sense.
    Invalid(String),
}

/// How the payer fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The money is taken.
    #[default]
    Paid,
    /// The bank says no; the payer may try again.
    Failed,
}

/// A payment, as `POST /_sim/pay` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// The order to pay. An order that was never made is made on the spot; `amount` is required then.
    pub order_code: OrderCode,
    /// Decimal major units; the order's amount when absent.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Whether it succeeds.
    #[serde(default)]
    pub outcome: Outcome,
    /// `TransactionTypeId`; 5, a card charge, when absent.
    #[serde(default)]
    pub type_id: Option<u16>,
    /// Whether the event is sent; it is made in any case.
    #[serde(default = "yes")]
    pub deliver: bool,
    /// In place of the order's reference.
    #[serde(default)]
    pub merchant_trns: Option<String>,
    /// In place of the order's currency.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// In place of the order's shop.
    #[serde(default)]
    pub source_code: Option<String>,
    /// A failed transaction of this order that now succeeds, instead of a new one.
    #[serde(default)]
    pub transaction_id: Option<String>,
    /// Pays even an order that is paid, cancelled or expired.
    #[serde(default)]
    pub force: bool,
}

impl Pay {
    /// A successful card payment of what the order asks for.
    #[must_use]
    pub fn new(order_code: OrderCode) -> Self {
        Self {
            order_code,
            amount: None,
            outcome: Outcome::Paid,
            type_id: None,
            deliver: true,
            merchant_trns: None,
            currency: None,
            source_code: None,
            transaction_id: None,
            force: false,
        }
    }
}

/// A refund or void, as `POST /_sim/refund` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The payment to give back.
    pub transaction_id: String,
    /// Decimal major units; everything that is left when absent.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Whether the event is sent; it is made in any case.
    #[serde(default = "yes")]
    pub deliver: bool,
    /// Whether the reversal shows its amount with a minus.
    #[serde(default)]
    pub negative_amount: bool,
    /// `StatusId` of the reversal: `F` when absent, or `R`.
    #[serde(default)]
    pub status_id: Option<String>,
    /// `TransactionTypeId` of the reversal, in place of the one that fits the payment.
    #[serde(default)]
    pub type_id: Option<u16>,
    /// Afterwards no read finds the order's transactions any more.
    #[serde(default)]
    pub vanish: bool,
}

impl Refund {
    /// A refund of everything that is left.
    #[must_use]
    pub fn new(transaction_id: &str) -> Self {
        Self {
            transaction_id: transaction_id.to_owned(),
            amount: None,
            deliver: true,
            negative_amount: false,
            status_id: None,
            type_id: None,
            vanish: false,
        }
    }
}

fn yes() -> bool {
    true
}

/// The body of `POST /checkout/v2/orders`. Amounts are minor units here, other than in answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewOrder {
    /// What is to be paid, in minor units.
    pub amount: Option<i64>,
    /// ISO 4217 number; the account's when absent.
    pub currency_code: Option<Currency>,
    /// The text shown to the payer.
    pub customer_trns: Option<String>,
    /// The shop's reference.
    pub merchant_trns: Option<String>,
    /// Who pays.
    pub customer: Customer,
    /// Seconds until the order expires.
    pub payment_timeout: Option<u32>,
    /// Which of the account's shops it belongs to.
    pub source_code: Option<String>,
    /// Labels of the shop.
    pub tags: Vec<String>,
}

/// The payer in a new order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Customer {
    /// E-mail address.
    pub email: Option<String>,
    /// Name.
    pub full_name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Language of the payment page.
    pub request_lang: Option<String>,
}
