//! What every provider in the registry must be and do, whoever wrote its connector.
//!
//! The registry says which there are, so that a new one is asked the same without a line here. `tests/src/compliance` has a
//! candidate for each that is called: a world with a stand-in for it.

mod entries;
mod reads;
mod writes;

use std::sync::Arc;

use bokbro_app::memory::ManualClock;
use bokbro_app::ports::Providers as _;
use bokbro_connectors::kit::Transport;
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::Provider;
use bokbro_tests::compliance::{Candidate, candidates};

/// The registry as it is in production, which nobody calls.
fn registry() -> Registry {
    let clock = Arc::new(ManualClock::new("2026-11-20T08:00:00Z".parse().unwrap(), 1));
    Registry::over(Urls::default(), Arc::new(Transport::new().unwrap()), clock)
}

/// The candidate of each provider that is called.
fn every_candidate() -> Vec<(Provider, Candidate)> {
    let registry = registry();
    let called = registry.names().into_iter().filter(|name| !registry.operations(name).is_empty());
    let mut candidates: Vec<Candidate> = candidates().into();
    let found = called.map(|name| {
        let at = candidates.iter().position(|candidate| candidate.name == name.as_str());
        let at = at.unwrap_or_else(|| {
            panic!(
                "nobody tries {name}: write its simulator (simulators/src/{name}), and add a Candidate with its ways and the \
                 frozen names of its steps to tests/src/compliance/candidates.rs; docs/ADD-A-CONNECTOR.md tells how"
            )
        });
        (name, candidates.swap_remove(at))
    });
    let found: Vec<(Provider, Candidate)> = found.collect();
    let left: Vec<&str> = candidates.iter().map(|candidate| candidate.name).collect();
    assert!(left.is_empty(), "candidates of nobody in the registry: {left:?}");
    found
}
