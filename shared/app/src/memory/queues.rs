//! Queues in memory: at least once, in order of sending unless a test shuffles them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Error;
use crate::message::Envelope;
use crate::ports::{QueueName, Queues};

/// Queues for tests: the test receives and decides what comes back.
#[derive(Default)]
pub struct MemoryQueues(Mutex<BTreeMap<QueueName, VecDeque<Envelope>>>);

impl MemoryQueues {
    /// Takes the next message of a queue.
    pub fn take(&self, queue: QueueName) -> Option<Envelope> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(queue).or_default().pop_front()
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self, queue: QueueName) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&queue).map_or(0, VecDeque::len)
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self, queue: QueueName) -> bool {
        self.len(queue) == 0
    }
}

#[async_trait]
impl Queues for MemoryQueues {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        // Through the wire format, so that a message that does not survive it fails here too.
        let message =
            Envelope::parse(&message.to_json()).map_err(|e| Error::storage("sending a message", e))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(queue).or_default().push_back(message);
        Ok(())
    }

    /// A queue in memory has no clock: whoever receives looks at the message's own time.
    async fn queue_send_later(
        &self,
        queue: QueueName,
        message: &Envelope,
        _after: Duration,
    ) -> Result<(), Error> {
        self.queue_send(queue, message).await
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        for message in messages {
            self.queue_send(queue, message).await?;
        }
        Ok(())
    }

    async fn queue_give_back(
        &self,
        _queue: QueueName,
        _receipt: &str,
        _after: Duration,
    ) -> Result<(), Error> {
        Ok(())
    }
}
