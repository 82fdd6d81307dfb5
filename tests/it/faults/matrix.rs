//! Every operation of every connector with every fault, one at a time. A new operation that no scene asks for fails here.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_domain::posting::PostingProfile::{Invoice, OrderAndInvoice};
use bokbro_tests::faults::{Bench, Case, Day, Fault, Mutant, Spot, Tells, Trouble, spots};

fn trouble(provider: &'static str, operation: &'static str, fault: Fault) -> Trouble {
    Trouble { spot: Spot { provider, operation }, after: 0, times: 1, fault }
}

/// Days that together ask for every operation.
fn scenes() -> Vec<Case> {
    let good = Case::good;
    let fortnox = |operation, fault| trouble("fortnox", operation, fault);
    vec![
        good(Invoice),
        // The work is done on the next day, so that the invoice of an order needs another date.
        Case { day: Day::Midnight, tells: vec![(0, Tells::Paid, 120)], ..good(OrderAndInvoice) },
        // Documents whose answers were lost are searched.
        Case {
            troubles: vec![
                fortnox("create_invoice", Fault::ResetAfter),
                fortnox("create_payment", Fault::ResetAfter),
            ],
            ..good(Invoice)
        },
        Case {
            troubles: vec![
                fortnox("create_order", Fault::ResetAfter),
                fortnox("create_invoice", Fault::ResetAfter),
            ],
            ..good(OrderAndInvoice)
        },
        // An event about the order, not about its payment.
        Case { tells: vec![(0, Tells::Checkout, 0)], ..good(Invoice) },
        // The registers are read while the order is in the books.
        Case { tells: vec![(0, Tells::Paid, 0), (0, Tells::Registers, 60)], ..good(Invoice) },
        // Nobody is let in, and somebody checks the connections.
        Case {
            troubles: vec![
                fortnox("create_customer", Fault::Status403),
                trouble("viva", "read_transaction", Fault::Status403),
            ],
            ..good(Invoice)
        },
    ]
}

/// The first scene that asks for each operation.
async fn scene_of_each(bench: &Bench) -> BTreeMap<Spot, Case> {
    let mut found = BTreeMap::new();
    for scene in scenes() {
        let lived = bench.live(&scene, Mutant::None).await.unwrap_or_else(|why| panic!("{why}: {scene:#?}"));
        for spot in lived.asked {
            found.entry(spot).or_insert_with(|| scene.clone());
        }
    }
    found
}

/// Lives a scene of each chosen operation through with every fault there.
async fn every_fault_at(chosen: impl Fn(&Spot) -> bool) {
    let bench = Bench::start().await;
    let scenes = scene_of_each(&bench).await;
    let spots: Vec<Spot> = spots().into_iter().filter(chosen).collect();
    assert!(!spots.is_empty(), "no operation is chosen");
    for spot in spots {
        let Some(scene) = scenes.get(&spot) else { panic!("no scene asks for {spot:?}: add one") };
        for fault in Fault::ALL {
            let mut case = scene.clone();
            case.troubles.insert(0, Trouble { spot, after: 0, times: 1, fault });
            match bench.live(&case, Mutant::None).await {
                Ok(lived) => assert!(lived.hit.contains(&(spot, fault)), "{fault:?} never hit {spot:?}"),
                Err(why) => panic!("{fault:?} at {spot:?}: {why}\n{case:#?}"),
            }
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_write_leaves_one_of_each() {
    every_fault_at(Spot::writes).await;
}

#[tokio::test]
async fn every_fault_at_every_read_of_the_ledger_leaves_one_of_each() {
    every_fault_at(|spot| spot.provider == "fortnox" && !spot.writes()).await;
}

#[tokio::test]
async fn every_fault_at_the_payment_provider_leaves_one_of_each() {
    every_fault_at(|spot| spot.provider == "viva").await;
}

/// The lists name each operation once, so that nothing is left out by a slip.
#[test]
fn no_operation_is_listed_twice() {
    let all = spots();
    let names: BTreeSet<Spot> = all.iter().copied().collect();
    assert_eq!(names.len(), all.len(), "{all:?}");
}
