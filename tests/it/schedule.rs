//! The hourly tick and the keeping alive of consents: everybody whose time has come once, and nobody else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bokbro_app::app::Invocation;
use bokbro_app::connections::{ShownState, connection_disconnect, connections_list};
use bokbro_app::error::Error;
use bokbro_app::memory::MemoryQueues;
use bokbro_app::message::{ConnectionTask, Envelope, Nudge};
use bokbro_app::oauth::Outcome;
use bokbro_app::ports::{Clock as _, Directory as _, Guard, QueueName, Queues, TokenStates as _};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::schedule::{Ticked, schedule_tick};
use bokbro_domain::ids::TenantId;
use bokbro_domain::token::TokenState;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::browser::{come_back, consent, correlation, provider};
use bokbro_tests::world::{World, tenant, tester};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);

/// A world whose ledger program was consented to by a person: it has a refresh token that may lapse.
async fn world() -> World {
    let world = World::start().await;
    let back = consent(&world, &tenant(), false).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    world
}

/// The tick that was due at a time, with so much time to run.
async fn tick(world: &World, due: Timestamp, time: SignedDuration) -> Ticked {
    let invocation = Invocation {
        owner: "tick".to_owned(),
        deadline: world.clock.now() + time,
        receive: 1,
        place: None,
        correlation: correlation(world),
    };
    schedule_tick(&world.app, &invocation, due).await.unwrap()
}

/// The tick of now, with time enough.
async fn tick_now(world: &World) -> Ticked {
    tick(world, world.clock.now(), SignedDuration::from_mins(1)).await
}

async fn version(world: &World) -> u64 {
    world.store.token_state(&tenant(), &provider("fortnox")).await.unwrap().version
}

fn token_calls(world: &World) -> i64 {
    world.fortnox.state()["oauth"]["token_calls"]["refresh_token"].as_i64().unwrap_or(0)
}

async fn shown(world: &World) -> ShownState {
    let all = connections_list(&world.app, &tenant()).await.unwrap();
    all.into_iter().find(|view| view.provider.as_str() == "fortnox").unwrap().state
}

#[tokio::test]
async fn a_connection_that_rested_for_a_week_is_refreshed_once() {
    let mut world = world().await;
    let (first, calls) = (version(&world).await, token_calls(&world));
    world.clock.advance(WEEK - HOUR);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 0, swept: 1 });
    world.clock.advance(HOUR);
    let due = world.clock.now();
    assert_eq!(tick(&world, due, SignedDuration::from_mins(1)).await, Ticked::Done { nudged: 1, swept: 1 });
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(tick(&world, due, SignedDuration::from_mins(1)).await, Ticked::Before);
    // The next tick comes before a worker has had time: a nudge more, and no refresh more.
    world.clock.advance(HOUR);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 1, swept: 1 });
    assert_eq!(world.queues.len(QueueName::Pulls), 11, "two sweeps and a reading a tick, and two refreshes");
    world.settle().await;
    assert_eq!((version(&world).await, token_calls(&world)), (first + 1, calls + 1));
    assert!(world.dead.is_empty() && world.errors.is_empty(), "{:?}", world.errors);
    world.clock.advance(HOUR);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 0, swept: 1 });
}

#[tokio::test]
async fn weekly_refreshes_keep_a_consent_for_longer_than_it_lives_by_itself() {
    let mut world = world().await;
    let first = version(&world).await;
    for week in 1..=10 {
        world.clock.advance(WEEK);
        world.fortnox.clock.advance(SignedDuration::try_from(WEEK).unwrap());
        assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 1, swept: 1 });
        world.settle().await;
        assert_eq!(version(&world).await, first + week);
    }
    assert_eq!(shown(&world).await, ShownState::Healthy);
}

#[tokio::test]
async fn a_consent_that_is_gone_is_shown_and_left_alone() {
    let mut world = world().await;
    world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
    world.clock.advance(WEEK);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 1, swept: 1 });
    world.settle().await;
    assert_eq!(shown(&world).await, ShownState::NeedsConsent);
    assert!(world.dead.is_empty() && world.errors.is_empty(), "{:?}", world.errors);
    let calls = token_calls(&world);
    world.clock.advance(HOUR);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 0, swept: 1 });
    world.settle().await;
    assert_eq!(token_calls(&world), calls);
}

#[tokio::test]
async fn a_provider_that_fails_is_tried_again_by_the_next_tick() {
    let mut world = world().await;
    let first = version(&world).await;
    world.clock.advance(WEEK);
    world.fortnox.faults.add(Fault { times: 2, ..Fault::new(Kind::Status, "POST", "/oauth-v1/token") });
    for version_then in [first, first, first + 1] {
        assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 1, swept: 1 });
        world.settle().await;
        assert_eq!((version(&world).await, shown(&world).await), (version_then, ShownState::Healthy));
        world.clock.advance(HOUR);
    }
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 0, swept: 1 });
    assert!(world.dead.is_empty() && world.errors.is_empty(), "{:?}", world.errors);
}

#[tokio::test]
async fn a_disconnected_connection_is_neither_nudged_nor_refreshed() {
    let mut world = world().await;
    world.clock.advance(WEEK);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 1, swept: 1 });
    let fortnox = provider("fortnox");
    connection_disconnect(&world.app, tester(&tenant(), &correlation(&world)), &fortnox).await.ok().unwrap();
    let calls = token_calls(&world);
    // The nudge comes too late, and one for a connection that never was does nothing either.
    let nudge = Nudge::connection(provider("visma"), ConnectionTask::KeepAlive);
    let message = Envelope::new(tenant(), correlation(&world), world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Pulls, &message).await.unwrap();
    world.settle().await;
    world.clock.advance(HOUR);
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 0, swept: 1 });
    assert_eq!(token_calls(&world), calls);
    assert!(world.dead.is_empty() && world.errors.is_empty(), "{:?}", world.errors);
}

