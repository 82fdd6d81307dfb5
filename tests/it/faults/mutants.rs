//! The proof that the matrix can fail: with one guarantee taken out, it must find orders that are booked twice.

use bokbro_tests::faults::{Finding, Mutant, Search};

/// Within so many days it must notice.
const RUNS: u64 = 600;

#[track_caller]
fn doubles(mutant: Mutant) {
    let search = Search { mutant, first: 0, runs: RUNS, seed: 1753, shrink: 0, threads: 1 };
    let found = search.run(|_| {});
    let Some(failure) = found.failure else { panic!("{mutant:?} went unnoticed for {} days", found.runs) };
    let twice = matches!(
        failure.finding,
        Some(Finding::Doubled { kind: "invoices" | "orders" | "payments" | "vouchers", .. })
    );
    assert!(twice, "{mutant:?} was noticed for another reason: {failure:?}");
}

#[test]
fn a_look_up_that_finds_nothing_is_noticed() {
    doubles(Mutant::BlindLookUp);
}

#[test]
fn a_store_without_fence_is_noticed() {
    doubles(Mutant::NoFence);
}

#[test]
fn a_look_up_before_lists_have_settled_is_noticed() {
    doubles(Mutant::NoSettle);
}
