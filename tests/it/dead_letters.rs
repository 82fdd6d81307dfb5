//! The promises of dead letters, kept in memory and over SQS; and ten thousand of them through SQS with a death in the
//! middle.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry};
use bokbro_app::app::{Invocation, NoCrash};
use bokbro_app::error::Error;
use bokbro_app::memory::MemoryQueues;
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Clock as _, DeadLetter, DeadLetters, Jobs as _, Moving, QueueName};
use bokbro_app::records::{Job, JobState};
use bokbro_app::replay::{Asked, Asker, replay_ask, replay_run};
use bokbro_app::work::message_handle;
use bokbro_aws::SqsDeadLetters;
use bokbro_domain::ids::{CorrelationId, OrderId};
use bokbro_domain::order::{Order, SyncState};
use bokbro_tests::browser::correlation;
use bokbro_tests::local_aws::{Account, fresh_account};
use bokbro_tests::stack::{LIMIT, until};
use bokbro_tests::world::{World, sample, tenant};
use futures::future::{join, join_all};
use jiff::SignedDuration;

const QUEUE: QueueName = QueueName::Accounting;
const LONG: Duration = Duration::from_secs(600);

/// A queue and its dead letters in an account.
struct Queue {
    client: Client,
    url: String,
    dead: String,
    dead_letters: SqsDeadLetters,
}

impl Queue {
    async fn new(account: &Account) -> Self {
        let client = Client::new(&account.config);
        let create =
            async |name| client.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
        let (url, dead) = (create("accounting").await, create("accounting-dead").await);
        let of = |url: &String| [(QUEUE, url.clone())].into();
        let dead_letters = account.clients.dead_letters(&of(&url), &of(&dead));
        Self { client, url, dead, dead_letters }
    }

    async fn bury(&self, bodies: &[String]) {
        for bodies in bodies.chunks(10) {
            let entry = |(index, body): (usize, &String)| {
                SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(body)
                    .build()
                    .unwrap()
            };
            let entries = bodies.iter().enumerate().map(entry).collect();
            let request = self.client.send_message_batch().queue_url(&self.dead).set_entries(Some(entries));
            assert_eq!(request.send().await.unwrap().failed.len(), 0);
        }
    }

    /// Receives and deletes what waits in the queue, ten at most.
    async fn receive(&self) -> Vec<String> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(1);
        let messages = request.send().await.unwrap().messages.unwrap_or_default();
        if messages.is_empty() {
            return Vec::new();
        }
        let entry = |(index, message): (usize, &aws_sdk_sqs::types::Message)| {
            let receipt = message.receipt_handle().unwrap();
            let entry =
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt);
            entry.build().unwrap()
        };
        let entries = messages.iter().enumerate().map(entry).collect();
        self.client
            .delete_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .unwrap();
        messages.into_iter().map(|message| message.body.unwrap()).collect()
    }
}

fn nudge(order: &OrderId, correlation: CorrelationId) -> Envelope {
    let sent_at = "2026-11-20T08:00:00Z".parse().unwrap();
    Envelope::new(tenant(), correlation, sent_at, Nudge::order(order.clone()))
}

fn messages() -> (Envelope, String) {
    let order = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let mut message = nudge(&order, CorrelationId::parse("c-1").unwrap());
    message.not_before = Some(message.sent_at);
    (message, "not ours".to_owned())
}

