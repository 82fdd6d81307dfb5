//! What time brings to read at a warehouse: orders that have got on, because webhooks get lost, and stock.
//!
//! A cursor is moved only when everything before it is stored. A run that is short of time goes on where it stood.

use bokbro_domain::ids::{Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::status::{Told, shipment_tell};
use super::{Opened, open};
use crate::app::{App, Invocation};
use crate::error::{Error, chain};
use crate::orders::Refusal;
use crate::ports::{Access, Cursor, Page, Stock, Warehouse};

/// Names of the cursors.
const PARCELS: &str = "parcels";
const STOCK: &str = "stock";
/// What changed this long before the last read is read again: clocks differ, and lists lag.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// How far the first read looks back.
const FIRST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Time that a page may take: a run with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(25);

/// Where reading a list stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    /// Everything that changed before this has been read.
    read: Option<Timestamp>,
    /// The run under way, if one had to stop.
    run: Option<Run>,
}

/// A run through the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    /// Reads what has changed since; everything without it.
    since: Option<Timestamp>,
    /// When it began: what has changed since then may be missing from it.
    begun: Timestamp,
    /// The page that comes next.
    after: Option<u64>,
}

/// Reads which orders have got on, as far as the time goes.
///
/// # Errors
/// `Later` when the time was too short for all of it; otherwise by what happens next.
pub async fn parcels_pull(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
) -> Result<(), Error> {
    let pull = Pull { app, invocation, tenant, provider, entity: PARCELS };
    let Some((warehouse, access)) = pull.open().await? else { return Ok(()) };
    let run = pull.begin(|read, now| {
        let since = read.unwrap_or_else(|| now.saturating_sub(FIRST).unwrap_or(Timestamp::MIN));
        Some(since.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN))
    });
    let run = &mut run.await?;
    let mut news = 0;
    loop {
        let since = run.since.unwrap_or(Timestamp::MIN);
        let page = match warehouse.changes(&access, since, run.after).await {
            Ok(page) => page,
            Err(error) => return pull.no_answer(error),
        };
        for (order, shipment) in &page.items {
            match shipment_tell(app, invocation, tenant, order, provider, shipment).await? {
                Told::News => news += 1,
                Told::Known | Told::Nobody => {}
            }
        }
        if !pull.page_done(run, page.next).await? {
            tracing::info!(%tenant, %provider, news, "parcels read");
            return Ok(());
        }
    }
}

/// Reads the stock: what has changed since the last read, or all of it when that is longer ago than the warehouse tells of
/// changes.
///
/// # Errors
/// `Later` when the time was too short for all of it; otherwise by what happens next.
pub async fn stock_pull(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
) -> Result<(), Error> {
    let pull = Pull { app, invocation, tenant, provider, entity: STOCK };
    let Some((warehouse, access)) = pull.open().await? else { return Ok(()) };
    let window = SignedDuration::try_from(warehouse.stock_window()).unwrap_or(SignedDuration::MAX);
    // The overlap and a run that takes its time must lie inside the window too.
    let window = window - OVERLAP - OVERLAP;
    let run = pull.begin(|read, now| {
        let read = read.filter(|read| now.duration_since(*read) < window)?;
        Some(read.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN))
    });
    let run = &mut run.await?;
    if run.since.is_some_and(|since| app.clock.now().duration_since(since) >= window + OVERLAP) {
        // A run that stopped too long ago: the warehouse would refuse to go on with it.
        (run.since, run.after) = (None, None);
    }
    let mut articles = 0;
    loop {
        let page = match warehouse.stock(&access, run.since, run.after).await {
            Ok(page) => page,
            Err(error) => return pull.no_answer(error),
        };
        app.stocks.stocks_put(tenant, provider, &page.items, app.clock.now()).await?;
        articles += page.items.len();
        if !pull.page_done(run, page.next).await? {
            tracing::info!(%tenant, %provider, articles, full = run.since.is_none(), "stock read");
            return Ok(());
        }
    }
}

/// Lists what the tenant's warehouse had when it was last read, each with the time of that.
///
/// # Errors
/// `Invalid` for a cursor of another list.
pub async fn stock_list(
    app: &App,
    tenant: &TenantId,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Result<Page<(Stock, Timestamp)>, Refusal> {
    let settings = app.directory.settings_get(tenant).await?;
    match settings.and_then(|settings| settings.warehouse) {
        Some(warehouse) => Ok(app.stocks.stocks_list(tenant, &warehouse, limit, cursor).await?),
        None => Ok(Page { items: Vec::new(), next: None }),
    }
}

struct Pull<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: &'a TenantId,
    provider: &'a Provider,
    entity: &'static str,
}

impl Pull<'_> {
    /// The way in; none when the warehouse is not the tenant's, is another system's, or does not let us in, which the
    /// connection shows already.
    async fn open(&self) -> Result<Option<(std::sync::Arc<dyn Warehouse>, Access)>, Error> {
        let settings = self.app.directory.settings_get(self.tenant).await?;
        if settings.and_then(|settings| settings.warehouse).as_ref() != Some(self.provider) {
            return Ok(None);
        }
        match open(self.app, self.tenant, self.provider, self.invocation.deadline).await {
            Ok(Opened::Ours(warehouse, access)) => Ok(Some((warehouse, access))),
            Ok(Opened::Theirs) | Err(Error::Consent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The run that had to stop, or a new one.
    async fn begin(
        &self,
        since: impl FnOnce(Option<Timestamp>, Timestamp) -> Option<Timestamp>,
    ) -> Result<Run, Error> {
        let stored = self.app.cursors.cursor_get(self.tenant, self.provider, self.entity).await?;
        let position = stored.and_then(|text| serde_json::from_str(&text).ok());
        let Position { read, run } = position.unwrap_or(Position { read: None, run: None });
        let now = self.app.clock.now();
        Ok(run.unwrap_or_else(|| Run { since: since(read, now), begun: now, after: None }))
    }

    /// Notes that a page is stored; says whether another one comes.
    async fn page_done(&self, run: &mut Run, next: Option<u64>) -> Result<bool, Error> {
        self.app.crash.reached("after a page of the pull").await;
        let short = self.invocation.deadline.duration_since(self.app.clock.now()) < RESERVE;
        run.after = next;
        match next {
            None => self.put(&Position { read: Some(run.begun), run: None }).await?,
            Some(_) if short => {
                let read = run.since;
                self.put(&Position { read, run: Some(run.clone()) }).await?;
                let at = self.app.clock.now().saturating_add(SignedDuration::from_secs(1));
                let what = format!("the rest of the {}", self.entity);
                return Err(Error::Later { what, at: at.unwrap_or(Timestamp::MAX) });
            }
            Some(_) => {}
        }
        Ok(next.is_some())
    }

    async fn put(&self, position: &Position) -> Result<(), Error> {
        let text = serde_json::to_string(position).map_err(|e| Error::storage("moving a cursor", e))?;
        self.app.cursors.cursor_put(self.tenant, self.provider, self.entity, &text).await
    }

    /// The next tick is the better retry: an hour is nothing here, and an outage would fill the dead letters.
    fn no_answer(&self, error: Error) -> Result<(), Error> {
        match error {
            Error::Unavailable { .. } | Error::Consent { .. } | Error::Parked(_) => {
                let (tenant, provider) = (self.tenant, self.provider);
                tracing::warn!(%tenant, %provider, code = error.code(), error = chain(&error), "not read this time");
                Ok(())
            }
            other => Err(other),
        }
    }
}
