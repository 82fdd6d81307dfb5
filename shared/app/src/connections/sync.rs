//! Reading a connection now, because somebody asks for it: a ledger program's registers, a warehouse's parcels and stock.

use std::time::Duration;

use bokbro_domain::ids::{JobId, Provider, TenantId};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::connected;
use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::Error;
use crate::message::{ConnectionTask, Nudge};
use crate::orders::Refusal;
use crate::ports::{QueueName, Shipping, Turn};
use crate::records::{ConnectionState, Job, JobState, Reading};
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
    by: By<'_>,
    provider: &Provider,
    body: &[u8],
) -> Result<Asked, Refusal> {
    let reading = read_reading(body).map_err(Refusal::Invalid)?;
    let connection = connected(app, by.tenant, provider).await?;
    let settings = app.directory.settings_get(by.tenant).await?;
    let (accounting, warehouse) =
        settings.map(|settings| (settings.accounting, settings.warehouse)).unwrap_or_default();
    let conflict = |code, message: Said| Err(Refusal::Conflict { code, field: None, message });
    if connection.state == ConnectionState::NeedsConsent {
        let message = said!(
            "conflict-needs-consent",
            "{provider} does not let us in. Connect it again first.",
            provider
        );
        return conflict("needs_consent", message);
    }
    let ships = matches!(app.providers.shipping(provider), Some(Shipping::Ours(_)));
    let has_registers = app.providers.registers(provider).is_some();
    if !ships && !has_registers {
        return conflict(
            "nothing_to_read",
            said!(
                "conflict-nothing-to-read",
                "{provider} has no registers, parcels or stock to read.",
                provider
            ),
        );
    }
    if accounting.as_ref() != Some(provider) && warehouse.as_ref() != Some(provider) {
        return conflict(
            "not_in_use",
            said!(
                "conflict-not-in-use",
                "{provider} is connected, but the tenant's settings do not use it.",
                provider
            ),
        );
    }
    if has_registers {
        return registers_ask(app, by, provider, reading).await.map(|job| Asked::Job(Box::new(job)));
    }
    if reading != Reading::Changes {
        let message =
            said!("conflict-warehouse-body", "A warehouse is read as far as it has changed; send no body.");
        return conflict("nothing_to_read", message);
    }
    let tasks = vec![ConnectionTask::Parcels, ConnectionTask::Stock];
    note(app, by, provider, json!({ "read": ["parcels", "stock"] })).await?;
    let nudges = tasks.iter().map(|task| Nudge::connection(provider.clone(), *task)).collect();
    nudge(app, by.tenant, by.correlation, QueueName::Pulls, nudges).await?;
    Ok(Asked::Tasks(tasks))
}

/// One asker at a time, so that two who ask at once get one job.
async fn registers_ask(app: &App, by: By<'_>, provider: &Provider, reading: Reading) -> Result<Job, Refusal> {
    let turn = format!("registers#{}#{provider}#asking", by.tenant);
    let job = job_new(app, provider, reading, by.who, by.correlation);
    let owner = job.id.to_string();
    for _ in 0..LOOKS {
        let now = app.clock.now();
        let until = now.saturating_add(ASKING).unwrap_or(Timestamp::MAX);
        match app.turns.turn_take(&turn, &owner, now, until).await? {
            Turn::Taken => {
                let asked = running_or(app, by, provider, job).await;
                app.turns.turn_give_back(&turn, &owner).await?;
                return asked;
            }
            Turn::Held { .. } => app.clock.wait(LOOK_AFTER).await,
        }
    }
    Err(Refusal::Failed(Error::Raced { step: "asking for the registers" }))
}

/// The job that runs, or the new one.
async fn running_or(app: &App, by: By<'_>, provider: &Provider, job: Job) -> Result<Job, Refusal> {
    if let Some(running) = connection_reading(app, by.tenant, provider).await? {
        return Ok(running);
    }
    let shown = serde_json::to_value(&job.task).unwrap_or_default();
    note(app, by, provider, json!({ "job": job.id, "task": shown })).await?;
    app.jobs.job_put(by.tenant, &job).await?;
    app.cursors.cursor_put(by.tenant, provider, ASKED, job.id.as_str()).await?;
    let nudges = vec![Nudge::Connection {
        provider: provider.clone(),
        task: ConnectionTask::Registers,
        job: Some(job.id.clone()),
    }];
    nudge(app, by.tenant, by.correlation, QueueName::Pulls, nudges).await?;
    Ok(job)
}

/// The job that somebody asked for and that reads a connection's registers just now.
///
/// # Errors
/// When the table fails.
pub async fn connection_reading(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
) -> Result<Option<Job>, Error> {
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
async fn note(app: &App, by: By<'_>, provider: &Provider, after: serde_json::Value) -> Result<(), Error> {
    let changed = Changed { after: Some(after), ..Changed::default() };
    audit_add(app, by, "connection_synced", provider.as_str(), changed).await
}
