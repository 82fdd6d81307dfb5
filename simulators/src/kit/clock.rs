//! The simulated provider's time: real time plus an offset that tests move, or time that stands still.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Time as the provider sees it. Clones share it.
#[derive(Clone, Default)]
pub struct Clock {
    state: Arc<Mutex<State>>,
    moves: watch::Sender<()>,
}

enum State {
    /// Real time plus this much.
    Running(SignedDuration),
    /// This moment, until it is moved.
    Frozen(Timestamp),
}

impl Default for State {
    fn default() -> Self {
        Self::Running(SignedDuration::ZERO)
    }
}

impl State {
    fn now(&self) -> Timestamp {
        match self {
            // Saturates at the ends of time, which only a test can reach.
            Self::Running(offset) => Timestamp::now().saturating_add(*offset).unwrap_or(Timestamp::MAX),
            Self::Frozen(now) => *now,
        }
    }

    fn move_to(&mut self, to: Timestamp) {
        match self {
            Self::Running(offset) => *offset = to.duration_since(Timestamp::now()),
            Self::Frozen(now) => *now = to,
        }
    }
}

impl Clock {
    /// The time the provider believes it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Moves the time forward, or back when negative.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|state| {
            let to = state.now().saturating_add(by).unwrap_or(Timestamp::MAX);
            state.move_to(to);
        });
    }

    /// Jumps to a time, from which it runs on unless it is frozen.
    pub fn set(&self, to: Timestamp) {
        self.change(|state| state.move_to(to));
    }

    /// Stops the time, so that only `advance` and `set` move it: a test about a window does not depend on how
    /// fast the machine is.
    pub fn freeze(&self) {
        self.change(|state| *state = State::Frozen(state.now()));
    }

    /// Tells of every move, for simulators that act when something falls due.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<()> {
        self.moves.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.moves.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_only_moves_when_told() {
        let clock = Clock::default();
        clock.freeze();
        let start = clock.now();
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(clock.now().duration_since(start), SignedDuration::from_secs(5));
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn clones_share_the_time() {
        let clock = Clock::default();
        clock.clone().advance(SignedDuration::from_hours(1000));
        assert!(clock.now() > Timestamp::now().saturating_add(SignedDuration::from_hours(999)).unwrap());
    }
}