/// Two dead letters are there: a message that waited for its turn, and a text that nobody can read.
async fn promises(dead_letters: &dyn DeadLetters) {
    let (message, unreadable) = messages();
    assert_eq!(dead_letters.dead_letters_count(QUEUE).await.unwrap(), 2);
    let taken = dead_letters.dead_letters_take(QUEUE, 10, LONG).await.unwrap();
    let read: Vec<_> = taken.iter().map(|letter| letter.message.clone().ok()).collect();
    assert_eq!(read, [Some(message), None]);
    assert_eq!((taken[0].tenant(), taken[1].tenant()), (Some(&tenant()), None));
    assert_eq!(taken[1].body, unreadable);
    assert!(taken.iter().all(|letter| letter.receives > 0));
    assert!(dead_letters.dead_letters_take(QUEUE, 10, LONG).await.unwrap().is_empty(), "they are hidden");
    assert_eq!(dead_letters.dead_letters_hidden(QUEUE).await.unwrap(), 2);
    assert_eq!(dead_letters.dead_letters_count(QUEUE).await.unwrap(), 0, "they are hidden");

    dead_letters.dead_letters_give_back(QUEUE, &taken).await.unwrap();
    assert_eq!(dead_letters.dead_letters_hidden(QUEUE).await.unwrap(), 0);
    assert_eq!(dead_letters.dead_letters_count(QUEUE).await.unwrap(), 2);
    let again = dead_letters.dead_letters_take(QUEUE, 1, LONG).await.unwrap();
    assert_eq!((again.len(), &again[0].id), (1, &taken[0].id));
    assert_eq!(again[0].receives, taken[0].receives + 1);
    let rest = dead_letters.dead_letters_take(QUEUE, 10, LONG).await.unwrap();
    let both = [again, rest].concat();
    // A receipt of an earlier look is good for nothing any more.
    dead_letters.dead_letters_give_back(QUEUE, &taken).await.unwrap();
    assert_eq!(dead_letters.dead_letters_hidden(QUEUE).await.unwrap(), 2);

    dead_letters.dead_letters_resend(QUEUE, &both).await.unwrap();
    assert_eq!(dead_letters.dead_letters_hidden(QUEUE).await.unwrap(), 2, "sent, and not yet deleted");
    dead_letters.dead_letters_delete(QUEUE, &both).await.unwrap();
    dead_letters.dead_letters_delete(QUEUE, &both).await.unwrap();
    assert_eq!(dead_letters.dead_letters_hidden(QUEUE).await.unwrap(), 0);
    assert!(dead_letters.dead_letters_take(QUEUE, 10, LONG).await.unwrap().is_empty());
    assert_eq!(dead_letters.dead_letters_move(QUEUE, Some(5)).await.unwrap(), Moving::Unknown);
}

#[tokio::test]
async fn dead_letters_in_memory_keep_their_promises() {
    let queues = MemoryQueues::default();
    let (message, unreadable) = messages();
    queues.bury(QUEUE, &message.to_json());
    queues.bury(QUEUE, &unreadable);
    promises(&queues).await;
    assert_eq!(queues.take(QUEUE), Some(message.anew()));
    assert_eq!(queues.unreadable(), [(QUEUE, unreadable)]);
}

#[tokio::test]
async fn dead_letters_in_sqs_keep_their_promises() {
    let Some(account) = fresh_account().await else { return };
    let queue = Queue::new(&account).await;
    let (message, unreadable) = messages();
    queue.bury(&[message.to_json(), unreadable.clone()]).await;
    promises(&queue.dead_letters).await;
    assert_eq!(queue.receive().await, [message.anew().to_json(), unreadable]);
}

/// The same, but a worker that died shows its dead letters again sooner than after two minutes.
struct Brief(SqsDeadLetters);

#[async_trait]
impl DeadLetters for Brief {
    async fn dead_letters_take(
        &self,
        queue: QueueName,
        max: usize,
        hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.0.dead_letters_take(queue, max, hidden.min(Duration::from_secs(15))).await
    }

    async fn dead_letters_give_back(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        self.0.dead_letters_give_back(queue, letters).await
    }

    async fn dead_letters_resend(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        self.0.dead_letters_resend(queue, letters).await
    }

    async fn dead_letters_delete(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        self.0.dead_letters_delete(queue, letters).await
    }

    async fn dead_letters_count(&self, queue: QueueName) -> Result<u64, Error> {
        self.0.dead_letters_count(queue).await
    }

    async fn dead_letters_hidden(&self, queue: QueueName) -> Result<u64, Error> {
        self.0.dead_letters_hidden(queue).await
    }

    async fn dead_letters_move(&self, queue: QueueName, per_second: Option<u32>) -> Result<Moving, Error> {
        self.0.dead_letters_move(queue, per_second).await
    }
}

const LETTERS: usize = 10_000;

fn invocation(world: &World) -> Invocation {
    Invocation {
        owner: "replay".to_owned(),
        deadline: world.clock.now() + SignedDuration::from_mins(1),
        receive: 1,
        place: None,
        correlation: correlation(world),
    }
}

/// Ten orders that are booked, and ten that are paid and wait for the nudges which are dead letters.
async fn orders(world: &mut World) -> Vec<Order> {
    let mut orders = Vec::new();
    for number in 0..20 {
        let (order, code) = world.order(&number.to_string(), sample()).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        if number < 10 {
            world.settle().await;
        } else {
            let hint = world.queues.take(QueueName::Payments).unwrap();
            message_handle(&world.app, &invocation(world), QueueName::Payments, &hint).await.unwrap();
            while world.queues.take(QUEUE).is_some() {}
        }
        orders.push(order);
    }
    assert_eq!(world.books("invoices").len(), 10);
    orders
}

