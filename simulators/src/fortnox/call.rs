//! One call to the API: what came in, what goes out, and the table row that says how to handle it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::books::{Handler, today};
use super::errors::Refusal;
use super::json::{Json, Object};

/// One operation of the API.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// The scope that a token must have.
    pub(super) scope: &'static str,
    pub(super) run: Handler,
}

/// A row of an operation table.
pub(super) const fn operation(
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    run: Handler,
) -> Operation {
    Operation { method, path, scope, run }
}

/// What a handler gets.
pub(super) struct Call {
    /// Path parameters, in order.
    pub(super) params: Vec<String>,
    pub(super) query: BTreeMap<String, String>,
    /// The body as sent; unread by operations without one.
    pub(super) body: Vec<u8>,
    pub(super) now: Timestamp,
    /// The zone in which `lastmodified` is read.
    pub(super) zone: TimeZone,
}

impl Call {
    pub(super) fn today(&self) -> Date {
        today(self.now)
    }

    /// A path parameter; empty when the path has fewer.
    pub(super) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// The object inside the body's envelope.
    ///
    /// # Errors
    /// When the body is not JSON or not that envelope.
    pub(super) fn input(&self, envelope: &str) -> Result<Object, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::wrong_data());
        }
        let json = std::str::from_utf8(&self.body).ok().and_then(|text| super::json::parse(text).ok());
        match json {
            None => Err(Refusal::invalid(2_002_115, "Error deserializing JSON: JSON_ERROR_SYNTAX")),
            Some(Json::Object(outer)) => match outer.get(envelope) {
                Some(Json::Object(inner)) => Ok(inner.clone()),
                _ => Err(Refusal::wrong_data()),
            },
            Some(_) => Err(Refusal::wrong_data()),
        }
    }

    /// # Errors
    /// When the query has a parameter that is not among these.
    pub(super) fn only_parameters(&self, known: &[&str]) -> Result<(), Refusal> {
        if self.query.keys().all(|name| known.contains(&name.as_str())) {
            Ok(())
        } else {
            Err(Refusal::bad_parameter())
        }
    }
}

/// What a handler answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The body; `None` for 204.
    pub(super) body: Option<Json>,
    /// `Location` of a 201, which is only the collection's name.
    pub(super) location: Option<&'static str>,
}

impl Answer {
    /// 200 with the envelope.
    pub(super) fn shows(envelope: &str, object: impl Into<Json>) -> Self {
        Self { status: 200, body: Some(Object::default().with(envelope, object).into()), location: None }
    }

    /// 201 with the envelope.
    pub(super) fn created(envelope: &str, object: impl Into<Json>, collection: &'static str) -> Self {
        Self { status: 201, location: Some(collection), ..Self::shows(envelope, object) }
    }

    /// 204 without a body.
    pub(super) fn gone() -> Self {
        Self { status: 204, body: None, location: None }
    }
}

/// A handler's result.
pub(super) type Outcome = Result<Answer, Refusal>;
