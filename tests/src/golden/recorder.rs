//! The wire between the connectors and the simulators: notes what is written to the ledger program, and keeps the
//! simulators' clocks with the world's.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::Clock as _;
use bokbro_connectors::kit::{Answer, Authorization, Body, NoAnswer, Request, Transport, Wire};
use bokbro_simulators::kit::Clock;

use super::json::Json;
use super::names::Names;

/// Sends over a real transport and writes down.
pub(super) struct Recorder {
    transport: Transport,
    /// Where the ledger program is.
    ledger: String,
    simulators: Vec<Clock>,
    clock: OnceLock<Arc<ManualClock>>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    sent: Vec<Json>,
    names: Names,
}

impl Recorder {
    pub(super) fn new(transport: Transport, ledger: &str, simulators: Vec<Clock>) -> Self {
        let ledger = ledger.to_owned();
        Self { transport, ledger, simulators, clock: OnceLock::new(), noted: Mutex::default() }
    }

    /// The clock of the world that sends over this wire. The simulators follow it.
    pub(super) fn follow(&self, clock: Arc<ManualClock>) {
        self.clock.set(clock).ok();
        self.tick();
    }

    /// Sets the simulators' clocks.
    pub(super) fn tick(&self) {
        let Some(clock) = self.clock.get() else { return };
        for simulator in &self.simulators {
            simulator.set(clock.now());
        }
    }

    /// What was written so far, with the ids of the ledger program as they are.
    pub(super) fn sent(&self) -> Vec<Json> {
        self.noted().sent.clone()
    }

    /// Does something with the names of ids.
    pub(super) fn with_names<T>(&self, with: impl FnOnce(&mut Names) -> T) -> T {
        with(&mut self.noted().names)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request as the golden files show it; `None` for those that only ask, and for tokens.
fn shown(request: &Request) -> Option<Json> {
    let body = match &request.body {
        _ if request.method == "GET" => return None,
        Body::Form(_) => return None,
        Body::None => None,
        Body::Json(text) => Some(Json::parse(text).unwrap()),
    };
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let line = format!("{} {}{query}", request.method, request.path);
    let mut members =
        vec![("step".to_owned(), Json::text(request.operation)), ("request".to_owned(), Json::text(&line))];
    members.extend(body.map(|body| ("body".to_owned(), body)));
    Some(Json::Object(members))
}

#[async_trait]
impl Wire for Recorder {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        self.tick();
        let answer = self.transport.exchange(request, authorization).await?;
        if request.base == self.ledger {
            let mut noted = self.noted();
            noted.sent.extend(shown(request));
            noted.names.learn(&request.path, &answer.body);
        }
        Ok(answer)
    }
}
