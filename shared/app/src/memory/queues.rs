//! Queues in memory: at least once, in order of sending unless a test shuffles them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Error;
use crate::message::Envelope;
use crate::ports::{Clock, DeadLetter, DeadLetters, Moving, QueueName, Queues};

/// Queues for tests: the test receives and decides what comes back.
#[derive(Default)]
pub struct MemoryQueues {
    state: Mutex<State>,
    /// By which dead letters that were taken come back; without, they stay hidden until they are given back.
    clock: Option<Arc<dyn Clock>>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<QueueName, VecDeque<Envelope>>,
    /// Texts that were sent again although nobody can read them.
    unreadable: Vec<(QueueName, String)>,
    dead: BTreeMap<QueueName, Vec<Dead>>,
    /// Source of ids and receipts.
    last: u64,
}

struct Dead {
    letter: DeadLetter,
    hidden_until: Option<Timestamp>,
}

impl Dead {
    fn is_hidden(&self, now: Timestamp) -> bool {
        self.hidden_until.is_some_and(|until| now < until)
    }
}

impl MemoryQueues {
    /// Queues whose dead letters come back in time.
    #[must_use]
    pub fn timed(clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..Self::default() }
    }

    /// Takes the next message of a queue.
    pub fn take(&self, queue: QueueName) -> Option<Envelope> {
        self.state().queues.entry(queue).or_default().pop_front()
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self, queue: QueueName) -> usize {
        self.state().queues.get(&queue).map_or(0, VecDeque::len)
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self, queue: QueueName) -> bool {
        self.len(queue) == 0
    }

    /// Makes a text a dead letter of a queue, as five receives would; gives its id.
    pub fn bury(&self, queue: QueueName, body: &str) -> String {
        let mut state = self.state();
        state.last += 1;
        let message = Envelope::parse(body);
        let letter = DeadLetter {
            id: format!("dead-{:06}", state.last),
            receipt: String::new(),
            sent_at: message.as_ref().ok().map(|message| message.sent_at),
            receives: 5,
            message,
            body: body.to_owned(),
        };
        let id = letter.id.clone();
        state.dead.entry(queue).or_default().push(Dead { letter, hidden_until: None });
        id
    }

    /// How many dead letters a queue has, hidden or not.
    #[must_use]
    pub fn dead(&self, queue: QueueName) -> usize {
        self.state().dead.get(&queue).map_or(0, Vec::len)
    }

    /// Texts that were sent again although nobody can read them.
    #[must_use]
    pub fn unreadable(&self) -> Vec<(QueueName, String)> {
        self.state().unreadable.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or(Timestamp::MIN, |clock| clock.now())
    }
}

#[async_trait]
impl Queues for MemoryQueues {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        // Through the wire format, so that a message that does not survive it fails here too.
        let message =
            Envelope::parse(&message.to_json()).map_err(|e| Error::storage("sending a message", e))?;
        self.state().queues.entry(queue).or_default().push_back(message);
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

    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error> {
        Ok(self.state().queues.get(&queue).map_or(0, |queue| queue.len() as u64))
    }
}

#[async_trait]
impl DeadLetters for MemoryQueues {
    async fn dead_letters_take(
        &self,
        queue: QueueName,
        max: usize,
        hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error> {
        let now = self.now();
        let until = now.saturating_add(hidden).unwrap_or(Timestamp::MAX);
        let mut state = self.state();
        let mut last = state.last;
        let letters = state.dead.entry(queue).or_default().iter_mut().filter(|dead| !dead.is_hidden(now));
        let taken = letters.take(max.min(10)).map(|dead| {
            last += 1;
            dead.hidden_until = Some(until);
            dead.letter.receives += 1;
            dead.letter.receipt = last.to_string();
            dead.letter.clone()
        });
        let taken = taken.collect();
        state.last = last;
        Ok(taken)
    }

    async fn dead_letters_give_back(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        let mut state = self.state();
        for dead in state.dead.entry(queue).or_default() {
            if letters.iter().any(|letter| letter.receipt == dead.letter.receipt) {
                dead.hidden_until = None;
            }
        }
        Ok(())
    }

    async fn dead_letters_resend(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        for letter in letters {
            match &letter.message {
                Ok(message) => self.queue_send(queue, &message.anew()).await?,
                Err(_) => self.state().unreadable.push((queue, letter.body.clone())),
            }
        }
        Ok(())
    }

    async fn dead_letters_delete(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        let mut state = self.state();
        let dead = state.dead.entry(queue).or_default();
        dead.retain(|dead| letters.iter().all(|letter| letter.receipt != dead.letter.receipt));
        Ok(())
    }

    async fn dead_letters_count(&self, queue: QueueName) -> Result<u64, Error> {
        let (now, state) = (self.now(), self.state());
        let seen = state.dead.get(&queue).into_iter().flatten().filter(|dead| !dead.is_hidden(now)).count();
        Ok(u64::try_from(seen).unwrap_or(u64::MAX))
    }

    async fn dead_letters_hidden(&self, queue: QueueName) -> Result<u64, Error> {
        let (now, state) = (self.now(), self.state());
        let hidden = state.dead.get(&queue).into_iter().flatten().filter(|dead| dead.is_hidden(now)).count();
        Ok(u64::try_from(hidden).unwrap_or(u64::MAX))
    }

    async fn dead_letters_move(&self, _queue: QueueName, _per_second: Option<u32>) -> Result<Moving, Error> {
        Ok(Moving::Unknown)
    }
}
