//! Sends dead letters again, as a job that people can watch.
//!
//! Each is sent to its queue first and only then deleted as a dead letter: a crash between the two leaves a nudge too many,
//! which finds its work done, and never one too few. A job works in portions, so that neither a time-out nor a rate needs
//! a function that sleeps: what is left goes on with the next message. Its counts are those of workers that lived to
//! tell; one that dies after a batch leaves at most that batch uncounted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bokbro_domain::ids::{CorrelationId, JobId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{App, Invocation};
use crate::dead_letters::{BATCH, is_own};
use crate::error::{Error, chain};
use crate::message::{Envelope, Nudge};
use crate::ports::{DeadLetter, Moving, QueueName};
use crate::records::{AuditEntry, Job, JobState, JobTask};
use crate::work::NOBODY;

/// Most dead letters that can be asked for by id at once.
pub const MAX_IDS: usize = 500;
/// Highest rate per second that can be asked for; the queue service's own limit for moving messages.
pub const MAX_PER_SECOND: u32 = 500;

/// How long a portion hides what it takes: longer than it runs, so that nobody sees a dead letter that is being sent.
const HIDDEN: Duration = Duration::from_secs(120);
/// Time that a batch may take: a portion with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);
/// Over which time a rate is kept.
const PACE: SignedDuration = SignedDuration::from_secs(1);
/// Most dead letters of others that a portion gives back at its end; beyond, they come back by themselves.
const MOST_PASSED: usize = 5_000;
/// Dead letters of others in a row after which a job gives up: they may be in its way for ever.
const MOST_SKIPPED: u64 = 100_000;
/// How long to wait for dead letters that somebody else has taken.
const WAIT: SignedDuration = SignedDuration::from_secs(60);
/// How often to wait for them: in sum longer than anybody hides them.
const WAITS: u32 = 3;
/// The receive on which a job that cannot go on is marked as failed, before its message is a dead letter itself.
const LAST_RECEIVE: u32 = 4;
/// How often a job is begun before it is left alone.
const ATTEMPTS: u32 = 3;
/// A job that has not got on for so long has lost its message.
const LOST: SignedDuration = SignedDuration::from_hours(1);
/// Age past which nobody looks at jobs that failed.
const OLD: SignedDuration = SignedDuration::from_hours(7 * 24);

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
    let now = app.clock.now();
    let queues: Vec<String> = asked.queues.iter().map(|queue| queue.as_str().to_owned()).collect();
    let job = Job {
        id: JobId::from_ulid(app.stamps.ulid(&*app.clock)),
        task: JobTask::Replay {
            queues: queues.clone(),
            ids: asked.ids.clone(),
            per_second: asked.per_second,
            everybody: asker.tenant.is_none(),
        },
        state: JobState::Waiting,
        by: asker.who.to_owned(),
        reason: Some(asked.reason.clone()),
        counts: BTreeMap::new(),
        position: None,
        started_at: now,
        updated_at: now,
        finished_at: None,
        attempts: 0,
        error: None,
        correlation: asker.correlation.clone(),
    };
    let entry = AuditEntry {
        id: app.stamps.ulid(&*app.clock).to_string(),
        at: now,
        who: asker.who.to_owned(),
        what: "dead_letters_replayed".to_owned(),
        subject: queues.join(", "),
        reason: Some(asked.reason.clone()),
        before: None,
        after: Some(json!({ "job": job.id, "ids": asked.ids, "per_second": asked.per_second })),
        correlation: asker.correlation.clone(),
    };
    // On the log first: nothing is sent again that the log does not tell of.
    app.audits.audit_put(&tenant, &entry).await?;
    app.jobs.job_put(&tenant, &job).await?;
    Ok((tenant, job))
}

async fn send_nudge(app: &App, tenant: &TenantId, job: &Job) -> Result<(), Error> {
    let nudge = Nudge::Replay { job: job.id.clone() };
    let message = Envelope::new(tenant.clone(), job.correlation.clone(), app.clock.now(), nudge);
    app.queues.queue_send(QueueName::Replays, &message).await
}

