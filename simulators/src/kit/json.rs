//! JSON as providers read and write it: exact numbers, escaped slashes and letters, and no promise about key order.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// A JSON value whose numbers are exact decimals. `serde_json::Value` would take money through a float.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

impl Json {
    /// The JSON text, with keys in an order that depends on `salt`: no provider promises one.
    pub(crate) fn render(&self, salt: u64) -> String {
        let mut out = String::new();
        self.write(salt, &mut out);
        out
    }

    fn write(&self, salt: u64, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.normalize().to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => write_joined('[', ']', items, out, |item, out| item.write(salt, out)),
            Self::Object(object) => {
                let first = usize::try_from(salt).unwrap_or_default() % object.0.len().max(1);
                let members = object.0.iter().skip(first).chain(object.0.iter().take(first));
                write_joined('{', '}', members, out, |(name, value), out| {
                    write_text(name, out);
                    out.push(':');
                    value.write(salt, out);
                });
            }
        }
    }
}

fn write_joined<T>(
    open: char,
    close: char,
    items: impl IntoIterator<Item = T>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    // Most texts need nothing, and lists are long.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        parse(raw.get()).map_err(de::Error::custom)
    }
}

/// Reads JSON text without losing a digit.
pub(crate) fn parse(text: &str) -> Result<Json, serde_json::Error> {
    let text = text.trim();
    Ok(match text.as_bytes().first() {
        Some(b'{') => Json::Object(Object(serde_json::from_str(text)?)),
        Some(b'[') => Json::List(serde_json::from_str(text)?),
        Some(b'"') => Json::Text(serde_json::from_str(text)?),
        Some(b'0'..=b'9' | b'-') => {
            // The grammar is checked by `RawValue`; the digits are taken as they stand.
            let lexeme = serde_json::from_str::<&RawValue>(text)?.get();
            let number =
                if lexeme.contains(['e', 'E']) { Decimal::from_scientific(lexeme) } else { lexeme.parse() };
            Json::Number(number.map_err(de::Error::custom)?)
        }
        Some(b't' | b'f') => Json::Bool(serde_json::from_str(text)?),
        _ => {
            serde_json::from_str::<()>(text)?;
            Json::Null
        }
    })
}

/// A JSON object with shorthands for reading what is known to be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(pub(crate) BTreeMap<String, Json>);

impl Object {
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.set(name, value);
        self
    }

    /// The member as text; empty when it is absent or something else.
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Json::Text(text)) => text,
            _ => "",
        }
    }

    /// The member as a number, also when it is written as text; zero otherwise.
    pub(crate) fn number(&self, name: &str) -> Decimal {
        match self.get(name) {
            Some(Json::Number(number)) => *number,
            Some(Json::Text(text)) => text.parse().unwrap_or_default(),
            _ => Decimal::ZERO,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Json::Bool(true))
    }

    pub(crate) fn list(&self, name: &str) -> &[Json] {
        match self.get(name) {
            Some(Json::List(items)) => items,
            _ => &[],
        }
    }

    /// The objects of a list member.
    pub(crate) fn objects(&self, name: &str) -> impl Iterator<Item = &Object> {
        self.list(name).iter().filter_map(|item| match item {
            Json::Object(object) => Some(object),
            _ => None,
        })
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::List(items)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Decimal> for Json {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<jiff::civil::Date> for Json {
    fn from(date: jiff::civil::Date) -> Self {
        Self::Text(date.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_letters_are_escaped() {
        let json = parse(r#" {"a":[1.10,-0,747.00,1e2,null,true],"å/b":"ö\"\n😀"} "#).unwrap();
        let text = json.render(0);
        assert!(text.contains(r#""a":[1.1,0,747,100,null,true]"#), "{text}");
        assert!(text.contains(r#""\u00e5\/b":"\u00f6\"\n\ud83d\ude00""#), "{text}");
        assert_eq!(parse(&text).unwrap().render(0), text);
    }

    #[test]
    fn key_order_varies_from_answer_to_answer() {
        let json = parse(r#"{"a":1,"b":2,"c":3,"d":4}"#).unwrap();
        assert!((1..20).any(|salt| json.render(salt) != json.render(0)));
    }

    #[test]
    fn broken_json_is_refused() {
        for text in ["", "{", "{\"a\":}", "[1,]", "01", "nul", "\"\\x\""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
