//! Whether and when a request is sent again inside one invocation; longer waits belong to the queue.

use std::time::Duration;

use bokbro_domain::retry::QUICK_TRIES;
use jiff::Timestamp;

use super::transport::TOTAL_TIMEOUT;

/// What is asked at all gets this long to answer.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// Longest time that one call may wait in all.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The same when nobody said when the work must be over: a person waits for the answer.
const LONGEST_UNTOLD: Duration = Duration::from_secs(15);

/// Longest time that one call may wait in all when it begins now: never past half of the time that is left, so that
/// the other half is there for what comes after it.
pub(super) fn longest_wait(now: Timestamp, deadline: Option<Timestamp>) -> Duration {
    let Some(deadline) = deadline else { return LONGEST_UNTOLD };
    let left = Duration::try_from(deadline.duration_since(now)).unwrap_or(Duration::ZERO);
    LONGEST_WAIT.min(left / 2)
}

/// How long one exchange may take that begins now, when that is less than usual because of the deadline.
pub(super) fn patience(now: Timestamp, deadline: Option<Timestamp>) -> Option<Duration> {
    let left = Duration::try_from(deadline?.duration_since(now)).unwrap_or(Duration::ZERO);
    (left < TOTAL_TIMEOUT).then_some(left.max(LEAST_PATIENCE))
}

/// How one try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing left this machine.
    NotSent,
    /// It may have arrived, and nothing came back.
    MaybeSent,
    /// Any answer but "too many requests"; with its status.
    Status(u16),
    /// Too many requests (429), and how long to wait if the provider said.
    Limited(Option<Duration>),
}

/// What to do after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Let the caller have what came.
    Deliver,
    /// Wait so long and send again.
    Again(Duration),
}

/// Decides what to do after a try. `tries` counts those made, `left` is how long the call may still wait, `quick` the
/// wait that the back-off proposes.
pub(super) fn decide(
    outcome: Outcome,
    repeatable: bool,
    tries: u32,
    left: Duration,
    quick: Duration,
) -> Next {
    let wait = match outcome {
        Outcome::Status(status) if !is_passing(status) => return Next::Deliver,
        Outcome::NotSent | Outcome::MaybeSent | Outcome::Status(_) => quick,
        Outcome::Limited(after) => after.map_or(quick, |after| after.max(quick)),
    };
    if repeatable && tries < QUICK_TRIES && wait <= left { Next::Again(wait) } else { Next::Deliver }
}

/// Whether a status tells of trouble that passes by itself.
fn is_passing(status: u16) -> bool {
    status == 408 || status >= 500
}

/// Reads `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_secs(2);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn only_what_is_repeatable_and_passing_is_sent_again() {
        let cases = [
            (Outcome::NotSent, true, Next::Again(QUICK)),
            (Outcome::MaybeSent, true, Next::Again(QUICK)),
            (Outcome::Status(500), true, Next::Again(QUICK)),
            (Outcome::Status(503), true, Next::Again(QUICK)),
            (Outcome::Status(408), true, Next::Again(QUICK)),
            (Outcome::Limited(None), true, Next::Again(QUICK)),
            (Outcome::Limited(Some(seconds(5))), true, Next::Again(seconds(5))),
            (Outcome::Limited(Some(seconds(0))), true, Next::Again(QUICK)),
            (Outcome::Limited(Some(seconds(31))), true, Next::Deliver),
            (Outcome::Status(200), true, Next::Deliver),
            (Outcome::Status(400), true, Next::Deliver),
            (Outcome::Status(404), true, Next::Deliver),
            (Outcome::NotSent, false, Next::Deliver),
            (Outcome::MaybeSent, false, Next::Deliver),
            (Outcome::Status(500), false, Next::Deliver),
            (Outcome::Limited(Some(seconds(1))), false, Next::Deliver),
        ];
        for (outcome, repeatable, expected) in cases {
            assert_eq!(
                decide(outcome, repeatable, 1, LONGEST_WAIT, QUICK),
                expected,
                "{outcome:?} {repeatable}"
            );
        }
    }

    #[test]
    fn tries_and_waiting_have_an_end() {
        assert_eq!(decide(Outcome::NotSent, true, QUICK_TRIES, LONGEST_WAIT, QUICK), Next::Deliver);
        assert_eq!(decide(Outcome::NotSent, true, 2, seconds(2), QUICK), Next::Again(QUICK));
        assert_eq!(decide(Outcome::NotSent, true, 2, seconds(1), QUICK), Next::Deliver);
    }

    #[test]
    fn nothing_is_waited_for_past_half_of_the_time_that_is_left() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let with = |left: i64| longest_wait(now, Some(now + jiff::SignedDuration::from_secs(left)));
        assert_eq!([with(300), with(60), with(10), with(0), with(-5)], [30, 30, 5, 0, 0].map(seconds));
        assert_eq!(longest_wait(now, None), LONGEST_UNTOLD);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after("7", now), Some(seconds(7)));
        assert_eq!(retry_after("Fri, 20 Nov 2026 12:00:30 GMT", now), Some(seconds(30)));
        assert_eq!(retry_after("Fri, 20 Nov 2026 11:00:00 GMT", now), Some(seconds(0)));
        assert_eq!(retry_after("soon", now), None);
    }
}
