//! One error type for work on messages, sorted by what happens next.
//!
//! `Display` is the outer message: safe for logs and people, and it never repeats its source. [`chain`] prints the
//! causes, once, at the edge.

use bokbro_domain::said;
use bokbro_domain::said::Said;
use std::error::Error as StdError;
use std::time::Duration;

use jiff::Timestamp;

/// What happens next with the message whose handling failed or succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing is left to do; the message is deleted.
    Done,
    /// It may help to try again; the message comes back.
    Retry {
        /// When, if something knows better than the queue's own back-off.
        after: Option<Duration>,
    },
    /// Nothing failed, only its turn has not come: the message is sent anew for that time, and the old one deleted, so
    /// that waiting never makes a dead letter.
    Later {
        /// When its turn comes.
        at: Timestamp,
    },
    /// Consent or licence is gone; the connection pauses until a human renews it.
    NeedsConsent,
    /// A human must look; the parked item is stored and the message deleted.
    Park,
}

type Cause = Box<dyn StdError + Send + Sync>;

/// What went wrong in handling a message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our own table, queue or vault failed.
    #[error("our own storage failed at {step}")]
    Storage {
        /// What was being done, in words.
        step: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A write lost against another worker's; reading again will tell.
    #[error("another worker was faster at {step}")]
    Raced {
        /// What was being done, in words.
        step: &'static str,
    },
    /// Another worker holds the order at the target.
    #[error("another worker is at this order")]
    LeaseHeld {
        /// How long at most.
        after: Duration,
    },
    /// The provider could not be reached, or failed, and surely nothing was written there.
    #[error("{provider} did not answer properly at {step}")]
    Unavailable {
        /// Which provider.
        provider: String,
        /// What was being done, in words.
        step: String,
        /// When the provider wants to be asked again, if it said.
        after: Option<Duration>,
        /// The cause.
        #[source]
        source: Option<Cause>,
    },
    /// A write may or may not have happened at the provider.
    #[error("{provider} did not tell what became of {step}")]
    OutcomeUnknown {
        /// Which provider.
        provider: String,
        /// Which step.
        step: String,
        /// When to look.
        after: Option<Duration>,
        /// The cause.
        #[source]
        source: Option<Cause>,
    },
    /// The provider's facts lag behind; look again soon.
    #[error("{what} is not visible yet")]
    NotYet {
        /// What is awaited.
        what: String,
        /// When to look.
        after: Option<Duration>,
    },
    /// Nothing failed, but its turn has not come: a provider's limit is used up, or time is too short for the next step.
    #[error("{what} has to wait for its turn")]
    Later {
        /// What has to wait.
        what: String,
        /// When its turn comes.
        at: Timestamp,
    },
    /// A provider's limit on calls is used up for now. Nothing was sent, and nothing failed.
    #[error("{provider} takes no more calls just now")]
    Busy {
        /// Which provider.
        provider: String,
        /// How long the wait is, for people.
        after: Duration,
        /// When the turn comes.
        at: Timestamp,
        /// The place in the waiting line, to be shown then.
        place: Timestamp,
    },
    /// Consent, licence or credentials are gone.
    #[error("{provider} does not let us in: {message}")]
    Consent {
        /// Which provider.
        provider: String,
        /// What to do, for people.
        message: Said,
    },
    /// A human must look.
    #[error("{0}")]
    Parked(Reason),
}

/// Why a human must look: a stable code and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Reason {
    /// Stable short name, `amount_differs` say.
    pub code: String,
    /// What happened and what to do, for people; no personal data, no secrets.
    pub message: Said,
}

impl Reason {
    /// A reason to park.
    pub fn new(code: impl Into<String>, message: Said) -> Self {
        Self { code: code.into(), message }
    }
}

impl Error {
    /// A failure of our own storage at a step.
    pub fn storage(step: &'static str, source: impl Into<Cause>) -> Self {
        Self::Storage { step, source: source.into() }
    }

