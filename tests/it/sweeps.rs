//! The hourly sweep: whatever was lost on the way, a webhook, a message, a worker or a consent, is found within the hour.

use std::collections::BTreeSet;
use std::time::Duration;

use bokbro_app::app::Invocation;
use bokbro_app::error::Disposition;
use bokbro_app::orders::{order_cancel, order_sync};
use bokbro_app::ports::{Clock as _, Jobs as _, OpenKind, OpenWork as _, QueueName};
use bokbro_app::records::{Job, JobState, JobTask};
use bokbro_app::sweep::{sweep_ask, tenant_sweep};
use bokbro_app::work::message_handle;
use bokbro_domain::ids::{JobId, OrderId};
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_simulators::kit::{Fault, Kind, http_client};
use bokbro_simulators::viva::{Amount, OrderCode, VivaConfig};
use bokbro_tests::browser::correlation;
use bokbro_tests::world::{World, sample, tenant, tester};
use jiff::SignedDuration;
use serde_json::json;

use crate::flows::one_of_each;

const HOUR: Duration = Duration::from_secs(3_600);

/// Posts an order and has it paid; the webhook is lost.
async fn paid_in_silence(world: &World, number: &str) -> Order {
    let (order, code) = world.order(number, sample()).await;
    world.pay(code).await;
    order
}

/// Jobs of the tenant, newest first, without those that read registers.
async fn jobs(world: &World) -> Vec<Job> {
    let all = world.store.jobs_list(&tenant(), 100, None).await.unwrap().items;
    all.into_iter().filter(|job| !matches!(job.task, JobTask::Registers { .. })).collect()
}

/// How much of something the last sweep did.
async fn counted(world: &World, what: &str) -> u64 {
    let job = jobs(world).await.into_iter().find(|job| job.task == JobTask::Sweep).unwrap();
    assert_eq!(job.state, JobState::Done, "{job:?}");
    job.counts.get(what).copied().unwrap_or(0)
}

async fn open(world: &World, kind: OpenKind) -> usize {
    world.store.open_list(&tenant(), kind, 1_000, None).await.unwrap().items.len()
}

async fn is_booked(world: &World, order: &OrderId) {
    let shown = world.show(order).await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?} {:?}", shown.accounting, world.errors);
}

#[tokio::test]
async fn two_hundred_orders_whose_webhooks_were_all_lost_are_booked_once() {
    let mut world = World::start().await;
    let mut orders = Vec::new();
    for number in 1..=200 {
        orders.push(paid_in_silence(&world, &format!("1753-{number}")).await.id);
    }
    world.settle().await;
    assert!(world.books("invoices").is_empty());
    world.hour_passes().await;
    assert_eq!(counted(&world, "nudged_payments").await, 200);
    for order in &orders {
        is_booked(&world, order).await;
    }
    let booked = |world: &World| {
        let invoices = world.books("invoices");
        let references: BTreeSet<String> =
            invoices.iter().map(|invoice| invoice["ExternalInvoiceReference1"].to_string()).collect();
        (invoices.len(), references.len(), world.books("invoice_payments").len())
    };
    assert_eq!(booked(&world), (200, 200, 200));
    assert!(world.parked().await.is_empty() && world.dead.is_empty(), "{:?}", world.errors);
    // Nothing is open any more, so the next hour has nothing to do.
    assert_eq!((open(&world, OpenKind::Payment).await, open(&world, OpenKind::Accounting).await), (0, 0));
    world.hour_passes().await;
    assert!(jobs(&world).await[0].counts.is_empty());
    assert_eq!(booked(&world), (200, 200, 200));
}

#[tokio::test]
async fn a_nudge_of_the_books_that_was_lost_is_sent_again() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    let hint = world.queues.take(QueueName::Payments).unwrap();
    let invocation = invocation(&world, 60);
    message_handle(&world.app, &invocation, QueueName::Payments, &hint).await.unwrap();
    assert!(world.queues.take(QueueName::Accounting).is_some(), "lost on the way");
    // A minute later it may still be on its way; an hour later it is not.
    world.clock.advance(Duration::from_secs(60));
    world.tick().await;
    world.settle().await;
    assert_eq!(counted(&world, "nudged_accounting").await, 0);
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Waiting);
    world.hour_passes().await;
    assert_eq!(counted(&world, "nudged_accounting").await, 1);
    one_of_each(&world, "747.00");
    world.hour_passes().await;
    assert!(jobs(&world).await[0].counts.is_empty());
}

