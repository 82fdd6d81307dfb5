//! Orders as the webshop sees them: post, read, list, cancel.

use bokbro_domain::ids::{CorrelationId, OrderId, TenantId};
use bokbro_domain::order::{FieldError, Order, OrderBody, OrderState};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Error;
use crate::message::{Envelope, Nudge};
use crate::payments::payment_may_be_there;
use crate::ports::{Cursor, Inserted, KeyClaim, LookUpKind, OpenKind, OrderFilter, Page, QueueName};
use crate::records::TimelineEntry;
use crate::wire::order_in::read_order;

/// How long an idempotency key is remembered.
const KEY_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Longest idempotency key.
const KEY_MAX: usize = 255;

/// Why the API refuses.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(FieldError),
    /// What is asked for stands against what is there.
    #[error("{message}")]
    Conflict {
        /// Stable short name.
        code: &'static str,
        /// The field that stands against it, if it is one.
        field: Option<&'static str>,
        /// What stands against it and what to do.
        message: Said,
    },
    /// There is no such thing, or it is another tenant's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Our own failure.
    #[error("our own storage failed")]
    Failed(#[source] Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Parked(reason) if reason.code == "bad_cursor" => Self::Invalid(FieldError::new(
                "cursor",
                said!("field-no-cursor", "is not a cursor of this list"),
            )),
            other => Self::Failed(other),
        }
    }
}

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// A new order.
    Created(Order),
    /// The order that the same key made before.
    Repeated(Order),
}

/// Accepts an order once per idempotency key and once per order number.
///
/// # Errors
/// `Invalid` with the field named; `Conflict` when the key came with another body or the number is taken.
pub async fn order_post(
    app: &App,
    tenant: &TenantId,
    key: Option<&str>,
    correlation: &CorrelationId,
    body: &[u8],
) -> Result<Posted, Refusal> {
    let key = key.map(check_key).transpose()?;
    let body = read_order(body).map_err(Refusal::Invalid)?;
    let claim = key.map(|key| KeyClaim {
        id: format!("orders#{tenant}#{key}"),
        body_hash: sha256(&serde_json::to_vec(&body).unwrap_or_default()),
        expires_at: app.clock.now().saturating_add(KEY_LIFE).unwrap_or(jiff::Timestamp::MAX),
    });
    let told = said!("told-accepted", "Order accepted; waits for its payment.");
    accept(app, tenant, body, claim.as_ref(), correlation, told).await
}

/// Stores a new order, with what its history is to say.
pub(crate) async fn accept(
    app: &App,
    tenant: &TenantId,
    body: OrderBody,
    claim: Option<&KeyClaim>,
    correlation: &CorrelationId,
    message: Said,
) -> Result<Posted, Refusal> {
    let id = OrderId::from_ulid(app.stamps.ulid(&*app.clock));
    let order = Order::new(id, tenant.clone(), body, app.clock.now());
    let entry = app.stamps.entry(&*app.clock, correlation, "order_accepted", message);
    match app.orders.order_insert(&order, claim, &entry).await? {
        Inserted::Created => {
            payment_may_be_there(app, &order, correlation).await;
            Ok(Posted::Created(order))
        }
        Inserted::Repeated(id) => Ok(Posted::Repeated(order_get(app, tenant, &id).await?)),
        Inserted::KeyReused => Err(Refusal::Conflict {
            code: "idempotency_key_reused",
            field: Some("Idempotency-Key"),
            message: said!(
                "conflict-key-reused",
                "This Idempotency-Key came with another body before. Use a new key for a new order."
            ),
        }),
        Inserted::Taken { field } => Err(taken(field)),
    }
}

fn taken(field: LookUpKind) -> Refusal {
    let (name, what) = match field {
        LookUpKind::OrderNumber => ("order_number", "order number"),
        LookUpKind::CheckoutCode => ("viva_order_code", "order code"),
        LookUpKind::Transaction => ("payment_reference", "payment reference"),
    };
    Refusal::Conflict {
        code: "already_exists",
        field: Some(name),
        message: said!(
            "conflict-already-exists",
            "Another order has this {what} already. To repeat a post safely, send the same Idempotency-Key.",
            what
        ),
    }
}

