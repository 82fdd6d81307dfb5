//! A world whose secrets look like nothing else, and all that it says.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bokbro_app::app::App;
use bokbro_app::auth::{api_key_store, caller_admit};
use bokbro_app::language::Language;
use bokbro_app::oauth::{Callback, Outcome, oauth_start};
use bokbro_app::ports::{Directory, Endpoints, LedgerKey, Queues, Store, Vault};
use bokbro_app::records::{Parked, Role};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{OrderId, Target};
use bokbro_domain::posting::PostingProfile;
use bokbro_pages::{Texts, consent};
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::Fault;
use bokbro_simulators::visma::{self, Visma, VismaConfig};
use bokbro_simulators::viva::{OrderCode, VivaConfig};
use bokbro_tests::browser::{ORIGIN, come_back_to, correlation, decide, deploy_key, provider, signing_key};
use bokbro_tests::world::{ENDPOINT, World, sample, tenant};
use serde_json::json;

use super::taps::{Eavesdropper, Shared, Tapped, capture_logs};

/// What only the webhook knows of the payer.
pub(super) const PAYER: [&str; 6] = [
    "payer@private.example",
    "Payer Privatsson",
    "+46700000001",
    "400000XXXXXX0002",
    "5133A9C0FFEE5133A9C0FFEE5133A9C0FFEE5133",
    "A11CE0FB0B5133A11CE0FB0B5133A11CE0FB0B51",
];
/// What the order knows of the buyer, which the store must hold.
pub(super) const BUYER: [&str; 3] = ["asa@example.se", "Åsa Öberg", "Storgatan 1"];
const API_KEY: &str = "bk_0123456789abcdefghijklmnopqrstuvwxyz";
const APP_SECRETS: [(&str, &str); 2] =
    [("fortnox", "fortnox-client-secret-1"), ("visma", "visma-client-secret-4")];

