//! Connections as people see them: list, enter, check, refresh, disconnect. No answer ever holds a secret.

mod entry;
mod sync;
mod view;

use std::collections::BTreeMap;

use bokbro_domain::ids::{CorrelationId, Provider, TenantId};
use bokbro_domain::said;
use bokbro_domain::said::Said;

use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::{Error, chain};
use crate::orders::Refusal;
use crate::ports::Findings;
use crate::records::{Connection, ConnectionState, Endpoint};
use crate::resume::connection_resume;
use crate::token_entry::TokenEntry;
use crate::tokens::refresh_token;
use crate::webhooks::{Ingress, Intake, webhook_handshake};
pub use entry::{EntryRefusal, connection_enter};
pub use sync::{Asked, connection_reading, connection_sync};
pub(crate) use view::days_left;
pub use view::{ConnectionView, ShownState, connections_list};

/// Setting of every connection that came by a consent: the company, as the provider numbers companies.
pub const COMPANY: &str = "company";
/// Setting with the company's or merchant's name, as the last check found it.
pub const COMPANY_NAME: &str = "company_name";
/// Setting that changes whenever the secrets do, so that every worker opens the connection anew: the time of it.
pub const CONNECTED_AT: &str = "connected_at";
/// Setting with the name of the connection's webhook endpoint.
pub const WEBHOOK_ENDPOINT: &str = "webhook_endpoint";
/// What a check-up calls the key that answers the webhook's handshake.
const WEBHOOK_KEY: &str = "webhook_key";
/// What a check-up calls the SHA-256 of the secret that the webhook's deliveries carry.
pub const WEBHOOK_TOKEN: &str = "webhook_token_sha256";

/// How a webhook endpoint and its provider know each other.
enum Proof<'a> {
    /// The endpoint answers the handshake with this key.
    Handshake(&'a str),
    /// Deliveries carry the secret with this SHA-256.
    Token(&'a str),
}

/// What a check of a connection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether the connection works.
    pub healthy: bool,
    /// Company or merchant name.
    pub name: Option<String>,
    /// More that people want to know, by its API name.
    pub details: BTreeMap<String, String>,
    /// What is wrong and what to do, for people.
    pub message: Option<Said>,
}

/// Asks the provider whether a connection works. One that works again sets going what waited for it.
///
/// # Errors
/// `NotFound` without a connection; `Failed` with `Unavailable` when the provider does not answer.
pub async fn connection_health(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<Health, Refusal> {
    let connection = connected(app, tenant, provider).await?;
    let had_ended = app.token_states.token_state(tenant, provider).await?.ended.is_some();
    match check(app, &connection, had_ended).await {
        Ok(findings) => {
            let state = app.token_states.token_state(tenant, provider).await?;
            let mut healed = connection.clone();
            healed.state = ConnectionState::Healthy;
            if let Some(name) = &findings.name {
                healed.settings.insert(COMPANY_NAME.to_owned(), name.clone());
            }
            let mut details = findings.details.clone();
            if let Some(key) = findings.settings.get(WEBHOOK_KEY) {
                let webhook = webhook_check(app, &mut healed, key).await?;
                details.insert("webhook".to_owned(), webhook.to_owned());
            }
            if let Some(token) = findings.settings.get(WEBHOOK_TOKEN) {
                entry::webhook_endpoint(app, &mut healed, &Proof::Token(token)).await?;
            }
            details.extend(state.refreshed_at.map(|at| ("refreshed_at".to_owned(), at.to_string())));
            let days = days_left(app, &healed, &state);
            details.extend(days.map(|days| ("consent_days_left".to_owned(), days.to_string())));
            if healed != connection {
                app.directory.connection_put(&healed).await?;
            }
            if connection.state == ConnectionState::NeedsConsent || had_ended {
                connection_resume(app, tenant, provider, correlation).await?;
            }
            Ok(Health { healthy: true, name: findings.name, details, message: None })
        }
        Err(Error::Consent { message, .. }) => {
            tracing::warn!(%tenant, %provider, %correlation, "connection is not healthy");
            let name = connection.settings.get(COMPANY_NAME).cloned();
            Ok(Health { healthy: false, name, details: BTreeMap::new(), message: Some(message) })
        }
        Err(other) => Err(other.into()),
    }
}

async fn check(app: &App, connection: &Connection, had_ended: bool) -> Result<Findings, Error> {
    if had_ended {
        // It may be mended by now. Only the token endpoint knows, and workers ask it no more before somebody else has.
        app.access.refresh(connection.clone()).await?;
    }
    let Some(checkup) = app.providers.checkup(&connection.provider) else {
        return Err(Error::park("no_check", said!("parked-no-check", "this provider has nothing to check")));
    };
    checkup.check(&app.access.open(connection.clone()).await?).await
}

/// Keeps the endpoint's key as the provider has it, and asks the endpoint as the provider does.
async fn webhook_check(app: &App, connection: &mut Connection, key: &str) -> Result<&'static str, Error> {
    let endpoint = entry::webhook_endpoint(app, connection, &Proof::Handshake(key)).await?;
    let ingress = webhook_handshake(&Intake::of(app), &connection.provider, &endpoint.name).await;
    let expected = app.providers.webhooks(&connection.provider).map(|webhooks| webhooks.handshake(key));
    Ok(match ingress {
        Ingress::Handshake(answer) if Some(&answer) == expected.as_ref() => "answers",
        _ => "does not answer",
    })
}

