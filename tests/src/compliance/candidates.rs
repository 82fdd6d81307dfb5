//! The candidates: one for each provider that is called.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bokbro_app::app::App;
use bokbro_app::error::Error;
use bokbro_app::ports::{
    Access, Clock as _, Directory as _, Effector, Found, ParcelWish, SendError, Shipping,
};
use bokbro_connectors::kit::Wire;
use bokbro_connectors::{fortnox, ongoing, visma, viva};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::posting::{Chart, DayVoucher, PostingProfile, VoucherRow, plan, swedish_day};
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::ongoing::OngoingConfig;
use bokbro_simulators::visma::VismaConfig;
use bokbro_simulators::viva::VivaConfig;
use futures::future::{BoxFuture, FutureExt as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::Scene;
use crate::visma_world::VismaWorld;
use crate::world::{COMPANY, World, provider, sample, tenant};

/// One provider as the suite tries it.
pub struct Candidate {
    /// Its name in the registry.
    pub name: &'static str,
    /// The documents that an order can become there, by names of the scene's own; none for a provider that is only read.
    pub ways: &'static [&'static str],
    /// Every step of these ways, as it stands in ledgers for good: a name is never changed, only added.
    pub steps: &'static [&'static str],
    /// Starts a world with a stand-in.
    pub start: fn(Arc<dyn Wire>) -> Starting,
}

/// A scene that is being started.
pub type Starting = BoxFuture<'static, Box<dyn Scene>>;

/// All of them.
#[must_use]
pub fn candidates() -> [Candidate; 4] {
    [
        Candidate {
            name: fortnox::NAME,
            ways: &[INVOICE, ORDER_AND_INVOICE, VOUCHER],
            steps: &[
                "customer",
                "order",
                "invoice",
                "date_invoice",
                "bookkeep_invoice",
                "payment",
                "bookkeep_payment",
                "voucher",
            ],
            start: |wire| {
                let begin = async {
                    let holds = |world: &World| listed(&world.fortnox.books(COMPANY));
                    let issued = |world: &World| world.fortnox.secrets_issued();
                    Stand::of(fortnox::NAME, world(wire).await, |world| world, holds, issued)
                };
                begin.boxed()
            },
        },
        Candidate {
            name: visma::NAME,
            ways: &[INVOICE, ALL_RATES, VOUCHER],
            steps: &[
                "customer",
                "article_25",
                "article_12",
                "article_6",
                "article_0",
                "draft",
                "price_draft",
                "invoice",
                "payment",
                "voucher_draft",
                "voucher",
            ],
            start: |wire| {
                let begin = async {
                    let config = VismaConfig::default();
                    let world = VismaWorld::start_over(wire, PostingProfile::Invoice, config).await;
                    let issued = |world: &VismaWorld| world.visma.secrets_issued();
                    Stand::of(visma::NAME, world, |world| world, |world| listed(&world.all_books()), issued)
                };
                begin.boxed()
            },
        },
        Candidate {
            name: ongoing::NAME,
            ways: &[PARCEL],
            steps: &["articles", "order", "cancel"],
            start: |wire| {
                let begin = async {
                    let world = world(wire).await;
                    world.ship_with(ongoing::NAME).await;
                    let holds = |world: &World| world.ongoing.orders().len();
                    let issued = |_: &World| vec![OngoingConfig::default().password];
                    Stand::of(ongoing::NAME, world, |world| world, holds, issued)
                };
                begin.boxed()
            },
        },
        Candidate {
            name: viva::NAME,
            ways: &[],
            steps: &[],
            start: |wire| {
                let begin = async {
                    let issued = |world: &World| world.viva.secrets_issued();
                    Stand::of(viva::NAME, world(wire).await, |world| world, |_| 0, issued)
                };
                begin.boxed()
            },
        },
    ]
}

async fn world(wire: Arc<dyn Wire>) -> World {
    let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
    World::start_over(wire, PostingProfile::Invoice, config, VivaConfig::default()).await
}

const INVOICE: &str = "invoice";
const ORDER_AND_INVOICE: &str = "order_and_invoice";
const ALL_RATES: &str = "invoice_of_all_rates";
const VOUCHER: &str = "voucher_of_a_day";
const PARCEL: &str = "parcel";

/// A world whose tenant is connected to the provider.
struct Stand<W> {
    name: &'static str,
    world: W,
    /// The world within.
    within: fn(&W) -> &World,
    /// How many documents the provider holds.
    holds: fn(&W) -> usize,
    /// What the provider has given out in secret.
    issued: fn(&W) -> Vec<String>,
    orders: Mutex<BTreeMap<String, Order>>,
    /// The books' accounts, read once as the worker does it.
    chart: OnceCell<Chart>,
}

