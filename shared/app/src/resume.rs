//! Sets going again what waited for a connection: its orders are nudged, deliveries that were parked are sent again.
//!
//! Everything here may be done twice: a nudge that finds its work done does nothing.

use bokbro_domain::ids::{CorrelationId, OrderId, Provider, TenantId};
use bokbro_domain::order::{OrderState, SyncState};

use crate::app::App;
use crate::error::Error;
use crate::message::{Envelope, Nudge, PaymentHint};
use crate::ports::{OrderFilter, QueueName};

/// Reason code of what waits for a connection.
pub(crate) const NEEDS_CONSENT: &str = "needs_consent";
/// Detail of a parked delivery that holds the delivery itself.
pub(crate) const HINT: &str = "hint";
/// States of orders that belong into the books.
const PAID: [OrderState; 3] = [OrderState::Paid, OrderState::PartiallyRefunded, OrderState::Refunded];
/// Items read at once.
const PAGE: usize = 200;

/// How much was set going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resumed {
    /// Orders that the books lacked.
    pub orders: usize,
    /// Deliveries of the payment provider.
    pub deliveries: usize,
}

/// Sets going again what waited for a connection.
///
/// # Errors
/// When table or queue fail; calling again goes on.
pub async fn connection_resume(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<Resumed, Error> {
    let mut resumed = Resumed::default();
    let settings = app.directory.settings_get(tenant).await?;
    if settings.is_some_and(|settings| settings.accounting.as_ref() == Some(provider)) {
        for state in PAID {
            resumed.orders += nudge_orders(app, tenant, state, correlation).await?;
        }
    }
    resumed.deliveries = resend_deliveries(app, tenant, provider, correlation).await?;
    tracing::info!(
        %tenant, %provider, %correlation,
        orders = resumed.orders, deliveries = resumed.deliveries,
        "connection resumed"
    );
    Ok(resumed)
}

async fn nudge_orders(
    app: &App,
    tenant: &TenantId,
    state: OrderState,
    correlation: &CorrelationId,
) -> Result<usize, Error> {
    let filter = OrderFilter { state: Some(state) };
    let mut waiting: Vec<OrderId> = Vec::new();
    let mut cursor = None;
    loop {
        let page = app.orders.orders_list(tenant, &filter, PAGE, cursor.as_ref()).await?;
        let open = page.items.into_iter().filter(|order| order.accounting.state != SyncState::Done);
        waiting.extend(open.map(|order| order.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // Only now: an order that is worked on moves within the list.
    for order in &waiting {
        let nudge = Nudge::order(order.clone());
        let message = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), nudge);
        app.queues.queue_send(QueueName::Accounting, &message).await?;
    }
    Ok(waiting.len())
}

async fn resend_deliveries(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<usize, Error> {
    let mut waiting = Vec::new();
    let mut cursor = None;
    loop {
        let page = app.parking.parked_list(tenant, PAGE, cursor.as_ref()).await?;
        waiting.extend(page.items.into_iter().filter_map(|parked| {
            let hint = parked.details.get(HINT).filter(|_| parked.code == NEEDS_CONSENT)?;
            let hint: PaymentHint = serde_json::from_str(hint).ok()?;
            (hint.provider == *provider).then_some((parked, hint))
        }));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    for (parked, hint) in &waiting {
        let nudge = Nudge::Payment(hint.clone());
        let message = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), nudge);
        app.queues.queue_send(QueueName::Payments, &message).await?;
        // Sent before it is closed: nothing is lost between the two.
        app.parking.parked_close(tenant, &parked.id).await?;
    }
    Ok(waiting.len())
}
