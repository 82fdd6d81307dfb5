//! One voucher per day: what orders become in the books of a merchant who wants no invoice for each, in both ledger
//! programs.

mod aws;
mod bad_days;
mod flows;
mod many;
mod people;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use bokbro_connectors::kit::Transport;
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::visma::{Rotation, Visma, VismaConfig};
use bokbro_simulators::viva::{OrderCode, Pay, Refund, VivaConfig};
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::{COMPANY, Simulators, World, sample};
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// `TransactionTypeId`s at the payment provider.
const CARD: u16 = 5;
const SWISH: u16 = 70;

/// Which ledger program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Fortnox,
    Visma,
}

const BOTH: [Program; 2] = [Program::Fortnox, Program::Visma];

/// A world whose merchant has a voucher per day, at ten in the morning of the tenth of a month: no test depends on when it
/// runs, and both tomorrow and yesterday are in the same year.
struct Shop {
    world: Books,
    /// The day on which it begins.
    today: Date,
}

/// A world and its ledger program.
enum Books {
    Fortnox(Box<World>),
    Visma(Box<VismaWorld>),
}

/// A voucher as either program has it.
#[derive(Debug, PartialEq, Eq)]
struct Voucher {
    date: String,
    text: String,
    /// Öre by account, debit positive; rows of one account added up.
    rows: BTreeMap<u64, i64>,
    number: String,
}

impl Deref for Shop {
    type Target = World;

    fn deref(&self) -> &World {
        match &self.world {
            Books::Fortnox(world) => world,
            Books::Visma(world) => world,
        }
    }
}

impl DerefMut for Shop {
    fn deref_mut(&mut self) -> &mut World {
        match &mut self.world {
            Books::Fortnox(world) => world,
            Books::Visma(world) => world,
        }
    }
}

impl Shop {
    #[allow(clippy::disallowed_methods, reason = "the simulators live in real time; the world starts there")]
    async fn open(program: Program) -> Self {
        let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
        let simulators = Simulators::start(config, VivaConfig::default()).await;
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let now = Timestamp::now().to_zoned(zone.clone());
        let today = now.date().with().day(10).build().unwrap();
        let ten = today.to_datetime(time(10, 0, 0, 0)).to_zoned(zone).unwrap().timestamp();
        simulators.viva.kit.clock.set(ten);
        simulators.fortnox.clock.set(ten);
        let wire = Arc::new(Transport::new().unwrap());
        let profile = PostingProfile::VoucherPerDay;
        let world = World::begin(simulators, wire.clone(), profile, ten).await;
        let world = match program {
            Program::Fortnox => Books::Fortnox(Box::new(world)),
            Program::Visma => {
                // A worker that dies with a token that rotates loses the consent, which other tests are about.
                let rotation = Rotation::Reusable;
                let config = VismaConfig { rate_limited: false, rotation, ..VismaConfig::default() };
                let visma = Visma::start(config.clone()).await.unwrap();
                visma.clock.set(ten);
                visma.reset();
                Books::Visma(Box::new(VismaWorld::over(world, visma, wire, profile, &config).await))
            }
        };
        Self { world, today }
    }

    /// Lets time pass, for everybody.
    fn pass(&mut self, time: SignedDuration) {
        self.clock.advance(Duration::try_from(time).unwrap());
        self.viva.kit.clock.advance(time);
        self.fortnox.clock.advance(time);
        if let Books::Visma(world) = &self.world {
            world.visma.clock.advance(time);
        }
    }

    /// Lets the night come, up to a quarter past two or so; the schedule does not tick.
    fn night(&mut self) {
        self.pass(SignedDuration::from_mins(16 * 60 + 15));
    }

    /// Lets the rest of the day and the night pass, and has the schedule tick.
    async fn day_ends(&mut self) {
        self.night();
        self.tick().await;
        self.settle().await;
    }

    /// From the night to ten in the morning.
    fn morning(&mut self) {
        self.pass(SignedDuration::from_mins(7 * 60 + 45));
    }

    /// Posts an order and pays it; gives its webhook, which is not sent.
    async fn sell(&self, number: &str, body: Value, type_id: u16) -> (Order, OrderCode, String) {
        let (order, code) = self.order(number, body).await;
        let pay = Pay { deliver: false, type_id: Some(type_id), ..Pay::new(code) };
        let told = self.viva.pay(&pay).await.unwrap();
        (order, code, told.event.get().to_owned())
    }

    /// The same, and the webhook is sent and dealt with.
    async fn sold(&mut self, number: &str, body: Value, type_id: u16) -> OrderId {
        let (order, _, event) = self.sell(number, body, type_id).await;
        self.tell(&event).await;
        order.id
    }

    async fn tell(&mut self, event: &str) {
        self.webhook(event).await;
        self.settle().await;
    }

