//! Limits on those who call us: so many calls of one caller in a window of time, counted by many processes together.
//!
//! A process counts by itself and tells of its calls in portions, each with one write, which also says how many there are
//! from everybody. So a caller who sends little costs nothing, and one who sends much is held within a portion per process
//! of what is allowed. Whoever is over the limit stays out until the window ends, and costs nothing more either.

use jiff::{SignedDuration, Timestamp};

/// How often one caller may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls per window.
    pub calls: u64,
    /// Length of the window, in whole seconds.
    pub window: SignedDuration,
    /// After how many calls a process tells of them: 1 keeps the limit exactly.
    pub portion: u64,
}

/// A window of time. Windows are counted from 1970, so that all processes mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Which one.
    pub number: i64,
    /// When it ends.
    pub until: Timestamp,
}

impl Quota {
    /// The window of a moment.
    #[must_use]
    pub fn window(&self, now: Timestamp) -> Window {
        let length = self.window.as_secs().max(1);
        let number = now.as_second().div_euclid(length);
        let end = number.saturating_add(1).saturating_mul(length);
        Window { number, until: Timestamp::from_second(end).unwrap_or(Timestamp::MAX) }
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It may go on.
    Open,
    /// So many calls are to be told; [`Tally::told`] decides by what everybody has told.
    Tell(u64),
    /// It may not: there were too many.
    Closed,
}

/// What one process knows of one caller in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    window: Window,
    untold: u64,
    closed: bool,
}

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub fn of(window: Window) -> Self {
        Self { window, untold: 0, closed: false }
    }

    /// When it means nothing any more.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.window.until
    }

    /// Counts one call at a moment.
    #[must_use]
    pub fn call(&mut self, now: Timestamp, quota: Quota) -> Passage {
        let window = quota.window(now);
        if window != self.window {
            *self = Self::of(window);
        }
        if self.closed {
            return Passage::Closed;
        }
        self.untold += 1;
        if self.untold < quota.portion {
            return Passage::Open;
        }
        Passage::Tell(std::mem::take(&mut self.untold))
    }

    /// Takes in how many calls of a window everybody has told; says whether the call that was counted last may go on.
    #[must_use]
    pub fn told(&mut self, window: Window, total: u64, quota: Quota) -> bool {
        let over = total > quota.calls;
        if over && window == self.window {
            self.closed = true;
        }
        !over
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn quota(calls: u64, portion: u64) -> Quota {
        Quota { calls, window: SignedDuration::from_secs(10), portion }
    }

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    /// Processes that share one count, in one window.
    struct World {
        quota: Quota,
        tallies: Vec<Tally>,
        told: u64,
        writes: u64,
    }

    impl World {
        fn new(processes: usize, quota: Quota) -> Self {
            Self { quota, tallies: vec![Tally::of(quota.window(at(0))); processes], told: 0, writes: 0 }
        }

        fn call(&mut self, process: usize, millisecond: i64) -> bool {
            let tally = &mut self.tallies[process];
            match tally.call(at(millisecond), self.quota) {
                Passage::Open => true,
                Passage::Closed => false,
                Passage::Tell(calls) => {
                    (self.told, self.writes) = (self.told + calls, self.writes + 1);
                    tally.told(self.quota.window(at(millisecond)), self.told, self.quota)
                }
            }
        }
    }

    #[test]
    fn windows_lie_side_by_side() {
        let quota = quota(1, 1);
        let cases = [(0, 0, 10_000), (9_999, 0, 10_000), (10_000, 1, 20_000)];
        for (now, number, until) in cases {
            assert_eq!(quota.window(at(now)), Window { number, until: at(until) }, "{now}");
        }
    }

    #[test]
    fn who_is_over_the_limit_stays_out_until_the_window_ends_and_costs_nothing_more() {
        let mut world = World::new(1, quota(3, 1));
        let passed: Vec<bool> = (0..100).map(|call| world.call(0, call)).collect();
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 3);
        assert_eq!(world.writes, 4, "the one that was too many is told, the others are not");
        world.told = 0;
        assert!(world.call(0, 10_000), "another window");
    }

    #[test]
    fn who_sends_little_costs_nothing() {
        let mut world = World::new(1, quota(500, 10));
        assert!((0..9).all(|call| world.call(0, call)));
        assert_eq!(world.writes, 0);
        assert!(world.call(0, 10) && world.writes == 1);
    }

    #[test]
    fn what_is_learnt_too_late_closes_nothing() {
        let quota = quota(1, 1);
        let mut tally = Tally::of(quota.window(at(0)));
        assert_eq!(tally.call(at(9_999), quota), Passage::Tell(1));
        let before = quota.window(at(9_999));
        assert_eq!(tally.call(at(10_000), quota), Passage::Tell(1));
        assert!(!tally.told(before, 7, quota), "the call itself was too many");
        assert_eq!(tally.call(at(10_001), quota), Passage::Tell(1), "and the next window is open");
    }

    proptest! {
        #[test]
        fn at_least_what_is_allowed_passes_and_at_most_a_portion_per_process_more(
            calls in 1u64..40,
            portion in 1u64..8,
            by in vec(0usize..4, 0..400),
        ) {
            let mut world = World::new(4, quota(calls, portion));
            let passed = by.iter().filter(|process| world.call(**process, 1)).count() as u64;
            let asked = by.len() as u64;
            prop_assert!(passed >= asked.min(calls), "{passed} of {asked}");
            prop_assert!(passed <= calls + 4 * (portion - 1), "{passed} of {asked}");
            prop_assert!(world.writes <= calls / portion + 4, "{} writes", world.writes);
        }
    }
}
