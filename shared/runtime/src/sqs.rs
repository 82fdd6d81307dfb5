//! From an SQS batch to use cases and back: each message on its own, and only failed ones come back.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use bokbro_app::app::{App, Invocation};
use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::message::Envelope;
use bokbro_app::metrics;
use bokbro_app::ports::QueueName;
use bokbro_app::work::{message_handle, panicked_handle, unreadable_handle};
use bokbro_domain::retry::queue_wait;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use tracing::Instrument as _;

/// A handler that panics has met a mistake of ours. A message that did this to it so often is parked: two more tries are
/// for what passes by itself, and parked it can be looked at, while as a dead letter it would only be a message.
const PANICS: u32 = 3;
/// No further message of a batch is begun with less than this left: what was begun should also end.
const MESSAGE_RESERVE: SignedDuration = SignedDuration::from_secs(25);

/// Does what a message asks for; tests put their own in its place.
#[async_trait]
trait Worker: Send + Sync {
    async fn work(
        &self,
        app: &App,
        invocation: &Invocation,
        queue: QueueName,
        message: &Envelope,
    ) -> Result<(), Error>;
}

struct UseCases;

#[async_trait]
impl Worker for UseCases {
    async fn work(
        &self,
        app: &App,
        invocation: &Invocation,
        queue: QueueName,
        message: &Envelope,
    ) -> Result<(), Error> {
        message_handle(app, invocation, queue, message).await
    }
}

/// Handles a batch of one queue. A message that fails, or panics, comes back alone.
pub async fn batch_handle(app: &App, queue: QueueName, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    batch(app, queue, event, &UseCases).await
}

async fn batch(
    app: &App,
    queue: QueueName,
    event: LambdaEvent<SqsEvent>,
    worker: &dyn Worker,
) -> SqsBatchResponse {
    let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
    let deadline = Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX);
    let mut failures = Vec::new();
    for (index, message) in event.payload.records.iter().enumerate() {
        let id = message.message_id.clone().unwrap_or_default();
        let record = Record {
            app,
            queue,
            message,
            receive: attribute(message, "ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1),
            owner: format!("{}/{id}", event.context.request_id),
            deadline,
            // The first one is begun always: a function whose whole time is short must still get on.
            first: index == 0,
        };
        if !record.handle(worker).await {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failures.push(failure);
        }
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures;
    response
}

/// One message of a batch.
struct Record<'a> {
    app: &'a App,
    queue: QueueName,
    message: &'a SqsMessage,
    /// How often it has been received, this time included.
    receive: u32,
    /// Owner of the leases that are taken for it.
    owner: String,
    deadline: Timestamp,
    first: bool,
}

