//! A warehouse's webhook: it says which order to read, the order at the warehouse says the rest.

use bokbro_domain::ids::{OrderId, OrderNumber, TenantId};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::status::{Told, shipment_tell};
use super::{Opened, open};
use crate::app::{App, Invocation};
use crate::error::Error;
use crate::message::ParcelHint;
use crate::metrics;
use crate::ports::LookUp;

/// How long a delivery is remembered: longer than providers repeat and a dead letter lives.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Handles one delivery.
///
/// # Errors
/// By what happens next.
pub async fn parcel_handle(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    hint: &ParcelHint,
) -> Result<(), Error> {
    let delivery = delivery_id(tenant, hint);
    if let Some(outcome) = app.inbox.delivery_outcome(&delivery, app.clock.now()).await? {
        let provider = &hint.provider;
        tracing::info!(%tenant, %provider, outcome, { metrics::DUPLICATES } = 1, "delivery was dealt with before");
        return Ok(());
    }
    let settings = app.directory.settings_get(tenant).await?;
    if settings.and_then(|settings| settings.warehouse).as_ref() != Some(&hint.provider) {
        tracing::info!(%tenant, provider = %hint.provider, "news of a parcel from a warehouse that is not the tenant's");
        return Ok(());
    }
    let Some((id, number)) = order_of(app, tenant, hint).await? else {
        // Warehouses tell of every order of the goods owner, other shops' too.
        return settle(app, &delivery, "none of our orders").await;
    };
    tracing::Span::current().record("order", tracing::field::display(&id));
    let (warehouse, access) = match open(app, tenant, &hint.provider, invocation.deadline).await {
        Ok(Opened::Ours(warehouse, access)) => (warehouse, access),
        Ok(Opened::Theirs) => return settle(app, &delivery, "another system's parcels").await,
        // The order itself shows that there is no way in; the next poll reads what this would have told.
        Err(error @ Error::Consent { .. }) => {
            tracing::warn!(%tenant, code = error.code(), "news of a parcel cannot be read");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let shipment = match warehouse.shipment(&access, &id, &number).await {
        Ok(Some(shipment)) => shipment,
        Ok(None) => return Ok(()),
        Err(error @ Error::Consent { .. }) => {
            tracing::warn!(%tenant, code = error.code(), "news of a parcel cannot be read");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let told = shipment_tell(app, invocation, tenant, &id, &hint.provider, &shipment).await?;
    tracing::info!(%tenant, order = %id, parcel_status = shipment.status, news = told == Told::News, "parcel read");
    // A status that the warehouse does not show yet may come with the very same delivery once more.
    if hint.status == Some(shipment.status) { settle(app, &delivery, "told").await } else { Ok(()) }
}

async fn order_of(
    app: &App,
    tenant: &TenantId,
    hint: &ParcelHint,
) -> Result<Option<(OrderId, OrderNumber)>, Error> {
    let Ok(number) = OrderNumber::parse(&hint.order_number) else { return Ok(None) };
    let found = app.orders.order_find(tenant, &LookUp::OrderNumber(number.clone())).await?;
    Ok(found.map(|id| (id, number)))
}

async fn settle(app: &App, delivery: &str, outcome: &str) -> Result<(), Error> {
    let until = app.clock.now().saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    app.inbox.delivery_done(delivery, outcome, until).await
}

/// The same delivery has the same id: system, order, status and time, because no number of the delivery's own is known to
/// be one (`apis/viva-ongoing-bank.md` 2.5).
fn delivery_id(tenant: &TenantId, hint: &ParcelHint) -> String {
    let claims = serde_json::to_vec(hint).unwrap_or_default();
    let hash: String = Sha256::digest(&claims).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("parcel#{tenant}#{}#{hash}", hint.provider)
}
