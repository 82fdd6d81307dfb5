//! Credentials and settings that people enter: checked at the provider first, then stored, never shown again.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bokbro_domain::ids::Provider;
use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use bokbro_domain::said::Said;
use serde_json::json;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::view::{ConnectionView, view};
use super::{
    COMPANY, COMPANY_NAME, CONNECTED_AT, Proof, WEBHOOK_ENDPOINT, WEBHOOK_KEY, WEBHOOK_TOKEN, endpoint_of,
};
use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::Error;
use crate::orders::Refusal;
use crate::ports::{Access, EntryField, Findings, GrantKind, TokenEndpoint, Tokens};
use crate::records::{Connection, ConnectionState, Endpoint};
use crate::resume::connection_resume;
use crate::secret::{Credentials, SecretText};
use crate::token_entry::TokenEntry;
use crate::tokens::refresh_token;

/// Longest entered value, in characters.
const VALUE_MAX: usize = 2_000;

/// Why an entry is refused.
#[derive(Debug)]
pub enum EntryRefusal {
    /// As other requests are.
    Refusal(Refusal),
    /// The provider does not let these credentials in; nothing was stored.
    NotLetIn {
        /// What the provider refused and what to do.
        message: Said,
    },
}

impl<E: Into<Refusal>> From<E> for EntryRefusal {
    fn from(error: E) -> Self {
        Self::Refusal(error.into())
    }
}

/// What was entered, sorted by where it goes.
struct Entered {
    settings: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretText>,
}

/// Takes a JSON object of the provider's entry fields. Required fields must be in it; optional ones that are not stay as
/// they are.
///
/// # Errors
/// `Invalid` with the field named, `NotLetIn` when the provider refuses, `Failed` when it or our storage fails. Nothing is
/// stored then.
pub async fn connection_enter(
    app: &App,
    by: By<'_>,
    provider: &Provider,
    body: &[u8],
) -> Result<ConnectionView, EntryRefusal> {
    let By { tenant, correlation, .. } = by;
    let fields = app.providers.entry_fields(provider).ok_or(Refusal::NotFound("provider"))?;
    let entered = read(fields, body).map_err(Refusal::Invalid)?;
    let names: Vec<String> = entered.settings.keys().chain(entered.secrets.keys()).cloned().collect();
    let known = app.directory.connection_get(tenant, provider).await?;
    let mut connection = known.clone().unwrap_or_else(|| Connection {
        tenant: tenant.clone(),
        provider: provider.clone(),
        state: ConnectionState::Unchecked,
        settings: BTreeMap::new(),
        chart: None,
    });
    same_company(&connection, &entered)?;
    connection.settings.extend(entered.settings);
    connection.settings.insert(CONNECTED_AT.to_owned(), app.clock.now().to_string());
    connection.state = ConnectionState::Unchecked;
    connection.chart = None;

    let entry = TokenEntry::begin(app, tenant, provider).await?;
    let secrets =
        entered.secrets.into_iter().fold(entry.secrets(), |all, (name, value)| all.with(&name, value));
    let stored = async {
        if let Some(findings) = try_out(app, &connection, &secrets).await? {
            connection.state = ConnectionState::Healthy;
            if let Some(name) = findings.name {
                connection.settings.insert(COMPANY_NAME.to_owned(), name);
            }
            if let Some(key) = findings.settings.get(WEBHOOK_KEY) {
                webhook_endpoint(app, &mut connection, &Proof::Handshake(key)).await?;
            }
            if let Some(token) = findings.settings.get(WEBHOOK_TOKEN) {
                webhook_endpoint(app, &mut connection, &Proof::Token(token)).await?;
            }
            let proofs = [WEBHOOK_KEY, WEBHOOK_TOKEN];
            let settings = findings.settings.into_iter().filter(|(name, _)| !proofs.contains(&name.as_str()));
            connection.settings.extend(settings);
        }
        let state = entry.store(secrets, None).await?;
        app.directory.connection_put(&connection).await?;
        Ok(state)
    };
    let state = match stored.await {
        Ok(state) => {
            entry.finish(&state).await?;
            state
        }
        Err(error) => {
            entry.abandon().await;
            return Err(match error {
                Error::Consent { message, .. } => EntryRefusal::NotLetIn { message },
                other => other.into(),
            });
        }
    };
    tracing::info!(%tenant, %provider, %correlation, "connection entered");
    let changed = Changed { after: Some(json!({ "fields": names })), ..Changed::default() };
    audit_add(app, by, "connection_entered", provider.as_str(), changed).await?;
    connection_resume(app, tenant, provider, correlation).await?;
    Ok(view(app, provider.clone(), Some(connection), &state))
}

