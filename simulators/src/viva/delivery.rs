//! Outbound webhooks: every attempt is a real HTTP POST, repeated hourly by the simulated clock
//! (apis/viva-ongoing-bank.md 1.7).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Shared;
use super::events::Event;
use super::wire::{OrderCode, millis};
use crate::kit::{Clock, http_client};

/// Attempts until Viva gives up: the first and 23 more.
const ATTEMPTS: u32 = 24;
/// Between two attempts.
const RETRY_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// How long the receiver may take. Viva's own limit is not documented.
const PATIENCE: Duration = Duration::from_secs(10);
/// The worker wakes at every change; without any, this is how long it sleeps at most.
const IDLE: Duration = Duration::from_secs(3600);

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Made, but whoever made it did not want it sent.
    Held,
    /// Lost on purpose by a switch, or without an address to go to.
    Dropped,
    /// To be sent at `next_at`.
    Waiting,
    /// Taken by the receiver.
    Delivered,
    /// Refused to the last attempt.
    GivenUp,
}

/// One try to hand over an event.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// When it was due, by the simulated clock.
    pub at: Timestamp,
    /// The receiver's HTTP status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<&'static str>,
}

/// One event on its way, as `GET /_sim/webhooks` lists it.
#[derive(Clone, Serialize)]
pub struct Delivery {
    /// Its number since the simulator started, from 0.
    pub id: u64,
    /// The kind of event; `None` for a body that a test made up.
    pub event_type_id: Option<u32>,
    /// The transaction that it tells of.
    pub transaction_id: Option<String>,
    /// The order that it tells of.
    pub order_code: Option<OrderCode>,
    /// Where it stands.
    pub state: DeliveryState,
    /// When the next attempt is due, by the simulated clock.
    pub next_at: Option<Timestamp>,
    /// The attempts so far.
    pub attempts: Vec<Attempt>,
    #[serde(skip)]
    event: Option<Event>,
    #[serde(skip)]
    body: String,
    #[serde(skip)]
    url: String,
    #[serde(skip)]
    attempts_left: u32,
    #[serde(skip)]
    duplicates_left: u32,
    #[serde(skip)]
    sending: bool,
}

impl Delivery {
    /// The exact text that is sent.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    fn is_due(&self, now: Timestamp) -> bool {
        !self.sending && self.next_at.is_some_and(|at| at <= now)
    }
}

/// What is to be delivered.
pub(crate) enum Letter {
    /// An event of the account, repeated until it is taken.
    Event(Event),
    /// A body that a test made up; sent once, because nobody stands behind it.
    Text(String),
}

/// Where and when an event goes.
pub(crate) struct Route {
    pub(crate) url: Option<String>,
    pub(crate) held: bool,
    pub(crate) dropped: bool,
    pub(crate) first_at: Timestamp,
    pub(crate) duplicates: u32,
}

