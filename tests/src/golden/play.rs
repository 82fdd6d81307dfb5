//! Plays a case in a world of its own, with one of the ledger programs, and tells what was written there.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::orders::Refusal;
use bokbro_app::parked::{Answer, parked_resolve};
use bokbro_app::ports::{Clock as _, Directory as _};
use bokbro_connectors::kit::Transport;
use bokbro_domain::ids::CorrelationId;
use bokbro_domain::order::Order;
use bokbro_simulators::fortnox::{AccountingMethod, FortnoxConfig};
use bokbro_simulators::visma::{Visma, VismaConfig};
use bokbro_simulators::viva::{Currency, NewOrder, OrderCode, Pay, Refund, VivaConfig};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::case::{ByHand, Case, Click, Event, Other, Switches};
use super::json::Json;
use super::recorder::Recorder;
use crate::visma_world::VismaWorld;
use crate::world::{Simulators, World, tenant};

/// `TransactionTypeId` of a payment by Swish.
const SWISH: u16 = 70;

/// Length of `day_` and a stamp.
const DAY_REFERENCE: usize = 30;

/// A ledger program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Fortnox,
    Visma,
}

impl Program {
    pub(super) const ALL: [Self; 2] = [Self::Fortnox, Self::Visma];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fortnox => "fortnox",
            Self::Visma => "visma",
        }
    }
}

/// What came of a case at one ledger program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The order was not taken.
    Refused(Json),
    /// It was.
    Taken {
        /// Writes to the ledger program.
        sent: Vec<Json>,
        /// What waits for a human in the end.
        parked: Vec<Json>,
        /// What the ledger program then has in its books.
        vouchers: Vec<Json>,
    },
}

/// A world and its ledger program.
enum Books {
    Fortnox(World),
    Visma(VismaWorld),
}

impl Books {
    fn world(&mut self) -> &mut World {
        match self {
            Self::Fortnox(world) => world,
            Self::Visma(world) => world,
        }
    }

    fn configure(&self, switches: &Switches) {
        match self {
            Self::Fortnox(world) => {
                switches.fortnox.iter().for_each(|switches| world.fortnox.configure(switches).unwrap());
            }
            Self::Visma(world) => {
                switches.visma.iter().for_each(|switches| world.visma.configure(switches).unwrap());
            }
        }
    }

    fn clicks<'a>(&self, by_hand: &'a ByHand) -> &'a [Click] {
        match self {
            Self::Fortnox(_) => &by_hand.fortnox,
            Self::Visma(_) => &by_hand.visma,
        }
    }

    async fn click(&self, click: &Click, recorder: &Recorder) {
        let resolved = |text: &str| recorder.with_names(|names| names.resolved(text));
        let body = |click: &Click| {
            click
                .body
                .as_ref()
                .map(|body| serde_json::from_str::<Value>(&resolved(&body.to_string())).unwrap())
        };
        match self {
            Self::Fortnox(world) => {
                let (method, path) = click.request.split_once(' ').unwrap();
                world.by_hand(method, path, body(click)).await;
            }
            Self::Visma(world) => {
                for register in ["termsofpayments", "articleaccountcodings", "units"] {
                    let shown = world.by_hand("GET", &format!("/{register}"), None).await.to_string();
                    recorder.with_names(|names| names.learn(&format!("/v2/{register}"), shown.as_bytes()));
                }
                let (method, path) = click.request.split_once(" /v2").unwrap();
                world.by_hand(method, &resolved(path), body(click)).await;
            }
        }
    }

    /// The vouchers, each as its day and what it moves: debit is positive, credit negative.
    fn vouchers(&self) -> Vec<Json> {
        let (vouchers, date, rows, account, debit, credit) = match self {
            Self::Fortnox(world) => {
                (world.books("vouchers"), "TransactionDate", "VoucherRows", "Account", "Debit", "Credit")
            }
            Self::Visma(world) => (
                world.books("vouchers"),
                "VoucherDate",
                "Rows",
                "AccountNumber",
                "DebitAmount",
                "CreditAmount",
            ),
        };
        let shown = |voucher: &Value| {
            let mut sum = Decimal::ZERO;
            let moves = voucher[rows].as_array().unwrap().iter().map(|row| {
                let amount = |side: &str| row[side].to_string().parse::<Decimal>().unwrap_or_default();
                let moved = amount(debit) - amount(credit);
                sum += moved;
                format!("{} {moved:+.2}", row[account])
            });
            let moves: Vec<String> = moves.collect();
            assert!(sum.is_zero(), "a voucher does not balance: {voucher}");
            let day = voucher[date].as_str().unwrap().chars().take(10).collect::<String>();
            Json::text(&format!("{day}: {}", moves.join(", ")))
        };
        vouchers.iter().map(shown).collect()
    }
}

