//! A JSON object that keeps the order and the exact spelling of its members, as a recorded event needs.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// The members of one JSON object in the order in which they are written. Numbers keep their lexemes, so that
/// `1.0000000` stays `1.0000000`, which a `serde_json::Value` cannot promise.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Sets a member to a value, in its place if it exists and at the end otherwise.
    pub fn set(&mut self, name: &str, value: impl Serialize) {
        let value = to_raw_value(&value).expect("plain values and raw values are JSON");
        self.set_raw(name, value);
    }

    /// Sets a member to JSON text that is already in its final spelling.
    pub fn set_raw(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(existing, _)| existing == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// The JSON text of a member.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(existing, _)| existing == name).map(|(_, value)| &**value)
    }

    /// Lays the members of `other` over these.
    pub fn overlay(&mut self, other: Members) {
        for (name, value) in other.0 {
            self.set_raw(&name, value);
        }
    }

    /// These members as JSON text.
    pub fn to_raw(&self) -> Box<RawValue> {
        to_raw_value(self).expect("members are JSON")
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