/// Nudges the replays of a tenant that failed, or that have lost their message; says how many. A nudge too many does no
/// harm.
///
/// # Errors
/// When table or queue fail.
pub async fn replays_retry(app: &App, tenant: &TenantId) -> Result<usize, Error> {
    let now = app.clock.now();
    let (mut cursor, mut nudged) = (None, 0);
    loop {
        let page = app.jobs.jobs_list(tenant, 100, cursor.as_ref()).await?;
        for job in &page.items {
            if now.duration_since(job.started_at) > OLD {
                return Ok(nudged);
            }
            let again = match job.state {
                JobState::Done => false,
                JobState::Failed => job.attempts < ATTEMPTS,
                JobState::Waiting | JobState::Running => now.duration_since(job.updated_at) > LOST,
            };
            if again && matches!(job.task, JobTask::Replay { .. }) {
                send_nudge(app, tenant, job).await?;
                nudged += 1;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(nudged);
        }
    }
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
        Ok(None) => {
            job.error = None;
            finish(app, &mut job);
            app.jobs.job_put(tenant, &job).await?;
            tracing::info!(%tenant, job = %id, counts = ?job.counts, "dead letters replayed");
            Ok(())
        }
        Ok(Some(at)) => {
            job.error = None;
            portion_end(app, tenant, &mut job).await?;
            Err(wait_until(at))
        }
        Err(Error::Parked(reason)) => {
            // Nothing that time would change.
            (job.state, job.attempts, job.error) = (JobState::Failed, ATTEMPTS, Some(reason.message));
            job.finished_at = Some(app.clock.now());
            portion_end(app, tenant, &mut job).await
        }
        Err(error) if invocation.receive < LAST_RECEIVE => {
            job.error = Some(error.to_string());
            portion_end(app, tenant, &mut job).await?;
            Err(error)
        }
        Err(error) => {
            tracing::error!(%tenant, job = %id, code = "replay_failed", error = chain(&error), "replay failed");
            (job.state, job.error) = (JobState::Failed, Some(error.to_string()));
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

/// Where a job left off.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// Queues that are done, by name.
    queues: Vec<String>,
    /// Ids that were found.
    found: BTreeSet<String>,
    /// Dead letters of others since the last one that was wanted.
    skipped: u64,
    /// Dead letters of others that portions left hidden, and until when.
    left: Vec<(Timestamp, u64)>,
    /// How often it waited for dead letters that somebody else had taken.
    waits: u32,
}

impl Position {
    fn of(job: &Job) -> Self {
        job.position.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn leave(&mut self, count: usize, now: Timestamp) {
        self.left.retain(|(until, _)| *until > now);
        if count > 0 {
            let until = SignedDuration::try_from(HIDDEN).map_or(now, |hidden| later(now, hidden));
            self.left.push((until, u64::try_from(count).unwrap_or(u64::MAX)));
        }
    }

    fn left(&self, now: Timestamp) -> u64 {
        self.left.iter().filter(|(until, _)| *until > now).map(|(_, count)| count).sum()
    }

    fn store(&self, job: &mut Job) {
        job.position = serde_json::to_string(self).ok();
    }
}

/// Which dead letters a job is to send.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    /// Whose; everybody's if nobody's in particular.
    tenant: Option<&'a TenantId>,
    /// Which; all if there is no list.
    ids: Option<&'a [String]>,
}

impl Wanted<'_> {
    fn has(&self, letter: &DeadLetter) -> bool {
        self.tenant.is_none_or(|tenant| is_own(letter, tenant))
            && self.ids.is_none_or(|ids| ids.contains(&letter.id))
    }

    fn missing(&self, found: &BTreeSet<String>) -> usize {
        self.ids.map_or(0, |ids| ids.iter().filter(|id| !found.contains(*id)).count())
    }
}

/// As much of a job as one invocation can do.
struct Portion<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: &'a TenantId,
    wanted: Wanted<'a>,
    /// How many it may still send.
    budget: usize,
    job: &'a mut Job,
    position: Position,
}

