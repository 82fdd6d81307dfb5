//! A worker that dies at any point of a day's way, and a ledger program that has any bad day: one voucher, all orders done.

use bokbro_domain::ids::OrderId;
use bokbro_tests::world::sample;

use super::{CARD, Program, Shop, one};
use crate::crash_points::bad_answers;

/// Two orders of a day, one of them given back, with a worker that dies at the n-th crash point of the part; gives the
/// points of that part.
async fn run(program: Program, part: Part, die_at: Option<usize>) -> Vec<String> {
    let mut shop = Shop::open(program).await;
    let arm = |shop: &Shop, now: Part| {
        if part == now {
            shop.crash.arm(die_at);
        }
    };
    arm(&shop, Part::Joining);
    let first = shop.sold("1", sample(), CARD).await;
    let second = shop.sold("2", one("106.00", "6"), CARD).await;
    let event = shop.give_back(&second, None).await;
    shop.tell(&event).await;
    let mut points = shop.crash.passed();
    shop.crash.arm(None);
    arm(&shop, Part::Booking);
    shop.day_ends().await;
    if part == Part::Booking {
        points = shop.crash.passed();
    }
    shop.crash.arm(None);
    // What a dead worker left behind, the next ticks find.
    for _ in 0..2 {
        shop.hour_passes().await;
    }
    let died = die_at.and_then(|nth| points.get(nth).cloned()).unwrap_or_default();
    one_voucher(&shop, &[&first, &second], &died).await;
    points
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Joining,
    Booking,
}

async fn one_voucher(shop: &Shop, orders: &[&OrderId], case: &str) {
    let vouchers = shop.vouchers();
    assert_eq!(vouchers.len(), 1, "{case}: {:?} {:?} {vouchers:?}", shop.parked().await, shop.errors);
    assert_eq!(vouchers[0].rows, [(1580, 74_700), (2611, -14_940), (3001, -59_760)].into(), "{case}");
    let numbers = shop.done(orders).await;
    assert!(numbers.iter().all(|[sale, _]| *sale == numbers[0][0] && sale.is_some()), "{case}: {numbers:?}");
    assert_eq!(shop.open_days().await, 0, "{case}");
}

async fn dies_everywhere(program: Program, part: Part, wanted: &[&str]) {
    let points = run(program, part, None).await;
    for point in wanted {
        assert!(points.iter().any(|passed| passed.starts_with(point)), "no {point:?} in {points:?}");
    }
    for nth in 0..points.len() {
        let passed = run(program, part, Some(nth)).await;
        assert_eq!(passed[nth], points[nth], "the run is the same up to its death");
    }
}

/// No ledger program has a part in it.
#[tokio::test]
async fn an_order_joins_once_whenever_its_worker_dies() {
    let wanted = [
        "before joining a day with a sale",
        "after joining a day with a sale",
        "before joining a day with a refund",
        "after joining a day with a refund",
    ];
    dies_everywhere(Program::Fortnox, Part::Joining, &wanted).await;
}

const BOOKING: [&str; 10] = [
    "before write of taking",
    "after write of taking",
    "before send of",
    "after send of",
    "before write of completion",
    "after write of completion",
    "after telling orders of their voucher",
    "before noting a day's voucher",
    "after noting a day's voucher",
    "after a page of the sweep",
];

#[tokio::test]
async fn a_day_is_booked_in_fortnox_once_whenever_its_worker_dies() {
    dies_everywhere(Program::Fortnox, Part::Booking, &BOOKING).await;
}

#[tokio::test]
async fn a_day_is_booked_in_visma_once_whenever_its_worker_dies() {
    dies_everywhere(Program::Visma, Part::Booking, &BOOKING).await;
}

#[tokio::test]
async fn every_bad_answer_to_the_voucher_leaves_one() {
    for (name, fault) in bad_answers("POST", "/3/vouchers") {
        for times in [1, 2] {
            let mut shop = Shop::open(Program::Fortnox).await;
            let first = shop.sold("1", sample(), CARD).await;
            shop.fortnox.faults.add(fault.clone().times(times));
            shop.day_ends().await;
            for _ in 0..2 {
                shop.hour_passes().await;
            }
            one_voucher(&shop, &[&first], &format!("{name} x {times}")).await;
        }
    }
}
