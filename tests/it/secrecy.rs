//! No secret, and nothing personal of a webhook, reaches a log, a queue, the table or an error.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bokbro_app::auth::{api_key_store, caller_find};
use bokbro_app::error::Error;
use bokbro_app::message::Envelope;
use bokbro_app::ports::{Directory as _, LedgerKey, Ledgers as _, Orders as _, QueueName, Queues};
use bokbro_app::records::Role;
use bokbro_app::secret::SecretText;
use bokbro_app::webhooks::Ingress;
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Transport, Wire};
use bokbro_domain::ids::{OrderId, Provider, Target};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::{OrderCode, VivaConfig};
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

/// Text that several threads write to.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sends for real and remembers every secret that goes over the wire, either way.
struct Eavesdropper {
    transport: Transport,
    secrets: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Wire for Eavesdropper {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let result = self.transport.exchange(request, authorization).await;
        let mut secrets = self.secrets.lock().unwrap();
        match authorization {
            Authorization::None => {}
            Authorization::Basic(user, password) => {
                secrets.insert(password.expose().to_owned());
                secrets.insert(STANDARD.encode(format!("{user}:{}", password.expose())));
            }
            Authorization::Bearer(token) => drop(secrets.insert(token.expose().to_owned())),
        }
        let told = result.as_ref().ok().and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok());
        secrets.extend(told.and_then(|told| told["access_token"].as_str().map(str::to_owned)));
        result
    }
}

/// Queues that keep a copy of every message.
struct Tapped {
    queues: Arc<dyn Queues>,
    copies: Shared,
}

#[async_trait]
impl Queues for Tapped {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.copies.clone().write_all(message.to_json().as_bytes()).unwrap();
        self.queues.queue_send(queue, message).await
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        for message in messages {
            self.queue_send(queue, message).await?;
        }
        Ok(())
    }

    async fn queue_give_back(&self, queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        self.queues.queue_give_back(queue, receipt, after).await
    }
}

/// What only the webhook knows of the payer.
const PAYER: [&str; 6] = [
    "payer@private.example",
    "Payer Privatsson",
    "+46700000001",
    "400000XXXXXX0002",
    "5133A9C0FFEE5133A9C0FFEE5133A9C0FFEE5133",
    "A11CE0FB0B5133A11CE0FB0B5133A11CE0FB0B51",
];
/// What the order knows of the buyer, which the table must hold.
const BUYER: [&str; 3] = ["asa@example.se", "Åsa Öberg", "Storgatan 1"];
const API_KEY: &str = "bk_0123456789abcdefghijklmnopqrstuvwxyz";

/// A world whose secrets look like nothing else, and what it says.
struct Watched {
    world: World,
    wire: Arc<Eavesdropper>,
    copies: Shared,
    logs: Shared,
    orders: Vec<OrderId>,
}

impl Watched {
    async fn start() -> Self {
        let logs = Shared::default();
        let writer = logs.clone();
        // Everything that any library says, far beyond what functions are started with. One process runs one test, so
        // this subscriber is nobody else's.
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::level_filters::LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .init();
        let wire = Arc::new(Eavesdropper { transport: Transport::new().unwrap(), secrets: Mutex::default() });
        let config = FortnoxConfig {
            rate_limited: false,
            client_secret: "fortnox-client-secret-1".to_owned(),
            ..FortnoxConfig::default()
        };
        let account = VivaConfig {
            api_key: "viva-api-key-2".to_owned(),
            client_secret: "viva-client-secret-3".to_owned(),
            ..VivaConfig::default()
        };
        let mut world = World::start_over(wire.clone(), PostingProfile::Invoice, config, account).await;
        let copies = Shared::default();
        world.app.queues = Arc::new(Tapped { queues: world.queues.clone(), copies: copies.clone() });
        let key = SecretText::new(API_KEY.to_owned());
        api_key_store(&world.app, &key, &tenant(), Role::Owner).await.unwrap();
        assert!(caller_find(&world.app, Some(&format!("Bearer {API_KEY}"))).await.unwrap().is_some());
        Self { world, wire, copies, logs, orders: Vec::new() }
    }

    /// Posts and pays an order whose payer left traces at the payment provider; gives the webhook's body.
    async fn paid(&mut self, number: &str) -> String {
        let wish = json!({"amount": 74_700, "currencyCode": 752, "merchantTrns": number,
            "customer": {"email": PAYER[0], "fullName": PAYER[1], "phone": PAYER[2]}});
        let code: OrderCode = self.world.viva.create_order(serde_json::from_value(wish).unwrap()).unwrap();
        let mut body = sample();
        body["order_number"] = json!(number);
        body["viva_order_code"] = json!(code.0.to_string());
        self.orders.push(self.world.post(&body).await.unwrap().id);
        self.world.pay(code).await
    }

    async fn take(&mut self, event: &str) {
        self.world.webhook(event).await;
        self.world.settle().await;
    }

