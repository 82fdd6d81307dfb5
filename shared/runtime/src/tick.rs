//! From a schedule's event to the time of its tick.

use bokbro_app::app::{App, Invocation};
use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::Value;

/// The event is not a tick; never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(r#"the event is not {{"time":"<when the tick was due, RFC 3339>"}}; the schedule in template.yaml sends that"#)]
pub struct NotATick;

/// When a tick was due. That, and not the time of its delivery, tells ticks apart.
///
/// # Errors
/// When the event is not a tick.
pub fn scheduled_at(event: &Value) -> Result<Timestamp, NotATick> {
    let time = event.get("time").and_then(Value::as_str).ok_or(NotATick)?;
    time.parse().map_err(|_| NotATick)
}

/// What a use case knows of the invocation that a tick runs in.
#[must_use]
pub fn invocation(app: &App, context: &Context) -> Invocation {
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Invocation {
        owner: context.request_id.clone(),
        deadline: Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX),
        receive: 1,
        place: None,
        correlation: app.correlation(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tick_has_a_time_and_nothing_else_is_one() {
        let due = scheduled_at(&json!({"time": "2026-11-20T10:00:00Z"})).unwrap();
        assert_eq!(due.to_string(), "2026-11-20T10:00:00Z");
        let bad = [
            json!({}),
            json!(null),
            json!("2026-11-20T10:00:00Z"),
            json!({"time": 1_795_168_800}),
            json!({"time": ""}),
            json!({"time": "<aws.scheduler.scheduled-time>"}),
            json!({"time": "2026-11-20"}),
        ];
        for event in bad {
            assert_eq!(scheduled_at(&event), Err(NotATick), "{event}");
        }
    }
}
