//! Money given back: each piece of it is a posting of its own with everything negative, so that whatever books a sale
//! books a credit too.
//!
//! A credit is known by the sum given back up to and including it, not by a transaction: the payment provider may name
//! a reversal late, name it otherwise or not at all, while sums stay what they are. Whatever was credited before
//! covers the sum up to a point; what was given back beyond it becomes new credits.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Chart, PaymentPosting, Posting, PostingError, PostingProfile, PostingRow, gross_by_rate, swedish_day,
    vat_both_ways,
};
use crate::effect::{Ledger, StepName};
use crate::ids::OrderId;
use crate::money::{Money, MoneyError};
use crate::order::LineKind;
use crate::payment::Reversal;
use crate::vat::VatRate;

/// What stands between a step's own name and the credit that it belongs to, `invoice.credit_24900` say.
const OF_CREDIT: &str = ".credit_";

/// What stands between a sale's reference and the sum in a credit's, `ord_…-credit-24900` say.
const CREDIT_OF: &str = "-credit-";

/// Money given back, as the books will show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Which of the order's credits.
    pub id: CreditId,
    /// The posting; all its amounts and quantities are negative.
    pub posting: Posting,
}

/// Which of an order's credits: the sum in öre given back up to and including it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CreditId(pub i64);

impl StepName {
    /// The name of a credit's step that has this name for the sale.
    #[must_use]
    pub fn of_credit(step: &str, credit: CreditId) -> Self {
        Self(format!("{step}{OF_CREDIT}{}", credit.0))
    }

    /// The name under which a credit sees a step of its sale.
    #[must_use]
    pub fn of_sale(step: &str) -> Self {
        Self(format!("sale.{step}"))
    }

    /// The step's own name, and to which credit it belongs if to one.
    #[must_use]
    pub fn parts(&self) -> (&str, Option<CreditId>) {
        let parts =
            self.0.split_once(OF_CREDIT).and_then(|(step, id)| Some((step, CreditId(id.parse().ok()?))));
        parts.map_or((&self.0, None), |(step, id)| (step, Some(id)))
    }
}

impl Posting {
    /// Whether it takes money back.
    #[must_use]
    pub fn is_credit(&self) -> bool {
        self.gross.minor < 0
    }

    /// Whether a reference is that of a credit of the same sale, this one's among them.
    #[must_use]
    pub fn is_credit_of_same_sale(&self, reference: &str) -> bool {
        let sale = self.reference.split_once(CREDIT_OF).map_or(self.reference.as_str(), |(sale, _)| sale);
        let sum = reference.strip_prefix(sale).and_then(|rest| rest.strip_prefix(CREDIT_OF));
        sum.is_some_and(|sum| sum.parse::<i64>().is_ok())
    }
}

/// The order that a reference in the books is of: its own, or one of its credits'.
#[must_use]
pub fn order_of_reference(reference: &str) -> Option<OrderId> {
    let order = reference.split_once(CREDIT_OF).map_or(reference, |(sale, _)| sale);
    OrderId::parse(order).ok()
}

/// The credits that a ledger tells of: those of which a step was sent.
#[must_use]
pub fn credited(ledger: &Ledger) -> BTreeSet<CreditId> {
    ledger.steps.keys().filter_map(|step| step.parts().1).collect()
}