impl Record<'_> {
    /// Handles the message and logs one line about it; says whether it may be deleted.
    async fn handle(&self, worker: &dyn Worker) -> bool {
        let body = self.message.body.as_deref().unwrap_or_default();
        let (app, started) = (self.app, self.app.clock.now());
        let message_id = self.message.message_id.as_deref();
        let read = Envelope::parse(body).map_err(|unreadable| (unreadable, app.correlation()));
        let span = match &read {
            Ok(Envelope { tenant, correlation, nudge, .. }) => tracing::info_span!(
                "message",
                message_id,
                attempt = self.receive,
                kind = nudge.kind(),
                %tenant,
                %correlation,
                // Of a payment, the worker tells later which order it is about.
                order = nudge.order_named().map(tracing::field::display),
            ),
            Err((_, correlation)) => {
                tracing::info_span!("message", message_id, attempt = self.receive, %correlation)
            }
        };
        let handled = async {
            let (ending, may_go) = match read {
                Ok(envelope) => self.readable(worker, envelope).await,
                Err((unreadable, correlation)) => {
                    let parked = unreadable_handle(app, &correlation, &unreadable, body).await;
                    let ending = Ending::failed(PARK, PARK, "unreadable_message", unreadable.to_string());
                    (ending, self.stored(parked).await)
                }
            };
            ending.tell(app.clock.now().duration_since(started));
            may_go
        };
        handled.instrument(span).await
    }

    async fn readable(&self, worker: &dyn Worker, envelope: Envelope) -> (Ending, bool) {
        let now = self.app.clock.now();
        if let Some(turn) = envelope.not_before
            && turn > now
        {
            // Queues keep messages back for minutes at most: what waits for longer makes a stop on the way.
            return (Ending::later("early"), self.stored(self.send_again(envelope, turn).await).await);
        }
        if !self.first && self.deadline.duration_since(now) < MESSAGE_RESERVE {
            return (Ending::later("no_time"), self.stored(self.send_again(envelope, now).await).await);
        }
        let error = match self.work(worker, &envelope).await {
            Ok(Ok(())) => return (Ending::done(), true),
            Ok(Err(error)) => error,
            Err(Panicked) => return self.panicked(&envelope).await,
        };
        let ending = |disposition| Ending::failed(disposition, disposition, error.code(), chain(&error));
        match error.disposition() {
            Disposition::Done => (Ending::done(), true),
            // What needs a human is stored; coming back would not help.
            Disposition::NeedsConsent => (ending("needs_consent"), true),
            Disposition::Park => (ending(PARK), true),
            Disposition::Later { at } => {
                let envelope = Envelope { place: error.place().or(envelope.place), ..envelope };
                (Ending::later(error.code()), self.stored(self.send_again(envelope, at).await).await)
            }
            Disposition::Retry { after } => (ending(RETRY), self.give_back(after).await),
        }
    }

    async fn panicked(&self, envelope: &Envelope) -> (Ending, bool) {
        let ending = |disposition| {
            Ending::failed(disposition, "panic", "handler_panicked", "the handler panicked".to_owned())
        };
        if self.receive >= PANICS {
            let stored = panicked_handle(self.app, self.queue, envelope).await;
            return (ending(PARK), self.stored(stored).await);
        }
        (ending(RETRY), self.give_back(None).await)
    }

    async fn work(&self, worker: &dyn Worker, envelope: &Envelope) -> Result<Result<(), Error>, Panicked> {
        let invocation = Invocation {
            owner: self.owner.clone(),
            deadline: self.deadline,
            receive: self.receive,
            place: envelope.place,
            correlation: envelope.correlation.clone(),
        };
        let working = worker.work(self.app, &invocation, self.queue, envelope);
        AssertUnwindSafe(working).catch_unwind().await.map_err(|_| Panicked)
    }

    /// A message whose outcome is stored may go; one whose outcome could not be stored comes back.
    async fn stored(&self, outcome: Result<(), Error>) -> bool {
        match outcome {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the outcome of a message could not be stored");
                self.give_back(None).await
            }
        }
    }

    /// Sends the message anew for its turn. Whoever dies before the old one is deleted leaves two nudges, which do no
    /// more than one.
    async fn send_again(&self, message: Envelope, at: Timestamp) -> Result<(), Error> {
        let after = Duration::try_from(at.duration_since(self.app.clock.now())).unwrap_or(Duration::ZERO);
        let message = Envelope { not_before: Some(at), ..message };
        self.app.queues.queue_send_later(self.queue, &message, after.max(Duration::from_secs(1))).await
    }

    /// Sets when the message is seen again: when somebody knows better than the back-off, then; else by the back-off.
    /// Always says that it may not be deleted.
    async fn give_back(&self, after: Option<Duration>) -> bool {
        let after = after.unwrap_or_else(|| queue_wait(self.receive, self.app.clock.dice()));
        let receipt = self.message.receipt_handle.as_deref().unwrap_or_default();
        let given = self.app.queues.queue_give_back(self.queue, receipt, after.max(Duration::from_secs(1)));
        if let Err(error) = given.await {
            tracing::warn!(error = chain(&error), "the message comes back by its visibility time-out");
        }
        false
    }
}

/// The handler panicked.
struct Panicked;

fn attribute<'a>(message: &'a SqsMessage, name: &str) -> Option<&'a str> {
    message.attributes.get(name).map(String::as_str)
}

/// How the handling of a message ended, for the log.
struct Ending {
    disposition: &'static str,
    /// What failures are counted by; none when it did not fail.
    class: Option<&'static str>,
    code: String,
    error: Option<String>,
}

/// The message comes back by itself.
const RETRY: &str = "retry";
/// A human must look.
const PARK: &str = "park";

impl Ending {
    fn done() -> Self {
        Self { disposition: "done", class: None, code: "done".to_owned(), error: None }
    }

    /// Its turn has not come, which is no failure.
    fn later(code: &str) -> Self {
        Self { disposition: "later", class: None, code: code.to_owned(), error: None }
    }

    fn failed(disposition: &'static str, class: &'static str, code: &str, error: String) -> Self {
        Self { disposition, class: Some(class), code: code.to_owned(), error: Some(error) }
    }

    fn tell(&self, took: SignedDuration) {
        let Self { disposition, class, code, error } = self;
        let duration_ms = took.as_millis();
        match class {
            None => tracing::info!(disposition, code, duration_ms, "message handled"),
            Some(class) => tracing::warn!(
                disposition,
                code,
                error,
                duration_ms,
                class,
                { metrics::FAILED } = 1,
                "message handled"
            ),
        }
    }
}

#[cfg(test)]
#[path = "sqs_tests.rs"]
mod tests;