/// The events made so far and what became of them.
pub(crate) struct Outbox {
    client: reqwest::Client,
    /// The next id and the deliveries. Ids are not used again after a reset, so that an attempt which outlives the
    /// reset cannot be taken for another's.
    book: Mutex<(u64, Vec<Delivery>)>,
    /// Counts changes, so that whoever waits for one looks again.
    changes: watch::Sender<u64>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { client: http_client(), book: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn book(&self) -> MutexGuard<'_, (u64, Vec<Delivery>)> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes an event in and answers its id. The worker sends it when it is due.
    pub(crate) fn post(&self, letter: Letter, route: Route) -> u64 {
        let state = match &route.url {
            _ if route.held => DeliveryState::Held,
            Some(_) if !route.dropped => DeliveryState::Waiting,
            _ => DeliveryState::Dropped,
        };
        let (event, body, attempts_left) = match letter {
            Letter::Event(event) => (Some(event.clone()), event.json().get().to_owned(), ATTEMPTS),
            Letter::Text(text) => (None, text, 1),
        };
        let mut book = self.book();
        let id = book.0;
        book.0 += 1;
        book.1.push(Delivery {
            id,
            event_type_id: event.as_ref().map(|event| event.event_type_id),
            transaction_id: event.as_ref().and_then(|event| event.transaction_id.clone()),
            order_code: event.as_ref().map(|event| event.order_code),
            state,
            next_at: (state == DeliveryState::Waiting).then_some(route.first_at),
            attempts: Vec::new(),
            event,
            body,
            url: route.url.unwrap_or_default(),
            attempts_left,
            duplicates_left: route.duplicates,
            sending: false,
        });
        drop(book);
        self.changed();
        id
    }

    /// The last event of this kind that was made about a transaction, for sending the very same again.
    pub(crate) fn last_event(&self, transaction_id: &str, event_type_id: u32) -> Option<Event> {
        let book = self.book();
        let mut events = book.1.iter().rev().filter_map(|delivery| delivery.event.as_ref());
        events
            .find(|event| {
                event.transaction_id.as_deref() == Some(transaction_id)
                    && event.event_type_id == event_type_id
            })
            .cloned()
    }

    pub(crate) fn list(&self) -> Vec<Delivery> {
        self.book().1.clone()
    }

    pub(crate) fn get(&self, id: u64) -> Option<Delivery> {
        self.book().1.iter().find(|one| one.id == id).cloned()
    }

    /// How many events were ever made.
    pub(crate) fn count(&self) -> u64 {
        self.book().0
    }

    /// Forgets what has happened and what was still to be sent. Attempts under way end unrecorded.
    pub(crate) fn forget(&self) {
        self.book().1.clear();
        self.changed();
    }

    /// Waits until none of the deliveries that `concern` is under way or due.
    pub(crate) async fn quiet(&self, clock: &Clock, concern: impl Fn(&Delivery) -> bool) {
        let mut changes = self.changes.subscribe();
        loop {
            let now = clock.now();
            let busy = self.book().1.iter().any(|one| concern(one) && (one.sending || one.is_due(now)));
            // The sender lives in `self`, so that waiting cannot fail while this runs.
            if !busy || changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn take_due(&self, now: Timestamp) -> Vec<Delivery> {
        let mut book = self.book();
        let due = book.1.iter_mut().filter(|one| one.is_due(now));
        due.map(|one| {
            one.sending = true;
            one.clone()
        })
        .collect()
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.book().1.iter().filter(|one| !one.sending).filter_map(|one| one.next_at).min()
    }

    /// Writes down what came of an attempt and what follows from it. After a jump of the clock the attempts that
    /// fell into it are made up one after the other, each at the time when it was due.
    fn record(&self, sent: &Delivery, attempt: Attempt, duplicate_after: SignedDuration) {
        let mut book = self.book();
        let Some(one) = book.1.iter_mut().find(|one| one.id == sent.id) else { return };
        let taken = attempt.status.is_some_and(|status| (200..300).contains(&status));
        let due = attempt.at;
        one.sending = false;
        one.attempts.push(attempt);
        one.attempts_left -= 1;
        (one.state, one.next_at) = match (taken, one.attempts_left) {
            (true, _) if one.duplicates_left > 0 => {
                one.duplicates_left -= 1;
                one.attempts_left = ATTEMPTS;
                (DeliveryState::Waiting, Some(due + duplicate_after))
            }
            (true, _) => (DeliveryState::Delivered, None),
            (false, 0) => (DeliveryState::GivenUp, None),
            (false, _) => (DeliveryState::Waiting, Some(due + RETRY_INTERVAL)),
        };
        drop(book);
        self.changed();
    }
}

/// Sends what is due, whenever something is: after a new event, a move of the clock, or simply time.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.outbox.changes.subscribe();
    let mut moves = shared.clock.moves();
    let mut sends = JoinSet::new();
    loop {
        changes.borrow_and_update();
        moves.borrow_and_update();
        let now = shared.clock.now();
        for delivery in shared.outbox.take_due(now) {
            sends.spawn(send(shared.clone(), delivery));
        }
        let pause = shared.outbox.next_due().map_or(IDLE, |due| {
            Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO).min(IDLE)
        });
        tokio::select! {
            _ = changes.changed() => {}
            _ = moves.changed() => {}
            () = tokio::time::sleep(pause) => {}
            Some(_) = sends.join_next() => {}
        }
    }
}

async fn send(shared: Arc<Shared>, delivery: Delivery) {
    let answer = shared
        .outbox
        .client
        .post(&delivery.url)
        .timeout(PATIENCE)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(delivery.body.clone())
        .send()
        .await;
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status().as_u16()), None),
        Err(error) if error.is_timeout() => (None, Some("no answer in time")),
        Err(error) if error.is_connect() => (None, Some("no connection")),
        Err(_) => (None, Some("broken connection")),
    };
    let at = delivery.next_at.unwrap_or_else(|| shared.now());
    let duplicate_after = millis(shared.state().switches.duplicate_after_ms);
    shared.outbox.record(&delivery, Attempt { at, status, error }, duplicate_after);
}
