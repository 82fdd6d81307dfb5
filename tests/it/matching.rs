//! Payments and orders that come together late: the order after its payment, or a match that a human makes.

use std::collections::BTreeSet;

use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Clock as _, Parking as _, QueueName, Queues as _};
use bokbro_domain::ids::{OrderId, TransactionId};
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_simulators::viva::{Amount, Pay, Refund};
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
    assert_eq!(world.books("invoices").len(), 2, "the sale and its credit");
}

/// Posts an order that was paid with too little; the webhook is lost.
async fn paid_short(world: &World) -> OrderId {
    let (order, code) = world.order("1", sample()).await;
    let pay = Pay { amount: Some(Amount(74_699)), deliver: false, ..Pay::new(code) };
    world.viva.pay(&pay).await.unwrap();
    order.id
}

async fn codes(world: &World) -> Vec<String> {
    let mut codes: Vec<String> = world.parked().await.into_iter().map(|parked| parked.code).collect();
    codes.sort();
    codes
}

#[tokio::test]
async fn a_difference_that_a_human_has_seen_to_is_not_parked_every_hour() {
    let mut world = World::start().await;
    let order = paid_short(&world).await;
    for _ in 0..2 {
        world.hour_passes().await;
        assert_eq!(codes(&world).await, ["amount_differs"]);
    }
    let seen = world.parked().await.remove(0).id;
    world.store.parked_close(&tenant(), &seen).await.unwrap();
    world.hour_passes().await;
    assert!(codes(&world).await.is_empty());
    // Whoever insists is told again.
    let nudge = Nudge::Order { order, insist: true, told: None };
    let message = Envelope::new(tenant(), correlation(&world), world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Payments, &message).await.unwrap();
    world.settle().await;
    assert_eq!(codes(&world).await, ["amount_differs"]);
}

#[tokio::test]
async fn a_difference_is_parked_once_wherever_the_worker_dies() {
    let mut world = World::start().await;
    paid_short(&world).await;
    world.crash.arm(None);
    world.hour_passes().await;
    let points = world.crash.passed();
    assert!(points.iter().any(|point| point == "after recording the payment"), "{points:?}");
    for (nth, point) in points.iter().enumerate() {
        let mut world = World::start().await;
        paid_short(&world).await;
        world.crash.arm(Some(nth));
        world.hour_passes().await;
        assert_eq!(codes(&world).await, ["amount_differs"], "died at {point}");
    }
}

#[tokio::test]
async fn a_payment_that_was_reversed_and_is_gone_is_told_of_alike_whichever_webhook_comes_first() {
    for reversed_first in [false, true] {
        let mut world = World::start().await;
        let (order, code) = world.order("1", sample()).await;
        let paid = world.pay(code).await;
        let refund = Refund {
            vanish: true,
            deliver: false,
            ..Refund::new(&world.viva.transactions()[0].transaction_id)
        };
        let reversed = world.viva.refund(&refund).await.unwrap().event.get().to_owned();
        let events = if reversed_first { [&reversed, &paid] } else { [&paid, &reversed] };
        for event in events {
            world.webhook(event).await;
            world.settle().await;
        }
        assert_eq!(codes(&world).await, ["reversal_unclear", "transaction_unknown"]);
        assert_eq!(world.show(&order.id).await.state, OrderState::Pending);
        world.hour_passes().await;
        assert_eq!(codes(&world).await, ["reversal_unclear", "transaction_unknown"]);
        assert!(world.books("invoices").is_empty() && world.dead.is_empty());
    }
}

/// An invented payment must not keep a worker from the true ones: it waits for the payment to show itself once, when the
/// message is new, and leaves later waits to the queue.
#[tokio::test]
async fn an_invented_payment_is_waited_for_in_the_queue_and_not_by_a_worker() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    let mut invented: Value = serde_json::from_str(&event).unwrap();
    invented["EventData"]["TransactionId"] = json!("00000000-0000-4000-8000-000000000bad");
    world.webhook(&invented.to_string()).await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["transaction_unknown"]);
    // Three looks at once, and one after each of three back-offs.
    assert_eq!(world.viva.kit.log.calls("GET /checkout/v2/transactions/{id}"), 6);
    assert_eq!(world.show(&order.id).await.state, OrderState::Pending);
}
