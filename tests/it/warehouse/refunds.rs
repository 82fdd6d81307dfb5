//! Money that was given back stops a parcel that nobody has begun with, and calls a human for one that somebody has.

use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_simulators::ongoing::Work;
use bokbro_tests::world::{World, sample};
use serde_json::json;

use super::{one_parcel, shipped_order};

/// Gives money back, all of it unless an amount is named, and has it all dealt with.
pub(super) async fn refund(world: &mut World, order: &Order, amount: Option<&str>) {
    let transaction = world.show(&order.id).await.payment.transactions[0].to_string();
    let mut wish = json!({"transaction_id": transaction, "deliver": false});
    if let Some(amount) = amount {
        wish["amount"] = json!(amount);
    }
    let wish = serde_json::from_value(wish).unwrap();
    let event = world.viva.refund(&wish).await.unwrap().event.get().to_owned();
    world.webhook(&event).await;
    world.settle().await;
}

fn work(status: u32) -> Work {
    Work { order_number: "1".to_owned(), status, ..Work::default() }
}

async fn codes(world: &World) -> Vec<String> {
    world
        .parked()
        .await
        .into_iter()
        .map(|parked| parked.code)
        .filter(|code| code != "refund_to_book")
        .collect()
}

#[tokio::test]
async fn a_full_refund_before_picking_cancels_the_parcel_order() {
    let mut world = World::shipping().await;
    let shown = shipped_order(&mut world, "1").await;
    refund(&mut world, &shown, None).await;
    let shown = world.show(&shown.id).await;
    assert_eq!(shown.state, OrderState::Refunded);
    assert_eq!(one_parcel(&world, &shown.id).status, 1000);
    assert_eq!((shown.warehouse.state, codes(&world).await), (SyncState::Done, Vec::new()));
    // Again is the same.
    let event = json!({"EventTypeId": 4865, "EventData": {"OrderCode": shown.body.checkout_code.unwrap().0}});
    world.webhook(&event.to_string()).await;
    world.settle().await;
    assert_eq!(world.ongoing.kit.log.calls("DELETE /demo/api/v1/orders/{id}"), 1);
}

#[tokio::test]
async fn a_full_refund_after_picking_has_begun_is_for_a_human() {
    // The first is refused by the warehouse, the second is not even tried.
    for status in [320, 400] {
        let mut world = World::shipping().await;
        let shown = shipped_order(&mut world, "1").await;
        world.staff(&work(status)).await;
        refund(&mut world, &shown, None).await;
        assert_eq!(one_parcel(&world, &shown.id).status, status);
        assert_eq!(codes(&world).await, ["picking_started"], "{status}");
        assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::NeedsAttention);
    }
}

#[tokio::test]
async fn goods_that_come_back_after_they_left_are_no_trouble_here() {
    let mut world = World::shipping().await;
    let shown = shipped_order(&mut world, "1").await;
    world.staff(&work(450)).await;
    refund(&mut world, &shown, None).await;
    assert_eq!(one_parcel(&world, &shown.id).status, 450);
    assert_eq!(
        (world.show(&shown.id).await.warehouse.state, codes(&world).await),
        (SyncState::Done, Vec::new())
    );
    assert_eq!(world.ongoing.kit.log.calls("DELETE /demo/api/v1/orders/{id}"), 0);
}

#[tokio::test]
async fn a_part_given_back_leaves_the_parcel_alone() {
    let mut world = World::shipping().await;
    let shown = shipped_order(&mut world, "1").await;
    refund(&mut world, &shown, Some("100.00")).await;
    assert_eq!(world.show(&shown.id).await.state, OrderState::PartiallyRefunded);
    let parcel = one_parcel(&world, &shown.id);
    assert_eq!((parcel.status, parcel.writes), (200, 1));
}

#[tokio::test]
async fn money_that_came_and_went_before_the_parcel_was_ordered_orders_none() {
    let mut world = World::shipping().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    let transaction = world.viva.transactions()[0].transaction_id.to_string();
    let wish = serde_json::from_value(json!({"transaction_id": transaction, "deliver": false})).unwrap();
    let reversal = world.viva.refund(&wish).await.unwrap().event.get().to_owned();
    world.webhook(&event).await;
    world.webhook(&reversal).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.state, OrderState::Refunded);
    let left = world.parcels().into_iter().filter(|parcel| parcel.status != 1000).count();
    assert_eq!((left, shown.warehouse.state), (0, SyncState::Done));
}
