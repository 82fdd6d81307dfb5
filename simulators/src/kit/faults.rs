//! Scripted bad days: broken connections, wrong answers and slow ones, for chosen requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request takes effect, then the connection breaks without an answer.
    DropAfterCommit,
    /// The connection breaks before the request takes effect.
    Reset,
    /// The answer is `status`, by default 500, with the `body` if one is given.
    Status,
    /// The answer comes `delay_ms` late.
    Delay,
    /// The answer is `body`, with `status`, by default 200.
    Body,
}

/// Whether a `status` or `body` answer replaces the work or only its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The request has no effect.
    #[default]
    Before,
    /// The request takes effect, the caller is told otherwise.
    After,
}

/// Which requests a fault is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// HTTP method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Path without query: exact, or with `{}` for any one segment, or with a trailing `*` for any rest.
    pub path: String,
}

impl Match {
    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path_fits(&self.path, path)
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    if let Some(prefix) = pattern.strip_suffix('*') {
        let mut rest = path.split('/');
        let mut wanted: Vec<&str> = prefix.split('/').collect();
        let last = wanted.pop().unwrap_or_default();
        return wanted.iter().all(|segment| rest.next().is_some_and(|actual| segment_fits(segment, actual)))
            && rest.next().is_some_and(|actual| actual.starts_with(last));
    }
    let (pattern, path) = (pattern.trim_end_matches('/'), path.trim_end_matches('/'));
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(|(wanted, actual)| segment_fits(wanted, actual))
}

fn segment_fits(wanted: &str, actual: &str) -> bool {
    wanted == "{}" || wanted == actual
}

/// One scripted fault, as `POST /_sim/faults` takes it. Every `every`-th request that fits goes wrong, `times` times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests it is for.
    #[serde(rename = "match")]
    pub matching: Match,
    /// How many requests it still hits.
    #[serde(default = "one")]
    pub times: u32,
    /// Every how manyth request that fits; each when 1.
    #[serde(default = "one")]
    pub every: u32,
    /// What goes wrong.
    pub kind: Kind,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` header of the answer, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// `Content-Type` header of the answer; `application/json` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether the request takes effect before a `status` or `body` answer.
    #[serde(default)]
    pub when: When,
    /// Real milliseconds before the answer, with any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next request of this method and path once.
    #[must_use]
    pub fn new(kind: Kind, method: &str, path: &str) -> Self {
        Self {
            matching: Match { method: Some(method.to_owned()), path: path.to_owned() },
            times: 1,
            every: 1,
            kind,
            status: None,
            retry_after: None,
            content_type: None,
            body: None,
            when: When::Before,
            delay_ms: None,
        }
    }

    /// An answer of this status instead of the request's effect, once.
    #[must_use]
    pub fn status(status: u16, method: &str, path: &str) -> Self {
        Self { status: Some(status), ..Self::new(Kind::Status, method, path) }
    }

    /// The same fault for this many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same fault, for every so manyth request only.
    #[must_use]
    pub fn every(self, every: u32) -> Self {
        Self { every, ..self }
    }

    /// The same fault, but the request takes effect first.
    #[must_use]
    pub fn after_commit(self) -> Self {
        Self { when: When::After, ..self }
    }
}

/// The faults that are still to happen, oldest first. Clones share the list.
#[derive(Clone, Default)]
pub struct Faults {
    pending: Arc<Mutex<VecDeque<Pending>>>,
}

struct Pending {
    fault: Fault,
    /// Requests that fitted.
    seen: u32,
}

impl Faults {
    /// Adds a fault behind those already waiting.
    pub fn add(&self, fault: Fault) {
        self.pending().push_back(Pending { fault, seen: 0 });
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.pending().clear();
    }

    /// The faults that have hits left.
    #[must_use]
    pub fn remaining(&self) -> Vec<Fault> {
        self.pending().iter().map(|pending| pending.fault.clone()).collect()
    }

    /// Uses up one hit of the oldest fault that fits this request and whose turn it is.
    pub(super) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut all = self.pending();
        all.retain(|pending| pending.fault.times > 0);
        let mut taken = None;
        for pending in all.iter_mut().filter(|pending| pending.fault.matching.fits(method, path)) {
            pending.seen = pending.seen.wrapping_add(1);
            if taken.is_none() && pending.seen.is_multiple_of(pending.fault.every.max(1)) {
                taken = Some(pending.fault.clone());
                pending.fault.times -= 1;
            }
        }
        all.retain(|pending| pending.fault.times > 0);
        taken
    }

    fn pending(&self) -> MutexGuard<'_, VecDeque<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_exactly_by_segment_wildcard_and_by_prefix() {
        for (pattern, path, expected) in [
            ("/3/invoices", "/3/invoices", true),
            ("/3/invoices", "/3/invoices/", true),
            ("/3/invoices", "/3/invoices/1", false),
            ("/3/invoices/{}/bookkeep", "/3/invoices/12/bookkeep", true),
            ("/3/invoices/{}/bookkeep", "/3/invoices/12/cancel", false),
            ("/3/invoices/{}", "/3/invoices/12/cancel", false),
            ("/3/invoice*", "/3/invoicepayments", true),
            ("/3/invoices/{}/*", "/3/invoices/12/cancel", true),
            ("/3/*", "/oauth-v1/token", false),
            ("*", "/anything/at/all", true),
        ] {
            assert_eq!(path_fits(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_fault_is_used_up_by_the_requests_it_hits() {
        let faults = Faults::default();
        faults.add(Fault::new(Kind::Reset, "POST", "/a").times(2));
        assert_eq!(faults.take("GET", "/a"), None);
        assert!(faults.take("POST", "/a").is_some());
        assert_eq!(faults.remaining()[0].times, 1);
        assert!(faults.take("POST", "/a").is_some());
        assert_eq!(faults.take("POST", "/a"), None);
    }

    #[test]
    fn a_fault_with_a_rate_hits_every_so_manyth_request_that_fits() {
        let faults = Faults::default();
        faults.add(Fault::new(Kind::Reset, "POST", "/a").every(3).times(2));
        faults.add(Fault::status(503, "POST", "/*").every(2).times(10));
        let kinds = |hits: &[Option<Fault>]| -> String {
            hits.iter()
                .map(|hit| hit.as_ref().map_or('.', |hit| if hit.status.is_some() { 'S' } else { 'R' }))
                .collect()
        };
        let hits: Vec<_> = (0..8).map(|_| faults.take("POST", "/a")).collect();
        // At the sixth both had their turn: the older one hits, and is used up by it.
        assert_eq!(kinds(&hits), ".SRS.R.S");
        assert_eq!(faults.take("GET", "/a"), None, "another method does not fit");
        assert_eq!(faults.remaining().len(), 1);
    }
}
