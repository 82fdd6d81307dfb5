//! What functions say: JSON lines for CloudWatch, and the metrics in them.

mod emf;
mod lines;

use std::io;

use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use bokbro_app::metrics::metric_of;

pub use lines::{Lines, Speaker};

/// Starts logging to standard output. A second start in one process changes nothing.
pub(crate) fn start(filter: &str, speaker: Speaker) {
    let lines = Lines::new(speaker, io::stdout).with_filter(filter_of(filter));
    if tracing_subscriber::registry().with(lines).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}

/// What is said: what the filter lets through, and in any case figures and what ties lines together.
fn filter_of(filter: &str) -> impl Filter<Registry> + use<> {
    use tracing_subscriber::filter::FilterExt as _;
    let filter: Targets = filter.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    filter.or(filter_fn(is_indispensable))
}

fn is_indispensable(metadata: &Metadata<'_>) -> bool {
    let ours = metadata.target().starts_with("bokbro") || metadata.target().starts_with("lambda_runtime");
    ours && *metadata.level() <= tracing::Level::INFO
        && (metadata.is_span() || metadata.fields().iter().any(|field| metric_of(field.name()).is_some()))
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
#[path = "telemetry_tests.rs"]
mod tests;
