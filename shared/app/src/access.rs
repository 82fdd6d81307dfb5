//! Ways in at the providers: reads a connection's secrets and keeps its access token while it is fresh.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::{Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::ports::{Access, Clock, Providers, TokenEndpoint, Tokens, Vault};
use crate::records::Connection;
use crate::secret::{Credentials, SecretText};

/// A token is used only while it is good for this much longer.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// Secrets and tokens stay in memory at most this long.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// Opens connections; one per process, so that warm invocations share credentials and tokens.
pub struct AccessDesk {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    providers: Arc<dyn Providers>,
    open: Mutex<HashMap<(TenantId, Provider), Opened>>,
}

struct Opened {
    credentials: Arc<Credentials>,
    tokens: Arc<dyn Tokens>,
    /// The connection as it was when opened; with other settings it is opened anew.
    connection: Arc<Connection>,
    opened_at: Timestamp,
}

impl AccessDesk {
    pub(crate) fn new(vault: Arc<dyn Vault>, clock: Arc<dyn Clock>, providers: Arc<dyn Providers>) -> Self {
        Self { vault, clock, providers, open: Mutex::new(HashMap::new()) }
    }

    /// A way in at the connection's provider.
    ///
    /// # Errors
    /// `Consent` when the connection has no secrets, `Storage` when the vault fails.
    pub async fn open(&self, connection: Connection) -> Result<Access, Error> {
        let key = (connection.tenant.clone(), connection.provider.clone());
        let now = self.clock.now();
        let mut open = self.open.lock().await;
        if let Some(opened) = open.get(&key)
            && opened.connection.settings == connection.settings
            && now.duration_since(opened.opened_at) < MEMORY
        {
            return Ok(opened.access());
        }
        let opened = self.open_anew(Arc::new(connection), now).await?;
        let access = opened.access();
        open.insert(key, opened);
        Ok(access)
    }

    async fn open_anew(&self, connection: Arc<Connection>, now: Timestamp) -> Result<Opened, Error> {
        let consent = |message: &str| Error::Consent {
            provider: connection.provider.to_string(),
            message: message.to_owned(),
        };
        let endpoint = self
            .providers
            .tokens(&connection.provider)
            .ok_or_else(|| consent("this build does not know the provider; check the tenant's settings"))?;
        let name = format!("connections/{}/{}", connection.tenant, connection.provider);
        let own = self.vault.secret_get(&name).await?.unwrap_or_default();
        let app = match endpoint.app_secret() {
            Some(name) => {
                let app = self.vault.secret_get(name).await?;
                app.ok_or_else(|| consent("the app's own credentials are not in the vault"))?
            }
            None => Credentials::default(),
        };
        let credentials = Arc::new(own);
        let tokens = Arc::new(MemoryTokens {
            connection: connection.clone(),
            app,
            own: credentials.clone(),
            endpoint,
            clock: self.clock.clone(),
            held: Mutex::new(None),
        });
        Ok(Opened { credentials, tokens, connection, opened_at: now })
    }
}

impl Opened {
    fn access(&self) -> Access {
        Access {
            connection: self.connection.clone(),
            credentials: self.credentials.clone(),
            tokens: self.tokens.clone(),
        }
    }
}

/// Access tokens by client credentials, kept in memory: there is no refresh token to lose, so nothing needs storing.
struct MemoryTokens {
    connection: Arc<Connection>,
    app: Credentials,
    own: Arc<Credentials>,
    endpoint: Arc<dyn TokenEndpoint>,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<HeldToken>>,
}

struct HeldToken {
    token: SecretText,
    good_until: Timestamp,
}

#[async_trait]
impl Tokens for MemoryTokens {
    async fn token(&self) -> Result<SecretText, Error> {
        // The lock is held over the call on purpose: workers of this process that want the same token wait for it.
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref()
            && self.clock.now() < held.good_until
        {
            return Ok(held.token.clone());
        }
        let grant = self.endpoint.client_credentials(&self.connection, &self.app, &self.own).await?;
        let good_until = good_until(self.clock.now(), grant.expires_in);
        *held = Some(HeldToken { token: grant.access_token.clone(), good_until });
        Ok(grant.access_token)
    }

    async fn refused(&self, token: &SecretText) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|h| h.token.expose() == token.expose()) {
            *held = None;
        }
    }
}

/// Until when a token may be used: short of its end, but never less than half its life.
fn good_until(now: Timestamp, expires_in: Duration) -> Timestamp {
    let life = SignedDuration::try_from(expires_in).unwrap_or(SignedDuration::ZERO);
    let use_for = (life - MARGIN).max(life / 2);
    now.saturating_add(use_for).unwrap_or(Timestamp::MAX)
}
