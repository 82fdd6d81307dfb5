//! Table items: versioned wire types apart from the domain's, and how each becomes the other.
//!
//! A field that the domain gains does not compile until it is decided here how it is stored, and the tests freeze the
//! stored text, so that renaming something in the domain never makes stored items unreadable.

pub(crate) mod day;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod limiter;
pub(crate) mod mapping;
pub(crate) mod order;
pub(crate) mod records;
pub(crate) mod token;
pub(crate) mod warehouse;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod stored_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One item as DynamoDB has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Version of all item formats so far, in the attribute `v`.
pub(crate) const VERSION: u64 = 1;

/// A stored item is not what it should be; says which attribute without quoting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored {kind}: attribute {attribute} is missing or unreadable")]
pub(crate) struct Unreadable {
    kind: &'static str,
    attribute: &'static str,
}

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A JSON document in a text attribute.
pub(crate) fn json<T: Serialize>(value: &T) -> AttributeValue {
    // Only maps with keys that are not strings can fail, and no wire type has one.
    text(serde_json::to_string(value).unwrap_or_default())
}

/// A time with nine decimals always, so that texts sort as the times do.
pub(crate) fn stamp(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// Adds the version of the item format.
pub(crate) fn versioned(mut item: Item) -> Item {
    item.insert("v".to_owned(), number(VERSION));
    item
}

/// Reads the attributes of one stored item.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    kind: &'static str,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    /// Begins to read an item of a version that this program knows.
    pub(crate) fn new(kind: &'static str, item: &'a Item) -> Result<Self, Unreadable> {
        let reader = Self { kind, item };
        if reader.number("v")? == VERSION { Ok(reader) } else { Err(reader.bad("v")) }
    }

    /// The error about an attribute.
    pub(crate) fn bad(&self, attribute: &'static str) -> Unreadable {
        Unreadable { kind: self.kind, attribute }
    }

    /// A text that may be absent.
    pub(crate) fn maybe_text(&self, name: &'static str) -> Result<Option<&'a str>, Unreadable> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.bad(name)),
        }
    }

    /// A text.
    pub(crate) fn text(&self, name: &'static str) -> Result<&'a str, Unreadable> {
        self.maybe_text(name)?.ok_or_else(|| self.bad(name))
    }

    /// A text that an identity or a time is read from.
    pub(crate) fn parsed<T, E>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, Unreadable> {
        parse(self.text(name)?).map_err(|_| self.bad(name))
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self, name: &'static str) -> Result<u64, Unreadable> {
        match self.item.get(name) {
            Some(AttributeValue::N(digits)) => digits.parse().map_err(|_| self.bad(name)),
            _ => Err(self.bad(name)),
        }
    }

    /// A JSON document that may be absent.
    pub(crate) fn maybe_json<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Unreadable> {
        self.maybe_text(name)?.map(serde_json::from_str).transpose().map_err(|_| self.bad(name))
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, Unreadable> {
        self.parsed(name, |text| serde_json::from_str(text))
    }
}
