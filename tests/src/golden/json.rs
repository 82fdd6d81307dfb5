//! JSON that keeps the order of members and every digit, laid out so that people can read it and line by line diffs tell
//! something.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Longest line that a list or an object is written on, in characters.
const WIDTH: usize = 140;

/// A JSON value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// A text, number or word, exactly as it stands in the source.
    Leaf(String),
    /// A list.
    List(Vec<Json>),
    /// An object, its members in the order of the source.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads JSON text.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Leaf(quoted(text))
    }

    /// The member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text that a leaf stands for.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let Self::Leaf(lexeme) = self else { return None };
        serde_json::from_str(lexeme).ok()
    }

    /// The value on as few lines as fit, ending in a line break.
    #[must_use]
    pub fn lay_out(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out, true);
        out.push('\n');
        out
    }

    fn write(&self, depth: usize, out: &mut String, split: bool) {
        let flat = self.to_string();
        let before = out.chars().rev().take_while(|c| *c != '\n').count();
        if !split && before + flat.chars().count() < WIDTH {
            out.push_str(&flat);
            return;
        }
        match self {
            Self::Leaf(lexeme) => out.push_str(lexeme),
            Self::List(items) => {
                let write = |item: &Self, out: &mut String| item.write(depth + 1, out, false);
                write_lines(('[', ']'), depth, items, out, write);
            }
            Self::Object(members) => {
                let write = |(name, value): &(String, Self), out: &mut String| {
                    out.push_str(&quoted(name));
                    out.push_str(": ");
                    value.write(depth + 1, out, false);
                };
                write_lines(('{', '}'), depth, members, out, write);
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_lines<T>(
    (open, close): (char, char),
    depth: usize,
    items: &[T],
    out: &mut String,
    write: impl Fn(&T, &mut String),
) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        line(depth + 1, out);
        write(item, out);
        if index + 1 < items.len() {
            out.push(',');
        }
    }
    line(depth, out);
    out.push(close);
}

/// All on one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(lexeme) => f.write_str(lexeme),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Object(members) if members.is_empty() => f.write_str("{}"),
            Self::Object(members) => {
                let member = |(name, value): &(String, Self)| format!("{}: {value}", quoted(name));
                write!(f, "{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Object(serde_json::from_str::<Members>(text).map_err(D::Error::custom)?.0),
            Some(b'[') => Self::List(serde_json::from_str(text).map_err(D::Error::custom)?),
            _ => Self::Leaf(text.to_owned()),
        })
    }
}

struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
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