fn read(fields: &[EntryField], body: &[u8]) -> Result<Entered, FieldError> {
    // Errors of the parser may quote the body, which holds secrets: they are not passed on.
    let given: BTreeMap<String, serde_json::Value> = serde_json::from_slice(body)
        .map_err(|_| FieldError::new("body", said!("field-no-texts", "must be a JSON object of texts")))?;
    let mut entered = Entered { settings: BTreeMap::new(), secrets: BTreeMap::new() };
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let known = known.join(", ");
            let message = said!("field-no-entry-field", "is not a field; fields are {known}", known);
            return Err(FieldError::new(name, message));
        };
        let serde_json::Value::String(value) = value else {
            return Err(FieldError::new(field.name, said!("field-not-a-text", "must be a text")));
        };
        let plain = !value.trim().is_empty() && !value.chars().any(char::is_control);
        if !plain || value.chars().count() > VALUE_MAX {
            let message = said!(
                "field-entry-text",
                "must be 1 to {most} characters without line breaks",
                most = VALUE_MAX
            );
            return Err(FieldError::new(field.name, message));
        }
        if field.secret {
            entered.secrets.insert(name, SecretText::new(value));
        } else {
            entered.settings.insert(name, value.trim().to_owned());
        }
    }
    let missing = fields.iter().find(|field| {
        field.required
            && !entered.settings.contains_key(field.name)
            && !entered.secrets.contains_key(field.name)
    });
    match missing {
        Some(field) => Err(FieldError::new(field.name, said!("field-missing", "is missing"))),
        None => Ok(entered),
    }
}

/// A company that consented is not exchanged for another by typing: the other one may never have consented to this tenant.
fn same_company(connection: &Connection, entered: &Entered) -> Result<(), Refusal> {
    let Some(company) = connection.settings.get(COMPANY) else { return Ok(()) };
    for (name, value) in &entered.settings {
        if connection.settings.get(name) == Some(company) && value != company {
            let message = said!(
                "field-another-company",
                "The connection is another company's. Disconnect it and give consent for that company."
            );
            return Err(Refusal::Invalid(FieldError::new(name.clone(), message)));
        }
    }
    Ok(())
}

/// Asks the provider with what was entered before any of it is stored; `None` when only a consent can tell.
async fn try_out(
    app: &App,
    connection: &Connection,
    secrets: &Credentials,
) -> Result<Option<Findings>, Error> {
    let provider = &connection.provider;
    let (Some(checkup), Some(endpoint)) = (app.providers.checkup(provider), app.providers.tokens(provider))
    else {
        return Ok(None);
    };
    if endpoint.grant_kind(connection) == GrantKind::RefreshToken {
        // Trying would use the refresh token up, which only the token protocol may do.
        let message = "it has a refresh token; the next check tells whether it works";
        tracing::info!(%provider, consented = refresh_token(secrets).is_some(), message);
        return Ok(None);
    }
    let own_app = app.access.app_credentials(provider, &*endpoint).await?;
    let tokens = Trial {
        connection: connection.clone(),
        app: own_app.clone(),
        own: secrets.clone(),
        endpoint,
        token: Mutex::new(None),
    };
    let stored = Arc::new(connection.clone());
    let access = Access {
        connection: stored.clone(),
        credentials: Arc::new(secrets.clone()),
        tokens: Arc::new(tokens),
        pace: app.access.pace(stored, Arc::new(own_app)),
        deadline: None,
    };
    checkup.check(&access).await.map(Some)
}

/// Tokens of a connection that is not stored yet.
struct Trial {
    connection: Connection,
    app: Credentials,
    own: Credentials,
    endpoint: Arc<dyn TokenEndpoint>,
    token: Mutex<Option<SecretText>>,
}

#[async_trait]
impl Tokens for Trial {
    async fn token(&self) -> Result<SecretText, Error> {
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept {
            return Ok(token.clone());
        }
        let grant = self.endpoint.client_credentials(&self.connection, &self.app, &self.own).await?;
        *kept = Some(grant.access_token.clone());
        Ok(grant.access_token)
    }

    async fn refused(&self, _token: &SecretText) {
        *self.token.lock().await = None;
    }
}

/// The connection's webhook endpoint with this proof: the one it has, or a new one under a name that nobody can guess.
pub(super) async fn webhook_endpoint(
    app: &App,
    connection: &mut Connection,
    proof: &Proof<'_>,
) -> Result<Endpoint, Error> {
    let (key, token) = match proof {
        Proof::Handshake(key) => ((*key).to_owned(), None),
        Proof::Token(token) => (String::new(), Some((*token).to_owned())),
    };
    let known = endpoint_of(app, connection).await?;
    if let Some(endpoint) = &known
        && endpoint.handshake_key == key
        && endpoint.token_sha256 == token
    {
        return Ok(endpoint.clone());
    }
    let name = known.map(|endpoint| endpoint.name);
    let endpoint = Endpoint {
        name: name.unwrap_or_else(|| format!("wh_{}", Uuid::new_v4().simple())),
        tenant: connection.tenant.clone(),
        provider: connection.provider.clone(),
        handshake_key: key,
        token_sha256: token,
    };
    app.directory.endpoint_put(&endpoint).await?;
    connection.settings.insert(WEBHOOK_ENDPOINT.to_owned(), endpoint.name.clone());
    Ok(endpoint)
}
