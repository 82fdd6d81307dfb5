//! The rows of a draft, with prices as the draft shows them: VAT included for private persons, as a rule, and without VAT
//! for companies. Pure.
//!
//! Prices without VAT have no more than two decimals while the customer is Swedish (`apis/visma.md` 2), so quantity times
//! price may miss the order's total. Rows for the difference make up for it.

use std::collections::BTreeMap;

use bokbro_domain::money::{Money, MoneyError};
use bokbro_domain::posting::{Posting, PostingRow};
use bokbro_domain::vat::VatRate;
use rust_decimal::{Decimal, RoundingStrategy};

/// Most decimals of a quantity in a draft.
const QUANTITY_DECIMALS: u32 = 2;

/// Which article a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    /// Sales at a rate.
    Sales(VatRate),
    /// Differences of öre, without VAT.
    RoundOff,
}

/// A row with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Priced {
    pub(super) of: Of,
    pub(super) text: String,
    pub(super) quantity: Decimal,
    /// Of one, never negative: the quantity carries the sign.
    pub(super) unit_price: Money,
}

/// How a draft shows its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Whether prices include VAT.
    pub(super) includes_vat: bool,
    /// Whether a credit invoice takes what its rows say off, so that they say what a sale's do.
    pub(super) turned: bool,
}

/// The rows of a draft that shows them in this manner.
///
/// # Errors
/// As [`priced`].
pub(super) fn rows_of(posting: &Posting, manner: Manner) -> Result<Vec<Priced>, MoneyError> {
    let mut rows = priced(posting, manner.includes_vat)?;
    if manner.turned {
        rows.iter_mut().for_each(|row| row.quantity = -row.quantity);
    }
    Ok(rows)
}

/// The rows of a posting; those of a credit take away what the sale's added.
///
/// # Errors
/// When an amount is too large, or when no sum without VAT gives the total, which no rate leads to.
pub(super) fn priced(posting: &Posting, includes_vat: bool) -> Result<Vec<Priced>, MoneyError> {
    if includes_vat {
        return posting.rows.iter().map(|row| plain(row, row.unit_price, gross(row)?)).collect();
    }
    let mut rows = Vec::new();
    let mut of_rate: BTreeMap<VatRate, (Money, Money)> = BTreeMap::new();
    let zero = Money::zero(posting.currency);
    for row in &posting.rows {
        let net = |amount: Money| amount.minus(row.vat_rate.inside_rounded(amount)?);
        let priced = plain(row, net(row.unit_price)?, net(gross(row)?)?)?;
        let (gross_sum, net_sum) = of_rate.entry(row.vat_rate).or_insert((zero, zero));
        *gross_sum = gross_sum.plus(gross(row)?)?;
        *net_sum = net_sum.plus(priced.unit_price.times(priced.quantity)?)?;
        rows.push(priced);
    }
    let mut missing = zero;
    for (rate, (gross, net)) in of_rate {
        let vat = rate.inside_rounded(gross)?;
        let target = net_with(rate, gross.minus(vat)?, vat)?;
        rows.extend(difference(Of::Sales(rate), target.minus(net)?));
        missing = missing.plus(gross.minus(vat)?.minus(target)?)?;
    }
    rows.extend(difference(Of::RoundOff, missing));
    Ok(rows)
}

/// Whether prices without VAT need a row for differences of öre.
///
/// # Errors
/// When an amount is too large.
pub(super) fn needs_round_off(posting: &Posting) -> Result<bool, MoneyError> {
    Ok(priced(posting, false)?.iter().any(|row| row.of == Of::RoundOff))
}

fn gross(row: &PostingRow) -> Result<Money, MoneyError> {
    row.unit_price.times(row.quantity)
}

/// A row as it was ordered, or one piece of it all when the quantity has more decimals than a draft takes.
fn plain(row: &PostingRow, unit_price: Money, whole: Money) -> Result<Priced, MoneyError> {
    let quantity = row.quantity.normalize();
    let text = match row.sku.as_deref().map(str::trim).filter(|sku| !sku.is_empty()) {
        Some(sku) => format!("{} ({sku})", row.text.trim()),
        None => row.text.trim().to_owned(),
    };
    let (text, quantity, price) = if quantity.scale() <= QUANTITY_DECIMALS {
        (text, quantity, unit_price)
    } else {
        (format!("{} × {text}", quantity.abs()), Decimal::ONE, whole)
    };
    signed(Of::Sales(row.vat_rate), text, quantity, price)
}

/// That quantities may be negative is documented; of prices it is not.
fn signed(of: Of, text: String, quantity: Decimal, price: Money) -> Result<Priced, MoneyError> {
    let negative = price.minor < 0;
    let unit_price = if negative { Money::zero(price.currency).minus(price)? } else { price };
    Ok(Priced { of, text, quantity: if negative { -quantity } else { quantity }, unit_price })
}

/// The sum without VAT nearest to `net` on which the rate gives this very VAT: some amounts cannot be had without an öre
/// beside them.
fn net_with(rate: VatRate, net: Money, vat: Money) -> Result<Money, MoneyError> {
    let percent = Decimal::from(rate.percent()) / Decimal::ONE_HUNDRED;
    for minor in [net.minor, net.minor - 1, net.minor + 1] {
        let computed = (Decimal::from(minor) * percent)
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        if computed == Decimal::from(vat.minor) {
            return Ok(Money::new(minor, net.currency));
        }
    }
    Err(MoneyError::TooLarge)
}

fn difference(of: Of, amount: Money) -> Option<Priced> {
    if amount.minor == 0 {
        return None;
    }
    signed(of, "Öresutjämning".to_owned(), Decimal::ONE, amount).ok()
}
