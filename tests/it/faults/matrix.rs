//! Every operation of every connector with every fault, one at a time. A new operation that no scene asks for fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bokbro_domain::posting::PostingProfile::{Invoice, OrderAndInvoice};
use bokbro_tests::faults::{
    Bench, Buys, Case, Day, ELSEWHERE, Fault, Habits, Happens, Mutant, Program, Spot, Tells, Trouble, spots,
};

fn trouble(provider: &'static str, operation: &'static str, fault: Fault) -> Trouble {
    Trouble { spot: Spot { provider, operation }, after: 0, times: 1, fault }
}

fn refund(percent: u8) -> Happens {
    Happens::Refund { order: 0, percent, told: 0 }
}

/// After all workers have done all that there was to do.
const LATER: u16 = u16::MAX;

/// Days that together ask for every operation of Fortnox and of the payment provider.
fn fortnox_scenes() -> Vec<Case> {
    let good = |profile| Case::good(Program::Fortnox, profile);
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

/// The same of Visma.
fn visma_scenes() -> Vec<Case> {
    let good = || Case::good(Program::Visma, Invoice);
    let visma = |operation, fault| trouble("visma", operation, fault);
    // Somebody who leaves no e-mail address is known by the own number only, which cannot be searched for there.
    let unknown = || Buys { buyer: 3, ..good().orders[0].clone() };
    vec![
        good(),
        // Documents whose answers were lost are searched; the draft becomes the invoice and is gone.
        Case {
            troubles: vec![
                visma("create_draft", Fault::ResetAfter),
                visma("convert_draft", Fault::ResetBefore),
                visma("create_payment", Fault::ResetAfter),
            ],
            ..good()
        },
        Case {
            orders: vec![unknown()],
            troubles: vec![visma("create_customer", Fault::ResetAfter)],
            ..good()
        },
        // Prices with VAT for a company that shows them without.
        Case { habits: Habits { shows_net: true, ..Habits::default() }, ..good() },
        Case { tells: vec![(0, Tells::Paid, 0), (0, Tells::Registers, 60)], ..good() },
        Case { troubles: vec![visma("create_customer", Fault::Status403)], ..good() },
    ]
}

/// The same of the warehouse.
fn warehouse_scenes() -> Vec<Case> {
    let good = || Case { ships: true, ..Case::good(Program::Fortnox, Invoice) };
    vec![
        good(),
        Case { happens: vec![(LATER, refund(100))], ..good() },
        Case { happens: vec![(LATER, Happens::Tick)], ..good() },
        Case { troubles: vec![trouble("ongoing", "put_order", Fault::Status403)], ..good() },
    ]
}

/// The first scene that asks for each operation.
async fn scene_of_each(bench: &Bench, scenes: Vec<Case>) -> BTreeMap<Spot, Case> {
    let mut found = BTreeMap::new();
    for scene in scenes {
        let lived = bench.live(&scene, Mutant::None).await.unwrap_or_else(|why| panic!("{why}: {scene:#?}"));
        for spot in lived.asked {
            found.entry(spot).or_insert_with(|| scene.clone());
        }
    }
    found
}

/// Lives a day through with every fault at one operation.
async fn every_fault(bench: &Bench, scene: &Case, spot: Spot) {
    for fault in Fault::ALL {
        let mut case = scene.clone();
        case.troubles.insert(0, Trouble { spot, after: 0, times: 1, fault });
        match bench.live(&case, Mutant::None).await {
            Ok(lived) => assert!(lived.hit.contains(&(spot, fault)), "{fault:?} never hit {spot:?}"),
            Err(why) => panic!("{fault:?} at {spot:?}: {why}\n{case:#?}"),
        }
    }
}

/// Lives a scene of each chosen operation through with every fault there.
async fn every_fault_at(scenes: Vec<Case>, chosen: impl Fn(&Spot) -> bool) {
    let bench = Bench::start().await;
    let scenes = scene_of_each(&bench, scenes).await;
    let spots: Vec<Spot> = spots().into_iter().filter(chosen).collect();
    assert!(!spots.is_empty(), "no operation is chosen");
    for spot in spots {
        let Some(scene) = scenes.get(&spot) else { panic!("no scene asks for {spot:?}: add one") };
        every_fault(&bench, scene, spot).await;
    }
}

#[tokio::test]
async fn every_fault_at_every_write_to_fortnox_leaves_one_of_each() {
    every_fault_at(fortnox_scenes(), |spot| spot.provider == "fortnox" && spot.writes()).await;
}

#[tokio::test]
async fn every_fault_at_every_read_of_fortnox_leaves_one_of_each() {
    every_fault_at(fortnox_scenes(), |spot| spot.provider == "fortnox" && !spot.writes()).await;
}

#[tokio::test]
async fn every_fault_at_every_write_to_visma_leaves_one_of_each() {
    every_fault_at(visma_scenes(), |spot| spot.provider == "visma" && spot.writes()).await;
}

#[tokio::test]
async fn every_fault_at_every_read_of_visma_leaves_one_of_each() {
    every_fault_at(visma_scenes(), |spot| spot.provider == "visma" && !spot.writes()).await;
}

#[tokio::test]
async fn every_fault_at_the_payment_provider_leaves_one_of_each() {
    every_fault_at(fortnox_scenes(), |spot| spot.provider == "viva").await;
}

#[tokio::test]
async fn every_fault_at_the_warehouse_leaves_one_of_each() {
    every_fault_at(warehouse_scenes(), |spot| spot.provider == "ongoing").await;
}

/// The lists name each operation once, so that nothing is left out by a slip.
#[test]
fn no_operation_is_listed_twice() {
    let all = spots();
    let names: BTreeSet<Spot> = all.iter().copied().collect();
    assert_eq!(names.len(), all.len(), "{all:?}");
}

/// What is left to other tests is a call that a connector makes, and such a test.
#[test]
fn what_is_tested_elsewhere_is_tested() {
    let connectors: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("fortnox", &bokbro_connectors::fortnox::OPERATIONS[..]),
        ("visma", &bokbro_connectors::visma::OPERATIONS[..]),
        ("viva", &bokbro_connectors::viva::OPERATIONS[..]),
        ("ongoing", &bokbro_connectors::ongoing::OPERATIONS[..]),
    ]);
    for (provider, operation, test) in ELSEWHERE {
        assert!(connectors[provider].contains(operation), "{provider} has no {operation} any more");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(root.join(test).exists(), "{operation} of {provider}: there is no {test}");
    }
}
