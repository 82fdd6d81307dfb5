//! Dead letters: looked at without a trace, sent again without one lost or done twice, wherever the worker dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::app::Invocation;
use bokbro_app::dead_letters::dead_letters_list;
use bokbro_app::error::Error;
use bokbro_app::memory::MemoryQueues;
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Audits as _, Clock as _, DeadLetter, DeadLetters, Jobs as _, Moving, QueueName};
use bokbro_app::records::{Job, JobState};
use bokbro_app::replay::{Asked, Asker, replay_ask, replay_invoke, replay_run};
use bokbro_domain::ids::{CorrelationId, OrderId, TenantId};
use bokbro_domain::order::SyncState;
use bokbro_tests::browser::correlation;
use bokbro_tests::world::{World, sample, tenant};
use jiff::SignedDuration;

const ACCOUNTING: QueueName = QueueName::Accounting;

fn named(tenant: &str) -> TenantId {
    TenantId::parse(tenant).unwrap()
}

/// A nudge for an order, of a correlation of its own.
fn nudge(world: &World, tenant: &TenantId, order: &OrderId) -> Envelope {
    Envelope::new(tenant.clone(), correlation(world), world.clock.now(), Nudge::order(order.clone()))
}

/// Dead letters of a tenant that ask for orders which nobody knows; gives their ids, oldest first.
fn bury(world: &World, whose: &str, count: usize) -> Vec<String> {
    let order = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let bury = |_| {
        world.clock.advance(Duration::from_secs(1));
        world.queues.bury(ACCOUNTING, &nudge(world, &named(whose), &order).to_json())
    };
    (0..count).map(bury).collect()
}

fn all() -> Asked {
    Asked { queues: QueueName::ALL.into(), ids: None, reason: "It works again.".to_owned(), per_second: None }
}

async fn ask(world: &World, asked: &Asked) -> Job {
    let (tenant, correlation) = (tenant(), correlation(world));
    let asker = Asker { tenant: Some(&tenant), who: "bk_test", correlation: &correlation };
    replay_ask(&world.app, asker, asked).await.unwrap()
}

async fn job(world: &World, of: &Job) -> Job {
    world.store.job_get(&tenant(), &of.id).await.unwrap().unwrap()
}

fn counted(job: &Job, name: &str) -> u64 {
    job.counts.get(name).copied().unwrap_or(0)
}

/// One invocation of the worker.
async fn portion(world: &World, job: &Job, receive: u32, time: SignedDuration) -> Result<(), Error> {
    let invocation = Invocation {
        owner: "replay".to_owned(),
        deadline: world.clock.now() + time,
        receive,
        place: None,
        correlation: correlation(world),
    };
    replay_run(&world.app, &invocation, &tenant(), &job.id).await
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Takes every nudge off a queue; gives what tells them apart.
fn drained(world: &World, queue: QueueName) -> Vec<CorrelationId> {
    std::iter::from_fn(|| world.queues.take(queue)).map(|message| message.correlation).collect()
}

/// Three booked orders whose nudges are dead letters five times over, two paid ones of which only dead letters tell, and
/// between them what is none of the tenant's business. The worker dies at a point of those that it passes.
async fn run(die_at: Option<usize>) -> (World, Vec<String>) {
    let mut world = World::start().await;
    let mut orders = Vec::new();
    for number in 1..=3 {
        let (order, code) = world.order(&number.to_string(), sample()).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        orders.push(order);
    }
    world.settle().await;
    for order in orders.clone().iter().cycle().take(15) {
        world.queues.bury(ACCOUNTING, &nudge(&world, &tenant(), &order.id).to_json());
    }
    world.queues.bury(ACCOUNTING, &nudge(&world, &named("other"), &orders[0].id).to_json());
    world.queues.bury(ACCOUNTING, "not ours");
    for number in 4..=5 {
        let (order, code) = world.order(&number.to_string(), sample()).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        let hint = world.queues.take(QueueName::Payments).unwrap();
        world.queues.bury(QueueName::Payments, &hint.to_json());
        orders.push(order);
    }
    assert_eq!(world.books("invoices").len(), 3);

    let asked = ask(&world, &all()).await;
    world.crash.arm(die_at);
    world.settle().await;
    let points = world.crash.passed();
    let died = die_at.and_then(|nth| points.get(nth).cloned()).unwrap_or_default();

    let job = job(&world, &asked).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Done, None), "died {died}: {job:?}");
    // A worker that dies leaves its last batch uncounted, or sends it once more.
    let replayed = counted(&job, "replayed");
    let expected = if die_at.is_some() { 7..=27 } else { 17..=17 };
    assert!(expected.contains(&replayed), "died {died}: {job:?}");
    assert_eq!(
        (world.queues.dead(QueueName::Payments), world.queues.dead(ACCOUNTING)),
        (0, 2),
        "died {died}"
    );
    for order in &orders {
        assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "died {died}");
    }
    let references: Vec<String> = world
        .books("invoices")
        .iter()
        .map(|invoice| invoice["ExternalInvoiceReference1"].as_str().unwrap().to_owned())
        .collect();
    let distinct: BTreeSet<&String> = references.iter().collect();
    assert_eq!((references.len(), distinct.len()), (5, 5), "died {died}: {references:?}");
    assert_eq!(world.books("invoice_payments").len(), 5, "died {died}");
    assert!(world.dead.is_empty() && world.parked().await.is_empty(), "died {died}");
    (world, points)
}

