//! A whole Bokbro over the local AWS: the real adapters, called through a proxy that has AWS's bad days, and workers that
//! receive from the real queues as Lambda does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::delete_message::DeleteMessageError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use bokbro_app::app::App;
use bokbro_app::orders::{Posted, Refusal, order_post};
use bokbro_app::ports::{Orders, Parking, QueueName};
use bokbro_app::records::Parked;
use bokbro_app::webhooks::{Ingress, Intake, webhook_receive};
use bokbro_aws::{Hub, Tables};
use bokbro_connectors::registry::Registry;
use bokbro_domain::effect::Patience;
use bokbro_domain::ids::{CorrelationId, OrderId, Provider};
use bokbro_domain::order::{Order, SyncState};
use bokbro_runtime::SystemClock;
use bokbro_runtime::sqs::batch_handle;
use bokbro_simulators::aws::AwsProxy;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::viva::VivaConfig;
use futures::future::{join_all, select};
use jiff::SignedDuration;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::local_aws::{create_tables, fresh_account};
use crate::world::{ENDPOINT, Simulators, tenant};

/// Receives before a message is a dead letter, as in template.yaml.
const MAX_RECEIVES: u32 = 5;
/// Messages per receive.
const BATCH: i32 = 3;
/// Time-out of a worker.
const TIME_OUT: SignedDuration = SignedDuration::from_secs(40);
/// How long a message rests that nobody gave back, in seconds. Shorter than in the template, where it is six time-outs.
const VISIBILITY: i32 = 15;
/// How often a caller repeats what was refused for now.
const REPEATS: u32 = 30;

/// Bokbro over the local AWS.
pub struct Cloud {
    /// The providers.
    pub simulators: Simulators,
    /// What stands between Bokbro and AWS.
    pub proxy: AwsProxy,
    /// The use cases, over the proxy.
    pub app: App,
    /// The store, past the proxy.
    pub hub: Hub,
    queues: Client,
    urls: BTreeMap<QueueName, String>,
    dead: BTreeMap<QueueName, String>,
    intake: Intake,
}

impl Cloud {
    /// A fresh account with tables and queues as the template has them; `None`, and a line that says so, without a local
    /// AWS.
    pub async fn start() -> Option<Self> {
        let account = fresh_account().await?;
        let tables = create_tables(&account).await;
        let queues = Client::new(&account.config);
        let (mut urls, mut dead) = (BTreeMap::new(), BTreeMap::new());
        for queue in QueueName::ALL {
            let letters = create_queue(&queues, &format!("{}-dead", queue.as_str()), None).await;
            let arn = arn_of(&queues, &letters).await;
            urls.insert(queue, create_queue(&queues, queue.as_str(), Some(&arn)).await);
            dead.insert(queue, letters);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = AwsProxy::serve(listener, account.config.endpoint_url().unwrap()).unwrap();
        let simulators = Simulators::start(
            FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() },
            VivaConfig::default(),
        )
        .await;
        let hub = account.clients.hub(Tables::clone(&tables));
        simulators.furnish(&hub, &account.clients.vault("bokbro/dev/")).await;

        let clients = account.through(&proxy.url);
        let clock = Arc::new(SystemClock);
        let registry = Registry::new(simulators.urls(), clock.clone()).unwrap();
        let sent = Arc::new(clients.queues(urls.clone()));
        let letters = Arc::new(clients.dead_letters(&urls, &dead));
        let vault = Arc::new(clients.vault("bokbro/dev/"));
        let app = App::new(Arc::new(clients.hub(tables)), sent, letters, vault, clock, Arc::new(registry));
        // These simulators' lists do not lag, so there is nothing to wait for.
        let app = App { patience: Patience { settle: Duration::from_secs(1), ..app.patience }, ..app };
        let intake = Intake::of(&app);
        Some(Self { simulators, proxy, app, hub, queues, urls, dead, intake })
    }

    /// Posts an order as a webshop does: again with the same key until it is told what became of it.
    pub async fn post(&self, body: &Value) -> Order {
        let key = body["order_number"].as_str();
        for _ in 0..REPEATS {
            let correlation = CorrelationId::from_ulid(self.app.stamps.ulid(&*self.app.clock));
            let text = body.to_string();
            match order_post(&self.app, &tenant(), key, &correlation, text.as_bytes()).await {
                Ok(Posted::Created(order) | Posted::Repeated(order)) => return order,
                Err(Refusal::Failed(_)) => {}
                Err(refused) => panic!("{refused:?}"),
            }
        }
        panic!("an order was not taken in {REPEATS} tries")
    }

