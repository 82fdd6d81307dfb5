//! Time that moves when everybody waits: many workers at once, without sleeping and without a shortened window.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// One time for all participants. It stands still while one of them does something (real HTTP takes no time) and jumps to
/// the earliest alarm once all of them wait.
#[derive(Clone)]
pub struct VirtualTime {
    state: Arc<Mutex<State>>,
    moved: Arc<dyn Fn(Timestamp) + Send + Sync>,
}

struct State {
    now: Timestamp,
    /// Participants that are not waiting.
    awake: usize,
    /// Those that wait, by when they want to go on and in order of coming.
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    came: u64,
}

struct Waiting {
    wake: oneshot::Sender<()>,
    /// Waits for something to do, and not only for time.
    idle: bool,
}

impl VirtualTime {
    /// A time that begins at `now` and tells of every move.
    pub fn new(now: Timestamp, moved: impl Fn(Timestamp) + Send + Sync + 'static) -> Self {
        let state = State { now, awake: 0, waiting: BTreeMap::new(), came: 0 };
        Self { state: Arc::new(Mutex::new(state)), moved: Arc::new(moved) }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// One more takes part. All must have come before the first one waits.
    pub fn enter(&self) {
        self.state().awake += 1;
    }

    /// One takes part no more.
    pub fn leave(&self) {
        let mut state = self.state();
        state.awake -= 1;
        self.go_on(&mut state);
    }

    /// Waits until a time.
    pub async fn until(&self, time: Timestamp) {
        self.wait(time, false).await;
    }

    /// Waits until a time, if there is one, or until there is something to do.
    pub async fn idle(&self, time: Option<Timestamp>) {
        self.wait(time.unwrap_or(Timestamp::MAX), true).await;
    }

    /// There is something to do for so many of those that are idle.
    pub fn stir(&self, many: usize) {
        let mut state = self.state();
        let idle = state.waiting.iter().filter(|(_, one)| one.idle).map(|(key, _)| *key);
        let idle: Vec<_> = idle.take(many).collect();
        for key in idle {
            Self::wake(&mut state, key);
        }
    }

    async fn wait(&self, time: Timestamp, idle: bool) {
        let woken = {
            let mut state = self.state();
            if time <= state.now {
                return;
            }
            let (wake, woken) = oneshot::channel();
            state.came += 1;
            let key = (time, state.came);
            state.waiting.insert(key, Waiting { wake, idle });
            state.awake -= 1;
            self.go_on(&mut state);
            woken
        };
        woken.await.unwrap();
    }

    /// Moves on when nobody is awake.
    fn go_on(&self, state: &mut State) {
        if state.awake > 0 {
            return;
        }
        let Some((&(time, _), _)) = state.waiting.first_key_value() else { return };
        assert!(time < Timestamp::MAX, "everybody waits for something to do and nobody for a time");
        state.now = time;
        (self.moved)(time);
        while let Some((&key, _)) = state.waiting.first_key_value()
            && key.0 == time
        {
            Self::wake(state, key);
        }
    }

    fn wake(state: &mut State, key: (Timestamp, u64)) {
        if let Some(waiting) = state.waiting.remove(&key) {
            state.awake += 1;
            waiting.wake.send(()).unwrap();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock of one participant, with dice of its own.
pub struct OwnClock {
    time: VirtualTime,
    dice: Mutex<u64>,
}

impl OwnClock {
    /// A clock that shows the common time; `seed` starts its dice.
    pub fn new(time: VirtualTime, seed: u64) -> Self {
        Self { time, dice: Mutex::new(seed) }
    }

    /// Waits for a number of milliseconds between two.
    pub async fn some_millis(&self, least: u64, most: u64) {
        let millis = least + self.dice() % (most - least + 1);
        self.wait(Duration::from_millis(millis)).await;
    }
}

#[async_trait]
impl Clock for OwnClock {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    async fn wait(&self, time: Duration) {
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.time.until(self.time.now().saturating_add(time).unwrap_or(Timestamp::MAX)).await;
    }

    /// SplitMix64: reproducible from the seed.
    fn dice(&self) -> u64 {
        let mut state = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
