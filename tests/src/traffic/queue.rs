//! A standard SQS queue with message groups, as far as the tests need it and as SQS documents it.
//!
//! Modeled: delays and visibility in whole seconds (at most 900 s and 12 h), the count of receives and the dead-letter
//! queue after five, and fair delivery: of the messages that are in sight, those of the group with the fewest messages in
//! flight come first, and among them the oldest. SQS documents that it does so for groups whose share in flight is out of
//! proportion; here it does so always. Not modeled: a message that is delivered twice, or out of order for no reason
//! (the crash and fault tests do that), and visibility time-outs that end while a worker is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::message::Envelope;
use bokbro_app::ports::{QueueName, Queues};
use jiff::{SignedDuration, Timestamp};

use super::clock::VirtualTime;

/// Longest delay of a new message.
const MAX_DELAY: u64 = 900;
/// Longest time out of sight.
const MAX_VISIBILITY: u64 = 43_200;
/// Receives before a message is a dead letter, as in template.yaml.
const MAX_RECEIVES: u32 = 5;

/// The queue.
pub struct FairQueue {
    time: VirtualTime,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<u64, Message>,
    /// Those that are not in flight, by when they are in sight.
    waiting: BTreeSet<(Timestamp, u64)>,
    in_flight: BTreeMap<String, usize>,
    next: u64,
    dead: Vec<Envelope>,
    counts: Counts,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages received.
    pub received: u32,
    /// Messages sent again for their turn.
    pub sent_again: u32,
    /// Messages given back after a failure.
    pub given_back: u32,
}

struct Message {
    group: String,
    body: String,
    receives: u32,
}

/// A message in flight.
pub struct Received {
    /// By which it is deleted or given back.
    pub receipt: u64,
    /// Its text.
    pub body: String,
    /// How often it was received, this time included.
    pub receives: u32,
}

impl FairQueue {
    /// An empty queue.
    pub fn new(time: VirtualTime) -> Self {
        Self { time, state: Mutex::default() }
    }

    /// Puts a message in sight at a time.
    pub fn put(&self, message: &Envelope, visible_at: Timestamp) {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let group = message.tenant.to_string();
        state.messages.insert(id, Message { group, body: message.to_json(), receives: 0 });
        state.waiting.insert((visible_at, id));
        drop(state);
        self.time.stir(1);
    }

    /// Takes a message that is in sight.
    pub fn receive(&self) -> Option<Received> {
        let mut guard = self.state();
        let state = &mut *guard;
        let seen = state.waiting.range(..=(self.time.now(), u64::MAX));
        let flying = |id: &u64| {
            let group = &state.messages[id].group;
            state.in_flight.get(group).copied().unwrap_or_default()
        };
        let key = *seen.min_by_key(|(_, id)| (flying(id), *id))?;
        state.waiting.remove(&key);
        let message = state.messages.get_mut(&key.1).unwrap();
        message.receives += 1;
        *state.in_flight.entry(message.group.clone()).or_default() += 1;
        state.counts.received += 1;
        let received = Received { receipt: key.1, body: message.body.clone(), receives: message.receives };
        drop(guard);
        // Another one may be in sight too.
        self.time.stir(1);
        Some(received)
    }

    /// Deletes a message in flight.
    pub fn delete(&self, receipt: u64) {
        let mut state = self.state();
        let message = state.messages.remove(&receipt).unwrap();
        state.landed(&message.group);
        let all = if state.messages.is_empty() { usize::MAX } else { 0 };
        drop(state);
        self.time.stir(all);
    }

    /// When the next message comes in sight.
    pub fn next(&self) -> Option<Timestamp> {
        self.state().waiting.first().map(|(visible_at, _)| *visible_at)
    }

    /// Whether there is no message at all, in sight, out of sight or in flight.
    pub fn is_empty(&self) -> bool {
        self.state().messages.is_empty()
    }

    /// Messages that nobody could handle.
    pub fn dead(&self) -> Vec<Envelope> {
        self.state().dead.clone()
    }

    /// How often what happened.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_seconds(&self, after: Duration, longest: u64) -> Timestamp {
        let seconds = (after.as_secs() + u64::from(after.subsec_nanos() > 0)).min(longest);
        self.time.now() + SignedDuration::from_secs(i64::try_from(seconds).unwrap())
    }
}

impl State {
    fn landed(&mut self, group: &str) {
        if let Some(flying) = self.in_flight.get_mut(group) {
            *flying -= 1;
        }
    }
}

#[async_trait]
impl Queues for FairQueue {
    async fn queue_send(&self, _queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.put(message, self.time.now());
        Ok(())
    }

    async fn queue_send_later(
        &self,
        _queue: QueueName,
        message: &Envelope,
        after: Duration,
    ) -> Result<(), Error> {
        self.state().counts.sent_again += 1;
        self.put(message, self.in_seconds(after, MAX_DELAY));
        Ok(())
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        for message in messages {
            self.queue_send(queue, message).await?;
        }
        Ok(())
    }

    async fn queue_waiting(&self, _queue: QueueName) -> Result<u64, Error> {
        Ok(self.state().messages.len() as u64)
    }

    async fn queue_give_back(&self, _queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        let receipt: u64 = receipt.parse().unwrap();
        let visible_at = self.in_seconds(after, MAX_VISIBILITY);
        let mut state = self.state();
        state.counts.given_back += 1;
        let group = state.messages[&receipt].group.clone();
        state.landed(&group);
        if state.messages[&receipt].receives >= MAX_RECEIVES {
            let message = state.messages.remove(&receipt).unwrap();
            state.dead.push(Envelope::parse(&message.body).unwrap());
        } else {
            state.waiting.insert((visible_at, receipt));
        }
        let all = if state.messages.is_empty() { usize::MAX } else { 1 };
        drop(state);
        self.time.stir(all);
        Ok(())
    }
}