#[tokio::test]
async fn a_replay_survives_a_death_at_every_point() {
    let (_, points) = run(None).await;
    let own = |point: &String| point.contains("dead letters") || point.contains("replay");
    let places: BTreeSet<&String> = points.iter().filter(|point| own(point)).collect();
    assert_eq!(places.len(), 4, "{places:?}");
    for nth in (0..points.len()).filter(|nth| own(&points[*nth])) {
        let (_, passed) = run(Some(nth)).await;
        assert_eq!(passed[nth], points[nth], "the run is the same up to its death");
    }
}

#[tokio::test]
async fn a_look_leaves_everything_as_it_was() {
    let world = World::start().await;
    let mine = bury(&world, "demo", 25);
    bury(&world, "other", 3);
    world.queues.bury(QueueName::Pulls, "not ours");
    for _ in 0..2 {
        let listed = dead_letters_list(&world.app, &tenant(), &QueueName::ALL, 100).await.unwrap();
        let ids: Vec<&String> = listed.items.iter().map(|(_, letter)| &letter.id).collect();
        assert_eq!((ids, listed.truncated), (mine.iter().rev().collect(), false));
    }
    let few = dead_letters_list(&world.app, &tenant(), &[ACCOUNTING], 7).await.unwrap();
    assert_eq!((few.items.len(), few.truncated), (7, true));
    let exactly = dead_letters_list(&world.app, &tenant(), &[ACCOUNTING], 25).await.unwrap();
    assert_eq!((exactly.items.len(), exactly.truncated), (25, false));
    // What does not say whose it is belongs to the operator.
    let operators = dead_letters_list(&world.app, &named("operator"), &QueueName::ALL, 100).await.unwrap();
    let [(queue, letter)] = &operators.items[..] else { panic!("{} items", operators.items.len()) };
    assert_eq!((*queue, letter.message.is_err()), (QueueName::Pulls, true));
    for queue in QueueName::ALL {
        assert_eq!(world.app.dead_letters.dead_letters_hidden(queue).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn chosen_ones_are_sent_and_the_rest_stays() {
    let mut world = World::start().await;
    let mine = bury(&world, "demo", 12);
    let others = bury(&world, "other", 1);
    // One of them is somebody else's, and one is not there: neither is found.
    let ids = [mine[3].clone(), mine[11].clone(), others[0].clone(), "gone".to_owned()];
    let asked = ask(&world, &Asked { ids: Some(ids.into()), ..all() }).await;
    portion(&world, &asked, 1, MINUTE).await.unwrap();
    let job = job(&world, &asked).await;
    assert_eq!(job.state, JobState::Done);
    assert_eq!((counted(&job, "replayed"), counted(&job, "not_found")), (2, 2));
    assert_eq!((world.queues.dead(ACCOUNTING), drained(&world, ACCOUNTING).len()), (11, 2));
    // The message of a job that is done does nothing.
    world.settle().await;
    assert_eq!(world.queues.dead(ACCOUNTING), 11);
    let entries = world.store.audits_list(&tenant(), 10, None).await.unwrap().items;
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((&*entry.who, &*entry.what), ("bk_test", "dead_letters_replayed"));
    assert_eq!(entry.reason.as_deref(), Some("It works again."));
    assert_eq!(entry.after.as_ref().unwrap()["job"], job.id.as_str());
}

#[tokio::test]
async fn a_rate_is_kept_by_stopping_and_coming_back() {
    let world = World::start().await;
    bury(&world, "demo", 7);
    let asked = ask(&world, &Asked { per_second: Some(3), ..all() }).await;
    let mut sent = Vec::new();
    for expected in [3, 3, 1] {
        let Err(Error::Later { at, .. }) = portion(&world, &asked, 1, MINUTE).await else {
            assert_eq!(expected, 1, "the last portion ends the job");
            sent.push(drained(&world, ACCOUNTING).len());
            break;
        };
        sent.push(drained(&world, ACCOUNTING).len());
        // A message that came twice keeps the same pace.
        let again = portion(&world, &asked, 1, MINUTE).await.unwrap_err();
        assert!(matches!(again, Error::Later { at: then, .. } if then == at), "{again}");
        assert_eq!(drained(&world, ACCOUNTING).len(), 0);
        let wait = at.duration_since(world.clock.now());
        assert_eq!(wait, SignedDuration::from_secs(1));
        world.clock.advance(Duration::try_from(wait).unwrap());
    }
    assert_eq!(sent, [3, 3, 1]);
    assert_eq!(job(&world, &asked).await.state, JobState::Done);
}

#[tokio::test]
async fn the_letters_of_others_are_passed_by_in_portions() {
    let world = World::start().await;
    bury(&world, "other", 6_000);
    let mine = bury(&world, "demo", 3);
    let asked = ask(&world, &Asked { queues: vec![ACCOUNTING], ..all() }).await;
    let too_short = portion(&world, &asked, 1, SignedDuration::from_secs(10)).await;
    assert!(matches!(too_short, Err(Error::Later { .. })));
    let first = portion(&world, &asked, 1, MINUTE).await;
    assert!(matches!(first, Err(Error::Later { at, .. }) if at == world.clock.now()));
    assert_eq!(drained(&world, ACCOUNTING).len(), 0);
    // What the first portion passed is hidden still, which the job knows to be its own doing.
    portion(&world, &asked, 1, MINUTE).await.unwrap();
    assert_eq!(drained(&world, ACCOUNTING).len(), mine.len());
    let job = job(&world, &asked).await;
    assert_eq!((job.state, counted(&job, "replayed"), counted(&job, "hidden")), (JobState::Done, 3, 0));
    assert_eq!(world.queues.dead(ACCOUNTING), 6_000);
}

#[tokio::test]
async fn the_operator_of_the_account_replays_everybody_s() {
    let mut world = World::start().await;
    bury(&world, "demo", 2);
    bury(&world, "other", 2);
    world.queues.bury(ACCOUNTING, "not ours");
    let correlation = correlation(&world);
    let asker = Asker { tenant: None, who: "invocation", correlation: &correlation };
    // The queues in memory, as the local ones, do not know how to move dead letters by themselves.
    let asked = Asked { queues: vec![ACCOUNTING], ..all() };
    let begun = replay_invoke(&world.app, asker, &asked).await.unwrap();
    assert_eq!(begun.state, JobState::Waiting);
    let nudge = world.queues.take(QueueName::Replays).unwrap();
    let invocation = Invocation {
        owner: "replay".to_owned(),
        deadline: world.clock.now() + MINUTE,
        receive: 1,
        place: None,
        correlation: correlation.clone(),
    };
    assert_eq!(nudge.nudge, Nudge::Replay { job: begun.id.clone() });
    replay_run(&world.app, &invocation, &nudge.tenant, &begun.id).await.unwrap();
    let job = world.store.job_get(&named("operator"), &begun.id).await.unwrap().unwrap();
    assert_eq!((job.state, counted(&job, "replayed")), (JobState::Done, 5));
    assert_eq!(drained(&world, ACCOUNTING).len(), 4);
    assert_eq!(world.queues.unreadable(), [(ACCOUNTING, "not ours".to_owned())]);
    let entries = world.store.audits_list(&named("operator"), 10, None).await.unwrap().items;
    assert_eq!(entries.len(), 1);
    world.settle().await;
}

/// Dead letters behind a service that moves them by itself, or that fails.
struct Odd {
    inner: Arc<MemoryQueues>,
    moves: bool,
    fails: AtomicBool,
}

#[async_trait]
impl DeadLetters for Odd {
    async fn dead_letters_take(
        &self,
        queue: QueueName,
        max: usize,
        hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.inner.dead_letters_take(queue, max, hidden).await
    }

    async fn dead_letters_give_back(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        self.inner.dead_letters_give_back(queue, letters).await
    }

    async fn dead_letters_resend(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(Error::storage("sending dead letters again", std::io::Error::other("throttled")));
        }
        self.inner.dead_letters_resend(queue, letters).await
    }

    async fn dead_letters_delete(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        self.inner.dead_letters_delete(queue, letters).await
    }

    async fn dead_letters_count(&self, queue: QueueName) -> Result<u64, Error> {
        self.inner.dead_letters_count(queue).await
    }

    async fn dead_letters_hidden(&self, queue: QueueName) -> Result<u64, Error> {
        self.inner.dead_letters_hidden(queue).await
    }

    async fn dead_letters_move(&self, _: QueueName, _: Option<u32>) -> Result<Moving, Error> {
        Ok(if self.moves { Moving::Started } else { Moving::Unknown })
    }
}

fn odd(world: &mut World, moves: bool, fails: bool) -> Arc<Odd> {
    let odd = Arc::new(Odd { inner: world.queues.clone(), moves, fails: AtomicBool::new(fails) });
    world.app.dead_letters = odd.clone();
    odd
}

#[tokio::test]
async fn whole_queues_are_left_to_a_service_that_moves_them() {
    let mut world = World::start().await;
    odd(&mut world, true, false);
    bury(&world, "demo", 2);
    let correlation = correlation(&world);
    let asker = Asker { tenant: None, who: "invocation", correlation: &correlation };
    let job = replay_invoke(&world.app, asker, &all()).await.unwrap();
    assert_eq!((job.state, counted(&job, "queues_moving")), (JobState::Done, 5));
    assert!(world.queues.is_empty(QueueName::Replays) && world.queues.is_empty(ACCOUNTING));
    // One tenant's, or chosen ones, are not the service's to move.
    let (tenant, chosen) = (tenant(), Asked { ids: Some(vec!["gone".to_owned()]), ..all() });
    for (asker, asked) in [(Asker { tenant: Some(&tenant), ..asker }, &all()), (asker, &chosen)] {
        let job = replay_invoke(&world.app, asker, asked).await.unwrap();
        assert_eq!(job.state, JobState::Waiting);
        assert!(world.queues.take(QueueName::Replays).is_some());
    }
}

#[tokio::test]
async fn a_replay_that_fails_is_begun_again_by_the_sweep_and_loses_nothing() {
    let mut world = World::start().await;
    let odd = odd(&mut world, false, true);
    bury(&world, "demo", 5);
    let asked = ask(&world, &all()).await;
    world.settle().await;
    for attempt in [1, 2, 3, 4, 5, 5] {
        let job = job(&world, &asked).await;
        assert_eq!((job.state, job.attempts), (JobState::Failed, attempt));
        assert!(job.error.unwrap().contains("sending dead letters again"));
        assert_eq!((world.queues.dead(ACCOUNTING), world.queues.len(ACCOUNTING)), (5, 0));
        world.hour_passes().await;
    }
    // The service works again: a new wish finds everything.
    odd.fails.store(false, Ordering::Relaxed);
    let asked = ask(&world, &all()).await;
    portion(&world, &asked, 1, MINUTE).await.unwrap();
    assert_eq!(counted(&job(&world, &asked).await, "replayed"), 5);
    assert!(world.dead.is_empty());
}

#[tokio::test]
async fn a_job_whose_message_was_lost_is_begun_by_the_sweep() {
    let mut world = World::start().await;
    bury(&world, "demo", 1);
    let asked = ask(&world, &all()).await;
    world.queues.take(QueueName::Replays).unwrap();
    world.hour_passes().await;
    let job = job(&world, &asked).await;
    assert_eq!((job.state, counted(&job, "replayed")), (JobState::Done, 1));
}
