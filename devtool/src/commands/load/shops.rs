//! The merchants whose customers pay during the storm: their connections, their orders, and what is told of their payments.

use anyhow::{Context, Result, anyhow};
use bokbro_app::orders::{Posted, order_post};
use bokbro_app::ports::{Directory as _, Vault as _};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, Settings};
use bokbro_app::secret::Credentials;
use bokbro_domain::ids::{OrderId, Provider, TenantId};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::TenantConfig;
use bokbro_simulators::viva::{Amount, NewOrder, OrderCode, Pay};
use futures::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::kinds::Kind;
use crate::api::sample_order;
use crate::stack::Stack;
use crate::stack::seed::Seed;

/// How many. The ledger program lets each of them book 0.8 orders a second (`apis/fortnox.md` 1.5: 25 calls in 5 s, of which
/// an order takes six).
pub(super) const SHOPS: usize = 4;
/// Customers of each; they come back.
pub(super) const CUSTOMERS: usize = 20;
/// What the sample order comes to.
const TOTAL: Amount = Amount(74_700);
/// Orders that are stored at once.
const AT_ONCE: usize = 16;

/// One merchant.
pub(super) struct Shop {
    pub(super) tenant: TenantId,
    /// Its company at the ledger program.
    pub(super) company: TenantConfig,
    endpoint: String,
    /// Orders that wait for their payment.
    waiting: Vec<(OrderId, OrderCode)>,
    /// Orders that were paid.
    pub(super) paid: Vec<OrderId>,
    /// What was delivered of them, word for word.
    told: Vec<String>,
}

/// One webhook, ready to be sent.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) body: String,
    /// The transaction that it names, when it will wait for a human.
    pub(super) transaction: Option<String>,
}

/// The companies of all of them.
pub(super) fn companies() -> Vec<TenantConfig> {
    (0..SHOPS).map(|number| TenantConfig::new(&(2_000_001 + number).to_string(), "Stormbolaget AB")).collect()
}

impl Shop {
    /// Stores a merchant whose payments come from the stack's account at Viva and whose books are at Fortnox, without a
    /// warehouse.
    ///
    /// # Errors
    /// When a table or the vault refuses.
    pub(super) async fn open(stack: &Stack, number: usize, company: TenantConfig) -> Result<Self> {
        let (inside, seed) = (stack.inside(), stack.seed());
        let tenant = TenantId::parse(&format!("storm-{number}"))?;
        let (fortnox, viva) = (Provider::parse("fortnox")?, Provider::parse("viva")?);
        let endpoint = format!("wh_{}", Uuid::new_v4().simple());
        let settings = Settings {
            payments: viva.clone(),
            accounting: Some(fortnox.clone()),
            warehouse: None,
            posting_profile: PostingProfile::default(),
            accounts: [].into(),
            payment_mode: None,
        };
        inside.hub.settings_put(&tenant, &settings).await?;
        let of_ledger = vec![("tenant_id", &*company.database_number)];
        let of_payments = vec![("merchant_id", &*seed.viva.merchant_id), ("webhook_endpoint", &*endpoint)];
        let no_secrets = Credentials::new([]);
        let secrets = seed.secrets("viva", &["merchant_id", "api_key", "client_id", "client_secret"]);
        for (provider, settings, secrets) in
            [(&fortnox, of_ledger, no_secrets), (&viva, of_payments, secrets)]
        {
            let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let connection = Connection {
                tenant: tenant.clone(),
                provider: provider.clone(),
                state: ConnectionState::Unchecked,
                settings: settings.collect(),
                chart: None,
            };
            inside.hub.connection_put(&connection).await?;
            inside.vault.secret_put(&format!("connections/{tenant}/{provider}"), &secrets).await?;
        }
        let address = Endpoint {
            name: endpoint.clone(),
            tenant: tenant.clone(),
            provider: viva,
            handshake_key: seed.viva.webhook_key.clone(),
            token_sha256: None,
        };
        inside.hub.endpoint_put(&address).await?;
        Ok(Self { tenant, company, endpoint, waiting: Vec::new(), paid: Vec::new(), told: Vec::new() })
    }

    /// Has so many customers check out: each order is stored and waits for its payment.
    ///
    /// # Errors
    /// When an order is refused.
    pub(super) async fn take_orders(&mut self, stack: &Stack, count: usize) -> Result<()> {
        let shop = &*self;
        let mut taken = Vec::new();
        for portion in (0..count).collect::<Vec<_>>().chunks(AT_ONCE) {
            taken.extend(try_join_all(portion.iter().map(|number| shop.order(stack, *number))).await?);
        }
        self.waiting = taken;
        // The first order is paid first.
        self.waiting.reverse();
        Ok(())
    }

