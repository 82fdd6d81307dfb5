//! Viva's transactions as facts: kind, status, exact amount and time.

use std::collections::BTreeMap;

use bokbro_app::error::Reason;
use bokbro_app::ports::{CheckoutState, CheckoutWish};
use bokbro_domain::ids::{CheckoutCode, PaymentMethod, TransactionId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::auth::SOURCE_CODES;
use super::wire::{FoundTransaction, NewOrder, Transaction};
use crate::kit::LooseText;

/// What times without an offset are in.
static GREECE: TimeZone = jiff::tz::get!("Europe/Athens");

/// Why an answer is no fact.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unmappable {
    /// A human must look.
    ForPeople(Reason),
    /// This part of the answer is not what it should be; the next answer may be.
    Garbled(&'static str),
}

/// `TransactionTypeId`s that give money back: refunds and voids (`apis/viva-ongoing-bank.md` 1.8).
#[rustfmt::skip]
const REVERSALS: [u32; 28] = [
    4, 7, 11, 13, 17, 18, 21, 24, 26, 28, 30, 35, 37, 39, 41, 45, 49, 51, 53, 55, 57, 59, 61, 63, 67, 71, 75, 79,
];

/// `TransactionTypeId`s that take no money from the buyer: reservations (1, 80), whose capture is a transaction of its
/// own, payments out (8, 19, 22, 31) and the check of a card (69).
const NOTHING_TAKEN: [u32; 7] = [1, 8, 19, 22, 31, 69, 80];

/// How long an order waits for its payment, in seconds: a day.
const PAYMENT_TIMEOUT: u32 = 86_400;

/// A transaction read by its id. Its parent is not told there.
pub(super) fn fact(id: &TransactionId, told: Transaction) -> Result<PaymentFact, Unmappable> {
    let kind = Kind {
        type_id: type_id(&told.transaction_type_id)?,
        below_zero: below_zero(&told.amount),
        has_parent: false,
    };
    Ok(PaymentFact {
        transaction: id.clone(),
        parent: None,
        kind: kind.fact_kind(),
        status: kind.fact_status(&told.status_id),
        method: kind.method(),
        amount: money(&told.amount, &told.currency_code, id)?,
        checkout_code: checkout_code(&told.order_code)?,
        merchant_text: text(told.merchant_trns),
        made_at: moment(&told.ins_date)?,
    })
}

/// A transaction found by an order's code; `None` when it belongs to another order, because a search that finds too
/// much must not add to an order's sum.
pub(super) fn found_fact(
    code: CheckoutCode,
    found: FoundTransaction,
) -> Result<Option<PaymentFact>, Unmappable> {
    let told = found.order.map(|order| checkout_code(&order.order_code)).transpose()?.flatten();
    if told.is_some_and(|told| told != code) {
        return Ok(None);
    }
    let id = transaction_id(&found.transaction_id)?;
    let parent = found.parent_id.filter(|id| !id.is_empty()).map(|id| transaction_id(&id)).transpose()?;
    let told_type = match found.transaction_type {
        Some(nested) if found.transaction_type_id.0.is_none() => nested.transaction_type_id,
        _ => found.transaction_type_id,
    };
    let kind = Kind {
        type_id: type_id(&told_type)?,
        below_zero: below_zero(&found.amount),
        has_parent: parent.is_some(),
    };
    Ok(Some(PaymentFact {
        kind: kind.fact_kind(),
        status: kind.fact_status(&found.status_id),
        method: kind.method(),
        amount: money(&found.amount, &found.currency_code, &id)?,
        checkout_code: Some(code),
        merchant_text: text(found.merchant_trns),
        made_at: moment(&found.ins_date)?,
        transaction: id,
        parent,
    }))
}

/// The state of an order by `StateId`. One that is not known means that nothing has happened yet.
pub(super) fn checkout_state(state_id: &LooseText) -> CheckoutState {
    match state_id.as_deref() {
        Some("1") => CheckoutState::Expired,
        Some("2") => CheckoutState::Cancelled,
        Some("3") => CheckoutState::Paid,
        _ => CheckoutState::Pending,
    }
}

/// Everything by which takings and givings are told apart.
struct Kind {
    type_id: Option<u32>,
    below_zero: bool,
    has_parent: bool,
}

impl Kind {
    /// A type that is not known yet counts as a charge unless its amount is below zero: a refund taken for a charge
    /// makes the sum differ from the order and is parked, so nothing wrong is booked.
    fn fact_kind(&self) -> FactKind {
        let reversal = match self.type_id {
            Some(known) if NOTHING_TAKEN.contains(&known) => false,
            Some(known) if REVERSALS.contains(&known) => true,
            Some(_) => self.below_zero,
            None => self.below_zero || self.has_parent,
        };
        if reversal { FactKind::Reversal } else { FactKind::Charge }
    }

    /// How the buyer paid, as far as Swedish buyers do: in Sweden Viva offers cards, Swish, Klarna and Trustly. A wallet on a
    /// telephone is a card.
    fn method(&self) -> PaymentMethod {
        let name = match self.type_id {
            Some(0 | 1 | 4..=8 | 13 | 18 | 19 | 22 | 31 | 69) => "card",
            Some(50 | 51) => "trustly",
            Some(52 | 53 | 80 | 81) => "klarna",
            Some(70 | 71) => "swish",
            Some(48 | 49) => "paypal",
            Some(_) | None => return PaymentMethod::default(),
        };
        PaymentMethod::parse(name).unwrap_or_default()
    }

    /// `StatusId` (`apis/viva-ongoing-bank.md` 1.8). A refunded charge (R) was captured, and its refund is a transaction
    /// of its own; so is the capture of a reservation (C). A dispute (M and its kin) does not undo the payment.
    fn fact_status(&self, status_id: &LooseText) -> FactStatus {
        if self.type_id.is_some_and(|known| NOTHING_TAKEN.contains(&known)) {
            return FactStatus::Pending;
        }
        match status_id.as_deref() {
            Some("F" | "R" | "M" | "MA" | "MI" | "ML" | "MS" | "MW") => FactStatus::Captured,
            Some("E") => FactStatus::Failed,
            Some("X") => FactStatus::Voided,
            _ => FactStatus::Pending,
        }
    }
}

/// The order that a wish becomes, at the first of the shops whose payments count.
pub(super) fn new_order<'a>(wish: &'a CheckoutWish, settings: &'a BTreeMap<String, String>) -> NewOrder<'a> {
    let shops = settings.get(SOURCE_CODES).map_or("", String::as_str);
    NewOrder {
        amount: wish.amount.minor,
        currency_code: wish.amount.currency.number(),
        customer_trns: &wish.text,
        merchant_trns: wish.order_number.as_str(),
        payment_timeout: PAYMENT_TIMEOUT,
        source_code: shops.split(',').map(str::trim).find(|shop| !shop.is_empty()),
    }
}

fn below_zero(amount: &LooseText) -> bool {
    amount.as_deref().is_some_and(|lexeme| lexeme.starts_with('-'))
}

/// The amount without its sign, which a reversal may or may not carry (`apis/viva-ongoing-bank.md` 1.9).
fn money(amount: &LooseText, currency: &LooseText, id: &TransactionId) -> Result<Money, Unmappable> {
    let number = currency.as_deref().ok_or(Unmappable::Garbled("currencyCode"))?;
    // A JSON number has lost its leading zeros.
    let currency = Currency::parse_number(&format!("{number:0>3}")).map_err(|_| {
        let message = said!(
            "viva-currency",
            "Transaction {id} at Viva is in a currency that Bokbro cannot handle. Book it by hand.",
            id
        );
        for_people("currency_unknown", message)
    })?;
    let lexeme = amount.as_deref().ok_or(Unmappable::Garbled("amount"))?;
    Money::parse_major(lexeme.strip_prefix('-').unwrap_or(lexeme), currency).map_err(|why| {
        let message = said!(
            "viva-amount",
            "The amount of transaction {id} at Viva {why}. Book it by hand.",
            id;
            why = why.said()
        );
        for_people("amount_unreadable", message)
    })
}

fn for_people(code: &str, message: Said) -> Unmappable {
    Unmappable::ForPeople(Reason::new(code, message))
}

fn type_id(told: &LooseText) -> Result<Option<u32>, Unmappable> {
    told.as_deref().map(str::parse).transpose().map_err(|_| Unmappable::Garbled("transactionTypeId"))
}

fn transaction_id(text: &str) -> Result<TransactionId, Unmappable> {
    TransactionId::parse(&text.to_ascii_lowercase()).map_err(|_| Unmappable::Garbled("transactionId"))
}

/// A code of 0 is none: a payment without an order has it.
fn checkout_code(told: &LooseText) -> Result<Option<CheckoutCode>, Unmappable> {
    let code = told.as_deref().filter(|code| *code != "0");
    code.map(CheckoutCode::parse).transpose().map_err(|_| Unmappable::Garbled("orderCode"))
}

fn text(told: LooseText) -> Option<String> {
    told.0.filter(|text| !text.trim().is_empty())
}

/// A time with its offset, or else Greek local time (`apis/viva-ongoing-bank.md` 1.4). Of the hour that comes twice in
/// autumn it is the first.
fn moment(text: &str) -> Result<Timestamp, Unmappable> {
    if let Ok(told) = text.parse() {
        return Ok(told);
    }
    let garbled = |_| Unmappable::Garbled("insDate");
    let local: DateTime = text.parse().map_err(garbled)?;
    Ok(GREECE.to_zoned(local).map_err(garbled)?.timestamp())
}
