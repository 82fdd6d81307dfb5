//! Where days are lived through: simulators that are there for all of them, and a new world for each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bokbro_connectors::kit::Transport;
use bokbro_domain::order::Order;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::visma::VismaConfig;
use bokbro_simulators::viva::{Amount, OrderCode, Outcome, Pay, VivaConfig};
use jiff::SignedDuration;
use serde_json::json;

use super::case::{Buys, Case, Got, Pays, Program};
use super::day::Day;
use super::lanes::Lanes;
use super::mutant::Mutant;
use super::stage::Stage;
use super::verdict::Finding;
use super::wire::{Fault, FaultyWire, Spot};
use crate::world::{Simulators, World};

/// How long before the day a consent was given: its access token is no longer good.
const CONSENT_IS_OLD: Duration = Duration::from_secs(2 * 3_600);

/// Where cases are lived through, one after the other.
pub struct Bench {
    simulators: Simulators,
    transport: Transport,
}

/// What happened on a day.
#[derive(Debug, Default)]
pub struct Lived {
    /// What was asked of the providers while something could go wrong with it.
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

/// An order of the day, and what has become of it so far.
pub(super) struct Told {
    pub(super) order: Order,
    pub(super) code: OrderCode,
    /// The webhook of its payment.
    pub(super) paid: Option<String>,
    /// The webhook of a refused card.
    pub(super) failed: Option<String>,
    /// What was given back, in öre, and on which Swedish day.
    pub(super) given_back: Vec<(i64, String)>,
    /// How far the staff of the warehouse has got with it.
    pub(super) got: Option<Got>,
}

impl Bench {
    /// Starts the simulators.
    pub async fn start() -> Self {
        let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
        let other = VismaConfig { rate_limited: false, ..VismaConfig::default() };
        let simulators = Simulators::start_with(config, other, VivaConfig::default()).await;
        simulators.fortnox.clock.freeze();
        simulators.visma.clock.freeze();
        simulators.viva.kit.clock.freeze();
        simulators.ongoing.kit.clock.freeze();
        Self { simulators, transport: Transport::new().unwrap() }
    }

    /// Lives a case through with Bokbro whole or broken.
    ///
    /// # Errors
    /// What is wrong in the end.
    pub async fn live(&self, case: &Case, mutant: Mutant) -> Result<Lived, Bad> {
        let stage = Arc::new(Stage::default());
        let wire = FaultyWire::new(self.transport.clone(), self.simulators.clone(), stage.clone());
        let wire = Arc::new(wire);
        let mut world = self.world(case, &wire).await;
        world.app = mutant.breaks(world.app.clone());

        let mut told = Vec::new();
        for (nth, buys) in case.orders.iter().enumerate() {
            told.push(ordered(&world, nth, buys).await);
        }
        let lanes = Lanes::new(world.app.clone(), stage.clone(), wire.clone(), case.stops.clone());
        let mut day = Day { lanes, world, stage, wire: wire.clone(), case, told };
        wire.script(&case.troubles);
        match day.pass().await {
            Ok(()) => Ok(Lived { asked: wire.asked(), hit: wire.hit() }),
            Err(finding) => Err(Bad { finding, story: day.lanes.story }),
        }
    }

    /// A tenant as the case has it, at the moment of the day, with empty books and an empty warehouse.
    async fn world(&self, case: &Case, wire: &Arc<FaultyWire>) -> World {
        let (simulators, start) = (&self.simulators, case.day.start());
        let before = start - SignedDuration::try_from(CONSENT_IS_OLD).unwrap();
        let world = World::begin(simulators.clone(), wire.clone(), case.profile, before).await;
        wire.follow(world.clock.clone());
        simulators.fortnox.reset();
        simulators.visma.reset();
        simulators.viva.reset();
        simulators.ongoing.reset();
        let lag = u32::from(case.lag) * 1_000;
        let mut ledger = json!({ "lag_ms": lag });
        if case.happens.iter().any(|(_, happens)| happens.gives_back()) {
            // What is given back after midnight is booked on the new day: somebody has opened its year.
            ledger["open_year"] = json!("2027-01-01");
        }
        match case.program {
            Program::Fortnox => simulators.fortnox.configure(&ledger).unwrap(),
            Program::Visma | Program::VismaWithoutRotation => {
                let stays = case.program == Program::VismaWithoutRotation;
                let habits = &case.habits;
                ledger["prices_excl_vat"] = json!(habits.shows_net);
                ledger["credit_rows"] = json!(if habits.negative_rows { "as_written" } else { "turned" });
                ledger["credit_payments"] =
                    json!(if habits.positive_payments { "positive" } else { "negative" });
                ledger["rotation"] = json!(if stays { "reusable" } else { "rotating" });
                simulators.visma.configure(&ledger).unwrap();
                world.book_with_visma(&VismaConfig::default()).await;
            }
        }
        if case.ships {
            world.ship_with("ongoing").await;
        }
        world.clock.advance(CONSENT_IS_OLD);
        wire.tick();
        world
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
    Told { order, code, paid, failed, given_back: Vec::new(), got: None }
}
