//! The effect ledger: what has been sent to a provider for one order and target, and what may be done next.
//!
//! All steps of one order and target live in one ledger, which is also the order's lease at that target, so "this step
//! is done" and "the next one is about to be sent" are a single conditional write. The functions here only decide;
//! storing is the caller's, on the condition that fence and owner have not moved.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::posting::PostingProfile;
use crate::said::Said;

/// Name of a step at a target, `invoice` say; stable, because it is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepName(pub String);

impl From<&str> for StepName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// What a provider gave for a step: the document's number and what later steps need to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Receipt {
    /// The provider's number or id of the document.
    pub external_id: String,
    /// Facts that later steps need, `total` say. No personal data, no secrets.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// About to be sent, or sent and nothing heard because the worker died.
    Sent,
    /// The provider has it.
    Done,
    /// Sent, and no answer told what became of it.
    Unknown,
    /// The provider said no for good.
    Rejected,
}

/// One effect: one document or state change at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How it stands.
    pub state: StepState,
    /// SHA-256 of the request; the same step with another request is a conflict.
    pub request_hash: String,
    /// What the document carries so that it can be found again.
    pub reference: String,
    /// How often it was sent, from 1, since a human last looked into it.
    pub attempt: u32,
    /// When it was last about to be sent.
    pub sent_at: Timestamp,
    /// What the provider gave, once done.
    pub receipt: Option<Receipt>,
    /// Last error, outer message only.
    pub last_error: Option<Said>,
    /// When it was done.
    #[serde(default)]
    pub done_at: Option<Timestamp>,
    /// Whether the order's timeline tells of it.
    #[serde(default)]
    pub told: bool,
}

/// The right to work on the order at the target until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it: one invocation of one worker.
    pub owner: String,
    /// When it ends unless released before.
    pub until: Timestamp,
}

/// All that was sent to one provider for one order and target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Ledger {
    /// Rises by one with every lease taken or given back; a write with an older fence can never win.
    pub fence: u64,
    /// Who works on it now.
    pub lease: Option<Lease>,
    /// The posting profile whose steps these are, in the books: settings that change later do not change what was begun.
    #[serde(default)]
    pub profile: Option<PostingProfile>,
    /// The steps by name.
    pub steps: BTreeMap<StepName, Step>,
}

/// What a step is about to be: the reference and the request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Which step.
    pub step: StepName,
    /// What the document carries so that it can be found again.
    pub reference: String,
    /// The request as canonical JSON; only its hash is stored.
    pub request: String,
    /// Whether the document may exist already although we never sent it (a returning customer): look up always.
    pub may_exist: bool,
    /// Whether sending another request replaces the document that is there, as a write under a fixed number does. Its
    /// look-up then tells whether what is there has the contents of this request.
    pub replaces: bool,
}

impl Intent {
    /// SHA-256 of the request in lower-case hex.
    #[must_use]
    pub fn hash(&self) -> String {
        Sha256::digest(self.request.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The ledger is somebody else's for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// When it ends at the latest.
    pub until: Timestamp,
}

/// What may be done with a step now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Never sent, and nothing of the kind can exist: send.
    Send,
    /// It may have left something: look it up; absent counts only from this time on.
    LookUp {
        /// Earliest time at which "not found" means "not there".
        absent_counts_from: Timestamp,
        /// Whether it may be sent when it is not there; else a human must check.
        may_send: bool,
    },
    /// Nothing: it is done.
    AlreadyDone,
    /// The step was done or sent with another request: a human must see it.
    Conflict,
    /// The provider has refused this very request for good.
    Rejected,
}

/// How patient the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a provider's lists may lag behind its writes.
    pub settle: Duration,
    /// How often a step is sent at most when nobody tells what became of it.
    pub max_attempts: u32,
    /// Whether the ledger may have forgotten what was sent, because the table was restored to an earlier time: then look
    /// before the first send too.
    pub look_first: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self { settle: Duration::from_secs(10), max_attempts: 4, look_first: false }
    }
}

impl Ledger {
    /// The ledger with the lease taken: owner is me, fence one up.
    ///
    /// # Errors
    /// When somebody else's lease has not ended.
    pub fn take(&self, owner: &str, now: Timestamp, until: Timestamp) -> Result<Self, Held> {
        if let Some(lease) = &self.lease
            && lease.until > now
        {
            return Err(Held { until: lease.until });
        }
        let lease = Some(Lease { owner: owner.to_owned(), until });
        Ok(Self { fence: self.fence + 1, lease, ..self.clone() })
    }

