//! One writer at a time per goods owner: the warehouse times parallel writes out.

use bokbro_app::error::{Disposition, Error};
use bokbro_app::ports::{Clock as _, QueueName, Turns as _};
use bokbro_domain::order::SyncState;
use bokbro_tests::world::{World, sample};
use jiff::SignedDuration;

use super::one_parcel;

const ORDERS: usize = 12;

#[tokio::test]
async fn workers_that_run_at_once_never_write_at_once() {
    let mut world = World::shipping().await;
    // Writes take a while, so that two at once would meet.
    world.ongoing.switch(|switches| switches.write_ms = 20);
    let mut orders = Vec::new();
    for number in 0..ORDERS {
        let (order, code) = world.order(&format!("N-{number}"), sample()).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        orders.push(order.id);
    }
    // The payments are read first, one by one; the nudges for the warehouse wait for the workers below.
    while let Some(message) = world.queues.take(QueueName::Payments) {
        let invocation = bokbro_app::app::Invocation {
            owner: "payments".to_owned(),
            deadline: world.clock.now() + SignedDuration::from_secs(60),
            receive: 1,
            place: None,
            correlation: message.correlation.clone(),
        };
        bokbro_app::work::message_handle(&world.app, &invocation, QueueName::Payments, &message)
            .await
            .unwrap();
    }
    assert_eq!(world.queues.len(QueueName::Warehouse), ORDERS);
    let waited = world.ship_at_once().await;
    assert!(waited > 0, "nobody had to wait, so nothing was shown");
    assert_eq!((world.ongoing.collisions(), world.parcels().len()), (0, ORDERS));
    for id in &orders {
        let status = world.show(id).await.warehouse;
        assert_eq!(status.state, SyncState::Done, "{status:?}");
    }
    world.settle().await;
    assert_eq!((world.ongoing.collisions(), world.parcels().len()), (0, ORDERS));
}

#[tokio::test]
async fn waiting_for_a_turn_is_no_failure_and_a_dead_owner_s_turn_ends() {
    let mut world = World::shipping().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    let (now, dead) = (world.clock.now(), SignedDuration::from_mins(10));
    world.store.turn_take("ongoing#demo#159", "a dead worker", now, now + dead).await.unwrap();
    world.settle().await;
    // It was asked for every few seconds for ten minutes, far more often than a message may be received.
    let waits = world.errors.iter().filter(|error| error.contains("wait for its turn")).count();
    assert!(waits > 50, "{waits}");
    assert!(world.dead.is_empty());
    assert!(world.clock.now().duration_since(now) >= dead);
    assert_eq!(world.show(&order.id).await.warehouse.state, SyncState::Done);
    one_parcel(&world, &order.id);
}

#[test]
fn a_turn_that_is_taken_sends_the_message_anew() {
    let at = "2026-11-20T12:00:00Z".parse().unwrap();
    let error = Error::Later { what: "a write at the warehouse".into(), at };
    assert_eq!(error.disposition(), Disposition::Later { at });
}
