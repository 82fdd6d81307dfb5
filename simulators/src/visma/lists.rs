//! Lists: `$filter`, `$orderby`, `$select` and paging (`apis/visma.md` 2).

use jiff::Timestamp;

use super::books::Document;
use super::call::{Answer, Call, Outcome, moment};
use super::config::{OversizedPages, Settings};
use super::errors::Refusal;
use super::filter::{Comparable, Filter};
use crate::kit::json::{Json, Object};

/// Documents on a page when nobody says otherwise.
const PAGE: usize = 50;
/// Most documents on one page.
const LARGEST_PAGE: usize = 1000;

/// How one collection is listed.
pub(super) struct List {
    /// Properties that are known to be filterable; others are refused with 6000, because not every one is.
    pub(super) filterable: &'static [&'static str],
    /// Query parameters of its own.
    pub(super) parameters: &'static [&'static str],
}

impl List {
    /// The page that the call asks for.
    pub(super) fn answer(&self, call: &Call, documents: &[Document], settings: &Settings) -> Outcome {
        let known = ["$filter", "$orderby", "$select", "$page", "$pagesize"];
        if let Some(name) = call
            .query
            .keys()
            .find(|name| !known.contains(&name.as_str()) && !self.parameters.contains(&name.as_str()))
        {
            return Err(Refusal::bad_query(&format!("{name} is not known")));
        }
        let filter = call.query.get("$filter").map(|text| Filter::parse(text)).transpose()?;
        let is_filterable = |name: &String| {
            !settings.unfilterable.contains(name)
                && (settings.any_filter || self.filterable.contains(&name.as_str()))
        };
        if let Some(filter) = &filter
            && let Some(name) = filter.properties().into_iter().find(|name| !is_filterable(name))
        {
            return Err(Refusal::bad_query(&format!("{name} cannot be filtered by")));
        }
        if settings.unsortable && call.query.contains_key("$orderby") {
            return Err(Refusal::bad_query("$orderby is not supported"));
        }
        let since = self.modified_since(call)?;
        let mut found: Vec<&Object> = documents
            .iter()
            .filter(|document| document.listed_from <= call.now)
            .map(|document| &document.fields)
            .filter(|fields| filter.as_ref().is_none_or(|filter| filter.holds(fields)))
            .filter(|fields| since.as_ref().is_none_or(|since| fields.text("ModifiedUtc") >= since.as_str()))
            .collect();
        sort(call, &mut found)?;
        page(call, &found, settings.oversized_pages)
    }

    fn modified_since(&self, call: &Call) -> Result<Option<String>, Refusal> {
        let Some(text) = call.query.get("modifiedSinceUtc") else { return Ok(None) };
        let since: Timestamp = text.parse().map_err(|_| Refusal::bad_date("modifiedSinceUtc"))?;
        Ok(Some(moment(since)))
    }
}

fn sort(call: &Call, found: &mut [&Object]) -> Result<(), Refusal> {
    let Some(by) = call.query.get("$orderby") else { return Ok(()) };
    let mut words = by.split_whitespace();
    let (name, direction) = (words.next().unwrap_or_default(), words.next().unwrap_or("asc"));
    if name.is_empty() || !["asc", "desc"].contains(&direction) || words.next().is_some() {
        return Err(Refusal::bad_query("$orderby cannot be read"));
    }
    found.sort_by_cached_key(|object| object.get(name).map(Comparable::of));
    if direction == "desc" {
        found.reverse();
    }
    Ok(())
}

fn page(call: &Call, found: &[&Object], oversized: OversizedPages) -> Outcome {
    let number = |name: &str, otherwise: usize, most: usize| match call.query.get(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| Refusal::bad_query(&format!("{name} is out of range"))),
    };
    let most = match oversized {
        OversizedPages::Refused => LARGEST_PAGE,
        OversizedPages::Clamped => usize::MAX,
    };
    let size = number("$pagesize", PAGE, most)?.min(LARGEST_PAGE);
    let page = number("$page", 1, usize::MAX)?;
    let select: Option<Vec<&str>> =
        call.query.get("$select").map(|names| names.split(',').map(str::trim).collect());
    let data: Vec<Json> = found
        .iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(|object| match &select {
            None => (*object).clone().into(),
            Some(names) => {
                let members = object.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
                Object(members.map(|(name, value)| (name.clone(), value.clone())).collect()).into()
            }
        })
        .collect();
    let meta = Object::default()
        .with("CurrentPage", page as u64)
        .with("PageSize", size as u64)
        .with("TotalNumberOfPages", found.len().div_ceil(size) as u64)
        .with("TotalNumberOfResults", found.len() as u64)
        .with("ServerTimeUtc", moment(call.now));
    let body = Object::default().with("Meta", meta).with("Data", data);
    Ok(Answer { status: 200, body: Some(body.into()) })
}

/// The document with an id, whether lists show it yet or not.
///
/// # Errors
/// When there is none.
pub(super) fn by_id<'a>(documents: &'a [Document], id: &str, what: &str) -> Result<&'a Object, Refusal> {
    let found = documents.iter().find(|document| document.fields.text("Id").eq_ignore_ascii_case(id));
    found.map(|document| &document.fields).ok_or_else(|| Refusal::not_found(what))
}

/// The place of the document with an id.
///
/// # Errors
/// When there is none.
pub(super) fn place_of(documents: &[Document], id: &str, what: &str) -> Result<usize, Refusal> {
    let place = documents.iter().position(|document| document.fields.text("Id").eq_ignore_ascii_case(id));
    place.ok_or_else(|| Refusal::not_found(what))
}
