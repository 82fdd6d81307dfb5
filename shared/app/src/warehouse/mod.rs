//! The warehouse worker: a paid order becomes a parcel order, what the warehouse tells comes back onto the order.

mod feed;
mod hint;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName, StepState};
use bokbro_domain::ids::{OrderId, Provider, Target, TenantId};
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::{SignedDuration, Timestamp};

use crate::accounting::pause;
use crate::app::{App, Invocation};
use crate::effects::{Ask, Work};
use crate::error::{Error, Reason, chain};
use crate::parked::order_park;
use crate::ports::{
    Access, Effector, Found, LedgerKey, OpenKind, ParcelWish, SendError, Shipping, Turn, Warehouse,
};
use crate::records::{Connection, ConnectionState};

pub use feed::{parcels_pull, stock_list, stock_pull};
pub use hint::parcel_handle;

/// A turn outlives its invocation by this much: what a killed worker sent last has come to an end by then.
const TURN_MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// Whoever finds the turn taken comes back after this, and up to as much again so that not all come at once.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// Brings one order to the warehouse as far as it goes, or takes it back when its money was given back.
///
/// # Errors
/// By what happens next; the order tells of it already.
pub async fn order_ship(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    ask: Ask<'_>,
) -> Result<(), Error> {
    let shipped = ship(app, invocation, tenant, id, ask).await;
    if let Err(Error::Consent { provider, .. }) = &shipped {
        pause(app, tenant, provider).await?;
    }
    shipped
}

async fn ship(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    ask: Ask<'_>,
) -> Result<(), Error> {
    let key = ledger_key(tenant, id);
    let Some((order, ledger)) = app.ledgers.ledger_load(&key).await? else {
        // Nothing but a person can have deleted it.
        let reason =
            Reason::new("order_unknown", said!("parked-order", "there is no order {id} any more", id));
        order_park(app, &invocation.correlation, tenant, id, Target::Warehouse, reason.clone()).await?;
        return Err(Error::Parked(reason));
    };
    let Some(wish) = wish(&order, ask.insist) else { return Ok(()) };
    let settings = app.directory.settings_get(tenant).await?;
    let Some(provider) = settings.and_then(|settings| settings.warehouse) else {
        return app.open_work.open_drop(tenant, OpenKind::Warehouse, id).await;
    };
    let work = Work::begin(app, invocation, key, &order, &ledger, &provider)?;
    let opened = match open(app, tenant, &provider, invocation.deadline).await {
        Ok(Opened::Ours(warehouse, access)) => (warehouse, access),
        Ok(Opened::Theirs) => return work.run(&Recorded { order: &order, wish }, ask).await,
        Err(error) => return Err(work.stop(None, error).await),
    };
    let (warehouse, access) = opened;
    // Before the order is taken: whoever has to wait leaves no trace.
    unsettled(app, &ledger, wish)?;
    let connection = access.connection.clone();
    let ready = warehouse
        .writer(&connection)
        .and_then(|writer| Ok((writer, warehouse.effector(access, &order, wish)?)));
    let (writer, effector) = match ready {
        Ok(ready) => ready,
        Err(error) => return Err(work.stop(None, error).await),
    };
    let turn = format!("{provider}#{writer}");
    turn_take(app, invocation, &turn).await?;
    app.crash.reached("after taking the turn").await;
    let done = work.run(&*effector, ask).await;
    if let Err(error) = app.turns.turn_give_back(&turn, &invocation.owner).await {
        tracing::warn!(%tenant, error = chain(&error), "the turn ends by itself");
    }
    done
}

fn ledger_key(tenant: &TenantId, id: &OrderId) -> LedgerKey {
    LedgerKey { tenant: tenant.clone(), order: id.clone(), target: Target::Warehouse }
}

/// What the order wants of the warehouse now. A human who insists has it compared once more although it is there.
fn wish(order: &Order, insist: bool) -> Option<ParcelWish> {
    match order.state {
        OrderState::Pending | OrderState::Cancelled => None,
        OrderState::Paid | OrderState::PartiallyRefunded => {
            (insist || order.warehouse.state != SyncState::Done).then_some(ParcelWish::Ship)
        }
        OrderState::Refunded => (insist || OpenKind::Warehouse.is_open(order)).then_some(ParcelWish::Cancel),
    }
}

