//! Money given back, with a fault at every operation that a credit needs, at every moment at which it can be given back.

use bokbro_domain::posting::PostingProfile::Invoice;
use bokbro_tests::faults::{Bench, Case, Fault, Habits, Happens, Mutant, Program, Spot, Trouble};

fn refund(percent: u8) -> Happens {
    Happens::Refund { order: 0, percent, told: 0 }
}

/// All at once, a part, and parts until nothing is left.
fn refunds() -> [Vec<u8>; 4] {
    [vec![100], vec![30], vec![40, 40], vec![50, 1, 100]]
}

/// At no moment between two steps of the workers does it matter when the money is given back.
async fn at_every_moment(program: Program, ships: bool) {
    let bench = Bench::start().await;
    for percents in refunds() {
        for stop in (0..90).step_by(3) {
            let happens = percents.iter().map(|percent| (stop, refund(*percent))).collect();
            let case = Case { ships, happens, ..Case::good(program, Invoice) };
            if let Err(why) = bench.live(&case, Mutant::None).await {
                panic!("{percents:?} % at stop {stop}: {why}\n{}", why.story.join("\n"));
            }
        }
    }
}

#[tokio::test]
async fn money_given_back_at_any_moment_is_credited_at_visma() {
    at_every_moment(Program::Visma, false).await;
}

#[tokio::test]
async fn money_given_back_at_any_moment_is_credited_at_fortnox() {
    at_every_moment(Program::Fortnox, true).await;
}

/// Every fault at every write, when it is the credit's: so many calls of the sale's go well.
async fn every_fault_at(program: Program, habits: Habits, operations: &[(&'static str, u8)]) {
    let bench = Bench::start().await;
    for (operation, after) in operations.iter().copied() {
        for fault in Fault::ALL {
            let spot = Spot { provider: program.name(), operation };
            let troubles = vec![Trouble { spot, after, times: 1, fault }];
            let happens = vec![(u16::MAX, refund(30)), (u16::MAX, refund(100))];
            let case = Case { happens, troubles, habits, ..Case::good(program, Invoice) };
            match bench.live(&case, Mutant::None).await {
                Ok(lived) => assert!(lived.hit.contains(&(spot, fault)), "{fault:?} never hit {spot:?}"),
                Err(why) => panic!("{fault:?} at {spot:?}: {why}\n{}", why.story.join("\n")),
            }
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_write_of_a_credit_leaves_one_of_each_at_fortnox() {
    let writes = ["create_invoice", "bookkeep_invoice", "create_payment", "bookkeep_payment"];
    every_fault_at(Program::Fortnox, Habits::default(), &writes.map(|write| (write, 1))).await;
}

#[tokio::test]
async fn every_fault_at_every_write_of_a_credit_leaves_one_of_each_at_visma() {
    let writes = ["create_draft", "convert_draft", "create_payment"];
    every_fault_at(Program::Visma, Habits::default(), &writes.map(|write| (write, 1))).await;
}

/// The draft is turned around, and the payment is tried both ways.
#[tokio::test]
async fn every_fault_at_every_write_of_a_credit_leaves_one_of_each_the_other_way_round() {
    let habits = Habits { negative_rows: true, positive_payments: true, ..Habits::default() };
    let writes = [("price_draft", 0), ("create_payment", 1), ("create_payment", 2)];
    every_fault_at(Program::VismaWithoutRotation, habits, &writes).await;
}
