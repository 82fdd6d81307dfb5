//! Many workers over one store, one queue and one simulated ledger program, in virtual time.
//!
//! Each worker is what a Lambda environment is: a process with its own use cases, tokens, clock and connections, that
//! handles one message after the other through the real queue adapter. Requests go over real HTTP to the simulator, whose
//! clock stands still and is moved along.

mod clock;
mod distance;
mod queue;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use bokbro_app::access::AccessDesk;
use bokbro_app::app::{App, NoCrash};
use bokbro_app::limits::Limiters;
use bokbro_app::memory::{MemoryQueues, MemoryStore, MemoryVault};
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::orders::{Posted, order_post};
use bokbro_app::ports::{Directory as _, Orders as _, QueueName, Vault as _};
use bokbro_app::records::{Connection, ConnectionState, Settings};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{CorrelationId, OrderId, Provider, TenantId};
use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::posting::PostingProfile;
use bokbro_runtime::sqs::batch_handle;
use bokbro_simulators::fortnox::{Fortnox, FortnoxConfig, Handle, TenantConfig};
use futures::future::join_all;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};

pub use clock::{OwnClock, VirtualTime};
pub use distance::Distance;
use distance::{FarStore, FarWire};
pub use queue::{Counts, FairQueue};

use crate::world::sample;

/// Time-out of a worker, as in template.yaml.
const TIME_OUT: SignedDuration = SignedDuration::from_secs(60);
/// What the event source takes from message to worker, in milliseconds.
const PICK_UP: (u64, u64) = (10, 30);

/// Merchants of one integration, and their orders.
pub struct Traffic {
    /// The ledger program.
    pub fortnox: Handle,
    /// The queue of the books.
    pub queue: Arc<FairQueue>,
    /// What all workers share.
    pub store: Arc<MemoryStore>,
    /// The common time.
    pub time: VirtualTime,
    /// When it began.
    pub start: Timestamp,
    /// What takes the orders.
    shop: App,
    far: Far,
    tenants: usize,
    invocations: AtomicU64,
    /// Orders by id: when they were paid, and when the message that booked them was done.
    paid: Mutex<BTreeMap<OrderId, Paid>>,
}

/// What a process reaches, and how far away it is.
struct Far {
    time: VirtualTime,
    store: Arc<MemoryStore>,
    queue: Arc<FairQueue>,
    vault: Arc<MemoryVault>,
    distance: Distance,
    /// Calls to the table.
    calls: Arc<AtomicU64>,
    /// Address of the ledger program.
    url: String,
}

impl Far {
    /// A process of its own, as Lambda starts one.
    fn process(&self, number: u64) -> (App, Arc<OwnClock>) {
        let clock = Arc::new(OwnClock::new(self.time.clone(), number << 32));
        let distance = self.distance;
        let far = Arc::new(FarStore {
            store: self.store.clone(),
            clock: clock.clone(),
            distance,
            calls: self.calls.clone(),
        });
        let wire = FarWire { wire: Transport::new().unwrap(), clock: clock.clone(), distance };
        let mut urls = Urls::default();
        urls.fortnox.api.clone_from(&self.url);
        urls.fortnox.auth.clone_from(&self.url);
        let registry = Arc::new(Registry::over(urls, Arc::new(wire), clock.clone()));
        let mut app = App::new(
            self.store.clone(),
            self.queue.clone(),
            Arc::new(MemoryQueues::default()),
            self.vault.clone(),
            clock.clone(),
            registry.clone(),
        );
        app.limiters = Arc::new(Limiters::new(far.clone(), clock.clone()));
        let access = AccessDesk::new(
            self.vault.clone(),
            self.store.clone(),
            app.limiters.clone(),
            clock.clone(),
            registry,
            Arc::new(NoCrash),
        );
        app.access = Arc::new(access);
        app.ledgers = far.clone();
        app.directory = far;
        (app, clock)
    }
}

