//! A whole Bokbro in one process: real use cases and connectors, simulators over real HTTP, stores in memory and a
//! clock that moves when told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::app::{App, Invocation};
use bokbro_app::audit::By;
use bokbro_app::error::{Disposition, Error, chain};
use bokbro_app::memory::{ManualClock, MemoryQueues, MemoryStore, MemoryVault};
use bokbro_app::message::Envelope;
use bokbro_app::orders::{Posted, Refusal, order_post};
use bokbro_app::ports::{Clock, Directory, LedgerKey, Ledgers, Parking, QueueName, Vault};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, Parked, Settings};
use bokbro_app::schedule::{Ticked, schedule_tick};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::webhooks::{Ingress, Intake, webhook_receive};
use bokbro_app::work::message_handle;
use bokbro_connectors::kit::{Transport, Wire};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{CorrelationId, OrderId, Provider, Target, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::posting::PostingProfile;
use bokbro_domain::retry::queue_wait;
use bokbro_simulators::fortnox::{self, Fortnox, FortnoxConfig};
use bokbro_simulators::kit::http_client;
use bokbro_simulators::ongoing::{self, Ongoing, OngoingConfig};
use bokbro_simulators::visma::{self, Visma, VismaConfig};
use bokbro_simulators::viva::{self, Amount, NewOrder, OrderCode, Pay, Viva, VivaConfig};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::crash::DieAt;

/// Name of the webhook endpoint.
pub const ENDPOINT: &str = "wh_test_endpoint";
/// Fortnox's number of the tenant's company.
pub const COMPANY: &str = "1000001";
/// Receives before a message is a dead letter, as in template.yaml.
pub(crate) const MAX_RECEIVES: u32 = 5;
/// Time between two ticks of the schedule.
const HOUR: Duration = Duration::from_secs(3_600);
/// Time-out of a worker, as in template.yaml.
pub(crate) const TIME_OUT: Duration = Duration::from_secs(60);

/// The providers that a world talks to, and the accounts that it has there. Worlds may come one after the other.
#[derive(Clone)]
pub struct Simulators {
    /// The ledger program.
    pub fortnox: Arc<fortnox::Handle>,
    /// The other ledger program, which no tenant uses unless a test says so.
    pub visma: Arc<visma::Handle>,
    /// The payment provider.
    pub viva: Arc<viva::Handle>,
    /// The warehouse, which no tenant uses unless a test says so.
    pub ongoing: Arc<ongoing::Handle>,
    /// Client id and secret of the integration at the ledger program.
    client: (String, String),
    account: VivaConfig,
}

impl Simulators {
    /// Starts them.
    pub async fn start(config: FortnoxConfig, account: VivaConfig) -> Self {
        Self::start_with(config, VismaConfig::default(), account).await
    }

    /// The same with the other ledger program as a test wants it.
    pub async fn start_with(config: FortnoxConfig, other: VismaConfig, account: VivaConfig) -> Self {
        let client = (config.client_id.clone(), config.client_secret.clone());
        let fortnox = Arc::new(Fortnox::start(config).await.unwrap());
        let visma = Arc::new(Visma::start(other).await.unwrap());
        let viva = Arc::new(Viva::start(account.clone()).await.unwrap());
        let ongoing = Arc::new(Ongoing::start(OngoingConfig::default()).await.unwrap());
        Self { fortnox, visma, viva, ongoing, client, account }
    }

    /// Where they are.
    #[must_use]
    pub fn urls(&self) -> Urls {
        let mut urls = Urls::default();
        urls.fortnox.api.clone_from(&self.fortnox.url);
        urls.fortnox.auth.clone_from(&self.fortnox.url);
        urls.visma.api.clone_from(&self.visma.url);
        urls.visma.auth.clone_from(&self.visma.url);
        urls.viva.api.clone_from(&self.viva.url);
        urls.viva.accounts.clone_from(&self.viva.url);
        urls.viva.basic.clone_from(&self.viva.url);
        urls.ongoing.api.clone_from(&self.ongoing.url);
        urls
    }

    /// Enters the tenant into a store and a vault, with its accounts at these providers.
    pub async fn furnish(&self, store: &dyn Directory, vault: &dyn Vault) {
        let client = (self.client.0.as_str(), self.client.1.as_str());
        furnish(store, vault, PostingProfile::Invoice, client, &self.account).await;
    }
}

/// Everything that a flow needs.
pub struct World {
    /// The ledger program.
    pub fortnox: Arc<fortnox::Handle>,
    /// The other ledger program, once [`World::book_with_visma`] was called.
    pub visma: Arc<visma::Handle>,
    /// The payment provider.
    pub viva: Arc<viva::Handle>,
    /// The warehouse, once [`World::ship_with`] was called.
    pub ongoing: Arc<ongoing::Handle>,
    /// The use cases.
    pub app: App,
    /// What they keep.
    pub store: Arc<MemoryStore>,
    /// What they send.
    pub queues: Arc<MemoryQueues>,
    /// Their time.
    pub clock: Arc<ManualClock>,
    /// Where workers die.
    pub crash: Arc<DieAt>,
    /// Messages that nobody could handle.
    pub dead: Vec<(QueueName, Envelope)>,
    /// What went wrong, with its causes, as workers log it.
    pub errors: Vec<String>,
    flying: VecDeque<Flying>,
    invocations: u64,
    /// Client id and secret of the integration at the ledger program.
    client: (String, String),
}

/// A message outside its queue.
struct Flying {
    queue: QueueName,
    message: Envelope,
    receives: u32,
    visible_at: Timestamp,
}

/// How one receive of a message ended.
#[derive(Debug)]
pub enum Ended {
    /// Handled; the message is gone.
    Deleted,
    /// Given back.
    GivenBack,
    /// Sent anew for its turn.
    SentAgain,
    /// The worker died; the message comes back by itself.
    Died,
}

/// Somebody who changes something in a test.
pub fn tester<'a>(tenant: &'a TenantId, correlation: &'a CorrelationId) -> By<'a> {
    By { tenant, who: "bk_test", correlation }
}

/// The tenant of all tests.
pub fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider::parse(name).unwrap()
}

