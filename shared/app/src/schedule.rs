//! The hourly tick: finds out for whom time has brought something to do and sends a nudge for each. It does none of it
//! itself, so one run is enough for thousands of tenants.

use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Invocation};
use crate::error::Error;
use crate::message::{ConnectionTask, Envelope, Nudge};
use crate::ports::{Cursor, QueueName};
use crate::pulls::is_idle;

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
        /// Nudges that were sent.
        nudged: usize,
    },
    /// The same tick was done before.
    Before,
    /// Time ran short; the same tick again goes on from here.
    Stopped {
        /// Nudges that were sent.
        nudged: usize,
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
    let (mut cursor, mut stops) = (None, 0);
    while let Some(stopped) = app.inbox.delivery_outcome(&stop_id(&tick, stops), app.clock.now()).await? {
        cursor = Some(Cursor(stopped));
        stops += 1;
    }
    let until = app.clock.now().saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    let mut nudged = 0;
    loop {
        let page = app.directory.connections_list(PAGE, cursor.as_ref()).await?;
        let mut messages = Vec::new();
        for connection in &page.items {
            if is_idle(app, connection).await? {
                let provider = connection.provider.clone();
                let nudge = Nudge::Connection { provider, task: ConnectionTask::KeepAlive };
                let (tenant, correlation) = (connection.tenant.clone(), invocation.correlation.clone());
                messages.push(Envelope::new(tenant, correlation, app.clock.now(), nudge));
            }
        }
        app.queues.queue_send_all(QueueName::Pulls, &messages).await?;
        nudged += messages.len();
        let Some(next) = page.next else { break };
        if invocation.deadline.duration_since(app.clock.now()) < RESERVE {
            app.inbox.delivery_done(&stop_id(&tick, stops), &next.0, until).await?;
            tracing::warn!(correlation = %invocation.correlation, %scheduled_at, nudged, "tick stopped for lack of time");
            return Ok(Ticked::Stopped { nudged });
        }
        cursor = Some(next);
    }
    app.inbox.delivery_done(&tick, "done", until).await?;
    tracing::info!(correlation = %invocation.correlation, %scheduled_at, nudged, "tick done");
    Ok(Ticked::Done { nudged })
}

/// Under what is remembered where a run of a tick had to stop.
fn stop_id(tick: &str, stops: u32) -> String {
    format!("{tick}#{stops}")
}
