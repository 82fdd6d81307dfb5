//! The parcel orders at the warehouse against what was paid for and is still wanted.

use std::collections::BTreeSet;

use bokbro_app::ports::{LedgerKey, Ledgers as _};
use bokbro_domain::ids::Target;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_simulators::ongoing::Order as Parcel;
use serde_json::{Value, json};

use super::case::{Case, Got, sku};
use super::verdict::{Posted, Verdict, count, same};
use crate::world::{World, tenant};

/// What an order is parked for whose money is given back while its goods are being packed.
pub(super) const PICKING_STARTED: &str = "picking_started";
/// Status numbers of the simulated warehouse.
const OPEN: u32 = 200;
const CANCELED: u32 = 1000;

/// One parcel order for each order that is wanted, none but canceled ones for the others.
pub(super) async fn parcels(world: &World, case: &Case, posted: &[Posted<'_>]) -> Verdict {
    let all = world.parcels();
    let paid = posted.iter().filter(|one| case.ships && one.is_booked());
    let mut articles: BTreeSet<String> = BTreeSet::new();
    let mut ours = 0;
    for one in paid {
        let id = one.order.id.as_str();
        let of = |parcel: &&Parcel| parcel.members.get("goodsOwnerOrderId") == Some(&json!(id));
        let found: Vec<&Parcel> = all.iter().filter(of).collect();
        ours += found.len();
        let given_back = one.state == OrderState::Refunded && one.got.is_none();
        // Whoever got the money back at once never had a parcel order.
        if !(given_back && found.is_empty()) {
            let why = format!("{:?}", world.show(&one.order.id).await.warehouse);
            count("parcels", found.len(), 1, || why)?;
            let status = if given_back { CANCELED } else { one.got.map_or(OPEN, Got::status) };
            same("status of the parcel order", &found[0].status, &status)?;
            contents(found[0], one)?;
            articles.extend((0..one.buys.goods().len()).map(sku));
        }
        records(world, one).await?;
    }
    count("parcels", all.len(), ours, || "of nobody".to_owned())?;
    let known: BTreeSet<String> =
        world.ongoing.articles().into_iter().map(|article| article.number).collect();
    // Articles go first, and an order may have been given up after them.
    let missing: Vec<&String> = articles.difference(&known).collect();
    same("articles that the warehouse lacks", &missing, &Vec::new())
}

/// What is packed, and under which number.
fn contents(parcel: &Parcel, posted: &Posted<'_>) -> Verdict {
    let number = posted.order.body.order_number.as_str();
    same("number of the parcel order", &parcel.number.as_str(), &number)?;
    let line = |line: &Value| (line["articleNumber"].clone(), line["numberOfItems"].to_string());
    let lines = parcel.members.get("orderLines").and_then(Value::as_array);
    let is: Vec<(Value, String)> = lines.into_iter().flatten().map(line).collect();
    let should = posted.buys.goods().iter().enumerate();
    let should: Vec<(Value, String)> =
        should.map(|(line, (quantity, _, _))| (json!(sku(line)), quantity.to_string())).collect();
    same("lines of the parcel order", &is, &should)
}

/// What Bokbro itself keeps and shows of the parcel.
async fn records(world: &World, posted: &Posted<'_>) -> Verdict {
    let key = LedgerKey { tenant: tenant(), order: posted.order.id.clone(), target: Target::Warehouse };
    let (shown, ledger) = world.store.ledger_load(&key).await.unwrap().unwrap();
    let late = posted.got == Some(Got::Picked) && posted.state == OrderState::Refunded;
    let state = if late { SyncState::NeedsAttention } else { SyncState::Done };
    same("state of its parcel", &shown.warehouse.state, &state)?;
    same("lease of its parcel", &ledger.lease, &None)?;
    let Some(got) = posted.got else { return Ok(()) };
    let told = shown.warehouse.shipment.as_ref().map(|shipment| shipment.status);
    same("what it is told of its parcel", &told, &Some(got.status()))
}