    /// Everything that the store gives out, connections with their settings but without the vault's secrets.
    async fn stored(&self) -> String {
        let (store, mut text) = (&self.world.store, String::new());
        for order in &self.orders {
            let key = LedgerKey { tenant: tenant(), order: order.clone(), target: Target::Accounting };
            text += &format!("{:?}", store.ledger_load(&key).await.unwrap());
            text += &format!("{:?}", store.payment_facts(&tenant(), order).await.unwrap());
            text += &format!("{:?}", store.timeline_list(&tenant(), order, 100, None).await.unwrap().items);
        }
        for name in ["fortnox", "viva"] {
            let provider = Provider::parse(name).unwrap();
            text += &format!("{:?}", store.connection_get(&tenant(), &provider).await.unwrap());
        }
        text += &format!("{:?}", store.settings_get(&tenant()).await.unwrap());
        text + &format!("{:?}", self.world.parked().await)
    }
}

#[tokio::test]
async fn no_log_queue_item_or_error_holds_a_secret_or_the_payer() {
    let mut watched = Watched::start().await;
    let refusal = |status: u16, method: &str, path: &str| {
        // A provider that quotes what it was sent, secrets and all.
        let quoted = format!("fortnox-client-secret-1 viva-client-secret-3 {} {}", PAYER[0], BUYER[0]);
        let body = json!({"error": "invalid_client", "error_description": quoted, "message": quoted,
            "ErrorInformation": {"error": 1, "message": quoted, "code": 2000359}});
        Fault { body: Some(body.to_string()), ..Fault::status(status, method, path) }
    };

    // The main job, with a token that is refused and a server that breaks down.
    let event = watched.paid("1").await;
    for payer in PAYER {
        assert!(event.contains(payer), "the webhook does not tell {payer}");
    }
    watched.world.fortnox.faults.add(refusal(401, "POST", "/3/invoices"));
    watched.world.fortnox.faults.add(refusal(500, "PUT", "/3/invoices/{}/bookkeep"));
    watched.world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/3/invoicepayments"));
    watched.world.viva.kit.faults.add(refusal(401, "GET", "/checkout/v2/transactions/{}"));
    watched.world.viva.kit.faults.add(refusal(500, "GET", "/checkout/v2/transactions/{}"));
    watched.take(&event).await;
    assert_eq!(watched.world.books("invoice_payments").len(), 1, "{:?}", watched.world.errors);

    // A forgery, and bodies that are no events at all.
    let mut forged: Value = serde_json::from_str(&event).unwrap();
    forged["EventData"]["TransactionId"] = json!("00000000-0000-4000-8000-000000000bad");
    watched.take(&forged.to_string()).await;
    for broken in [event.replace("1796", "\"x\""), event[..event.len() / 2].to_owned()] {
        match watched.world.webhook(&broken).await {
            Ingress::NotAnEvent(why) => watched.world.errors.push(why.to_string()),
            other => panic!("{other:?}"),
        }
    }

    // A refusal for good that quotes the buyer.
    let event = watched.paid("2").await;
    watched.world.fortnox.faults.add(refusal(400, "POST", "/3/invoices"));
    watched.take(&event).await;

    // Both providers refuse to give a token, some hours later.
    for (number, faults, path) in [
        ("3", watched.world.fortnox.faults.clone(), "/oauth-v1/token"),
        ("4", watched.world.viva.kit.faults.clone(), "/connect/token"),
    ] {
        for status in [500, 401] {
            let event = watched.paid(&format!("{number}-{status}")).await;
            watched.world.clock.advance(Duration::from_secs(3 * 3600));
            faults.add(refusal(status, "POST", path).times(20));
            watched.take(&event).await;
            let left: u32 = faults.remaining().iter().map(|fault| fault.times).sum();
            assert!(left < 20, "nobody asked {path} for a token");
            faults.clear();
        }
    }

    let parked: BTreeSet<String> = watched.world.parked().await.into_iter().map(|item| item.code).collect();
    for code in ["transaction_unknown", "fortnox_2000359", "needs_consent"] {
        assert!(parked.contains(code), "{code} did not happen: {parked:?}");
    }
    let (logs, queued, stored) = (watched.logs.text(), watched.copies.text(), watched.stored().await);
    let errors = watched.world.errors.join("\n");
    for (place, text, seen) in [
        ("logs", &logs, &["provider call", "webhook received", "delivery parked", "hyper_util"][..]),
        ("queues", &queued, &["viva", "transaction"]),
        ("table", &stored, &["asa@example.se", "fortnox_2000359", "tenant_id"]),
        ("errors", &errors, &["create_invoice", "does not let us in", "not a JSON object"]),
    ] {
        for seen in seen {
            assert!(
                text.contains(seen),
                "{place} tell nothing of {seen}, so this test looks in the wrong place"
            );
        }
    }
    let mut hidden = watched.wire.secrets.lock().unwrap().clone();
    assert!(hidden.len() >= 8, "three passwords in two forms each, and tokens: {}", hidden.len());
    hidden.extend([API_KEY.to_owned(), STANDARD.encode(API_KEY)]);
    hidden.extend(PAYER.map(str::to_owned));
    let spoken = |text: &str, what: &str| -> Option<String> {
        text.lines().find(|line| line.contains(what)).map(|line| line.chars().take(600).collect())
    };
    for secret in &hidden {
        for (place, text) in [("logs", &logs), ("queues", &queued), ("table", &stored), ("errors", &errors)] {
            assert_eq!(spoken(text, secret), None, "{place} tell {secret}");
        }
    }
    for known in BUYER {
        for (place, text) in [("logs", &logs), ("queues", &queued), ("errors", &errors)] {
            assert_eq!(spoken(text, known), None, "{place} tell {known}");
        }
    }
}