/// Checks an idempotency key.
pub(crate) fn check_key(key: &str) -> Result<&str, Refusal> {
    let printable = key.bytes().all(|b| (0x21..0x7f).contains(&b));
    if (1..=KEY_MAX).contains(&key.len()) && printable {
        Ok(key)
    } else {
        let message = said!("field-no-key", "must be 1 to 255 printable ASCII characters without blanks");
        Err(Refusal::Invalid(FieldError::new("Idempotency-Key", message)))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an order.
///
/// # Errors
/// `NotFound` when the tenant has no such order.
pub async fn order_get(app: &App, tenant: &TenantId, id: &OrderId) -> Result<Order, Refusal> {
    app.orders.order_get(tenant, id).await?.ok_or(Refusal::NotFound("order"))
}

/// Has an order looked at now: at the payment provider, or in the books when it is paid and they lack it; there, what was
/// refused is tried again. A paid order is looked at in the warehouse too.
///
/// # Errors
/// `NotFound` when the tenant has no such order.
pub async fn order_sync(
    app: &App,
    tenant: &TenantId,
    id: &OrderId,
    correlation: &CorrelationId,
) -> Result<Order, Refusal> {
    let order = order_get(app, tenant, id).await?;
    // An order that waits for its day's voucher has nothing to do in the books, but money may have been given back.
    let lacks = OpenKind::Accounting.is_open(&order) && order.accounting.day.is_none();
    let queue = if lacks { QueueName::Accounting } else { QueueName::Payments };
    let nudge = Nudge::Order { order: id.clone(), insist: queue == QueueName::Accounting, told: None };
    let message = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), nudge);
    app.queues.queue_send(queue, &message).await?;
    if order.state.has_been_paid() {
        let nudge = Nudge::Order { order: id.clone(), insist: true, told: None };
        let message = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), nudge);
        app.queues.queue_send(QueueName::Warehouse, &message).await?;
    }
    Ok(order)
}

/// Lists orders, newest first.
///
/// # Errors
/// `Invalid` for a cursor of another list.
pub async fn orders_list(
    app: &App,
    tenant: &TenantId,
    filter: &OrderFilter,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Result<Page<Order>, Refusal> {
    Ok(app.orders.orders_list(tenant, filter, limit, cursor).await?)
}

/// An order's history, oldest first.
///
/// # Errors
/// `NotFound` when the tenant has no such order.
pub async fn order_timeline(
    app: &App,
    tenant: &TenantId,
    id: &OrderId,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Result<Page<TimelineEntry>, Refusal> {
    order_get(app, tenant, id).await?;
    Ok(app.orders.timeline_list(tenant, id, limit, cursor).await?)
}

/// Gives an unpaid order up; again is the same.
///
/// # Errors
/// `Conflict` when it has been paid: that needs a refund.
pub async fn order_cancel(
    app: &App,
    tenant: &TenantId,
    id: &OrderId,
    correlation: &CorrelationId,
) -> Result<Order, Refusal> {
    for _ in 0..3 {
        let mut order = order_get(app, tenant, id).await?;
        match order.state {
            OrderState::Cancelled => return Ok(order),
            OrderState::Pending => {}
            OrderState::Paid | OrderState::Refunded | OrderState::PartiallyRefunded => {
                return Err(Refusal::Conflict {
                    code: "already_paid",
                    field: None,
                    message: said!(
                        "conflict-already-paid",
                        "The order has been paid. Refund it at the payment provider instead."
                    ),
                });
            }
        }
        order.state = OrderState::Cancelled;
        order.version += 1;
        order.updated_at = app.clock.now();
        let entry = app.stamps.entry(
            &*app.clock,
            correlation,
            "order_cancelled",
            said!("told-cancelled", "Order cancelled by the webshop."),
        );
        match app.orders.order_update(&order, &[], &[entry]).await {
            Ok(()) => return Ok(order),
            Err(Error::Raced { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(Refusal::Failed(Error::Raced { step: "cancelling an order" }))
}