/// How long an order took.
#[derive(Debug, Clone)]
pub struct Paid {
    /// Whose.
    pub tenant: usize,
    /// When its message was sent.
    pub at: Timestamp,
    /// When it was in the books.
    pub booked: Option<Timestamp>,
}

fn company(tenant: usize) -> String {
    (1_000_001 + tenant).to_string()
}

fn name(tenant: usize) -> TenantId {
    TenantId::parse(&format!("t{tenant}")).unwrap()
}

fn ledger() -> Provider {
    Provider::parse("fortnox").unwrap()
}

impl Traffic {
    /// So many merchants, connected and never used, at a ledger program that holds them to its limit.
    pub async fn start(tenants: usize, distance: Distance) -> Self {
        let tenant_config = |tenant| TenantConfig::new(&company(tenant), "Bolaget AB");
        let config =
            FortnoxConfig { tenants: (0..tenants).map(tenant_config).collect(), ..FortnoxConfig::default() };
        let app_secret = [("client_id", &config.client_id), ("client_secret", &config.client_secret)];
        let app_secret = app_secret.map(|(name, text)| (name.to_owned(), SecretText::new(text.clone())));
        let fortnox = Fortnox::start(config).await.unwrap();
        fortnox.clock.freeze();
        // On the hour, so that every run meets the same slots.
        let hour = TimestampRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc);
        fortnox.clock.set(fortnox.clock.now().round(hour).unwrap());
        let (start, moving) = (fortnox.clock.now(), fortnox.clock.clone());
        let time = VirtualTime::new(start, move |now| moving.set(now));
        let store = Arc::new(MemoryStore::default());
        let vault = Arc::new(MemoryVault::default());
        vault.secret_put("app/fortnox", &Credentials::new(app_secret)).await.unwrap();
        for tenant in 0..tenants {
            let secret = format!("connections/{}/fortnox", name(tenant));
            vault.secret_put(&secret, &Credentials::default()).await.unwrap();
            let settings = Settings {
                payments: Provider::parse("viva").unwrap(),
                accounting: Some(ledger()),
                warehouse: None,
                posting_profile: PostingProfile::Invoice,
                accounts: [].into(),
                payment_mode: None,
            };
            store.settings_put(&name(tenant), &settings).await.unwrap();
            let connection = Connection {
                tenant: name(tenant),
                provider: ledger(),
                state: ConnectionState::Healthy,
                settings: [("tenant_id".to_owned(), company(tenant))].into(),
                chart: None,
            };
            store.connection_put(&connection).await.unwrap();
        }
        let queue = Arc::new(FairQueue::new(time.clone()));
        let far = Far {
            time: time.clone(),
            store: store.clone(),
            queue: queue.clone(),
            vault,
            distance,
            calls: Arc::default(),
            url: fortnox.url.clone(),
        };
        Self {
            fortnox,
            queue,
            store,
            time,
            start,
            shop: far.process(u64::MAX).0,
            far,
            tenants,
            invocations: AtomicU64::new(0),
            paid: Mutex::default(),
        }
    }

    /// A merchant's order that is paid so long after the start; `buyer` tells customers apart.
    pub async fn order(&self, tenant: usize, number: usize, buyer: usize, after: SignedDuration) {
        let app = &self.shop;
        let at = self.start + after;
        let correlation = CorrelationId::from_ulid(app.stamps.ulid(&*app.clock));
        let mut body = sample();
        body["order_number"] = json!(format!("1753-{number}"));
        body["customer"]["email"] = json!(format!("buyer-{buyer}@example.se"));
        let body = body.to_string();
        let posted = order_post(app, &name(tenant), None, &correlation, body.as_bytes()).await.unwrap();
        let (Posted::Created(mut order) | Posted::Repeated(mut order)) = posted;
        order.state = OrderState::Paid;
        order.payment.captured = order.body.total;
        order.payment.paid_at = Some(self.start);
        order.version += 1;
        self.store.order_update(&order, &[], &[]).await.unwrap();
        let nudge = Nudge::order(order.id.clone());
        self.queue.put(&Envelope::new(name(tenant), correlation, at, nudge), at);
        self.paid().insert(order.id, Paid { tenant, at, booked: None });
    }

    /// A process beside the workers of a run.
    pub fn process(&self) -> (App, Arc<OwnClock>) {
        self.far.process(u64::from(u32::MAX) - 1)
    }

    /// A merchant's name.
    pub fn tenant(&self, tenant: usize) -> TenantId {
        name(tenant)
    }

    /// Runs so many workers, and somebody else beside them, until nothing is left or `enough` says so.
    pub async fn run(&self, workers: u64, enough: impl Fn(&Self) -> bool, beside: impl Future<Output = ()>) {
        for _ in 0..=workers {
            self.time.enter();
        }
        let working = join_all((0..workers).map(|worker| self.work(worker, &enough)));
        let beside = async {
            beside.await;
            self.time.leave();
        };
        futures::future::join(working, beside).await;
    }

    async fn work(&self, worker: u64, enough: &impl Fn(&Self) -> bool) {
        let (app, clock) = self.far.process(worker);
        while !enough(self) && !self.queue.is_empty() {
            let Some(received) = self.queue.receive() else {
                self.time.idle(self.queue.next()).await;
                continue;
            };
            clock.some_millis(PICK_UP.0, PICK_UP.1).await;
            let mut message = SqsMessage::default();
            message.message_id = Some(received.receipt.to_string());
            message.receipt_handle = Some(received.receipt.to_string());
            message.body = Some(received.body.clone());
            message.attributes =
                [("ApproximateReceiveCount".to_owned(), received.receives.to_string())].into();
            let mut batch = SqsEvent::default();
            batch.records = vec![message];
            let mut context = Context::default();
            context.request_id = self.invocations.fetch_add(1, Ordering::SeqCst).to_string();
            context.deadline = u64::try_from((self.time.now() + TIME_OUT).as_millisecond()).unwrap();
            let answer = batch_handle(&app, QueueName::Accounting, LambdaEvent::new(batch, context)).await;
            if answer.batch_item_failures.is_empty() {
                self.note_booked(&received.body).await;
                self.queue.delete(received.receipt);
            }
        }
        self.time.stir(usize::MAX);
        self.time.leave();
    }

    async fn note_booked(&self, body: &str) {
        let message = Envelope::parse(body).unwrap();
        let Nudge::Order { order, .. } = message.nudge else { return };
        let shown: Order = self.store.order_get(&message.tenant, &order).await.unwrap().unwrap();
        if shown.accounting.numbers.contains_key("payment_number") {
            let now = self.time.now();
            self.paid().get_mut(&order).unwrap().booked.get_or_insert(now);
        }
    }

    /// What became of every order.
    pub fn outcomes(&self) -> Vec<(OrderId, Paid)> {
        self.paid().iter().map(|(order, paid)| (order.clone(), paid.clone())).collect()
    }

    /// How many orders are not in the books yet, of those merchants.
    pub fn waiting(&self, of: impl Fn(usize) -> bool) -> usize {
        self.paid().values().filter(|paid| of(paid.tenant) && paid.booked.is_none()).count()
    }

    /// How often the workers called the table so far.
    pub fn table_calls(&self) -> u64 {
        self.far.calls.load(Ordering::SeqCst)
    }

    /// What the ledger program holds of each merchant.
    pub fn books(&self) -> Vec<Value> {
        let mut state = self.fortnox.state();
        (0..self.tenants).map(|tenant| state["tenants"][company(tenant)].take()).collect()
    }

    /// The ledger program's number of a merchant.
    pub fn company(&self, tenant: usize) -> String {
        company(tenant)
    }

    fn paid(&self) -> std::sync::MutexGuard<'_, BTreeMap<OrderId, Paid>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
