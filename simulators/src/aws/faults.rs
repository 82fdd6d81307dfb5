//! Which calls of AWS go wrong, and how.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A service that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// DynamoDB.
    Dynamodb,
    /// SQS.
    Sqs,
    /// Secrets Manager.
    Secretsmanager,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service says that there were too many calls. Nothing was done.
    Throttle,
    /// The service answers 500 or 503. Nothing was done.
    ServerError,
    /// The connection breaks. Nothing was done.
    Reset,
    /// The call is done, then the connection breaks without an answer.
    DropAfterCommit,
}

/// One fault, as `POST /_faults` takes it. Every `every`-th call that fits goes wrong, `times` times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// Calls of this service; of any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// This operation (`PutItem`); any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Calls of this function (`bokbro-accounting`), as its user agent names it; of anybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Every how manyth call that fits; each when 1.
    #[serde(default = "one")]
    pub every: u32,
    /// How many calls still go wrong.
    #[serde(default = "one")]
    pub times: u32,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// The next call of a service goes wrong.
    #[must_use]
    pub fn new(kind: Kind, service: Service) -> Self {
        Self { kind, service: Some(service), operation: None, app: None, every: 1, times: 1 }
    }

    /// The same for one operation.
    #[must_use]
    pub fn at(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same, for every so manyth call only.
    #[must_use]
    pub fn every(self, every: u32) -> Self {
        Self { every, ..self }
    }

    fn fits(&self, call: &Call) -> bool {
        self.service.is_none_or(|service| service == call.service)
            && self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
            && self.app.as_ref().is_none_or(|app| call.app.as_ref() == Some(app))
    }
}

/// A call on its way to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Of which service.
    pub service: Service,
    /// Which operation.
    pub operation: String,
    /// Who calls, by the application's name in the user agent.
    pub app: Option<String>,
}

/// A call that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    /// Counts all hits from 0.
    pub(super) nth: u64,
}

/// The faults that are pending. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    pending: Vec<Pending>,
    hits: u64,
}

struct Pending {
    fault: Fault,
    /// Calls that fitted.
    seen: u32,
}

impl Faults {
    /// Adds a fault; where several fit a call, the one that was added first and whose turn it is wins.
    pub fn add(&self, fault: Fault) {
        self.lock().pending.push(Pending { fault, seen: 0 });
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.lock().pending.clear();
    }

    /// What is still to go wrong.
    #[must_use]
    pub fn pending(&self) -> Vec<Fault> {
        self.lock().pending.iter().map(|pending| pending.fault.clone()).collect()
    }

    /// How many calls went wrong so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.lock().hits
    }

    pub(super) fn take(&self, call: &Call) -> Option<Hit> {
        let mut state = self.lock();
        let mut kind = None;
        for pending in state.pending.iter_mut().filter(|pending| pending.fault.fits(call)) {
            pending.seen = pending.seen.wrapping_add(1);
            if kind.is_none() && pending.seen.is_multiple_of(pending.fault.every.max(1)) {
                pending.fault.times = pending.fault.times.saturating_sub(1);
                kind = Some(pending.fault.kind);
            }
        }
        state.pending.retain(|pending| pending.fault.times > 0);
        let nth = state.hits;
        let kind = kind?;
        state.hits += 1;
        Some(Hit { kind, nth })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
