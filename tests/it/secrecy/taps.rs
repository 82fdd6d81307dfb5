//! Taps on what a world sends and says.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bokbro_app::error::Error;
use bokbro_app::message::Envelope;
use bokbro_app::ports::{QueueName, Queues};
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Transport, Wire};
use bokbro_runtime::telemetry::{Lines, Speaker};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Text that several threads write to.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Captures everything that any library says, as functions write it but far beyond the level that they are started with.
/// One process runs one test, so this subscriber is nobody else's.
pub(crate) fn capture_logs() -> Shared {
    let logs = Shared::default();
    let writer = logs.clone();
    let speaker =
        Speaker { function: "accounting", stage: "dev".to_owned(), function_version: "$LATEST".to_owned() };
    tracing_subscriber::registry().with(Lines::new(speaker, move || writer.clone())).init();
    logs
}

/// Sends for real and remembers every secret that goes over the wire, either way.
pub(super) struct Eavesdropper {
    transport: Transport,
    secrets: Mutex<BTreeSet<String>>,
}

impl Eavesdropper {
    pub(super) fn new() -> Self {
        Self { transport: Transport::new().unwrap(), secrets: Mutex::default() }
    }

    /// Every password, in both forms, and every token so far.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap().clone()
    }
}

#[async_trait]
impl Wire for Eavesdropper {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let result = self.transport.exchange(request, authorization).await;
        let mut secrets = self.secrets.lock().unwrap();
        match authorization {
            Authorization::None => {}
            Authorization::Basic(user, password) => {
                secrets.insert(password.expose().to_owned());
                secrets.insert(STANDARD.encode(format!("{user}:{}", password.expose())));
            }
            Authorization::Bearer(token) => drop(secrets.insert(token.expose().to_owned())),
        }
        let told = result.as_ref().ok().and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok());
        for name in ["access_token", "refresh_token"] {
            secrets.extend(told.as_ref().and_then(|told| told[name].as_str().map(str::to_owned)));
        }
        result
    }
}

/// Queues that keep a copy of every message, and send it to real queues as well where there are some.
pub(super) struct Tapped {
    /// Where workers receive.
    pub(super) queues: Arc<dyn Queues>,
    /// Where nobody receives.
    pub(super) real: Option<Arc<dyn Queues>>,
    pub(super) copies: Shared,
}

#[async_trait]
impl Queues for Tapped {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.copies.clone().write_all(message.to_json().as_bytes()).unwrap();
        if let Some(real) = &self.real {
            real.queue_send(queue, message).await?;
        }
        self.queues.queue_send(queue, message).await
    }

    async fn queue_send_later(
        &self,
        queue: QueueName,
        message: &Envelope,
        after: Duration,
    ) -> Result<(), Error> {
        self.copies.clone().write_all(message.to_json().as_bytes()).unwrap();
        if let Some(real) = &self.real {
            real.queue_send_later(queue, message, after).await?;
        }
        self.queues.queue_send_later(queue, message, after).await
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        for message in messages {
            self.queue_send(queue, message).await?;
        }
        Ok(())
    }

    async fn queue_give_back(&self, queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        self.queues.queue_give_back(queue, receipt, after).await
    }

    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error> {
        self.queues.queue_waiting(queue).await
    }
}
