//! Days that nobody thought of.

use std::collections::BTreeSet;
use std::time::Instant;

use bokbro_tests::faults::{Finding, Kind, Mutant, Program, Search, Spot};

/// Runs in the short form, which is part of every test run.
const SHORT: u64 = 400;
/// The seed of the short form, so that everybody's checks are the same.
const SEED: u64 = 1753;

/// What the environment says.
#[allow(clippy::disallowed_methods, reason = "how long the search takes is up to whoever runs the tests")]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str) -> Option<u64> {
    let text = text(name)?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}, which is no number")))
}

/// The ledger programs of a name, all of them without one.
fn programs(name: Option<&str>) -> &'static [Program] {
    match name {
        None | Some("both") => &Program::ALL,
        Some("fortnox") => &[Program::Fortnox],
        Some("visma") => &[Program::Visma, Program::VismaWithoutRotation],
        Some(other) => panic!("there is no ledger program {other}: fortnox, visma or both"),
    }
}

#[test]
#[allow(
    clippy::print_stderr,
    reason = "a search of minutes shows that it gets on, and how to repeat what it finds"
)]
fn every_paid_order_is_booked_exactly_once_on_any_day() {
    let seed = number("BOKBRO_FAULTS_SEED").unwrap_or(SEED);
    let only = number("BOKBRO_FAULTS_RUN");
    let runs = if only.is_some() { 1 } else { number("BOKBRO_FAULTS_RUNS").unwrap_or(SHORT) };
    let accounting = text("BOKBRO_FAULTS_ACCOUNTING");
    let programs = programs(accounting.as_deref());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let first = only.unwrap_or(0);
    let kind = Kind { programs, sales_only: false };
    let (mutant, counts) = (Mutant::None, |_: &Finding| true);
    let search = Search { mutant, kind, first, runs, seed, counts, shrink: 2_000, threads };
    let begun = Instant::now();
    eprintln!("seed {seed}: {runs} runs on {threads} threads");
    let found = search.run(|ended| {
        if ended % 200 == 0 {
            eprintln!("{ended} runs in {:.0} s", begun.elapsed().as_secs_f32());
        }
    });
    if let Some(failure) = found.failure {
        let story = failure.bad.map(|bad| bad.story.join("\n")).unwrap_or_default();
        panic!(
            "{reason}\n\nthe smallest such day: {case:#?}\n\nwhat the workers did:\n{story}\n\nrun {run} of seed {seed} \
             ends badly: {reason}\nrepeat it with: cargo dev faults --accounting {accounting} --seed {seed} --run {run}",
            accounting = accounting.as_deref().unwrap_or("both"),
            reason = failure.reason,
            case = failure.case,
            run = failure.run,
        );
    }
    let operations: BTreeSet<Spot> = found.hit.iter().map(|(spot, _)| *spot).collect();
    let told = format!(
        "seed {seed}: {} days with {} kinds of trouble at {} operations in {:.0} s; every paid order is booked exactly once",
        found.runs,
        found.hit.len(),
        operations.len(),
        begun.elapsed().as_secs_f32(),
    );
    eprintln!("{told}");
    if let Some(report) = text("BOKBRO_FAULTS_REPORT") {
        std::fs::write(report, told).unwrap();
    }
}
