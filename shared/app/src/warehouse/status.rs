//! What a warehouse tells of an order goes onto the order and its history.
//!
//! Written under the ledger's fence like everything else of the order at this target: a worker that is at the order
//! meanwhile loses nothing, and neither does this.

use bokbro_domain::ids::{OrderId, ParkedId, Provider, TenantId};
use bokbro_domain::order::{Order, PARCEL_ORDER, SyncState, SyncStatus};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use bokbro_domain::shipment::{Shipment, Stage};
use jiff::{SignedDuration, Timestamp};

use super::ledger_key;
use crate::app::{App, Invocation};
use crate::error::Error;
use crate::ports::{Guard, LedgerWrite};
use crate::records::{Parked, TimelineEntry};

/// How often a lost race for the order is run again at once.
const RACES: u32 = 3;
/// When to come back to an order that a worker is at.
const BUSY: SignedDuration = SignedDuration::from_secs(5);

/// What became of telling an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is news, and the order shows it.
    News,
    /// The order shows it already.
    Known,
    /// There is no such order.
    Nobody,
}

/// Lays a shipment at its order; the same again changes nothing.
///
/// # Errors
/// `Later` while a worker is at the order, otherwise by what happens next.
pub(super) async fn shipment_tell(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    provider: &Provider,
    shipment: &Shipment,
) -> Result<Told, Error> {
    let key = ledger_key(tenant, id);
    for _ in 0..RACES {
        let Some((order, ledger)) = app.ledgers.ledger_load(&key).await? else { return Ok(Told::Nobody) };
        if order.warehouse.shipment.as_ref() == Some(shipment) {
            return Ok(Told::Known);
        }
        let now = app.clock.now();
        let mut after = match ledger.take(&invocation.owner, now, now) {
            Ok(taken) => taken,
            Err(held) => {
                let soon = now.saturating_add(BUSY).unwrap_or(Timestamp::MAX);
                return Err(Error::Later { what: "news of a parcel".into(), at: soon.min(held.until) });
            }
        };
        // Taken and given back in one write: a worker that began before it can write nothing any more.
        after.release();
        let (status, entry, parked) = told(app, invocation, &order, provider, shipment);
        let write = LedgerWrite {
            key: &key,
            guard: Guard::Fence(ledger.fence),
            ledger: &after,
            status: Some(&status),
            order_version: None,
            entries: entry.as_slice(),
            parked: parked.as_ref(),
        };
        app.crash.reached("before telling the order of its parcel").await;
        match app.ledgers.ledger_write(write).await {
            Ok(()) => {
                app.crash.reached("after telling the order of its parcel").await;
                return Ok(Told::News);
            }
            Err(Error::Raced { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Err(Error::Raced { step: "telling an order of its parcel" })
}

fn told(
    app: &App,
    invocation: &Invocation,
    order: &Order,
    provider: &Provider,
    shipment: &Shipment,
) -> (SyncStatus, Option<TimelineEntry>, Option<Parked>) {
    let before = order.warehouse.shipment.as_ref();
    let mut status = order.warehouse.clone();
    status.provider = Some(provider.clone());
    status.numbers.insert(PARCEL_ORDER.to_owned(), shipment.order_id.clone());
    status.shipment = Some(shipment.clone());
    let entry = |event: &str, message: Said| {
        Some(app.stamps.entry(&*app.clock, &invocation.correlation, event, message))
    };
    let changed = before.is_none_or(|before| before.status != shipment.status);
    let shipped_before = before.is_some_and(|before| before.stage == Stage::Shipped);
    let entry = match shipment.stage {
        Stage::Shipped if !shipped_before => entry("parcel_shipped", shipped_text(provider, shipment)),
        Stage::Open | Stage::Picking | Stage::Shipped | Stage::Cancelled if changed => {
            entry("parcel_status", {
                let status = shipment.status_text();
                said!("told-status", "{provider}: status {status}", provider, status)
            })
        }
        Stage::Open | Stage::Picking | Stage::Shipped | Stage::Cancelled => None,
    };
    let parked = canceled_there(app, invocation, order, provider, shipment);
    if let Some(parked) = &parked {
        status.state = SyncState::NeedsAttention;
        status.message = Some(parked.message.clone());
        status.parked = Some(parked.id.clone());
    }
    (status, entry, parked)
}

/// A paid order whose parcel was canceled, and not by us, is for people.
fn canceled_there(
    app: &App,
    invocation: &Invocation,
    order: &Order,
    provider: &Provider,
    shipment: &Shipment,
) -> Option<Parked> {
    use bokbro_domain::order::OrderState::{Cancelled, Paid, PartiallyRefunded, Pending, Refunded};
    match order.state {
        Paid | PartiallyRefunded if shipment.stage == Stage::Cancelled => {}
        Paid | PartiallyRefunded | Pending | Cancelled | Refunded => return None,
    }
    Some(Parked {
        id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
        at: app.clock.now(),
        code: "parcel_canceled".to_owned(),
        message: said!(
            "parked-parcel-canceled",
            "The order is paid, but its parcel was canceled at the warehouse. Refund the order, or have it sent by hand."
        ),
        fingerprint: format!("warehouse:{}:parcel_canceled", order.id),
        order: Some(order.id.clone()),
        target: Some(bokbro_domain::ids::Target::Warehouse),
        details: [("provider".to_owned(), provider.to_string())].into(),
        correlation: invocation.correlation.clone(),
    })
}

/// `warehouse: shipped as 3735, 3736: 2/2 OIL-30`.
fn shipped_text(provider: &Provider, shipment: &Shipment) -> Said {
    let numbers: Vec<&str> = shipment.parcels.iter().map(|parcel| parcel.number.as_str()).collect();
    let lines: Vec<String> = shipment
        .lines
        .iter()
        .map(|line| format!("{}/{} {}", line.picked.normalize(), line.ordered.normalize(), line.sku))
        .collect();
    let (numbers, lines) = (numbers.join(", "), lines.join(", "));
    if numbers.is_empty() {
        return said!("told-shipped", "{provider}: shipped: {lines}", provider, lines);
    }
    said!("told-shipped-as", "{provider}: shipped as {numbers}: {lines}", provider, numbers, lines)
}
