//! Slots and turns: no window is ever too full, no slot is given twice, and a line moves as fast as it may.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;
use crate::testing::at;

/// As Fortnox: 25 calls in 5 s.
const ALLOWANCE: Allowance = Allowance { calls: 24, window: SignedDuration::from_secs(5) };
const ALLOWED: usize = 25;

fn millis(n: i64) -> SignedDuration {
    SignedDuration::from_millis(n)
}

fn start() -> Timestamp {
    at("2026-11-20T12:00:00Z")
}

fn wish(calls: u32) -> Wish {
    Wish { calls, step: millis(250) }
}

fn granted(admission: &Admission) -> &[Slot] {
    match admission {
        Admission::Granted(slots) => slots,
        Admission::Later(turn) => panic!("has to wait: {turn:?}"),
    }
}

fn turn(admission: Admission) -> Turn {
    match admission {
        Admission::Later(turn) => turn,
        Admission::Granted(slots) => panic!("may go: {slots:?}"),
    }
}

/// The shortest time in which one call more than allowed arrived.
fn shortest(mut arrivals: Vec<Timestamp>, allowed: usize) -> SignedDuration {
    arrivals.sort();
    let spans = arrivals.iter().zip(arrivals.iter().skip(allowed));
    spans.map(|(first, last)| last.duration_since(*first)).min().unwrap_or(SignedDuration::MAX)
}

/// One step of a made-up history.
#[derive(Debug, Clone)]
struct Event {
    after: SignedDuration,
    wish: Wish,
    in_mid_work: bool,
    /// For each call how late in its slot it begins and how late in the rest of the spacing it arrives, in 1/1000.
    lateness: Vec<(u8, u8)>,
}

fn event() -> impl Strategy<Value = Event> {
    let after = prop_oneof![6 => 0..300_i64, 3 => 300..3_000_i64, 1 => 3_000..20_000_i64];
    let extreme = || prop_oneof![Just(0_u8), Just(100_u8), 0..=100_u8];
    let lateness = proptest::collection::vec((extreme(), extreme()), 12);
    (after, 1..=12_u32, 0..900_i64, any::<bool>(), lateness).prop_map(
        |(after, calls, step, in_mid_work, lateness)| Event {
            after: millis(after),
            wish: Wish { calls, step: millis(step) },
            in_mid_work,
            lateness,
        },
    )
}

fn part(of: SignedDuration, percent: u8) -> SignedDuration {
    of * i32::from(percent) / 100
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whoever comes when, whatever they want, and however late within their slots they are.
    #[test]
    fn no_window_holds_more_than_is_allowed(events in proptest::collection::vec(event(), 1..60)) {
        let half = ALLOWANCE.spacing() / 2 - SignedDuration::from_nanos(2);
        let mut now = start();
        let mut limiter = Limiter::default();
        let mut arrivals = Vec::new();
        let mut ends = Vec::new();
        for event in events {
            now += event.after;
            let (next, admission) = if event.in_mid_work {
                limiter.reserve(now, event.wish, ALLOWANCE)
            } else {
                limiter.admit(now, event.wish, None, ALLOWANCE)
            };
            limiter = next;
            let Admission::Granted(slots) = admission else { continue };
            prop_assert_eq!(slots.len(), usize::try_from(event.wish.calls).unwrap());
            for (slot, (late, network)) in slots.iter().zip(&event.lateness) {
                prop_assert!(now <= slot.from && slot.from <= slot.until);
                let begins = slot.from + part(slot.until.duration_since(slot.from), *late);
                arrivals.push(begins + part(half, *network));
                ends.push(slot.until);
            }
        }
        prop_assert!(shortest(arrivals, ALLOWED) >= ALLOWANCE.window);
        let given = ends.len();
        ends.sort();
        ends.dedup();
        prop_assert_eq!(ends.len(), given, "a slot was given twice");
    }
}

#[test]
fn without_the_spare_call_a_late_one_overruns_the_window() {
    let all = Allowance { calls: 25, ..ALLOWANCE };
    let slots: Vec<u64> = (0..26).map(|n| all.slot_from(start()) + n).collect();
    let mut arrivals: Vec<Timestamp> = slots.into_iter().map(|slot| all.begin(slot)).collect();
    arrivals[0] += all.spacing() / 2;
    assert!(shortest(arrivals, ALLOWED) < all.window);
}

#[test]
fn a_single_order_is_not_paced_and_what_follows_is_spaced_as_ever() {
    let (limiter, first) = Limiter::default().admit(start(), wish(6), None, ALLOWANCE);
    assert!(granted(&first).iter().all(|slot| slot.from == start()));
    let now = start() + millis(100);
    let (_, second) = limiter.admit(now, wish(6), None, ALLOWANCE);
    let from: Vec<Timestamp> = granted(&second).iter().map(|slot| slot.from).collect();
    assert!(from.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= ALLOWANCE.spacing()));
}