/// Plays a case.
pub(super) async fn play(case: &Case, program: Program, transport: &Transport) -> Outcome {
    let start = case.happens.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at);
    let (mut books, recorder) = open(case, program, transport, start).await;
    // An order is made when its buyer is about to pay; what the bookkeeper did before comes first.
    let ordered = case.happens.iter().position(|event| event.paid.is_some()).unwrap_or(0);
    let (before, after) = case.happens.split_at(ordered);
    for event in before {
        set_up(&mut books, event, &recorder).await;
    }
    if let Some(event) = after.first() {
        pass_until(&mut books, event.at, &recorder);
    }
    let (order, code) = match post(books.world(), &case.order).await {
        Ok(posted) => posted,
        Err(Refusal::Invalid(error)) => {
            let members = [("field", error.field), ("message", error.message.to_string())];
            return Outcome::Refused(object(&members));
        }
        Err(other) => panic!("{}: {other}", case.about),
    };
    recorder.with_names(|names| names.add(order.id.as_str(), "order id"));
    let mut untold = Vec::new();
    for (nth, event) in after.iter().enumerate() {
        set_up(&mut books, event, &recorder).await;
        happen(books.world(), event, code, &mut untold).await;
        if nth == 0 {
            for other in &case.others {
                buy(books.world(), other, &recorder).await;
            }
        }
    }
    let world = books.world();
    assert!(world.dead.is_empty(), "{}: {:?}", case.about, world.errors);
    let named = |text: &str| recorder.with_names(|names| names.named(text));
    let parked = world.parked().await;
    let parked =
        parked.iter().map(|one| object(&[("code", one.code.clone()), ("message", named(&one.message))]));
    let parked: Vec<Json> = parked.collect();
    let sent = recorder.sent();
    name_customer(&order, &sent, &recorder);
    name_days(&sent, &recorder);
    let named_json = |json: &Json| Json::parse(&named(&json.to_string())).unwrap();
    Outcome::Taken { sent: sent.iter().map(named_json).collect(), parked, vouchers: books.vouchers() }
}

/// Lets the time pass until then, for everybody.
fn pass_until(books: &mut Books, then: Timestamp, recorder: &Recorder) {
    let clock = &books.world().clock;
    clock.advance(Duration::try_from(then.duration_since(clock.now())).unwrap_or_default());
    recorder.tick();
}

/// Does what an event does to the ledger program, at its time.
async fn set_up(books: &mut Books, event: &Event, recorder: &Recorder) {
    pass_until(books, event.at, recorder);
    books.configure(&event.programs);
    for click in books.clicks(&event.by_hand) {
        books.click(click, recorder).await;
    }
}

/// A world in which nothing has happened yet.
async fn open(
    case: &Case,
    program: Program,
    transport: &Transport,
    start: Timestamp,
) -> (Books, Arc<Recorder>) {
    let currency = if case.order["currency"] == json!("EUR") { Currency(978) } else { Currency(752) };
    let account = VivaConfig { currency, ..VivaConfig::default() };
    let cash_method = case.settings.cash_method;
    let accounting_method = if cash_method { AccountingMethod::Cash } else { AccountingMethod::Accrual };
    let config = FortnoxConfig { rate_limited: false, accounting_method, ..FortnoxConfig::default() };
    let simulators = Simulators::start(config, account).await;
    let config = VismaConfig { rate_limited: false, cash_method, ..VismaConfig::default() };
    let visma = Visma::start(config.clone()).await.unwrap();
    let clocks = [&simulators.fortnox.clock, &simulators.viva.kit.clock, &visma.clock];
    for clock in clocks {
        clock.freeze();
        clock.set(start - SignedDuration::from_hours(24));
    }
    let clocks = clocks.map(Clone::clone).to_vec();
    // The registers hold the financial year of the day before, and another year when a case opens it.
    simulators.fortnox.reset();
    visma.reset();
    let ledger = match program {
        Program::Fortnox => &simulators.fortnox.url,
        Program::Visma => &visma.url,
    };
    let recorder = Arc::new(Recorder::new(transport.clone(), ledger, clocks));
    let profile = case.settings.profile;
    let world = World::begin(simulators, recorder.clone(), profile, start).await;
    recorder.follow(world.clock.clone());
    let books = match program {
        Program::Fortnox => Books::Fortnox(world),
        Program::Visma => {
            Books::Visma(VismaWorld::over(world, visma, recorder.clone(), profile, &config).await)
        }
    };
    books.configure(&case.settings.programs);
    let mut books = books;
    let world = books.world();
    let mut settings = world.store.settings_get(&tenant()).await.unwrap().unwrap();
    settings.accounts.clone_from(&case.settings.accounts);
    world.store.settings_put(&tenant(), &settings).await.unwrap();
    (books, recorder)
}

