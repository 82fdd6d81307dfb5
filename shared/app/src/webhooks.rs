//! Webhook ingress: a delivery becomes durable in a queue with one send, and nothing else happens here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bokbro_domain::ids::{CorrelationId, Provider};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::error::Error;
use crate::message::{Envelope, Nudge, Unreadable};
use crate::metrics;
use crate::ports::{Clock, Endpoints, QueueName, Queues, Senders};
use crate::records::Endpoint;
use crate::stamp::Stamps;

/// Largest body that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;
/// How long an endpoint stays in memory.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// What it takes to take deliveries. It is much less than an [`App`], so the function that does nothing else is small and
/// starts fast.
pub struct Intake {
    endpoints: Arc<dyn Endpoints>,
    senders: Arc<dyn Senders>,
    queues: Arc<dyn Queues>,
    clock: Arc<dyn Clock>,
    stamps: Stamps,
    /// Endpoints that this process has seen lately; unknown names are never kept, so nobody can fill it.
    seen: Mutex<HashMap<String, (Endpoint, Timestamp)>>,
}

impl Intake {
    /// Puts the ports together.
    #[must_use]
    pub fn new(
        endpoints: Arc<dyn Endpoints>,
        senders: Arc<dyn Senders>,
        queues: Arc<dyn Queues>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { endpoints, senders, queues, clock, stamps: Stamps::default(), seen: Mutex::default() }
    }

    /// Over the ports of an app.
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self::new(app.endpoints.clone(), app.providers.clone(), app.queues.clone(), app.clock.clone())
    }

    /// A new id that ties together what one delivery sets in motion.
    #[must_use]
    pub fn correlation(&self) -> CorrelationId {
        CorrelationId::from_ulid(self.stamps.ulid(&*self.clock))
    }

    /// What time it is.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The header in which a provider's deliveries about parcels carry their secret, when it sends any.
    #[must_use]
    pub fn token_header(&self, provider: &Provider) -> Option<&'static str> {
        Some(self.senders.parcel_webhooks(provider)?.token_header())
    }

    async fn endpoint(&self, provider: &Provider, name: &str) -> Result<Option<Endpoint>, Error> {
        let now = self.clock.now();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let found = match seen {
            Some((endpoint, at)) if now.duration_since(at) < MEMORY => Some(endpoint),
            _ => {
                let found = self.endpoints.endpoint_get(name).await?;
                if let Some(endpoint) = &found {
                    let seen = (endpoint.clone(), now);
                    self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), seen);
                }
                found
            }
        };
        let found = found.filter(|endpoint| endpoint.provider == *provider);
        if let Some(endpoint) = &found {
            tracing::Span::current().record("tenant", tracing::field::display(&endpoint.tenant));
        }
        Ok(found)
    }
}

/// What to answer.
#[derive(Debug)]
pub enum Ingress {
    /// The event is durable.
    Accepted,
    /// Answer of the handshake, as JSON text.
    Handshake(String),
    /// No such endpoint.
    UnknownEndpoint,
    /// The delivery does not carry the endpoint's secret.
    NotTheirs,
    /// The body is larger than [`MAX_BODY`].
    TooLarge,
    /// The body is not an event of the provider.
    NotAnEvent(Unreadable),
    /// The event could not be made durable; the sender must try again.
    Failed(Error),
}

/// Answers a provider that asks whether the address is ours.
pub async fn webhook_handshake(intake: &Intake, provider: &Provider, name: &str) -> Ingress {
    match intake.endpoint(provider, name).await {
        Ok(Some(endpoint)) => match intake.senders.webhooks(provider) {
            Some(webhooks) => Ingress::Handshake(webhooks.handshake(&endpoint.handshake_key)),
            None => Ingress::UnknownEndpoint,
        },
        Ok(None) => Ingress::UnknownEndpoint,
        Err(error) => Ingress::Failed(error),
    }
}

/// Takes a delivery: reads it, and answers well only once it is durable.
pub async fn webhook_receive(
    intake: &Intake,
    provider: &Provider,
    name: &str,
    body: &[u8],
    correlation: &CorrelationId,
) -> Ingress {
    let endpoint = match intake.endpoint(provider, name).await {
        Ok(Some(endpoint)) => endpoint,
        Ok(None) => return Ingress::UnknownEndpoint,
        Err(error) => return Ingress::Failed(error),
    };
    if body.len() > MAX_BODY {
        return Ingress::TooLarge;
    }
    let Some(webhooks) = intake.senders.webhooks(provider) else { return Ingress::UnknownEndpoint };
    let hint = match webhooks.parse(body) {
        Ok(hint) => hint,
        Err(unreadable) => return Ingress::NotAnEvent(unreadable),
    };
    let (tenant, event_type, transaction) =
        (endpoint.tenant.clone(), hint.event_type, hint.transaction.clone());
    let message =
        Envelope::new(endpoint.tenant, correlation.clone(), intake.clock.now(), Nudge::Payment(hint));
    if let Err(error) = intake.queues.queue_send(QueueName::Payments, &message).await {
        return Ingress::Failed(error);
    }
    tracing::info!(
        %tenant,
        %correlation,
        %provider,
        event_type,
        transaction = transaction.as_ref().map(tracing::field::display),
        { metrics::WEBHOOKS } = 1,
        "webhook received"
    );
    Ingress::Accepted
}

/// Takes a delivery about a parcel: only with the endpoint's secret, and answers well only once it is durable.
pub async fn parcel_webhook_receive(
    intake: &Intake,
    provider: &Provider,
    name: &str,
    token: Option<&str>,
    body: &[u8],
    correlation: &CorrelationId,
) -> Ingress {
    let endpoint = match intake.endpoint(provider, name).await {
        Ok(Some(endpoint)) => endpoint,
        Ok(None) => return Ingress::UnknownEndpoint,
        Err(error) => return Ingress::Failed(error),
    };
    let Some(webhooks) = intake.senders.parcel_webhooks(provider) else { return Ingress::UnknownEndpoint };
    if !token_fits(endpoint.token_sha256.as_deref(), token) {
        return Ingress::NotTheirs;
    }
    if body.len() > MAX_BODY {
        return Ingress::TooLarge;
    }
    let hint = match webhooks.parse(body) {
        Ok(hint) => hint,
        Err(unreadable) => return Ingress::NotAnEvent(unreadable),
    };
    let (tenant, parcel_status) = (endpoint.tenant.clone(), hint.status);
    let message =
        Envelope::new(endpoint.tenant, correlation.clone(), intake.clock.now(), Nudge::Parcel(hint));
    if let Err(error) = intake.queues.queue_send(QueueName::Warehouse, &message).await {
        return Ingress::Failed(error);
    }
    tracing::info!(
        %tenant,
        %correlation,
        %provider,
        parcel_status,
        { metrics::WEBHOOKS } = 1,
        "webhook about a parcel received"
    );
    Ingress::Accepted
}

/// SHA-256 of a webhook's secret in lower-case hex, which is all that is stored of it outside the vault.
#[must_use]
pub fn token_sha256(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compared in constant time. An endpoint without a secret takes nothing: anybody could send to it.
fn token_fits(wanted: Option<&str>, sent: Option<&str>) -> bool {
    let (Some(wanted), Some(sent)) = (wanted, sent) else { return false };
    bool::from(wanted.as_bytes().ct_eq(token_sha256(sent).as_bytes()))
}
