//! Swedish value-added tax (moms): the four rates and what is inside a price that includes it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError, parse_decimal};

/// One of the Swedish rates. A rate is carried, never inferred from amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VatRate {
    /// 25 %, most goods and services.
    Standard,
    /// 12 %, food and hotels among others.
    Reduced,
    /// 6 %, books and culture among others.
    Low,
    /// 0 %, exempt or outside Sweden.
    Zero,
}

impl VatRate {
    /// All rates, highest first.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Reduced, Self::Low, Self::Zero];

    /// The rate in percent.
    #[must_use]
    pub fn percent(self) -> u32 {
        match self {
            Self::Standard => 25,
            Self::Reduced => 12,
            Self::Low => 6,
            Self::Zero => 0,
        }
    }

    /// Reads `25`, `12`, `6` or `0`, with or without decimals that are zero.
    ///
    /// # Errors
    /// When the text is not one of the rates.
    pub fn parse(text: &str) -> Result<Self, BadRate> {
        let percent = parse_decimal(text).map_err(|_| BadRate)?;
        Self::ALL.into_iter().find(|rate| Decimal::from(rate.percent()) == percent).ok_or(BadRate)
    }

    /// The tax inside an amount that includes it, as an unrounded decimal of minor units.
    #[must_use]
    pub fn inside(self, gross: Money) -> Decimal {
        let percent = Decimal::from(self.percent());
        Decimal::from(gross.minor) * percent / (Decimal::ONE_HUNDRED + percent)
    }

    /// The tax inside an amount that includes it, in whole minor units.
    ///
    /// # Errors
    /// When the amount is too large.
    pub fn inside_rounded(self, gross: Money) -> Result<Money, MoneyError> {
        Money::from_minor_rounded(self.inside(gross), gross.currency)
    }
}

/// The text is none of the four rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of \"25\", \"12\", \"6\" and \"0\"")]
pub struct BadRate;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn only_the_four_swedish_rates_are_read() {
        assert_eq!(VatRate::parse("25"), Ok(VatRate::Standard));
        assert_eq!(VatRate::parse("6.00"), Ok(VatRate::Low));
        for bad in ["20", "25.5", "-25", "", "25%", "0.25"] {
            assert_eq!(VatRate::parse(bad), Err(BadRate), "{bad}");
        }
    }

    #[test]
    fn the_tax_inside_a_price_is_the_share_of_the_rate() {
        let gross = Money::new(74_700, Currency::SEK);
        assert_eq!(VatRate::Standard.inside_rounded(gross).unwrap().minor, 14_940);
        assert_eq!(VatRate::Reduced.inside_rounded(gross).unwrap().minor, 8_004);
        assert_eq!(VatRate::Low.inside_rounded(gross).unwrap().minor, 4_228);
        assert_eq!(VatRate::Zero.inside_rounded(gross).unwrap().minor, 0);
    }
}