/// What a refresh on demand did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Whether there is a new access token.
    pub refreshed: bool,
    /// Whether there is a new refresh token too.
    pub rotated: bool,
    /// Why there is none, for people.
    pub message: Option<Said>,
}

/// Fetches a new access token now. A connection that had ended and works again sets going what waited for it.
///
/// # Errors
/// `NotFound` without a connection; `Failed` with `Unavailable` when the provider does not answer.
pub async fn connection_refresh(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    correlation: &CorrelationId,
) -> Result<Refreshed, Refusal> {
    let connection = connected(app, tenant, provider).await?;
    let before = app.token_states.token_state(tenant, provider).await?;
    let paused = connection.state == ConnectionState::NeedsConsent;
    match app.access.refresh(connection).await {
        Ok(forced) => {
            tracing::info!(%tenant, %provider, %correlation, rotated = forced.rotated, "refreshed on demand");
            if paused {
                // A token is not yet a way in: the check tells, and sets going what waited.
                connection_health(app, tenant, provider, correlation).await?;
            } else if before.ended.is_some() {
                connection_resume(app, tenant, provider, correlation).await?;
            }
            Ok(Refreshed { refreshed: true, rotated: forced.rotated, message: None })
        }
        Err(Error::Consent { message, .. }) => {
            tracing::warn!(%tenant, %provider, %correlation, "refresh refused");
            Ok(Refreshed { refreshed: false, rotated: false, message: Some(message) })
        }
        Err(other) => Err(other.into()),
    }
}

/// What disconnecting did besides deleting the secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// The provider took the refresh token back.
    Yes,
    /// There was none to take back.
    NothingToRevoke,
    /// The provider did not take it back: take the consent away there by hand.
    No,
}

/// Disconnects: the provider takes the refresh token back, the secrets are deleted, settings and history stay. Again is
/// the same.
///
/// # Errors
/// `NotFound` without a connection; `Failed` when our own storage fails: nothing is lost by trying again.
pub async fn connection_disconnect(app: &App, by: By<'_>, provider: &Provider) -> Result<Revoked, Refusal> {
    let By { tenant, correlation, .. } = by;
    let mut connection = stored(app, tenant, provider).await?;
    // First of all, so that no worker opens it any more.
    connection.state = ConnectionState::Disconnected;
    app.directory.connection_put(&connection).await?;
    let entry = TokenEntry::begin(app, tenant, provider).await?;
    let revoked = revoke(app, &connection, &entry).await;
    match entry.delete().await {
        Ok(state) => entry.finish(&state).await?,
        Err(error) => {
            entry.abandon().await;
            return Err(error.into());
        }
    }
    tracing::info!(%tenant, %provider, %correlation, ?revoked, "disconnected");
    audit_add(app, by, "connection_disconnected", provider.as_str(), Changed::default()).await?;
    Ok(revoked)
}

async fn revoke(app: &App, connection: &Connection, entry: &TokenEntry<'_>) -> Revoked {
    let secrets = entry.secrets();
    let (Some(token), Some(oauth)) = (refresh_token(&secrets), app.providers.oauth(&connection.provider))
    else {
        return Revoked::NothingToRevoke;
    };
    let credentials = match app.providers.tokens(&connection.provider) {
        Some(endpoint) => app.access.app_credentials(&connection.provider, &*endpoint).await,
        None => Ok(crate::secret::Credentials::default()),
    };
    let revoked = match credentials {
        Ok(credentials) => oauth.revoke(&credentials, token).await,
        Err(error) => Err(error),
    };
    match revoked {
        Ok(()) => Revoked::Yes,
        Err(error) => {
            tracing::warn!(provider = %connection.provider, error = chain(&error), "not revoked");
            Revoked::No
        }
    }
}

/// A connection, disconnected or not.
async fn stored(app: &App, tenant: &TenantId, provider: &Provider) -> Result<Connection, Refusal> {
    app.directory.connection_get(tenant, provider).await?.ok_or(Refusal::NotFound("connection"))
}

/// A connection that is not disconnected.
async fn connected(app: &App, tenant: &TenantId, provider: &Provider) -> Result<Connection, Refusal> {
    let connection = stored(app, tenant, provider).await?;
    if connection.state == ConnectionState::Disconnected {
        return Err(Refusal::Conflict {
            code: "disconnected",
            field: None,
            message: said!(
                "conflict-disconnected",
                "This connection was disconnected. Connect it again first."
            ),
        });
    }
    Ok(connection)
}

/// The endpoint of a connection's webhooks, when it has one.
async fn endpoint_of(app: &App, connection: &Connection) -> Result<Option<Endpoint>, Error> {
    match connection.settings.get(WEBHOOK_ENDPOINT) {
        Some(name) => app.endpoints.endpoint_get(name).await,
        None => Ok(None),
    }
}
