//! Lives a case through: the bad day, and then the days on which all is well again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::connections::{connection_health, connection_refresh};
use bokbro_app::message::{ConnectionTask, Envelope, Nudge};
use bokbro_app::parked::{Answer, parked_resolve};
use bokbro_app::ports::{Clock as _, QueueName, Queues as _, TokenStates as _};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::{fortnox, viva};
use bokbro_domain::effect::Patience;
use bokbro_domain::ids::{CorrelationId, OrderId, Provider};
use bokbro_domain::order::{Order, SyncState};
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::viva::{Amount, OrderCode, Outcome, Pay, VivaConfig};
use jiff::SignedDuration;
use serde_json::json;

use super::case::{Buys, Case, Pays, Tells};
use super::lanes::Lanes;
use super::mutant::Mutant;
use super::stage::Stage;
use super::verdict::{Books, Finding, judge};
use super::wire::{Fault, FaultyWire, Spot};
use crate::world::{Simulators, World, tenant};

/// Hours after the bad day in which everything must be done.
const HOURS: u32 = 3;
/// How often somebody asks a connection that does not answer.
const PATIENT: u32 = 5;
/// What an order that was not paid in full is parked for.
pub(super) const AMOUNT_DIFFERS: &str = "amount_differs";
/// What an order is parked for when every try of a step ended without an answer.
const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// Where cases are lived through, one after the other.
pub struct Bench {
    simulators: Simulators,
    transport: Transport,
}

/// What happened on a day.
#[derive(Debug, Default)]
pub struct Lived {
    /// What was asked of the providers.
    pub asked: BTreeSet<Spot>,
    /// What went wrong there.
    pub hit: BTreeSet<(Spot, Fault)>,
}

/// How a day ended badly.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{finding}")]
pub struct Bad {
    /// What is wrong at its end.
    pub finding: Finding,
    /// What the workers did, step by step.
    pub story: Vec<String>,
}

struct Told {
    order: Order,
    code: OrderCode,
    paid: Option<String>,
    failed: Option<String>,
}

impl Bench {
    /// Starts the simulators.
    pub async fn start() -> Self {
        let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
        let simulators = Simulators::start(config, VivaConfig::default()).await;
        simulators.fortnox.clock.freeze();
        simulators.viva.kit.clock.freeze();
        Self { simulators, transport: Transport::new().unwrap() }
    }

    /// Lives a case through with Bokbro whole or broken.
    ///
    /// # Errors
    /// What is wrong in the end.
    pub async fn live(&self, case: &Case, mutant: Mutant) -> Result<Lived, Bad> {
        let now = case.day.start();
        let stage = Arc::new(Stage::default());
        let wire = FaultyWire::new(self.transport.clone(), self.simulators.clone(), stage.clone());
        let wire = Arc::new(wire);
        let mut world = World::begin(self.simulators.clone(), wire.clone(), case.profile, now).await;
        wire.follow(world.clock.clone());
        self.simulators.fortnox.reset();
        self.simulators.viva.reset();
        let lag = u32::from(case.lag) * 1_000;
        self.simulators.fortnox.configure(&json!({ "lag_ms": lag })).unwrap();
        world.app = mutant.breaks(world.app.clone());

        let mut told = Vec::new();
        for (nth, buys) in case.orders.iter().enumerate() {
            told.push(ordered(&world, nth, buys).await);
        }
        let mut day = Day {
            lanes: Lanes::new(world.app.clone(), stage.clone(), wire.clone(), case.stops.clone()),
            world,
            stage,
            wire: wire.clone(),
            case,
            told,
        };
        wire.script(&case.troubles);
        match day.pass().await {
            Ok(()) => Ok(Lived { asked: wire.asked(), hit: wire.hit() }),
            Err(finding) => Err(Bad { finding, story: day.lanes.story }),
        }
    }
}