/// Replays with a worker that dies where it was told to, and others after it.
async fn replay_with_a_death(world: &World, queue: &Queue, job: &Job) {
    let (whose, first) = (tenant(), invocation(world));
    tokio::select! {
        ended = replay_run(&world.app, &first, &whose, &job.id) => panic!("nobody died: {ended:?}"),
        () = world.crash.dying() => {}
    }
    assert_eq!(world.crash.passed().last().unwrap(), "after send of dead letters");
    // The message of the job comes back, as often as it takes until what the dead worker held is in sight again.
    while let Err(error) = replay_run(&world.app, &invocation(world), &whose, &job.id).await {
        let Error::Later { at, .. } = error else { panic!("{error}") };
        world.clock.advance(Duration::try_from(at.duration_since(world.clock.now())).unwrap());
        until(LIMIT, "the dead worker's letters to be in sight", async || {
            (queue.dead_letters.dead_letters_hidden(QUEUE).await.unwrap() == 0).then_some(())
        })
        .await;
    }
}

/// Handles what comes to the queue until nothing more can come; gives how much that was, and which.
async fn work_off(world: &World, queue: &Queue, replayed: &Cell<bool>) -> (usize, BTreeSet<CorrelationId>) {
    // Only the replay dies.
    let app = world.app.clone().dying_at(Arc::new(NoCrash));
    let (mut received, mut seen) = (0, BTreeSet::new());
    loop {
        let nothing_more = replayed.get();
        let bodies = queue.receive().await;
        if bodies.is_empty() && nothing_more {
            return (received, seen);
        }
        received += bodies.len();
        for body in bodies {
            let message = Envelope::parse(&body).unwrap();
            message_handle(&app, &invocation(world), QUEUE, &message).await.unwrap();
            seen.insert(message.correlation);
        }
    }
}

#[tokio::test]
async fn ten_thousand_dead_letters_survive_a_death_in_the_middle() {
    let Some(account) = fresh_account().await else { return };
    let queue = Queue::new(&account).await;
    let mut world = World::start().await;
    let orders = orders(&mut world).await;
    world.app.dead_letters = Arc::new(Brief(queue.dead_letters.clone()));
    let number = |number: usize| CorrelationId::parse(&format!("letter-{number}")).unwrap();
    let bodies: Vec<String> =
        (0..LETTERS).map(|n| nudge(&orders[n % orders.len()].id, number(n)).to_json()).collect();
    join_all(bodies.chunks(LETTERS / 4).map(|bodies| queue.bury(bodies))).await;

    let (whose, correlation) = (tenant(), correlation(&world));
    let asker = Asker { tenant: Some(&whose), who: "bk_test", correlation: &correlation };
    let reason = "The books were down.".to_owned();
    let asked = Asked { queues: vec![QUEUE], ids: None, reason, per_second: None };
    let job = replay_ask(&world.app, asker, &asked).await.unwrap();
    // Of the four points of each batch, the one between sending and deleting; of a thousand batches, the five hundredth.
    world.crash.arm(Some(4 * 499 + 1));
    let replayed = Cell::new(false);
    let (received, seen) = join(
        async {
            replay_with_a_death(&world, &queue, &job).await;
            replayed.set(true);
        },
        work_off(&world, &queue, &replayed),
    )
    .await
    .1;
    let job = world.store.job_get(&whose, &job.id).await.unwrap().unwrap();
    assert_eq!((job.state, job.counts["replayed"]), (JobState::Done, LETTERS as u64));
    assert!(queue.dead_letters.dead_letters_take(QUEUE, 10, LONG).await.unwrap().is_empty());

    assert_eq!(seen, (0..LETTERS).map(number).collect(), "none is lost");
    assert_eq!(received, LETTERS + 10, "only the batch of the dead worker came twice");
    for order in &orders {
        assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    }
    let invoices = world.books("invoices");
    let references: BTreeSet<&str> =
        invoices.iter().map(|invoice| invoice["ExternalInvoiceReference1"].as_str().unwrap()).collect();
    assert_eq!((invoices.len(), references.len()), (20, 20), "work that was done is not done again");
    assert_eq!(world.books("invoice_payments").len(), 20);
}
