//! How Viva spells money, order codes and times; and the answers of its API built from them.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, Unit, Zoned};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// An amount of money in minor units (öre for SEK). Viva's requests use these; its answers and events use decimal
/// major units (apis/viva-ongoing-bank.md 1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub i64);

impl Amount {
    /// The spelling of most answers: `747.0` for whole amounts and `30.50` for others.
    pub fn lexeme(self) -> Box<RawValue> {
        let (sign, whole, cents) = self.parts();
        if cents == 0 { raw(format!("{sign}{whole}.0")) } else { raw(format!("{sign}{whole}.{cents:02}")) }
    }

    /// The spelling of `OriginalAmount` in events: always four decimals, `747.0000`.
    pub fn four_decimals(self) -> Box<RawValue> {
        let (sign, whole, cents) = self.parts();
        raw(format!("{sign}{whole}.{cents:02}00"))
    }

    fn parts(self) -> (&'static str, u64, u64) {
        let minor = self.0.unsigned_abs();
        (if self.0 < 0 { "-" } else { "" }, minor / 100, minor % 100)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, whole, cents) = self.parts();
        write!(formatter, "{sign}{whole}.{cents:02}")
    }
}

impl FromStr for Amount {
    type Err = &'static str;

    /// Reads decimal major units, for example `747.00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let major = Decimal::from_str_exact(text).map_err(|_| "the amount is not a decimal number")?;
        let minor = major.checked_mul(Decimal::ONE_HUNDRED).ok_or("the amount is too large")?;
        if !minor.is_integer() {
            return Err("the amount has more than two decimals");
        }
        minor.to_i64().map(Amount).ok_or("the amount is too large")
    }
}

impl Serialize for Amount {
    /// Writes a decimal string, `"747.00"`: the simulator's own pages have no need for Viva's spelling.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        string_or_number(deserializer)
    }
}

/// An order code: 16 digits, may exceed 2^53, so that readers which keep it in a float lose its last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OrderCode(pub u64);

impl FromStr for OrderCode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(OrderCode).map_err(|_| "the order code is not a whole number")
    }
}

impl<'de> Deserialize<'de> for OrderCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        string_or_number(deserializer)
    }
}

/// A currency as its ISO 4217 number ("752" is SEK). Requests give it as number or string; answers as string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(pub u16);

impl FromStr for Currency {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Currency).map_err(|_| "the currency is not an ISO 4217 number")
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:03}", self.0))
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        string_or_number(deserializer)
    }
}

/// Reads a value from the exact text of a JSON number, or from a JSON string.
fn string_or_number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = &'static str>,
{
    let json = Box::<RawValue>::deserialize(deserializer)?;
    json.get().trim_matches('"').parse().map_err(serde::de::Error::custom)
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("a decimal number is JSON")
}

/// Viva's servers stand in Greece and most of its times are Greek local time (apis/viva-ongoing-bank.md 1.4).
pub(crate) fn greek(at: Timestamp) -> Zoned {
    at.in_tz("Europe/Athens").expect("the time zone database is compiled in")
}

/// `2024-06-10T09:55:07.957`: Greek local time that does not say so. Used by events, order states and searches.
pub(crate) fn local_time(at: Timestamp) -> String {
    greek(to_millis(at)).strftime("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// `2021-12-06T14:32:10.32+02:00`, as in the answer about one transaction.
pub(crate) fn time_with_offset(at: Timestamp) -> String {
    greek(to_millis(at)).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// `2021-03-31T15:52:27.2029634+03:00`, the `TimeStamp` of the older API.
pub(crate) fn long_time_with_offset(at: Timestamp) -> String {
    greek(at).strftime("%Y-%m-%dT%H:%M:%S%.7f%:z").to_string()
}

/// `2024-06-10T06:55:08.3492636Z`, when an event was made.
pub(crate) fn long_utc_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

fn to_millis(at: Timestamp) -> Timestamp {
    at.round(Unit::Millisecond).unwrap_or(at)
}

/// A number of milliseconds as a span of the simulator's clock.
pub(crate) fn millis(count: u32) -> SignedDuration {
    SignedDuration::from_millis(i64::from(count))
}
