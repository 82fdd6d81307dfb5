//! What the use cases need from outside, as small traits. No default bodies: leaving something out must not compile.

mod counters;
mod days;
mod keyring;
mod limits;
mod mappings;
mod open_work;
mod providers;
mod queues;
mod registers;
mod signin;
mod storage;
mod store;
mod warehouse;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use counters::*;
pub use days::*;
pub use keyring::*;
pub use limits::*;
pub use mappings::*;
pub use open_work::*;
pub use providers::*;
pub use queues::*;
pub use registers::*;
pub use signin::*;
pub use storage::*;
pub use store::*;
pub use warehouse::*;

/// Time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits inside an invocation; tests do not.
    async fn wait(&self, time: Duration);
    /// A random number, for jitter and ULIDs; never for secrets.
    fn dice(&self) -> u64;
}

/// A place between two steps where a worker may die; real workers pass through, the fault tests kill there.
#[async_trait]
pub trait CrashPoints: Send + Sync {
    /// Called at each place with its name, `before send invoice` say.
    async fn reached(&self, point: &str);
}