pub(crate) fn secrets(fields: &[(&str, &str)]) -> Credentials {
    Credentials::new(fields.iter().map(|(n, v)| ((*n).to_owned(), SecretText::new((*v).to_owned()))))
}

/// Enters the tenant as people do: settings, credentials, connections and the webhook endpoint.
async fn furnish(
    store: &dyn Directory,
    vault: &dyn Vault,
    profile: PostingProfile,
    client: (&str, &str),
    account: &VivaConfig,
) {
    let app_secret = secrets(&[("client_id", client.0), ("client_secret", client.1)]);
    vault.secret_put("app/fortnox", &app_secret).await.unwrap();
    let own = secrets(&[
        ("merchant_id", &account.merchant_id),
        ("api_key", &account.api_key),
        ("client_id", &account.client_id),
        ("client_secret", &account.client_secret),
    ]);
    vault.secret_put("connections/demo/viva", &own).await.unwrap();
    vault.secret_put("connections/demo/fortnox", &Credentials::default()).await.unwrap();
    let settings = Settings {
        payments: provider("viva"),
        accounting: Some(provider("fortnox")),
        warehouse: None,
        posting_profile: profile,
        accounts: [].into(),
        payment_mode: None,
    };
    store.settings_put(&tenant(), &settings).await.unwrap();
    let connections = [
        ("viva", [("merchant_id".to_owned(), account.merchant_id.clone())]),
        ("fortnox", [("tenant_id".to_owned(), COMPANY.to_owned())]),
    ];
    for (name, settings) in connections {
        let connection = Connection {
            tenant: tenant(),
            provider: provider(name),
            state: ConnectionState::Unchecked,
            settings: settings.into(),
            chart: None,
        };
        store.connection_put(&connection).await.unwrap();
    }
    let endpoint = Endpoint {
        name: ENDPOINT.to_owned(),
        tenant: tenant(),
        provider: provider("viva"),
        handshake_key: account.webhook_key.clone(),
        token_sha256: None,
    };
    store.endpoint_put(&endpoint).await.unwrap();
}

