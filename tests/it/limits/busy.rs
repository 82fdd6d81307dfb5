//! A provider that takes no more calls, for somebody who waits for an answer and for an order.

use std::time::Duration;

use bokbro_app::connections::connection_health;
use bokbro_app::error::Error;
use bokbro_app::orders::Refusal;
use bokbro_app::ports::{Clock as _, Orders as _};
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_domain::order::SyncState;
use bokbro_simulators::kit::Fault;
use bokbro_tests::world::{World, sample, tenant};

use crate::flows::one_of_each;

/// A ledger program that answers the next call of a kind with 429.
fn limited(world: &World, method: &str, path: &str, seconds: u32) {
    let mut fault = Fault::status(429, method, path);
    fault.retry_after = Some(seconds.to_string());
    world.fortnox.faults.add(fault);
}

#[tokio::test]
async fn whoever_waits_for_an_answer_is_told_when_to_come_back() {
    let world = World::start().await;
    limited(&world, "GET", "/3/companyinformation", 90);
    let fortnox = Provider::parse("fortnox").unwrap();
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let begun = world.clock.now();
    for _ in 0..2 {
        let refused = connection_health(&world.app, &tenant(), &fortnox, &correlation).await;
        let Err(Refusal::Failed(Error::Busy { after, .. })) = refused else {
            panic!("not busy: {refused:?}")
        };
        assert!(after > Duration::from_secs(80), "{after:?}");
    }
    assert_eq!(world.fortnox.log.calls("GET /3/companyinformation"), 1, "the second one was not even sent");
    assert!(world.clock.now().duration_since(begun).as_secs() < 20);
}

#[tokio::test]
async fn an_order_that_meets_the_limit_half_way_is_let_go_and_comes_back_first() {
    let mut world = World::start().await;
    limited(&world, "POST", "/3/invoicepayments", 90);
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    one_of_each(&world, "747.00");
    assert!(world.dead.is_empty());
    let entries = world.store.timeline_list(&tenant(), &order.id, 100, None).await.unwrap().items;
    assert!(entries.iter().all(|entry| !entry.message.contains("no more calls")), "{entries:?}");
}
