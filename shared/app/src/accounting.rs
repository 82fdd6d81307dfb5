//! The accounting worker: a nudge says "look at this order again", and the books get what they lack.

use std::sync::Arc;

use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{OrderId, Provider, Target, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::payment::reversals;
use bokbro_domain::posting::{Chart, Posting, PostingError, PostingProfile, credited, plan, with_credits};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Invocation};
use crate::credits;
use crate::days::order_join;
use crate::effects::{Ask, Work};
use crate::error::{Error, Reason};
use crate::parked::order_park;
use crate::ports::{Access, Accounting, LedgerKey};
use crate::records::{Connection, ConnectionState, ReadChart, Settings};

/// How long a chart of accounts is used before it is read again.
const CHART_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long a chart that stands in the way is believed.
const CHART_DOUBT: SignedDuration = SignedDuration::from_mins(10);

/// Brings one order into the books as far as it goes.
///
/// # Errors
/// By what happens next; the order tells of it already.
pub async fn order_account(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    ask: Ask<'_>,
) -> Result<(), Error> {
    let worked = account(app, invocation, tenant, id, ask).await;
    if let Err(Error::Consent { provider, .. }) = &worked {
        pause(app, tenant, provider).await?;
    }
    worked
}

/// Whoever is not let in with one order is not let in with the next one either: nothing more is sent until somebody has
/// mended the connection and checked it.
pub(crate) async fn pause(app: &App, tenant: &TenantId, provider: &str) -> Result<(), Error> {
    let Ok(provider) = Provider::parse(provider) else { return Ok(()) };
    let connection = app.directory.connection_get(tenant, &provider).await?;
    let works = |connection: &Connection| match connection.state {
        ConnectionState::Unchecked | ConnectionState::Healthy => true,
        ConnectionState::NeedsConsent | ConnectionState::Disconnected => false,
    };
    let Some(mut connection) = connection.filter(works) else { return Ok(()) };
    connection.state = ConnectionState::NeedsConsent;
    app.directory.connection_put(&connection).await?;
    tracing::error!(%tenant, %provider, code = "connection_paused", "the provider does not let us in");
    Ok(())
}

async fn account(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    ask: Ask<'_>,
) -> Result<(), Error> {
    let key = LedgerKey { tenant: tenant.clone(), order: id.clone(), target: Target::Accounting };
    let Some((order, mut ledger)) = app.ledgers.ledger_load(&key).await? else {
        // Nothing but a person can have deleted it.
        let reason =
            Reason::new("order_unknown", said!("parked-order", "there is no order {id} any more", id));
        order_park(app, &invocation.correlation, tenant, id, Target::Accounting, reason.clone()).await?;
        return Err(Error::Parked(reason));
    };
    if !order.books_lack() {
        return Ok(());
    }
    let Some(settings) = app.directory.settings_get(tenant).await? else { return Ok(()) };
    let Some(provider) = &settings.accounting else { return Ok(()) };
    let half_done = !ledger.steps.is_empty();
    // Settings that were changed since do not change what was begun.
    let begun_as = ledger.profile.filter(|_| half_done);
    let profile = *ledger.profile.insert(begun_as.unwrap_or(settings.posting_profile));
    if profile == PostingProfile::VoucherPerDay {
        return order_join(app, invocation, &settings, provider, &key, (order, ledger)).await;
    }
    let work = Work::begin(app, invocation, key, &order, &ledger, provider)?;
    let opened = match open(app, tenant, provider, invocation.deadline).await {
        Ok(opened) => opened,
        Err(error) => return Err(work.stop(None, error).await),
    };
    // Before the order is taken: whoever has to wait leaves no trace. An order that is half in the books goes first.
    let place = invocation.place.or_else(|| half_done.then(|| app.clock.now()));
    opened.access.pace.admit(place).await?;
    match prepare(app, &opened, &settings, (profile, ask), &order, &ledger).await {
        Ok(posting) => {
            let effector = credits::effector(opened.accounting, opened.access, posting);
            work.run(&*effector, ask).await
        }
        Err(error) => Err(work.stop(None, error).await),
    }
}

