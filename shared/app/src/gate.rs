//! Holds those who call us to so many calls in a window of time: callers of the API and of pages, those who knock with
//! something that opens nothing, and those who want to sign in. What costs nothing to answer is not counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bokbro_domain::rate::{Passage, Quota, Tally, Window};
use jiff::SignedDuration;

use crate::auth::sha256;
use crate::error::{Error, chain};
use crate::ports::{Clock, Counters};

/// Most subjects that one process remembers. Forgetting them loses at most a portion each.
const REMEMBERED: usize = 10_000;

/// Where somebody wants in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// As somebody known, to the API and to pages; counted for each API key and each person.
    Caller,
    /// With a key or a session that opens nothing; counted for each address. What opens something is let in from the same
    /// address all the same: one forgotten script with an old key must not lock its whole office out.
    Stranger,
    /// To sign in, going there and coming back; counted for each address.
    SignIn,
}

impl Door {
    /// The door's name in what is counted.
    fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Stranger => "stranger",
            Self::SignIn => "sign-in",
        }
    }

    /// How many may come.
    #[must_use]
    pub fn quota(self) -> Quota {
        let (calls, seconds, portion) = match self {
            // Fifty a second, ten times what a busy webshop sends, and a whole window's worth at once for who comes
            // back after a rest. In portions: the table hears of nobody who sends less than one in ten seconds.
            Self::Caller => (500, 10, 10),
            // Keys are too long to be guessed: this is for scripts that go on with a key that was revoked.
            Self::Stranger => (60, 60, 1),
            // Sixty people of one office who sign in within the same ten minutes, twice each: there and back. Codes that
            // are made up cost the sign-in provider an exchange, and it limits us in turn.
            Self::SignIn => (120, 600, 1),
        };
        Quota { calls, window: SignedDuration::from_secs(seconds), portion }
    }

    /// Whether somebody gets in when nobody can tell how often they came. The API goes on: it would stop for a counter, and
    /// what it does needs the same table anyway. Signing in does not: it guards another's service.
    fn opens_in_doubt(self) -> bool {
        match self {
            Self::Caller | Self::Stranger => true,
            Self::SignIn => false,
        }
    }
}

/// Somebody came too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// When to come back; a second at least.
    pub after: Duration,
}

/// Why somebody does not get in.
#[derive(Debug)]
pub enum Halted {
    /// Came too often.
    TooMany(TooMany),
    /// Nobody can tell.
    Failed(Error),
}

/// What this process knows of those who came.
pub struct Gate {
    counters: Arc<dyn Counters>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Tally>>,
}

impl Gate {
    /// Nobody has come yet.
    #[must_use]
    pub fn new(counters: Arc<dyn Counters>, clock: Arc<dyn Clock>) -> Self {
        Self { counters, clock, known: Mutex::default() }
    }

    /// Counts somebody at a door and lets them in, or not. `who` is kept as a hash alone.
    ///
    /// # Errors
    /// `TooMany` when they came too often; `Failed` where that must be known and the table fails.
    pub async fn pass(&self, door: Door, who: &str) -> Result<(), Halted> {
        let (subject, quota) = (subject(door, who), door.quota());
        let now = self.clock.now();
        let window = quota.window(now);
        let halted = || {
            let left = window.until.duration_since(now).as_secs().max(0).unsigned_abs();
            Err(Halted::TooMany(TooMany { after: Duration::from_secs(left + 1) }))
        };
        let passage = self.known(&subject, window, |tally| tally.call(now, quota));
        let calls = match passage {
            Passage::Open => return Ok(()),
            Passage::Closed => return halted(),
            Passage::Tell(calls) => calls,
        };
        match self.counters.counter_add(&subject, window, calls).await {
            Ok(total) => {
                if self.known(&subject, window, |tally| tally.told(window, total, quota)) {
                    return Ok(());
                }
                tracing::warn!(
                    code = "too_many_requests",
                    door = door.as_str(),
                    total,
                    "kept out for a while"
                );
                halted()
            }
            Err(error) if door.opens_in_doubt() => {
                tracing::warn!(door = door.as_str(), error = chain(&error), "let in uncounted");
                Ok(())
            }
            Err(error) => Err(Halted::Failed(error)),
        }
    }

    /// Does something with what is known of a subject, as one step.
    fn known<T>(&self, subject: &str, window: Window, act: impl FnOnce(&mut Tally) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED && !known.contains_key(subject) {
            let now = self.clock.now();
            known.retain(|_, tally| tally.until() > now);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        act(known.entry(subject.to_owned()).or_insert(Tally::of(window)))
    }
}

/// What is counted: no address and no person stands in the table.
#[must_use]
pub fn subject(door: Door, who: &str) -> String {
    sha256(&format!("{}:{who}", door.as_str()))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::memory::{ManualClock, MemoryStore};

    fn clock() -> ManualClock {
        ManualClock::new("2026-11-21T08:00:03Z".parse().unwrap(), 1)
    }

    /// A table that does not answer.
    struct Away;

    #[async_trait]
    impl Counters for Away {
        async fn counter_add(&self, _: &str, _: Window, _: u64) -> Result<u64, Error> {
            Err(Error::storage("counting", std::io::Error::other("away")))
        }
    }

    async fn passed(gate: &Gate, door: Door, who: &str, times: u64) -> u64 {
        let mut passed = 0;
        for _ in 0..times {
            passed += u64::from(gate.pass(door, who).await.is_ok());
        }
        passed
    }

    #[tokio::test]
    async fn everybody_is_counted_apart_and_at_every_process_together() {
        let clock = Arc::new(clock());
        let store = Arc::new(MemoryStore::default());
        let [one, other] = [(); 2].map(|()| Gate::new(store.clone(), clock.clone()));
        for door in [Door::Caller, Door::Stranger, Door::SignIn] {
            let Quota { calls, window, .. } = door.quota();
            assert_eq!(passed(&one, door, "a", calls).await, calls, "{door:?}");
            assert_eq!(passed(&other, door, "a", 2 * door.quota().portion).await, door.quota().portion - 1);
            assert_eq!(passed(&other, door, "b", 10).await, 10, "{door:?}");
            let Err(Halted::TooMany(TooMany { after })) = other.pass(door, "a").await else {
                panic!("{door:?} is open")
            };
            assert!(after > Duration::ZERO && after <= Duration::try_from(window).unwrap(), "{after:?}");
            clock.advance(after);
            assert_eq!(passed(&one, door, "a", 1).await, 1, "{door:?} opens when it says");
        }
    }

    #[tokio::test]
    async fn when_nobody_can_tell_callers_get_in_and_nobody_signs_in() {
        let gate = Gate::new(Arc::new(Away), Arc::new(clock()));
        assert_eq!(passed(&gate, Door::Caller, "a", 1_000).await, 1_000);
        assert_eq!(passed(&gate, Door::Stranger, "a", 100).await, 100);
        assert!(matches!(gate.pass(Door::SignIn, "a").await, Err(Halted::Failed(_))));
    }

    #[tokio::test]
    async fn who_comes_from_everywhere_takes_no_memory() {
        let gate = Gate::new(Arc::new(MemoryStore::default()), Arc::new(clock()));
        for address in 0..REMEMBERED + 10 {
            assert!(gate.pass(Door::Stranger, &address.to_string()).await.is_ok());
        }
        assert!(gate.known.lock().unwrap().len() <= REMEMBERED);
    }
}
