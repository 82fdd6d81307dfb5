//! The real clock and real dice.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::ports::Clock;
use jiff::Timestamp;

/// Time and chance of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
#[allow(clippy::disallowed_methods, reason = "this is the one place behind the Clock port")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The standard library seeds every `RandomState` from the system's randomness; good enough for jitter and ids.
    fn dice(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}