/// A parcel order that may just have been sent cannot be taken back before it shows whether it is there.
fn unsettled(app: &App, ledger: &Ledger, wish: ParcelWish) -> Result<(), Error> {
    let now = app.clock.now();
    let settle = SignedDuration::try_from(app.patience.settle).unwrap_or(SignedDuration::MAX);
    let open = |state| matches!(state, StepState::Sent | StepState::Unknown);
    let sent = ledger.steps.values().filter(|step| open(step.state)).map(|step| step.sent_at).max();
    let until = sent.and_then(|sent| sent.saturating_add(settle).ok()).filter(|until| *until > now);
    match (wish, until) {
        (ParcelWish::Cancel, Some(at)) => Err(Error::Later { what: "taking a parcel order back".into(), at }),
        (ParcelWish::Cancel, None) | (ParcelWish::Ship, _) => Ok(()),
    }
}

/// Waits for nobody: whose turn it is not comes back a little later, and that counts as no failure.
async fn turn_take(app: &App, invocation: &Invocation, name: &str) -> Result<(), Error> {
    let now = app.clock.now();
    let until = invocation.deadline.saturating_add(TURN_MARGIN).unwrap_or(Timestamp::MAX);
    match app.turns.turn_take(name, &invocation.owner, now, until).await? {
        Turn::Taken => Ok(()),
        Turn::Held { until } => {
            let jitter = app.clock.dice() % u64::try_from(TURN_WAIT.as_millis()).unwrap_or(1).max(1);
            let wait = TURN_WAIT.saturating_add(Duration::from_millis(jitter));
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX).min(until.max(now));
            Err(Error::Later { what: "a write at the warehouse".into(), at })
        }
    }
}

/// A tenant's way into the warehouse.
enum Opened {
    Ours(Arc<dyn Warehouse>, Access),
    Theirs,
}

async fn open(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    deadline: Timestamp,
) -> Result<Opened, Error> {
    let consent = |message: Said| Error::Consent { provider: provider.to_string(), message };
    let not_connected = || consent(said!("consent-not-connected", "it is not connected yet; connect it"));
    let warehouse = match app.providers.shipping(provider) {
        Some(Shipping::Ours(warehouse)) => warehouse,
        Some(Shipping::Theirs) => return Ok(Opened::Theirs),
        None => {
            return Err(consent(said!(
                "consent-unknown-warehouse",
                "this build does not know the warehouse"
            )));
        }
    };
    let connection = app.directory.connection_get(tenant, provider).await?;
    let connection: Connection = connection.ok_or_else(not_connected)?;
    if connection.state == ConnectionState::NeedsConsent {
        return Err(consent(said!(
            "consent-credentials-refused",
            "its credentials are refused; enter them again"
        )));
    }
    Ok(Opened::Ours(warehouse, app.access.open(connection).await?.until(deadline)))
}

/// An order that another system brings to the warehouse: that it will be so is all that is recorded.
struct Recorded<'a> {
    order: &'a Order,
    wish: ParcelWish,
}

#[async_trait]
impl Effector for Recorded<'_> {
    fn steps(&self) -> Vec<StepName> {
        match self.wish {
            ParcelWish::Ship => vec![StepName::from("recorded")],
            ParcelWish::Cancel => Vec::new(),
        }
    }

    fn intent(&self, step: &StepName, _ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let reference = self.order.body.order_number.to_string();
        let request = reference.clone();
        Ok(Some(Intent { step: step.clone(), reference, request, may_exist: false, replaces: false }))
    }

    async fn look_up(&self, intent: &Intent, _ledger: &Ledger) -> Result<Found, Error> {
        Ok(Found::Yes(Receipt { external_id: intent.reference.clone(), ..Receipt::default() }))
    }

    async fn adopt(&self, intent: &Intent, _number: &str, _ledger: &Ledger) -> Result<Receipt, Error> {
        Ok(Receipt { external_id: intent.reference.clone(), ..Receipt::default() })
    }

    async fn send(&self, intent: &Intent, _ledger: &Ledger) -> Result<Receipt, SendError> {
        Ok(Receipt { external_id: intent.reference.clone(), ..Receipt::default() })
    }

    fn number_name(&self, _step: &StepName) -> Option<&'static str> {
        None
    }
}
