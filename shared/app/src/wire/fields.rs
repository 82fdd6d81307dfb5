//! Reads posted JSON field by field, so that every refusal names the field by its path.

use std::fmt::Display;

use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use bokbro_domain::said::Said;
use serde_json::{Map, Value};

/// Reads a body as JSON.
///
/// # Errors
/// When it is none; the error names the place and quotes nothing.
pub fn read_json(body: &[u8]) -> Result<Value, FieldError> {
    serde_json::from_slice(body).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        FieldError::new("", said!("field-no-json", "is not JSON: line {line}, column {column}", line, column))
    })
}

/// Refuses a text that is none of the known ones.
#[must_use]
pub fn none_of(field: impl Into<String>, known: &[&str]) -> FieldError {
    let known = known.join(", ");
    FieldError::new(field, said!("field-none-of", "must be one of {known}", known))
}

/// Refuses what is neither true nor false.
#[must_use]
pub fn no_boolean(field: impl Into<String>) -> FieldError {
    FieldError::new(field, said!("field-no-boolean", "must be true or false"))
}

/// Refuses a text that its type does not take; `why` ends a sentence that begins with the field.
#[must_use]
pub fn malformed(field: impl Into<String>, why: impl Display) -> FieldError {
    FieldError::new(field, said!("field-malformed", "{why}", why))
}

/// A JSON object being read; [`Fields::finish`] refuses what was not asked for.
pub struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Opens an object at a path; the root's path is empty.
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn open(path: impl Into<String>, value: &'a Value) -> Result<Self, FieldError> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { path, map, known: Vec::new() }),
            other => Err(FieldError::new(
                path,
                said!("field-no-object", "must be an object, not {kind}"; kind = kind_of(other)),
            )),
        }
    }

    /// Path of a field of this object.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field that must be there and not null.
    ///
    /// # Errors
    /// When it is missing or null.
    pub fn required(&mut self, name: &'static str) -> Result<&'a Value, FieldError> {
        match self.optional(name) {
            Some(value) => Ok(value),
            None => Err(FieldError::new(self.at(name), said!("field-missing", "is missing"))),
        }
    }

    /// A field that may be missing or null.
    pub fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text that must be there, of 1 to `max` characters, without control characters and outer blanks.
    ///
    /// # Errors
    /// When it is missing or breaks a rule.
    pub fn text(&mut self, name: &'static str, max: usize) -> Result<String, FieldError> {
        let value = self.required(name)?;
        let text = read_text(&self.at(name), value, max)?;
        text.ok_or_else(|| FieldError::new(self.at(name), said!("field-empty", "must not be empty")))
    }

    /// A text that may be missing, null or empty.
    ///
    /// # Errors
    /// When it is there and breaks a rule.
    pub fn text_or_none(&mut self, name: &'static str, max: usize) -> Result<Option<String>, FieldError> {
        match self.optional(name) {
            Some(value) => read_text(&self.at(name), value, max),
            None => Ok(None),
        }
    }

    /// A list that must be there.
    ///
    /// # Errors
    /// When it is missing or not a list.
    pub fn list(&mut self, name: &'static str) -> Result<&'a [Value], FieldError> {
        match self.required(name)? {
            Value::Array(items) => Ok(items),
            other => Err(FieldError::new(
                self.at(name),
                said!("field-no-list", "must be a list, not {kind}"; kind = kind_of(other)),
            )),
        }
    }

    /// Refuses fields that nobody asked for: a misspelt field would otherwise be dropped in silence.
    ///
    /// # Errors
    /// When there is one.
    pub fn finish(self) -> Result<(), FieldError> {
        match self.map.keys().find(|key| !self.known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
                // A name that shows nothing is quoted: without a name it would be the whole object that is wrong.
                let shown = if shown.trim().is_empty() { format!("{shown:?}") } else { shown };
                let known = self.known.join(", ");
                let message = said!("field-unknown", "is not a known field; known are {known}", known);
                Err(FieldError::new(self.at(&shown), message))
            }
        }
    }
}

fn read_text(path: &str, value: &Value, max: usize) -> Result<Option<String>, FieldError> {
    let Value::String(text) = value else {
        let message = said!("field-no-text", "must be a string, not {kind}"; kind = kind_of(value));
        return Err(FieldError::new(path, message));
    };
    if text.chars().any(char::is_control) {
        return Err(FieldError::new(path, said!("field-control", "has a control character")));
    }
    let text = text.trim();
    let length = text.chars().count();
    if length > max {
        let message = said!("field-long", "has {length} characters; at most {max} are allowed", length, max);
        return Err(FieldError::new(path, message));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A whole number that is not negative. `45.0` is one too: JSON knows no difference, and neither does JSON Schema.
pub(crate) fn read_whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64()?.to_string().parse().ok())
}

fn kind_of(value: &Value) -> Said {
    match value {
        Value::Null => said!("json-null", "null"),
        Value::Bool(_) => said!("json-boolean", "a boolean"),
        Value::Number(_) => said!("json-number", "a number"),
        Value::String(_) => said!("json-string", "a string"),
        Value::Array(_) => said!("json-list", "a list"),
        Value::Object(_) => said!("json-object", "an object"),
    }
}