/// Posts an order and pays it.
async fn ordered(world: &World, nth: usize, buys: &Buys) -> Told {
    let (order, code) = world.order(&format!("1753-{nth}"), buys.body(nth)).await;
    let pay = async |amount: Option<Amount>, outcome| {
        let wish = Pay { amount, outcome, deliver: false, ..Pay::new(code) };
        Some(world.viva.pay(&wish).await.unwrap().event.get().to_owned())
    };
    let (mut paid, mut failed) = (None, None);
    match buys.pays {
        Pays::All => paid = pay(None, Outcome::Paid).await,
        Pays::AfterRefusal => {
            failed = pay(None, Outcome::Failed).await;
            paid = pay(None, Outcome::Paid).await;
        }
        Pays::Short => paid = pay(Some(Amount(buys.total() - 1)), Outcome::Paid).await,
        Pays::Nothing => {}
    }
    Told { order, code, paid, failed }
}

/// A case under way.
struct Day<'a> {
    world: World,
    lanes: Lanes,
    stage: Arc<Stage>,
    wire: Arc<FaultyWire>,
    case: &'a Case,
    told: Vec<Told>,
}

impl Day<'_> {
    /// The bad day, the hours after it, and the verdict.
    async fn pass(&mut self) -> Result<(), Finding> {
        self.tell().await;
        self.lanes.settle(&self.world).await?;
        self.recover().await?;
        self.judge().await?;
        let unlisted = self.wire.unlisted();
        if unlisted.is_empty() {
            return Ok(());
        }
        let (is, should) = (format!("{unlisted:?}"), "in OPERATIONS of its connector".to_owned());
        Err(Finding::Wrong { what: "an operation".to_owned(), is, should })
    }

    /// Puts what is told on the queues, each for its time.
    async fn tell(&mut self) {
        let start = self.world.clock.now();
        for (nth, what, after) in &self.case.tells {
            let told = &self.told[*nth];
            match what {
                Tells::Paid => deliver(&self.world, told.paid.as_deref()).await,
                Tells::Failed => deliver(&self.world, told.failed.as_deref()).await,
                Tells::Checkout => deliver(&self.world, Some(&checkout_event(told.code))).await,
                Tells::Nudge => nudge(&self.world, &told.order).await,
                Tells::Registers => read_registers(&self.world).await,
            }
            let visible_at = start + SignedDuration::from_secs(i64::from(*after));
            self.lanes.hold_back(&self.world, visible_at);
        }
    }

    /// Nothing goes wrong any more. Dead letters are replayed, ended connections are mended, hours pass.
    async fn recover(&mut self) -> Result<(), Finding> {
        self.wire.heal();
        self.lanes.heal();
        for _ in 0..HOURS {
            self.settled().await?;
            self.lanes.replay(self.world.clock.now());
            self.settled().await?;
            self.nothing_before_consent().await?;
            self.mend().await;
            self.look_by_hand().await;
            self.settled().await?;
            if self.is_done().await {
                return Ok(());
            }
            self.world.clock.advance(Duration::from_secs(3_600));
            self.wire.tick();
            self.world.tick().await;
        }
        self.settled().await
    }

    async fn settled(&mut self) -> Result<(), Finding> {
        let settled = self.lanes.settle(&self.world).await;
        self.stage.empty();
        settled
    }

    /// Whether nothing is left for the next hour: what must be booked is, and only what a human must decide is parked.
    async fn is_done(&self) -> bool {
        let mut decided = BTreeSet::new();
        for parked in self.world.parked().await {
            if parked.code != AMOUNT_DIFFERS {
                return false;
            }
            decided.extend(parked.order);
        }
        for (told, buys) in self.told.iter().zip(&self.case.orders) {
            let shown = self.world.show(&told.order.id).await;
            let done = match buys.pays {
                Pays::All | Pays::AfterRefusal => shown.accounting.state == SyncState::Done,
                Pays::Short => decided.contains(&told.order.id),
                Pays::Nothing => true,
            };
            if !done {
                return false;
            }
        }
        true
    }

    async fn has_ended(&self) -> bool {
        for name in [fortnox::NAME, viva::NAME] {
            let provider = Provider::parse(name).unwrap();
            if self.world.store.token_state(&tenant(), &provider).await.unwrap().ended.is_some() {
                return true;
            }
        }
        false
    }

    async fn waits_for_consent(&self) -> bool {
        self.world.parked().await.iter().any(|parked| parked.code == "needs_consent")
    }

    /// What waits for a consent waits: nudges and repeated webhooks book nothing.
    async fn nothing_before_consent(&mut self) -> Result<(), Finding> {
        let refused = self.wire.hit().iter().any(|(spot, fault)| {
            *fault == Fault::Status403
                && spot.provider == fortnox::NAME
                && !spot.operation.starts_with("get_company")
        });
        if !refused || !self.waits_for_consent().await {
            return Ok(());
        }
        let before = Books::of(&self.world).counts();
        for told in &self.told {
            deliver(&self.world, told.paid.as_deref()).await;
            nudge(&self.world, &told.order).await;
        }
        self.settled().await?;
        let after = Books::of(&self.world).counts();
        if before == after {
            return Ok(());
        }
        Err(Finding::Wrong {
            what: "the books while a consent is missing".to_owned(),
            is: format!("{after:?}"),
            should: format!("{before:?}"),
        })
    }

    /// Somebody checks the connections when something waits for them. Otherwise the next sweep does, except where the token
    /// endpoint has refused us: that is for people.
    async fn mend(&mut self) {
        if !self.waits_for_consent().await || !(self.case.checks || self.has_ended().await) {
            return;
        }
        let correlation = self.correlation();
        for name in [fortnox::NAME, viva::NAME] {
            let provider = Provider::parse(name).unwrap();
            for _ in 0..PATIENT {
                let app = &self.world.app;
                let healthy = match connection_health(app, &tenant(), &provider, &correlation).await {
                    Ok(health) => health.healthy,
                    Err(_) => false,
                };
                if healthy {
                    break;
                }
                let refreshed = connection_refresh(app, &tenant(), &provider, &correlation).await;
                self.lanes.errors.extend(refreshed.err().map(|error| error.to_string()));
                self.world.clock.advance(Duration::from_secs(60));
            }
        }
    }

    /// After as many disturbances as a step has tries, a human looks whether the document exists and says so. Before that
    /// nobody should have to.
    async fn look_by_hand(&mut self) {
        let tries = usize::try_from(Patience::default().max_attempts).unwrap();
        if self.case.disturbances() < tries {
            return;
        }
        for parked in self.world.parked().await {
            if parked.code != OUTCOME_UNKNOWN {
                continue;
            }
            let step = parked.details.get("step").map(String::as_str).unwrap_or_default();
            let reference = parked.order.as_ref().map(OrderId::as_str).unwrap_or_default();
            let answer = match Books::of(&self.world).number_of(step, reference) {
                Some(number) => Answer::Exists { number },
                None => Answer::Send,
            };
            let (app, correlation) = (&self.world.app, self.correlation());
            let seen = Some("seen by hand");
            let (tenant, who) = (tenant(), "bk_hand");
            let resolved = parked_resolve(app, &tenant, who, &parked.id, &answer, seen, &correlation).await;
            self.lanes.errors.extend(resolved.err().map(|error| error.to_string()));
        }
    }

    async fn judge(&self) -> Result<(), Finding> {
        let posted: Vec<_> = self.case.orders.iter().zip(self.told.iter().map(|told| &told.order)).collect();
        let (dead, errors) = (self.lanes.dead.len(), &self.lanes.errors);
        judge(&self.world, self.case, &posted, dead, errors).await
    }

    fn correlation(&self) -> CorrelationId {
        correlation(&self.world)
    }
}

fn correlation(world: &World) -> CorrelationId {
    CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock))
}

async fn deliver(world: &World, event: Option<&str>) {
    if let Some(event) = event {
        world.webhook(event).await;
    }
}

async fn nudge(world: &World, order: &Order) {
    let nudge = Nudge::order(order.id.clone());
    let message = Envelope::new(tenant(), correlation(world), world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Accounting, &message).await.unwrap();
}

async fn read_registers(world: &World) {
    let nudge = Nudge::connection(Provider::parse(fortnox::NAME).unwrap(), ConnectionTask::Registers);
    let message = Envelope::new(tenant(), correlation(world), world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Pulls, &message).await.unwrap();
}

/// The event of an order that changed, as far as it is read.
fn checkout_event(code: OrderCode) -> String {
    let merchant = VivaConfig::default().merchant_id;
    json!({"EventTypeId": 4865, "EventData": {"OrderCode": code.0, "MerchantId": merchant}}).to_string()
}