/// A place where a secret could turn up.
pub(super) type Place = (&'static str, String);

/// A world and what it says.
pub(super) struct Watched {
    pub(super) world: World,
    pub(super) visma: visma::Handle,
    wire: Arc<Eavesdropper>,
    copies: Shared,
    logs: Shared,
    /// Answers and pages for people.
    told: String,
    hidden: BTreeSet<String>,
    orders: Vec<OrderId>,
}

impl Watched {
    /// Over stores in memory.
    pub(super) async fn start() -> Self {
        let mut watched = Self::unfurnished().await;
        let (store, vault) = (watched.world.store.clone(), watched.world.app.vault.clone());
        watched.furnish(store, vault, None).await;
        watched
    }

    /// Over stores of the caller's choice, which get what the world's own ones hold; real queues get every message.
    pub(super) async fn start_over<S>(store: Arc<S>, vault: Arc<dyn Vault>, queues: Arc<dyn Queues>) -> Self
    where
        S: Store + 'static,
    {
        let mut watched = Self::unfurnished().await;
        let (from, known) = (&watched.world.store, &watched.world.app.vault);
        store.settings_put(&tenant(), &from.settings_get(&tenant()).await.unwrap().unwrap()).await.unwrap();
        store.endpoint_put(&from.endpoint_get(ENDPOINT).await.unwrap().unwrap()).await.unwrap();
        for name in ["viva", "fortnox"] {
            let connection = from.connection_get(&tenant(), &provider(name)).await.unwrap().unwrap();
            store.connection_put(&connection).await.unwrap();
        }
        for name in ["app/fortnox", "connections/demo/viva", "connections/demo/fortnox"] {
            let secret = known.secret_get(name).await.unwrap().unwrap();
            vault.secret_put(name, &secret.credentials).await.unwrap();
        }
        watched.furnish(store, vault, Some(queues)).await;
        watched
    }

    async fn unfurnished() -> Self {
        let logs = capture_logs();
        let wire = Arc::new(Eavesdropper::new());
        let [fortnox_secret, visma_secret] = APP_SECRETS.map(|(_, secret)| secret.to_owned());
        let config =
            FortnoxConfig { rate_limited: false, client_secret: fortnox_secret, ..FortnoxConfig::default() };
        let account = VivaConfig {
            api_key: "viva-api-key-2".to_owned(),
            client_id: "viva-client-id-5".to_owned(),
            client_secret: "viva-client-secret-3".to_owned(),
            ..VivaConfig::default()
        };
        let mut hidden: BTreeSet<String> =
            [&account.api_key, &account.client_id, &account.client_secret].map(String::clone).into();
        hidden.extend([API_KEY.to_owned(), STANDARD.encode(API_KEY), signing_key().expose().to_owned()]);
        hidden.extend(APP_SECRETS.map(|(_, secret)| secret.to_owned()));
        hidden.extend(PAYER.map(str::to_owned));
        let world = World::start_over(wire.clone(), PostingProfile::Invoice, config, account).await;
        let visma = Visma::start(VismaConfig { client_secret: visma_secret, ..VismaConfig::default() })
            .await
            .unwrap();
        let (copies, told, orders) = (Shared::default(), String::new(), Vec::new());
        Self { world, visma, wire, copies, logs, told, hidden, orders }
    }

    /// Builds the use cases anew over the stores, with taps and with Visma.
    async fn furnish<S>(&mut self, store: Arc<S>, vault: Arc<dyn Vault>, real: Option<Arc<dyn Queues>>)
    where
        S: Store + 'static,
    {
        let (fortnox, visma, viva) = (&self.world.fortnox.url, &self.visma.url, &self.world.viva.url);
        let urls = Urls::overridden(&|name| {
            let hosts = [("_FORTNOX_", fortnox), ("_VISMA_", visma), ("_VIVA_", viva)];
            hosts.into_iter().find(|(part, _)| name.contains(part)).map(|(_, url)| url.clone())
        });
        let clock = self.world.clock.clone();
        let registry = Arc::new(Registry::over(urls, self.wire.clone(), clock.clone()));
        let queues = Tapped { queues: self.world.queues.clone(), real, copies: self.copies.clone() };
        self.world.app = App::new(store, Arc::new(queues), self.world.queues.clone(), vault, clock, registry);
        let app = &self.world.app;
        for (name, secret) in APP_SECRETS {
            let fields = [("client_id", "sim-client"), ("client_secret", secret)];
            let fields = fields.map(|(name, value)| (name.to_owned(), SecretText::new(value.to_owned())));
            app.vault.secret_put(&format!("app/{name}"), &Credentials::new(fields)).await.unwrap();
        }
        deploy_key(&self.world).await;
        let key = SecretText::new(API_KEY.to_owned());
        api_key_store(app, &key, &tenant(), Role::Owner, "watched").await.unwrap();
        assert!(caller_admit(app, Some(&format!("Bearer {API_KEY}")), None, "").await.is_ok());
    }

    /// Posts and pays an order whose payer left traces at the payment provider; gives the webhook's body.
    pub(super) async fn paid(&mut self, number: &str) -> String {
        let wish = json!({"amount": 74_700, "currencyCode": 752, "merchantTrns": number,
            "customer": {"email": PAYER[0], "fullName": PAYER[1], "phone": PAYER[2]}});
        let code: OrderCode = self.world.viva.create_order(serde_json::from_value(wish).unwrap()).unwrap();
        let mut body = sample();
        body["order_number"] = json!(number);
        body["viva_order_code"] = json!(code.0.to_string());
        self.orders.push(self.world.post(&body).await.unwrap().id);
        self.world.pay(code).await
    }

    /// Hands a webhook body to the ingress and lets the workers run.
    pub(super) async fn take(&mut self, event: &str) {
        self.world.webhook(event).await;
        self.world.settle().await;
    }

    /// What waits for a human.
    pub(super) async fn parked(&self) -> Vec<Parked> {
        self.world.app.parking.parked_list(&tenant(), 100, None).await.unwrap().items
    }

    /// Begins a consent and lets the person decide.
    pub(super) async fn consent(&mut self, name: &str, service_account: bool) -> Callback {
        let started = oauth_start(&self.world.app, &tenant(), &provider(name), service_account, ORIGIN).await;
        let started = started.ok().unwrap();
        self.hidden.insert(started.nonce.expose().to_owned());
        self.tell(&started.location);
        decide(name, started).await
    }

    /// Comes back from a consent page and looks at our page in both languages.
    pub(super) async fn come_back(&mut self, name: &str, callback: &Callback) -> Outcome {
        let outcome = come_back_to(&self.world, name, callback).await;
        self.tell(&outcome);
        for language in Language::ALL {
            let texts = Texts::of(language);
            self.told += &consent::page(texts, &outcome, &provider(name), &correlation(&self.world));
        }
        outcome
    }

    /// Notes what a person or a program is told. Answers are made of these values and of constant texts.
    pub(super) fn tell(&mut self, told: &impl Debug) {
        self.told += &format!("{told:?}\n");
    }

    /// Hides one more text.
    pub(super) fn hide(&mut self, secret: &str) {
        self.hidden.insert(secret.to_owned());
    }

    /// Everything that must show nowhere, as of now.
    pub(super) fn hidden(&self) -> BTreeSet<String> {
        let mut hidden = self.hidden.clone();
        hidden.extend(self.wire.secrets());
        hidden.extend(self.world.fortnox.secrets_issued());
        hidden.extend(self.visma.secrets_issued());
        hidden.extend(self.world.viva.secrets_issued());
        hidden
    }

    /// Refusals of a provider that quotes every secret there is, in every member that we read.
    pub(super) fn quoting(&self, status: u16, error: &str, method: &str, path: &str) -> Fault {
        let quoted: Vec<String> = self.hidden().into_iter().collect();
        let quoted = quoted.join(" ");
        let body = json!({"error": error, "error_description": quoted, "message": quoted,
            "access_token": {"was": quoted}, "refresh_token": [quoted],
            "ErrorInformation": {"error": 1, "message": quoted, "code": 2000359}});
        Fault { body: Some(body.to_string()), ..Fault::status(status, method, path) }
    }

    /// Everything that was said, and everything that the ports give out without the vault's secrets.
    pub(super) async fn places(&self) -> Vec<Place> {
        vec![
            ("logs", self.logs.text()),
            ("queues", self.copies.text()),
            ("store", self.stored().await),
            ("errors", self.world.errors.join("\n")),
            ("answers", self.told.clone()),
        ]
    }

    async fn stored(&self) -> String {
        let (app, mut text) = (&self.world.app, String::new());
        for order in &self.orders {
            let key = LedgerKey { tenant: tenant(), order: order.clone(), target: Target::Accounting };
            text += &format!("{:?}\n", app.ledgers.ledger_load(&key).await.unwrap());
            text += &format!("{:?}\n", app.orders.payment_facts(&tenant(), order).await.unwrap());
            let timeline = app.orders.timeline_list(&tenant(), order, 100, None).await.unwrap();
            text += &format!("{:?}\n", timeline.items);
        }
        // By name, because lists leave out what is disconnected.
        for name in ["fortnox", "visma", "viva"] {
            let to = provider(name);
            text += &format!("{:?}\n", app.directory.connection_get(&tenant(), &to).await.unwrap());
            text += &format!("{:?}\n", app.token_states.token_state(&tenant(), &to).await.unwrap());
        }
        text += &format!("{:?}\n", app.directory.settings_get(&tenant()).await.unwrap());
        text + &format!("{:?}\n", self.parked().await)
    }

    /// Finds no secret in any place, and the buyer only where orders are kept. `seen` tells what must be found, so that
    /// nothing is searched in vain.
    pub(super) fn assert_silent(&self, places: &[Place], seen: &[(&str, &[&str])]) {
        for (name, expected) in seen {
            let (_, text) = places.iter().find(|(place, _)| place == name).unwrap();
            for expected in *expected {
                let found = text.contains(expected);
                assert!(found, "{name} tell nothing of {expected}, so this test looks in the wrong place");
            }
        }
        let spoken = |text: &str, what: &str| -> Option<String> {
            // Lines are looked at only when there is something to show: the logs are long.
            let found = text.contains(what).then(|| text.lines().find(|line| line.contains(what))).flatten();
            found.map(|line| line.chars().take(600).collect())
        };
        let hidden = self.hidden();
        assert!(hidden.len() >= 16, "passwords, keys and tokens: {}", hidden.len());
        for (place, text) in places {
            for secret in &hidden {
                assert_eq!(spoken(text, secret), None, "{place} tell {secret}");
            }
            if ["store", "tables"].contains(place) {
                continue;
            }
            // At this level the AWS library writes down whole answers of the table, which holds the buyer. That is why
            // the level is for tests; secrets it keeps to itself, as the search above shows.
            let is_table =
                |line: &&str| line.contains(r#""TRACE""#) && line.contains(r#""aws_smithy_runtime"#);
            let text: Vec<&str> = text.lines().filter(|line| !is_table(line)).collect();
            let text = text.join("\n");
            for known in BUYER {
                assert_eq!(spoken(&text, known), None, "{place} tell {known}");
            }
        }
    }
}