#[test]
fn whoever_comes_when_it_is_full_gets_a_turn_and_nobody_passes() {
    let mut limiter = Limiter::default();
    let mut turns = Vec::new();
    for _ in 0..100 {
        let (next, admission) = limiter.admit(start(), wish(6), None, ALLOWANCE);
        limiter = next;
        if let Admission::Later(turn) = admission {
            turns.push(turn);
        }
    }
    assert!((95..=98).contains(&turns.len()), "{}", turns.len());
    for pair in turns.windows(2) {
        assert_eq!(pair[1].at.duration_since(pair[0].at), ALLOWANCE.spacing() * 6);
    }
    // A minute later many slots are free, but the line is not over: a newcomer goes to its end.
    let now = start() + SignedDuration::from_mins(1);
    let newcomer = turn(limiter.admit(now, wish(6), None, ALLOWANCE).1);
    assert!(newcomer.place > turns[turns.len() - 1].place);
    // Those whose turn has come may go.
    let due = turns.iter().find(|turn| turn.at > now - millis(500)).unwrap();
    granted(&limiter.admit(now, wish(6), Some(due.place), ALLOWANCE).1);
    // Too early is told when to come.
    let early = turns[turns.len() - 1];
    assert_eq!(turn(limiter.admit(now, wish(6), Some(early.place), ALLOWANCE).1), early);
}

#[test]
fn a_rest_moves_the_whole_line() {
    let mut limiter = Limiter::default();
    let mut turns = Vec::new();
    for _ in 0..10 {
        let (next, admission) = limiter.admit(start(), wish(6), None, ALLOWANCE);
        limiter = next;
        if let Admission::Later(turn) = admission {
            turns.push(turn);
        }
    }
    let now = turns[0].at;
    let (rested, _) = limiter.slow_down(now, SignedDuration::from_secs(20));
    let (rested, admission) = rested.admit(now, wish(6), Some(turns[0].place), ALLOWANCE);
    let first = turn(admission);
    assert!(first.at.duration_since(now) >= SignedDuration::from_secs(18), "{first:?}");
    let (_, admission) = rested.admit(turns[1].at, wish(6), Some(turns[1].place), ALLOWANCE);
    let second = turn(admission);
    assert_eq!(second.at.duration_since(first.at), ALLOWANCE.spacing() * 6);
    // In mid-work it is the same, but for the place: before everybody.
    let (_, admission) = rested.reserve(now, wish(2), ALLOWANCE);
    let mid = turn(admission);
    assert!(mid.place + rested.behind <= now && mid.at > now + SignedDuration::from_secs(15));
}

#[test]
fn slow_calls_get_slots_further_apart_and_others_fill_the_gaps() {
    let slow = Wish { calls: 6, step: millis(600) };
    let mut limiter = Limiter::default();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (next, admission) = limiter.reserve(start(), slow, ALLOWANCE);
        limiter = next;
        let slots = granted(&admission);
        for pair in slots.windows(2) {
            assert!(pair[1].until.duration_since(pair[0].until) >= slow.step);
        }
        ends.extend(slots.iter().map(|slot| slot.until));
    }
    ends.sort();
    let whole = ends[17].duration_since(ends[0]);
    assert!(whole <= ALLOWANCE.spacing() * 17 + millis(1), "{whole:?}");
}

/// A thousand orders at once, with perfect queues that count in whole seconds and calls that nobody foresaw.
#[test]
fn a_line_moves_as_fast_as_it_may() {
    let mut queue: BinaryHeap<Reverse<(Timestamp, u32, Option<Timestamp>)>> =
        (0..1_000).map(|n| Reverse((start(), n, None))).collect();
    let mut limiter = Limiter::default();
    let (mut last, mut hops) = (start(), 0);
    while let Some(Reverse((now, order, place))) = queue.pop() {
        let (next, admission) = limiter.admit(now, wish(6), place, ALLOWANCE);
        limiter = next;
        match admission {
            Admission::Granted(slots) => {
                last = last.max(slots.iter().map(|slot| slot.until).max().unwrap());
                if order % 10 == 0 {
                    limiter = limiter.reserve(now, wish(2), ALLOWANCE).0;
                }
            }
            Admission::Later(turn) => {
                hops += 1;
                let wait = turn.at.duration_since(now).as_millis().max(1_000);
                let seconds = i64::try_from((wait + 999) / 1_000).unwrap();
                queue.push(Reverse((now + SignedDuration::from_secs(seconds), order, Some(turn.place))));
            }
        }
    }
    let took = last.duration_since(start()).as_secs_f64();
    let ideal = 6_200.0 / 24.0 * 5.0;
    assert!(took <= ideal * 1.02, "{took} s instead of {ideal} s");
    assert!(hops <= 3_000, "{hops} hops");
}