    /// Gives the lease back. The fence moves, so that whoever read the ledger before this cannot take it any more: a last
    /// write that arrives after its lease has ended must not be undone by somebody who has not seen it.
    pub fn release(&mut self) {
        self.lease = None;
        self.fence += 1;
    }

    /// What the provider gave for a step, when it is done.
    #[must_use]
    pub fn receipt(&self, step: &str) -> Option<&Receipt> {
        let step = self.steps.get(&StepName::from(step))?;
        if step.state == StepState::Done { step.receipt.as_ref() } else { None }
    }

    /// What may be done with a step now. `insist` sends again what was refused
    /// or sent too often: a human asked for it.
    #[must_use]
    pub fn decide(&self, intent: &Intent, patience: Patience, insist: bool) -> Action {
        let Some(step) = self.steps.get(&intent.step) else {
            let look_up = Action::LookUp { absent_counts_from: Timestamp::MIN, may_send: true };
            return if intent.may_exist || patience.look_first { look_up } else { Action::Send };
        };
        let same = step.request_hash == intent.hash();
        let settle = SignedDuration::try_from(patience.settle).unwrap_or(SignedDuration::MAX);
        let settled = step.sent_at.saturating_add(settle).unwrap_or(Timestamp::MAX);
        match step.state {
            // There is one document however often it is written: the new request only changes it.
            StepState::Done if !same && intent.replaces => {
                Action::LookUp { absent_counts_from: Timestamp::MIN, may_send: true }
            }
            // Something exists or may exist under the old request: sending the new one could double it.
            StepState::Done | StepState::Sent | StepState::Unknown if !same && !intent.replaces => {
                Action::Conflict
            }
            StepState::Done => Action::AlreadyDone,
            // Refused means that nothing exists, so a changed request may be sent; but whoever lifted the cause may have
            // done the rest by hand too.
            StepState::Rejected if same && !insist => Action::Rejected,
            StepState::Rejected => Action::LookUp { absent_counts_from: Timestamp::MIN, may_send: true },
            StepState::Sent | StepState::Unknown => Action::LookUp {
                absent_counts_from: settled,
                may_send: step.attempt < patience.max_attempts || insist,
            },
        }
    }

    /// Counts the sends of a step anew, because a human has looked into what became of the earlier ones.
    pub fn begin_anew(&mut self, step: &StepName) {
        if let Some(step) = self.steps.get_mut(step) {
            step.attempt = 0;
        }
    }

    /// Notes the intent before the effect.
    pub fn mark_sent(&mut self, intent: &Intent, now: Timestamp) {
        let attempt = self.steps.get(&intent.step).map_or(0, |step| step.attempt) + 1;
        let step = Step {
            state: StepState::Sent,
            request_hash: intent.hash(),
            reference: intent.reference.clone(),
            attempt,
            sent_at: now,
            receipt: None,
            last_error: None,
            done_at: None,
            told: false,
        };
        self.steps.insert(intent.step.clone(), step);
    }

    /// Notes what the provider gave.
    pub fn mark_done(&mut self, step: &StepName, receipt: Receipt, now: Timestamp) {
        if let Some(step) = self.steps.get_mut(step) {
            step.state = StepState::Done;
            step.done_at = Some(now);
            step.receipt = Some(receipt);
            step.last_error = None;
        }
    }

    /// Notes that nobody told what became of the step; lists may lag from now on.
    pub fn mark_unknown(&mut self, step: &StepName, now: Timestamp, error: Said) {
        if let Some(step) = self.steps.get_mut(step) {
            step.state = StepState::Unknown;
            step.sent_at = now;
            step.last_error = Some(error);
        }
    }

    /// Notes that the provider said no for good.
    pub fn mark_rejected(&mut self, step: &StepName, error: Said) {
        if let Some(step) = self.steps.get_mut(step) {
            step.state = StepState::Rejected;
            step.last_error = Some(error);
        }
    }

    /// Takes an intent back that surely never reached the provider. An older unknown send stays unknown.
    pub fn withdraw(&mut self, step: &StepName, before: Option<Step>) {
        match before {
            Some(before) => self.steps.insert(step.clone(), before),
            None => self.steps.remove(step),
        };
    }
}

#[cfg(test)]
#[path = "effect_tests.rs"]
mod tests;
