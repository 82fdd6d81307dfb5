//! What one order adds to its day's voucher, and what a day's entries add up to.
//!
//! An entry is balanced by itself: what the payment provider owes is the net and the tax of every rate. So entries add up
//! to vouchers that are balanced, whichever of them come together, and no account is needed before the voucher is written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    AccountRole, Chart, CreditId, DayVoucher, Posting, PostingError, PostingProfile, VoucherRow,
    gross_by_rate, plan, with_credits,
};
use crate::day::DayId;
use crate::money::{Currency, Money, MoneyError};
use crate::order::Order;
use crate::payment::Reversal;
use crate::vat::VatRate;

/// Net and tax of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetAndVat {
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub vat: Money,
}

impl NetAndVat {
    fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self { net: self.net.plus(other.net)?, vat: self.vat.plus(other.vat)? })
    }
}

/// An order's sale, or one of its credits, as its day's voucher has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayEntry {
    /// Which of the order's credits, if it is one.
    pub credit: Option<CreditId>,
    /// Swedish calendar day of the payment or the refund.
    pub date: Date,
    /// Net and tax by rate; those of a credit are negative.
    pub sums: BTreeMap<VatRate, NetAndVat>,
}

/// The accounts stand in the voucher, so an entry is planned with any.
const ANY_ACCOUNT: u16 = 0;

/// What an order adds to the vouchers of its days: its sale, and a credit for each time that money was given back. `known`
/// are the credits that stand in a voucher or wait for one. Tax is rounded once per order and rate; a credit takes back
/// the tax that was on the order less the tax on what is left, so that an order that is given back leaves nothing.
///
/// # Errors
/// When the order cannot be posted as it is: not paid, foreign currency or customer, more credited than given back.
pub fn day_entries(
    order: &Order,
    reversals: &[Reversal],
    known: &BTreeSet<CreditId>,
) -> Result<Vec<DayEntry>, PostingError> {
    let customer = &order.body.customer;
    let addresses = [Some(&customer.billing), customer.delivery.as_ref()];
    if addresses.into_iter().flatten().any(|address| address.country != "SE") {
        return Err(PostingError::ForeignCustomer);
    }
    let accounts = VatRate::ALL.map(AccountRole::sales).into_iter().chain([AccountRole::PaymentClaim]);
    let chart = Chart { accounts: accounts.map(|role| (role, ANY_ACCOUNT)).collect(), ..Chart::default() };
    let sale = plan(order, &chart, PostingProfile::VoucherPerDay, true)?;
    let sale = with_credits(sale, reversals, known, &chart)?;
    let mut left: BTreeMap<VatRate, Money> = BTreeMap::new();
    let mut entries = vec![entry(None, &sale, &mut left)?];
    for credit in &sale.credits {
        entries.push(entry(Some(credit.id), &credit.posting, &mut left)?);
    }
    Ok(entries)
}

/// The entry of one posting. `left` is the order's gross by rate before it, and after it when this returns.
fn entry(
    credit: Option<CreditId>,
    posting: &Posting,
    left: &mut BTreeMap<VatRate, Money>,
) -> Result<DayEntry, MoneyError> {
    let mut sums = BTreeMap::new();
    for (rate, gross) in gross_by_rate(&posting.rows, posting.currency)? {
        let before = left.get(&rate).copied().unwrap_or(Money::zero(posting.currency));
        let after = before.plus(gross)?;
        left.insert(rate, after);
        let vat = rate.inside_rounded(after)?.minus(rate.inside_rounded(before)?)?;
        sums.insert(rate, NetAndVat { net: gross.minus(vat)?, vat });
    }
    Ok(DayEntry { credit, date: posting.date, sums })
}

/// What the entries of a day add up to, sales and refunds apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayTotals {
    sales: Side,
    refunds: Side,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Side {
    entries: u64,
    sums: BTreeMap<VatRate, NetAndVat>,
}

impl Side {
    /// One row for the claim, and one for net and tax of every rate; none of them zero.
    fn rows(&self, chart: &Chart, what: &str, claim: &str) -> Result<Vec<VoucherRow>, PostingError> {
        let mut gross = Money::zero(Currency::SEK);
        let mut rows = Vec::new();
        let row =
            |role: AccountRole, amount: Money, text: String| -> Result<Option<VoucherRow>, PostingError> {
                if amount.minor == 0 {
                    return Ok(None);
                }
                let account = chart.accounts.get(&role).copied().ok_or(PostingError::NoAccount { role })?;
                Ok(Some(VoucherRow { account, amount, text }))
            };
        let opposite = |amount: Money| Money::new(-amount.minor, amount.currency);
        for (rate, NetAndVat { net, vat }) in &self.sums {
            gross = gross.plus(*net)?.plus(*vat)?;
            let percent = rate.percent();
            rows.extend(row(AccountRole::sales(*rate), opposite(*net), format!("{what} {percent} %"))?);
            if let Some(role) = AccountRole::vat(*rate) {
                rows.extend(row(role, opposite(*vat), format!("{what} {percent} %, moms"))?);
            }
        }
        rows.extend(row(AccountRole::PaymentClaim, gross, format!("{what}, {claim}"))?);
        Ok(rows)
    }
}

impl DayTotals {
    /// Adds an entry.
    ///
    /// # Errors
    /// When a sum is too large.
    pub fn add(
        &mut self,
        credit: Option<CreditId>,
        sums: &BTreeMap<VatRate, NetAndVat>,
    ) -> Result<(), MoneyError> {
        let side = if credit.is_some() { &mut self.refunds } else { &mut self.sales };
        side.entries += 1;
        for (rate, sum) in sums {
            let sum = side.sums.get(rate).map_or(Ok(*sum), |before| before.plus(*sum))?;
            side.sums.insert(*rate, sum);
        }
        Ok(())
    }

    /// How many entries were added.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.sales.entries + self.refunds.entries
    }

    /// The voucher of a day with these entries. `begun` says that it was sent before: a period that was locked since does
    /// not stop it.
    ///
    /// # Errors
    /// When an account is missing, or the day lies in a locked period.
    pub fn voucher(
        &self,
        day: &DayId,
        reference: &str,
        chart: &Chart,
        begun: bool,
    ) -> Result<DayVoucher, PostingError> {
        let lot = &day.lot;
        if !begun {
            chart.check_open(lot.date)?;
        }
        let claim = format!("{} {}", lot.provider, lot.method);
        let mut rows = self.sales.rows(chart, "Försäljning", &claim)?;
        rows.extend(self.refunds.rows(chart, "Återbetalning", &claim)?);
        rows.sort_by_key(|row| (row.amount.minor < 0, row.account));
        let counted = [
            (self.sales.entries, "order", "ordrar"),
            (self.refunds.entries, "återbetalning", "återbetalningar"),
        ];
        let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
        let counted =
            counted.map(|(count, one, many)| format!(", {count} {}", if count == 1 { one } else { many }));
        let text = format!("Dagsförsäljning {claim} {}{}", lot.date, counted.collect::<String>());
        Ok(DayVoucher { reference: reference.to_owned(), date: lot.date, text, rows })
    }
}

#[cfg(test)]
#[path = "entries_tests.rs"]
mod tests;
