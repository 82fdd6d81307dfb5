//! Queues, and the dead letters beside them.

use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::TenantId;
use jiff::Timestamp;

use crate::error::Error;
use crate::message::{Envelope, Unreadable};

/// Which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// Hints from the payment provider.
    Payments,
    /// Nudges for the books.
    Accounting,
    /// Nudges for the parcels, and hints from the warehouse.
    Warehouse,
    /// What time brings to do for connections and tenants.
    Pulls,
    /// Replays of dead letters.
    Replays,
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 5] =
        [Self::Payments, Self::Accounting, Self::Warehouse, Self::Pulls, Self::Replays];

    /// Its name for people and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Accounting => "accounting",
            Self::Warehouse => "warehouse",
            Self::Pulls => "pulls",
            Self::Replays => "replays",
        }
    }

    /// The queue of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// Sending work.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends a message; durable once this returns. Messages of one tenant form one fair group.
    ///
    /// # Errors
    /// When the queue did not take it.
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error>;

    /// Sends a message that is seen only after a time; a queue that cannot count so far shows it earlier.
    ///
    /// # Errors
    /// When the queue did not take it.
    async fn queue_send_later(
        &self,
        queue: QueueName,
        message: &Envelope,
        after: Duration,
    ) -> Result<(), Error>;

    /// Sends many messages in as few calls as the queue allows; all are durable once this returns.
    ///
    /// # Errors
    /// When the queue did not take one of them; it may have taken others.
    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error>;

    /// Gives a received message back so that it is seen again after a time.
    ///
    /// # Errors
    /// When the queue did not take it; the message then comes back by its own visibility time-out.
    async fn queue_give_back(&self, queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error>;

    /// About how many messages wait to be received.
    ///
    /// # Errors
    /// When the queue does not answer.
    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error>;
}

/// A message that failed too often, as somebody took it out of its dead-letter queue for a moment.
///
/// It has no `Debug`: a text that cannot be read may be anything, so nothing prints it.
#[derive(Clone)]
pub struct DeadLetter {
    /// The queue service's id, the same for as long as the message is a dead letter.
    pub id: String,
    /// By which this taking of it is given back or deleted.
    pub receipt: String,
    /// When it was first sent, if the service tells.
    pub sent_at: Option<Timestamp>,
    /// How often it was received; every look at it as a dead letter counts.
    pub receives: u32,
    /// What it says, or why it cannot be read.
    pub message: Result<Envelope, Unreadable>,
    /// Its text.
    pub body: String,
}

impl DeadLetter {
    /// Whose it is, when it says so.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        self.message.as_ref().ok().map(|message| &message.tenant)
    }
}

/// What became of asking the queue service to move dead letters by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moving {
    /// It does so from now on.
    Started,
    /// It does not know how.
    Unknown,
}

/// Messages that failed too often. A queue service has no way of looking at a message without taking it, so every look
/// hides the message from others for a moment and counts as a receive.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Takes up to `max` dead letters of a queue, ten at most, and hides them from everybody else for a time. Gives none
    /// only when none was in sight.
    ///
    /// # Errors
    /// When the queue does not answer.
    async fn dead_letters_take(
        &self,
        queue: QueueName,
        max: usize,
        hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error>;

    /// Shows dead letters that were taken to everybody again, at once. Those whose time was over are left alone.
    ///
    /// # Errors
    /// When the queue does not answer; they then come back by themselves.
    async fn dead_letters_give_back(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error>;

    /// Sends dead letters to the queue that they came from, as new messages that nobody has received; all are durable
    /// once this returns. They are still dead letters as well until they are deleted.
    ///
    /// # Errors
    /// When the queue did not take one of them; it may have taken others.
    async fn dead_letters_resend(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error>;

    /// Deletes dead letters that were taken; again is the same.
    ///
    /// # Errors
    /// When the queue did not delete one of them; it then comes back by itself.
    async fn dead_letters_delete(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error>;

    /// About how many dead letters of a queue there are, without looking at them: those of all tenants, and without those that
    /// somebody has taken.
    ///
    /// # Errors
    /// When the queue does not answer.
    async fn dead_letters_count(&self, queue: QueueName) -> Result<u64, Error>;

    /// About how many dead letters of a queue are hidden because somebody took them.
    ///
    /// # Errors
    /// When the queue does not answer.
    async fn dead_letters_hidden(&self, queue: QueueName) -> Result<u64, Error>;

    /// Has the queue service send all dead letters of a queue to where they came from, whoever's they are.
    ///
    /// # Errors
    /// When the service refuses or does not answer.
    async fn dead_letters_move(&self, queue: QueueName, per_second: Option<u32>) -> Result<Moving, Error>;
}
