//! What the books must show of an order, reckoned from the case alone: nothing here asks Bokbro.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::case::Buys;

/// What rounding may move between the accounts of one document: five öre.
pub(super) const NEAR: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// Kronor from öre.
pub(super) fn from_ore(ore: i64) -> Decimal {
    Decimal::new(ore, 2)
}

/// The sales account of a VAT rate in the simulated companies.
pub(super) fn account(rate: u8) -> u64 {
    match rate {
        25 => 3001,
        12 => 3002,
        6 => 3003,
        _ => 3004,
    }
}

/// Whether an account is one of VAT on sales.
pub(super) fn is_vat(account: u64) -> bool {
    (2600..2640).contains(&account)
}

/// What a document carries, so that it can be found again, when this much was given back with it and before it.
pub(super) fn reference(order: &str, back: i64) -> String {
    format!("{order}-credit-{back}")
}

/// An amount without its VAT.
pub(super) fn net(gross: Decimal, rate: u8) -> Decimal {
    gross * Decimal::ONE_HUNDRED / Decimal::from(100 + u32::from(rate))
}

/// What an order costs by VAT rate.
pub(super) fn by_rate(buys: &Buys) -> BTreeMap<u8, Decimal> {
    let mut by_rate: BTreeMap<u8, Decimal> = BTreeMap::new();
    for (quantity, price, rate) in &buys.lines {
        *by_rate.entry(*rate).or_default() += from_ore(i64::from(*quantity) * i64::from(*price));
    }
    by_rate
}

/// VAT inside the order's total, rounded once per rate and rounded line by line: a ledger program may do either.
pub(super) fn vat(buys: &Buys) -> [Decimal; 2] {
    let inside = |gross: Decimal, rate: u8| {
        (gross - net(gross, rate)).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
    };
    let line = |(quantity, price, rate): &(u8, u32, u8)| {
        inside(from_ore(i64::from(*quantity) * i64::from(*price)), *rate)
    };
    let once = by_rate(buys).into_iter().map(|(rate, gross)| inside(gross, rate)).sum();
    [once, buys.lines.iter().map(line).sum()]
}