impl<W: Send + Sync + 'static> Stand<W> {
    fn of(
        name: &'static str,
        world: W,
        within: fn(&W) -> &World,
        holds: fn(&W) -> usize,
        issued: fn(&W) -> Vec<String>,
    ) -> Box<dyn Scene> {
        Box::new(Self {
            name,
            world,
            within,
            holds,
            issued,
            orders: Mutex::default(),
            chart: OnceCell::new(),
        })
    }

    fn world(&self) -> &World {
        (self.within)(&self.world)
    }

    /// A paid order of a buyer of its own.
    async fn order(&self, way: &str, number: u32) -> Order {
        let number = format!("{way}-{number}");
        let known = self.orders.lock().unwrap().get(&number).cloned();
        if let Some(known) = known {
            return known;
        }
        let mut body = if way == ALL_RATES { all_rates() } else { sample() };
        body["order_number"] = json!(number);
        body["customer"]["email"] = json!(format!("{number}@example.se"));
        let mut order = self.world().post(&body).await.unwrap();
        order.state = OrderState::Paid;
        order.payment.captured = order.body.total;
        order.payment.paid_at = Some(order.created_at);
        self.orders.lock().unwrap().insert(number, order.clone());
        order
    }

    async fn books(&self, access: Access, order: &Order, profile: PostingProfile) -> Box<dyn Effector> {
        let accounting = self.world().app.providers.accounting(&provider(self.name)).unwrap();
        let chart = self.chart.get_or_init(async || accounting.read_chart(&access).await.unwrap()).await;
        accounting.effector(access, plan(order, chart, profile, false).unwrap())
    }

    fn voucher(&self, access: Access, order: &Order) -> Box<dyn Effector> {
        let kr = |text: &str| Money::parse_major(text, Currency::SEK).unwrap();
        let row =
            |account: u16, amount: &str| VoucherRow { account, amount: kr(amount), text: "Day".to_owned() };
        let voucher = DayVoucher {
            reference: order.id.to_string(),
            date: swedish_day(order.created_at),
            text: format!("Sales of {}", order.body.order_number),
            rows: vec![row(1580, "747.00"), row(2611, "-149.40"), row(3001, "-597.60")],
        };
        self.world().app.providers.vouchers(&provider(self.name)).unwrap().effector(access, voucher)
    }

    fn parcel(&self, access: &Access, order: &Order) -> Box<dyn Effector> {
        let Some(Shipping::Ours(warehouse)) = self.world().app.providers.shipping(&provider(self.name))
        else {
            panic!("{} is no warehouse", self.name)
        };
        let way = |wish| warehouse.effector(access.clone(), order, wish).unwrap();
        Box::new(Row([way(ParcelWish::Ship), way(ParcelWish::Cancel)]))
    }
}

#[async_trait]
impl<W: Send + Sync + 'static> Scene for Stand<W> {
    fn app(&self) -> &App {
        &self.world().app
    }

    async fn access(&self) -> Access {
        let world = self.world();
        let connection = world.store.connection_get(&tenant(), &provider(self.name)).await.unwrap().unwrap();
        let deadline = world.clock.now() + SignedDuration::from_secs(110);
        world.app.access.open(connection).await.unwrap().until(deadline)
    }

    async fn effector(&self, way: &str, number: u32) -> Box<dyn Effector> {
        let order = self.order(way, number).await;
        let access = self.access().await;
        match way {
            PARCEL => self.parcel(&access, &order),
            VOUCHER => self.voucher(access, &order),
            ORDER_AND_INVOICE => self.books(access, &order, PostingProfile::OrderAndInvoice).await,
            _ => self.books(access, &order, PostingProfile::Invoice).await,
        }
    }

    fn documents(&self) -> usize {
        (self.holds)(&self.world)
    }

    fn secrets(&self) -> Vec<String> {
        (self.issued)(&self.world)
    }
}

/// How many documents there are in lists by kind.
fn listed(books: &Value) -> usize {
    books.as_object().unwrap().values().filter_map(Value::as_array).map(Vec::len).sum()
}

/// A line at every rate.
fn all_rates() -> Value {
    let mut body = sample();
    let line = |rate: &str| json!({"kind": "goods", "sku": "S", "text": rate, "quantity": "1", "unit_price": "112.00", "vat_rate": rate});
    body["lines"] = json!(["25", "12", "6", "0"].map(line));
    body["total"] = json!("448.00");
    body
}

/// One way after the other, as the ledger of one order has them.
struct Row([Box<dyn Effector>; 2]);

impl Row {
    fn of(&self, step: &StepName) -> &dyn Effector {
        &**self.0.iter().find(|way| way.steps().contains(step)).unwrap()
    }
}

#[async_trait]
impl Effector for Row {
    fn steps(&self) -> Vec<StepName> {
        self.0.iter().flat_map(|way| way.steps()).collect()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        self.of(step).intent(step, ledger)
    }

    async fn look_up(&self, intent: &Intent, ledger: &Ledger) -> Result<Found, Error> {
        self.of(&intent.step).look_up(intent, ledger).await
    }

    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        self.of(&intent.step).adopt(intent, number, ledger).await
    }

    async fn send(&self, intent: &Intent, ledger: &Ledger) -> Result<Receipt, SendError> {
        self.of(&intent.step).send(intent, ledger).await
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        self.of(step).number_name(step)
    }
}
