//! What a field of a document accepts and what it holds when nobody has set it.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::errors::Refusal;
use super::json::{Json, Object};

/// What a writable field accepts.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Text in the allowed character class, at most this long.
    Text(usize),
    /// Text of letters, digits and `-+/_`, which document numbers are made of.
    Number(usize),
    /// A decimal number, also accepted as text.
    Decimal,
    /// A whole number, also accepted as text.
    Integer,
    /// A decimal number that is answered as text (`apis/fortnox.md` 2.6).
    Quantity,
    /// `true` or `false`, also accepted as text.
    Flag,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number that must be an account of the chart.
    Account,
    /// Text of four digits that must be an account of the chart.
    AccountText,
    /// An object with these fields.
    Group(&'static [Field]),
    /// A list of objects with these fields.
    Rows(&'static [Field]),
    /// Not accepted. That Fortnox refuses read-only fields is an assumption on the strict side.
    ReadOnly,
}

/// What a field holds before anybody sets it.
#[derive(Clone, Copy)]
pub(super) enum Initial {
    /// The field is not shown.
    Absent,
    Null,
    Text(&'static str),
    Whole(u32),
    Flag(bool),
    EmptyList,
    /// The initial values of the group's fields.
    OfGroup,
}

/// One field of a document.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) initial: Initial,
}

/// A writable field.
pub(super) const fn field(name: &'static str, kind: Kind, initial: Initial) -> Field {
    Field { name, kind, initial }
}

/// A writable text that starts empty.
pub(super) const fn text(name: &'static str, max: usize) -> Field {
    Field { name, kind: Kind::Text(max), initial: Initial::Text("") }
}

/// A writable text that starts as null.
pub(super) const fn nullable(name: &'static str, max: usize) -> Field {
    Field { name, kind: Kind::Text(max), initial: Initial::Null }
}

/// A field that only Fortnox sets.
pub(super) const fn shown(name: &'static str, initial: Initial) -> Field {
    Field { name, kind: Kind::ReadOnly, initial }
}

/// The document with every field at its initial value.
pub(super) fn initial(fields: &[Field]) -> Object {
    let mut object = Object::default();
    for field in fields {
        let value = match (field.initial, field.kind) {
            (Initial::Absent, _) => continue,
            (Initial::Null, _) => Json::Null,
            (Initial::Text(text), _) => text.into(),
            (Initial::Whole(number), _) => number.into(),
            (Initial::Flag(flag), _) => flag.into(),
            (Initial::EmptyList, _) => Json::List(Vec::new()),
            (Initial::OfGroup, Kind::Group(inner)) => initial(inner).into(),
            (Initial::OfGroup, _) => Json::Object(Object::default()),
        };
        object.set(field.name, value);
    }
    object
}

/// Checks what a caller sent and returns what it sets. Null and empty text set nothing; `API_BLANK` empties a text
/// (`apis/fortnox.md` 2.2).
pub(super) fn accept(
    input: &Object,
    fields: &[Field],
    chart: &dyn Fn(u32) -> bool,
) -> Result<Object, Refusal> {
    let mut accepted = Object::default();
    for (name, value) in &input.0 {
        let field = fields
            .iter()
            .find(|field| field.name == name && !matches!(field.kind, Kind::ReadOnly))
            .ok_or_else(|| Refusal::invalid(2_001_399, format!("Felaktigt fältnamn ({name}).")))?;
        let blank = Json::Text(String::new());
        let value = match value {
            Json::Null => continue,
            Json::Text(text) if text.is_empty() => continue,
            Json::Text(text) if text == "API_BLANK" => blank,
            value => accept_value(value, field, chart)?,
        };
        accepted.set(name, value);
    }
    Ok(accepted)
}

fn accept_value(value: &Json, field: &Field, chart: &dyn Fn(u32) -> bool) -> Result<Json, Refusal> {
    match (field.kind, value) {
        (Kind::Text(max), Json::Text(text)) => {
            check_text(field.name, text, max)?;
            Ok(value.clone())
        }
        (Kind::Number(max), Json::Text(text)) => {
            check_text(field.name, text, max)?;
            if text.chars().all(|c| c.is_alphanumeric() || "-+/_".contains(c)) {
                Ok(value.clone())
            } else {
                Err(Refusal::invalid(2_000_106, format!("Värdet måste vara alfanumeriskt ({text})")))
            }
        }
        (Kind::Decimal, _) => Ok(number(value)?.into()),
        (Kind::Integer, _) => Ok(whole(value)?.into()),
        (Kind::Quantity, _) => Ok(number(value)?.normalize().to_string().into()),
        (Kind::Flag, Json::Bool(_)) => Ok(value.clone()),
        (Kind::Flag, Json::Text(text)) if text == "true" || text == "false" => Ok((text == "true").into()),
        (Kind::Flag, _) => {
            Err(Refusal::invalid(2_000_134, format!("Värdet måste vara en boolean ({})", field.name)))
        }
        (Kind::Date, Json::Text(text)) if text.len() == 10 && text.parse::<Date>().is_ok() => {
            Ok(value.clone())
        }
        (Kind::Word(words), Json::Text(text)) if words.contains(&text.as_str()) => Ok(value.clone()),
        (Kind::Account | Kind::AccountText, _) => {
            let account = u32::try_from(whole(value)?).unwrap_or_default();
            if !(1000..=9999).contains(&account) {
                return Err(Refusal::invalid(2_002_462, "Kontot måste bestå av 4 siffror."));
            }
            if !chart(account) {
                return Err(Refusal::no_such_account(account));
            }
            Ok(match field.kind {
                Kind::AccountText => account.to_string().into(),
                _ => account.into(),
            })
        }
        (Kind::Group(inner), Json::Object(object)) => Ok(accept(object, inner, chart)?.into()),
        (Kind::Rows(inner), Json::List(items)) => {
            let rows: Result<Vec<Json>, Refusal> = items
                .iter()
                .map(|item| match item {
                    Json::Object(row) => Ok(accept(row, inner, chart)?.into()),
                    _ => Err(Refusal::wrong_data()),
                })
                .collect();
            Ok(rows?.into())
        }
        _ => Err(Refusal::wrong_data()),
    }
}

fn number(value: &Json) -> Result<Decimal, Refusal> {
    let refusal = |text: &str| Refusal::invalid(2_000_108, format!("Värdet måste vara numeriskt ({text})"));
    match value {
        Json::Number(number) => Ok(*number),
        Json::Text(text) => text.parse().map_err(|_| refusal(text)),
        _ => Err(refusal("")),
    }
}

fn whole(value: &Json) -> Result<Decimal, Refusal> {
    let number = number(value)?;
    if number.is_integer() { Ok(number) } else { Err(Refusal::wrong_data()) }
}

/// Length and character class (`apis/fortnox.md` 2.5).
fn check_text(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max {
        return Err(Refusal::invalid(2_000_107, format!("Värdet är för långt ({field}, max {max})")));
    }
    if !text.chars().all(allowed) || (field == "Comments" && text.contains("://")) {
        return Err(Refusal::invalid(2_000_359, format!("Värdet innehåller ej tillåtna tecken. ({field})")));
    }
    Ok(())
}

/// Whether the documented class holds this character. The straight apostrophe is left out, which is the strict
/// reading of an unclear page.
fn allowed(character: char) -> bool {
    character.is_alphabetic()
        || character.is_ascii_digit()
        || "\u{308}\u{30a}\u{a0}\n\r –:.`´’,;^¤#%§£$€¢¥©™°&/()=+-*_!?²³®½@\\".contains(character)
}

/// Lays what a caller sets over a document; groups are merged field by field.
pub(super) fn merge(document: &mut Object, changes: Object) {
    for (name, value) in changes.0 {
        match (document.0.get_mut(&name), value) {
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new),
            (_, value) => document.set(&name, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    const FIELDS: &[Field] = &[
        text("Name", 5),
        text("Comments", 99),
        field("Price", Kind::Decimal, Initial::Whole(0)),
        field("Sent", Kind::Flag, Initial::Flag(false)),
        field("AccountNumber", Kind::Account, Initial::Null),
        field("Day", Kind::Date, Initial::Null),
        field("Count", Kind::Quantity, Initial::Text("0")),
        shown("Total", Initial::Whole(0)),
    ];

    #[test]
    fn bodies_are_refused_with_the_codes_of_the_notes() {
        for (body, code) in [
            (r#"{"Name":"123456"}"#, 2_000_107),
            (r#"{"Name":"a<b"}"#, 2_000_359),
            (r#"{"Name":"a'b"}"#, 2_000_359),
            (r#"{"Name":"a·b"}"#, 2_000_359),
            (r#"{"Comments":"https://x"}"#, 2_000_359),
            (r#"{"Price":"x"}"#, 2_000_108),
            (r#"{"Sent":1}"#, 2_000_134),
            (r#"{"AccountNumber":3999}"#, 2_001_304),
            (r#"{"AccountNumber":30010}"#, 2_002_462),
            (r#"{"Nam":"x"}"#, 2_001_399),
            (r#"{"Total":1}"#, 2_001_399),
            (r#"{"Name":1}"#, 2_001_392),
            (r#"{"Day":"2026-02-30"}"#, 2_001_392),
        ] {
            let Json::Object(input) = parse(body).unwrap() else { panic!("an object") };
            let refusal = accept(&input, FIELDS, &|account| account == 3001).unwrap_err();
            assert!(
                matches!(refusal, Refusal::Envelope { code: c, status: 400, .. } if c == code),
                "{body}: {refusal:?}"
            );
        }
    }

    #[test]
    fn null_and_empty_set_nothing_and_api_blank_empties() {
        let Json::Object(input) =
            parse(r#"{"Name":"API_BLANK","Comments":"","Price":null,"Count":1.20}"#).unwrap()
        else {
            panic!("an object")
        };
        let accepted = accept(&input, FIELDS, &|_| true).unwrap();
        assert_eq!(accepted, Object::default().with("Name", "").with("Count", "1.2"));
    }
}
