//! Reads a ledger program's registers back: which customers and invoices are there, which of them are ours, and how our
//! orders' invoices stand in the books now, whoever changed them. Reads only: what people have changed is shown and never
//! mended.
//!
//! A reading is a job. It keeps its place after every page, so that one that was stopped or killed goes on where it stood;
//! what is read twice changes nothing. How far a register has been read is noted when its reading has come to its end. One
//! worker reads at a time.

mod compare;
mod entries;
mod marks;
mod position;
mod run;
mod tell;

use std::sync::Arc;

use bokbro_domain::ids::{CorrelationId, JobId, Provider, TenantId};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::{SignedDuration, Timestamp};

use self::position::{Place, Progress};
use self::run::Run;
use crate::app::{App, Invocation};
use crate::error::{Error, chain};
use crate::ports::{Access, Register, Registers, Turn};
use crate::records::{ConnectionState, Job, JobState, JobTask, Reading};
use crate::sweep::SCHEDULE;

pub use position::{Shown, shown};

/// Name of the cursor that says how far the registers have been read.
const PROGRESS: &str = "registers";
/// Everything is read this often: only so is it seen that an entry is not there any more.
const FULL_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The schedule reads nothing that has been read so lately: its message came twice.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// A reading that stood still for longer begins its part anew: too much may have moved since.
const STALE: SignedDuration = SignedDuration::from_hours(6);
/// A turn outlives its invocation by this much, so that a slow last write still belongs to it.
const TURN_MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// When to look again for a turn that is somebody else's.
const TURN_LOOK: SignedDuration = SignedDuration::from_secs(15);
/// The receive on which a reading that gets no answer is given up, before its message is a dead letter.
const LAST_RECEIVE: u32 = 4;

/// Reads what there is to read, as far as the time goes: the job that somebody asked for, or the schedule's.
///
/// # Errors
/// `Later` when the time was too short for all of it; otherwise by what happens next. The job tells of it already.
pub async fn registers_read(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
    job: Option<&JobId>,
) -> Result<(), Error> {
    let turn = format!("registers#{tenant}#{provider}");
    let now = app.clock.now();
    let until = invocation.deadline.saturating_add(TURN_MARGIN).unwrap_or(Timestamp::MAX);
    match (app.turns.turn_take(&turn, &invocation.owner, now, until).await?, job) {
        (Turn::Taken, _) => {}
        // Somebody is reading, and the next tick comes in an hour.
        (Turn::Held { .. }, None) => return Ok(()),
        (Turn::Held { until }, Some(_)) => {
            let soon = now.saturating_add(TURN_LOOK).unwrap_or(Timestamp::MAX);
            return Err(Error::Later { what: "reading the registers".into(), at: until.min(soon) });
        }
    }
    let read = read(app, invocation, tenant, provider, job).await;
    if let Err(error) = app.turns.turn_give_back(&turn, &invocation.owner).await {
        tracing::warn!(%tenant, %provider, error = chain(&error), "the turn ends by itself");
    }
    read
}

async fn read(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
    asked: Option<&JobId>,
) -> Result<(), Error> {
    let way_in = open(app, tenant, provider, invocation.deadline).await?;
    let mut progress = progress(app, tenant, provider).await?;
    let job = match asked {
        Some(id) => app.jobs.job_get(tenant, id).await?,
        None if way_in.is_ok() => own_job(app, invocation, tenant, provider, &mut progress).await?,
        None => None,
    };
    let Some(mut job) = job.filter(|job| job.state != JobState::Done) else { return Ok(()) };
    let JobTask::Registers { provider: of, reading } = job.task.clone() else { return Ok(()) };
    if of != *provider {
        return Ok(());
    }
    let now = app.clock.now();
    if job.state != JobState::Running {
        job.attempts += 1;
    }
    let stale = now.duration_since(job.updated_at) > STALE;
    (job.state, job.updated_at, job.finished_at, job.error) = (JobState::Running, now, None, None);
    let (registers, access) = match way_in {
        Ok(way_in) => way_in,
        Err(message) => {
            finish(app, &mut job, JobState::Failed, Some(message));
            return app.jobs.job_put(tenant, &job).await;
        }
    };
    let place = job.position.as_deref().and_then(|text| serde_json::from_str::<Place>(text).ok());
    let slices = position::slices(&reading);
    let place = match place {
        Some(place) if !stale => place,
        other => {
            let at = other.map_or(0, |place| place.slice);
            begin(&slices, at, &progress, now)
        }
    };
    app.jobs.job_put(tenant, &job).await?;
    let mut run =
        Run { app, invocation, tenant, provider, registers, access, slices, progress, job, place, paced: 0 };
    let ended = run.all().await;
    let Run { mut job, place, .. } = run;
    job.updated_at = app.clock.now();
    let ended = match ended {
        Ok(true) => {
            finish(app, &mut job, JobState::Done, None);
            job.position = None;
            Ok(())
        }
        Ok(false) => {
            let at = job.updated_at.saturating_add(SignedDuration::from_secs(1));
            Err(Error::Later { what: "the rest of the registers".into(), at: at.unwrap_or(Timestamp::MAX) })
        }
        Err(error) => stopped(app, invocation, tenant, &mut job, error),
    };
    if job.state != JobState::Done {
        job.position = serde_json::to_string(&place).ok();
    }
    tracing::info!(%tenant, %provider, job = %job.id, state = ?job.state, counts = ?job.counts, "registers read");
    app.jobs.job_put(tenant, &job).await?;
    ended
}