impl Portion<'_> {
    /// Says when to go on, if something is left.
    async fn run(&mut self, queues: &[QueueName]) -> Result<Option<Timestamp>, Error> {
        let mut waits = false;
        for queue in queues {
            if self.position.queues.iter().any(|done| done == queue.as_str()) {
                continue;
            }
            match self.queue(*queue).await? {
                Scan::Stopped { at } => {
                    self.position.store(self.job);
                    return Ok(Some(at));
                }
                Scan::Ended { hidden } if hidden > 0 && self.position.waits < WAITS => waits = true,
                Scan::Ended { hidden } => {
                    self.count("hidden", hidden);
                    self.position.left.clear();
                    self.position.queues.push(queue.as_str().to_owned());
                }
            }
            if self.all_found() {
                break;
            }
        }
        if waits && !self.all_found() {
            self.position.waits += 1;
            self.position.store(self.job);
            return Ok(Some(later(self.app.clock.now(), WAIT)));
        }
        let missing = self.wanted.missing(&self.position.found);
        self.job.counts.insert("not_found".to_owned(), u64::try_from(missing).unwrap_or(u64::MAX));
        self.position.store(self.job);
        Ok(None)
    }

    /// Goes through the dead letters of one queue.
    async fn queue(&mut self, queue: QueueName) -> Result<Scan, Error> {
        let dead_letters = &*self.app.dead_letters;
        let mut passed = Vec::new();
        while !self.all_found() {
            let now = self.app.clock.now();
            let short = self.invocation.deadline.duration_since(now) < RESERVE;
            if self.budget == 0 || short || passed.len() >= MOST_PASSED {
                // What was passed stays hidden for a while, so that the next portion goes on behind it.
                self.position.leave(passed.len(), now);
                return Ok(Scan::Stopped { at: if self.budget == 0 { later(now, PACE) } else { now } });
            }
            let taken = dead_letters.dead_letters_take(queue, BATCH.min(self.budget), HIDDEN).await?;
            if taken.is_empty() {
                break;
            }
            let (wanted, others): (Vec<_>, Vec<_>) =
                taken.into_iter().partition(|letter| self.wanted.has(letter));
            if let Err(error) = self.send_again(queue, &wanted).await {
                // The next try is to find them.
                if let Err(error) = dead_letters.dead_letters_give_back(queue, &wanted).await {
                    tracing::warn!(error = chain(&error), "dead letters come back by themselves");
                }
                return Err(error);
            }
            let skipped = u64::try_from(others.len()).unwrap_or(u64::MAX);
            self.count("skipped", skipped);
            self.position.skipped = if wanted.is_empty() { self.position.skipped + skipped } else { 0 };
            passed.extend(others);
            if self.position.skipped >= MOST_SKIPPED {
                let message =
                    "too many dead letters of others are in the way; ask for less, or replay those first";
                return Err(Error::park("too_many_dead_letters", message));
            }
        }
        dead_letters.dead_letters_give_back(queue, &passed).await?;
        if self.all_found() {
            return Ok(Scan::Ended { hidden: 0 });
        }
        let hidden = dead_letters.dead_letters_hidden(queue).await?;
        Ok(Scan::Ended { hidden: hidden.saturating_sub(self.position.left(self.app.clock.now())) })
    }

    /// Sends first and deletes then.
    async fn send_again(&mut self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        if letters.is_empty() {
            return Ok(());
        }
        let Self { app, .. } = *self;
        app.crash.reached("before send of dead letters").await;
        app.dead_letters.dead_letters_resend(queue, letters).await?;
        app.crash.reached("after send of dead letters").await;
        app.dead_letters.dead_letters_delete(queue, letters).await?;
        app.crash.reached("after deletion of dead letters").await;
        self.budget = self.budget.saturating_sub(letters.len());
        self.count("replayed", u64::try_from(letters.len()).unwrap_or(u64::MAX));
        if self.wanted.ids.is_some() {
            self.position.found.extend(letters.iter().map(|letter| letter.id.clone()));
        }
        self.position.store(self.job);
        self.job.updated_at = app.clock.now();
        app.jobs.job_put(self.tenant, self.job).await?;
        app.crash.reached("after write of a replay's counts").await;
        Ok(())
    }

    fn all_found(&self) -> bool {
        self.wanted.ids.is_some() && self.wanted.missing(&self.position.found) == 0
    }

    fn count(&mut self, name: &str, more: u64) {
        if more > 0 {
            *self.job.counts.entry(name.to_owned()).or_default() += more;
        }
    }
}

/// How going through a queue ended.
enum Scan {
    /// Something is left.
    Stopped {
        /// When to go on.
        at: Timestamp,
    },
    /// Nothing was in sight any more.
    Ended {
        /// How many somebody else has taken.
        hidden: u64,
    },
}