impl World {
    /// A tenant that takes payments and books invoices, connected and never used.
    pub async fn start() -> Self {
        Self::start_with(
            PostingProfile::Invoice,
            FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() },
        )
        .await
    }

    /// The same with a posting profile and a ledger program of the test's choice.
    pub async fn start_with(profile: PostingProfile, config: FortnoxConfig) -> Self {
        let wire = Arc::new(Transport::new().unwrap());
        Self::start_over(wire, profile, config, VivaConfig::default()).await
    }

    /// The same with a wire that the connectors send over, and an account at the payment provider.
    #[allow(clippy::disallowed_methods, reason = "the simulators live in real time; the world starts there")]
    pub async fn start_over(
        wire: Arc<dyn Wire>,
        profile: PostingProfile,
        config: FortnoxConfig,
        account: VivaConfig,
    ) -> Self {
        let simulators = Simulators::start(config, account).await;
        Self::begin(simulators, wire, profile, Timestamp::now()).await
    }

    /// A new world between simulators that were there before it, at a time of the test's choice.
    pub async fn begin(
        simulators: Simulators,
        wire: Arc<dyn Wire>,
        profile: PostingProfile,
        now: Timestamp,
    ) -> Self {
        let urls = simulators.urls();
        let Simulators { fortnox, visma, viva, ongoing, client: (client_id, client_secret), account } =
            simulators;
        let clock = Arc::new(ManualClock::new(now, 1753));
        let store = Arc::new(MemoryStore::default());
        let queues = Arc::new(MemoryQueues::timed(clock.clone()));
        let vault = Arc::new(MemoryVault::default());
        let registry = Arc::new(Registry::over(urls, wire, clock.clone()));
        let crash = Arc::new(DieAt::default());
        let app =
            App::new(store.clone(), queues.clone(), queues.clone(), vault.clone(), clock.clone(), registry);
        let app = app.dying_at(crash.clone());

        furnish(&*store, &*vault, profile, (&client_id, &client_secret), &account).await;
        Self {
            fortnox,
            visma,
            viva,
            ongoing,
            app,
            store,
            queues,
            clock,
            crash,
            dead: Vec::new(),
            errors: Vec::new(),
            flying: VecDeque::new(),
            invocations: 0,
            client: (client_id, client_secret),
        }
    }

    /// Makes an order at the payment provider and posts it with its code.
    pub async fn order(&self, number: &str, mut body: Value) -> (Order, OrderCode) {
        let total: Amount = body["total"].as_str().unwrap().parse().unwrap();
        let code = self.checkout(total, number);
        body["order_number"] = json!(number);
        body["viva_order_code"] = json!(code.0.to_string());
        (self.post(&body).await.unwrap(), code)
    }

    /// Makes an order at the payment provider alone.
    pub fn checkout(&self, amount: Amount, number: &str) -> OrderCode {
        let wish: NewOrder = serde_json::from_value(
            json!({ "amount": amount.0, "currencyCode": 752, "merchantTrns": number }),
        )
        .unwrap();
        self.viva.create_order(wish).unwrap()
    }

    /// Posts an order.
    ///
    /// # Errors
    /// As the API refuses it.
    pub async fn post(&self, body: &Value) -> Result<Order, Refusal> {
        let posted =
            order_post(&self.app, &tenant(), None, &self.correlation(), body.to_string().as_bytes()).await?;
        Ok(match posted {
            Posted::Created(order) | Posted::Repeated(order) => order,
        })
    }

    /// Pays an order at the provider; gives the webhook's body, which is not sent.
    pub async fn pay(&self, code: OrderCode) -> String {
        let told = self.viva.pay(&Pay { deliver: false, ..Pay::new(code) }).await.unwrap();
        told.event.get().to_owned()
    }

    /// Hands a webhook body to the ingress.
    pub async fn webhook(&self, body: &str) -> Ingress {
        let (intake, viva) = (Intake::of(&self.app), provider("viva"));
        let correlation = intake.correlation();
        webhook_receive(&intake, &viva, ENDPOINT, body.as_bytes(), &correlation).await
    }

    /// Runs workers until nothing is left that time alone would change.
    pub async fn settle(&mut self) {
        loop {
            self.collect();
            let now = self.clock.now();
            let next = self.flying.iter().enumerate().min_by_key(|(_, flying)| flying.visible_at);
            let Some((index, flying)) = next else { return };
            if flying.visible_at > now {
                let wait = flying.visible_at.duration_since(now);
                self.clock.advance(Duration::try_from(wait).unwrap());
            }
            self.receive(index).await;
        }
    }

    /// Lets an hour pass, has the schedule tick and runs workers until nothing is left that time alone would change.
    pub async fn hour_passes(&mut self) {
        self.clock.advance(HOUR);
        self.tick().await;
        self.settle().await;
    }

    /// Has the schedule tick as often as one tick needs; the workers do not run.
    pub async fn tick(&mut self) {
        let due = self.clock.now();
        loop {
            self.invocations += 1;
            let invocation = Invocation {
                owner: format!("invocation-{}", self.invocations),
                deadline: self.clock.now() + TIME_OUT,
                receive: 1,
                place: None,
                correlation: self.correlation(),
            };
            match schedule_tick(&self.app, &invocation, due).await.unwrap() {
                Ticked::Done { .. } | Ticked::Before => return,
                Ticked::Stopped { .. } => {}
            }
        }
    }

    fn collect(&mut self) {
        for queue in QueueName::ALL {
            while let Some(message) = self.queues.take(queue) {
                let visible_at = message.not_before.unwrap_or(Timestamp::MIN).max(self.clock.now());
                self.flying.push_back(Flying { queue, message, receives: 0, visible_at });
            }
        }
    }

    async fn receive(&mut self, index: usize) -> Ended {
        let mut flying = self.flying.remove(index).unwrap();
        flying.receives += 1;
        self.invocations += 1;
        let deadline = self.clock.now() + TIME_OUT;
        let invocation = Invocation {
            owner: format!("invocation-{}", self.invocations),
            deadline,
            receive: flying.receives,
            place: flying.message.place,
            correlation: flying.message.correlation.clone(),
        };
        let handled = {
            let work = message_handle(&self.app, &invocation, flying.queue, &flying.message);
            tokio::select! {
                handled = work => Some(handled),
                () = self.crash.dying() => None,
            }
        };
        let (ended, back_in) = match handled {
            Some(Ok(())) => return Ended::Deleted,
            Some(Err(error)) => {
                self.errors.push(chain(&error));
                if let Disposition::Later { at } = error.disposition() {
                    flying.message.not_before = Some(at);
                    flying.message.place = error.place().or(flying.message.place);
                    (flying.receives, flying.visible_at) = (0, at);
                    self.flying.push_back(flying);
                    return Ended::SentAgain;
                }
                match after(&error, flying.receives, self.clock.dice()) {
                    Some(after) => (Ended::GivenBack, after),
                    None => return Ended::Deleted,
                }
            }
            // Nobody gives the message back: it comes by its visibility time-out.
            None => (Ended::Died, TIME_OUT * 6),
        };
        if flying.receives >= MAX_RECEIVES {
            self.queues.bury(flying.queue, &flying.message.to_json());
            self.dead.push((flying.queue, flying.message));
        } else {
            flying.visible_at = self.clock.now() + back_in;
            self.flying.push_back(flying);
        }
        ended
    }

    /// An order as the API shows it now.
    pub async fn show(&self, id: &OrderId) -> Order {
        let key = LedgerKey { tenant: tenant(), order: id.clone(), target: Target::Accounting };
        self.store.ledger_load(&key).await.unwrap().unwrap().0
    }

    /// What waits for a human.
    pub async fn parked(&self) -> Vec<Parked> {
        self.store.parked_list(&tenant(), 100, None).await.unwrap().items
    }

    /// Documents of one kind that the ledger program holds.
    pub fn books(&self, kind: &str) -> Vec<Value> {
        self.fortnox.books(COMPANY)[kind].as_array().cloned().unwrap_or_default()
    }

    /// Does something in the ledger program as people do it there by hand; gives the answer's body.
    pub async fn by_hand(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let http = http_client();
        let token = http
            .post(format!("{}/oauth-v1/token", self.fortnox.url))
            .basic_auth(&self.client.0, Some(&self.client.1))
            .header("TenantId", COMPANY)
            .form(&[("grant_type", "client_credentials")]);
        let token: Value = token.send().await.unwrap().json().await.unwrap();
        let mut request = http
            .request(method.parse().unwrap(), format!("{}{path}", self.fortnox.url))
            .bearer_auth(token["access_token"].as_str().unwrap());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path} by hand: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn correlation(&self) -> CorrelationId {
        CorrelationId::from_ulid(self.app.stamps.ulid(&*self.clock))
    }
}