/// What becomes of a reading that came to no end.
fn stopped(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    job: &mut Job,
    error: Error,
) -> Result<(), Error> {
    match error {
        error @ (Error::Later { .. } | Error::Busy { .. }) => Err(error),
        // Whoever asked waits for it; to the schedule, the next tick is the better retry: an outage would fill the dead
        // letters.
        error @ Error::Unavailable { .. } if job.by != SCHEDULE && invocation.receive < LAST_RECEIVE => {
            job.error = Some(error.said());
            Err(error)
        }
        error @ (Error::Unavailable { .. } | Error::Consent { .. } | Error::Parked(_)) => {
            let (job_id, code) = (job.id.clone(), error.code());
            tracing::warn!(%tenant, job = %job_id, code, error = chain(&error), "registers not read this time");
            finish(app, job, JobState::Failed, Some(error.said()));
            Ok(())
        }
        other => {
            job.error = Some(other.said());
            Err(other)
        }
    }
}

fn finish(app: &App, job: &mut Job, state: JobState, error: Option<Said>) {
    let now = app.clock.now();
    (job.state, job.error, job.updated_at, job.finished_at) = (state, error, now, Some(now));
}

/// The beginning of a part of a reading.
fn begin(slices: &[position::Slice], at: usize, progress: &Progress, now: Timestamp) -> Place {
    let slice = slices.get(at);
    let read = slice.map(|slice| progress.of(slice.register)).unwrap_or_default();
    Place::begin(at, slice.map(|slice| slice.part), &read, now)
}

/// The way in, or why there is none: the registers of the tenant's own ledger program are read and no others.
async fn open(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    deadline: Timestamp,
) -> Result<Result<(Arc<dyn Registers>, Access), Said>, Error> {
    let settings = app.directory.settings_get(tenant).await?;
    if settings.and_then(|settings| settings.accounting).as_ref() != Some(provider) {
        return Ok(Err(said!(
            "job-not-the-ledger",
            "{provider} is not the tenant's ledger program",
            provider
        )));
    }
    let Some(registers) = app.providers.registers(provider) else {
        return Ok(Err(said!("job-no-registers", "{provider} has no registers that can be read", provider)));
    };
    let connection = app.directory.connection_get(tenant, provider).await?;
    let Some(connection) = connection.filter(|connection| match connection.state {
        ConnectionState::Unchecked | ConnectionState::Healthy => true,
        ConnectionState::NeedsConsent | ConnectionState::Disconnected => false,
    }) else {
        return Ok(Err(said!("job-not-let-in", "{provider} does not let us in; connect it again", provider)));
    };
    match app.access.open(connection).await {
        Ok(access) => Ok(Ok((registers, access.until(deadline)))),
        Err(error @ Error::Consent { .. }) => Ok(Err(error.said())),
        Err(error) => Err(error),
    }
}

/// The schedule's job: the one under way, or a new one.
async fn own_job(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
    progress: &mut Progress,
) -> Result<Option<Job>, Error> {
    if let Some(id) = &progress.job
        && let Some(job) = app.jobs.job_get(tenant, id).await?
        && job.state != JobState::Done
    {
        return Ok(Some(job));
    }
    let now = app.clock.now();
    let reads = Register::ALL.map(|register| progress.of(register));
    let recent = |at: Option<Timestamp>, span| at.is_some_and(|at| now.duration_since(at) < span);
    if reads.iter().all(|read| recent(read.until, FRESH)) {
        return Ok(None);
    }
    let changes = reads.iter().all(|read| recent(read.full, FULL_EVERY));
    let reading = if changes { Reading::Changes } else { Reading::Full };
    let job = job_new(app, provider, reading, SCHEDULE, &invocation.correlation);
    app.jobs.job_put(tenant, &job).await?;
    progress.job = Some(job.id.clone());
    progress_put(app, tenant, provider, progress).await?;
    Ok(Some(job))
}

/// A job that has not begun.
pub(crate) fn job_new(
    app: &App,
    provider: &Provider,
    reading: Reading,
    by: &str,
    correlation: &CorrelationId,
) -> Job {
    let id = JobId::from_ulid(app.stamps.ulid(&*app.clock));
    let task = JobTask::Registers { provider: provider.clone(), reading };
    Job::waiting(id, task, by, app.clock.now(), correlation)
}

async fn progress(app: &App, tenant: &TenantId, provider: &Provider) -> Result<Progress, Error> {
    let stored = app.cursors.cursor_get(tenant, provider, PROGRESS).await?;
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

async fn progress_put(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    progress: &Progress,
) -> Result<(), Error> {
    let text = serde_json::to_string(progress).map_err(|e| Error::storage("moving a cursor", e))?;
    app.cursors.cursor_put(tenant, provider, PROGRESS, &text).await
}

/// What is known of a connection's registers, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// About how many customers are there.
    pub customers: u64,
    /// About how many invoices are there.
    pub invoices: u64,
    /// Everything that changed before this has been read.
    pub read_at: Timestamp,
}

/// What is known of a connection's registers; nothing before both have been read once.
///
/// # Errors
/// When the table fails.
pub async fn registers_known(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
) -> Result<Option<Known>, Error> {
    let progress = progress(app, tenant, provider).await?;
    let [customers, invoices] = Register::ALL.map(|register| progress.of(register));
    let (Some(one), Some(other)) = (customers.until, invoices.until) else { return Ok(None) };
    Ok(Some(Known { customers: customers.entries, invoices: invoices.entries, read_at: one.min(other) }))
}