/// Posts an order with its code at the payment provider.
async fn post(world: &World, body: &Value) -> Result<(Order, Option<OrderCode>), Refusal> {
    let mut body = body.clone();
    let code = checkout(world, &body);
    body["viva_order_code"] = code.map_or(Value::Null, |code| json!(code.0.to_string()));
    world.post(&body).await.map(|order| (order, code))
}

/// Posts another order, pays it in full and tells of it.
async fn buy(world: &mut World, other: &Other, recorder: &Recorder) {
    let (order, code) = post(world, &other.order).await.unwrap();
    recorder.with_names(|names| names.add(order.id.as_str(), "order id"));
    let type_id = other.by_swish.then_some(SWISH);
    let told = world.viva.pay(&Pay { type_id, deliver: false, ..Pay::new(code.unwrap()) }).await.unwrap();
    world.webhook(told.event.get()).await;
    world.settle().await;
}

/// Makes the order at the payment provider, unless there is nothing to be paid.
fn checkout(world: &World, body: &Value) -> Option<OrderCode> {
    let total: Decimal = body["total"].as_str()?.parse().ok()?;
    let minor = i64::try_from(total * Decimal::ONE_HUNDRED).ok().filter(|minor| *minor > 0)?;
    let wish: NewOrder =
        serde_json::from_value(json!({ "amount": minor, "merchantTrns": body["order_number"] })).unwrap();
    Some(world.viva.create_order(wish).unwrap())
}

async fn happen(world: &mut World, event: &Event, code: Option<OrderCode>, untold: &mut Vec<String>) {
    if let Some(amount) = &event.paid {
        let amount = Some(amount.parse().unwrap());
        let told = world.viva.pay(&Pay { amount, deliver: false, ..Pay::new(code.unwrap()) }).await.unwrap();
        untold.push(told.event.get().to_owned());
    }
    if let Some(amount) = &event.given_back {
        let payment = world.viva.transactions()[0].transaction_id.clone();
        let amount = Some(amount.parse().unwrap());
        let wish = Refund { amount, deliver: false, ..Refund::new(&payment) };
        untold.push(world.viva.refund(&wish).await.unwrap().event.get().to_owned());
    }
    if let Some(reason) = &event.dismissed {
        for parked in world.parked().await {
            let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
            let (whose, answer) = (tenant(), Answer::Dismiss);
            let dismissed = parked_resolve(
                &world.app,
                &whose,
                "a person",
                &parked.id,
                &answer,
                Some(reason),
                &correlation,
            );
            assert!(dismissed.await.is_ok());
        }
    }
    if event.tick {
        world.tick().await;
        world.settle().await;
    }
    if event.told_later {
        return;
    }
    // The last that happened is told of first.
    while let Some(event) = untold.pop() {
        world.webhook(&event).await;
        world.settle().await;
    }
}

/// A buyer who gave neither e-mail address nor organization number has a number that comes from the order's id.
fn name_customer(order: &Order, sent: &[Json], recorder: &Recorder) {
    let customer = &order.body.customer;
    if customer.email.is_some() || customer.organisation_number.is_some() {
        return;
    }
    let made =
        sent.iter().find(|one| one.get("step").and_then(Json::to_text).as_deref() == Some("create_customer"));
    let number = made.and_then(|made| {
        let body = made.get("body")?;
        body.get("Customer").unwrap_or(body).get("CustomerNumber")?.to_text()
    });
    recorder.with_names(|names| names.add(&number.unwrap_or_default(), "customer number"));
}

/// A day's voucher has a reference that is made with a stamp.
fn name_days(sent: &[Json], recorder: &Recorder) {
    for write in sent {
        let text = write.to_string();
        let words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        for word in words.filter(|word| word.len() == DAY_REFERENCE && word.starts_with("day_")) {
            recorder.with_names(|names| names.add(word, "day reference"));
        }
    }
}

fn object(members: &[(&str, String)]) -> Json {
    Json::Object(members.iter().map(|(name, value)| ((*name).to_owned(), Json::text(value))).collect())
}
