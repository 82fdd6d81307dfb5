//! What has been asked of a simulator, for tests that count and for people who look.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// Lines kept; older ones are forgotten so that a long run does not grow without end.
const LINES_KEPT: usize = 10_000;

/// One request, without its body.
#[derive(Clone, Debug, Serialize)]
pub struct RequestLine {
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Status of the answer; `None` when the connection was broken instead.
    pub status: Option<u16>,
    /// When it was answered, by the simulated clock.
    pub at: Timestamp,
}

/// How often each operation was called.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// All calls, also those that a fault answered.
    pub calls_total: u64,
    /// Calls by method and route, for example `PUT /3/invoices/{number}/bookkeep`.
    pub by_operation: BTreeMap<String, u64>,
}

/// The request log and its counters. Clones share them.
#[derive(Clone, Default)]
pub struct Log {
    inner: Arc<Mutex<(VecDeque<RequestLine>, Stats)>>,
}

impl Log {
    pub(super) fn count(&self, operation: String) {
        let stats = &mut self.inner.lock().unwrap_or_else(PoisonError::into_inner).1;
        stats.calls_total += 1;
        *stats.by_operation.entry(operation).or_default() += 1;
    }

    pub(super) fn push(&self, line: RequestLine) {
        let lines = &mut self.inner.lock().unwrap_or_else(PoisonError::into_inner).0;
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The latest requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLine> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).0.iter().cloned().collect()
    }

    /// The counters since the start or the last reset.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Calls of one operation, for example `POST /3/invoices`.
    #[must_use]
    pub fn calls(&self, operation: &str) -> u64 {
        self.stats().by_operation.get(operation).copied().unwrap_or_default()
    }

    /// Sets the counters to zero; the request lines stay.
    pub fn reset_stats(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).1 = Stats::default();
    }

    pub(super) fn clear(&self) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
    }
}
