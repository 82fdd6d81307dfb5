//! Days that nobody thought of.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::case::{At, Buys, Case, Day, Got, Habits, Happens, Pays, Program, Stop, Tells, Trouble};
use super::wire::{Fault, Spot, spots_of};

fn buys() -> impl Strategy<Value = Buys> {
    let lines = vec((1..=3_u8, 30..=99_999_u32, select(vec![25_u8, 12, 6, 0])), 1..=4);
    let pays = prop_oneof![
        16 => Just(Pays::All),
        2 => Just(Pays::AfterRefusal),
        1 => Just(Pays::Short),
        1 => Just(Pays::Nothing),
    ];
    (0..4_usize, lines, pays).prop_map(|(buyer, lines, pays)| Buys { buyer, lines, pays })
}

fn tells() -> impl Strategy<Value = (usize, Tells, u16)> {
    let what = prop_oneof![
        6 => Just(Tells::Paid),
        1 => Just(Tells::Failed),
        2 => Just(Tells::Checkout),
        2 => Just(Tells::Nudge),
        1 => Just(Tells::Registers),
    ];
    // Many at once, some later, one after all leases.
    (0..3_usize, what, prop_oneof![5 => 0..=2_u16, 2 => 3..=90_u16, 1 => 400..=800_u16])
}

fn happens(ships: bool) -> impl Strategy<Value = (u16, Happens)> {
    let percent = prop_oneof![2 => Just(100_u8), 3 => 1..=99_u8];
    let told = prop_oneof![3 => 0..=2_u16, 2 => 3..=120_u16];
    let refund = (0..3_usize, percent, told).prop_map(|(order, percent, told)| Happens::Refund {
        order,
        percent,
        told,
    });
    let got = select(vec![Got::Picked, Got::Sent]);
    let staff =
        (0..3_usize, got, any::<bool>()).prop_map(|(order, got, told)| Happens::Staff { order, got, told });
    let often = u32::from(ships);
    // Before anything is told, while workers are at it, and when all is booked.
    let at = prop_oneof![2 => Just(0_u16), 5 => 1..140_u16, 2 => Just(u16::MAX)];
    (at, prop_oneof![6 => refund, 2 * often => staff, 1 => Just(Happens::Tick)])
}

fn trouble(program: Program, ships: bool) -> impl Strategy<Value = Trouble> {
    let all = spots_of(program, ships);
    let writes: Vec<Spot> = all.iter().copied().filter(Spot::writes).collect();
    let spot = prop_oneof![2 => select(writes), 1 => select(all)];
    let after = prop_oneof![3 => Just(0_u8), 1 => 1..=2_u8];
    let times = prop_oneof![6 => Just(1_u8), 2 => 2..=3_u8, 1 => 4..=8_u8];
    (spot, after, times, select(Fault::ALL.to_vec())).prop_map(|(spot, after, times, fault)| Trouble {
        spot,
        after,
        times,
        fault,
    })
}

fn stop() -> impl Strategy<Value = (At, Stop)> {
    let what = prop_oneof![
        3 => Just(Stop::Switch),
        2 => Just(Stop::Kill),
        1 => (0..12_u8).prop_map(Stop::Freeze),
    ];
    let at = prop_oneof![(0..90_u16).prop_map(At::Stop), (0..24_u16).prop_map(At::Write)];
    (at, what)
}

/// Which days to think of.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Where the books may be kept.
    pub programs: &'static [Program],
    /// Nothing is sent or given back: sales go into the books, and that is all.
    pub sales_only: bool,
}

/// Days of a kind.
pub fn cases(kind: Kind) -> impl Strategy<Value = Case> {
    let ships = if kind.sales_only { vec![false] } else { vec![false, true] };
    (select(kind.programs), select(ships), habits()).prop_flat_map(move |(program, ships, habits)| {
        cases_of(program, ships).prop_map(move |mut case| {
            if kind.sales_only {
                case.happens.clear();
            }
            Case { habits, ..case }
        })
    })
}

fn habits() -> impl Strategy<Value = Habits> {
    let rarely = || prop_oneof![3 => Just(false), 1 => Just(true)];
    (rarely(), rarely(), rarely()).prop_map(|(shows_net, negative_rows, positive_payments)| Habits {
        shows_net,
        negative_rows,
        positive_payments,
    })
}

fn cases_of(program: Program, ships: bool) -> impl Strategy<Value = Case> {
    let profile = select(program.profiles());
    let day = prop_oneof![4 => Just(Day::Noon), 1 => Just(Day::Midnight), 1 => Just(Day::NewYear)];
    let lag = prop_oneof![Just(0_u8), 1..=6_u8];
    // One order is told of often, so that several workers are at it.
    let orders = prop_oneof![3 => vec(buys(), 1), 2 => vec(buys(), 2..=3)];
    let told = (
        orders,
        vec(tells(), 0..=6),
        prop_oneof![2 => vec(happens(ships), 0), 3 => vec(happens(ships), 1..=4)],
    );
    let troubles = vec(trouble(program, ships), 0..=4);
    (profile, day, lag, told, troubles, vec(stop(), 0..=5), any::<bool>()).prop_map(
        move |(profile, day, lag, (orders, mut tells, mut happens), troubles, stops, checks)| {
            for (order, _, _) in &mut tells {
                *order %= orders.len();
            }
            for (_, happens) in &mut happens {
                match happens {
                    Happens::Refund { order, .. } | Happens::Staff { order, .. } => *order %= orders.len(),
                    Happens::Tick => {}
                }
            }
            happens.sort_by_key(|(at, _)| *at);
            Case {
                program,
                profile,
                ships,
                habits: Habits::default(),
                day,
                lag,
                orders,
                tells,
                happens,
                troubles,
                stops,
                checks,
            }
        },
    )
}
