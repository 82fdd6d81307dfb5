//! Jobs that failed or got stuck: they are begun again a few times.

use bokbro_domain::ids::JobId;
use bokbro_domain::said;
use jiff::SignedDuration;

use super::{PAGE, SCHEDULE, Sweep};
use crate::error::Error;
use crate::message::{ConnectionTask, Nudge};
use crate::ports::{Cursor, QueueName};
use crate::records::{JOB_ATTEMPTS, Job, JobState, JobTask};

/// A job that nobody has got on with for this long is stuck.
const STUCK: SignedDuration = SignedDuration::from_mins(30);
/// A job older than this is not begun again; a human asks for a new one.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// What becomes of an unfinished job.
enum Next {
    /// Its message is sent again.
    Again(QueueName, Nudge),
    /// This sweep does its work.
    Replaced,
}

impl Sweep<'_> {
    /// Begins the unfinished jobs of one page again. Jobs stand newest first, so the first one that is too old ends it.
    pub(super) async fn jobs(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let page = self.app.jobs.jobs_list(self.tenant, PAGE, cursor).await?;
        let now = self.app.clock.now();
        let mut next = page.next;
        for mut job in page.items {
            if now.duration_since(job.started_at) > GIVEN_UP {
                next = None;
                break;
            }
            if job.id == self.job.id || !is_left(&job) || now.duration_since(job.updated_at) < STUCK {
                continue;
            }
            match next_of(&job) {
                Next::Again(queue, nudge) => {
                    let sent = self.nudge(queue, vec![nudge]).await?;
                    self.count("jobs_begun_again", sent);
                }
                Next::Replaced => {
                    job.error = Some(said!("job-never-ended", "it never ended; a later sweep did its work"));
                    (job.state, job.finished_at) = (JobState::Failed, Some(now));
                    self.app.jobs.job_put(self.tenant, &job).await?;
                }
            }
        }
        Ok(next)
    }
}

/// Whether a job has work left that may be tried again.
fn is_left(job: &Job) -> bool {
    match job.state {
        JobState::Done => false,
        JobState::Failed if job.by == SCHEDULE && job.task == JobTask::Sweep => false,
        // The next tick goes on with it.
        JobState::Waiting | JobState::Running | JobState::Failed
            if job.by == SCHEDULE && matches!(job.task, JobTask::Registers { .. }) =>
        {
            false
        }
        JobState::Waiting | JobState::Running | JobState::Failed => job.attempts < JOB_ATTEMPTS,
    }
}

fn next_of(job: &Job) -> Next {
    let id: JobId = job.id.clone();
    match &job.task {
        JobTask::Sweep if job.by == SCHEDULE => Next::Replaced,
        JobTask::Sweep => Next::Again(QueueName::Pulls, Nudge::Sweep { job: Some(id) }),
        JobTask::Registers { provider, .. } => {
            let (provider, task) = (provider.clone(), ConnectionTask::Registers);
            Next::Again(QueueName::Pulls, Nudge::Connection { provider, task, job: Some(id) })
        }
        JobTask::Replay { .. } => Next::Again(QueueName::Replays, Nudge::Replay { job: id }),
    }
}