    async fn order(&self, stack: &Stack, number: usize) -> Result<(OrderId, OrderCode)> {
        let app = &stack.inside().app;
        let wish = NewOrder { amount: Some(TOTAL.0), ..NewOrder::default() };
        let code = stack.simulators()?.viva.create_order(wish).map_err(|refused| anyhow!("{refused:?}"))?;
        let email = format!("kund-{}@example.se", number % CUSTOMERS);
        let body = sample_order(&format!("{}-{number}", self.tenant), &email, code.0).to_string();
        let posted = order_post(app, &self.tenant, None, &app.correlation(), body.as_bytes()).await;
        let (Posted::Created(order) | Posted::Repeated(order)) =
            posted.map_err(|refusal| anyhow!("{refusal:?}"))?;
        Ok((order.id, code))
    }

    /// What comes next of a kind. A payment is made for it where that is needed; where nothing was told yet, or nobody is
    /// left to pay, a payment of another merchant comes instead.
    ///
    /// # Errors
    /// When the payment cannot be made.
    pub(super) async fn delivery(&mut self, stack: &Stack, kind: Kind, dice: u64) -> Result<Delivery> {
        let path = format!("/webhooks/viva/{}", self.endpoint);
        let viva = &stack.simulators()?.viva;
        let earlier = usize::try_from(dice).unwrap_or(0).checked_rem(self.told.len());
        let earlier = earlier.and_then(|at| self.told.get(at).cloned());
        let fresh = || Uuid::new_v4().to_string();
        let (kind, body) = match (kind, earlier) {
            (Kind::Payment, _) if !self.waiting.is_empty() => {
                let (order, code) = self.waiting.pop().context("nobody is left to pay")?;
                let told = viva.pay(&Pay { deliver: false, ..Pay::new(code) }).await;
                let body = told.map_err(|refused| anyhow!("{refused:?}"))?.event.get().to_owned();
                self.paid.push(order);
                self.told.push(body.clone());
                (kind, body)
            }
            (Kind::Unmatched, _) => {
                // Nobody has made this order, here or there.
                let code = OrderCode(1_000_000_000_000_000 + dice % 8_000_000_000_000_000);
                let wish = Pay { deliver: false, amount: Some(TOTAL), ..Pay::new(code) };
                let told = viva.pay(&wish).await.map_err(|refused| anyhow!("{refused:?}"))?;
                (kind, told.event.get().to_owned())
            }
            (Kind::Repeat | Kind::WrongAddress, Some(earlier)) => (kind, earlier),
            (Kind::Forged, Some(earlier)) => {
                (kind, altered(&earlier, |event| event["EventData"]["Amount"] = json!(1.00))?)
            }
            (Kind::Invented, Some(earlier)) => {
                (kind, altered(&earlier, |event| event["EventData"]["TransactionId"] = json!(fresh()))?)
            }
            (Kind::OtherEvent, Some(earlier)) => {
                let other = altered(&earlier, |event| {
                    event["EventTypeId"] = json!(2054);
                    event["MessageId"] = json!(fresh());
                })?;
                (kind, other)
            }
            (Kind::Garbage, _) => (kind, "EventTypeId=1796&OrderCode=1".to_owned()),
            _ => (Kind::Elsewhere, elsewhere(stack.seed())),
        };
        let path = if kind == Kind::WrongAddress { format!("{path}x") } else { path };
        let transaction = kind.parks().and_then(|_| transaction(&body));
        Ok(Delivery { kind, path, transaction, body })
    }
}

/// What is told of another merchant's payment.
fn elsewhere(seed: &Seed) -> String {
    let id = || Uuid::new_v4().to_string();
    json!({
        "EventTypeId": 1796, "MessageId": id(), "CorrelationId": id(), "RecipientId": id(),
        "EventData": { "MerchantId": id(), "TransactionId": id(), "OrderCode": 2_451_234_567_890_123_u64,
                       "Amount": 747.00, "CurrencyCode": "752", "StatusId": "F", "SourceCode": seed.viva.source_code },
    })
    .to_string()
}

/// A delivery with something else in it.
fn altered(event: &str, change: impl FnOnce(&mut Value)) -> Result<String> {
    let mut event = serde_json::from_str(event).context("an event is no JSON")?;
    change(&mut event);
    Ok(event.to_string())
}

/// The transaction that a delivery names.
fn transaction(event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    Some(event["EventData"]["TransactionId"].as_str()?.to_owned())
}
