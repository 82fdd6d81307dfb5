//! Outbound webhooks: every attempt is a real HTTP POST, repeated by the simulated clock until somebody takes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Clock, http_client};

/// How long the receiver may take; no provider documents its own limit.
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
pub struct Delivery<A> {
    /// Its number since the simulator started, from 0.
    pub id: u64,
    /// What it is about.
    #[serde(flatten)]
    pub about: A,
    /// Where it stands.
    pub state: DeliveryState,
    /// When the next attempt is due, by the simulated clock.
    pub next_at: Option<Timestamp>,
    /// The attempts so far.
    pub attempts: Vec<Attempt>,
    #[serde(skip)]
    letter: Letter<()>,
    #[serde(skip)]
    url: String,
    /// Attempts since it was last taken.
    #[serde(skip)]
    tried: usize,
    #[serde(skip)]
    duplicates_left: u32,
    #[serde(skip)]
    sending: bool,
}

impl<A> Delivery<A> {
    /// The exact text that is sent.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.letter.body
    }

    fn is_due(&self, now: Timestamp) -> bool {
        !self.sending && self.next_at.is_some_and(|at| at <= now)
    }
}

/// What is to be delivered.
#[derive(Clone)]
pub(crate) struct Letter<A> {
    pub(crate) about: A,
    pub(crate) body: String,
    /// The provider's own header, when it sends one.
    pub(crate) header: Option<(&'static str, String)>,
    /// How long it waits after each attempt that failed; after the last of them it gives up.
    pub(crate) waits: &'static [SignedDuration],
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
pub(crate) struct Outbox<A> {
    client: reqwest::Client,
    /// The next id and the deliveries. Ids are not used again after a reset, so that an attempt which outlives the
    /// reset cannot be taken for another's.
    book: Mutex<(u64, Vec<Delivery<A>>)>,
    /// Counts changes, so that whoever waits for one looks again.
    changes: watch::Sender<u64>,
}

impl<A> Default for Outbox<A> {
    fn default() -> Self {
        Self { client: http_client(), book: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl<A: Clone + Send + Sync + 'static> Outbox<A> {
    fn book(&self) -> MutexGuard<'_, (u64, Vec<Delivery<A>>)> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes an event in and answers its id. The worker sends it when it is due.
    pub(crate) fn post(&self, letter: Letter<A>, route: Route) -> u64 {
        let state = match &route.url {
            _ if route.held => DeliveryState::Held,
            Some(_) if !route.dropped => DeliveryState::Waiting,
            _ => DeliveryState::Dropped,
        };
        let Letter { about, body, header, waits } = letter;
        let mut book = self.book();
        let id = book.0;
        book.0 += 1;
        book.1.push(Delivery {
            id,
            about,
            state,
            next_at: (state == DeliveryState::Waiting).then_some(route.first_at),
            attempts: Vec::new(),
            letter: Letter { about: (), body, header, waits },
            url: route.url.unwrap_or_default(),
            tried: 0,
            duplicates_left: route.duplicates,
            sending: false,
        });
        drop(book);
        self.changed();
        id
    }

    /// What the newest delivery is about that `wanted` fits, for sending the very same again.
    pub(crate) fn newest(&self, wanted: impl Fn(&A) -> bool) -> Option<A> {
        self.book().1.iter().rev().map(|delivery| &delivery.about).find(|about| wanted(about)).cloned()
    }

    pub(crate) fn list(&self) -> Vec<Delivery<A>> {
        self.book().1.clone()
    }

    pub(crate) fn get(&self, id: u64) -> Option<Delivery<A>> {
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
    pub(crate) async fn quiet(&self, clock: &Clock, concern: impl Fn(&Delivery<A>) -> bool) {
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

    fn take_due(&self, now: Timestamp) -> Vec<Delivery<A>> {
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
    fn record(&self, sent: &Delivery<A>, attempt: Attempt, duplicate_after: SignedDuration) {
        let mut book = self.book();
        let Some(one) = book.1.iter_mut().find(|one| one.id == sent.id) else { return };
        let taken = attempt.status.is_some_and(|status| (200..300).contains(&status));
        let due = attempt.at;
        one.sending = false;
        one.attempts.push(attempt);
        (one.state, one.next_at) = match (taken, one.letter.waits.get(one.tried)) {
            (true, _) if one.duplicates_left > 0 => {
                one.duplicates_left -= 1;
                one.tried = 0;
                (DeliveryState::Waiting, Some(due + duplicate_after))
            }
            (true, _) => (DeliveryState::Delivered, None),
            (false, None) => (DeliveryState::GivenUp, None),
            (false, Some(wait)) => {
                one.tried += 1;
                (DeliveryState::Waiting, Some(due + *wait))
            }
        };
        drop(book);
        self.changed();
    }

    async fn send(self: Arc<Self>, delivery: Delivery<A>, clock: Clock, duplicate_after: SignedDuration) {
        let mut request = self
            .client
            .post(&delivery.url)
            .timeout(PATIENCE)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        if let Some((name, value)) = &delivery.letter.header {
            request = request.header(*name, value);
        }
        let (status, error) = match request.body(delivery.letter.body.clone()).send().await {
            Ok(answer) => (Some(answer.status().as_u16()), None),
            Err(error) if error.is_timeout() => (None, Some("no answer in time")),
            Err(error) if error.is_connect() => (None, Some("no connection")),
            Err(_) => (None, Some("broken connection")),
        };
        let at = delivery.next_at.unwrap_or_else(|| clock.now());
        self.record(&delivery, Attempt { at, status, error }, duplicate_after);
    }
}

/// Sends what is due, whenever something is: after a new event, a move of the clock, or simply time. `duplicate_after`
/// says how long after a delivery its duplicate follows.
pub(crate) async fn run<A: Clone + Send + Sync + 'static>(
    outbox: Arc<Outbox<A>>,
    clock: Clock,
    duplicate_after: impl Fn() -> SignedDuration,
) {
    let mut changes = outbox.changes.subscribe();
    let mut moves = clock.moves();
    let mut sends = JoinSet::new();
    loop {
        changes.borrow_and_update();
        moves.borrow_and_update();
        let now = clock.now();
        for delivery in outbox.take_due(now) {
            sends.spawn(outbox.clone().send(delivery, clock.clone(), duplicate_after()));
        }
        let pause = outbox.next_due().map_or(IDLE, |due| {
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
