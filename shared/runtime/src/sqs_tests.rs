//! What becomes of a message, by what its handling ended in: every row of the table of dispositions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::SqsEvent;
use bokbro_app::error::Reason;
use bokbro_app::memory::{ManualClock, MemoryQueues, MemoryStore, MemoryVault};
use bokbro_app::message::Nudge;
use bokbro_app::ports::{Parking, Queues};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{CorrelationId, OrderId, TenantId};
use bokbro_domain::said::Said;
use lambda_runtime::Context;

use super::*;
use crate::telemetry::testing::listen;

const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// What was asked of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    GivenBack { receipt: String, after: Duration },
    SentAgain { message: Box<Envelope>, after: Duration },
}

#[derive(Default)]
struct Recorder {
    asked: Mutex<Vec<Asked>>,
    /// Takes nothing any more.
    broken: bool,
}

impl Recorder {
    fn note(&self, asked: Asked) -> Result<(), Error> {
        if self.broken {
            return Err(Error::storage("asking the queue", std::io::Error::other("throttled")));
        }
        self.asked.lock().unwrap().push(asked);
        Ok(())
    }
}

#[async_trait]
impl Queues for Recorder {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.queue_send_later(queue, message, Duration::ZERO).await
    }

    async fn queue_send_later(&self, _: QueueName, message: &Envelope, after: Duration) -> Result<(), Error> {
        self.note(Asked::SentAgain { message: Box::new(message.clone()), after })
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        for message in messages {
            self.queue_send(queue, message).await?;
        }
        Ok(())
    }

    async fn queue_give_back(&self, _: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        self.note(Asked::GivenBack { receipt: receipt.to_owned(), after })
    }

    async fn queue_waiting(&self, _: QueueName) -> Result<u64, Error> {
        Ok(0)
    }
}

/// Ends each message as it is told by the message's tenant.
#[derive(Default)]
struct Script(BTreeMap<&'static str, Ends>);

type Ends = fn(&ManualClock) -> Result<(), Error>;

struct Bench {
    app: App,
    store: Arc<MemoryStore>,
    queues: Arc<Recorder>,
    clock: Arc<ManualClock>,
}

struct Scripted<'a>(&'a Script, &'a ManualClock);

#[async_trait]
impl Worker for Scripted<'_> {
    async fn work(&self, _: &App, _: &Invocation, _: QueueName, message: &Envelope) -> Result<(), Error> {
        self.0.0.get(message.tenant.as_str()).map_or(Ok(()), |ends| ends(self.1))
    }
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn bench(broken: bool) -> Bench {
    let store = Arc::new(MemoryStore::default());
    let queues = Arc::new(Recorder { broken, ..Recorder::default() });
    let clock = Arc::new(ManualClock::new(now(), 7));
    let registry = Registry::new(Urls::default(), clock.clone()).unwrap();
    let app = App::new(
        store.clone(),
        queues.clone(),
        Arc::new(MemoryQueues::default()),
        Arc::new(MemoryVault::default()),
        clock.clone(),
        Arc::new(registry),
    );
    Bench { app, store, queues, clock }
}

fn envelope(tenant: &str) -> Envelope {
    let order = OrderId::parse(&format!("ord_{ULID}")).unwrap();
    let correlation = CorrelationId::parse(ULID).unwrap();
    Envelope::new(TenantId::parse(tenant).unwrap(), correlation, now(), Nudge::order(order))
}

fn message(id: &str, body: &str, receives: u32) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(id.to_owned());
    message.receipt_handle = Some(format!("receipt {id}"));
    message.body = Some(body.to_owned());
    message.attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_string());
    message
}

