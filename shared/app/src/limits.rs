//! Keeps providers' limits on calls: every call takes a slot from a timetable that all workers share.
//!
//! An order's calls are reserved in one go, with one write, before anything is begun ([`Meter::admit`]). A process
//! remembers the timetable as it saw it last; a write on an outdated one fails and brings the current one along, so that
//! the common case is one call to the table per order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::Provider;
use bokbro_domain::limit::{Admission, Limiter, Slot, Turn, Wish};
use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, chain};
use crate::ports::{Clock, Limit, LimitKey, Limited, Limits, Pace, StoredLimiter, Swapped};
use crate::records::Connection;
use crate::secret::Credentials;

/// How often a write may lose against other workers before that is a failure. Of those that collide one wins, so this is
/// more than there are workers.
const TRIES: u32 = 100;
/// How often one call may miss its slot before it gives up: the process or the table is too slow just now.
const MISSES: u32 = 5;
/// How long a call is taken to last before one has been seen.
const FIRST_STEP: SignedDuration = SignedDuration::from_millis(250);
/// Longer calls count as this long: one that timed out tells nothing about the next.
const LONGEST_STEP: SignedDuration = SignedDuration::from_secs(2);

/// The limiters as one process knows them.
pub struct Limiters {
    store: Arc<dyn Limits>,
    clock: Arc<dyn Clock>,
    known: Mutex<BTreeMap<LimitKey, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    stored: Option<StoredLimiter>,
    /// About how long a call takes with what is done before the next.
    step: SignedDuration,
}

impl Default for Known {
    fn default() -> Self {
        Self { stored: None, step: FIRST_STEP }
    }
}

impl Limiters {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(store: Arc<dyn Limits>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<LimitKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, key: &LimitKey) -> SignedDuration {
        self.known().get(key).map_or(FIRST_STEP, |known| known.step)
    }

    /// Rises at once and falls slowly: slots that are too close together are lost, those too far apart are used by
    /// others.
    fn learn(&self, key: &LimitKey, took: SignedDuration) {
        let mut known = self.known();
        let step = &mut known.entry(key.clone()).or_default().step;
        let took = took.min(LONGEST_STEP);
        *step += (took - *step) / if took > *step { 2 } else { 8 };
    }

    /// Carries a decision out: on what this process knows, and again on what is stored when that turns out to be old.
    async fn decide<T>(
        &self,
        key: &LimitKey,
        decide: impl Fn(&Limiter, Timestamp) -> (Limiter, T) + Send + Sync,
    ) -> Result<T, Error> {
        for _ in 0..TRIES {
            let known = self.known().get(key).and_then(|known| known.stored.clone());
            let mark = known.as_ref().map(|stored| stored.mark);
            let limiter = known.map(|stored| stored.limiter).unwrap_or_default();
            let (next, decided) = decide(&limiter, self.clock.now());
            if next == limiter {
                return Ok(decided);
            }
            let new = StoredLimiter { mark: self.clock.dice(), limiter: next };
            let swapped = self.store.limiter_swap(key, mark, &new).await?;
            let (stored, won) = match swapped {
                Swapped::Yes => (Some(new), true),
                Swapped::No(stored) => (stored, false),
            };
            self.known().entry(key.clone()).or_default().stored = stored;
            if won {
                return Ok(decided);
            }
        }
        Err(Error::Raced { step: "taking slots" })
    }
}

/// The pace of one piece of work at one connection.
pub struct Meter {
    limited: Arc<dyn Limited>,
    provider: Provider,
    connection: Arc<Connection>,
    app: Arc<Credentials>,
    limiters: Arc<Limiters>,
    held: Mutex<BTreeMap<LimitKey, Held>>,
}

/// What the work holds of one limit.
#[derive(Debug, Default)]
struct Held {
    slots: VecDeque<Slot>,
    /// When the last call began.
    began: Option<Timestamp>,
}

