//! Money as integer minor units with its currency; the only place where decimals become öre and back.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::said;
use crate::said::Said;

/// An ISO 4217 currency with two decimals, kept as its letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Letters and number of the currencies that a Swedish shop meets at its payment provider; all have two decimals.
const KNOWN: [(&str, &str); 9] = [
    ("SEK", "752"),
    ("EUR", "978"),
    ("NOK", "578"),
    ("DKK", "208"),
    ("GBP", "826"),
    ("USD", "840"),
    ("PLN", "985"),
    ("CHF", "756"),
    ("CZK", "203"),
];

impl Currency {
    /// Swedish kronor.
    pub const SEK: Self = Self(*b"SEK");

    /// Reads the three letters of ISO 4217.
    ///
    /// # Errors
    /// When the letters are not those of a currency that Bokbro can handle.
    pub fn parse(letters: &str) -> Result<Self, MoneyError> {
        let known = KNOWN.iter().find(|(alpha, _)| *alpha == letters).ok_or(MoneyError::UnknownCurrency)?;
        let mut code = [0; 3];
        code.copy_from_slice(known.0.as_bytes());
        Ok(Self(code))
    }

    /// Reads the number of ISO 4217 as text, `"752"` for kronor.
    ///
    /// # Errors
    /// When the number is not that of a currency that Bokbro can handle.
    pub fn parse_number(number: &str) -> Result<Self, MoneyError> {
        let known =
            KNOWN.iter().find(|(_, numeric)| *numeric == number).ok_or(MoneyError::UnknownCurrency)?;
        Self::parse(known.0)
    }

    /// The number of ISO 4217, three digits.
    #[must_use]
    pub fn number(&self) -> &'static str {
        KNOWN.iter().find(|(alpha, _)| *alpha == self.as_str()).map_or("???", |(_, numeric)| numeric)
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount of money that is exact by construction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: öre for kronor, cents for euro.
    pub minor: i64,
    /// What the units are of.
    pub currency: Currency,
}

/// The name under which an amount is said.
pub const MONEY: &str = "money";

/// Why a text or a sum is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal number such as `349.00`.
    #[error("not a decimal number such as 349.00")]
    NotDecimal,
    /// More than two decimals that are not zero.
    #[error("has more than two decimals")]
    TooFine,
    /// Outside what an order may hold (a trillion in either direction).
    #[error("is too large")]
    TooLarge,
    /// Not a currency that Bokbro can handle.
    #[error("is not a currency that Bokbro can handle")]
    UnknownCurrency,
    /// Two currencies in one sum.
    #[error("mixes two currencies")]
    MixedCurrencies,
}

impl MoneyError {
    /// What people are told of it; goes on after the name of what is wrong.
    #[must_use]
    pub fn said(self) -> Said {
        match self {
            Self::NotDecimal => said!("money-not-decimal", "not a decimal number such as 349.00"),
            Self::TooFine => said!("money-too-fine", "has more than two decimals"),
            Self::TooLarge => said!("money-too-large", "is too large"),
            Self::UnknownCurrency => {
                said!("money-unknown-currency", "is not a currency that Bokbro can handle")
            }
            Self::MixedCurrencies => said!("money-mixed", "mixes two currencies"),
        }
    }
}

/// Largest magnitude in minor units: a trillion in major units, far from any overflow in a sum of lines.
const LARGEST_MINOR: i64 = 100_000_000_000_000;

/// Reads a plain decimal lexeme: optional minus, digits, optional point and digits. No exponent, no plus, no blanks.
///
/// # Errors
/// When the text is anything else or longer than 28 digits.
pub fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(MoneyError::NotDecimal);
    }
    Decimal::from_str(text).map_err(|_| MoneyError::NotDecimal)
}

