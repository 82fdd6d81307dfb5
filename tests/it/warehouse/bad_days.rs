//! A worker that dies between any two steps, and a warehouse that has any bad day: one parcel order.

use bokbro_domain::order::SyncState;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::ongoing::ErrorBody;
use bokbro_tests::world::{World, sample};
use serde_json::json;

use super::{one_parcel, shipped_order};
use crate::crash_points::bad_answers;

/// Runs the main job with a worker dying at the n-th crash point; gives the points of the dying run.
async fn run(die_at: Option<usize>) -> Vec<String> {
    let mut world = World::shipping().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.crash.arm(die_at);
    world.webhook(&event).await;
    world.settle().await;
    let points = world.crash.passed();
    let died = die_at.and_then(|n| points.get(n).cloned()).unwrap_or_default();
    let shown = world.show(&order.id).await;
    for sync in [&shown.warehouse, &shown.accounting] {
        assert_eq!(sync.state, SyncState::Done, "died {died}: {sync:?} {:?}", world.parked().await);
    }
    assert!(world.dead.is_empty(), "died {died}");
    one_parcel(&world, &order.id);
    crate::flows::one_of_each(&world, "747.00");
    points
}

#[tokio::test]
async fn a_parcel_order_survives_a_death_at_every_point() {
    let points = run(None).await;
    for wanted in [
        "after nudging the warehouse",
        "after taking the turn",
        "before send of articles",
        "after send of articles",
        "before look-up of order",
        "before send of order",
        "after send of order",
        "after write of completion",
    ] {
        assert!(points.iter().any(|point| point == wanted), "no crash point {wanted:?} in {points:?}");
    }
    for (nth, point) in points.iter().enumerate() {
        let passed = run(Some(nth)).await;
        assert_eq!(passed.get(nth), Some(point), "the run is the same up to its death");
    }
}

#[tokio::test]
async fn every_bad_answer_to_every_write_leaves_one_parcel_order() {
    for (method, path) in [("PUT", "/demo/api/v1/articles"), ("PUT", "/demo/api/v1/orders")] {
        for (name, fault) in bad_answers(method, path) {
            for times in [1, 2] {
                let mut world = World::shipping().await;
                world.ongoing.kit.faults.add(fault.clone().times(times));
                let shown = shipped_order(&mut world, "1").await;
                let case = format!("{name} x {times} at {method} {path}: {:?}", shown.warehouse);
                if name == "401" {
                    // There is no token to renew: user and password are refused until a human comes.
                    assert_eq!(shown.warehouse.state, SyncState::NeedsAttention, "{case}");
                    for _ in 0..times {
                        world.hour_passes().await;
                    }
                    assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::Done, "{case}");
                } else {
                    assert_eq!(shown.warehouse.state, SyncState::Done, "{case}");
                }
                one_parcel(&world, &shown.id);
            }
        }
    }
}

#[tokio::test]
async fn every_bad_answer_to_a_cancellation_leaves_the_order_canceled() {
    for (name, fault) in bad_answers("DELETE", "/demo/api/v1/orders/{}") {
        let mut world = World::shipping().await;
        let shown = shipped_order(&mut world, "1").await;
        world.ongoing.kit.faults.add(fault);
        super::refunds::refund(&mut world, &shown, None).await;
        if name == "401" {
            world.hour_passes().await;
        }
        let parcel = one_parcel(&world, &shown.id);
        assert_eq!(parcel.status, 1000, "{name}: {:?}", world.show(&shown.id).await.warehouse);
        assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::Done, "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_ids_is_made_up_for_by_a_look() {
    let mut world = World::shipping().await;
    world.ongoing.switch(|switches| switches.null_ids = true);
    let shown = shipped_order(&mut world, "1").await;
    let parcel = one_parcel(&world, &shown.id);
    assert_eq!(shown.warehouse.numbers["order_id"], parcel.id.to_string());
    assert_eq!(parcel.writes, 1);
}

#[tokio::test]
async fn a_refusal_waits_for_a_human_whatever_its_body_looks_like() {
    for body in [ErrorBody::Message, ErrorBody::Text, ErrorBody::Html, ErrorBody::Empty] {
        let mut world = World::shipping().await;
        world.ongoing.switch(|switches| switches.error_body = body);
        let mut fault = Fault::new(Kind::Body, "PUT", "/demo/api/v1/orders");
        (fault.status, fault.body) = (Some(400), Some("no".into()));
        world.ongoing.kit.faults.add(fault);
        let shown = shipped_order(&mut world, "1").await;
        assert_eq!(shown.warehouse.state, SyncState::NeedsAttention, "{body:?}: {:?}", shown.warehouse);
        let parked = world.parked().await;
        assert_eq!(parked.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["ongoing_400"], "{body:?}");
        assert!(world.parcels().is_empty());
        // The cause is lifted, and a human says so, later.
        world.clock.advance(std::time::Duration::from_secs(60));
        let nudge = bokbro_app::parked::Answer::Retry;
        let correlation = bokbro_tests::browser::correlation(&world);
        bokbro_app::parked::parked_resolve(
            &world.app,
            &bokbro_tests::world::tenant(),
            "test",
            &parked[0].id,
            &nudge,
            None,
            &correlation,
        )
        .await
        .unwrap();
        world.settle().await;
        assert_eq!(world.show(&shown.id).await.warehouse.state, SyncState::Done, "{body:?}");
        assert_eq!(one_parcel(&world, &shown.id).members["orderNumber"], json!("1"));
    }
}