#[tokio::test]
async fn an_order_that_became_a_dead_letter_is_booked_when_the_books_answer_again() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    world.fortnox.faults.add(Fault { times: 10_000, ..Fault::new(Kind::Status, "GET", "/3/*") });
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.dead.len(), 1);
    world.fortnox.faults.clear();
    world.hour_passes().await;
    is_booked(&world, &order.id).await;
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn what_waits_for_a_human_waits_and_what_waited_for_rights_goes_on() {
    let mut world = World::start().await;
    // Refused for good, and refused for want of a right that somebody gives later.
    let mut refused = Fault::status(400, "POST", "/3/invoices");
    refused.body = Some(r#"{"ErrorInformation":{"error":1,"message":"x","code":2003498}}"#.into());
    world.fortnox.faults.add(refused);
    let for_a_human = paid_in_silence(&world, "1").await;
    world.hour_passes().await;
    let no_right = Fault { times: 2, ..Fault::status(403, "POST", "/3/invoices") };
    world.fortnox.faults.add(no_right);
    let for_a_right = paid_in_silence(&world, "2").await;
    world.hour_passes().await;
    let mut codes: Vec<String> = world.parked().await.into_iter().map(|parked| parked.code).collect();
    codes.sort();
    assert_eq!(codes.len(), 2, "{codes:?}");
    assert!(codes.contains(&"needs_consent".to_owned()), "{codes:?}");
    // The right is not there yet at the first hour: the order is parked once all the same.
    world.hour_passes().await;
    assert_eq!(counted(&world, "released_accounting").await, 1);
    assert_eq!(world.parked().await.len(), 2);
    world.hour_passes().await;
    is_booked(&world, &for_a_right.id).await;
    assert_eq!(world.show(&for_a_human.id).await.accounting.state, SyncState::NeedsAttention);
    let left: Vec<String> = world.parked().await.into_iter().map(|parked| parked.code).collect();
    codes.retain(|code| code != "needs_consent");
    assert_eq!(left, codes, "what the provider said first still stands there");
    world.hour_passes().await;
    assert!(jobs(&world).await[0].counts.is_empty());
}

#[tokio::test]
async fn a_consent_that_has_ended_is_not_asked_again_and_again() {
    let mut world = World::start().await;
    world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
    let order = paid_in_silence(&world, "1").await;
    world.hour_passes().await;
    assert_eq!(world.parked().await[0].code, "needs_consent");
    let calls = world.fortnox.state()["oauth"]["token_calls"].clone();
    world.hour_passes().await;
    assert_eq!(world.fortnox.state()["oauth"]["token_calls"], calls);
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    assert_eq!(counted(&world, "released_accounting").await, 0);
}

#[tokio::test]
async fn deliveries_that_nobody_was_let_in_for_are_looked_at_once_somebody_is() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.viva.kit.faults.add(Fault::status(403, "GET", "/checkout/v2/transactions/{}"));
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.parked().await[0].code, "needs_consent");
    world.hour_passes().await;
    is_booked(&world, &order.id).await;
    assert_eq!(counted(&world, "deliveries_sent_again").await, 1);
    assert!(world.parked().await.is_empty());
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn a_payment_whose_text_names_a_later_order_is_matched_within_the_hour() {
    let mut world = World::start().await;
    let code = world.checkout(Amount(74_700), "Order #1753-9");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    world.hour_passes().await;
    assert_eq!(counted(&world, "deliveries_sent_again").await, 0);
    assert_eq!(world.parked().await.len(), 1);
    // Part of it was given back meanwhile, and that webhook fitted nothing either.
    let transaction = world.viva.transactions()[0].transaction_id.clone();
    let refund = json!({ "transaction_id": transaction, "amount": "100.00", "deliver": false });
    let refund = world.viva.refund(&serde_json::from_value(refund).unwrap()).await.unwrap();
    world.webhook(refund.event.get()).await;
    world.settle().await;
    let mut body = sample();
    body["order_number"] = json!("1753-9");
    let order = world.post(&body).await.unwrap();
    world.hour_passes().await;
    is_booked(&world, &order.id).await;
    assert_eq!(world.show(&order.id).await.state, OrderState::PartiallyRefunded);
    assert!(world.parked().await.is_empty());
    assert_eq!(world.books("invoices").len(), 2, "the sale and its credit");
}

