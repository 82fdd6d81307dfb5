//! The simulated provider's time: real time plus an offset that tests move.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Real time plus an offset. Clones share the offset.
#[derive(Clone, Default)]
pub struct Clock {
    offset: Arc<Mutex<SignedDuration>>,
}

impl Clock {
    /// The time the provider believes it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        // Saturates at the ends of time, which only a test can reach.
        Timestamp::now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// Moves the time forward, or back when negative.
    pub fn advance(&self, by: SignedDuration) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.saturating_add(by);
    }

    /// Jumps to a time, from which it then runs on.
    pub fn set(&self, to: Timestamp) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = to.duration_since(Timestamp::now());
    }
}
