//! Bokbro broken on purpose, each time in the one place that a guarantee rests on. All of it is done from outside: the
//! product has no switch for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::app::App;
use bokbro_app::error::Error;
use bokbro_app::ports::{
    Access, Accounting, Checkup, Effector, EntryField, Found, Guard, LedgerKey, LedgerWrite, Ledgers,
    Limited, OAuth, ParcelWebhooks, Payments, Providers, Registers, SendError, Senders, Shipping,
    TokenEndpoint, Vouchers, Webhooks,
};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::Provider;
use bokbro_domain::order::Order;
use bokbro_domain::posting::{Chart, Posting};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing.
    None,
    /// A look-up before a repeat finds nothing, ever.
    BlindLookUp,
    /// The store takes every write, whoever holds the lease.
    NoFence,
    /// "Not found" counts at once, however much lists lag.
    NoSettle,
}

impl Mutant {
    /// The app with this broken.
    pub(super) fn breaks(self, app: App) -> App {
        match self {
            Self::None => app,
            Self::BlindLookUp => App { providers: Arc::new(Blind(app.providers.clone())), ..app },
            Self::NoFence => App { ledgers: Arc::new(Fenceless(app.ledgers.clone())), ..app },
            Self::NoSettle => {
                let mut app = app;
                app.patience.settle = Duration::ZERO;
                app
            }
        }
    }
}

/// Takes every write by claiming whatever the guard asks for.
struct Fenceless(Arc<dyn Ledgers>);

#[async_trait]
impl Ledgers for Fenceless {
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error> {
        self.0.ledger_load(key).await
    }

    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error> {
        let stored = self.0.ledger_load(write.key).await?.map(|(_, ledger)| ledger).unwrap_or_default();
        self.0.ledger_write(LedgerWrite { guard: Guard::Fence(stored.fence), ..write }).await
    }
}

/// Providers whose ledger program is searched with closed eyes.
struct Blind(Arc<dyn Providers>);

impl Providers for Blind {
    fn payments(&self, provider: &Provider) -> Option<Arc<dyn Payments>> {
        self.0.payments(provider)
    }

    fn accounting(&self, provider: &Provider) -> Option<Arc<dyn Accounting>> {
        Some(Arc::new(BlindAccounting(self.0.accounting(provider)?)))
    }

    fn vouchers(&self, provider: &Provider) -> Option<Arc<dyn Vouchers>> {
        self.0.vouchers(provider)
    }

    fn registers(&self, provider: &Provider) -> Option<Arc<dyn Registers>> {
        self.0.registers(provider)
    }

    fn shipping(&self, provider: &Provider) -> Option<Shipping> {
        self.0.shipping(provider)
    }

    fn tokens(&self, provider: &Provider) -> Option<Arc<dyn TokenEndpoint>> {
        self.0.tokens(provider)
    }

    fn oauth(&self, provider: &Provider) -> Option<Arc<dyn OAuth>> {
        self.0.oauth(provider)
    }

    fn checkup(&self, provider: &Provider) -> Option<Arc<dyn Checkup>> {
        self.0.checkup(provider)
    }

    fn entry_fields(&self, provider: &Provider) -> Option<&'static [EntryField]> {
        self.0.entry_fields(provider)
    }

    fn limited(&self, provider: &Provider) -> Option<Arc<dyn Limited>> {
        self.0.limited(provider)
    }

    fn names(&self) -> Vec<Provider> {
        self.0.names()
    }
}

impl Senders for Blind {
    fn webhooks(&self, provider: &Provider) -> Option<Arc<dyn Webhooks>> {
        self.0.webhooks(provider)
    }

    fn parcel_webhooks(&self, provider: &Provider) -> Option<Arc<dyn ParcelWebhooks>> {
        self.0.parcel_webhooks(provider)
    }
}

struct BlindAccounting(Arc<dyn Accounting>);

#[async_trait]
impl Accounting for BlindAccounting {
    async fn read_chart(&self, access: &Access) -> Result<Chart, Error> {
        self.0.read_chart(access).await
    }

    fn effector(&self, access: Access, posting: Posting) -> Box<dyn Effector> {
        Box::new(BlindEffector(self.0.effector(access, posting)))
    }

    fn is_shared(&self, step: &StepName) -> bool {
        self.0.is_shared(step)
    }
}

struct BlindEffector(Box<dyn Effector>);

#[async_trait]
impl Effector for BlindEffector {
    fn steps(&self) -> Vec<StepName> {
        self.0.steps()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        self.0.intent(step, ledger)
    }

    async fn look_up(&self, _: &Intent, _: &Ledger) -> Result<Found, Error> {
        Ok(Found::No)
    }

    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        self.0.adopt(intent, number, ledger).await
    }

    async fn send(&self, intent: &Intent, ledger: &Ledger) -> Result<Receipt, SendError> {
        self.0.send(intent, ledger).await
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        self.0.number_name(step)
    }
}
