//! The hourly tick: finds out for whom time has brought something to do and sends a nudge for each. It does none of it
//! itself, so one run is enough for thousands of tenants.
//!
//! Every tenant with a connection is swept, because only the tenant's own table part can say what was left behind there.

use std::collections::BTreeMap;

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::token::TokenState;
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Invocation};
use crate::connections::{ShownState, days_left};
use crate::error::Error;
use crate::message::{ConnectionTask, Envelope, Nudge};
use crate::metrics;
use crate::ports::{Cursor, QueueName, Shipping};
use crate::pulls::lapsing_tokens;
use crate::records::Connection;
use crate::work::NOBODY;

/// Connections looked at between two looks at the clock.
const PAGE: usize = 100;
/// Time that a page may take: a run with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);
/// How long a tick is remembered: longer than the platform repeats one.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticked {
    /// Every connection was looked at.
    Done {
        /// Idle connections that were nudged.
        nudged: usize,
        /// Tenants that are swept, besides the account as a whole.
        swept: usize,
    },
    /// The same tick was done before.
    Before,
    /// Time ran short; the same tick again goes on from here.
    Stopped {
        /// Idle connections that were nudged.
        nudged: usize,
        /// Tenants that are swept, besides the account as a whole.
        swept: usize,
    },
}

/// Sends what the time of a tick brings to do. A tick counts once, however often it is delivered.
///
/// # Errors
/// When table or queue fail; the same tick again goes on, and a nudge that was sent twice does its work once.
pub async fn schedule_tick(
    app: &App,
    invocation: &Invocation,
    scheduled_at: Timestamp,
) -> Result<Ticked, Error> {
    let tick = format!("schedule#{scheduled_at}");
    if app.inbox.delivery_outcome(&tick, app.clock.now()).await?.is_some() {
        return Ok(Ticked::Before);
    }
    let (mut at, mut stops) = (Place::default(), 0);
    while let Some(stopped) = app.inbox.delivery_outcome(&stop_id(&tick, stops), app.clock.now()).await? {
        at = Place::parse(&stopped);
        stops += 1;
    }
    let until = app.clock.now().saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    let (mut nudged, mut swept) = (0, 0);
    let mut standings = Standings::default();
    loop {
        let page = app.directory.connections_list(PAGE, at.cursor.as_ref()).await?;
        let mut messages = Vec::new();
        for connection in &page.items {
            let mut send = |nudge| {
                let (tenant, correlation) = (connection.tenant.clone(), invocation.correlation.clone());
                messages.push(Envelope::new(tenant, correlation, app.clock.now(), nudge));
            };
            // A tenant's connections stand together.
            if at.tenant.as_ref() != Some(&connection.tenant) {
                at.tenant = Some(connection.tenant.clone());
                send(Nudge::Sweep { job: None });
                swept += 1;
            }
            let tokens = lapsing_tokens(app, connection).await?;
            standings.add(app, connection, &tokens);
            if tokens.idle(app.clock.now()) {
                let provider = connection.provider.clone();
                send(Nudge::connection(provider, ConnectionTask::KeepAlive));
                nudged += 1;
            }
            if let Some(Shipping::Ours(_)) = app.providers.shipping(&connection.provider) {
                for task in [ConnectionTask::Parcels, ConnectionTask::Stock] {
                    send(Nudge::connection(connection.provider.clone(), task));
                }
            }
            if app.providers.registers(&connection.provider).is_some() {
                send(Nudge::connection(connection.provider.clone(), ConnectionTask::Registers));
            }
        }
        if page.next.is_none() {
            // What belongs to no tenant, replays of the whole account say, is looked after like a tenant's.
            let nobody = TenantId::parse(NOBODY).map_err(|e| Error::storage("naming the operator", e))?;
            let correlation = invocation.correlation.clone();
            messages.push(Envelope::new(nobody, correlation, app.clock.now(), Nudge::Sweep { job: None }));
        }
        app.queues.queue_send_all(QueueName::Pulls, &messages).await?;
        let Some(next) = page.next else { break };
        at.cursor = Some(next);
        if invocation.deadline.duration_since(app.clock.now()) < RESERVE {
            app.inbox.delivery_done(&stop_id(&tick, stops), &at.to_text(), until).await?;
            standings.tell();
            tracing::warn!(
                correlation = %invocation.correlation, %scheduled_at, nudged, swept,
                "tick stopped for lack of time"
            );
            return Ok(Ticked::Stopped { nudged, swept });
        }
    }
    app.inbox.delivery_done(&tick, "done", until).await?;
    standings.tell();
    tracing::info!(
        correlation = %invocation.correlation, %scheduled_at, nudged, swept, { metrics::TICKS } = 1,
        "tick done"
    );
    Ok(Ticked::Done { nudged, swept })
}

/// How connections stand, by provider, as a run of a tick finds them.
#[derive(Default)]
struct Standings(BTreeMap<Provider, Standing>);

#[derive(Default)]
struct Standing {
    /// Connections whose provider does not let us in.
    down: u64,
    /// Days until the first consent lapses, where they do.
    days_left: Option<i64>,
}

impl Standings {
    fn add(&mut self, app: &App, connection: &Connection, tokens: &TokenState) {
        let of_provider = self.0.entry(connection.provider.clone()).or_default();
        if ShownState::of(connection, tokens) == ShownState::NeedsConsent {
            of_provider.down += 1;
        }
        let days = days_left(app, connection, tokens);
        of_provider.days_left = of_provider.days_left.into_iter().chain(days).min();
    }

    fn tell(&self) {
        for (provider, Standing { down, days_left }) in &self.0 {
            tracing::info!(
                %provider,
                { metrics::CONNECTIONS_DOWN } = down,
                { metrics::CONSENT_DAYS_LEFT } = days_left,
                "connections looked at"
            );
        }
    }
}

/// How far a tick has come.
#[derive(Default)]
struct Place {
    /// The last tenant whose sweep was sent.
    tenant: Option<TenantId>,
    /// Where the list of connections goes on.
    cursor: Option<Cursor>,
}

impl Place {
    /// As text for whoever goes on; a tenant's name has no blank.
    fn to_text(&self) -> String {
        let tenant = self.tenant.as_ref().map(TenantId::as_str).unwrap_or_default();
        let cursor = self.cursor.as_ref().map(|cursor| cursor.0.as_str()).unwrap_or_default();
        format!("{tenant} {cursor}")
    }

    fn parse(text: &str) -> Self {
        let (tenant, cursor) = text.split_once(' ').unwrap_or_default();
        Self { tenant: TenantId::parse(tenant).ok(), cursor: Some(Cursor(cursor.to_owned())) }
    }
}

/// Under what is remembered where a run of a tick had to stop.
fn stop_id(tick: &str, stops: u32) -> String {
    format!("{tick}#{stops}")
}
