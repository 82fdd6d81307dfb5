//! Workers that die between two steps: the fault tests' side of the crash points.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bokbro_app::ports::CrashPoints;
use tokio::sync::Notify;

/// Lets workers pass every crash point but one, and remembers the names of those passed.
#[derive(Default)]
pub struct DieAt {
    state: Mutex<State>,
    dying: Notify,
}

#[derive(Default)]
struct State {
    passed: Vec<String>,
    die_at: Option<usize>,
}

impl DieAt {
    /// The next worker that comes to the n-th point from now dies there. `None` lets all live.
    pub fn arm(&self, nth: Option<usize>) {
        let mut state = self.lock();
        state.passed.clear();
        state.die_at = nth;
    }

    /// Points passed since the last [`Self::arm`].
    pub fn passed(&self) -> Vec<String> {
        self.lock().passed.clone()
    }

    /// Comes back when a worker stands where it is to die; whoever drives the worker then drops it.
    pub async fn dying(&self) {
        self.dying.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the point; says whether the worker dies there. Only one worker does.
    fn dies(&self, point: &str) -> bool {
        let mut state = self.lock();
        let nth = state.passed.len();
        state.passed.push(point.to_owned());
        let dies = state.die_at == Some(nth);
        if dies {
            state.die_at = None;
        }
        dies
    }
}

#[async_trait]
impl CrashPoints for DieAt {
    async fn reached(&self, point: &str) {
        if self.dies(point) {
            self.dying.notify_one();
            // Nothing after this point ever runs: the driver drops the worker, as a killed process would be gone.
            std::future::pending::<()>().await;
        }
    }
}