impl Bench {
    /// Runs a batch; gives the ids that come back.
    async fn run(&self, script: &Script, messages: Vec<SqsMessage>, seconds: i64) -> Vec<String> {
        let mut payload = SqsEvent::default();
        payload.records = messages;
        let mut context = Context::default();
        let deadline = now() + SignedDuration::from_secs(seconds);
        context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
        let event = LambdaEvent::new(payload, context);
        let worker = Scripted(script, &self.clock);
        let answer = batch(&self.app, QueueName::Accounting, event, &worker).await;
        answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    fn asked(&self) -> Vec<Asked> {
        self.queues.asked.lock().unwrap().clone()
    }

    async fn parked(&self, tenant: &str) -> Vec<String> {
        let tenant = TenantId::parse(tenant).unwrap();
        let page = self.store.parked_list(&tenant, 10, None).await.unwrap();
        page.items.into_iter().map(|item| item.code).collect()
    }
}

fn lost() -> std::io::Error {
    std::io::Error::other("lost")
}

fn unavailable(after: Option<u64>) -> Error {
    let after = after.map(Duration::from_secs);
    Error::Unavailable { provider: "ledger".into(), step: "s".into(), after, source: None }
}

fn unknown(after: Option<u64>) -> Error {
    let after = after.map(Duration::from_secs);
    Error::OutcomeUnknown { provider: "ledger".into(), step: "s".into(), after, source: None }
}

/// What a row of the table says becomes of the message.
#[derive(Debug, PartialEq, Eq)]
enum Becomes {
    Deleted,
    /// Given back by the back-off.
    BackedOff,
    GivenBackFor(u64),
    SentAgainAfter(u64),
}

#[tokio::test]
async fn every_ending_has_its_place_on_the_queue() {
    use Becomes::{BackedOff, Deleted, GivenBackFor, SentAgainAfter};
    let rows: Vec<(Ends, Becomes)> = vec![
        (|_| Ok(()), Deleted),
        (|_| Err(Error::storage("s", lost())), BackedOff),
        (|_| Err(Error::Raced { step: "s" }), BackedOff),
        (|_| Err(Error::LeaseHeld { after: Duration::from_secs(5) }), GivenBackFor(5)),
        (|_| Err(unavailable(None)), BackedOff),
        (|_| Err(unavailable(Some(31))), GivenBackFor(31)),
        // A provider that asks for more than the back-off ever waits is obeyed.
        (|_| Err(unavailable(Some(3_600))), GivenBackFor(3_600)),
        (|_| Err(unavailable(Some(0))), GivenBackFor(1)),
        (|_| Err(unknown(None)), BackedOff),
        (|_| Err(unknown(Some(10))), GivenBackFor(10)),
        (|_| Err(Error::NotYet { what: "x".into(), after: None }), BackedOff),
        (|_| Err(Error::NotYet { what: "x".into(), after: Some(Duration::from_secs(3)) }), GivenBackFor(3)),
        (|clock| Err(Error::Later { what: "x".into(), at: later(clock, 90) }), SentAgainAfter(90)),
        (|clock| Err(Error::Later { what: "x".into(), at: later(clock, -90) }), SentAgainAfter(1)),
        (|_| Err(Error::Consent { provider: "ledger".into(), message: Said::quoted("m") }), Deleted),
        (|_| Err(Error::Parked(Reason::new("c", Said::quoted("m")))), Deleted),
    ];
    for (index, (ends, becomes)) in rows.into_iter().enumerate() {
        for receives in [1, 2, 5] {
            let bench = bench(false);
            let script = Script([("demo", ends)].into());
            let sent = envelope("demo");
            let back = bench.run(&script, vec![message("a", &sent.to_json(), receives)], 60).await;
            let case = format!("row {index}, receive {receives}");
            let asked = bench.asked();
            match becomes {
                Deleted => assert_eq!((back.len(), asked.len()), (0, 0), "{case}"),
                BackedOff | GivenBackFor(_) => {
                    assert_eq!(back, ["a"], "{case}");
                    let [Asked::GivenBack { receipt, after }] = asked.as_slice() else {
                        panic!("{case}: {asked:?}")
                    };
                    assert_eq!(receipt, "receipt a", "{case}");
                    if let GivenBackFor(seconds) = becomes {
                        assert_eq!(after.as_secs(), seconds, "{case}");
                    } else {
                        let most = Duration::from_secs(2 << (receives - 1));
                        assert!((Duration::from_secs(1)..=most).contains(after), "{case}: {after:?}");
                    }
                }
                SentAgainAfter(seconds) => {
                    assert!(back.is_empty(), "{case}");
                    let [Asked::SentAgain { message, after }] = asked.as_slice() else {
                        panic!("{case}: {asked:?}")
                    };
                    assert_eq!(after.as_secs(), seconds, "{case}");
                    assert_eq!((&message.nudge, &message.correlation), (&sent.nudge, &sent.correlation));
                    assert!(message.not_before.is_some(), "{case}");
                }
            }
        }
    }
}

fn later(clock: &ManualClock, seconds: i64) -> Timestamp {
    use bokbro_app::ports::Clock as _;
    clock.now() + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn the_back_off_is_fully_jittered_under_a_ceiling() {
    let bench = bench(false);
    let script = Script([("demo", (|_: &ManualClock| Err(Error::Raced { step: "s" })) as Ends)].into());
    let mut waits = Vec::new();
    for receives in [1, 3, 20] {
        for _ in 0..200 {
            bench.run(&script, vec![message("a", &envelope("demo").to_json(), receives)], 60).await;
        }
        let given = bench.asked().into_iter().map(|asked| match asked {
            Asked::GivenBack { after, .. } => after.as_secs_f64(),
            Asked::SentAgain { .. } => panic!("sent again"),
        });
        let given: Vec<f64> = given.collect();
        bench.queues.asked.lock().unwrap().clear();
        let (least, most) = given.iter().fold((f64::MAX, 0.0_f64), |(a, b), w| (a.min(*w), b.max(*w)));
        waits.push((least, most));
    }
    assert!(waits[0].1 <= 2.0 && waits[1].1 <= 8.0 && waits[2].1 <= 900.0, "{waits:?}");
    // Spread over nearly all of the span, so that messages which failed together do not come back together.
    assert!(waits[1].1 - waits[1].0 > 5.0 && waits[2].1 - waits[2].0 > 700.0, "{waits:?}");
}

#[tokio::test]
async fn one_bad_message_of_a_batch_of_many_tenants_is_alone() {
    let bench = bench(false);
    let script = Script(
        [
            ("two", (|_: &ManualClock| Err(Error::Raced { step: "s" })) as Ends),
            ("four", |_| panic!("a mistake")),
            ("five", |_| Err(Error::park("c", Said::quoted("m")))),
        ]
        .into(),
    );
    let of = |id: &str, tenant: &str| message(id, &envelope(tenant).to_json(), 1);
    let unreadable = message("3", "{\"v\":1}", 1);
    let batch =
        vec![of("1", "one"), of("2", "two"), unreadable, of("4", "four"), of("5", "five"), of("6", "six")];
    assert_eq!(bench.run(&script, batch, 60).await, ["2", "4"]);
    assert_eq!(bench.parked("operator").await, ["unreadable_message"]);
}

#[tokio::test]
async fn a_message_that_makes_its_handler_panic_is_parked_at_the_third_time() {
    let bench = bench(false);
    let script = Script([("demo", (|_: &ManualClock| panic!("a mistake")) as Ends)].into());
    let sent = envelope("demo");
    for (receives, back) in [(1, true), (2, true), (3, false), (3, false)] {
        let came = bench.run(&script, vec![message("a", &sent.to_json(), receives)], 60).await;
        assert_eq!(!came.is_empty(), back, "receive {receives}");
    }
    assert_eq!(bench.parked("demo").await, ["handler_panicked"]);
    let tenant = TenantId::parse("demo").unwrap();
    let parked = bench.store.parked_list(&tenant, 1, None).await.unwrap().items.remove(0);
    assert_eq!(parked.details["message"], sent.to_json());
    assert_eq!(parked.details["queue"], "accounting");
}

#[tokio::test]
async fn what_there_is_no_time_for_goes_back_unharmed() {
    let bench = bench(false);
    // Each message takes 20 seconds of the 60.
    let script = Script(
        [(
            "demo",
            (|clock: &ManualClock| {
                clock.advance(Duration::from_secs(20));
                Ok(())
            }) as Ends,
        )]
        .into(),
    );
    let batch = ["a", "b", "c", "d"].map(|id| message(id, &envelope("demo").to_json(), 1));
    assert!(bench.run(&script, batch.into(), 60).await.is_empty());
    // At 40 seconds, 20 are left: too little for the third and the fourth.
    let asked = bench.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for asked in asked {
        assert!(matches!(asked, Asked::SentAgain { after, .. } if after == Duration::from_secs(1)));
    }
    // The first one is begun however little there is.
    let one = vec![message("a", &envelope("demo").to_json(), 1)];
    let script = Script::default();
    assert!(bench.run(&script, one, 1).await.is_empty());
    assert_eq!(bench.asked().len(), 2);
}

#[tokio::test]
async fn a_message_before_its_turn_is_sent_again_and_not_handled() {
    let bench = bench(false);
    let script = Script([("demo", (|_: &ManualClock| panic!("handled")) as Ends)].into());
    let early = Envelope { not_before: Some(now() + SignedDuration::from_secs(30)), ..envelope("demo") };
    assert!(bench.run(&script, vec![message("a", &early.to_json(), 1)], 60).await.is_empty());
    let asked = bench.asked();
    assert!(
        matches!(&asked[..], [Asked::SentAgain { after, .. }] if *after == Duration::from_secs(30)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_queue_that_takes_nothing_brings_the_message_back_by_itself() {
    let bench = bench(true);
    let script = Script(
        [
            (
                "later",
                (|clock: &ManualClock| Err(Error::Later { what: "x".into(), at: later(clock, 5) })) as Ends,
            ),
            ("retry", |_| Err(Error::Raced { step: "s" })),
        ]
        .into(),
    );
    let batch = ["later", "retry"].map(|id| message(id, &envelope(id).to_json(), 1));
    assert_eq!(bench.run(&script, batch.into(), 60).await, ["later", "retry"]);
}

/// How a message ended, as its line tells: disposition, class and code.
type Told<'a> = (&'a str, Option<&'a str>, &'a str);

#[tokio::test]
async fn every_message_leaves_one_line_that_says_how_it_ended() {
    let rows: Vec<(Ends, u32, Told<'_>)> = vec![
        (|_| Ok(()), 1, ("done", None, "done")),
        (|_| Err(Error::Raced { step: "s" }), 2, ("retry", Some("retry"), "raced")),
        (|_| Err(unknown(None)), 1, ("retry", Some("retry"), "outcome_unknown")),
        (|clock| Err(Error::Later { what: "x".into(), at: later(clock, 90) }), 1, ("later", None, "later")),
        (
            |_| Err(Error::Consent { provider: "ledger".into(), message: Said::quoted("m") }),
            1,
            ("needs_consent", Some("needs_consent"), "needs_consent"),
        ),
        (|_| Err(Error::park("c", Said::quoted("m"))), 1, ("park", Some("park"), "c")),
        (|_| panic!("a mistake"), 1, ("retry", Some("panic"), "handler_panicked")),
        (|_| panic!("a mistake"), 3, ("park", Some("panic"), "handler_panicked")),
    ];
    for (ends, receives, (disposition, class, code)) in rows {
        let bench = bench(false);
        let (written, _listening) = listen("info");
        let script = Script([("demo", ends)].into());
        bench.run(&script, vec![message("a", &envelope("demo").to_json(), receives)], 60).await;
        let lines = written.read();
        let told: Vec<_> = lines.iter().filter(|line| line["message"] == "message handled").collect();
        assert_eq!(told.len(), 1, "{lines:?}");
        let line = told[0];
        assert_eq!((&line["disposition"], &line["code"]), (&disposition.into(), &code.into()), "{line}");
        assert_eq!((line["class"].as_str(), line["Failed"].as_u64()), (class, class.map(|_| 1)), "{line}");
        for (name, value) in
            [("tenant", "demo"), ("correlation", ULID), ("kind", "order"), ("message_id", "a")]
        {
            assert_eq!(line[name], value, "{line}");
        }
        assert_eq!((&line["attempt"], &line["order"]), (&receives.into(), &format!("ord_{ULID}").into()));
        assert!(line["duration_ms"].is_i64() || line["duration_ms"].is_u64(), "{line}");
    }
}

#[tokio::test]
async fn what_is_not_handled_says_so_too_and_the_parked_item_has_the_line_s_correlation_id() {
    let bench = bench(false);
    let (written, _listening) = listen("info");
    let early = Envelope { not_before: Some(now() + SignedDuration::from_secs(30)), ..envelope("demo") };
    let batch = vec![message("1", "{\"v\":1}", 1), message("2", &early.to_json(), 1)];
    bench.run(&Script::default(), batch, 60).await;
    let lines = written.read();
    let told: Vec<_> = lines.iter().filter(|line| line["message"] == "message handled").collect();
    assert_eq!(told.len(), 2, "{lines:?}");
    assert_eq!((&told[0]["code"], &told[0]["class"]), (&"unreadable_message".into(), &"park".into()));
    assert_eq!((&told[1]["disposition"], &told[1]["code"]), (&"later".into(), &"early".into()));
    let operator = TenantId::parse("operator").unwrap();
    let parked = bench.store.parked_list(&operator, 1, None).await.unwrap().items.remove(0);
    assert_eq!(told[0]["correlation"], parked.correlation.as_str());
}
