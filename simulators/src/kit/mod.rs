//! What every simulator is made of: a local HTTP server, a clock that tests move, scripted faults and a request log.

mod clock;
mod control;
pub(crate) mod desk;
mod faults;
pub(crate) mod json;
mod log;
pub(crate) mod oauth;
pub(crate) mod outbox;
mod server;
pub(crate) mod totals;

use std::sync::Arc;

use serde_json::value::RawValue;

pub use clock::Clock;
pub use faults::{Fault, Faults, Kind, Match, When};
pub use log::{Log, RequestLine, Stats};
pub use outbox::{Attempt, Delivery, DeliveryState};
pub(crate) use outbox::{Letter, Outbox, Route};
pub use server::{Running, Server};
pub(crate) use server::{Severable, Wire};
pub use totals::VatRounding;

/// The parts that a simulator shares with its `/_sim` routes. Clones share the same parts.
#[derive(Clone, Default)]
pub struct Kit {
    /// The time that the simulated provider believes in.
    pub clock: Clock,
    /// The faults that are still to happen.
    pub faults: Faults,
    /// What has been asked of the provider.
    pub log: Log,
}

/// What a provider lends to the `/_sim` routes.
pub trait Provider: Send + Sync + 'static {
    /// Everything it holds, as JSON (`GET /_sim/state`).
    fn state(&self) -> Box<RawValue>;

    /// Forgets everything but its configuration (`POST /_sim/reset`).
    fn reset(&self);

    /// Turns provider-specific switches (`POST /_sim/config`).
    ///
    /// # Errors
    /// A sentence for the caller when the JSON names a switch or value that does not exist.
    fn configure(&self, switches: &RawValue) -> Result<(), String>;
}

/// A provider without state or switches, for tests of the kit itself.
impl Provider for () {
    fn state(&self) -> Box<RawValue> {
        RawValue::NULL.to_owned()
    }

    fn reset(&self) {}

    fn configure(&self, _switches: &RawValue) -> Result<(), String> {
        Err("this simulator has no switches".to_owned())
    }
}

/// A provider that is shared between its routes and the kit.
pub type SharedProvider = Arc<dyn Provider>;

/// An HTTP client for talking to simulators and for simulators that call out (webhooks). All of it stays on this machine
/// and is not encrypted, so the client trusts nobody: reading the system's certificates takes longer than most tests.
///
/// # Panics
/// When the TLS library cannot be set up, which no test could go on from.
#[must_use]
pub fn http_client() -> reqwest::Client {
    // The provider can be set once per process; that someone else was first is fine.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .expect("an HTTP client without special settings can be built")
}

#[cfg(test)]
mod tests;
