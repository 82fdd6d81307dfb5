//! Sets going again what waited for a connection: its orders are nudged, deliveries that were parked are sent again.
//!
//! Everything here may be done twice: a nudge that finds its work done does nothing. What is missed here, because the
//! process died say, the next sweep finds.

use std::collections::BTreeSet;

use bokbro_domain::ids::{CorrelationId, OrderId, Provider, Target, TenantId};

use crate::app::App;
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{OpenKind, QueueName};
use crate::records::Parked;
use crate::sweep::{deliveries_resend, hint_of, nudge};

/// Reason code of what waits for a connection.
pub(crate) const NEEDS_CONSENT: &str = "needs_consent";
/// Detail of a parked delivery that holds the delivery itself.
pub(crate) const HINT: &str = "hint";
/// Items read at once.
const PAGE: usize = 200;

/// How much was set going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resumed {
    /// Orders that the books or the warehouse lacked.
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
    let (deliveries, for_a_human) = resend_deliveries(app, tenant, provider, correlation).await?;
    let mut resumed = Resumed { orders: 0, deliveries };
    let settings = app.directory.settings_get(tenant).await?;
    if settings.as_ref().is_some_and(|settings| settings.accounting.as_ref() == Some(provider)) {
        resumed.orders = nudge_orders(app, tenant, Target::Accounting, &for_a_human, correlation).await?;
        nudge_days(app, tenant, correlation).await?;
    }
    if settings.is_some_and(|settings| settings.warehouse.as_ref() == Some(provider)) {
        resumed.orders += nudge_orders(app, tenant, Target::Warehouse, &for_a_human, correlation).await?;
    }
    tracing::info!(
        %tenant, %provider, %correlation,
        orders = resumed.orders, deliveries = resumed.deliveries,
        "connection resumed"
    );
    Ok(resumed)
}

/// Days whose vouchers are due, but for those that wait for a human.
async fn nudge_days(app: &App, tenant: &TenantId, correlation: &CorrelationId) -> Result<(), Error> {
    let (now, mut cursor) = (app.clock.now(), None);
    loop {
        let page = app.days.days_open(tenant, PAGE, cursor.as_ref()).await?;
        let mut due = Vec::new();
        for id in page.items.into_iter().filter(|id| id.due_at() <= now) {
            let Some((day, _)) = app.days.day_load(tenant, &id).await? else { continue };
            let parked = match &day.status.parked {
                Some(parked) => app.parking.parked_get(tenant, parked).await?,
                None => None,
            };
            if parked.is_none_or(|parked| parked.code == NEEDS_CONSENT) {
                due.push(Nudge::day(id));
            }
        }
        nudge(app, tenant, correlation, QueueName::Accounting, due).await?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn nudge_orders(
    app: &App,
    tenant: &TenantId,
    target: Target,
    for_a_human: &BTreeSet<(Target, OrderId)>,
    correlation: &CorrelationId,
) -> Result<usize, Error> {
    let queue = match target {
        Target::Accounting => QueueName::Accounting,
        Target::Warehouse => QueueName::Warehouse,
    };
    let (mut sent, mut cursor) = (0, None);
    loop {
        let page = app.open_work.open_list(tenant, OpenKind::of(target), PAGE, cursor.as_ref()).await?;
        let orders = page.items.into_iter().map(|open| open.order);
        let ours = orders.filter(|order| !for_a_human.contains(&(target, order.clone())));
        let nudges = ours.map(Nudge::order).collect();
        sent += nudge(app, tenant, correlation, queue, nudges).await?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(sent);
        }
    }
}

/// Says how many deliveries were sent, and which orders wait at a target for a human and not for a connection.
async fn resend_deliveries(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<(usize, BTreeSet<(Target, OrderId)>), Error> {
    let (mut sent, mut for_a_human, mut cursor) = (0, BTreeSet::new(), None);
    loop {
        let page = app.parking.parked_list(tenant, PAGE, cursor.as_ref()).await?;
        let (waited, others): (Vec<Parked>, Vec<Parked>) =
            page.items.into_iter().partition(|parked| parked.code == NEEDS_CONSENT);
        for_a_human.extend(others.into_iter().filter_map(|parked| Some((parked.target?, parked.order?))));
        let deliveries = waited.into_iter().filter_map(|parked| hint_of(&parked).map(|hint| (parked, hint)));
        let ours = deliveries.filter(|(_, hint)| hint.provider == *provider).collect();
        sent += deliveries_resend(app, tenant, correlation, ours).await?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok((sent, for_a_human));
        }
    }
}