/// Puts connections of so many tenants into the store; says which of them have rested for a week.
async fn merchants(world: &World, count: u32) -> BTreeSet<TenantId> {
    let now = world.clock.now();
    let mut resting = BTreeSet::new();
    for number in 0..count {
        let tenant = TenantId::parse(&format!("merchant-{number:04}")).unwrap();
        // Of five, two rest: one works, one has never had a token, and one was disconnected.
        let (rested, state) = match number % 5 {
            0 | 1 => (Some(SignedDuration::from_hours(7 * 24)), ConnectionState::Healthy),
            2 => (Some(SignedDuration::from_hours(1)), ConnectionState::Healthy),
            3 => (None, ConnectionState::Unchecked),
            _ => (Some(SignedDuration::from_hours(7 * 24)), ConnectionState::Disconnected),
        };
        let to = provider("visma");
        let settings = [].into();
        let connection =
            Connection { tenant: tenant.clone(), provider: to.clone(), state, settings, chart: None };
        world.store.connection_put(&connection).await.unwrap();
        if let Some(rested) = rested {
            let refreshed_at = Some(now - rested);
            let tokens = TokenState { version: 1, refreshed_at, ..TokenState::default() };
            world.store.token_state_put(&tenant, &to, &Guard::Fence(0), &tokens).await.unwrap();
        }
        if number % 5 < 2 {
            resting.insert(tenant);
        }
    }
    resting
}

/// Takes the nudges off the queue: whose connections were nudged and who is swept. Panics when a tenant has two of a kind,
/// or when anybody but the account as a whole has no reading of its registers.
fn nudged(world: &World) -> (BTreeSet<TenantId>, BTreeSet<TenantId>) {
    let (mut nudged, mut swept, mut read) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let keep_alive = Nudge::connection(provider("visma"), ConnectionTask::KeepAlive);
    while let Some(message) = world.queues.take(QueueName::Pulls) {
        let tenants = match &message.nudge {
            nudge if *nudge == keep_alive => &mut nudged,
            Nudge::Sweep { job: None } => &mut swept,
            Nudge::Connection { task: ConnectionTask::Registers, job: None, .. } => &mut read,
            other => panic!("{other:?}"),
        };
        assert!(tenants.insert(message.tenant.clone()), "{} has two nudges", message.tenant);
    }
    assert!(swept.iter().filter(|tenant| tenant.as_str() != "operator").eq(&read));
    (nudged, swept)
}

/// A queue that counts what the real one would be called: ten messages go in one call.
#[derive(Default)]
struct Counted {
    queue: MemoryQueues,
    calls: AtomicUsize,
    messages: AtomicUsize,
}

#[async_trait::async_trait]
impl Queues for Counted {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.queue_send_all(queue, std::slice::from_ref(message)).await
    }

    async fn queue_send_later(
        &self,
        queue: QueueName,
        message: &Envelope,
        _after: Duration,
    ) -> Result<(), Error> {
        self.queue_send(queue, message).await
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        self.calls.fetch_add(messages.len().div_ceil(10), Ordering::Relaxed);
        self.messages.fetch_add(messages.len(), Ordering::Relaxed);
        self.queue.queue_send_all(queue, messages).await
    }

    async fn queue_give_back(&self, queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        self.queue.queue_give_back(queue, receipt, after).await
    }

    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error> {
        self.queue.queue_waiting(queue).await
    }
}

#[tokio::test]
async fn of_a_thousand_connections_those_that_rest_get_one_nudge_each() {
    let world = World::start().await;
    let resting = merchants(&world, 1_000).await;
    assert_eq!(resting.len(), 400);
    // Those with a connection: four of five, and the world's own tenant.
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 400, swept: 801 });
    let (nudged, swept) = nudged(&world);
    assert_eq!(nudged, resting);
    assert_eq!(swept.len(), 802, "and the account as a whole");
}

#[tokio::test]
async fn a_thousand_tenants_are_one_run_and_a_send_for_ten_of_them() {
    let mut world = World::start().await;
    merchants(&world, 1_000).await;
    let counted = Arc::new(Counted::default());
    world.app.queues = counted.clone();
    assert_eq!(tick_now(&world).await, Ticked::Done { nudged: 400, swept: 801 });
    let (calls, messages) = (counted.calls.load(Ordering::Relaxed), counted.messages.load(Ordering::Relaxed));
    assert_eq!(messages, 2_003);
    // Each page of a hundred connections may end with a call that is not full.
    assert!(calls <= messages / 10 + 9, "{calls} calls");
}

#[tokio::test]
async fn a_tick_that_runs_out_of_time_goes_on_where_it_stopped() {
    let world = World::start().await;
    let resting = merchants(&world, 600).await;
    let (due, short) = (world.clock.now(), SignedDuration::from_secs(5));
    let (mut seen, mut swept) = (BTreeSet::new(), BTreeSet::new());
    let mut runs = 0;
    loop {
        runs += 1;
        let ticked = tick(&world, due, short).await;
        let (now, swept_now) = nudged(&world);
        assert!(seen.is_disjoint(&now) && swept.is_disjoint(&swept_now), "a run began anew");
        seen.extend(now);
        swept.extend(swept_now);
        match ticked {
            Ticked::Stopped { .. } => {}
            Ticked::Done { .. } => break,
            Ticked::Before => panic!("the tick was not done yet"),
        }
    }
    assert_eq!((seen, swept.len()), (resting, 482));
    assert!(runs > 2, "{runs} runs had time enough");
    assert_eq!(tick(&world, due, short).await, Ticked::Before);
}
