//! From an SQS batch to use cases and back: each message on its own, and only failed ones come back.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use bokbro_app::app::{App, Invocation};
use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::message::Envelope;
use bokbro_app::ports::QueueName;
use bokbro_app::work::{message_handle, unreadable_handle};
use bokbro_domain::ids::CorrelationId;
use bokbro_domain::retry::queue_wait;
use futures::FutureExt as _;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use tracing::Instrument as _;

/// Handles a batch of one queue. A message that fails, or panics, comes back alone.
pub async fn batch_handle(app: &App, queue: QueueName, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
    let deadline = Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX);
    let mut failures = Vec::new();
    for message in event.payload.records {
        let id = message.message_id.clone().unwrap_or_default();
        let owner = format!("{}/{id}", event.context.request_id);
        if !record_handle(app, queue, owner, deadline, &message).await {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failures.push(failure);
        }
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures;
    response
}

/// Handles one message; says whether it may be deleted.
async fn record_handle(
    app: &App,
    queue: QueueName,
    owner: String,
    deadline: Timestamp,
    message: &SqsMessage,
) -> bool {
    let receive = attribute(message, "ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1);
    let body = message.body.as_deref().unwrap_or_default();
    let started = app.clock.now();
    let envelope = match Envelope::parse(body) {
        Ok(envelope) => envelope,
        Err(unreadable) => {
            let correlation = CorrelationId::from_ulid(app.stamps.ulid(&*app.clock));
            tracing::error!(%correlation, error = %unreadable, "message parked as unreadable");
            return match unreadable_handle(app, &correlation, &unreadable, body).await {
                Ok(()) => true,
                Err(error) => give_back(app, queue, message, receive, &error).await,
            };
        }
    };
    let invocation = Invocation { owner, deadline, receive, correlation: envelope.correlation.clone() };
    let span = tracing::info_span!("message", tenant = %envelope.tenant, correlation = %envelope.correlation, receive);
    if let Some(turn) = envelope.not_before
        && turn > started
    {
        // Queues keep messages back for minutes at most: what waits for longer makes a stop on the way.
        return match send_again(app, queue, envelope, turn).await {
            Ok(()) => true,
            Err(error) => give_back(app, queue, message, receive, &error).await,
        };
    }
    let handling = AssertUnwindSafe(message_handle(app, &invocation, queue, &envelope)).catch_unwind();
    let handled = async {
        let outcome = handling.await.unwrap_or_else(|_| {
            Err(Error::storage("handling a message", std::io::Error::other("the handler panicked")))
        });
        let duration_ms = app.clock.now().duration_since(started).as_millis();
        match &outcome {
            Ok(()) => tracing::info!(disposition = "done", duration_ms = %duration_ms, "message handled"),
            Err(error) => tracing::warn!(
                disposition = name(&error.disposition()),
                code = error.code(),
                error = chain(error),
                duration_ms = %duration_ms,
                "message handled"
            ),
        }
        outcome
    };
    match handled.instrument(span).await {
        Ok(()) => true,
        Err(error) => match error.disposition() {
            // What needs a human is stored; coming back would not help.
            Disposition::Done | Disposition::NeedsConsent | Disposition::Park => true,
            Disposition::Later { at } => match send_again(app, queue, envelope, at).await {
                Ok(()) => true,
                Err(error) => give_back(app, queue, message, receive, &error).await,
            },
            Disposition::Retry { .. } => give_back(app, queue, message, receive, &error).await,
        },
    }
}

/// Sends a message anew for its turn. Whoever dies before the old one is deleted leaves two nudges, which do no more
/// than one.
async fn send_again(app: &App, queue: QueueName, message: Envelope, at: Timestamp) -> Result<(), Error> {
    let after = Duration::try_from(at.duration_since(app.clock.now())).unwrap_or(Duration::ZERO);
    let message = Envelope { not_before: Some(at), ..message };
    app.queues.queue_send_later(queue, &message, after.max(Duration::from_secs(1))).await
}

/// Sets when the message is seen again; always says that it may not be deleted.
async fn give_back(app: &App, queue: QueueName, message: &SqsMessage, receive: u32, error: &Error) -> bool {
    let after = match error.disposition() {
        Disposition::Retry { after: Some(after) } => after,
        Disposition::Retry { after: None }
        | Disposition::Later { .. }
        | Disposition::Done
        | Disposition::NeedsConsent
        | Disposition::Park => queue_wait(receive, app.clock.dice()),
    };
    let receipt = message.receipt_handle.as_deref().unwrap_or_default();
    if let Err(error) = app.queues.queue_give_back(queue, receipt, after.max(Duration::from_secs(1))).await {
        tracing::warn!(error = chain(&error), "the message comes back by its visibility time-out");
    }
    false
}

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
