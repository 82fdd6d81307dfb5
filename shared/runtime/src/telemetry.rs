//! JSON logs, one line per event, ready for CloudWatch.

use tracing_subscriber::EnvFilter;

/// Starts logging. A second start in one process changes nothing.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
