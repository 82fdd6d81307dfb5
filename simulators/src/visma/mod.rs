//! Visma eEkonomi: the identity server, and of the API the company's settings (`apis/visma.md` 1, 3 and 7).
//!
//! One origin stands in for the hosts of both.

mod api;
mod config;
mod identity;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::kit::{Clock, Faults, Kit, Log, Provider, Running, Server};
use config::Switches;
use identity::Identity;

pub use config::{Company, Rotation, VismaConfig};

/// Starts simulated Vismas.
pub struct Visma;

impl Visma {
    /// Starts one; it runs until the handle is dropped or stopped.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(config: VismaConfig) -> io::Result<Handle> {
        let kit = Kit::default();
        let port = config.port;
        let identity = Arc::new(Mutex::new(Identity::new(config)));
        let shared = Shared { identity, clock: kit.clock.clone() };
        let running =
            Server::start(port, kit.clone(), Arc::new(shared.clone()), routes(shared.clone())).await?;
        Ok(Handle { running, clock: kit.clock, faults: kit.faults, log: kit.log, shared })
    }
}

/// A running simulator and the ways to steer it from the same process.
pub struct Handle {
    running: Running,
    /// Its clock.
    pub clock: Clock,
    /// Its faults.
    pub faults: Faults,
    /// Its request log and counters.
    pub log: Log,
    shared: Shared,
}

impl Deref for Handle {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Handle {
    /// What it holds, as `GET /_sim/state` shows it.
    #[must_use]
    pub fn state(&self) -> Value {
        serde_json::from_str(self.shared.state().get()).unwrap_or_default()
    }

    /// Whether this refresh token would be taken now.
    #[must_use]
    pub fn is_live(&self, refresh_token: &str) -> bool {
        self.shared.identity().is_live(refresh_token, self.shared.clock.now())
    }

    /// Every code, access token and refresh token ever given out, for tests that search for them elsewhere.
    #[must_use]
    pub fn secrets_issued(&self) -> Vec<String> {
        self.shared.identity().secrets().to_vec()
    }

    /// Turns switches, as `POST /_sim/config` does.
    ///
    /// # Errors
    /// A sentence naming the switch or value that does not exist.
    pub fn configure(&self, switches: &Value) -> Result<(), String> {
        let raw = to_raw_value(switches).map_err(|error| error.to_string())?;
        self.shared.configure(&raw)
    }

    /// Stops it and waits until it has let go of its port.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// The identity server, shared by all requests.
#[derive(Clone)]
struct Shared {
    identity: Arc<Mutex<Identity>>,
    clock: Clock,
}

impl Shared {
    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Shared {
    fn state(&self) -> Box<RawValue> {
        let state = self.identity().state(self.clock.now());
        to_raw_value(&state).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    fn reset(&self) {
        self.identity().reset_counters();
    }

    fn configure(&self, switches: &RawValue) -> Result<(), String> {
        let switches: Switches = serde_json::from_str(switches.get()).map_err(|error| error.to_string())?;
        self.identity().configure(switches)
    }
}

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/connect/authorize", get(authorize))
        .route("/connect/token", post(token))
        .route("/connect/revocation", post(revoke))
        .route("/v2/companysettings", get(company_settings))
        .with_state(shared)
}

async fn authorize(State(shared): State<Shared>, Query(asked): Query<identity::Consent>) -> Response {
    let now = shared.clock.now();
    shared.identity().authorize(&asked, now)
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<identity::TokenForm>,
) -> Response {
    let now = shared.clock.now();
    shared.identity().token(&headers, &form, now)
}

async fn revoke(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<identity::RevokeForm>,
) -> Response {
    shared.identity().revoke(&headers, &form)
}

async fn company_settings(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let now = shared.clock.now();
    api::company_settings(&mut shared.identity(), &headers, now)
}