    /// A human must look.
    pub fn park(code: impl Into<String>, message: Said) -> Self {
        Self::Parked(Reason::new(code, message))
    }

    /// A cursor that was not made by the list that it was given to; the caller is told.
    #[must_use]
    pub fn bad_cursor() -> Self {
        let message =
            said!("parked-bad-cursor", "the cursor does not belong to this list; begin again without it");
        Self::park("bad_cursor", message)
    }

    /// What happens next.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Storage { .. } | Self::Raced { .. } => Disposition::Retry { after: None },
            Self::LeaseHeld { after } => Disposition::Retry { after: Some(*after) },
            Self::Unavailable { after, .. }
            | Self::OutcomeUnknown { after, .. }
            | Self::NotYet { after, .. } => Disposition::Retry { after: *after },
            Self::Later { at, .. } | Self::Busy { at, .. } => Disposition::Later { at: *at },
            Self::Consent { .. } => Disposition::NeedsConsent,
            Self::Parked(_) => Disposition::Park,
        }
    }

    /// The place in a provider's waiting line that goes with the message, if it has one.
    #[must_use]
    pub fn place(&self) -> Option<Timestamp> {
        match self {
            Self::Busy { place, .. } => Some(*place),
            Self::Storage { .. }
            | Self::Raced { .. }
            | Self::LeaseHeld { .. }
            | Self::Unavailable { .. }
            | Self::OutcomeUnknown { .. }
            | Self::NotYet { .. }
            | Self::Later { .. }
            | Self::Consent { .. }
            | Self::Parked(_) => None,
        }
    }

    /// What people are told of it.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Storage { step, .. } => said!("error-storage", "our own storage failed at {step}", step),
            Self::Raced { step } => said!("error-raced", "another worker was faster at {step}", step),
            Self::LeaseHeld { .. } => said!("error-lease-held", "another worker is at this order"),
            Self::Unavailable { provider, step, .. } => {
                said!("error-unavailable", "{provider} did not answer properly at {step}", provider, step)
            }
            Self::OutcomeUnknown { provider, step, .. } => said!(
                "error-outcome-unknown",
                "{provider} did not tell what became of {step}",
                provider,
                step
            ),
            Self::NotYet { what, .. } => said!("error-not-yet", "{what} is not visible yet", what),
            Self::Later { what, .. } => said!("error-later", "{what} has to wait for its turn", what),
            Self::Busy { provider, .. } => {
                said!("error-busy", "{provider} takes no more calls just now", provider)
            }
            Self::Consent { provider, message } => said!(
                "error-consent",
                "{provider} does not let us in: {message}",
                provider;
                message = message.clone()
            ),
            Self::Parked(reason) => reason.message.clone(),
        }
    }

    /// Stable short name for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Storage { .. } => "storage_failed",
            Self::Raced { .. } => "raced",
            Self::LeaseHeld { .. } => "lease_held",
            Self::Unavailable { .. } => "provider_unavailable",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::NotYet { .. } => "not_yet",
            Self::Later { .. } => "later",
            Self::Busy { .. } => "provider_busy",
            Self::Consent { .. } => "needs_consent",
            Self::Parked(reason) => &reason.code,
        }
    }
}

/// The error and its causes on one line, for logs.
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_cause_once() {
        let error = Error::storage("reading an order", std::io::Error::other("connection reset"));
        assert_eq!(chain(&error), "our own storage failed at reading an order: connection reset");
    }

    #[test]
    fn every_error_says_what_happens_next() {
        assert_eq!(Error::park("x", Said::quoted("y")).disposition(), Disposition::Park);
        assert_eq!(Error::Raced { step: "x" }.disposition(), Disposition::Retry { after: None });
        let consent = Error::Consent { provider: "p".into(), message: Said::quoted("m") };
        assert_eq!(consent.said(), consent.to_string().as_str());
        assert_eq!(consent.disposition(), Disposition::NeedsConsent);
    }
}