impl Money {
    /// An amount of so many minor units.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads major units from an exact lexeme, `349.00` or `349.5`; trailing zeros beyond two decimals are fine
    /// because providers send `1.2000`.
    ///
    /// # Errors
    /// When the text is not a decimal number, has a third decimal that is not zero, or is too large.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::from_major(parse_decimal(text)?, currency)
    }

    /// Turns an exact decimal of major units into money.
    ///
    /// # Errors
    /// When there are more than two decimals or the amount is too large.
    pub fn from_major(major: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let minor = major.checked_mul(Decimal::ONE_HUNDRED).ok_or(MoneyError::TooLarge)?;
        if !minor.fract().is_zero() {
            return Err(MoneyError::TooFine);
        }
        let minor = i64::try_from(minor.trunc()).map_err(|_| MoneyError::TooLarge)?;
        if minor.abs() > LARGEST_MINOR {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self { minor, currency })
    }

    /// The amount as a decimal of major units with two decimals.
    #[must_use]
    pub fn to_major(self) -> Decimal {
        Decimal::new(self.minor, 2)
    }

    /// Sum of two amounts of one currency.
    ///
    /// # Errors
    /// When the currencies differ or the sum is too large.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }

    /// Difference of two amounts of one currency.
    ///
    /// # Errors
    /// When the currencies differ or the difference is too large.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(Self { minor: -other.minor, ..other })
    }

    /// The amount times a quantity, rounded to whole minor units, halves away from zero.
    ///
    /// # Errors
    /// When the product is too large.
    pub fn times(self, quantity: Decimal) -> Result<Self, MoneyError> {
        let minor = Decimal::from(self.minor).checked_mul(quantity).ok_or(MoneyError::TooLarge)?;
        Self::from_minor_rounded(minor, self.currency)
    }

    /// Rounds a decimal number of minor units to whole ones, halves away from zero.
    ///
    /// # Errors
    /// When the amount is too large.
    pub fn from_minor_rounded(minor: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let minor = minor.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        let minor = i64::try_from(minor).map_err(|_| MoneyError::TooLarge)?;
        if minor.abs() > LARGEST_MINOR {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self { minor, currency })
    }
}

/// Major units with two decimals and no currency, as the API writes amounts: `747.00`.
impl Money {
    /// The amount among something said to people, who write amounts in their own ways.
    #[must_use]
    pub fn said(&self) -> Said {
        let minor = Said::quoted(self.minor.to_string());
        let currency = Said::quoted(self.currency.to_string());
        Said::named(MONEY, self.to_string(), [("minor", minor), ("currency", currency)])
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        write!(f, "{sign}{}.{:02}", minor / 100, minor % 100)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_from_their_exact_lexemes() {
        let cases: [(&str, Result<i64, MoneyError>); 14] = [
            ("349.00", Ok(34_900)),
            ("349", Ok(34_900)),
            ("1.2000", Ok(120)),
            ("0.1", Ok(10)),
            ("-9.0", Ok(-900)),
            ("8.29", Ok(829)),
            ("0.001", Err(MoneyError::TooFine)),
            ("1e2", Err(MoneyError::NotDecimal)),
            ("+1", Err(MoneyError::NotDecimal)),
            ("1,00", Err(MoneyError::NotDecimal)),
            (" 1", Err(MoneyError::NotDecimal)),
            (".5", Err(MoneyError::NotDecimal)),
            ("", Err(MoneyError::NotDecimal)),
            ("9999999999999.00", Err(MoneyError::TooLarge)),
        ];
        for (text, expected) in cases {
            assert_eq!(Money::parse_major(text, Currency::SEK).map(|m| m.minor), expected, "{text}");
        }
    }

    #[test]
    fn currencies_are_known_by_letters_and_number() {
        assert_eq!(Currency::parse_number("752").unwrap(), Currency::SEK);
        assert!(KNOWN.iter().all(|(_, number)| Currency::parse_number(number).unwrap().number() == *number));
        assert_eq!(Currency::parse("sek"), Err(MoneyError::UnknownCurrency));
        assert_eq!(Currency::parse_number("SEK"), Err(MoneyError::UnknownCurrency));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in -LARGEST_MINOR..=LARGEST_MINOR) {
            let money = Money::new(minor, Currency::SEK);
            prop_assert_eq!(Money::parse_major(&money.to_string(), Currency::SEK).unwrap(), money);
            prop_assert_eq!(Money::from_major(money.to_major(), Currency::SEK).unwrap(), money);
        }

        #[test]
        fn a_product_is_never_more_than_half_an_ore_off(minor in -1_000_000i64..1_000_000, hundredths in 1i64..100_000) {
            let quantity = Decimal::new(hundredths, 2);
            let product = Money::new(minor, Currency::SEK).times(quantity).unwrap();
            let exact = Decimal::from(minor) * quantity;
            prop_assert!((Decimal::from(product.minor) - exact).abs() <= Decimal::new(5, 1));
        }
    }
}
