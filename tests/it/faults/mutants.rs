//! The proof that the matrix can fail: with one guarantee taken out, it must find orders that are booked twice.

use bokbro_tests::faults::{Finding, Kind, Mutant, Program, Search};

/// Within so many days it must notice.
const RUNS: u64 = 600;

/// What the days are made from.
const SEED: u64 = 1753;

/// Two documents where one was paid for: what the guarantees are there to prevent.
fn twice(finding: &Finding) -> bool {
    matches!(finding, Finding::Doubled { kind: "invoices" | "orders" | "payments" | "drafts", .. })
}

#[track_caller]
fn is_noticed(mutant: Mutant, programs: &'static [Program]) {
    let kind = Kind { programs, sales_only: true };
    let search =
        Search { mutant, kind, first: 0, runs: RUNS, seed: SEED, counts: twice, shrink: 0, threads: 1 };
    let found = search.run(|_| {});
    let Some(failure) = found.failure else {
        panic!("{mutant:?} booked nothing twice in {} days", found.runs)
    };
    assert!(
        failure.bad.as_ref().is_some_and(|bad| twice(&bad.finding)),
        "not the same when run again: {failure:?}"
    );
    // The very same day ends well when nothing is broken.
    let search = Search { mutant: Mutant::None, first: failure.run, runs: 1, counts: |_| true, ..search };
    let whole = search.run(|_| {});
    assert!(whole.failure.is_none(), "it is not {mutant:?} that was noticed: {whole:?}");
}

const FORTNOX: &[Program] = &[Program::Fortnox];
const VISMA: &[Program] = &[Program::Visma];

#[test]
fn a_look_up_that_finds_nothing_is_noticed() {
    is_noticed(Mutant::BlindLookUp, FORTNOX);
}

#[test]
fn a_store_without_fence_is_noticed() {
    is_noticed(Mutant::NoFence, FORTNOX);
}

#[test]
fn a_look_up_before_lists_have_settled_is_noticed() {
    is_noticed(Mutant::NoSettle, FORTNOX);
}

#[test]
fn a_look_up_that_finds_nothing_is_noticed_at_visma() {
    is_noticed(Mutant::BlindLookUp, VISMA);
}

#[test]
fn a_store_without_fence_is_noticed_at_visma() {
    is_noticed(Mutant::NoFence, VISMA);
}

#[test]
fn a_look_up_before_lists_have_settled_is_noticed_at_visma() {
    is_noticed(Mutant::NoSettle, VISMA);
}
