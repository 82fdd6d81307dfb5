//! What the payment provider's own facts say of an order: matching, totals and the order's state.
//!
//! State is computed from all facts (captured minus reversed), never from the sequence of events, so duplicates and
//! late or reordered events end in the same state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CheckoutCode, OrderNumber, PaymentMethod, TransactionId};
use crate::money::{Currency, Money};
use crate::order::{Order, OrderState};
use crate::said;
use crate::said::Said;

/// Whether a transaction takes money or gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Money taken from the buyer.
    Charge,
    /// Money given back: refund or void.
    Reversal,
}

/// How a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactStatus {
    /// The money has moved.
    Captured,
    /// Not settled yet; nothing may be booked.
    Pending,
    /// Failed for now; it may still be captured later.
    Failed,
    /// Taken and then canceled as a whole by the merchant.
    Voided,
}

/// One transaction, as read from the payment provider's own API with our credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    /// The provider's id of the transaction.
    pub transaction: TransactionId,
    /// The transaction that this one reverses, where the provider tells.
    pub parent: Option<TransactionId>,
    /// Takes or gives back.
    pub kind: FactKind,
    /// How it stands.
    pub status: FactStatus,
    /// How the buyer paid.
    #[serde(default)]
    pub method: PaymentMethod,
    /// How much, never negative.
    pub amount: Money,
    /// The provider's code of the order that was paid.
    pub checkout_code: Option<CheckoutCode>,
    /// The text that the merchant attached to the payment; may carry the order number.
    pub merchant_text: Option<String>,
    /// When the transaction was made, by the provider's clock.
    pub made_at: Timestamp,
}

/// What the facts of one order add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTotals {
    /// Sum of captured charges.
    pub captured: Money,
    /// Sum of reversals.
    pub reversed: Money,
    /// When the first charge was captured.
    pub paid_at: Option<Timestamp>,
    /// How the buyer paid: the method of the first charge.
    #[serde(default)]
    pub method: Option<PaymentMethod>,
    /// The transactions counted, oldest first.
    pub transactions: Vec<TransactionId>,
}

impl PaymentTotals {
    /// Nothing paid yet.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        Self {
            captured: Money::zero(currency),
            reversed: Money::zero(currency),
            paid_at: None,
            method: None,
            transactions: Vec::new(),
        }
    }
}

/// Why a payment may not be booked on an order; parked with the difference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The payment is in another currency than the order.
    #[error("the payment is in {paid}, the order in {expected}")]
    Currency {
        /// Of the payment.
        paid: Currency,
        /// Of the order.
        expected: Currency,
    },
    /// The sum captured is not the order's total.
    #[error("{captured} {currency} was paid, the order is on {expected} {currency}")]
    Amount {
        /// Sum of captured charges.
        captured: Money,
        /// The order's total.
        expected: Money,
        /// Of both.
        currency: Currency,
    },
    /// More was given back than taken.
    #[error("{reversed} {currency} was given back of {captured} {currency} taken")]
    ReversedTooMuch {
        /// Sum of reversals.
        reversed: Money,
        /// Sum of captured charges.
        captured: Money,
        /// Of both.
        currency: Currency,
    },
    /// The order was canceled and then paid.
    #[error("the order was cancelled before it was paid")]
    Cancelled,
}

impl Mismatch {
    /// What people are told of it.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Currency { paid, expected } => said!(
                "mismatch-currency",
                "the payment is in {paid}, the order in {expected}",
                paid,
                expected
            ),
            Self::Amount { captured, expected, currency } => said!(
                "mismatch-amount",
                "{captured} {currency} was paid, the order is on {expected} {currency}",
                currency;
                captured = captured.said();
                expected = expected.said()
            ),
            Self::ReversedTooMuch { reversed, captured, currency } => said!(
                "mismatch-reversed",
                "{reversed} {currency} was given back of {captured} {currency} taken",
                currency;
                reversed = reversed.said();
                captured = captured.said()
            ),
            Self::Cancelled => said!("mismatch-cancelled", "the order was cancelled before it was paid"),
        }
    }

    /// Short name for lists and tests.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Currency { .. } => "currency_differs",
            Self::Amount { .. } => "amount_differs",
            Self::ReversedTooMuch { .. } => "reversed_too_much",
            Self::Cancelled => "paid_after_cancel",
        }
    }
}

/// What the facts say of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Where the order is.
    pub state: OrderState,
    /// What the facts add up to.
    pub totals: PaymentTotals,
}

