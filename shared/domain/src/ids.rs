//! Identities that cannot be mixed up: a tenant is not an order, an order number is not an order id.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// Why a text is not the identity it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct BadId {
    /// What would have been accepted, for people.
    pub expected: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads the identity from text.
            ///
            /// # Errors
            /// When the text breaks the identity's own rule.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(BadId { expected: $expected }) }
            }

            /// The identity as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_slug(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_prefixed_ulid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == 26 && Ulid::from_string(rest).is_ok())
}

text_id!(
    /// One merchant whose orders, books and secrets are kept apart from everybody else's.
    TenantId,
    "a tenant id (1 to 40 of a-z, 0-9, - and _)",
    |t| is_slug(t, 40)
);
text_id!(
    /// A provider's short name as the registry knows it.
    Provider,
    "a provider name (1 to 20 of a-z, 0-9, - and _)",
    |t| is_slug(t, 20)
);
text_id!(
    /// One order in Bokbro: `ord_` and a ULID, so that ids sort by the time of creation.
    OrderId,
    "an order id (ord_ and 26 characters)",
    |t| is_prefixed_ulid(t, "ord_")
);
text_id!(
    /// One item that waits for a human: `prk_` and a ULID.
    ParkedId,
    "a parked item's id (prk_ and 26 characters)",
    |t| is_prefixed_ulid(t, "prk_")
);
text_id!(
    /// One run of a longer task: `job_` and a ULID.
    JobId,
    "a job's id (job_ and 26 characters)",
    |t| is_prefixed_ulid(t, "job_")
);
text_id!(
    /// The webshop's own order number, unique per tenant; 1 to 50 printable characters without outer blanks.
    OrderNumber,
    "an order number (1 to 50 printable characters, no blank at either end)",
    |t| (1..=50).contains(&t.chars().count()) && t.trim() == t && !t.chars().any(char::is_control)
);
text_id!(
    /// How a buyer pays, as the payment provider tells it: `card`, `swish`, `klarna`; `other` when it does not.
    PaymentMethod,
    "a way of payment (1 to 12 of a-z and 0-9)",
    |t| (1..=12).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
);
text_id!(
    /// The payment provider's identity of one transaction, kept in lower case (a UUID as a rule).
    TransactionId,
    "a transaction id (1 to 64 of a-z, 0-9 and -)",
    |t| (1..=64).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
text_id!(
    /// Ties together everything that one outside event set in motion, from the webhook to the last effect.
    CorrelationId,
    "a correlation id (1 to 64 of A-Z, a-z, 0-9, - and _)",
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);

impl OrderId {
    /// The id of an order made at the ULID's time.
    #[must_use]
    pub fn from_ulid(ulid: Ulid) -> Self {
        Self(format!("ord_{ulid}"))
    }

    /// The lowest and the highest id that an order made in this time can have, to the millisecond.
    #[must_use]
    pub fn made_in(time: &Range<Timestamp>) -> RangeInclusive<Self> {
        let millis = |at: Timestamp| u64::try_from(at.as_millisecond()).unwrap_or(0);
        let lowest = Ulid::from_parts(millis(time.start), 0);
        let highest = Ulid::from_parts(millis(time.end).saturating_sub(1), u128::MAX >> 48);
        Self::from_ulid(lowest)..=Self::from_ulid(highest)
    }
}

impl ParkedId {
    /// The id of an item parked at the ULID's time.
    #[must_use]
    pub fn from_ulid(ulid: Ulid) -> Self {
        Self(format!("prk_{ulid}"))
    }
}

impl JobId {
    /// The id of a job asked for at the ULID's time.
    #[must_use]
    pub fn from_ulid(ulid: Ulid) -> Self {
        Self(format!("job_{ulid}"))
    }
}

impl Default for PaymentMethod {
    fn default() -> Self {
        Self("other".to_owned())
    }
}

impl CorrelationId {
    /// A new correlation id.
    #[must_use]
    pub fn from_ulid(ulid: Ulid) -> Self {
        Self(ulid.to_string())
    }
}

/// The payment provider's order code: 16 digits as a rule and often above 2^53, so never a float
/// (`apis/viva-ongoing-bank.md` 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckoutCode(pub u64);

impl CheckoutCode {
    /// Reads a code of 1 to 19 digits without sign, blanks or leading zero.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let bad = BadId { expected: "an order code (digits only)" };
        if text.is_empty() || text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad);
        }
        text.parse().map(Self).map_err(|_| bad)
    }
}

impl fmt::Display for CheckoutCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A side that a paid order must reach, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The books.
    Accounting,
    /// The parcels.
    Warehouse,
}

impl Target {
    /// The target's name in keys and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounting => "accounting",
            Self::Warehouse => "warehouse",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_to_their_own_rule() {
        assert!(TenantId::parse("demo").is_ok());
        assert!(TenantId::parse("Demo").is_err());
        assert!(OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").is_ok());
        assert!(OrderId::parse("prk_01ARZ3NDEKTSV4RRFFQ69G5FAV").is_err());
        assert!(OrderNumber::parse("1753-1001").is_ok());
        assert!(OrderNumber::parse(" 1753").is_err());
        assert!(OrderNumber::parse("17\u{7}53").is_err());
        assert!(OrderNumber::parse(&"9".repeat(51)).is_err());
    }

    #[test]
    fn ids_of_a_time_are_those_made_in_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hour = at("2026-11-20T08:00:00Z")..at("2026-11-20T09:00:00Z");
        for (made, random, inside) in [
            ("2026-11-20T07:59:59.999Z", u128::MAX, false),
            ("2026-11-20T08:00:00Z", 0, true),
            ("2026-11-20T08:59:59.999Z", u128::MAX, true),
            ("2026-11-20T09:00:00Z", 0, false),
        ] {
            let millis = u64::try_from(at(made).as_millisecond()).unwrap();
            let id = OrderId::from_ulid(Ulid::from_parts(millis, random >> 48));
            assert_eq!(OrderId::made_in(&hour).contains(&id), inside, "{made}");
        }
    }

    #[test]
    fn a_checkout_code_above_two_to_the_53rd_keeps_every_digit() {
        assert_eq!(CheckoutCode::parse("9007199254740993").unwrap().to_string(), "9007199254740993");
        for bad in ["", "0123", "+5", "-5", " 5", "12.0", "99999999999999999999"] {
            assert!(CheckoutCode::parse(bad).is_err(), "{bad}");
        }
    }
}