/// Adds the credits to a sale's posting. `known` are those of which something was sent before: they stay as they are.
///
/// # Errors
/// When a new credit lies in a locked period, or more was credited than given back.
pub fn with_credits(
    sale: Posting,
    reversals: &[Reversal],
    known: &BTreeSet<CreditId>,
    chart: &Chart,
) -> Result<Posting, PostingError> {
    let currency = sale.currency;
    let mut given_back = Money::zero(currency);
    let mut ends: BTreeMap<CreditId, &Reversal> = BTreeMap::new();
    for reversal in reversals {
        given_back = given_back.plus(reversal.amount)?;
        ends.insert(CreditId(given_back.minor), reversal);
    }
    let covered = known.last().copied().unwrap_or(CreditId(0));
    if covered.0 > given_back.minor {
        let credited = Money::new(covered.0, currency);
        return Err(PostingError::CreditedTooMuch { credited, reversed: given_back });
    }
    let mut remaining = gross_by_rate(&sale.rows, currency)?;
    let mut credits = Vec::new();
    let mut from = 0;
    for id in known.iter().copied().chain(ends.keys().copied().filter(|end| *end > covered)) {
        // The reversal that brings the sum to this credit's end, or beyond it.
        let Some((_, reversal)) = ends.range(id..).next() else { continue };
        let amount = Money::new(id.0 - from, currency);
        let rows = if from == 0 && amount == sale.gross {
            mirrored(&sale.rows)
        } else {
            shared_out(&sale, amount, &remaining)?
        };
        for (rate, gross) in gross_by_rate(&rows, currency)? {
            if let Some(left) = remaining.get_mut(&rate) {
                *left = left.plus(gross)?;
            }
        }
        let date = swedish_day(reversal.at);
        if !known.contains(&id) {
            chart.check_open(date)?;
        }
        let (vat_by_row, vat_by_rate) = vat_both_ways(&rows, currency)?;
        let back = Money::new(-amount.minor, currency);
        let posting = Posting {
            reference: format!("{}{CREDIT_OF}{}", sale.reference, id.0),
            profile: credited_as(sale.profile),
            date,
            rows,
            gross: back,
            vat_by_row,
            vat_by_rate,
            payment: PaymentPosting { amount: back, date, ..sale.payment.clone() },
            ..sale.clone()
        };
        credits.push(Credit { id, posting });
        from = id.0;
    }
    Ok(Posting { credits, ..sale })
}

/// How a sale is credited: without an order, but paid as it was.
fn credited_as(sale: PostingProfile) -> PostingProfile {
    match sale {
        PostingProfile::Invoice | PostingProfile::OrderAndInvoice => PostingProfile::Invoice,
        PostingProfile::CashInvoice | PostingProfile::VoucherPerDay => sale,
    }
}

/// The rows of the sale, taken back.
fn mirrored(rows: &[PostingRow]) -> Vec<PostingRow> {
    rows.iter().map(|row| PostingRow { quantity: -row.quantity, ..row.clone() }).collect()
}

/// A part of the sale, taken back: the payment provider does not say for which rows, so every rate bears its share of
/// what is left of it. The last part takes what is left, to the öre.
fn shared_out(
    sale: &Posting,
    amount: Money,
    remaining: &BTreeMap<VatRate, Money>,
) -> Result<Vec<PostingRow>, MoneyError> {
    let left: i64 = remaining.values().map(|gross| gross.minor).sum();
    let shares = if amount.minor == left {
        remaining.iter().map(|(rate, gross)| (*rate, gross.minor)).collect()
    } else {
        shares(amount.minor, remaining)
    };
    let mut rows = Vec::new();
    for (rate, minor) in shares.into_iter().filter(|(_, minor)| *minor != 0) {
        let Some(alike) = sale.rows.iter().find(|row| row.vat_rate == rate) else { continue };
        rows.push(PostingRow {
            kind: LineKind::Goods,
            sku: None,
            text: format!("Återbetalning, moms {} %", rate.percent()),
            quantity: Decimal::NEGATIVE_ONE,
            unit_price: Money::new(minor, sale.currency),
            vat_rate: rate,
            account: alike.account,
        });
    }
    Ok(rows)
}

/// Shares an amount out in proportion to what is left by rate, whole öre each and none more than is left: the largest
/// fractions are rounded up. Rates of which nothing or less is left bear nothing.
fn shares(amount: i64, remaining: &BTreeMap<VatRate, Money>) -> BTreeMap<VatRate, i64> {
    let weights: Vec<(VatRate, i128)> = remaining
        .iter()
        .filter(|(_, gross)| gross.minor > 0)
        .map(|(rate, gross)| (*rate, i128::from(gross.minor)))
        .collect();
    let whole: i128 = weights.iter().map(|(_, weight)| weight).sum();
    if whole == 0 {
        return BTreeMap::new();
    }
    let amount = i128::from(amount);
    let mut shares: BTreeMap<VatRate, i128> =
        weights.iter().map(|(rate, weight)| (*rate, amount * weight / whole)).collect();
    let mut fractions: Vec<(i128, VatRate)> =
        weights.iter().map(|(rate, weight)| (amount * weight % whole, *rate)).collect();
    fractions.sort_by_key(|(fraction, rate)| (-fraction, *rate));
    let missing = amount - shares.values().sum::<i128>();
    for (_, rate) in fractions.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        shares.entry(rate).and_modify(|share| *share += 1);
    }
    shares.into_iter().map(|(rate, share)| (rate, i64::try_from(share).unwrap_or(i64::MAX))).collect()
}

#[cfg(test)]
#[path = "credit_tests.rs"]
mod tests;
