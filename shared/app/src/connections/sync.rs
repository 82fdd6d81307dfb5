//! Reading a connection now, because somebody asks for it: a ledger program's registers, a warehouse's parcels and stock.

use std::time::Duration;

use bokbro_domain::ids::{CorrelationId, JobId, Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::connected;
use crate::app::App;
use crate::error::Error;
use crate::message::{ConnectionTask, Nudge};
use crate::orders::Refusal;
use crate::ports::{QueueName, Shipping, Turn};
use crate::records::{AuditEntry, ConnectionState, Job, JobState, Reading};
use crate::registers::job_new;
use crate::sweep::nudge;
use crate::wire::registers_in::read_reading;

/// Name of the cursor that leads to the job that somebody asked for last.
const ASKED: &str = "registers_asked";
/// A job that nobody has got on with for so long is dead, whatever it says of itself.
const DEAD: SignedDuration = SignedDuration::from_hours(2);
/// How long asking may take.
const ASKING: SignedDuration = SignedDuration::from_secs(10);
/// How often and after what time somebody who asks at the same moment looks again.
const LOOKS: u32 = 50;
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Whose connection.
    pub tenant: &'a TenantId,
    /// The API key's first characters, for the audit log.
    pub who: &'a str,
    /// Ties everything to the request.
    pub correlation: &'a CorrelationId,
}

/// What comes of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A job reads the registers.
    Job(Box<Job>),
    /// A warehouse is read.
    Tasks(Vec<ConnectionTask>),
}

/// Has a connection read now. While a job that was asked for runs, asking again gives that job.
///
/// # Errors
/// `Invalid` with the field named, `NotFound` without a connection, `Conflict` when there is nothing to read or no way in.
pub async fn connection_sync(
    app: &App,
    asker: Asker<'_>,
    provider: &Provider,
    body: &[u8],
) -> Result<Asked, Refusal> {
    let reading = read_reading(body).map_err(Refusal::Invalid)?;
    let connection = connected(app, asker.tenant, provider).await?;
    let settings = app.directory.settings_get(asker.tenant).await?;
    let (accounting, warehouse) =
        settings.map(|settings| (settings.accounting, settings.warehouse)).unwrap_or_default();
    let conflict = |code, message: String| Err(Refusal::Conflict { code, field: None, message });
    if connection.state == ConnectionState::NeedsConsent {
        return conflict("needs_consent", format!("{provider} does not let us in. Connect it again first."));
    }
    let ships = matches!(app.providers.shipping(provider), Some(Shipping::Ours(_)));
    let has_registers = app.providers.registers(provider).is_some();
    if !ships && !has_registers {
        return conflict(
            "nothing_to_read",
            format!("{provider} has no registers, parcels or stock to read."),
        );
    }
    if accounting.as_ref() != Some(provider) && warehouse.as_ref() != Some(provider) {
        return conflict(
            "not_in_use",
            format!("{provider} is connected, but the tenant's settings do not use it."),
        );
    }
    if has_registers {
        return registers_ask(app, asker, provider, reading).await.map(|job| Asked::Job(Box::new(job)));
    }
    if reading != Reading::Changes {
        let message = "A warehouse is read as far as it has changed; send no body.".to_owned();
        return conflict("nothing_to_read", message);
    }
    let tasks = vec![ConnectionTask::Parcels, ConnectionTask::Stock];
    note(app, asker, provider, json!({ "read": ["parcels", "stock"] })).await?;
    let nudges = tasks.iter().map(|task| Nudge::connection(provider.clone(), *task)).collect();
    nudge(app, asker.tenant, asker.correlation, QueueName::Pulls, nudges).await?;
    Ok(Asked::Tasks(tasks))
}

/// One asker at a time, so that two who ask at once get one job.
async fn registers_ask(
    app: &App,
    asker: Asker<'_>,
    provider: &Provider,
    reading: Reading,
) -> Result<Job, Refusal> {
    let turn = format!("registers#{}#{provider}#asking", asker.tenant);
    let job = job_new(app, provider, reading, asker.who, asker.correlation);
    let owner = job.id.to_string();
    for _ in 0..LOOKS {
        let now = app.clock.now();
        let until = now.saturating_add(ASKING).unwrap_or(Timestamp::MAX);
        match app.turns.turn_take(&turn, &owner, now, until).await? {
            Turn::Taken => {
                let asked = running_or(app, asker, provider, job).await;
                app.turns.turn_give_back(&turn, &owner).await?;
                return asked;
            }
            Turn::Held { .. } => app.clock.wait(LOOK_AFTER).await,
        }
    }
    Err(Refusal::Failed(Error::Raced { step: "asking for the registers" }))
}

/// The job that runs, or the new one.
async fn running_or(app: &App, asker: Asker<'_>, provider: &Provider, job: Job) -> Result<Job, Refusal> {
    if let Some(running) = running(app, asker.tenant, provider).await? {
        return Ok(running);
    }
    let shown = serde_json::to_value(&job.task).unwrap_or_default();
    note(app, asker, provider, json!({ "job": job.id, "task": shown })).await?;
    app.jobs.job_put(asker.tenant, &job).await?;
    app.cursors.cursor_put(asker.tenant, provider, ASKED, job.id.as_str()).await?;
    let nudges = vec![Nudge::Connection {
        provider: provider.clone(),
        task: ConnectionTask::Registers,
        job: Some(job.id.clone()),
    }];
    nudge(app, asker.tenant, asker.correlation, QueueName::Pulls, nudges).await?;
    Ok(job)
}

async fn running(app: &App, tenant: &TenantId, provider: &Provider) -> Result<Option<Job>, Error> {
    let Some(id) = app.cursors.cursor_get(tenant, provider, ASKED).await? else { return Ok(None) };
    let Ok(id) = JobId::parse(&id) else { return Ok(None) };
    let now = app.clock.now();
    let runs = |job: &Job| match job.state {
        JobState::Waiting | JobState::Running => now.duration_since(job.updated_at) < DEAD,
        JobState::Done | JobState::Failed => false,
    };
    Ok(app.jobs.job_get(tenant, &id).await?.filter(runs))
}

/// On the audit log first: nothing is read by hand that the log does not tell of.
async fn note(
    app: &App,
    asker: Asker<'_>,
    provider: &Provider,
    after: serde_json::Value,
) -> Result<(), Error> {
    let entry = AuditEntry {
        id: app.stamps.ulid(&*app.clock).to_string(),
        at: app.clock.now(),
        who: asker.who.to_owned(),
        what: "connection_synced".to_owned(),
        subject: provider.to_string(),
        reason: None,
        before: None,
        after: Some(after),
        correlation: asker.correlation.clone(),
    };
    app.audits.audit_put(asker.tenant, &entry).await
}
