//! Slots, turns and rests as one piece of work sees them, over a store that counts.

use std::sync::atomic::{AtomicU32, Ordering};

use bokbro_domain::ids::TenantId;
use bokbro_domain::limit::Allowance;

use super::*;
use crate::memory::{ManualClock, MemoryStore};
use crate::records::ConnectionState;

/// Three calls in three seconds, of which an order takes two.
struct Three;

impl Limited for Three {
    fn limit(&self, _: &Connection, _: &Credentials, operation: &str) -> Option<Limit> {
        let allowance = Allowance { calls: 3, window: SignedDuration::from_secs(3) };
        (operation != "free").then(|| Limit { key: "k".to_owned(), allowance })
    }

    fn order(&self, connection: &Connection, app: &Credentials) -> Option<(Limit, u32)> {
        Some((self.limit(connection, app, "any")?, 2))
    }
}

/// A store that counts, and that takes its time when told to.
#[derive(Default)]
struct Counted {
    store: MemoryStore,
    calls: AtomicU32,
}

#[async_trait]
impl Limits for Counted {
    async fn limiter_swap(
        &self,
        key: &LimitKey,
        mark: Option<u64>,
        new: &StoredLimiter,
    ) -> Result<Swapped, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.store.limiter_swap(key, mark, new).await
    }
}

struct Bench {
    store: Arc<Counted>,
    clock: Arc<ManualClock>,
    start: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        Self { store: Arc::default(), clock: Arc::new(ManualClock::new(start, 7)), start }
    }

    /// What one process knows.
    fn process(&self) -> Arc<Limiters> {
        Arc::new(Limiters::new(self.store.clone(), self.clock.clone()))
    }

    fn work(&self, process: &Arc<Limiters>) -> Meter {
        let connection = Connection {
            tenant: TenantId::parse("demo").unwrap(),
            provider: Provider::parse("ledger").unwrap(),
            state: ConnectionState::Healthy,
            settings: BTreeMap::new(),
            chart: None,
        };
        Meter::new(Arc::new(Three), Arc::new(connection), Arc::default(), process.clone())
    }

    fn elapsed(&self) -> f64 {
        self.clock.now().duration_since(self.start).as_secs_f64()
    }

    fn calls(&self) -> u32 {
        self.store.calls.swap(0, Ordering::SeqCst)
    }
}

fn turn(refused: Result<(), Error>) -> (Timestamp, Timestamp) {
    match refused {
        Err(Error::Busy { at, place, .. }) => (at, place),
        other => panic!("not busy: {other:?}"),
    }
}

#[tokio::test]
async fn an_order_s_calls_cost_one_write_and_those_that_nobody_foresaw_one_each() {
    let bench = Bench::new();
    let work = bench.work(&bench.process());
    work.admit(None).await.unwrap();
    work.take("a").await.unwrap();
    work.take("b").await.unwrap();
    assert_eq!((bench.calls(), bench.elapsed()), (1, 0.0), "a single order is not paced");
    work.take("c").await.unwrap();
    assert_eq!(bench.calls(), 1);
    assert!(bench.elapsed() >= 1.0, "{}", bench.elapsed());
    work.take("free").await.unwrap();
    assert_eq!(bench.calls(), 0);
}

#[tokio::test]
async fn a_process_that_is_behind_learns_what_is_stored_by_losing() {
    let bench = Bench::new();
    let (one, other) = (bench.process(), bench.process());
    bench.work(&one).admit(None).await.unwrap();
    assert_eq!(bench.calls(), 1);
    turn(bench.work(&other).admit(None).await);
    assert_eq!(bench.calls(), 2);
    turn(bench.work(&other).admit(None).await);
    assert_eq!(bench.calls(), 1);
}

#[tokio::test]
async fn whoever_has_to_wait_is_told_when_and_goes_first_then() {
    let bench = Bench::new();
    let process = bench.process();
    bench.work(&process).admit(None).await.unwrap();
    let (at, place) = turn(bench.work(&process).admit(None).await);
    assert!(at > bench.start);
    assert_eq!(bench.calls(), 2);
    // Too early costs nothing; a newcomer does not pass.
    assert_eq!(turn(bench.work(&process).admit(Some(place)).await), (at, place));
    assert_eq!(bench.calls(), 0);
    bench.clock.advance(Duration::try_from(at.duration_since(bench.start)).unwrap());
    let newcomer = turn(bench.work(&process).admit(None).await);
    assert!(newcomer.1 > place);
    bench.work(&process).admit(Some(place)).await.unwrap();
}

#[tokio::test]
async fn a_missed_slot_is_replaced() {
    let bench = Bench::new();
    let work = bench.work(&bench.process());
    work.admit(None).await.unwrap();
    work.take("a").await.unwrap();
    bench.clock.advance(Duration::from_secs(60));
    work.take("b").await.unwrap();
    assert_eq!(bench.calls(), 2);
}

#[tokio::test]
async fn too_many_calls_slow_everybody_down() {
    let bench = Bench::new();
    let (one, other) = (bench.process(), bench.process());
    let work = bench.work(&one);
    work.admit(None).await.unwrap();
    work.take("a").await.unwrap();
    let error = work.slow_down("a", Some(Duration::from_secs(40))).await.unwrap();
    let (at, place) = turn(Err(error));
    assert_eq!(at.duration_since(bench.start).as_secs(), 40);
    // What was reserved before is gone, and others learn of it.
    turn(work.take("b").await);
    turn(bench.work(&other).take("a").await);
    turn(bench.work(&other).admit(None).await);
    bench.clock.advance(Duration::from_secs(40));
    bench.work(&other).admit(Some(place)).await.unwrap();
    // Without a word it is a window.
    let error = bench.work(&one).slow_down("a", None).await.unwrap();
    assert_eq!(turn(Err(error)).0.duration_since(bench.clock.now()).as_secs(), 3);
    assert!(bench.work(&one).slow_down("free", None).await.is_none());
}
