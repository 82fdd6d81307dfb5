//! What is said to people: English words, and a name with values from which other languages make words of their own.
//!
//! Whoever has something to say names it with [`said!`](crate::said!). The English is what the API and the logs show; pages
//! look the name up in their catalog (`shared/pages/locales`). Words of others, a provider's say, have no name and are shown
//! as they are.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Something said to people. It reads as its English; stored, it keeps its name and values too. No text becomes one by
/// itself: ours has a name, and that of others is quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Said {
    text: String,
    named: Option<Box<Named>>,
}

/// What other languages are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    values: BTreeMap<String, Said>,
}

impl Said {
    /// Words with a name and what stands in them; [`said!`](crate::said!) makes it.
    #[must_use]
    pub fn named<const N: usize>(name: &str, text: String, values: [(&str, Self); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { text, named: Some(Box::new(Named { name: name.to_owned(), values })) }
    }

    /// Words of others, or the value of something: no name, and the same in every language.
    #[must_use]
    pub fn quoted(text: impl Into<String>) -> Self {
        Self { text: text.into(), named: None }
    }

    /// The English.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name in the catalog; words of others have none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.named.as_ref().map(|named| named.name.as_str())
    }

    /// What stands in the words.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Self)> {
        let values = self.named.iter().flat_map(|named| &named.values);
        values.map(|(name, value)| (name.as_str(), value))
    }
}

impl Deref for Said {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq<str> for Said {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Said {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

/// How it is stored: words without a name as a text, which is what older versions stored of all of them.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Named { text: String, name: String, values: BTreeMap<String, Said> },
}

impl From<Stored> for Said {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Text(text) => Self::quoted(text),
            Stored::Named { text, name, values } => {
                Self { text, named: Some(Box::new(Named { name, values })) }
            }
        }
    }
}

impl From<Said> for Stored {
    fn from(said: Said) -> Self {
        match said.named {
            None => Self::Text(said.text),
            Some(named) => Self::Named { text: said.text, name: named.name, values: named.values },
        }
    }
}

/// Says something to people: its name, its English, and what stands in the English. Values follow a comma; what is
/// something said itself, and has words in other languages too, follows a semicolon.
///
/// ```
/// use bokbro_domain::said;
///
/// let why = said!("period-locked", "the period is locked through {day}", day = "2026-10-31");
/// let told = said!("not-booked", "Order {order} was not booked: {why}", order = 7; why = why);
/// assert_eq!(told, "Order 7 was not booked: the period is locked through 2026-10-31");
/// assert_eq!(told.name(), Some("not-booked"));
/// ```
#[macro_export]
macro_rules! said {
    ($name:literal, $text:literal $(,)?) => {
        $crate::said::Said::named($name, ::std::string::String::from($text), [])
    };
    ($name:literal, $text:literal $(, $value:ident $(= $given:expr)?)* $(; $inner:ident $(= $said:expr)?)* $(,)?) => {{
        // Bound at once, so that none of them hides what another is made of.
        let ($($value,)* $($inner,)*) = (
            $(($crate::said!(@given $value $(= $given)?)).to_string(),)*
            $($crate::said!(@given $inner $(= $said)?),)*
        );
        let text = ::std::format!($text);
        $crate::said::Said::named(
            $name,
            text,
            [
                $((::std::stringify!($value), $crate::said::Said::quoted($value)),)*
                $((::std::stringify!($inner), $inner),)*
            ],
        )
    }};
    (@given $value:ident) => { $value };
    (@given $value:ident = $given:expr) => { $given };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_whole_and_older_texts_are_read() {
        let inner = said!("inner", "the inner part");
        let said = said!("outer", "{count} of {inner}", count = 7; inner);
        let stored = serde_json::to_value(&said).unwrap();
        assert_eq!(
            stored,
            serde_json::json!({"text": "7 of the inner part", "name": "outer", "values": {"count": "7",
                "inner": {"text": "the inner part", "name": "inner", "values": {}}}})
        );
        assert_eq!(serde_json::from_value::<Said>(stored).unwrap(), said);
        let old: Said = serde_json::from_value(serde_json::json!("The period is locked.")).unwrap();
        assert_eq!((old.name(), old.as_str()), (None, "The period is locked."));
        assert_eq!(serde_json::to_value(&old).unwrap(), "The period is locked.");
    }

    #[test]
    fn a_name_may_stand_for_its_own_value() {
        let number = 1042;
        let said = said!("x", "invoice {number}", number);
        assert_eq!(
            said.values().map(|(name, value)| (name, value.as_str())).collect::<Vec<_>>(),
            [("number", "1042")]
        );
    }
}
