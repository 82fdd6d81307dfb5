//! How often the payment provider is asked about an order, by the order's age.
//!
//! Every look costs a call, and nearly all find nothing: webhooks come as a rule. So the distance between two looks grows
//! with the order's age, and at some age there is none any more. Nothing is kept of past looks. An order's age at the tick
//! says whether it is due, and the list of open work is read for the times only in which due orders were accepted: a tick
//! costs what is due, not what is open (`docs/adr/0017-refunds-are-looked-for.md`).

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

/// Younger orders are being paid just now, and their webhook is on its way.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
const DAY: i64 = 24;
const WEEK: i64 = 7 * DAY;

/// How often something is looked at, by its age.
pub(super) struct Rhythm(&'static [Stretch]);

/// A part of an order's life.
struct Stretch {
    /// Age at which it ends, in hours.
    until: i64,
    /// Hours from one look to the next.
    every: i64,
}

/// Of an order that waits for its payment. Nearly every order is paid within minutes or never, so: each hour on the first
/// day, when a missed webhook still delays a parcel; then once a day, which a transfer that took its time can wait for; and
/// no more after thirty days, when no way of payment is open any longer.
pub(super) const PAYMENT: Rhythm =
    Rhythm(&[Stretch { until: DAY, every: 1 }, Stretch { until: 30 * DAY, every: DAY }]);

/// Of a paid order whose money may be given back. The first day has most of the voids. Two weeks are a Swedish buyer's time
/// to withdraw, and goods take some weeks more to come back; later refunds are for complaints, and nobody waits for their
/// credit. After a year hardly any way of payment gives money back to where it came from.
pub(super) const REFUND: Rhythm = Rhythm(&[
    Stretch { until: DAY, every: 6 },
    Stretch { until: 2 * WEEK, every: DAY },
    Stretch { until: 12 * WEEK, every: WEEK },
    Stretch { until: 52 * WEEK, every: 4 * WEEK },
]);

impl Rhythm {
    /// The times in which orders were accepted that are due in the hour of this tick, latest first. An order's own hour of
    /// the day is that in which it was accepted. Ticks that come some minutes sooner or later may fall into that hour twice,
    /// or not at all; the next look makes up for it.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Range<Timestamp>> {
        let mut due = Vec::new();
        let mut from = 0;
        for Stretch { until, every } in self.0 {
            if *every == 1 {
                due.push(ago(now, *until)..ago(now, from));
            } else {
                // Just accepted means that nothing can have happened yet.
                let ages =
                    (from..*until).step_by(usize::try_from(*every).unwrap_or(1)).filter(|age| *age > 0);
                due.extend(ages.map(|age| ago(now, age + 1)..ago(now, age)));
            }
            from = *until;
        }
        let settled = now.saturating_sub(FRESH).unwrap_or(Timestamp::MIN);
        due.into_iter().map(|time| time.start..time.end.min(settled)).collect()
    }

    /// The time in which orders were accepted that may be looked at, due or not.
    pub(super) fn all(&self, now: Timestamp) -> Range<Timestamp> {
        self.over(now).end..Timestamp::MAX
    }

    /// The time in which orders were accepted that are not looked at any more.
    pub(super) fn over(&self, now: Timestamp) -> Range<Timestamp> {
        Timestamp::UNIX_EPOCH..ago(now, self.0.last().map_or(0, |last| last.until))
    }
}

fn ago(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since() -> Timestamp {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    fn is_due(rhythm: &Rhythm, age: SignedDuration) -> bool {
        let times = rhythm.due(since() + age).into_iter().filter(|time| time.contains(&since())).count();
        assert!(times <= 1, "twice in one tick, at {age:?}");
        times == 1
    }

    /// Looks in these hours, with a schedule that ticks at a minute and is some minutes late now and then.
    fn looks(rhythm: &Rhythm, minute: i64, hours: Range<i64>) -> usize {
        let tick = |hour: i64| SignedDuration::from_mins(hour * 60 + minute + hour % 3);
        hours.filter(|hour| is_due(rhythm, tick(*hour))).count()
    }

    #[test]
    fn an_order_that_waits_is_looked_for_hourly_then_daily_then_no_more() {
        for minutes in [0, 5, 9] {
            assert!(!is_due(&PAYMENT, SignedDuration::from_mins(minutes)));
        }
        assert!(is_due(&PAYMENT, FRESH + SignedDuration::from_secs(1)));
        for minute in [1, 17, 57] {
            assert!((23..=24).contains(&looks(&PAYMENT, minute, 0..24)), "minute {minute}");
            for day in 1..30 {
                assert_eq!(looks(&PAYMENT, minute, day * 24..day * 24 + 24), 1, "minute {minute}, day {day}");
            }
            assert_eq!(looks(&PAYMENT, minute, 30 * 24 + 1..60 * 24), 0);
        }
        assert!(PAYMENT.over(since() + SignedDuration::from_hours(30 * 24 + 1)).contains(&since()));
        assert!(PAYMENT.all(since() + SignedDuration::from_hours(30 * 24 - 1)).contains(&since()));
    }

    #[test]
    fn a_paid_order_is_looked_at_less_and_less_for_a_year() {
        for minute in [1, 17, 57] {
            let days = |from: i64, to: i64| looks(&REFUND, minute, from * 24..to * 24);
            assert_eq!((days(0, 1), days(1, 14), days(14, 84)), (3, 13, 10), "minute {minute}");
            assert_eq!(days(84, 364), 10, "minute {minute}");
            assert_eq!(days(365, 800), 0, "minute {minute}");
        }
        assert_eq!(
            REFUND.due(since()).len(),
            36,
            "a tick's reads of the list, and an order's looks in its life"
        );
        assert!(REFUND.over(since() + SignedDuration::from_hours(364 * 24 + 1)).contains(&since()));
    }
}
