//! A world with one of the ledger programs, for what must hold with each of them.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use bokbro_app::parked::{Answer, parked_resolve};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::Fault;
use bokbro_simulators::visma::VismaConfig;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::visma_world::VismaWorld;
use crate::world::{World, tenant};

/// A world and its ledger program.
pub enum Office {
    /// Books at Fortnox.
    Fortnox(Box<World>),
    /// Books at Visma.
    Visma(Box<VismaWorld>),
}

use Office::{Fortnox, Visma};

impl Deref for Office {
    type Target = World;

    fn deref(&self) -> &World {
        match self {
            Fortnox(world) => world,
            Visma(world) => world,
        }
    }
}

impl DerefMut for Office {
    fn deref_mut(&mut self) -> &mut World {
        match self {
            Fortnox(world) => world,
            Visma(world) => world,
        }
    }
}

impl Office {
    /// A tenant with a posting profile and its books at Fortnox.
    pub async fn fortnox(profile: PostingProfile, config: FortnoxConfig) -> Self {
        let config = FortnoxConfig { rate_limited: false, ..config };
        Fortnox(Box::new(World::start_with(profile, config).await))
    }

    /// The same at Visma.
    pub async fn visma(profile: PostingProfile, config: VismaConfig) -> Self {
        Visma(Box::new(VismaWorld::start_with(profile, config).await))
    }

    /// One of each.
    pub async fn both(profile: PostingProfile) -> [Self; 2] {
        [
            Self::fortnox(profile, FortnoxConfig::default()).await,
            Self::visma(profile, VismaConfig::default()).await,
        ]
    }

    /// The ledger program's name.
    pub fn name(&self) -> &'static str {
        match self {
            Fortnox(_) => "fortnox",
            Visma(_) => "visma",
        }
    }

    /// Documents of one kind that the ledger program holds.
    pub fn held(&self, kind: &str) -> Vec<Value> {
        match self {
            Fortnox(world) => world.books(kind),
            Visma(world) => world.books(kind),
        }
    }

    /// How many calls it has had.
    pub fn calls(&self) -> u64 {
        match self {
            Fortnox(world) => world.fortnox.log.stats().calls_total,
            Visma(world) => world.visma.log.stats().calls_total,
        }
    }

    /// Has it fail.
    pub fn fail(&self, fault: Fault) {
        match self {
            Fortnox(world) => world.fortnox.faults.add(fault),
            Visma(world) => world.visma.faults.add(fault),
        };
    }

    /// Lets it work again.
    pub fn heal(&self) {
        match self {
            Fortnox(world) => world.fortnox.faults.clear(),
            Visma(world) => world.visma.faults.clear(),
        }
    }

    /// Turns its switches.
    pub fn switch(&self, switches: &Value) {
        match self {
            Fortnox(world) => world.fortnox.configure(switches).unwrap(),
            Visma(world) => world.visma.configure(switches).unwrap(),
        }
    }

    /// Forgets its documents.
    pub fn forget(&self) {
        match self {
            Fortnox(world) => world.fortnox.reset(),
            Visma(world) => world.visma.reset(),
        }
    }

    /// A human says "try again" to the one thing that waits.
    pub async fn retry(&mut self) {
        let [waiting] = self.parked().await.try_into().unwrap();
        let (whose, why) = (tenant(), Some("mended"));
        let correlation = waiting.correlation.clone();
        let resolved =
            parked_resolve(&self.app, &whose, "a person", &waiting.id, &Answer::Retry, why, &correlation);
        assert!(resolved.await.is_ok());
        self.settle().await;
    }

    /// The rows of its vouchers, debit positive; each voucher balances.
    pub fn vouchers(&self) -> Vec<Vec<(u64, Decimal)>> {
        let (rows, account, debit, credit) = match self {
            Fortnox(_) => ("VoucherRows", "Account", "Debit", "Credit"),
            Visma(_) => ("Rows", "AccountNumber", "DebitAmount", "CreditAmount"),
        };
        let amount = |value: &Value| value.to_string().parse::<Decimal>().unwrap();
        let row = |row: &Value| (row[account].as_u64().unwrap(), amount(&row[debit]) - amount(&row[credit]));
        let mut vouchers = Vec::new();
        for voucher in self.held("vouchers") {
            let rows: Vec<(u64, Decimal)> = voucher[rows].as_array().unwrap().iter().map(row).collect();
            let sum: Decimal = rows.iter().map(|(_, amount)| amount).sum();
            assert!(sum.is_zero(), "a voucher does not balance: {voucher}");
            vouchers.push(rows);
        }
        vouchers
    }

    /// What stands on every account, with two decimals.
    pub fn balances(&self) -> BTreeMap<u64, String> {
        let mut balances: BTreeMap<u64, Decimal> = BTreeMap::new();
        for (account, amount) in self.vouchers().into_iter().flatten() {
            *balances.entry(account).or_default() += amount;
        }
        balances.retain(|_, balance| !balance.is_zero());
        balances.into_iter().map(|(account, balance)| (account, format!("{balance:.2}"))).collect()
    }
}
