//! Where workers stop: every crash point is a stop, and a worker goes on only when it is told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bokbro_app::ports::CrashPoints;
use tokio::sync::Notify;

/// The crash points of all workers. Only one worker moves at a time: the one on whose turn it is.
#[derive(Default)]
pub(super) struct Stage {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    turn: Option<Arc<Notify>>,
    at: Option<String>,
}

impl Stage {
    /// Gives the turn to a worker, which is let go on when it stands at a stop.
    pub(super) fn turn(&self, worker: &Arc<Notify>, stands: bool) {
        self.state().turn = Some(worker.clone());
        if stands {
            worker.notify_one();
        }
    }

    /// No worker is about: whoever comes to a stop now is somebody at a desk and goes on.
    pub(super) fn empty(&self) {
        self.state().turn = None;
    }

    /// Comes back when the worker whose turn it is has come to a stop; tells where.
    pub(super) async fn stopped(&self) -> String {
        loop {
            if let Some(at) = self.state().at.take() {
                return at;
            }
            self.arrived.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CrashPoints for Stage {
    async fn reached(&self, point: &str) {
        let go = {
            let mut state = self.state();
            state.at = Some(point.to_owned());
            state.turn.clone()
        };
        self.arrived.notify_one();
        match go {
            Some(go) => go.notified().await,
            None => drop(self.state().at.take()),
        }
    }
}