/// Has the shop cancel an order at the provider; the webhook is lost.
async fn cancelled_in_silence(world: &World, code: OrderCode) {
    let account = VivaConfig::default();
    let url = format!("{}/api/orders/{}", world.viva.url, code.0);
    let request = http_client().delete(url).basic_auth(account.merchant_id, Some(account.api_key));
    assert!(request.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn an_order_cancelled_at_the_provider_is_cancelled_here() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    cancelled_in_silence(&world, code).await;
    world.hour_passes().await;
    assert_eq!(world.show(&order.id).await.state, OrderState::Cancelled);
    assert_eq!(open(&world, OpenKind::Payment).await, 0);
    // And one that nobody paid stays as it is.
    let (waiting, _) = world.order("2", sample()).await;
    world.hour_passes().await;
    assert_eq!(world.show(&waiting.id).await.state, OrderState::Pending);
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn orders_that_nobody_pays_are_looked_for_less_and_less_and_then_no_more() {
    let mut world = World::start().await;
    let (order, _) = world.order("1", sample()).await;
    let mut looks = 0;
    for _ in 0..24 {
        world.hour_passes().await;
        looks += counted(&world, "nudged_payments").await;
    }
    assert!((23..=24).contains(&looks), "{looks} looks on the first day");
    for day in 1..30 {
        let mut looks = 0;
        for _ in 0..24 {
            world.hour_passes().await;
            looks += counted(&world, "nudged_payments").await;
        }
        assert!(looks <= 1, "{looks} looks on day {day}");
    }
    world.hour_passes().await;
    world.hour_passes().await;
    assert_eq!(open(&world, OpenKind::Payment).await, 0);
    assert_eq!(world.show(&order.id).await.state, OrderState::Pending);
    // A human may still have it looked at.
    order_sync(&world.app, &tenant(), &order.id, &correlation(&world)).await.unwrap();
    assert_eq!(world.queues.len(QueueName::Payments), 1);
}

#[tokio::test]
async fn without_a_way_in_at_the_payment_provider_nobody_is_nudged() {
    let mut world = World::start().await;
    paid_in_silence(&world, "1").await;
    let viva = bokbro_tests::browser::provider("viva");
    let correlation = correlation(&world);
    bokbro_app::connections::connection_disconnect(&world.app, tester(&tenant(), &correlation), &viva)
        .await
        .ok()
        .unwrap();
    world.hour_passes().await;
    assert_eq!(counted(&world, "nudged_payments").await, 0);
    assert!(world.parked().await.is_empty() && world.dead.is_empty());
}

fn invocation(world: &World, seconds: i64) -> Invocation {
    Invocation {
        owner: "sweep".to_owned(),
        deadline: world.clock.now() + SignedDuration::from_secs(seconds),
        receive: 1,
        place: None,
        correlation: correlation(world),
    }
}

#[tokio::test]
async fn a_sweep_that_runs_out_of_time_reaches_the_end_of_the_list() {
    let mut world = World::start().await;
    for number in 1..=230 {
        let mut body = sample();
        body["order_number"] = json!(format!("1753-{number}"));
        world.post(&body).await.unwrap();
    }
    world.clock.advance(HOUR);
    // Time for one page only, again and again; the same message each time.
    let short = invocation(&world, 5);
    let mut runs = 1;
    while let Err(error) = tenant_sweep(&world.app, &short, &tenant(), None).await {
        assert!(matches!(error.disposition(), Disposition::Later { .. }), "{error}");
        let stored = jobs(&world).await;
        assert_eq!((stored.len(), stored[0].state), (1, JobState::Running));
        runs += 1;
    }
    assert_eq!(runs, 9, "books, three pages of orders, refunds, parcels, days, parked items, jobs");
    assert_eq!(counted(&world, "nudged_payments").await, 230);
    assert_eq!(world.queues.len(QueueName::Payments), 230);
    assert_eq!(jobs(&world).await[0].attempts, 1);
    // The message once more finds the job done.
    tenant_sweep(&world.app, &short, &tenant(), None).await.unwrap();
    assert_eq!(world.queues.len(QueueName::Payments), 230);
    world.settle().await;
}

#[tokio::test]
async fn a_sweep_whose_worker_dies_goes_on_and_tells_of_it() {
    let mut world = World::start().await;
    let order = paid_in_silence(&world, "1").await;
    world.clock.advance(HOUR);
    world.tick().await;
    world.crash.arm(Some(1));
    world.settle().await;
    is_booked(&world, &order.id).await;
    one_of_each(&world, "747.00");
    // Nobody lived to count the nudge of the worker that died; the next one found its work done.
    assert_eq!((jobs(&world).await.len(), counted(&world, "nudged_payments").await), (1, 0));
    assert_eq!(jobs(&world).await[0].attempts, 2);
}

#[tokio::test]
async fn everything_that_is_open_is_looked_at_when_somebody_asks() {
    let mut world = World::start().await;
    // A moment old: the schedule would leave it alone.
    let order = paid_in_silence(&world, "1").await;
    let cancelled = world.order("2", sample()).await.0;
    order_cancel(&world.app, &tenant(), &cancelled.id, &correlation(&world)).await.unwrap();
    let job = sweep_ask(&world.app, &tenant(), "bk_test", &correlation(&world)).await.unwrap();
    assert_eq!((job.state, job.by.as_str()), (JobState::Waiting, "bk_test"));
    world.settle().await;
    is_booked(&world, &order.id).await;
    let done = world.store.job_get(&tenant(), &job.id).await.unwrap().unwrap();
    assert_eq!((done.state, done.counts["nudged_payments"]), (JobState::Done, 1));
    assert!(done.finished_at.is_some());
}

#[tokio::test]
async fn one_order_is_looked_at_when_somebody_asks() {
    let mut world = World::start().await;
    let order = paid_in_silence(&world, "1").await;
    let mut refused = Fault::status(400, "POST", "/3/invoices");
    refused.body = Some(r#"{"ErrorInformation":{"error":1,"message":"x","code":2003498}}"#.into());
    world.fortnox.faults.add(refused);
    let sync = async |world: &mut World| {
        let correlation = correlation(world);
        let shown = order_sync(&world.app, &tenant(), &order.id, &correlation).await.unwrap();
        world.settle().await;
        shown.state
    };
    assert_eq!(sync(&mut world).await, OrderState::Pending);
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    // Paid by now: what was refused is tried again.
    assert_eq!(sync(&mut world).await, OrderState::Paid);
    is_booked(&world, &order.id).await;
    one_of_each(&world, "747.00");
    // Booked: only the payment is looked at, and a refund that no webhook told of comes to light.
    let transaction = world.viva.transactions()[0].transaction_id.clone();
    let refund = json!({ "transaction_id": transaction, "deliver": false });
    world.viva.refund(&serde_json::from_value(refund).unwrap()).await.unwrap();
    sync(&mut world).await;
    assert_eq!(world.show(&order.id).await.state, OrderState::Refunded);
    assert_eq!(world.books("invoices").len(), 2, "the sale and its credit");
}

/// A job as some worker left it.
async fn left(world: &World, task: JobTask, by: &str, state: JobState, attempts: u32) -> JobId {
    let id = JobId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let now = world.clock.now();
    let job = Job {
        id: id.clone(),
        task,
        state,
        by: by.to_owned(),
        reason: None,
        counts: [].into(),
        position: None,
        started_at: now,
        updated_at: now,
        finished_at: None,
        attempts,
        error: None,
        correlation: correlation(world),
    };
    world.store.job_put(&tenant(), &job).await.unwrap();
    id
}

#[tokio::test]
async fn jobs_that_failed_or_got_stuck_are_begun_again() {
    let mut world = World::start().await;
    let replay = || JobTask::Replay {
        queues: vec!["payments".to_owned()],
        ids: None,
        per_second: None,
        everybody: false,
    };
    let stuck = left(&world, JobTask::Sweep, "bk_test", JobState::Running, 1).await;
    let failed = left(&world, JobTask::Sweep, "bk_test", JobState::Failed, 2).await;
    let replay_stuck = left(&world, replay(), "bk_test", JobState::Waiting, 0).await;
    let given_up = left(&world, JobTask::Sweep, "bk_test", JobState::Failed, 5).await;
    let of_the_schedule = left(&world, JobTask::Sweep, "schedule", JobState::Running, 1).await;
    let state =
        async |world: &World, id: &JobId| world.store.job_get(&tenant(), id).await.unwrap().unwrap().state;
    world.hour_passes().await;
    for id in [&stuck, &failed, &replay_stuck] {
        assert_eq!(state(&world, id).await, JobState::Done);
    }
    assert_eq!(state(&world, &given_up).await, JobState::Failed);
    assert_eq!(state(&world, &of_the_schedule).await, JobState::Failed, "the next tick did its work");
    let last = jobs(&world).await.into_iter().find(|job| job.by == "schedule").unwrap();
    assert_eq!(last.counts["jobs_begun_again"], 3);
}
