//! As much of a replay as one invocation can do: through the queues one after the other, a batch at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use bokbro_domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PACE, later};
use crate::app::{App, Invocation};
use crate::dead_letters::{BATCH, is_own};
use crate::error::{Error, chain};
use crate::ports::{DeadLetter, QueueName};
use crate::records::Job;

/// How long a portion hides what it takes: longer than it runs, so that nobody sees a dead letter that is being sent.
const HIDDEN: Duration = Duration::from_secs(120);
/// Time that a batch may take: a portion with less left stops.
const RESERVE: SignedDuration = SignedDuration::from_secs(20);
/// Most dead letters of others that a portion gives back at its end; beyond, they come back by themselves.
const MOST_PASSED: usize = 5_000;
/// Dead letters of others in a row after which a job gives up: they may be in its way for ever.
const MOST_SKIPPED: u64 = 100_000;
/// How long to wait for dead letters that somebody else has taken.
const WAIT: SignedDuration = SignedDuration::from_secs(60);
/// How often to wait for them: in sum longer than anybody hides them.
const WAITS: u32 = 3;

/// Where a job left off.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// Queues that are done, by name.
    pub(super) queues: Vec<String>,
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
    pub(super) fn of(job: &Job) -> Self {
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

    pub(super) fn store(&self, job: &mut Job) {
        job.position = serde_json::to_string(self).ok();
    }
}

/// Which dead letters a job is to send.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Whose; everybody's if nobody's in particular.
    pub(super) tenant: Option<&'a TenantId>,
    /// Which; all if there is no list.
    pub(super) ids: Option<&'a [String]>,
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
pub(super) struct Portion<'a> {
    pub(super) app: &'a App,
    pub(super) invocation: &'a Invocation,
    pub(super) tenant: &'a TenantId,
    pub(super) wanted: Wanted<'a>,
    /// How many it may still send.
    pub(super) budget: usize,
    pub(super) job: &'a mut Job,
    pub(super) position: Position,
}

impl Portion<'_> {
    pub(super) async fn run(&mut self, queues: &[QueueName]) -> Result<Ended, Error> {
        let mut waits = false;
        for queue in queues {
            if self.position.queues.iter().any(|done| done == queue.as_str()) {
                continue;
            }
            match self.queue(*queue).await? {
                Scan::Stopped { at } => {
                    self.position.store(self.job);
                    return Ok(Ended::Stopped { at });
                }
                Scan::GaveUp => return Ok(Ended::GaveUp),
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
            return Ok(Ended::Stopped { at: later(self.app.clock.now(), WAIT) });
        }
        let missing = self.wanted.missing(&self.position.found);
        self.count("not_found", u64::try_from(missing).unwrap_or(u64::MAX));
        self.position.store(self.job);
        Ok(Ended::Done)
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
                return Ok(Scan::GaveUp);
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

/// How a portion ended.
pub(super) enum Ended {
    /// Nothing is left.
    Done,
    /// Something is left.
    Stopped {
        /// When to go on.
        at: Timestamp,
    },
    /// Too much of others is in the way.
    GaveUp,
}

/// How going through a queue ended.
enum Scan {
    /// Too much of others is in the way.
    GaveUp,
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
