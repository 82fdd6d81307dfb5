//! Looks at dead letters without taking them away.
//!
//! A look hides what it sees from others, another look or a replay, until it is over; the dead letters of all tenants lie
//! in the same queues, so a look passes those of others by. It is bounded: past a number of messages it says that there
//! may be more.

use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::TenantId;
use futures::future::join_all;

use crate::app::App;
use crate::error::{Error, chain};
use crate::ports::{DeadLetter, DeadLetters, Moving, QueueName};
use crate::work::NOBODY;

/// Dead letters taken at once.
pub(crate) const BATCH: usize = 10;
/// Most dead letters of a queue that one look passes.
const MOST_PASSED: usize = 1_000;
/// How long a look hides what it sees when it dies on the way.
const HIDDEN: Duration = Duration::from_secs(30);

/// What a look at dead letters saw.
pub struct Listed {
    /// Each with its queue, newest first.
    pub items: Vec<(QueueName, DeadLetter)>,
    /// Whether there may be more.
    pub truncated: bool,
}

/// The dead letters of a function that was started without them, as most are: to look at them is an error.
pub struct OutOfSight;

impl OutOfSight {
    fn refuse<T>() -> Result<T, Error> {
        Err(Error::storage("looking at dead letters", "this function was started without them"))
    }
}

#[async_trait]
impl DeadLetters for OutOfSight {
    async fn dead_letters_take(
        &self,
        _queue: QueueName,
        _max: usize,
        _hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error> {
        Self::refuse()
    }

    async fn dead_letters_give_back(&self, _queue: QueueName, _letters: &[DeadLetter]) -> Result<(), Error> {
        Self::refuse()
    }

    async fn dead_letters_resend(&self, _queue: QueueName, _letters: &[DeadLetter]) -> Result<(), Error> {
        Self::refuse()
    }

    async fn dead_letters_delete(&self, _queue: QueueName, _letters: &[DeadLetter]) -> Result<(), Error> {
        Self::refuse()
    }

    async fn dead_letters_count(&self, _queue: QueueName) -> Result<u64, Error> {
        Self::refuse()
    }

    async fn dead_letters_hidden(&self, _queue: QueueName) -> Result<u64, Error> {
        Self::refuse()
    }

    async fn dead_letters_move(&self, _queue: QueueName, _per_second: Option<u32>) -> Result<Moving, Error> {
        Self::refuse()
    }
}

/// Whether a dead letter is a tenant's own. One that does not say whose it is belongs to the operator.
pub(crate) fn is_own(letter: &DeadLetter, tenant: &TenantId) -> bool {
    letter.tenant().map_or(NOBODY, TenantId::as_str) == tenant.as_str()
}

/// Lists a tenant's dead letters.
///
/// # Errors
/// When a queue does not answer.
pub async fn dead_letters_list(
    app: &App,
    tenant: &TenantId,
    queues: &[QueueName],
    limit: usize,
) -> Result<Listed, Error> {
    // All queues at once: each ends with a wait for messages that do not come.
    let looks = join_all(queues.iter().map(|queue| look(app, tenant, *queue, limit))).await;
    let mut listed = Listed { items: Vec::new(), truncated: false };
    for (queue, seen) in queues.iter().zip(looks) {
        let (own, truncated) = seen?;
        listed.items.extend(own.into_iter().map(|letter| (*queue, letter)));
        listed.truncated |= truncated;
    }
    listed.items.sort_by(|(_, a), (_, b)| (b.sent_at, &b.id).cmp(&(a.sent_at, &a.id)));
    listed.truncated |= listed.items.len() > limit;
    listed.items.truncate(limit);
    Ok(listed)
}

/// Looks at one queue; gives the tenant's own, and whether it stopped before the end.
async fn look(
    app: &App,
    tenant: &TenantId,
    queue: QueueName,
    limit: usize,
) -> Result<(Vec<DeadLetter>, bool), Error> {
    let mut seen: Vec<DeadLetter> = Vec::new();
    let looked = async {
        loop {
            let own = seen.iter().filter(|letter| is_own(letter, tenant)).count();
            if own > limit || seen.len() >= MOST_PASSED {
                return Ok(true);
            }
            let taken = app.dead_letters.dead_letters_take(queue, BATCH, HIDDEN).await?;
            if taken.is_empty() {
                return Ok(false);
            }
            seen.extend(taken);
        }
    };
    let looked = looked.await;
    if let Err(error) = app.dead_letters.dead_letters_give_back(queue, &seen).await {
        tracing::warn!(queue = queue.as_str(), error = chain(&error), "dead letters come back by themselves");
    }
    seen.retain(|letter| is_own(letter, tenant));
    looked.map(|truncated| (seen, truncated))
}
