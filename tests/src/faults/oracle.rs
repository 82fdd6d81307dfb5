//! What the books must show of an order, reckoned from the case alone: nothing here asks Bokbro.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use super::case::Buys;

/// Kronor from a member of a document, however it is spelled.
pub(super) fn kronor(value: &Value) -> Decimal {
    value.to_string().trim_matches('"').parse().unwrap_or(Decimal::MIN)
}

/// Kronor from öre.
pub(super) fn from_ore(ore: i64) -> Decimal {
    Decimal::new(ore, 2)
}

/// A document's member as text.
pub(super) fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or_default()
}

/// The sales account of a VAT rate in the simulated company.
fn account(rate: u8) -> u64 {
    match rate {
        25 => 3001,
        12 => 3002,
        6 => 3003,
        _ => 3004,
    }
}

/// Account, VAT rate, quantity and price of every row, in the order of the lines.
pub(super) fn rows(buys: &Buys) -> Vec<(u64, Decimal, Decimal, Decimal)> {
    let row = |(quantity, price, rate): &(u8, u32, u8)| {
        (account(*rate), Decimal::from(*rate), Decimal::from(*quantity), from_ore(i64::from(*price)))
    };
    buys.lines.iter().map(row).collect()
}

/// The same of an invoice.
pub(super) fn rows_of(invoice: &Value) -> Vec<(u64, Decimal, Decimal, Decimal)> {
    let rows = invoice["InvoiceRows"].as_array().cloned().unwrap_or_default();
    let row = |row: &Value| {
        let account = row["AccountNumber"].as_u64().unwrap_or_default();
        (account, kronor(&row["VAT"]), kronor(&row["DeliveredQuantity"]), kronor(&row["Price"]))
    };
    rows.iter().map(row).collect()
}

/// VAT inside the order's total, rounded once per rate and rounded line by line: a ledger program may do either.
pub(super) fn vat(buys: &Buys) -> [Decimal; 2] {
    let inside = |gross: Decimal, rate: u8| {
        let vat = gross * Decimal::from(rate) / Decimal::from(100 + u32::from(rate));
        vat.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
    };
    let mut by_rate: BTreeMap<u8, Decimal> = BTreeMap::new();
    let mut by_line = Decimal::ZERO;
    for (quantity, price, rate) in &buys.lines {
        let gross = from_ore(i64::from(*quantity) * i64::from(*price));
        by_line += inside(gross, *rate);
        *by_rate.entry(*rate).or_default() += gross;
    }
    [by_rate.into_iter().map(|(rate, gross)| inside(gross, rate)).sum(), by_line]
}
