//! What a document adds up to: rows, value-added tax and rounding.
//!
//! How ledger programs round tax over several rates is not known (`apis/fortnox.md` 6), so both ways are here.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

/// Where value-added tax is rounded to whole öre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VatRounding {
    /// Each row by itself.
    PerRow,
    /// The sum of all rows with the same rate.
    #[default]
    PerDocument,
}

/// One row, or freight or fee, that adds to the totals. Amounts are kronor.
pub(crate) struct Line {
    pub(crate) account: u32,
    /// Percent.
    pub(crate) rate: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) price: Decimal,
    pub(crate) discount: Decimal,
    pub(crate) discount_is_percent: bool,
    /// Whether it is freight or a fee, which count into the total but not into `Net`.
    pub(crate) extra: bool,
}

impl Line {
    fn before_discount(&self) -> Decimal {
        round(self.quantity * self.price)
    }

    /// The row's `Total`: with tax when the document's prices are with tax.
    pub(crate) fn total(&self) -> Decimal {
        let full = self.quantity * self.price;
        let discount = if self.discount_is_percent {
            full * self.discount / Decimal::ONE_HUNDRED
        } else {
            self.discount
        };
        round(full - discount)
    }

    /// An amount of this row without tax.
    pub(crate) fn excluding_vat(&self, amount: Decimal, vat_included: bool) -> Decimal {
        if vat_included { amount * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + self.rate) } else { amount }
    }
}

/// The sums of a document, in kronor.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Rows without tax, before discounts.
    pub(crate) gross: Decimal,
    /// Rows without tax.
    pub(crate) net: Decimal,
    /// All tax.
    pub(crate) vat: Decimal,
    /// What rounding to whole kronor added.
    pub(crate) round_off: Decimal,
    /// Everything, rounded.
    pub(crate) total: Decimal,
    /// Tax on freight and fees, in the order of the lines.
    pub(crate) extra_vat: Vec<Decimal>,
    /// Net sales by account.
    pub(crate) sales: BTreeMap<u32, Decimal>,
    /// Tax by rate.
    pub(crate) vat_by_rate: BTreeMap<Decimal, Decimal>,
}

/// Adds up the lines of a document.
pub(crate) fn add_up(
    lines: &[Line],
    vat_included: bool,
    rounding: VatRounding,
    whole_kronor: bool,
) -> Totals {
    let mut totals = Totals::default();
    let mut by_rate: BTreeMap<Decimal, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        by_rate.entry(line.rate.normalize()).or_default().push(line);
    }
    for (rate, group) in by_rate {
        let vat_of = |amount: Decimal| {
            let base = if vat_included { Decimal::ONE_HUNDRED + rate } else { Decimal::ONE_HUNDRED };
            round(amount * rate / base)
        };
        let amount: Decimal = group.iter().map(|line| line.total()).sum();
        let vat = match rounding {
            VatRounding::PerRow => group.iter().map(|line| vat_of(line.total())).sum(),
            VatRounding::PerDocument => vat_of(amount),
        };
        let net = if vat_included { amount - vat } else { amount };
        // Each account gets its own rows; the öre that rounding leaves over go to the first of them.
        let mut rest = net;
        for line in &group {
            let share = round(line.excluding_vat(line.total(), vat_included));
            *totals.sales.entry(line.account).or_default() += share;
            rest -= share;
        }
        if let Some(first) = group.first() {
            *totals.sales.entry(first.account).or_default() += rest;
        }
        *totals.vat_by_rate.entry(rate).or_default() += vat;
        let extras: Decimal = group
            .iter()
            .filter(|line| line.extra)
            .map(|line| round(line.excluding_vat(line.total(), vat_included)))
            .sum();
        totals.net += net - extras;
        totals.gross += group
            .iter()
            .filter(|line| !line.extra)
            .map(|line| round(line.excluding_vat(line.before_discount(), vat_included)))
            .sum::<Decimal>();
        totals.vat += vat;
        totals.total += net + vat;
    }
    totals.extra_vat = lines
        .iter()
        .filter(|line| line.extra)
        .map(|line| {
            let net = round(line.excluding_vat(line.total(), vat_included));
            if vat_included { line.total() - net } else { round(net * line.rate / Decimal::ONE_HUNDRED) }
        })
        .collect();
    if whole_kronor {
        let rounded = totals.total.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        totals.round_off = rounded - totals.total;
        totals.total = rounded;
    }
    totals
}

/// Rounds to whole öre, halves away from zero.
pub(crate) fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: u32, rate: &str, quantity: &str, price: &str) -> Line {
        Line {
            account,
            rate: rate.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
            price: price.parse().unwrap(),
            discount: Decimal::ZERO,
            discount_is_percent: true,
            extra: false,
        }
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn gross_prices_split_into_net_and_tax() {
        let lines = [line(3001, "25", "2", "349.00"), line(3520, "25", "1", "49.00")];
        let totals = add_up(&lines, true, VatRounding::PerDocument, false);
        assert_eq!(
            (totals.net, totals.vat, totals.total),
            (decimal("597.60"), decimal("149.40"), decimal("747"))
        );
        assert_eq!(totals.sales.values().sum::<Decimal>(), totals.net);
    }

    #[test]
    fn the_two_ways_to_round_tax_differ_where_they_should() {
        let lines =
            [line(3001, "25", "1", "0.33"), line(3001, "25", "1", "0.33"), line(3001, "25", "1", "0.33")];
        assert_eq!(add_up(&lines, true, VatRounding::PerRow, false).vat, decimal("0.21"));
        assert_eq!(add_up(&lines, true, VatRounding::PerDocument, false).vat, decimal("0.20"));
    }

    #[test]
    fn whole_kronor_leave_a_round_off() {
        let totals = add_up(&[line(3001, "25", "1", "99.60")], true, VatRounding::PerRow, true);
        assert_eq!((totals.total, totals.round_off), (decimal("100"), decimal("0.40")));
        assert_eq!(totals.net + totals.vat + totals.round_off, totals.total);
    }
}