/// A tenant's way into the books.
pub(crate) struct Opened {
    accounting: Arc<dyn Accounting>,
    pub(crate) access: Access,
    connection: Connection,
}

pub(crate) async fn open(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    deadline: Timestamp,
) -> Result<Opened, Error> {
    let consent = |message: Said| Error::Consent { provider: provider.to_string(), message };
    let not_connected = || consent(said!("consent-not-connected", "it is not connected yet; connect it"));
    let accounting = app.providers.accounting(provider).ok_or_else(|| {
        consent(said!("consent-unknown-ledger", "this build does not know the ledger program"))
    })?;
    let connection = app.directory.connection_get(tenant, provider).await?;
    let connection = connection.ok_or_else(not_connected)?;
    if connection.state == ConnectionState::NeedsConsent {
        return Err(consent(said!("consent-ended", "its consent has ended; connect it again")));
    }
    let access = app.access.open(connection.clone()).await?.until(deadline);
    Ok(Opened { accounting, access, connection })
}

/// What the order becomes in the books, given what was sent already.
async fn prepare(
    app: &App,
    opened: &Opened,
    settings: &Settings,
    (profile, ask): (PostingProfile, Ask<'_>),
    order: &Order,
    ledger: &Ledger,
) -> Result<Posting, Error> {
    let given_back = match order.payment.reversed.minor {
        0 => Vec::new(),
        _ => reversals(&app.orders.payment_facts(&order.tenant, &order.id).await?),
    };
    planned(app, opened, settings, ask, |chart| {
        let sale = plan(order, chart, profile, !ledger.steps.is_empty())?;
        with_credits(sale, &given_back, &credited(ledger), chart)
    })
    .await
}

/// What a plan makes of the chart of accounts. The chart is read anew when a human insists, who may have changed it, and
/// when it stands in the way and was read a while ago: a year may have been opened since.
///
/// # Errors
/// `Parked` as the plan refuses; otherwise by what happens next.
pub(crate) async fn planned<T>(
    app: &App,
    opened: &Opened,
    settings: &Settings,
    ask: Ask<'_>,
    plan: impl Fn(&Chart) -> Result<T, PostingError>,
) -> Result<T, Error> {
    let plan = |chart: Chart| plan(&chart.overridden(&settings.accounts, settings.payment_mode.as_deref()));
    let now = app.clock.now();
    let read = read_chart(app, opened, if ask.insist { ask.at } else { Timestamp::MIN }).await?;
    let refused = match plan(read.chart) {
        Ok(planned) => return Ok(planned),
        Err(refused) if refused.is_of_chart() && now.duration_since(read.read_at) > CHART_DOUBT => {
            let again = plan(read_chart(app, opened, now).await?.chart);
            match again {
                Ok(planned) => return Ok(planned),
                Err(refused) => refused,
            }
        }
        Err(refused) => refused,
    };
    Err(Error::park(refused.code(), refused.said()))
}

/// The chart, read after `since` and no longer ago than it keeps.
async fn read_chart(app: &App, opened: &Opened, since: Timestamp) -> Result<ReadChart, Error> {
    let Opened { accounting, access, connection } = opened;
    let now = app.clock.now();
    if let Some(read) = &connection.chart
        && now.duration_since(read.read_at) < CHART_LIFE
        && read.read_at > since
    {
        return Ok(read.clone());
    }
    let read = ReadChart { chart: accounting.read_chart(access).await?, read_at: now };
    // Reading took a while: a connection that people changed meanwhile keeps what they made of it.
    let current = app.directory.connection_get(&connection.tenant, &connection.provider).await?;
    if let Some(mut current) = current.filter(|current| current == connection) {
        current.chart = Some(read.clone());
        current.state = ConnectionState::Healthy;
        app.directory.connection_put(&current).await?;
    }
    Ok(read)
}
