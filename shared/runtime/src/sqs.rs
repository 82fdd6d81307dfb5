//! From an SQS batch to use cases and back: each message on its own, and only failed ones come back.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use bokbro_app::app::{App, Invocation};
use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::message::Envelope;
use bokbro_app::ports::QueueName;
use bokbro_app::work::{message_handle, panicked_handle, unreadable_handle};
use bokbro_domain::ids::CorrelationId;
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
    /// Handles the message; says whether it may be deleted.
    async fn handle(&self, worker: &dyn Worker) -> bool {
        let app = self.app;
        let body = self.message.body.as_deref().unwrap_or_default();
        let now = app.clock.now();
        let envelope = match Envelope::parse(body) {
            Ok(envelope) => envelope,
            Err(unreadable) => {
                let correlation = CorrelationId::from_ulid(app.stamps.ulid(&*app.clock));
                tracing::error!(%correlation, error = %unreadable, "message parked as unreadable");
                return self.stored(unreadable_handle(app, &correlation, &unreadable, body).await).await;
            }
        };
        if let Some(turn) = envelope.not_before
            && turn > now
        {
            // Queues keep messages back for minutes at most: what waits for longer makes a stop on the way.
            return self.stored(self.send_again(envelope, turn).await).await;
        }
        if !self.first && self.deadline.duration_since(now) < MESSAGE_RESERVE {
            return self.stored(self.send_again(envelope, now).await).await;
        }
        let outcome = match self.work(worker, &envelope).await {
            Ok(outcome) => outcome,
            Err(Panicked) if self.receive >= PANICS => {
                return self.stored(panicked_handle(app, self.queue, &envelope).await).await;
            }
            Err(Panicked) => {
                Err(Error::storage("handling a message", std::io::Error::other("the handler panicked")))
            }
        };
        let Err(error) = outcome else { return true };
        match error.disposition() {
            // What needs a human is stored; coming back would not help.
            Disposition::Done | Disposition::NeedsConsent | Disposition::Park => true,
            Disposition::Later { at } => {
                let envelope = Envelope { place: error.place().or(envelope.place), ..envelope };
                self.stored(self.send_again(envelope, at).await).await
            }
            Disposition::Retry { after } => self.give_back(after).await,
        }
    }

    /// Has the worker do it, and tells the log how that went.
    async fn work(&self, worker: &dyn Worker, envelope: &Envelope) -> Result<Result<(), Error>, Panicked> {
        let (app, receive) = (self.app, self.receive);
        let invocation = Invocation {
            owner: self.owner.clone(),
            deadline: self.deadline,
            receive,
            place: envelope.place,
            correlation: envelope.correlation.clone(),
        };
        let span = tracing::info_span!(
            "message", tenant = %envelope.tenant, correlation = %envelope.correlation, receive
        );
        let started = app.clock.now();
        let working = worker.work(app, &invocation, self.queue, envelope);
        let handled = async {
            let outcome = AssertUnwindSafe(working).catch_unwind().await;
            let duration_ms = app.clock.now().duration_since(started).as_millis();
            match &outcome {
                Ok(Ok(())) => tracing::info!(disposition = "done", duration_ms, "message handled"),
                Ok(Err(error)) => tracing::warn!(
                    disposition = name(&error.disposition()),
                    code = error.code(),
                    error = chain(error),
                    duration_ms,
                    "message handled"
                ),
                Err(_) => tracing::error!(code = "handler_panicked", duration_ms, "message not handled"),
            }
            outcome.map_err(|_| Panicked)
        };
        handled.instrument(span).await
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

fn name(disposition: &Disposition) -> &'static str {
    match disposition {
        Disposition::Done => "done",
        Disposition::Retry { .. } => "retry",
        Disposition::Later { .. } => "later",
        Disposition::NeedsConsent => "needs_consent",
        Disposition::Park => "park",
    }
}

#[cfg(test)]
#[path = "sqs_tests.rs"]
mod tests;
