//! Many days in a row, on all cores, until one ends badly; that one is made as small as it gets.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tokio::runtime::{Builder, Runtime};

use super::bench::{Bad, Bench};
use super::case::Case;
use super::generate::{Kind, cases};
use super::mutant::Mutant;
use super::verdict::Finding;
use super::wire::{Fault, Spot};

/// What to search.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Bokbro whole or broken.
    pub mutant: Mutant,
    /// Which days to think of.
    pub kind: Kind,
    /// First run; each has a case of its own, whatever the others are.
    pub first: u64,
    /// How many runs.
    pub runs: u64,
    /// With the run's number it makes the case.
    pub seed: u64,
    /// Which findings count as failures.
    pub counts: fn(&Finding) -> bool,
    /// How many smaller cases are tried when one fails.
    pub shrink: u32,
    /// How many runs at once.
    pub threads: usize,
}

/// A day that ended badly.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which run.
    pub run: u64,
    /// The smallest case found that still fails.
    pub case: Case,
    /// How it ends; a panic tells only the reason.
    pub bad: Option<Bad>,
    /// What is wrong at its end, in words.
    pub reason: String,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Runs that ended.
    pub runs: u64,
    /// What went wrong at the providers in all of them.
    pub hit: BTreeSet<(Spot, Fault)>,
    /// The first failure that came up.
    pub failure: Option<Failure>,
}

impl Search {
    /// Runs until one fails or all have ended. `progress` hears of the number that have ended.
    pub fn run(self, progress: impl Fn(u64) + Sync) -> Found {
        let (next, ended, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        let found = Mutex::new(Found::default());
        thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    let place = Place::new();
                    while !over.load(Ordering::Relaxed) {
                        let nth = next.fetch_add(1, Ordering::Relaxed);
                        if nth >= self.runs {
                            break;
                        }
                        let failure = self.one(&place, self.first + nth, &found);
                        if failure.is_some() {
                            over.store(true, Ordering::Relaxed);
                            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                            found.failure = found.failure.take().or(failure);
                        }
                        progress(ended.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.runs = ended.into_inner();
        found
    }

    fn one(&self, place: &Place, run: u64, found: &Mutex<Found>) -> Option<Failure> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&run.to_le_bytes());
        let config = Config {
            cases: 1,
            max_shrink_iters: self.shrink,
            failure_persistence: None,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let outcome = TestRunner::new_with_rng(config, rng).run(&cases(self.kind), |case| {
            let lived = place.live(&case, self.mutant);
            match lived {
                Ok(hit) => found.lock().unwrap_or_else(PoisonError::into_inner).hit.extend(hit),
                Err(bad) if (self.counts)(&bad.finding) => {
                    return Err(TestCaseError::fail(bad.to_string()));
                }
                Err(_) => {}
            }
            Ok(())
        });
        match outcome {
            Ok(()) => None,
            Err(TestError::Fail(reason, case)) => {
                let again = std::panic::AssertUnwindSafe(|| place.live(&case, self.mutant).err());
                let bad = std::panic::catch_unwind(again).ok().flatten();
                Some(Failure { run, case, bad, reason: reason.message().to_owned() })
            }
            Err(TestError::Abort(reason)) => panic!("run {run} makes no case: {reason}"),
        }
    }
}

/// A thread's own simulators.
struct Place {
    runtime: Runtime,
    bench: Bench,
}

impl Place {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let bench = runtime.block_on(Bench::start());
        Self { runtime, bench }
    }

    fn live(&self, case: &Case, mutant: Mutant) -> Result<BTreeSet<(Spot, Fault)>, Bad> {
        self.runtime.block_on(self.bench.live(case, mutant)).map(|lived| lived.hit)
    }
}
