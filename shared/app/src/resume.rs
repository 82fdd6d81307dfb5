//! Sets going again what waited for a connection: its orders are nudged, deliveries that were parked are sent again.
//!
//! Everything here may be done twice: a nudge that finds its work done does nothing. What is missed here, because the
//! process died say, the next sweep finds.

use bokbro_domain::ids::{CorrelationId, Provider, TenantId};

use crate::app::App;
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{OpenKind, QueueName};
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
        resumed.orders = nudge_orders(app, tenant, correlation).await?;
    }
    resumed.deliveries = resend_deliveries(app, tenant, provider, correlation).await?;
    tracing::info!(
        %tenant, %provider, %correlation,
        orders = resumed.orders, deliveries = resumed.deliveries,
        "connection resumed"
    );
    Ok(resumed)
}

async fn nudge_orders(app: &App, tenant: &TenantId, correlation: &CorrelationId) -> Result<usize, Error> {
    let (mut sent, mut cursor) = (0, None);
    loop {
        let page = app.open_work.open_list(tenant, OpenKind::Accounting, PAGE, cursor.as_ref()).await?;
        let nudges = page.items.into_iter().map(|open| Nudge::order(open.order)).collect();
        sent += nudge(app, tenant, correlation, QueueName::Accounting, nudges).await?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(sent);
        }
    }
}

async fn resend_deliveries(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<usize, Error> {
    let (mut sent, mut cursor) = (0, None);
    loop {
        let page = app.parking.parked_list(tenant, PAGE, cursor.as_ref()).await?;
        let waited = page.items.into_iter().filter(|parked| parked.code == NEEDS_CONSENT);
        let deliveries = waited.filter_map(|parked| hint_of(&parked).map(|hint| (parked, hint)));
        let ours = deliveries.filter(|(_, hint)| hint.provider == *provider).collect();
        sent += deliveries_resend(app, tenant, correlation, ours).await?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(sent);
        }
    }
}
