//! The simulated provider's time: real time plus an offset that tests move.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Real time plus an offset. Clones share the offset.
#[derive(Clone, Default)]
pub struct Clock {
    offset: watch::Sender<SignedDuration>,
}

impl Clock {
    /// The time the provider believes it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let offset = *self.offset.borrow();
        // Saturates at the ends of time, which only a test can reach.
        Timestamp::now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// Moves the time forward, or back when negative.
    pub fn advance(&self, by: SignedDuration) {
        self.offset.send_modify(|offset| *offset = offset.saturating_add(by));
    }

    /// Jumps to a time, from which it then runs on.
    pub fn set(&self, to: Timestamp) {
        self.offset.send_replace(to.duration_since(Timestamp::now()));
    }

    /// Tells of every move, for simulators that act when something falls due.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<SignedDuration> {
        self.offset.subscribe()
    }
}
