//! How often the payment provider is asked about an order that waits for its payment.
//!
//! Nearly every order is paid within minutes or never, and every look costs a call. So: each hour on the first day, when a
//! missed webhook still delays a parcel; then once a day, which a transfer that took its time can wait for; and no more
//! after thirty days, when no way of payment is open any longer.

use jiff::{SignedDuration, Timestamp};

/// Younger orders are being paid just now, and their webhook is on its way.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// Time of a look each hour.
const HOURLY_FOR: i64 = 24;
/// Time of a look each day, in hours.
const DAILY_FOR: i64 = 30 * 24;

/// Whether it is time for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is.
    Now,
    /// Not at this hour.
    Later,
    /// Never again.
    Never,
}

/// Whether an order that has waited since a time is due in this hour. Nothing is kept of past looks: an order's own hour
/// of the day is that in which it was accepted. Ticks that come some minutes sooner or later may fall into that hour twice,
/// or not at all on one day; the next day makes up for it.
pub(super) fn due(now: Timestamp, since: Timestamp) -> Due {
    let age = now.duration_since(since);
    match age.as_hours() {
        DAILY_FOR.. => Due::Never,
        hours if hours >= HOURLY_FOR && hours % 24 != 0 => Due::Later,
        _ if age < FRESH => Due::Later,
        _ => Due::Now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_looked_for_hourly_then_daily_then_no_more() {
        let since: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        for minutes in [0, 5, 9] {
            assert_eq!(due(since + SignedDuration::from_mins(minutes), since), Due::Later);
        }
        assert_eq!(due(since + FRESH, since), Due::Now);
        // Whichever minute of the hour it was accepted in, with a schedule that is some minutes late now and then.
        for minute in [1, 17, 57] {
            let tick = |hour: i64| since + SignedDuration::from_mins(hour * 60 + minute + hour % 3);
            let looks = |hours: std::ops::Range<i64>| {
                hours.filter(|hour| due(tick(*hour), since) == Due::Now).count()
            };
            assert!((23..=24).contains(&looks(0..24)), "minute {minute}");
            for day in 1..30 {
                assert_eq!(looks(day * 24..day * 24 + 24), 1, "minute {minute}, day {day}");
            }
            assert_eq!(looks(30 * 24 + 1..60 * 24), 0);
            assert_eq!(due(tick(30 * 24), since), Due::Never);
        }
    }
}
