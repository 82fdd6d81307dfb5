//! Orders as the bench needs them: stored through the use cases, paid without a payment provider, many at once.

use anyhow::{Result, anyhow};
use bokbro_app::orders::{Posted, order_post};
use bokbro_app::ports::{Directory as _, Orders as _};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_domain::ids::{CorrelationId, Provider, TenantId};
use bokbro_domain::order::{Order, OrderState};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::Bed;
use crate::api::sample_order;
use crate::stack::seed::TENANT;

/// Stores an order that is paid, of a customer that is the same for all of them.
///
/// # Errors
/// When the table refuses.
pub(super) async fn order(bed: &Bed<'_>, number: &str) -> Result<Order> {
    let inside = bed.stack.inside();
    let app = &inside.app;
    let tenant = TenantId::parse(TENANT)?;
    let correlation = CorrelationId::from_ulid(app.stamps.ulid(&*app.clock));
    let mut body = sample_order(number, "asa@example.se", 0);
    body["viva_order_code"] = Value::Null;
    let posted = order_post(app, &tenant, None, &correlation, body.to_string().as_bytes()).await;
    let (Posted::Created(mut order) | Posted::Repeated(mut order)) =
        posted.map_err(|refusal| anyhow!("{refusal:?}"))?;
    order.state = OrderState::Paid;
    order.payment.captured = order.body.total;
    order.payment.paid_at = Some(app.clock.now());
    order.version += 1;
    inside.hub.order_update(&order, &[], &[]).await?;
    Ok(order)
}

/// The message that asks a worker to look at it.
pub(super) fn nudge(order: &Order) -> Value {
    json!({ "v": 1, "tenant": TENANT, "correlation": "01KAFQ3C5E0000000000000000", "sent_at": "2026-11-20T10:00:00Z",
            "nudge": { "kind": "order", "order": order.id } })
}

/// Stores so many orders, some at a time, numbered from `first` on.
///
/// # Errors
/// When the table refuses one.
pub(super) async fn orders(bed: &Bed<'_>, first: usize, count: usize) -> Result<()> {
    for portion in (first..first + count).collect::<Vec<_>>().chunks(16) {
        try_join_all(portion.iter().map(|number| async move { order(bed, &format!("g-{number}")).await }))
            .await?;
    }
    Ok(())
}

/// Stores so many tenants with a connection to a ledger program and one to a payment provider, numbered from `first` on.
///
/// # Errors
/// When the table refuses one.
pub(super) async fn tenants(bed: &Bed<'_>, first: usize, count: usize) -> Result<()> {
    let hub = &bed.stack.inside().hub;
    for portion in (first..first + count).collect::<Vec<_>>().chunks(16) {
        try_join_all(portion.iter().map(|number| async move {
            for provider in ["fortnox", "viva"] {
                let connection = Connection {
                    tenant: TenantId::parse(&format!("tenant-{number}"))?,
                    provider: Provider::parse(provider)?,
                    state: ConnectionState::Healthy,
                    settings: [].into(),
                    chart: None,
                };
                hub.connection_put(&connection).await?;
            }
            anyhow::Ok(())
        }))
        .await?;
    }
    Ok(())
}
