//! Ways in at the providers: reads a connection's secrets and opens its tokens, once per process.

use std::collections::HashMap;
use std::sync::Arc;

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::said;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::limits::{Limiters, Meter};
use crate::ports::{
    Access, Clock, CrashPoints, Pace, Providers, TokenEndpoint, TokenStates, Vault, unlimited,
};
use crate::records::{Connection, ConnectionState};
use crate::secret::Credentials;
use crate::tokens::{Forced, LeasedTokens, TokenMemory};

/// Entered secrets stay in memory at most this long.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// Name in the vault of a connection's secrets.
#[must_use]
pub fn secret_name(tenant: &TenantId, provider: &Provider) -> String {
    format!("connections/{tenant}/{provider}")
}

/// Opens connections; one per process, so that warm invocations share credentials and tokens.
pub struct AccessDesk {
    vault: Arc<dyn Vault>,
    states: Arc<dyn TokenStates>,
    limiters: Arc<Limiters>,
    clock: Arc<dyn Clock>,
    providers: Arc<dyn Providers>,
    crash: Arc<dyn CrashPoints>,
    open: Mutex<HashMap<(TenantId, Provider), Opened>>,
}

struct Opened {
    credentials: Arc<Credentials>,
    tokens: Arc<LeasedTokens>,
    /// The app's own credentials at the provider.
    app: Arc<Credentials>,
    /// The connection as it was when opened; with other settings it is opened anew.
    connection: Arc<Connection>,
    opened_at: Timestamp,
}

impl AccessDesk {
    /// A desk without open connections.
    #[must_use]
    pub fn new(
        vault: Arc<dyn Vault>,
        states: Arc<dyn TokenStates>,
        limiters: Arc<Limiters>,
        clock: Arc<dyn Clock>,
        providers: Arc<dyn Providers>,
        crash: Arc<dyn CrashPoints>,
    ) -> Self {
        Self { vault, states, limiters, clock, providers, crash, open: Mutex::new(HashMap::new()) }
    }

    /// A way in at the connection's provider.
    ///
    /// # Errors
    /// `Consent` when the connection has no secrets or is disconnected, `Storage` when the vault fails.
    pub async fn open(&self, connection: Connection) -> Result<Access, Error> {
        if connection.state == ConnectionState::Disconnected {
            return Err(Error::Consent {
                provider: connection.provider.to_string(),
                message: said!("consent-disconnected", "it was disconnected; connect it again"),
            });
        }
        let key = (connection.tenant.clone(), connection.provider.clone());
        let now = self.clock.now();
        let mut open = self.open.lock().await;
        if let Some(opened) = open.get(&key)
            && opened.connection.settings == connection.settings
            && now.duration_since(opened.opened_at) < MEMORY
        {
            return Ok(self.access(opened));
        }
        let opened = self.open_anew(Arc::new(connection), now).await?;
        let access = self.access(&opened);
        open.insert(key, opened);
        Ok(access)
    }

    /// Fetches a new token for a connection now, however long the one it has is good for.
    ///
    /// # Errors
    /// As [`Self::open`] and [`LeasedTokens::force`].
    pub async fn refresh(&self, connection: Connection) -> Result<Forced, Error> {
        let key = (connection.tenant.clone(), connection.provider.clone());
        self.open(connection).await?;
        let opened = self.open.lock().await.get(&key).map(|opened| opened.tokens.clone());
        match opened {
            Some(tokens) => tokens.force().await,
            None => Err(Error::Raced { step: "opening a connection" }),
        }
    }

    async fn open_anew(&self, connection: Arc<Connection>, now: Timestamp) -> Result<Opened, Error> {
        let unknown = || Error::Consent {
            provider: connection.provider.to_string(),
            message: said!(
                "consent-unknown-provider",
                "this build does not know the provider; check the tenant's settings"
            ),
        };
        let endpoint = self.providers.tokens(&connection.provider).ok_or_else(unknown)?;
        let secret = secret_name(&connection.tenant, &connection.provider);
        let own = self.vault.secret_get(&secret).await?.map(|secret| secret.credentials);
        let credentials = Arc::new(own.unwrap_or_default());
        let app = self.app_credentials(&connection.provider, &*endpoint).await?;
        let tokens = Arc::new(LeasedTokens {
            connection: connection.clone(),
            app: app.clone(),
            endpoint,
            vault: self.vault.clone(),
            secret,
            states: self.states.clone(),
            clock: self.clock.clone(),
            crash: self.crash.clone(),
            memory: Mutex::new(TokenMemory::default()),
        });
        Ok(Opened { credentials, tokens, app: Arc::new(app), connection, opened_at: now })
    }
}

impl AccessDesk {
    /// The app's own credentials at a provider, when it has any besides the connection's.
    ///
    /// # Errors
    /// `Consent` when they are not in the vault, `Storage` when the vault fails.
    pub async fn app_credentials(
        &self,
        provider: &Provider,
        endpoint: &dyn TokenEndpoint,
    ) -> Result<Credentials, Error> {
        let Some(name) = endpoint.app_secret() else { return Ok(Credentials::default()) };
        let app = self.vault.secret_get(name).await?;
        app.map(|secret| secret.credentials).ok_or_else(|| Error::Consent {
            provider: provider.to_string(),
            message: said!(
                "consent-no-app",
                "the app's own credentials are not in the vault; put them there"
            ),
        })
    }

    /// Forgets a connection, whose secrets have changed.
    pub async fn forget(&self, tenant: &TenantId, provider: &Provider) {
        self.open.lock().await.remove(&(tenant.clone(), provider.clone()));
    }

    /// The pace of one piece of work at a connection.
    pub(crate) fn pace(&self, connection: Arc<Connection>, app: Arc<Credentials>) -> Arc<dyn Pace> {
        match self.providers.limited(&connection.provider) {
            Some(limited) => Arc::new(Meter::new(limited, connection, app, self.limiters.clone())),
            None => unlimited(),
        }
    }

    fn access(&self, opened: &Opened) -> Access {
        Access {
            connection: opened.connection.clone(),
            credentials: opened.credentials.clone(),
            tokens: opened.tokens.clone(),
            pace: self.pace(opened.connection.clone(), opened.app.clone()),
            deadline: None,
        }
    }
}
