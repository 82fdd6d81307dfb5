//! Limits on calls that all workers keep together: a timetable of slots, and a waiting line for those who come when it is
//! full.
//!
//! A provider that allows `n` calls in any window is called at most `n - 1` times per window, in slots that are evenly
//! spaced ([`Allowance`]). Even spacing leaves exactly one spacing to spare: any `n + 1` calls in a row span a whole
//! window even when the first of them arrives a full spacing late and the last one is on time. A call may begin half a
//! spacing late ([`Slot::until`]); the other half is the network's and the clocks'. A slot that was missed is forfeited,
//! because a call that begins later than that could meet the calls of a window that it does not belong to.
//!
//! Exception: after a time without calls, a block need not be paced. Its slots are taken as if it were, so that what
//! comes after it is spaced as ever, and the free slots before it pay for those that are used too early. The property
//! tests show that no window ever holds more than `n` calls.

use jiff::{SignedDuration, Timestamp};

/// How far ahead slots are handed out: whoever gets one waits for it.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// Turns are called this much early, so that no slot stays empty because a queue counts in whole seconds. Shorter than
/// [`LONGEST_WAIT`]: who comes at the turn that was called can stay.
const EARLY: SignedDuration = SignedDuration::from_millis(1_500);
/// How long work that has begun waits for a call that nobody foresaw.
const LONGEST_STOP: SignedDuration = SignedDuration::from_secs(5);

/// Slots begin at least so long after they were asked for: by then the table has answered. At most half a spacing.
const LEAD: SignedDuration = SignedDuration::from_millis(100);

/// How many slots are remembered, back from the last one that is taken.
const REMEMBERED: u64 = 64;

/// How often a provider is called: fewer times than it allows, by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls per window.
    pub calls: u32,
    /// Length of the window.
    pub window: SignedDuration,
}

impl Allowance {
    /// Time between two slots.
    #[must_use]
    pub fn spacing(&self) -> SignedDuration {
        self.window / clamp_i32(self.calls.max(1))
    }

    /// The first slot that begins at a time or later. Slots are counted from 1970, so that all workers mean the same.
    fn slot_from(&self, time: Timestamp) -> u64 {
        let slots = time.as_nanosecond().max(0) * i128::from(self.calls.max(1));
        let window = self.window.as_nanos().max(1);
        u64::try_from((slots + window - 1) / window).unwrap_or(u64::MAX)
    }

    /// When a slot begins.
    fn begin(&self, slot: u64) -> Timestamp {
        let nanoseconds = i128::from(slot) * self.window.as_nanos() / i128::from(self.calls.max(1));
        Timestamp::from_nanosecond(nanoseconds).unwrap_or(Timestamp::MAX)
    }

    fn slot(&self, number: u64, from: Option<Timestamp>) -> Slot {
        let begin = self.begin(number);
        Slot { from: from.unwrap_or(begin), until: later(begin, self.spacing() / 2) }
    }
}

/// When one call may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Not before.
    pub from: Timestamp,
    /// Not after: whoever is late needs another slot.
    pub until: Timestamp,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How many calls, one after the other.
    pub calls: u32,
    /// About how long one call takes with what is done before the next: its slots lie at least so far apart, or the
    /// later ones would be missed.
    pub step: SignedDuration,
}

/// What all workers know of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limiter {
    /// The last slot that is taken, counted from 1970; 0 when none ever was.
    pub last: u64,
    /// Which slots are taken, back from the last one: bit `n` is slot `last - n`.
    pub taken: u64,
    /// No slot begins before this: the provider asked for a rest.
    pub closed_until: Timestamp,
    /// Where the waiting line ends: the place of the next one who has to wait. Places are times at which turns would
    /// come if the line moved as planned.
    pub line: Timestamp,
    /// How far the line is behind that plan, for calls that nobody foresaw and for rests.
    pub behind: SignedDuration,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            last: 0,
            taken: 0,
            closed_until: Timestamp::UNIX_EPOCH,
            line: Timestamp::UNIX_EPOCH,
            behind: SignedDuration::ZERO,
        }
    }
}

/// Whether somebody may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// These slots are theirs, in order of time.
    Granted(Vec<Slot>),
    /// They have a turn.
    Later(Turn),
}

/// A place in a waiting line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When to come back.
    pub at: Timestamp,
    /// The place, to be shown then: who has one goes before those who have none.
    pub place: Timestamp,
}