fn after(error: &Error, receives: u32, dice: u64) -> Option<Duration> {
    match error.disposition() {
        Disposition::Retry { after: Some(after) } => Some(after),
        Disposition::Retry { after: None } => Some(queue_wait(receives, dice)),
        Disposition::Done | Disposition::Later { .. } | Disposition::NeedsConsent | Disposition::Park => None,
    }
}

/// The order of the HTTP contract's example: two oils and the freight, 747.00 kr at 25 %.
pub fn sample() -> Value {
    json!({
        "order_number": "1753-1001", "currency": "SEK", "viva_order_code": null, "payment_reference": null,
        "customer": {
            "kind": "private", "name": "Åsa Öberg", "email": "asa@example.se", "phone": null,
            "organisation_number": null,
            "billing": {"name": "Åsa Öberg", "address1": "Storgatan 1", "address2": null, "zip": "11122",
                        "city": "Stockholm", "country": "SE"},
            "delivery": null
        },
        "lines": [
            {"kind": "goods", "sku": "OIL-30", "text": "Ansiktsolja 30 ml", "quantity": "2", "unit_price": "349.00", "vat_rate": "25"},
            {"kind": "shipping", "sku": null, "text": "Frakt", "quantity": "1", "unit_price": "49.00", "vat_rate": "25"}
        ],
        "total": "747.00"
    })
}
