//! The ports that one function was started with, and what every use case needs of one invocation.

use std::sync::Arc;

use bokbro_domain::effect::Patience;
use bokbro_domain::ids::CorrelationId;
use jiff::Timestamp;

use crate::access::AccessDesk;
use crate::gate::Gate;
use crate::limits::Limiters;
use crate::ports::{
    Audits, Clock, CrashPoints, Cursors, Days, DeadLetters, Directory, Endpoints, Inbox, Jobs, Keyring,
    Ledgers, Mappings, Nonces, OpenWork, Orders, Parking, Providers, Queues, Stocks, Store, TokenStates,
    Turns, Vault,
};
use crate::stamp::Stamps;

/// Everything outside that the use cases may touch, built once at start.
#[derive(Clone)]
pub struct App {
    /// Orders and their history.
    pub orders: Arc<dyn Orders>,
    /// Orders that wait for something.
    pub open_work: Arc<dyn OpenWork>,
    /// Effect ledgers.
    pub ledgers: Arc<dyn Ledgers>,
    /// Batches of a day's sales.
    pub days: Arc<dyn Days>,
    /// Items that wait for a human.
    pub parking: Arc<dyn Parking>,
    /// Deliveries dealt with.
    pub inbox: Arc<dyn Inbox>,
    /// Numbers that may be used once.
    pub nonces: Arc<dyn Nonces>,
    /// Runs of longer tasks.
    pub jobs: Arc<dyn Jobs>,
    /// Who changed what.
    pub audits: Arc<dyn Audits>,
    /// Settings, connections, endpoints.
    pub directory: Arc<dyn Directory>,
    /// Webhook endpoints, for whoever takes deliveries.
    pub endpoints: Arc<dyn Endpoints>,
    /// API keys and sessions.
    pub keyring: Arc<dyn Keyring>,
    /// Leases and versions of tokens.
    pub token_states: Arc<dyn TokenStates>,
    /// Turns of those who must not write at once.
    pub turns: Arc<dyn Turns>,
    /// How far providers' lists have been read.
    pub cursors: Arc<dyn Cursors>,
    /// What warehouses have.
    pub stocks: Arc<dyn Stocks>,
    /// What is known of ledger programs' registers.
    pub mappings: Arc<dyn Mappings>,
    /// Secrets.
    pub vault: Arc<dyn Vault>,
    /// Work for others.
    pub queues: Arc<dyn Queues>,
    /// Work that nobody could do.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// The providers that this build knows.
    pub providers: Arc<dyn Providers>,
    /// Ways in at the providers.
    pub access: Arc<AccessDesk>,
    /// The providers' limits as this process knows them.
    pub limiters: Arc<Limiters>,
    /// How often callers of ours may call.
    pub gate: Arc<Gate>,
    /// Where tests let a worker die.
    pub crash: Arc<dyn CrashPoints>,
    /// How patient the effect ledger is.
    pub patience: Patience,
    /// Source of ids.
    pub stamps: Arc<Stamps>,
}

impl App {
    /// Puts the ports together.
    #[must_use]
    pub fn new<S>(
        store: Arc<S>,
        queues: Arc<dyn Queues>,
        dead_letters: Arc<dyn DeadLetters>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        providers: Arc<dyn Providers>,
    ) -> Self
    where
        S: Store + 'static,
    {
        let crash: Arc<dyn CrashPoints> = Arc::new(NoCrash);
        let limiters = Arc::new(Limiters::new(store.clone(), clock.clone()));
        let access = AccessDesk::new(
            vault.clone(),
            store.clone(),
            limiters.clone(),
            clock.clone(),
            providers.clone(),
            crash.clone(),
        );
        let gate = Arc::new(Gate::new(store.clone(), clock.clone()));
        Self {
            orders: store.clone(),
            open_work: store.clone(),
            ledgers: store.clone(),
            days: store.clone(),
            parking: store.clone(),
            inbox: store.clone(),
            nonces: store.clone(),
            jobs: store.clone(),
            audits: store.clone(),
            directory: store.clone(),
            endpoints: store.clone(),
            keyring: store.clone(),
            token_states: store.clone(),
            turns: store.clone(),
            cursors: store.clone(),
            stocks: store.clone(),
            mappings: store,
            vault,
            queues,
            dead_letters,
            clock,
            providers,
            access: Arc::new(access),
            limiters,
            gate,
            crash,
            patience: Patience::default(),
            stamps: Arc::new(Stamps::default()),
        }
    }
}

impl App {
    /// A new correlation id: something outside has set something in motion.
    #[must_use]
    pub fn correlation(&self) -> CorrelationId {
        CorrelationId::from_ulid(self.stamps.ulid(&*self.clock))
    }

    /// The same app with workers that die where tests want them to.
    #[must_use]
    pub fn dying_at(self, crash: Arc<dyn CrashPoints>) -> Self {
        let access = AccessDesk::new(
            self.vault.clone(),
            self.token_states.clone(),
            self.limiters.clone(),
            self.clock.clone(),
            self.providers.clone(),
            crash.clone(),
        );
        Self { access: Arc::new(access), crash, ..self }
    }
}

/// What a use case knows of the invocation that it runs in.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Unique per invocation; owner of the leases taken in it.
    pub owner: String,
    /// When the platform ends the invocation.
    pub deadline: Timestamp,
    /// How often the message has been received, this time included.
    pub receive: u32,
    /// The message's place in a provider's waiting line, if it has one.
    pub place: Option<Timestamp>,
    /// Ties together what one outside event set in motion.
    pub correlation: CorrelationId,
}

/// Crash points of real workers: nothing happens there.
pub struct NoCrash;

#[async_trait::async_trait]
impl CrashPoints for NoCrash {
    async fn reached(&self, _point: &str) {}
}
