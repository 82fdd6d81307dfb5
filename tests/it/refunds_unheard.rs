//! Refunds whose webhook was lost: the hourly sweep has paid orders looked at, less and less often, and the books credit
//! what was given back, once.

use std::collections::BTreeMap;

use bokbro_app::app::Invocation;
use bokbro_app::ports::{Clock as _, Jobs as _, OpenKind, OpenWork as _, QueueName};
use bokbro_app::sweep::tenant_sweep;
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_simulators::viva::Refund;
use bokbro_tests::browser::correlation;
use bokbro_tests::world::{World, sample, tenant};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// An order that was paid and booked, and its transaction at the payment provider.
async fn booked(world: &mut World, number: &str) -> (OrderId, String) {
    let (order, code) = world.order(number, sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?} {:?}", shown.accounting, world.errors);
    let paid = world.viva.transactions().pop().unwrap();
    (order.id, paid.transaction_id)
}

/// Gives money back at the payment provider, all of it without an amount, and nobody hears of it.
async fn give_back(world: &World, transaction: &str, amount: Option<&str>) {
    let wish = json!({ "transaction_id": transaction, "amount": amount, "deliver": false });
    let wish: Refund = serde_json::from_value(wish).unwrap();
    world.viva.refund(&wish).await.unwrap();
}

async fn hours_pass(world: &mut World, hours: u32) {
    for _ in 0..hours {
        world.hour_passes().await;
    }
}

/// Time passes everywhere, without a tick; the books' days pass with it.
fn days_pass(world: &World, days: i64) {
    let time = SignedDuration::from_hours(24 * days);
    world.clock.advance(time.unsigned_abs());
    world.fortnox.clock.advance(time);
    world.viva.kit.clock.advance(time);
}

/// Invoices at the ledger program by the order's id, with which their reference begins: the sale, and its credits.
fn invoices(world: &World) -> BTreeMap<String, Vec<Value>> {
    let mut by_order: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for invoice in world.books("invoices") {
        let reference = invoice["ExternalInvoiceReference1"].as_str().unwrap();
        let order = reference.split_once("-credit-").map_or(reference, |(order, _)| order).to_owned();
        by_order.entry(order).or_default().push(invoice);
    }
    by_order
}

/// Calls to the payment provider so far, tokens left out.
fn calls(world: &World) -> usize {
    world.viva.kit.log.requests().iter().filter(|call| !call.path.contains("/connect/token")).count()
}

async fn awaited(world: &World) -> usize {
    world.store.open_list(&tenant(), OpenKind::Refund, 1_000, None).await.unwrap().items.len()
}

#[tokio::test]
async fn thirty_refunds_of_a_hundred_orders_that_nobody_heard_of_are_credited_once() {
    let mut world = World::start().await;
    let mut orders = Vec::new();
    for number in 1..=100 {
        orders.push(booked(&mut world, &format!("1753-{number}")).await);
    }
    for (nth, (_, transaction)) in orders.iter().enumerate().take(30) {
        let part = (nth % 3 == 0).then_some("100.00");
        give_back(&world, transaction, part).await;
    }
    assert_eq!(awaited(&world).await, 100);
    hours_pass(&mut world, 25).await;
    for (nth, (order, _)) in orders.iter().enumerate() {
        let shown = world.show(order).await;
        let expected = match nth {
            0..30 if nth % 3 == 0 => OrderState::PartiallyRefunded,
            0..30 => OrderState::Refunded,
            _ => OrderState::Paid,
        };
        assert_eq!((shown.state, shown.accounting.state), (expected, SyncState::Done), "order {nth}");
        assert_eq!(shown.accounting.credited, shown.payment.reversed.minor, "order {nth}");
    }
    let credited = |world: &World| {
        let by_order = invoices(world);
        let refunded =
            orders.iter().take(30).filter(|(order, _)| by_order[order.as_str()].len() == 2).count();
        (refunded, world.books("invoices").len(), world.books("invoice_payments").len())
    };
    assert_eq!(credited(&world), (30, 130, 130));
    assert!(world.parked().await.is_empty() && world.dead.is_empty(), "{:?}", world.errors);
    assert_eq!(awaited(&world).await, 80, "what was given back in full has nothing left to give");
    // Looking again and again changes nothing.
    hours_pass(&mut world, 48).await;
    assert_eq!(credited(&world), (30, 130, 130));
}

#[tokio::test]
async fn a_refund_of_a_month_ago_is_found_within_the_week_and_an_order_of_a_year_ago_is_let_go() {
    let mut world = World::start().await;
    let (order, transaction) = booked(&mut world, "1").await;
    let (kept, _) = booked(&mut world, "2").await;
    days_pass(&world, 15);
    give_back(&world, &transaction, None).await;
    // Lost for a week at most: after two weeks orders are looked at once a week.
    hours_pass(&mut world, 7 * 24).await;
    let shown = world.show(&order).await;
    assert_eq!((shown.state, shown.accounting.state), (OrderState::Refunded, SyncState::Done), "{shown:?}");
    assert_eq!(invoices(&world)[order.as_str()].len(), 2);
    assert_eq!(awaited(&world).await, 1);
    days_pass(&world, 350);
    world.hour_passes().await;
    assert_eq!(awaited(&world).await, 0);
    assert_eq!(world.show(&kept).await.state, OrderState::Paid);
    assert_eq!(
        world.store.jobs_list(&tenant(), 1, None).await.unwrap().items[0].counts["refunds_no_longer_awaited"],
        1
    );
}

#[tokio::test]
async fn a_tick_looks_at_what_is_due_and_never_at_all_that_was_ever_paid() {
    let mut world = World::start().await;
    // Sixty orders, half an hour between two.
    for number in 1..=60 {
        booked(&mut world, &number.to_string()).await;
        world.clock.advance(SignedDuration::from_mins(30).unsigned_abs());
    }
    hours_pass(&mut world, 48).await;
    let mut most = 0;
    for _ in 0..24 {
        let before = calls(&world);
        world.hour_passes().await;
        most = most.max(calls(&world) - before);
    }
    // Orders of an hour, one call each, on each of the days that they were made on.
    assert!((1..=4).contains(&most), "{most} calls in one tick");
}

#[tokio::test]
async fn a_payment_that_is_gone_without_a_trace_is_shown_to_a_human_once() {
    let mut world = World::start().await;
    let (order, transaction) = booked(&mut world, "1").await;
    let wish = json!({ "transaction_id": transaction, "deliver": false, "vanish": true });
    world.viva.refund(&serde_json::from_value(wish).unwrap()).await.unwrap();
    hours_pass(&mut world, 72).await;
    let parked = world.parked().await;
    assert_eq!(parked.iter().map(|parked| parked.code.as_str()).collect::<Vec<_>>(), ["reversal_unclear"]);
    assert_eq!(parked[0].order.as_ref(), Some(&order));
    assert_eq!((awaited(&world).await, world.books("invoices").len()), (0, 1));
}

#[tokio::test]
async fn a_long_list_is_reached_to_its_end_however_short_the_runs() {
    let mut world = World::start().await;
    for number in 1..=5 {
        booked(&mut world, &number.to_string()).await;
    }
    world.clock.advance(SignedDuration::from_mins(6 * 60 + 30).unsigned_abs());
    let short = Invocation {
        owner: "sweep".to_owned(),
        deadline: world.clock.now() + SignedDuration::from_secs(1),
        receive: 1,
        place: None,
        correlation: correlation(&world),
    };
    while tenant_sweep(&world.app, &short, &tenant(), None).await.is_err() {}
    assert_eq!(world.queues.len(QueueName::Payments), 5);
}
