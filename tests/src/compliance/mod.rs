//! What the compliance suite needs of every provider in the registry that is called: a world with a stand-in for it.
//!
//! The suite itself is `tests/it/compliance`. It asks the registry which providers there are; one without a candidate fails.

mod candidates;
mod tap;

use async_trait::async_trait;
use bokbro_app::app::App;
use bokbro_app::ports::{Access, Effector};

pub use candidates::{Candidate, Starting, candidates};
pub use tap::{Call, Calls, Moment, Tap, Trouble};

/// A provider's stand-in with one tenant that is connected to it; nothing has been written there yet.
#[async_trait]
pub trait Scene: Send + Sync {
    /// The use cases, over the wire that the scene was started with.
    fn app(&self) -> &App;

    /// The tenant's way in at the provider.
    async fn access(&self) -> Access;

    /// One order's way into the provider, which is one of [`Candidate::ways`]. The same number is the same order; those of
    /// different numbers have different buyers.
    async fn effector(&self, way: &str, number: u32) -> Box<dyn Effector>;

    /// How many documents the provider holds, of all kinds together.
    fn documents(&self) -> usize;

    /// Passwords, keys and tokens, which must show nowhere.
    fn secrets(&self) -> Vec<String>;
}
