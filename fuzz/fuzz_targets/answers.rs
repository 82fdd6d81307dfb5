//! What providers answer: whatever bytes come with whatever status to whichever call, nothing panics, and no write counts
//! as done by a refusal.
//!
//! The first byte chooses the status, the rest is the body of every answer.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::{
    Access, ConsentRequest, Effector, Pace, ParcelWish, Providers as _, Register, Shipping, Span, Tokens,
};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::wire::order_in::read_order;
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Wire};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{CheckoutCode, OrderId, Provider, TenantId, TransactionId};
use bokbro_domain::order::Order;
use bokbro_domain::posting::{AccountRole, Chart, Posting, PostingProfile, plan};
use bytes::Bytes;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Statuses worth trying, chosen by the first byte.
const STATUSES: [u16; 12] = [200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503];

/// Answers every request alike.
#[derive(Default)]
struct Alike(Mutex<(u16, Bytes)>);

#[async_trait]
impl Wire for Alike {
    async fn exchange(&self, _: &Request, _: &Authorization) -> Result<Answer, NoAnswer> {
        let (status, body) = self.0.lock().expect("nobody panics with it").clone();
        Ok(Answer { status, retry_after: None, content_type: None, x_uid: None, body })
    }
}

/// A way in that is never in the way.
struct Open;

#[async_trait]
impl Tokens for Open {
    async fn token(&self) -> Result<SecretText, Error> {
        Ok(SecretText::new("t".to_owned()))
    }

    async fn refused(&self, _: &SecretText) {}
}

#[async_trait]
impl Pace for Open {
    async fn admit(&self, _: Option<Timestamp>) -> Result<(), Error> {
        Ok(())
    }

    async fn take(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    async fn slow_down(&self, _: &str, _: Option<Duration>) -> Option<Error> {
        None
    }
}

struct Bench {
    wire: Arc<Alike>,
    registry: Registry,
    order: Order,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let wire = Arc::new(Alike::default());
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH, 1));
    let registry = Registry::over(Urls::default(), wire.clone(), clock);
    let body = read_order(include_bytes!("../seeds/orders/private.json")).expect("is an order");
    let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").expect("is an id");
    let tenant = TenantId::parse("demo").expect("is a tenant");
    Bench { wire, registry, order: Order::new(id, tenant, body, Timestamp::UNIX_EPOCH) }
});

fn access(provider: &Provider) -> Access {
    let names = ["tenant_id", "merchant_id", "warehouse"];
    let mut settings: BTreeMap<_, _> = names.map(|name| (name.to_owned(), "1".to_owned())).into();
    settings.insert("goods_owner_id".to_owned(), "1".to_owned());
    let secrets = ["merchant_id", "api_key", "client_id", "client_secret", "user", "password"];
    let secrets = secrets.map(|name| (name.to_owned(), SecretText::new("s".to_owned())));
    let connection = Connection {
        tenant: TenantId::parse("demo").expect("is a tenant"),
        provider: provider.clone(),
        state: ConnectionState::Healthy,
        settings,
        chart: None,
    };
    Access {
        connection: Arc::new(connection),
        credentials: Arc::new(Credentials::new(secrets)),
        tokens: Arc::new(Open),
        pace: Arc::new(Open),
        deadline: None,
    }
}

/// Takes every step as a worker does. With 4xx and 5xx nothing may count as done.
async fn take(effector: &dyn Effector) {
    let mut ledger = Ledger::default();
    for step in effector.steps() {
        let Ok(Some(intent)) = effector.intent(&step, &ledger) else { continue };
        effector.look_up(&intent, &ledger).await.ok();
        if let Ok(receipt) = effector.send(&intent, &ledger).await {
            let status = BENCH.wire.0.lock().expect("nobody panics with it").0;
            assert!(status < 400, "{} counts as done after a {status}", step.0);
            ledger.mark_sent(&intent, Timestamp::UNIX_EPOCH);
            ledger.mark_done(&step, receipt, Timestamp::UNIX_EPOCH);
        }
    }
}

/// What the order becomes in the books, with an account for everything.
fn posting(order: &Order) -> Posting {
    let accounts = AccountRole::ALL.map(|role| (role, 3000)).into();
    let chart = Chart { accounts, ..Chart::default() };
    let mut order = order.clone();
    order.payment.paid_at = Some(Timestamp::UNIX_EPOCH);
    order.payment.captured = order.body.total;
    plan(&order, &chart, PostingProfile::Invoice, false).expect("can be booked")
}

async fn everything(bench: &Bench, provider: &Provider) {
    let Bench { registry, order, .. } = bench;
    let access = access(provider);
    let own = access.credentials.clone();
    if let Some(payments) = registry.payments(provider) {
        let id = TransactionId::parse("b1a3067c-321b-4ec6-bc9d-1778aef2a19d").expect("is an id");
        payments.transaction(&access, &id).await.ok();
        payments.transactions_of(&access, CheckoutCode(2_451_234_567_890_123)).await.ok();
        payments.checkout(&access, CheckoutCode(2_451_234_567_890_123)).await.ok();
    }
    if let Some(accounting) = registry.accounting(provider) {
        accounting.read_chart(&access).await.ok();
        take(&*accounting.effector(access.clone(), posting(order))).await;
    }
    if let Some(registers) = registry.registers(provider) {
        for register in Register::ALL {
            registers.page(&access, register, Span::All, 1).await.ok();
            registers.entry(&access, register, "1").await.ok();
        }
    }
    if let Some(Shipping::Ours(warehouse)) = registry.shipping(provider) {
        warehouse.shipment(&access, &order.id, &order.body.order_number).await.ok();
        warehouse.changes(&access, Timestamp::UNIX_EPOCH, None).await.ok();
        warehouse.stock(&access, None, None).await.ok();
        if let Ok(effector) = warehouse.effector(access.clone(), order, ParcelWish::Ship) {
            take(&*effector).await;
        }
    }
    if let Some(tokens) = registry.tokens(provider) {
        tokens.client_credentials(&access.connection, &own, &own).await.ok();
        tokens.refresh(&access.connection, &own, &SecretText::new("r".to_owned())).await.ok();
    }
    if let Some(oauth) = registry.oauth(provider) {
        let request = ConsentRequest {
            redirect_uri: "https://books.example.se/oauth".to_owned(),
            state: "s".to_owned(),
            service_account: true,
        };
        oauth.exchange(&own, &SecretText::new("c".to_owned()), &request).await.ok();
    }
    if let Some(checkup) = registry.checkup(provider) {
        checkup.check(&access).await.ok();
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else { return };
    let bench = &*BENCH;
    let status = STATUSES[usize::from(*first) % STATUSES.len()];
    *bench.wire.0.lock().expect("nobody panics with it") = (status, Bytes::copy_from_slice(body));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built");
    for provider in bench.registry.names() {
        runtime.block_on(everything(bench, &provider));
    }
});
