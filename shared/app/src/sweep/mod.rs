//! The sweep: looks for everything of one tenant that was left behind and nudges it. What was lost on the way, a webhook,
//! a message or a worker, is found here within the hour.
//!
//! A sweep may be done twice, or stop anywhere: nudges that find their work done do nothing. It reads what is open, page
//! by page, and never all orders. A run that is short of time notes in the job where it stands, and its message is sent
//! anew to go on from there, so that the end of a long list is reached too.

mod books;
mod days;
mod due;
mod jobs;
mod parked;
mod payments;

use std::collections::BTreeMap;

use bokbro_domain::day::DayId;
use bokbro_domain::ids::{CorrelationId, JobId, Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::{App, Invocation};
use crate::connections::connection_health;
use crate::error::{Error, chain};
use crate::message::{Envelope, Nudge};
use crate::metrics;
use crate::orders::Refusal;
use crate::ports::{Cursor, QueueName};
use crate::records::{Job, JobState, JobTask};

/// Who asks for the jobs of the schedule.
pub(crate) const SCHEDULE: &str = "schedule";
/// Items read at once.
const PAGE: usize = 100;
/// Time that a page may take: a run with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(25);
/// What has been touched in this time is somebody's work just now.
const UNTOUCHED: SignedDuration = SignedDuration::from_mins(10);

/// Asks for a sweep of a tenant now.
///
/// # Errors
/// When table or queue fail.
pub async fn sweep_ask(
    app: &App,
    tenant: &TenantId,
    by: &str,
    correlation: &CorrelationId,
) -> Result<Job, Error> {
    let id = JobId::from_ulid(app.stamps.ulid(&*app.clock));
    let job = Job::waiting(id.clone(), JobTask::Sweep, by, app.clock.now(), correlation);
    app.jobs.job_put(tenant, &job).await?;
    nudge(app, tenant, correlation, QueueName::Pulls, vec![Nudge::Sweep { job: Some(id) }]).await?;
    Ok(job)
}

/// Sweeps one tenant, as far as the time goes.
///
/// # Errors
/// `Later` when the time was too short for all of it; otherwise by what happens next. The job tells of it already.
pub async fn tenant_sweep(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    job: Option<&JobId>,
) -> Result<(), Error> {
    let id = match job {
        Some(id) => id.clone(),
        // The tick's own id: the same message is the same job, however often it comes.
        None => JobId::parse(&format!("job_{}", invocation.correlation))
            .unwrap_or_else(|_| JobId::from_ulid(app.stamps.ulid(&*app.clock))),
    };
    let now = app.clock.now();
    let stored = app.jobs.job_get(tenant, &id).await?;
    let mut job =
        stored.unwrap_or_else(|| Job::waiting(id, JobTask::Sweep, SCHEDULE, now, &invocation.correlation));
    if job.state == JobState::Done {
        return Ok(());
    }
    if job.position.is_none() {
        job.attempts += 1;
    }
    (job.state, job.updated_at, job.finished_at) = (JobState::Running, now, None);
    app.jobs.job_put(tenant, &job).await?;
    let mut sweep = Sweep {
        app,
        invocation,
        tenant,
        job,
        works: BTreeMap::new(),
        booked: BTreeMap::new(),
        waiting: Waiting::default(),
    };
    let swept = sweep.run().await;
    let Sweep { mut job, waiting, .. } = sweep;
    job.updated_at = app.clock.now();
    let ended = match swept {
        Ok(true) => {
            (job.state, job.position, job.error) = (JobState::Done, None, None);
            job.finished_at = Some(job.updated_at);
            Ok(())
        }
        Ok(false) => {
            let at = job.updated_at.saturating_add(SignedDuration::from_secs(1));
            Err(Error::Later { what: "the rest of the sweep".into(), at: at.unwrap_or(Timestamp::MAX) })
        }
        Err(error) => {
            (job.state, job.error) = (JobState::Failed, Some(error.said()));
            job.finished_at = Some(job.updated_at);
            Err(error)
        }
    };
    // Those that people ask for come in between, and would be counted twice.
    let waiting = Some(waiting).filter(|_| job.by == SCHEDULE);
    let unknown = waiting.as_ref().and_then(|waiting| waiting.unknown_since);
    tracing::info!(
        %tenant,
        job = %job.id,
        state = ?job.state,
        counts = ?job.counts,
        { metrics::PARKED_WAITING } = waiting.map(|waiting| waiting.items),
        { metrics::OUTCOME_UNKNOWN_AGE } = unknown.map(|since| job.updated_at.duration_since(since).as_secs()),
        "swept"
    );
    app.jobs.job_put(tenant, &job).await?;
    ended
}

/// Sends nudges in as few calls as the queue allows; says how many.
///
/// # Errors
/// When the queue did not take one of them.
pub(crate) async fn nudge(
    app: &App,
    tenant: &TenantId,
    correlation: &CorrelationId,
    queue: QueueName,
    nudges: Vec<Nudge>,
) -> Result<usize, Error> {
    let now = app.clock.now();
    let wrap = |nudge| Envelope::new(tenant.clone(), correlation.clone(), now, nudge);
    let messages: Vec<Envelope> = nudges.into_iter().map(wrap).collect();
    if !messages.is_empty() {
        app.queues.queue_send_all(queue, &messages).await?;
    }
    Ok(messages.len())
}

pub(crate) use parked::{deliveries_resend, hint_of};

/// What is looked through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Section {
    Books,
    Payments,
    Refunds,
    Parcels,
    Days,
    Parked,
    Jobs,
}

