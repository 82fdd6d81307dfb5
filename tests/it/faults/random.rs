//! Days that nobody thought of.

use std::time::Instant;

use bokbro_tests::faults::{Mutant, Search};

/// Runs in the short form, which is part of every test run.
const SHORT: u64 = 400;
/// The seed of the short form, so that everybody's checks are the same.
const SEED: u64 = 1753;

/// A number from the environment.
#[allow(clippy::disallowed_methods, reason = "how long the search takes is up to whoever runs the tests")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}, which is no number")))
}

#[test]
#[allow(clippy::print_stderr, reason = "a search of minutes shows that it gets on, and how to repeat what it finds")]
fn every_paid_order_is_booked_exactly_once_on_any_day() {
    let seed = number("BOKBRO_FAULTS_SEED").unwrap_or(SEED);
    let only = number("BOKBRO_FAULTS_RUN");
    let runs = if only.is_some() { 1 } else { number("BOKBRO_FAULTS_RUNS").unwrap_or(SHORT) };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let search =
        Search { mutant: Mutant::None, first: only.unwrap_or(0), runs, seed, shrink: 2_000, threads };
    let begun = Instant::now();
    eprintln!("seed {seed}: {runs} runs on {threads} threads");
    let found = search.run(|ended| {
        if ended % 200 == 0 {
            eprintln!("{ended} runs in {:.0} s", begun.elapsed().as_secs_f32());
        }
    });
    if let Some(failure) = found.failure {
        panic!(
            "run {run} of seed {seed} ends badly: {reason}\nthe smallest case found: {case:#?}\n{finding:?}\nrepeat it with: \
             cargo dev faults --seed {seed} --run {run}",
            run = failure.run,
            reason = failure.reason,
            case = failure.case,
            finding = failure.finding,
        );
    }
    eprintln!("{} runs, {} kinds of trouble, all booked once", found.runs, found.hit.len());
}
