//! Where all processes count together.

use async_trait::async_trait;
use bokbro_domain::rate::Window;

use crate::error::Error;

/// Counts that all processes add to.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Adds to the count of a subject in a window and gives what it is then. `subject` is stored as it stands; the count is
    /// forgotten some time after the window. An answer that gets lost may be counted twice.
    ///
    /// # Errors
    /// When the table fails.
    async fn counter_add(&self, subject: &str, window: Window, calls: u64) -> Result<u64, Error>;
}