impl Section {
    fn next(self) -> Option<Self> {
        match self {
            Self::Books => Some(Self::Payments),
            Self::Payments => Some(Self::Refunds),
            Self::Refunds => Some(Self::Parcels),
            Self::Parcels => Some(Self::Days),
            Self::Days => Some(Self::Parked),
            Self::Parked => Some(Self::Jobs),
            Self::Jobs => None,
        }
    }
}

/// Where a sweep stands.
#[derive(Serialize, Deserialize)]
struct Position {
    section: Section,
    cursor: Option<String>,
}

struct Sweep<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: &'a TenantId,
    job: Job,
    /// Which providers let us in, as far as this run has asked.
    works: BTreeMap<Provider, bool>,
    /// Which days have their vouchers, as far as this run has asked.
    booked: BTreeMap<DayId, bool>,
    waiting: Waiting,
}

/// What waits for a human, as far as this run has seen it.
#[derive(Default)]
struct Waiting {
    items: u64,
    /// Since when the oldest of them waits for somebody to say what became of a write.
    unknown_since: Option<Timestamp>,
}

impl Sweep<'_> {
    /// Goes on until everything is looked through, or time is short; says which.
    async fn run(&mut self) -> Result<bool, Error> {
        loop {
            let at = self.job.position.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let Position { section, cursor } =
                at.unwrap_or(Position { section: Section::Books, cursor: None });
            let cursor = cursor.map(Cursor);
            let more = match section {
                Section::Books => self.books(cursor.as_ref()).await?,
                Section::Parcels => self.parcels(cursor.as_ref()).await?,
                Section::Payments => self.payments(cursor.as_ref()).await?,
                Section::Refunds => self.refunds(cursor.as_ref()).await?,
                Section::Days => self.days(cursor.as_ref()).await?,
                Section::Parked => self.parked(cursor.as_ref()).await?,
                Section::Jobs => self.jobs(cursor.as_ref()).await?,
            };
            let section = if more.is_some() { Some(section) } else { section.next() };
            let Some(section) = section else { return Ok(true) };
            let position = Position { section, cursor: more.map(|cursor| cursor.0) };
            self.job.position = serde_json::to_string(&position).ok();
            self.app.crash.reached("after a page of the sweep").await;
            if self.invocation.deadline.duration_since(self.app.clock.now()) < RESERVE {
                return Ok(false);
            }
        }
    }

    /// Whether somebody wants everything looked at now, fresh or not.
    fn asked_for(&self) -> bool {
        self.job.by != SCHEDULE
    }

    fn count(&mut self, what: &str, how_many: usize) {
        if how_many > 0 {
            *self.job.counts.entry(what.to_owned()).or_default() +=
                u64::try_from(how_many).unwrap_or(u64::MAX);
        }
    }

    async fn nudge(&mut self, queue: QueueName, nudges: Vec<Nudge>) -> Result<usize, Error> {
        nudge(self.app, self.tenant, &self.job.correlation, queue, nudges).await
    }

    /// Whether a provider lets us in: asked with a cheap read, once per run. A connection that turns out to work again is
    /// healed by the asking. A consent that has ended is not asked about: only a human renews it, and that tells us.
    async fn works(&mut self, provider: &Provider) -> Result<bool, Error> {
        if let Some(known) = self.works.get(provider) {
            return Ok(*known);
        }
        let ended = self.app.token_states.token_state(self.tenant, provider).await?.ended.is_some();
        let works = !ended && self.lets_us_in(provider).await?;
        self.works.insert(provider.clone(), works);
        Ok(works)
    }

    async fn lets_us_in(&self, provider: &Provider) -> Result<bool, Error> {
        match connection_health(self.app, self.tenant, provider, &self.job.correlation).await {
            Ok(health) => Ok(health.healthy),
            Err(Refusal::Failed(error @ Error::Storage { .. })) => Err(error),
            Err(refusal) => {
                tracing::info!(tenant = %self.tenant, %provider, why = chain(&refusal), "no way in yet");
                Ok(false)
            }
        }
    }
}
