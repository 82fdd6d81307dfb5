//! From a message on a queue to its use case; the same for every queue.

use bokbro_domain::ids::{CorrelationId, ParkedId, TenantId};
use bokbro_domain::said;

use crate::accounting::order_account;
use crate::app::{App, Invocation};
use crate::days::day_book;
use crate::effects::Ask;
use crate::error::Error;
use crate::message::{Envelope, Nudge, Unreadable};
use crate::parked::{MESSAGE, QUEUE, item_park};
use crate::payments::{payment_handle, payment_look, payment_match};
use crate::ports::QueueName;
use crate::pulls::connection_task;
use crate::records::Parked;
use crate::replay::replay_run;
use crate::sweep::tenant_sweep;
use crate::warehouse::{order_ship, parcel_handle};

/// Handles one message of a queue.
///
/// # Errors
/// By what happens next.
pub async fn message_handle(
    app: &App,
    invocation: &Invocation,
    queue: QueueName,
    message: &Envelope,
) -> Result<(), Error> {
    let tenant = &message.tenant;
    match (queue, &message.nudge) {
        (QueueName::Payments, Nudge::Payment(hint)) => payment_handle(app, invocation, tenant, hint).await,
        (QueueName::Payments, Nudge::Order { order, insist, told: _ }) => {
            payment_look(app, invocation, tenant, order, *insist).await
        }
        (QueueName::Payments, Nudge::Match { order, provider, transaction }) => {
            payment_match(app, invocation, tenant, order, provider, transaction).await
        }
        (QueueName::Accounting, Nudge::Order { order, insist, told }) => {
            let ask = Ask { at: message.sent_at, insist: *insist, told: told.as_ref() };
            order_account(app, invocation, tenant, order, ask).await
        }
        (QueueName::Accounting, Nudge::Day { day, insist, told, after }) => {
            let ask = Ask { at: message.sent_at, insist: *insist, told: told.as_ref() };
            day_book(app, invocation, tenant, day, ask, after.as_deref()).await
        }
        (QueueName::Warehouse, Nudge::Order { order, insist, told }) => {
            let ask = Ask { at: message.sent_at, insist: *insist, told: told.as_ref() };
            order_ship(app, invocation, tenant, order, ask).await
        }
        (QueueName::Warehouse, Nudge::Parcel(hint)) => parcel_handle(app, invocation, tenant, hint).await,
        (QueueName::Pulls, Nudge::Connection { provider, task, job }) => {
            connection_task(app, invocation, tenant, provider, *task, job.as_ref()).await
        }
        (QueueName::Pulls, Nudge::Sweep { job }) => tenant_sweep(app, invocation, tenant, job.as_ref()).await,
        (QueueName::Replays, Nudge::Replay { job }) => replay_run(app, invocation, tenant, job).await,
        (
            QueueName::Payments,
            Nudge::Parcel(_)
            | Nudge::Day { .. }
            | Nudge::Connection { .. }
            | Nudge::Sweep { .. }
            | Nudge::Replay { .. },
        )
        | (
            QueueName::Warehouse,
            Nudge::Payment(_)
            | Nudge::Day { .. }
            | Nudge::Match { .. }
            | Nudge::Connection { .. }
            | Nudge::Sweep { .. }
            | Nudge::Replay { .. },
        )
        | (
            QueueName::Accounting,
            Nudge::Payment(_)
            | Nudge::Parcel(_)
            | Nudge::Match { .. }
            | Nudge::Connection { .. }
            | Nudge::Sweep { .. }
            | Nudge::Replay { .. },
        )
        | (
            QueueName::Pulls,
            Nudge::Payment(_)
            | Nudge::Parcel(_)
            | Nudge::Order { .. }
            | Nudge::Day { .. }
            | Nudge::Match { .. }
            | Nudge::Replay { .. },
        )
        | (
            QueueName::Replays,
            Nudge::Payment(_)
            | Nudge::Parcel(_)
            | Nudge::Order { .. }
            | Nudge::Day { .. }
            | Nudge::Match { .. }
            | Nudge::Connection { .. }
            | Nudge::Sweep { .. },
        ) => {
            let reason =
                Unreadable { why: said!("unreadable-queue", "the message belongs on another queue") };
            unreadable_park(app, &message.correlation, tenant, &reason, &message.to_json()).await
        }
    }
}

/// Tenant under which messages are parked that do not even tell whose they are.
pub(crate) const NOBODY: &str = "operator";

/// Parks a message that cannot be read; nothing is dropped.
///
/// # Errors
/// When the table fails.
pub async fn unreadable_handle(
    app: &App,
    correlation: &CorrelationId,
    unreadable: &Unreadable,
    body: &str,
) -> Result<(), Error> {
    let tenant = TenantId::parse(NOBODY).map_err(|e| Error::storage("naming the operator", e))?;
    unreadable_park(app, correlation, &tenant, unreadable, body).await
}

async fn unreadable_park(
    app: &App,
    correlation: &CorrelationId,
    tenant: &TenantId,
    unreadable: &Unreadable,
    body: &str,
) -> Result<(), Error> {
    let fingerprint = format!("unreadable:{}", fingerprint(body));
    let parked = Parked {
        id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
        at: app.clock.now(),
        code: "unreadable_message".into(),
        message: said!(
            "parked-unreadable",
            "A message on a queue could not be read: {why}.";
            why = unreadable.why.clone()
        ),
        fingerprint,
        order: None,
        target: None,
        details: [("body".to_owned(), body.chars().take(4_000).collect())].into(),
        correlation: correlation.clone(),
    };
    item_park(app, tenant, &parked).await.map(|_| ())
}

/// Parks a message whose handler panicked again and again, the message itself with it, so that it can be sent again once
/// the mistake is mended.
///
/// # Errors
/// When the table fails.
pub async fn panicked_handle(app: &App, queue: QueueName, message: &Envelope) -> Result<(), Error> {
    let nudge = serde_json::to_string(&message.nudge).unwrap_or_default();
    let parked = Parked {
        id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
        at: app.clock.now(),
        code: "handler_panicked".into(),
        message: said!(
            "parked-panicked",
            "A message makes its handler fail, which is a mistake in Bokbro. Report it; when it is mended, try again."
        ),
        fingerprint: format!("panicked:{}:{}", queue.as_str(), fingerprint(&nudge)),
        order: message.nudge.order_named().cloned(),
        target: None,
        details: [(QUEUE.to_owned(), queue.as_str().to_owned()), (MESSAGE.to_owned(), message.to_json())]
            .into(),
        correlation: message.correlation.clone(),
    };
    item_park(app, &message.tenant, &parked).await.map(|_| ())
}

fn fingerprint(body: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(body.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
