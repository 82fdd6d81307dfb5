//! Scalars that providers write now as text, now as numbers, now as booleans, read from their exact lexemes.
//!
//! Numbers are never parsed through a float. These types read from JSON text only, not from a `serde_json::Value`.

use std::str::FromStr;

use bokbro_domain::money::parse_decimal;
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Text, a number's lexeme, or a boolean's name; `None` when null, empty or absent (with `#[serde(default)]`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LooseText(pub Option<String>);

/// An exact decimal from a number or from text; `None` when null, empty or absent (with `#[serde(default)]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LooseDecimal(pub Option<Decimal>);

/// A boolean from `true`, `"true"`, `1` or `"1"` and their opposites; `None` when null, empty or absent (with
/// `#[serde(default)]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LooseBool(pub Option<bool>);

/// A decimal written as a JSON number with all its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(pub Decimal);

impl LooseText {
    /// The text, or nothing.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// What the text is when it is read as something else, if it is that.
    #[must_use]
    pub fn parse<T: FromStr>(&self) -> Option<T> {
        self.as_deref()?.parse().ok()
    }

    /// The exact decimal that the text is, if it is one.
    #[must_use]
    pub fn to_decimal(&self) -> Option<Decimal> {
        self.as_deref().and_then(decimal)
    }

    /// The boolean that the text is, if it is one.
    #[must_use]
    pub fn to_bool(&self) -> Option<bool> {
        self.as_deref().and_then(boolean)
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    parse_decimal(text).ok().or_else(|| Decimal::from_scientific(text).ok())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let lexeme = raw.get();
    match lexeme.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(lexeme).map_err(D::Error::custom)?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
        Some(b'n') => Ok(None),
        Some(b'{' | b'[') | None => Err(D::Error::custom("expected a scalar")),
        Some(_) => Ok(Some(lexeme.to_owned())),
    }
}

impl<'de> Deserialize<'de> for LooseText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for LooseDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = scalar(deserializer)? else { return Ok(Self(None)) };
        let decimal = decimal(&text).ok_or_else(|| D::Error::custom("expected a decimal number"))?;
        Ok(Self(Some(decimal)))
    }
}

impl<'de> Deserialize<'de> for LooseBool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = scalar(deserializer)? else { return Ok(Self(None)) };
        let boolean = boolean(&text).ok_or_else(|| D::Error::custom("expected a boolean"))?;
        Ok(Self(Some(boolean)))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lexeme = self.0.normalize().to_string();
        RawValue::from_string(lexeme).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct One<T: Default> {
        #[serde(default)]
        value: T,
    }

    fn read<T: for<'de> Deserialize<'de> + Default>(lexeme: &str) -> Option<T> {
        let one: Result<One<T>, _> = serde_json::from_str(&format!("{{\"value\":{lexeme},\"other\":1}}"));
        one.ok().map(|one| one.value)
    }

    #[test]
    fn text_keeps_the_lexeme() {
        let cases = [
            ("\"30\"", Some("30")),
            ("30", Some("30")),
            ("9007199254740993", Some("9007199254740993")),
            ("1.20", Some("1.20")),
            ("true", Some("true")),
            ("\"\\u00f6\\/\"", Some("ö/")),
            ("\"\"", None),
            ("null", None),
        ];
        for (lexeme, expected) in cases {
            assert_eq!(read::<LooseText>(lexeme).unwrap().as_deref(), expected, "{lexeme}");
        }
        assert_eq!(read::<LooseText>("{}"), None);
    }

    #[test]
    fn decimals_are_exact() {
        let cases = [
            ("747", "747"),
            ("\"1.12\"", "1.12"),
            ("0.1", "0.1"),
            ("-0", "0"),
            ("-0.40", "-0.4"),
            ("1e3", "1000"),
            ("1.5E-2", "0.015"),
            ("0.30000000000000004", "0.30000000000000004"),
        ];
        for (lexeme, expected) in cases {
            assert_eq!(read::<LooseDecimal>(lexeme).unwrap().0, Some(expected.parse().unwrap()), "{lexeme}");
        }
        assert_eq!(read::<LooseDecimal>("\"\""), Some(LooseDecimal(None)));
        assert_eq!(read::<LooseDecimal>("\"API_NORIGHT\""), None);
        assert_eq!(read::<LooseDecimal>("[]"), None);
    }

    #[test]
    fn booleans_come_in_many_forms() {
        for yes in ["true", "\"true\"", "1", "\"1\""] {
            assert_eq!(read::<LooseBool>(yes), Some(LooseBool(Some(true))), "{yes}");
        }
        for no in ["false", "\"false\"", "0", "\"0\""] {
            assert_eq!(read::<LooseBool>(no), Some(LooseBool(Some(false))), "{no}");
        }
        assert_eq!(read::<LooseBool>("null"), Some(LooseBool(None)));
        assert_eq!(read::<LooseBool>("\"yes\""), None);
    }

    #[test]
    fn decimals_are_written_as_numbers() {
        let written = |text: &str| serde_json::to_string(&Exact(text.parse().unwrap())).unwrap();
        assert_eq!(written("349.00"), "349");
        assert_eq!(written("349.50"), "349.5");
        assert_eq!(written("-0.40"), "-0.4");
        assert_eq!(written("0.00"), "0");
    }
}