impl Limiter {
    /// Lets somebody go who has begun nothing yet, or gives a turn. `place` is that of the turn that was given before.
    ///
    /// Whoever comes without a turn is sent to the end of the line as long as there is one, and the line grows by what
    /// the calls take: a thousand who wait come back one after the other and not all at once.
    #[must_use]
    pub fn admit(
        &self,
        now: Timestamp,
        wish: Wish,
        place: Option<Timestamp>,
        allowance: Allowance,
    ) -> (Self, Admission) {
        let mut next = self.clone();
        if later(self.line, self.behind) <= now {
            // Everybody's turn has come.
            (next.line, next.behind) = (Timestamp::UNIX_EPOCH, SignedDuration::ZERO);
        }
        let somebody_waits = next.line > Timestamp::UNIX_EPOCH;
        let (granted, slots) = next.take(now, wish, allowance);
        let free = slots.first().map_or(now, |slot| slot.from);
        let soon = later(now, LONGEST_WAIT);
        let behind = |place| later(place, allowance.spacing() * clamp_i32(wish.calls));
        let place = match place {
            None if !somebody_waits && free <= soon => return (granted, Admission::Granted(slots)),
            None => {
                let place = if somebody_waits { next.line } else { free };
                next.line = behind(place);
                place
            }
            Some(place) if later(place, next.behind) > soon => place,
            Some(_) if free <= soon => return (granted, Admission::Granted(slots)),
            Some(place) => {
                // The line moves more slowly than planned: so it does for everybody behind. Whole milliseconds are kept.
                next.behind = SignedDuration::from_millis_i128(free.duration_since(place).as_millis() + 1);
                next.line = next.line.max(behind(place));
                place
            }
        };
        let at = earlier(later(place, next.behind), EARLY);
        (next, Admission::Later(Turn { at, place }))
    }

    /// Slots in the middle of work that has begun: it goes before everybody in the line, because it holds the order.
    /// When they are too far away, it gets a place before the line instead.
    #[must_use]
    pub fn reserve(&self, now: Timestamp, wish: Wish, allowance: Allowance) -> (Self, Admission) {
        let (granted, slots) = self.take(now, wish, allowance);
        let free = slots.first().map_or(now, |slot| slot.from);
        if free <= later(now, LONGEST_STOP) {
            return (granted, Admission::Granted(slots));
        }
        let turn = Turn { at: earlier(free, EARLY), place: earlier(now, self.behind) };
        (self.clone(), Admission::Later(turn))
    }

    /// The provider said "too many": nobody calls for a while. Whoever was told so gets a place before the line.
    #[must_use]
    pub fn slow_down(&self, now: Timestamp, after: SignedDuration) -> (Self, Turn) {
        let closed_until = self.closed_until.max(later(now, after));
        let turn = Turn { at: closed_until, place: earlier(now, self.behind) };
        (Self { closed_until, ..self.clone() }, turn)
    }

    /// A slot that is too far back to be remembered counts as taken.
    fn is_taken(&self, slot: u64) -> bool {
        match self.last.checked_sub(slot) {
            None => false,
            Some(back) => back >= REMEMBERED || self.taken >> back & 1 == 1,
        }
    }

    fn mark(&mut self, slot: u64) {
        match self.last.checked_sub(slot) {
            Some(back) => self.taken |= 1_u64.checked_shl(clamp(back)).unwrap_or(0),
            None => {
                self.taken = self.taken.checked_shl(clamp(slot - self.last)).unwrap_or(0) | 1;
                self.last = slot;
            }
        }
    }

    /// Takes the first free slots that are a step apart.
    fn take(&self, now: Timestamp, wish: Wish, allowance: Allowance) -> (Self, Vec<Slot>) {
        let lead = later(now, LEAD.min(allowance.spacing() / 2));
        let first = allowance.slot_from(lead.max(self.closed_until));
        let calls = u64::from(wish.calls.max(1));
        let spacing = allowance.spacing().as_nanos().max(1);
        let gap = u64::try_from((wish.step.as_nanos() + spacing - 1) / spacing).unwrap_or(1);
        // No block reaches further than a window: blocks must not push each other out of what is remembered.
        let reach = u64::from(allowance.calls).min(REMEMBERED / 2);
        let gap = gap.min(reach / calls.saturating_sub(1).max(1)).max(1);
        let rested = self.last.saturating_add(calls) < allowance.slot_from(now);
        let at_once = rested && self.closed_until <= now && (calls - 1) * gap < reach;
        let mut next = self.clone();
        let mut slots = Vec::new();
        let mut slot = first;
        for _ in 0..calls {
            while next.is_taken(slot) {
                slot += 1;
            }
            next.mark(slot);
            slots.push(allowance.slot(slot, at_once.then_some(now)));
            slot += gap;
        }
        (next, slots)
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

fn clamp(slots: u64) -> u32 {
    u32::try_from(slots).unwrap_or(u32::MAX)
}

fn clamp_i32(calls: u32) -> i32 {
    i32::try_from(calls).unwrap_or(i32::MAX)
}

#[cfg(test)]
#[path = "limit_tests.rs"]
mod tests;
