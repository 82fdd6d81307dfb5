//! Books and parcels do not wait for each other, and both come to their end once the other side is back.

use bokbro_domain::order::SyncState;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::{World, sample};

use super::{one_parcel, shipped_order};
use crate::flows::one_of_each;

const FOR_EVER: u32 = 1_000_000;

#[tokio::test]
async fn parcels_leave_while_the_ledger_program_is_down() {
    let mut world = World::shipping().await;
    for method in ["GET", "POST", "PUT"] {
        world.fortnox.faults.add(Fault::status(503, method, "/3/*").times(FOR_EVER));
    }
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.warehouse.state, SyncState::Done, "{:?}", shown.warehouse);
    assert_ne!(shown.accounting.state, SyncState::Done);
    assert_eq!(one_parcel(&world, &order.id).writes, 1);
    assert!(world.books("invoices").is_empty());
    world.fortnox.faults.clear();
    world.hour_passes().await;
    one_of_each(&world, "747.00");
    assert_eq!(one_parcel(&world, &order.id).writes, 1);
}

#[tokio::test]
async fn books_close_while_the_warehouse_is_down() {
    let mut world = World::shipping().await;
    world.ongoing.kit.faults.add(Fault::new(Kind::Reset, "GET", "/demo/api/v1/*").times(FOR_EVER));
    world.ongoing.kit.faults.add(Fault::new(Kind::Reset, "PUT", "/demo/api/v1/*").times(FOR_EVER));
    let shown = shipped_order(&mut world, "1").await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?}", shown.accounting);
    assert_eq!(shown.warehouse.state, SyncState::Retrying, "{:?}", shown.warehouse);
    one_of_each(&world, "747.00");
    assert!(world.parcels().is_empty());
    world.ongoing.kit.faults.clear();
    world.hour_passes().await;
    assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::Done);
    assert_eq!(one_parcel(&world, &shown.id).writes, 1);
}

#[tokio::test]
async fn refused_credentials_wait_for_a_human_and_are_released_when_they_work_again() {
    let mut world = World::shipping().await;
    for method in ["GET", "PUT"] {
        world.ongoing.kit.faults.add(Fault::status(401, method, "/demo/api/v1/*").times(FOR_EVER));
    }
    let shown = shipped_order(&mut world, "1").await;
    assert_eq!(shown.warehouse.state, SyncState::NeedsAttention, "{:?}", shown.warehouse);
    assert_eq!(world.parked().await[0].code, "needs_consent");
    world.ongoing.kit.faults.clear();
    world.hour_passes().await;
    assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::Done);
    one_parcel(&world, &shown.id);
    assert!(world.parked().await.is_empty());
}