    /// Delivers a webhook as the payment provider does: again until it is accepted.
    pub async fn deliver(&self, event: &str) {
        let viva = Provider::parse("viva").unwrap();
        for _ in 0..REPEATS {
            let correlation = self.intake.correlation();
            match webhook_receive(&self.intake, &viva, ENDPOINT, event.as_bytes(), &correlation).await {
                Ingress::Accepted => return,
                Ingress::Failed(_) => {}
                _ => panic!("the webhook was refused"),
            }
        }
        panic!("a webhook was not accepted in {REPEATS} tries")
    }

    /// Lets workers receive until every order is in the books, or time is over; says which are not.
    pub async fn book(&self, orders: &[OrderId], limit: Duration) -> Vec<Order> {
        let queues = [QueueName::Payments, QueueName::Accounting, QueueName::Accounting];
        let workers = join_all(queues.map(|queue| self.work(queue)));
        let done = tokio::time::timeout(limit, self.until_booked(orders));
        drop(select(Box::pin(workers), Box::pin(done)).await);
        self.not_booked(orders).await
    }

    async fn until_booked(&self, orders: &[OrderId]) {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            if self.not_booked(orders).await.is_empty() {
                return;
            }
        }
    }

    async fn not_booked(&self, orders: &[OrderId]) -> Vec<Order> {
        let mut open = Vec::new();
        for id in orders {
            let order = self.hub.order_get(&tenant(), id).await.unwrap().unwrap();
            if order.accounting.state != SyncState::Done {
                open.push(order);
            }
        }
        open
    }

    /// One worker: receives, handles, deletes what may be deleted, as Lambda does with a queue. Never ends.
    async fn work(&self, queue: QueueName) {
        let url = &self.urls[&queue];
        let mut invocations = 0_u64;
        loop {
            let request = self.queues.receive_message().queue_url(url).max_number_of_messages(BATCH);
            let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
            let received = request.wait_time_seconds(1).visibility_timeout(VISIBILITY).send().await.unwrap();
            let received = received.messages.unwrap_or_default();
            if received.is_empty() {
                continue;
            }
            invocations += 1;
            let mut context = Context::default();
            context.request_id = format!("{}-{invocations}-{}", queue.as_str(), self.app.clock.dice());
            let deadline = self.app.clock.now() + TIME_OUT;
            context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
            let mut event = SqsEvent::default();
            event.records = received.iter().map(record).collect();
            let answer = batch_handle(&self.app, queue, LambdaEvent::new(event, context)).await;
            let failed: Vec<String> =
                answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
            for message in &received {
                if failed.iter().any(|id| Some(id.as_str()) == message.message_id()) {
                    continue;
                }
                let delete = self.queues.delete_message().queue_url(url);
                let deleted = delete.receipt_handle(message.receipt_handle().unwrap()).send().await;
                // A worker whose AWS was slow may have lost the message to another one, which deleted it.
                if let Err(error) = deleted
                    && !error.as_service_error().is_some_and(DeleteMessageError::is_receipt_handle_is_invalid)
                {
                    panic!("deleting a message: {error:?}");
                }
            }
        }
    }

    /// Sends every dead letter again; says how many there were.
    pub async fn replay(&self) -> usize {
        let mut count = 0;
        for (queue, letters) in &self.dead {
            loop {
                let request = self.queues.receive_message().queue_url(letters).max_number_of_messages(10);
                let received = request.send().await.unwrap().messages.unwrap_or_default();
                if received.is_empty() {
                    break;
                }
                for letter in received {
                    let body = letter.body().unwrap();
                    self.queues
                        .send_message()
                        .queue_url(&self.urls[queue])
                        .message_body(body)
                        .send()
                        .await
                        .unwrap();
                    let delete = self.queues.delete_message().queue_url(letters);
                    delete.receipt_handle(letter.receipt_handle().unwrap()).send().await.unwrap();
                    count += 1;
                }
            }
        }
        count
    }

    /// What waits for a human.
    pub async fn parked(&self) -> Vec<Parked> {
        self.hub.parked_list(&tenant(), 100, None).await.unwrap().items
    }
}

/// A message as Lambda hands it to a function.
fn record(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = message.message_id.clone();
    record.receipt_handle = message.receipt_handle.clone();
    record.body = message.body.clone();
    for (name, value) in message.attributes.iter().flatten() {
        record.attributes.insert(name.as_str().to_owned(), value.clone());
    }
    record
}

async fn create_queue(client: &Client, name: &str, dead_letters: Option<&str>) -> String {
    let mut request = client.create_queue().queue_name(name);
    if let Some(arn) = dead_letters {
        let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES });
        request = request.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
    }
    request.send().await.unwrap().queue_url.unwrap()
}

async fn arn_of(client: &Client, url: &str) -> String {
    let request = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    request.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone()
}
