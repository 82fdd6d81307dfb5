//! Rules that bodies must pass: what is required, how long a text may be, how many decimals a number has.

use rust_decimal::Decimal;

use super::call::day;
use super::errors::Refusal;
use crate::kit::json::{Json, Object};

/// Texts that a document takes and their largest lengths.
pub(super) type Texts = &'static [(&'static str, usize)];

/// # Errors
/// 2000 for the first of these members that is missing, null or empty.
pub(super) fn require(input: &Object, names: &[&'static str]) -> Result<(), Refusal> {
    for name in names {
        match input.get(name) {
            None | Some(Json::Null) => return Err(Refusal::invalid(name, "is required")),
            Some(Json::Text(text)) if text.is_empty() => return Err(Refusal::invalid(name, "is required")),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Copies these texts; what was left out becomes null, for that is what PUT does (`apis/visma.md` 2).
///
/// # Errors
/// 2000 for one that is no text or too long.
pub(super) fn copy_texts(input: &Object, texts: Texts, into: &mut Object) -> Result<(), Refusal> {
    for &(name, longest) in texts {
        match input.get(name) {
            None | Some(Json::Null) => into.set(name, Json::Null),
            Some(Json::Text(text)) if text.chars().count() <= longest => into.set(name, text.as_str()),
            Some(Json::Text(_)) => return Err(Refusal::invalid(name, "is too long")),
            Some(_) => return Err(Refusal::invalid(name, "must be a text")),
        }
    }
    Ok(())
}

/// A boolean; false when it was left out.
///
/// # Errors
/// 2000 for anything else.
pub(super) fn flag(input: &Object, name: &'static str) -> Result<bool, Refusal> {
    match input.get(name) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::invalid(name, "must be a boolean")),
    }
}

/// A number with at most so many decimals; zero when it was left out.
///
/// # Errors
/// 2000 for anything else.
pub(super) fn decimal(input: &Object, name: &'static str, decimals: u32) -> Result<Decimal, Refusal> {
    match input.get(name) {
        None | Some(Json::Null) => Ok(Decimal::ZERO),
        Some(Json::Number(number)) if number.normalize().scale() <= decimals => Ok(*number),
        Some(Json::Number(_)) => Err(Refusal::invalid(name, "has too many decimals")),
        Some(_) => Err(Refusal::invalid(name, "must be a number")),
    }
}

/// A day; `None` when it was left out.
///
/// # Errors
/// 2000 for what is no day.
pub(super) fn date(input: &Object, name: &'static str) -> Result<Option<jiff::civil::Date>, Refusal> {
    match input.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => day(text).map(Some).ok_or_else(|| Refusal::invalid(name, "must be a date")),
        Some(_) => Err(Refusal::invalid(name, "must be a date")),
    }
}
