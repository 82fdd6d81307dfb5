//! The posting profile of one voucher per day: orders join their day's batch, a batch that is over becomes a voucher.
//!
//! An order joins in the transaction that notes so in its ledger, on condition that the batch is open. The first write of
//! the batch's own ledger closes it. From then on its entries stand still, so whoever adds them up, and however often,
//! comes to the same voucher, and the engine that sees to an order's documents sees to it too. What comes late joins the
//! next batch of the same day. At last the orders are nudged, and each notes its voucher by itself.

mod join;

use bokbro_domain::day::DayId;
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{ParkedId, Provider, Target, TenantId};
use bokbro_domain::order::SyncState;
use bokbro_domain::posting::{DayTotals, DayVoucher};
use bokbro_domain::said;
use jiff::SignedDuration;

use crate::accounting::{Opened, open, pause, planned};
use crate::app::{App, Invocation};
use crate::effects::{Ask, Work};
use crate::error::{Error, Reason};
use crate::message::{Envelope, Nudge};
use crate::parked::{DAY, item_park};
use crate::ports::{Cursor, Day, QueueName};
use crate::records::{Parked, Settings};
use crate::sweep::nudge;

pub(crate) use join::order_join;

/// The number of a voucher, among the numbers of a batch and of its orders.
pub(crate) const VOUCHER: &str = "voucher_number";
/// Entries read at once.
const PAGE: usize = 1_000;
/// Time that a page of orders may take to be told.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);

/// Writes the voucher of a batch whose day is over, and tells its orders. `after` is how far they have been told.
///
/// # Errors
/// By what happens next; the batch tells of it already.
pub async fn day_book(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &DayId,
    ask: Ask<'_>,
    after: Option<&str>,
) -> Result<(), Error> {
    let booked = book(app, invocation, tenant, id, ask).await;
    if let Err(Error::Consent { provider, .. }) = &booked {
        pause(app, tenant, provider).await?;
    }
    if booked? { orders_tell(app, invocation, tenant, id, after).await } else { Ok(()) }
}

/// Says whether the batch has its voucher.
async fn book(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &DayId,
    ask: Ask<'_>,
) -> Result<bool, Error> {
    let Some((day, ledger)) = app.days.day_load(tenant, id).await? else {
        // Nothing but a person can have deleted it.
        let reason = Reason::new("day_unknown", said!("parked-day", "there is no batch {id} any more", id));
        park_unknown(app, invocation, tenant, id, reason.clone()).await?;
        return Err(Error::Parked(reason));
    };
    if day.status.state == SyncState::Done {
        return Ok(true);
    }
    if app.clock.now() < id.due_at() {
        return Ok(false);
    }
    let Some(settings) = app.directory.settings_get(tenant).await? else { return Ok(false) };
    let Some(provider) = &settings.accounting else { return Ok(false) };
    let mut work = Work::begin_day(app, invocation, tenant, &day, &ledger, provider)?;
    let opened = match open(app, tenant, provider, invocation.deadline).await {
        Ok(opened) => opened,
        Err(error) => return Err(work.stop(None, error).await),
    };
    let Some(vouchers) = app.providers.vouchers(provider) else {
        return Err(work.stop(None, not_supported(provider)).await);
    };
    // Before the batch is taken, as with orders: whoever has to wait leaves no trace.
    let place = invocation.place.or_else(|| (!ledger.steps.is_empty()).then(|| app.clock.now()));
    opened.access.pace.admit(place).await?;
    if let Err(error) = work.take().await {
        return Err(work.stop(None, error).await);
    }
    match voucher(app, &opened, &settings, ask, tenant, &day, &ledger).await {
        Ok(voucher) => {
            let effector = vouchers.effector(opened.access, voucher);
            work.run(&*effector, ask).await.map(|()| true)
        }
        Err(error) => Err(work.stop(None, error).await),
    }
}

fn not_supported(provider: &Provider) -> Error {
    let message = said!(
        "parked-no-vouchers",
        "{provider} cannot take one voucher per day; choose another posting profile",
        provider
    );
    Error::park("profile_not_supported", message)
}

/// The voucher of a batch that nothing joins any more.
async fn voucher(
    app: &App,
    opened: &Opened,
    settings: &Settings,
    ask: Ask<'_>,
    tenant: &TenantId,
    day: &Day,
    ledger: &Ledger,
) -> Result<DayVoucher, Error> {
    let too_large = |_| {
        let message = said!("parked-day-too-large", "the sums of {day} are too large", day = day.id);
        Error::park("amount_too_large", message)
    };
    let (mut totals, mut cursor) = (DayTotals::default(), None);
    loop {
        let page = app.days.day_entries(tenant, &day.id, PAGE, cursor.as_ref()).await?;
        for joined in &page.items {
            totals.add(joined.credit, &joined.sums).map_err(too_large)?;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if totals.entries() != day.entries {
        let what = format!("{} entries of {}, not {}", totals.entries(), day.id, day.entries);
        return Err(Error::storage("adding up a day", what));
    }
    planned(app, opened, settings, ask, |chart| {
        totals.voucher(&day.id, &day.reference, chart, !ledger.steps.is_empty())
    })
    .await
}

/// Nudges the orders of a batch that has its voucher, page by page, and takes the batch off the list. A run that is short
/// of time leaves the rest to a message of its own. An order that is not told after all is found by the sweep.
async fn orders_tell(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &DayId,
    after: Option<&str>,
) -> Result<(), Error> {
    let correlation = &invocation.correlation;
    let mut cursor = after.map(|after| Cursor(after.to_owned()));
    loop {
        let page = app.days.day_entries(tenant, id, PAGE, cursor.as_ref()).await?;
        let mut orders: Vec<_> = page.items.into_iter().map(|joined| joined.order).collect();
        orders.dedup();
        let nudges = orders.into_iter().map(Nudge::order).collect();
        nudge(app, tenant, correlation, QueueName::Accounting, nudges).await?;
        app.crash.reached("after telling orders of their voucher").await;
        let Some(next) = page.next else { break };
        if invocation.deadline.duration_since(app.clock.now()) < RESERVE {
            let rest = Nudge::Day { day: id.clone(), insist: false, told: None, after: Some(next.0) };
            let rest = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), rest);
            return app.queues.queue_send(QueueName::Accounting, &rest).await;
        }
        cursor = Some(next);
    }
    app.days.day_drop(tenant, id).await
}

async fn park_unknown(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &DayId,
    reason: Reason,
) -> Result<(), Error> {
    let parked = Parked {
        id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
        at: app.clock.now(),
        fingerprint: format!("{}:{id}:{}", Target::Accounting.as_str(), reason.code),
        code: reason.code,
        message: reason.message,
        order: None,
        target: Some(Target::Accounting),
        details: [(DAY.to_owned(), id.to_string())].into(),
        correlation: invocation.correlation.clone(),
    };
    item_park(app, tenant, &parked).await.map(|_| ())
}
