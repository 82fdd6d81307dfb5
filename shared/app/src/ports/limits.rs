//! Limits on calls to providers: what a provider states, how a caller is paced, and where all workers keep count.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::Provider;
use bokbro_domain::limit::{Allowance, Limiter};
use jiff::Timestamp;

use crate::error::Error;
use crate::records::Connection;
use crate::secret::Credentials;

/// One of a provider's limits, as it applies to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What shares it: calls with the same key count together.
    pub key: String,
    /// How often it may be called.
    pub allowance: Allowance,
}

/// A provider that limits how often it is called.
pub trait Limited: Send + Sync {
    /// The limit that calls of an operation count toward; `None` for those that count toward none.
    fn limit(&self, connection: &Connection, app: &Credentials, operation: &str) -> Option<Limit>;

    /// The limit that all calls of one order count toward, and how many there are as a rule, so that they are reserved
    /// in one go. `None` where an order's calls count toward several limits.
    fn order(&self, connection: &Connection, app: &Credentials) -> Option<(Limit, u32)>;
}

/// Holds one piece of work to the limits of one provider.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Reserves what one order's calls need, before anything is begun. `place` is that in the waiting line, if the order
    /// has one.
    ///
    /// # Errors
    /// `Busy` when its turn has not come, `Storage` when the table fails.
    async fn admit(&self, place: Option<Timestamp>) -> Result<(), Error>;

    /// Waits until one call may begin.
    ///
    /// # Errors
    /// `Busy` when that is too far away to wait for, `Storage` when the table fails.
    async fn take(&self, operation: &str) -> Result<(), Error>;

    /// The provider said "too many requests": everybody slows down. Gives the error that says when to come back; `None`
    /// when nothing is known of a limit.
    async fn slow_down(&self, operation: &str, after: Option<Duration>) -> Option<Error>;
}

/// The pace of calls without a limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl Pace for Unlimited {
    async fn admit(&self, _place: Option<Timestamp>) -> Result<(), Error> {
        Ok(())
    }

    async fn take(&self, _operation: &str) -> Result<(), Error> {
        Ok(())
    }

    async fn slow_down(&self, _operation: &str, _after: Option<Duration>) -> Option<Error> {
        None
    }
}

/// The pace of calls without a limit, ready to be shared.
#[must_use]
pub fn unlimited() -> Arc<dyn Pace> {
    Arc::new(Unlimited)
}

/// Which limiter: one limit at one provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey {
    /// Whose limit.
    pub provider: Provider,
    /// What shares it.
    pub key: String,
}

/// A limiter as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLimiter {
    /// A random number that every write draws anew: whoever knows it knows what is stored.
    pub mark: u64,
    /// What all workers know of the limit.
    pub limiter: Limiter,
}

/// What became of writing a limiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swapped {
    /// It is written.
    Yes,
    /// It is not: this is stored, if anything is.
    No(Option<StoredLimiter>),
}

/// Limiters that all workers share.
#[async_trait]
pub trait Limits: Send + Sync {
    /// Writes a limiter if the stored one still has this mark, or if none is stored and `mark` is `None`. What is stored
    /// otherwise comes back, so that losing costs no read.
    ///
    /// # Errors
    /// When the table fails.
    async fn limiter_swap(
        &self,
        key: &LimitKey,
        mark: Option<u64>,
        new: &StoredLimiter,
    ) -> Result<Swapped, Error>;
}