    /// Gives money of an order back, all that is left without an amount; gives the webhook, which is not sent.
    async fn give_back(&self, order: &OrderId, amount: Option<&str>) -> String {
        let order = self.show(order).await;
        let payment = &order.payment.transactions[0];
        let wish = json!({ "transaction_id": payment, "amount": amount, "deliver": false });
        let wish: Refund = serde_json::from_value(wish).unwrap();
        self.viva.refund(&wish).await.unwrap().event.get().to_owned()
    }

    fn documents(&self, kind: &str) -> Vec<Value> {
        match &self.world {
            Books::Fortnox(world) => {
                world.fortnox.books(COMPANY)[kind].as_array().cloned().unwrap_or_default()
            }
            Books::Visma(world) => world.books(kind),
        }
    }

    /// All vouchers; each of them balances.
    fn vouchers(&self) -> Vec<Voucher> {
        let names = match &self.world {
            Books::Fortnox(_) => {
                ["VoucherRows", "Account", "Debit", "Credit", "TransactionDate", "Description"]
            }
            Books::Visma(_) => {
                ["Rows", "AccountNumber", "DebitAmount", "CreditAmount", "VoucherDate", "VoucherText"]
            }
        };
        let [rows, account, debit, credit, date, text] = names;
        let mut vouchers = Vec::new();
        for voucher in self.documents("vouchers") {
            let mut by_account: BTreeMap<u64, i64> = BTreeMap::new();
            for row in voucher[rows].as_array().unwrap() {
                let amount = |side: &str| row[side].to_string().parse::<Decimal>().unwrap_or_default();
                let moved = (amount(debit) - amount(credit)) * Decimal::ONE_HUNDRED;
                let account = row[account].to_string().trim_matches('"').parse().unwrap();
                *by_account.entry(account).or_default() += i64::try_from(moved).unwrap();
            }
            assert_eq!(by_account.values().sum::<i64>(), 0, "a voucher does not balance: {voucher}");
            by_account.retain(|_, sum| *sum != 0);
            let number = match &self.world {
                Books::Fortnox(_) => voucher["VoucherNumber"].to_string(),
                Books::Visma(_) => voucher["NumberAndNumberSeries"].as_str().unwrap().to_owned(),
            };
            vouchers.push(Voucher {
                date: voucher[date].as_str().unwrap()[..10].to_owned(),
                text: voucher[text].as_str().unwrap().to_owned(),
                rows: by_account,
                number,
            });
        }
        vouchers
    }

    /// How an order stands in the books, and its message.
    async fn stands(&self, id: &OrderId) -> (SyncState, Option<String>) {
        let order = self.show(id).await;
        (order.accounting.state, order.accounting.message.map(|said| said.to_string()))
    }

    /// That an order waits for the voucher of a day.
    async fn waits(&self, id: &OrderId, day: Date) {
        let message = format!("Will be booked with the voucher of {day}.");
        assert_eq!(self.stands(id).await, (SyncState::Waiting, Some(message)), "{:?}", self.errors);
    }

    /// That orders are done, and nothing waits for a human; gives their voucher numbers and those of their credits.
    async fn done(&self, ids: &[&OrderId]) -> Vec<[Option<String>; 2]> {
        let mut numbers = Vec::new();
        for id in ids {
            let order = self.show(id).await;
            let books = &order.accounting;
            assert_eq!(
                (books.state, &books.day, &books.message),
                (SyncState::Done, &None, &None),
                "{:?}",
                self.errors
            );
            assert!(!order.books_lack());
            numbers.push(
                ["voucher_number", "credit_voucher_number"].map(|name| books.numbers.get(name).cloned()),
            );
        }
        assert!(self.parked().await.is_empty() && self.dead.is_empty(), "{:?}", self.parked().await);
        assert!(self.documents("invoices").is_empty(), "no order has a document of its own");
        numbers
    }

    /// Names of what happened to an order.
    async fn history(&self, id: &OrderId) -> Vec<String> {
        let page =
            self.app.orders.timeline_list(&bokbro_tests::world::tenant(), id, 100, None).await.unwrap();
        page.items.into_iter().map(|entry| entry.event).collect()
    }

    /// How many batches still need a worker.
    async fn open_days(&self) -> usize {
        self.app.days.days_open(&bokbro_tests::world::tenant(), 100, None).await.unwrap().items.len()
    }
}

/// An order of one line.
fn one(price: &str, vat_rate: &str) -> Value {
    let mut body = sample();
    body["lines"] = json!([{ "kind": "goods", "sku": "BOOK", "text": "Bok", "quantity": "1", "unit_price": price, "vat_rate": vat_rate }]);
    body["total"] = json!(price);
    body
}

/// Two oils and their freight at 25 %, 747.00, and lines at the other rates: 112.00, 106.00 and 50.00.
fn every_rate() -> Value {
    let mut body = sample();
    for (price, vat_rate) in [("112.00", "12"), ("106.00", "6"), ("50.00", "0")] {
        body["lines"]
            .as_array_mut()
            .unwrap()
            .extend(one(price, vat_rate)["lines"].as_array().unwrap().clone());
    }
    body["total"] = json!("1015.00");
    body
}
