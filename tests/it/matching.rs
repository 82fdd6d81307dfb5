//! Payments and orders that come together late: the order after its payment, or a match that a human makes.

use std::collections::BTreeSet;

use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Clock as _, QueueName, Queues as _};
use bokbro_domain::ids::{OrderId, TransactionId};
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_simulators::viva::Amount;
use bokbro_tests::browser::{correlation, provider};
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

use crate::flows::one_of_each;

async fn is_booked(world: &World, order: &OrderId) {
    let shown = world.show(order).await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?} {:?}", shown.accounting, world.errors);
}

#[tokio::test]
async fn a_payment_that_came_before_its_order_is_matched_when_the_order_comes() {
    let mut world = World::start().await;
    let code = world.checkout(Amount(74_700), "no number");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.parked().await[0].code, "unmatched_payment");
    let mut body = sample();
    body["viva_order_code"] = json!(code.0.to_string());
    let order = world.post(&body).await.unwrap();
    world.settle().await;
    is_booked(&world, &order.id).await;
    assert!(world.parked().await.is_empty());
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn an_order_that_names_a_payment_made_before_is_looked_at_at_once() {
    let mut world = World::start().await;
    let code = world.checkout(Amount(74_700), "no number");
    world.pay(code).await;
    let mut body = sample();
    body["payment_reference"] = json!(world.viva.transactions()[0].transaction_id.to_uppercase());
    let order = world.post(&body).await.unwrap();
    world.settle().await;
    is_booked(&world, &order.id).await;
    one_of_each(&world, "747.00");
}

/// Says by hand that a payment belongs to an order.
async fn match_by_hand(world: &mut World, order: &OrderId, transaction: &str) {
    let nudge = Nudge::Match {
        order: order.clone(),
        provider: provider("viva"),
        transaction: TransactionId::parse(transaction).unwrap(),
    };
    let message = Envelope::new(tenant(), correlation(world), world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Payments, &message).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_payment_matched_by_hand_is_checked_booked_and_leads_to_its_reversal() {
    let mut world = World::start().await;
    let code = world.checkout(Amount(74_700), "no number");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let parked = world.parked().await.remove(0);
    let hint: Value = serde_json::from_str(&parked.details["hint"]).unwrap();
    assert_eq!(hint["event"], json!("paid"), "the delivery can be tried again");
    let transaction = parked.details["transaction"].clone();
    let order = world.post(&sample()).await.unwrap();
    match_by_hand(&mut world, &order.id, &transaction).await;
    is_booked(&world, &order.id).await;
    one_of_each(&world, "747.00");

    let refund = json!({ "transaction_id": transaction, "amount": "100.00", "deliver": false });
    let refund = world.viva.refund(&serde_json::from_value(refund).unwrap()).await.unwrap();
    world.webhook(refund.event.get()).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.state, OrderState::PartiallyRefunded);

    // The same payment cannot be another order's too, and one that the provider does not know is nobody's.
    let mut second = sample();
    second["order_number"] = json!("1753-1002");
    let second = world.post(&second).await.unwrap();
    match_by_hand(&mut world, &second.id, &transaction).await;
    match_by_hand(&mut world, &second.id, "00000000-0000-4000-8000-000000000bad").await;
    // Nor one on another amount.
    let short = world.checkout(Amount(10_000), "no number");
    let short = {
        world.pay(short).await;
        world.viva.transactions().last().unwrap().transaction_id.clone()
    };
    match_by_hand(&mut world, &second.id, &short).await;
    let parked = world.parked().await;
    let codes: BTreeSet<&str> = parked
        .iter()
        .filter(|parked| parked.order.as_ref() == Some(&second.id))
        .map(|parked| parked.code.as_str())
        .collect();
    assert_eq!(codes, ["amount_differs", "transaction_taken", "transaction_unknown"].into());
    assert_eq!(world.show(&second.id).await.state, OrderState::Pending);
    assert_eq!(world.books("invoices").len(), 1);
}
