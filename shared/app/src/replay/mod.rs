//! Sends dead letters again, as a job that people can watch.
//!
//! Each is sent to its queue first and only then deleted as a dead letter: a crash between the two leaves a nudge too many,
//! which finds its work done, and never one too few. A job works in portions, so that neither a time-out nor a rate needs
//! a function that sleeps: what is left goes on with the next message. Its counts are those of workers that lived to
//! tell; one that dies after a batch leaves at most that batch uncounted.

mod portion;

use bokbro_domain::ids::{CorrelationId, JobId, TenantId};
use bokbro_domain::said;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use self::portion::{Ended, Portion, Position, Wanted};
use crate::app::{App, Invocation};
use crate::audit::{By, Changed, audit_add};
use crate::error::{Error, chain};
use crate::message::{Envelope, Nudge};
use crate::ports::{Moving, QueueName};
use crate::records::{JOB_ATTEMPTS, Job, JobState, JobTask};
use crate::work::NOBODY;

/// Most dead letters that can be asked for by id at once.
pub const MAX_IDS: usize = 500;
/// Highest rate per second that can be asked for; the queue service's own limit for moving messages.
pub const MAX_PER_SECOND: u32 = 500;

/// Over which time a rate is kept.
const PACE: SignedDuration = SignedDuration::from_secs(1);
/// The receive on which a job that cannot go on is marked as failed, before its message is a dead letter itself.
const LAST_RECEIVE: u32 = 4;

/// Which dead letters somebody wants to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Of which queues.
    pub queues: Vec<QueueName>,
    /// Which; all when there is no list.
    pub ids: Option<Vec<String>>,
    /// Why.
    pub reason: String,
    /// How many a second at most.
    pub per_second: Option<u32>,
}

/// Who wants it.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Whose dead letters; nobody's in particular means all tenants', for the operator of the account.
    pub tenant: Option<&'a TenantId>,
    /// The API key's first characters, or another name for the audit log.
    pub who: &'a str,
    /// Ties everything to the request.
    pub correlation: &'a CorrelationId,
}

/// Makes a job of a wish, puts it on the audit log and sends its first nudge.
///
/// # Errors
/// When table or queue fail. The job may exist then; the next sweep finds it.
pub async fn replay_ask(app: &App, asker: Asker<'_>, asked: &Asked) -> Result<Job, Error> {
    let (tenant, job) = replay_open(app, asker, asked).await?;
    send_nudge(app, &tenant, &job).await?;
    Ok(job)
}

/// Sends again as [`replay_ask`] does; whole queues of the account's operator are left to the queue service where it
/// knows how.
///
/// # Errors
/// As [`replay_ask`], and when the queue service refuses, as it does while an earlier move of the same queue runs.
pub async fn replay_invoke(app: &App, asker: Asker<'_>, asked: &Asked) -> Result<Job, Error> {
    if asker.tenant.is_some() || asked.ids.is_some() {
        return replay_ask(app, asker, asked).await;
    }
    let (tenant, mut job) = replay_open(app, asker, asked).await?;
    let mut position = Position::default();
    for queue in &asked.queues {
        match app.dead_letters.dead_letters_move(*queue, asked.per_second).await? {
            Moving::Started => position.queues.push(queue.as_str().to_owned()),
            Moving::Unknown => {}
        }
    }
    let moving = position.queues.len();
    if moving > 0 {
        job.counts.insert("queues_moving".to_owned(), u64::try_from(moving).unwrap_or(u64::MAX));
    }
    if moving == asked.queues.len() {
        finish(app, &mut job);
    }
    position.store(&mut job);
    app.jobs.job_put(&tenant, &job).await?;
    if job.state != JobState::Done {
        send_nudge(app, &tenant, &job).await?;
    }
    Ok(job)
}

