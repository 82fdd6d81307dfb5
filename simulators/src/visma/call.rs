//! One call to the API: what came in, what goes out, and the table row that says how to handle it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::books::Books;
use super::errors::Refusal;
use crate::kit::json::{Json, Object, parse};

/// Scopes of which a token must have one.
pub(super) type Scopes = &'static [&'static str];

/// Writing what belongs to sales.
pub(super) const SALES: Scopes = &["ea:sales"];
/// Reading it.
pub(super) const SALES_READ: Scopes = &["ea:sales", "ea:sales_readonly"];
/// Writing what belongs to the books.
pub(super) const BOOKS: Scopes = &["ea:accounting"];
/// Reading it.
pub(super) const BOOKS_READ: Scopes = &["ea:accounting", "ea:accounting_readonly"];
/// Reading what belongs to purchases.
pub(super) const PURCHASE_READ: Scopes = &["ea:purchase", "ea:purchase_readonly"];
/// Reading what belongs to sales and to the books.
pub(super) const ANY_READ: Scopes =
    &["ea:sales", "ea:sales_readonly", "ea:accounting", "ea:accounting_readonly"];

/// A handler of one operation.
pub(super) type Handler = fn(&mut Books, &Call) -> Outcome;

/// One operation of the API.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) scopes: Scopes,
    pub(super) run: Handler,
}

/// A row of an operation table.
pub(super) const fn operation(
    method: &'static str,
    path: &'static str,
    scopes: Scopes,
    run: Handler,
) -> Operation {
    Operation { method, path, scopes, run }
}

/// What a handler gets.
pub(super) struct Call {
    /// Path parameters, in order.
    pub(super) params: Vec<String>,
    pub(super) query: BTreeMap<String, String>,
    /// The body as sent.
    pub(super) body: Vec<u8>,
    pub(super) now: Timestamp,
}

impl Call {
    pub(super) fn today(&self) -> Date {
        day_in_sweden(self.now)
    }

    /// A path parameter; empty when the path has fewer.
    pub(super) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// Whether a switch in the query is on.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The object that the body is.
    ///
    /// # Errors
    /// When the body is not a JSON object.
    pub(super) fn input(&self) -> Result<Object, Refusal> {
        match std::str::from_utf8(&self.body).ok().and_then(|text| parse(text).ok()) {
            Some(Json::Object(object)) => Ok(object),
            _ => Err(Refusal::new(400, 2000, "DataModelValidationException - the body is no JSON object")),
        }
    }
}

/// What a handler answers.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Json>,
}

impl Answer {
    /// 200 with a document.
    pub(super) fn shows(document: &Object) -> Self {
        Self { status: 200, body: Some(document.clone().into()) }
    }

    /// 201 with a new document.
    pub(super) fn created(document: &Object) -> Self {
        Self { status: 201, ..Self::shows(document) }
    }

    /// 200 without a body.
    pub(super) fn done() -> Self {
        Self { status: 200, body: None }
    }
}

/// A handler's result.
pub(super) type Outcome = Result<Answer, Refusal>;

/// The day in Sweden, where the companies are.
pub(super) fn day_in_sweden(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC)).date()
}

/// A day as Visma is expected to write it: without a zone (`apis/visma.md` 2).
pub(super) fn written(day: Date) -> String {
    format!("{day}T00:00:00")
}

/// A moment as Visma writes those whose name ends in `Utc`.
pub(super) fn moment(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a day, with or without a time behind it.
pub(super) fn day(text: &str) -> Option<Date> {
    let civil = text.parse::<Date>().ok();
    civil.or_else(|| text.trim_end_matches('Z').parse::<DateTime>().ok().map(|time| time.date()))
}
