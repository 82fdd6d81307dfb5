//! A clock that only moves when told; waiting moves it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::ports::Clock;

/// A clock for tests.
pub struct ManualClock(Mutex<(Timestamp, u64)>);

impl ManualClock {
    /// A clock that shows a time; `seed` starts its dice.
    #[must_use]
    pub fn new(now: Timestamp, seed: u64) -> Self {
        Self(Mutex::new((now, seed)))
    }

    /// Moves the clock on.
    pub fn advance(&self, time: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        state.0 = state.0.saturating_add(time).unwrap_or(Timestamp::MAX);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    async fn wait(&self, time: Duration) {
        self.advance(time);
    }

    /// SplitMix64: reproducible from the seed.
    fn dice(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = state.1.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state.1;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
