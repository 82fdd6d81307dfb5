//! Fortnox: the authorization server and the part of the API that an invoice integration meets.
//!
//! It is strict where the real answer is not known, so that nothing is accepted here that Fortnox might refuse.
//! Refusals without a recorded code carry 2009999, which nothing may branch on.

mod articles;
mod books;
mod call;
mod chart;
mod config;
mod customers;
mod documents;
mod errors;
mod fields;
mod fill;
mod invoices;
mod lists;
mod oauth;
mod orders;
mod payments;
mod registers;
mod rows;
mod vouchers;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Form, Query, RawPathParams, RawQuery, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{MethodFilter, get, on, post};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::kit::{Clock, Faults, Kit, Log, Provider, Running, Server, json, totals};
use call::{Call, Operation};
use world::{World, page};

pub use crate::kit::VatRounding;
pub use config::{AccountingMethod, FortnoxConfig, LastModifiedZone, RateAnswer, RefreshReuse, TenantConfig};

/// Largest request body that is read, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Starts simulated Fortnoxes.
pub struct Fortnox;

impl Fortnox {
    /// Starts one; it runs until the handle is dropped or stopped.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(config: FortnoxConfig) -> io::Result<Handle> {
        let kit = Kit::default();
        let port = config.port;
        let world = Arc::new(Mutex::new(World::new(config, kit.clock.now())));
        let shared = Shared { world, clock: kit.clock.clone() };
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

    /// What one tenant holds; null when there is no such tenant.
    #[must_use]
    pub fn books(&self, database_number: &str) -> Value {
        self.state()["tenants"][database_number].take()
    }

    /// Forgets all documents, as `POST /_sim/reset` does; faults and request lines stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Whether this refresh token would be taken now.
    #[must_use]
    pub fn is_live(&self, refresh_token: &str) -> bool {
        self.shared.world().authority.is_live(refresh_token, self.shared.clock.now())
    }

    /// Every code, access token and refresh token ever given out, for tests that search for them elsewhere.
    #[must_use]
    pub fn secrets_issued(&self) -> Vec<String> {
        self.shared.world().authority.secrets().to_vec()
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

/// The world, shared by all requests.
#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    clock: Clock,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Shared {
    fn state(&self) -> Box<RawValue> {
        self.world().state(self.clock.now())
    }

    fn reset(&self) {
        self.world().reset(self.clock.now());
    }

    fn configure(&self, switches: &RawValue) -> Result<(), String> {
        let switches = serde_json::from_str(switches.get()).map_err(|error| error.to_string())?;
        self.world().configure(switches, self.clock.now())
    }
}

fn routes(shared: Shared) -> Router {
    let mut router = Router::new()
        .route("/oauth-v1/auth", get(consent))
        .route("/oauth-v1/token", post(token))
        .route("/oauth-v1/revoke", post(revoke));
    for operation in operations() {
        let method = match operation.method {
            "GET" => MethodFilter::GET,
            "POST" => MethodFilter::POST,
            "PUT" => MethodFilter::PUT,
            _ => MethodFilter::DELETE,
        };
        let handler = move |state, params, query, request| call(state, operation, params, query, request);
        // A trailing slash makes no difference (`apis/fortnox.md` 2.1).
        router = router
            .route(operation.path, on(method, handler))
            .route(&format!("{}/", operation.path), on(method, handler));
    }
    router.with_state(shared)
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        customers::OPERATIONS,
        orders::OPERATIONS,
        invoices::OPERATIONS,
        payments::OPERATIONS,
        vouchers::OPERATIONS,
        articles::OPERATIONS,
        registers::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

async fn call(
    State(shared): State<Shared>,
    operation: &'static Operation,
    params: RawPathParams,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return page(413, "<html><body><h1>413 Request Entity Too Large</h1></body></html>");
    };
    let body = if parts.method == Method::GET { Vec::new() } else { body.to_vec() };
    let mut world = shared.world();
    let call = Call {
        params: params.iter().map(|(_, value)| value.to_owned()).collect(),
        query,
        body,
        now: shared.clock.now(),
        zone: world.zone.time_zone(),
    };
    world.answer(operation, &parts.headers, &call)
}

async fn consent(
    State(shared): State<Shared>,
    Query(asked): Query<oauth::Consent>,
    RawQuery(query): RawQuery,
) -> Response {
    let now = shared.clock.now();
    oauth::consent(&mut shared.world(), &asked, &query.unwrap_or_default(), now)
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<oauth::TokenForm>,
) -> Response {
    let now = shared.clock.now();
    oauth::token(&mut shared.world(), &headers, &form, now)
}

async fn revoke(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<oauth::RevokeForm>,
) -> Response {
    oauth::revoke(&mut shared.world(), &headers, &form)
}

#[cfg(test)]
mod tests;