async fn replay_open(app: &App, asker: Asker<'_>, asked: &Asked) -> Result<(TenantId, Job), Error> {
    let tenant = match asker.tenant {
        Some(tenant) => tenant.clone(),
        None => TenantId::parse(NOBODY).map_err(|e| Error::storage("naming the operator", e))?,
    };
    let queues: Vec<String> = asked.queues.iter().map(|queue| queue.as_str().to_owned()).collect();
    let task = JobTask::Replay {
        queues: queues.clone(),
        ids: asked.ids.clone(),
        per_second: asked.per_second,
        everybody: asker.tenant.is_none(),
    };
    let id = JobId::from_ulid(app.stamps.ulid(&*app.clock));
    let mut job = Job::waiting(id, task, asker.who, app.clock.now(), asker.correlation);
    job.reason = Some(asked.reason.clone());
    let changed = Changed {
        reason: Some(asked.reason.clone()),
        before: None,
        after: Some(json!({ "job": job.id, "ids": asked.ids, "per_second": asked.per_second })),
    };
    // On the log first: nothing is sent again that the log does not tell of.
    let by = By { tenant: &tenant, who: asker.who, correlation: asker.correlation };
    audit_add(app, by, "dead_letters_replayed", &queues.join(", "), changed).await?;
    app.jobs.job_put(&tenant, &job).await?;
    Ok((tenant, job))
}

async fn send_nudge(app: &App, tenant: &TenantId, job: &Job) -> Result<(), Error> {
    let nudge = Nudge::Replay { job: job.id.clone() };
    let message = Envelope::new(tenant.clone(), job.correlation.clone(), app.clock.now(), nudge);
    app.queues.queue_send(QueueName::Replays, &message).await
}

/// Goes on with a replay for as long as there is time.
///
/// # Errors
/// [`Error::Later`] when something is left to do, and else by what happens next.
pub async fn replay_run(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &JobId,
) -> Result<(), Error> {
    let Some(mut job) = app.jobs.job_get(tenant, id).await? else {
        tracing::warn!(%tenant, job = %id, "there is no such job any more");
        return Ok(());
    };
    let JobTask::Replay { queues, ids, per_second, everybody } = job.task.clone() else { return Ok(()) };
    match job.state {
        JobState::Done => return Ok(()),
        JobState::Running => {
            let turn = later(job.updated_at, PACE);
            // Also for a message that came twice: two workers at a job keep one pace.
            if per_second.is_some() && app.clock.now() < turn {
                return Err(wait_until(turn));
            }
        }
        JobState::Waiting | JobState::Failed => {
            job.attempts += 1;
            job.state = JobState::Running;
        }
    }
    let wanted = Wanted { tenant: (!everybody).then_some(tenant), ids: ids.as_deref() };
    let queues: Vec<QueueName> = queues.iter().filter_map(|name| QueueName::parse(name)).collect();
    let budget = per_second.and_then(|rate| usize::try_from(rate).ok()).unwrap_or(usize::MAX);
    let position = Position::of(&job);
    let mut portion = Portion { app, invocation, tenant, wanted, budget, job: &mut job, position };
    match portion.run(&queues).await {
        Ok(Ended::Done) => {
            job.error = None;
            finish(app, &mut job);
            app.jobs.job_put(tenant, &job).await?;
            tracing::info!(%tenant, job = %id, counts = ?job.counts, "dead letters replayed");
            Ok(())
        }
        Ok(Ended::Stopped { at }) => {
            job.error = None;
            portion_end(app, tenant, &mut job).await?;
            Err(wait_until(at))
        }
        Ok(Ended::GaveUp) => {
            let message =
                said!("job-in-the-way", "too many dead letters of others are in the way; replay those first");
            (job.state, job.attempts, job.error) = (JobState::Failed, JOB_ATTEMPTS, Some(message));
            job.finished_at = Some(app.clock.now());
            portion_end(app, tenant, &mut job).await
        }
        Err(error) if invocation.receive < LAST_RECEIVE => {
            job.error = Some(error.said());
            portion_end(app, tenant, &mut job).await?;
            Err(error)
        }
        Err(error) => {
            tracing::error!(%tenant, job = %id, code = "replay_failed", error = chain(&error), "replay failed");
            (job.state, job.error) = (JobState::Failed, Some(error.said()));
            portion_end(app, tenant, &mut job).await
        }
    }
}

fn finish(app: &App, job: &mut Job) {
    let now = app.clock.now();
    (job.state, job.updated_at, job.finished_at) = (JobState::Done, now, Some(now));
}

async fn portion_end(app: &App, tenant: &TenantId, job: &mut Job) -> Result<(), Error> {
    job.updated_at = app.clock.now();
    app.jobs.job_put(tenant, job).await
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn wait_until(at: Timestamp) -> Error {
    Error::Later { what: "the rest of a replay".to_owned(), at }
}
