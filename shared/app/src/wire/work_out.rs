//! Dead letters, jobs, API keys and the audit log, as the API shows them.

use serde_json::{Value, json};

use crate::message::{Envelope, Nudge};
use crate::ports::{DeadLetter, QueueName};
use crate::records::{ApiKey, AuditEntry, Job, JobState, JobTask, Reading};
use crate::registers;

/// A dead letter. Of a text that cannot be read only the reason is shown, because it may be anything.
#[must_use]
pub fn dead_letter_json(queue: QueueName, letter: &DeadLetter) -> Value {
    let (message, unreadable) = match &letter.message {
        Ok(message) => (Some(message), None),
        Err(unreadable) => (None, Some(unreadable.why.as_str())),
    };
    json!({
        "id": letter.id,
        "queue": queue.as_str(),
        "tenant": letter.tenant(),
        "first_sent_at": message.map(|message| message.sent_at).or(letter.sent_at),
        "receives": letter.receives,
        "nudge": message.map(nudge_json),
        "unreadable": unreadable,
        "correlation_id": message.map(|message| &message.correlation),
    })
}

/// What a message asks to look at, as far as it helps people.
fn nudge_json(message: &Envelope) -> Value {
    match &message.nudge {
        Nudge::Payment(hint) => json!({
            "kind": "payment",
            "provider": hint.provider,
            "event_type": hint.event_type,
            "transaction": hint.transaction,
        }),
        Nudge::Order { order, .. } => json!({ "kind": "order", "order_id": order }),
        Nudge::Day { day, .. } => json!({ "kind": "day", "day": day }),
        Nudge::Match { order, provider, transaction } => {
            json!({ "kind": "match", "order_id": order, "provider": provider, "transaction": transaction })
        }
        Nudge::Parcel(hint) => json!({
            "kind": "parcel",
            "provider": hint.provider,
            "order_number": hint.order_number,
            "status": hint.status,
        }),
        Nudge::Sweep { job } => json!({ "kind": "sweep", "job_id": job }),
        Nudge::Replay { job } => json!({ "kind": "replay", "job_id": job }),
        Nudge::Connection { provider, .. } => json!({ "kind": "connection", "provider": provider }),
    }
}

/// A job.
#[must_use]
pub fn job_json(job: &Job) -> Value {
    let mut shown = json!({
        "id": job.id,
        "state": match job.state {
            JobState::Waiting => "waiting",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
        },
        "by": job.by,
        "reason": job.reason,
        "counts": job.counts,
        "started_at": job.started_at,
        "updated_at": job.updated_at,
        "finished_at": job.finished_at,
        "attempts": job.attempts,
        "error": job.error.as_deref(),
        "correlation_id": job.correlation,
    });
    match &job.task {
        JobTask::Sweep => shown["kind"] = json!("sweep"),
        JobTask::Replay { queues, ids, per_second, everybody: _ } => {
            shown["kind"] = json!("replay");
            shown["queues"] = json!(queues);
            shown["ids"] = json!(ids);
            shown["per_second"] = json!(per_second);
        }
        JobTask::Registers { provider, reading } => {
            shown["kind"] = json!("registers");
            shown["provider"] = json!(provider);
            let (read, from, to) = match reading {
                Reading::Changes => ("changes", None, None),
                Reading::Full => ("full", None, None),
                Reading::Days { from, to } => ("days", Some(from), Some(to)),
            };
            (shown["read"], shown["from"], shown["to"]) = (json!(read), json!(from), json!(to));
            shown["progress"] = json!(registers::shown(job, reading).map(|at| json!({
                "register": at.register.as_str(),
                "part": at.slice,
                "parts": at.slices,
                "page": at.page,
                "pages": at.pages,
            })));
        }
    }
    shown
}

/// One change that somebody made.
#[must_use]
pub fn audit_json(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at,
        "who": entry.who,
        "what": entry.what,
        "subject": entry.subject,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
        "correlation_id": entry.correlation,
    })
}

/// An API key, without what it opens.
#[must_use]
pub fn api_key_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "prefix": key.prefix,
        "created_at": key.created_at,
        "used_at": key.used_at,
    })
}
