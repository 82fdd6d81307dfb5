//! Lists: search, filter, sorting and paging (`apis/fortnox.md` 2.3).

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::books::Document;
use super::call::{Answer, Call, Outcome};
use super::errors::Refusal;
use super::json::{Json, Object};

/// Most documents on one page.
const MAX_LIMIT: usize = 500;

/// What a query parameter does.
#[derive(Clone, Copy)]
pub(super) enum Search {
    /// Keeps documents in whose field the value occurs, in any case.
    Part(&'static str),
    /// Keeps documents whose field is the value.
    Exactly(&'static str),
    /// Keeps documents whose date is not before the value.
    From(&'static str),
    /// Keeps documents whose date is not after the value.
    To(&'static str),
    /// Keeps documents changed since.
    LastModified,
    /// Accepted without effect here.
    Any,
}

/// How one collection is listed.
pub(super) struct List {
    /// Envelope of the list.
    pub(super) envelope: &'static str,
    /// Fields that a list item shows.
    pub(super) fields: &'static [&'static str],
    /// Query parameters besides those of every list.
    pub(super) search: &'static [(&'static str, Search)],
    /// Values of `sortby` and the field each sorts by.
    pub(super) sort: &'static [(&'static str, &'static str)],
    /// Whether a document passes a `filter` value; `None` when there is no such value.
    pub(super) filter: fn(&Object, &str, Date) -> Option<bool>,
    /// What the wire shows differently in lists.
    pub(super) item: fn(Object) -> Object,
}

/// For collections without `filter`.
pub(super) fn no_filter(_: &Object, _: &str, _: Date) -> Option<bool> {
    None
}

/// For collections whose list items look like the document.
pub(super) fn as_it_is(item: Object) -> Object {
    item
}

impl List {
    /// The page that the call asks for.
    pub(super) fn answer<'a>(&self, call: &Call, documents: impl Iterator<Item = &'a Document>) -> Outcome {
        let conditions = self.conditions(call)?;
        let filter = call.query.get("filter").filter(|value| !value.is_empty());
        let mut found = Vec::new();
        for document in documents.filter(|document| document.listed_from <= call.now) {
            if let Some(value) = filter {
                let passes = (self.filter)(&document.fields, value, call.today())
                    .ok_or_else(|| Refusal::invalid(2_000_587, "Ett ogiltigt filter har använts."))?;
                if !passes {
                    continue;
                }
            }
            if conditions.iter().all(|condition| condition.holds(document)) {
                found.push(document);
            }
        }
        // An unknown filter is refused even when there is nothing to filter.
        if let Some(value) = filter.filter(|_| found.is_empty()) {
            (self.filter)(&Object::default(), value, call.today())
                .ok_or_else(|| Refusal::invalid(2_000_587, "Ett ogiltigt filter har använts."))?;
        }
        self.sort(call, &mut found)?;
        self.page(call, &found)
    }

    fn conditions(&self, call: &Call) -> Result<Vec<Condition>, Refusal> {
        let mut conditions = Vec::new();
        for (name, value) in &call.query {
            if ["limit", "page", "offset", "sortby", "sortorder", "filter"].contains(&name.as_str()) {
                continue;
            }
            let (_, search) =
                self.search.iter().find(|(known, _)| known == name).ok_or_else(Refusal::bad_parameter)?;
            conditions.push(Condition::new(*search, value, &call.zone)?);
        }
        Ok(conditions)
    }

    fn sort(&self, call: &Call, found: &mut [&Document]) -> Result<(), Refusal> {
        if let Some(by) = call.query.get("sortby") {
            let (_, field) =
                self.sort.iter().find(|(name, _)| name == by).ok_or_else(Refusal::bad_parameter)?;
            found.sort_by_cached_key(|document| Key::of(document.fields.get(field)));
        }
        match call.query.get("sortorder").map(String::as_str) {
            None | Some("ascending") => {}
            Some("descending") => found.reverse(),
            Some(_) => return Err(Refusal::bad_parameter()),
        }
        Ok(())
    }

    fn page(&self, call: &Call, found: &[&Document]) -> Outcome {
        let number = |name: &str, otherwise: usize| match call.query.get(name) {
            None => Ok(otherwise),
            Some(text) => text.parse::<usize>().map_err(|_| Refusal::bad_parameter()),
        };
        let limit = number("limit", 100)?.clamp(1, MAX_LIMIT);
        let page = number("page", 1)?.max(1);
        let start = number("offset", (page - 1) * limit)?;
        let items: Vec<Json> = found
            .iter()
            .skip(start)
            .take(limit)
            .map(|document| (self.item)(project(&document.fields, self.fields)).into())
            .collect();
        let meta = Object::default()
            .with("@TotalResources", found.len() as u64)
            .with("@TotalPages", found.len().div_ceil(limit) as u64)
            .with("@CurrentPage", page as u64);
        let body = Object::default().with("MetaInformation", meta).with(self.envelope, items);
        Ok(Answer { status: 200, body: Some(body.into()), location: None })
    }
}

fn project(document: &Object, fields: &[&str]) -> Object {
    let mut item = Object::default();
    for name in fields {
        if let Some(value) = document.get(name) {
            item.set(name, value.clone());
        }
    }
    item
}

/// One search parameter with its value.
enum Condition {
    Part(&'static str, String),
    Exactly(&'static str, String),
    Dates(&'static str, Date, Ordering),
    ModifiedSince(jiff::Timestamp),
    Always,
}

impl Condition {
    fn new(search: Search, value: &str, zone: &TimeZone) -> Result<Self, Refusal> {
        let day = || value.parse::<Date>().map_err(|_| Refusal::bad_parameter());
        Ok(match search {
            Search::Part(field) => Self::Part(field, value.to_lowercase()),
            Search::Exactly(field) => Self::Exactly(field, value.to_owned()),
            Search::From(field) => Self::Dates(field, day()?, Ordering::Greater),
            Search::To(field) => Self::Dates(field, day()?, Ordering::Less),
            Search::LastModified => {
                Self::ModifiedSince(moment(value, zone).ok_or_else(Refusal::bad_parameter)?)
            }
            Search::Any => Self::Always,
        })
    }

    fn holds(&self, document: &Document) -> bool {
        match self {
            Self::Part(field, part) => {
                plain(document.fields.get(field)).to_lowercase().contains(part.as_str())
            }
            Self::Exactly(field, value) => plain(document.fields.get(field)) == *value,
            Self::Dates(field, date, side) => document
                .fields
                .text(field)
                .parse::<Date>()
                .is_ok_and(|actual| actual == *date || actual.cmp(date) == *side),
            Self::ModifiedSince(since) => document.modified >= *since,
            Self::Always => true,
        }
    }
}

/// `YYYY-MM-DD HH:MM`.
fn moment(text: &str, zone: &TimeZone) -> Option<jiff::Timestamp> {
    let time = DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

fn plain(value: Option<&Json>) -> String {
    match value {
        Some(Json::Text(text)) => text.clone(),
        Some(Json::Number(number)) => number.normalize().to_string(),
        Some(Json::Bool(flag)) => flag.to_string(),
        _ => String::new(),
    }
}

/// What is sorted by: numbers by value, also when they are written as text, and then everything else as text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(Decimal),
    Text(String),
}

impl Key {
    fn of(value: Option<&Json>) -> Self {
        let text = plain(value);
        text.parse().map_or(Self::Text(text), Self::Number)
    }
}