impl Meter {
    /// A pace that holds no slots yet. `app` are the app's own credentials, because limits may be the app's.
    #[must_use]
    pub fn new(
        limited: Arc<dyn Limited>,
        connection: Arc<Connection>,
        app: Arc<Credentials>,
        limiters: Arc<Limiters>,
    ) -> Self {
        let provider = connection.provider.clone();
        Self { limited, provider, connection, app, limiters, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<LimitKey, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, limit: &Limit) -> LimitKey {
        LimitKey { provider: self.provider.clone(), key: limit.key.clone() }
    }

    fn busy(&self, turn: Turn) -> Error {
        let Turn { at, place } = turn;
        let after =
            Duration::try_from(at.duration_since(self.limiters.clock.now())).unwrap_or(Duration::ZERO);
        Error::Busy { provider: self.provider.to_string(), after, at, place }
    }

    /// The next slot: one of those reserved that is not missed yet, or a new one.
    async fn next_slot(&self, key: &LimitKey, limit: &Limit, now: Timestamp) -> Result<Slot, Error> {
        let held = {
            let mut held = self.held();
            let slots = &mut held.entry(key.clone()).or_default().slots;
            slots.retain(|slot| slot.until >= now);
            slots.pop_front()
        };
        if let Some(slot) = held {
            return Ok(slot);
        }
        let wish = Wish { calls: 1, step: self.limiters.step(key) };
        let reserve = |limiter: &Limiter, now| limiter.reserve(now, wish, limit.allowance);
        match self.limiters.decide(key, reserve).await? {
            Admission::Granted(slots) => slots.first().copied().ok_or(Error::Raced { step: "taking a slot" }),
            Admission::Later(turn) => Err(self.busy(turn)),
        }
    }
}

#[async_trait]
impl Pace for Meter {
    async fn admit(&self, place: Option<Timestamp>) -> Result<(), Error> {
        let Some((limit, calls)) = self.limited.order(&self.connection, &self.app) else { return Ok(()) };
        let key = self.key(&limit);
        let wish = Wish { calls, step: self.limiters.step(&key) };
        let admit = |limiter: &Limiter, now| limiter.admit(now, wish, place, limit.allowance);
        match self.limiters.decide(&key, admit).await? {
            Admission::Granted(slots) => {
                self.held().entry(key).or_default().slots.extend(slots);
                Ok(())
            }
            Admission::Later(turn) => Err(self.busy(turn)),
        }
    }

    async fn take(&self, operation: &str) -> Result<(), Error> {
        let Some(limit) = self.limited.limit(&self.connection, &self.app, operation) else { return Ok(()) };
        let key = self.key(&limit);
        let clock = &self.limiters.clock;
        if let Some(began) = self.held().entry(key.clone()).or_default().began.take() {
            self.limiters.learn(&key, clock.now().duration_since(began));
        }
        for _ in 0..MISSES {
            let now = clock.now();
            let slot = self.next_slot(&key, &limit, now).await?;
            if let Ok(wait) = Duration::try_from(slot.from.duration_since(clock.now()))
                && wait > Duration::ZERO
            {
                clock.wait(wait).await;
            }
            let begins = clock.now();
            if begins <= slot.until {
                self.held().entry(key).or_default().began = Some(begins);
                return Ok(());
            }
            tracing::debug!(provider = %self.provider, operation, "a slot was missed");
        }
        let at = clock.now();
        Err(self.busy(Turn { at, place: at }))
    }

    async fn slow_down(&self, operation: &str, after: Option<Duration>) -> Option<Error> {
        let limit = self.limited.limit(&self.connection, &self.app, operation)?;
        let key = self.key(&limit);
        // Without a word from the provider: a window from now, all that was called before has left the window.
        let after =
            after.and_then(|after| SignedDuration::try_from(after).ok()).unwrap_or(limit.allowance.window);
        self.held().remove(&key);
        let slow_down = |limiter: &Limiter, now| limiter.slow_down(now, after);
        let turn = match self.limiters.decide(&key, slow_down).await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(provider = %self.provider, error = chain(&error), "others are not told to slow down");
                let now = self.limiters.clock.now();
                Turn { at: now.saturating_add(after).unwrap_or(Timestamp::MAX), place: now }
            }
        };
        tracing::warn!(provider = %self.provider, operation, until = %turn.at, "too many calls: slowing down");
        Some(self.busy(turn))
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