/// Adds the facts up and says where the order is.
///
/// A void leaves no separate reversal in some providers' lists: a voided charge counts as taken and given back unless a
/// reversal that names it is among the facts.
///
/// # Errors
/// When currency or amount differ from the order's, or the order was canceled: nothing may be booked then.
pub fn assess(order: &Order, facts: &[PaymentFact]) -> Result<Assessment, Mismatch> {
    let currency = order.body.currency;
    let mut totals = PaymentTotals::none(currency);
    for (fact, moved) in moves(facts) {
        let add = |sum: Money| {
            sum.plus(fact.amount)
                .map_err(|_| Mismatch::Currency { paid: fact.amount.currency, expected: currency })
        };
        if moved.captured {
            totals.captured = add(totals.captured)?;
            totals.paid_at = totals.paid_at.or(Some(fact.made_at));
            totals.method = totals.method.or_else(|| Some(fact.method.clone()));
        }
        if moved.reversed {
            totals.reversed = add(totals.reversed)?;
        }
        totals.transactions.push(fact.transaction.clone());
    }
    let state = state_of(order, &totals)?;
    Ok(Assessment { state, totals })
}

/// What a transaction did to the money.
#[derive(Clone, Copy)]
struct Moved {
    captured: bool,
    reversed: bool,
}

/// The transactions that moved money, oldest first, and what each did.
fn moves(facts: &[PaymentFact]) -> Vec<(&PaymentFact, Moved)> {
    let moved = |fact: &PaymentFact| match (fact.kind, fact.status) {
        (_, FactStatus::Pending | FactStatus::Failed) => None,
        (FactKind::Charge, FactStatus::Captured) => Some(Moved { captured: true, reversed: false }),
        (FactKind::Charge, FactStatus::Voided) => {
            let named = facts
                .iter()
                .any(|f| f.kind == FactKind::Reversal && f.parent.as_ref() == Some(&fact.transaction));
            Some(Moved { captured: true, reversed: !named })
        }
        (FactKind::Reversal, FactStatus::Captured | FactStatus::Voided) => {
            Some(Moved { captured: false, reversed: true })
        }
    };
    let mut moves: Vec<_> = facts.iter().filter_map(|fact| Some((fact, moved(fact)?))).collect();
    moves.sort_by(|(a, _), (b, _)| (a.made_at, &a.transaction).cmp(&(b.made_at, &b.transaction)));
    moves
}

/// Money given back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversal {
    /// How much, never negative.
    pub amount: Money,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// What was given back, oldest first; adds up to [`PaymentTotals::reversed`].
#[must_use]
pub fn reversals(facts: &[PaymentFact]) -> Vec<Reversal> {
    let back = moves(facts).into_iter().filter(|(_, moved)| moved.reversed);
    back.map(|(fact, _)| Reversal { amount: fact.amount, at: fact.made_at }).collect()
}

fn state_of(order: &Order, totals: &PaymentTotals) -> Result<OrderState, Mismatch> {
    let (captured, reversed) = (totals.captured, totals.reversed);
    let currency = order.body.currency;
    if captured.minor == 0 && reversed.minor == 0 {
        return Ok(if order.state == OrderState::Cancelled {
            OrderState::Cancelled
        } else {
            OrderState::Pending
        });
    }
    if order.state == OrderState::Cancelled {
        return Err(Mismatch::Cancelled);
    }
    if captured != order.body.total {
        return Err(Mismatch::Amount { captured, expected: order.body.total, currency });
    }
    match reversed.minor {
        0 => Ok(OrderState::Paid),
        some if some < captured.minor => Ok(OrderState::PartiallyRefunded),
        all if all == captured.minor => Ok(OrderState::Refunded),
        _ => Err(Mismatch::ReversedTooMuch { reversed, captured, currency }),
    }
}

/// The order numbers that a payment's text may carry, likeliest first: the whole text, the text without a leading `#`,
/// and its last word (`Order 1042`, `Order #1042`).
#[must_use]
pub fn order_numbers_in(text: &str) -> Vec<OrderNumber> {
    let whole = text.trim();
    let bare = whole.trim_start_matches('#').trim();
    let last = whole.split_whitespace().next_back().unwrap_or("").trim_start_matches('#');
    let mut numbers: Vec<OrderNumber> = Vec::new();
    for candidate in [whole, bare, last] {
        if let Ok(number) = OrderNumber::parse(candidate)
            && !numbers.contains(&number)
        {
            numbers.push(number);
        }
    }
    numbers
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
