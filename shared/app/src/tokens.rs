//! The token protocol: one caller at a time, durable before use, and nothing newer is ever overwritten.
//!
//! 1. Fresh in memory or in the vault: use it.
//! 2. Else take the lease in the table. Who loses waits for the version to move and never calls the provider.
//! 3. Under the lease read the vault again: a worker that died may have stored a token that nobody knows of yet.
//! 4. Call the token endpoint once, with a time-out below the lease; never repeat it.
//! 5. Stage the new token (durable), make it current if the version read under the lease still is (compare and swap),
//!    move the version in the table on condition of owner and fence, then use it.
//! 6. A refusal counts only after one more look: another worker may have rotated the token meanwhile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::said;
use bokbro_domain::said::Said;
use bokbro_domain::token::{MARGIN, Next, TokenState, good_until};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::error::{Disposition, Error, chain};
use crate::metrics;
use crate::ports::{
    Clock, CrashPoints, GrantKind, Guard, TokenEndpoint, TokenGrant, TokenStates, Tokens, Vault, Versioned,
};
use crate::records::Connection;
use crate::secret::{Credentials, SecretText};

/// Longer than a token call may take (its time-out is 20 s) and than storing its answer may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// A token stays in memory at most this long before the table is asked again.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);
/// A worker that lost the lease waits at most this long inside its invocation.
const WAIT_MAX: SignedDuration = SignedDuration::from_secs(25);
/// How often storing a received token is tried.
const STORE_TRIES: u32 = 3;

/// Fields of the secret.
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const VERSION: &str = "token_version";
const GOOD_UNTIL: &str = "access_good_until";

/// Access tokens of one connection, shared by all workers through table and vault.
pub struct LeasedTokens {
    /// The connection.
    pub connection: Arc<Connection>,
    /// The app's own credentials at the provider.
    pub app: Credentials,
    /// Where to ask.
    pub endpoint: Arc<dyn TokenEndpoint>,
    /// Where the secret is.
    pub vault: Arc<dyn Vault>,
    /// Its name there.
    pub secret: String,
    /// Where lease and version are.
    pub states: Arc<dyn TokenStates>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where tests let a worker die.
    pub crash: Arc<dyn CrashPoints>,
    /// What this process remembers.
    pub memory: Mutex<TokenMemory>,
}

/// What a process remembers of a connection's tokens.
#[derive(Default)]
pub struct TokenMemory {
    held: Option<Held>,
    /// Version of the token that the provider answered 401 to.
    refused: Option<u64>,
}

#[derive(Clone)]
struct Held {
    token: SecretText,
    version: u64,
    good_until: Timestamp,
    read_at: Timestamp,
}

/// The token that a secret holds.
struct Stored {
    version: u64,
    access: Option<SecretText>,
    refresh: Option<SecretText>,
    good_until: Timestamp,
}

impl Stored {
    fn of(secret: &Credentials) -> Self {
        let parse = |name: &str| secret.get(name).map(SecretText::expose);
        Self {
            version: parse(VERSION).and_then(|text| text.parse().ok()).unwrap_or(0),
            access: secret.get(ACCESS).cloned(),
            refresh: secret.get(REFRESH).cloned(),
            good_until: parse(GOOD_UNTIL).and_then(|text| text.parse().ok()).unwrap_or(Timestamp::MIN),
        }
    }
}

/// The secret with a new token in it; what else it holds stays.
#[must_use]
pub fn with_token(secret: Credentials, version: u64, grant: &TokenGrant, now: Timestamp) -> Credentials {
    let until = good_until(now, SignedDuration::try_from(grant.expires_in).unwrap_or(SignedDuration::ZERO));
    let secret = match &grant.refresh_token {
        Some(refresh) => secret.with(REFRESH, refresh.clone()),
        None => secret,
    };
    secret
        .with(ACCESS, grant.access_token.clone())
        .with(VERSION, SecretText::new(version.to_string()))
        .with(GOOD_UNTIL, SecretText::new(until.to_string()))
}

/// The secret of this version without an access token, so that the next caller fetches one.
pub(crate) fn without_access(secret: Credentials, version: u64) -> Credentials {
    secret.without(ACCESS).without(GOOD_UNTIL).with(VERSION, SecretText::new(version.to_string()))
}

/// The secret without a refresh token, which a new consent has replaced.
pub(crate) fn without_refresh(secret: Credentials) -> Credentials {
    secret.without(REFRESH)
}

/// The refresh token that a secret holds.
pub(crate) fn refresh_token(secret: &Credentials) -> Option<&SecretText> {
    secret.get(REFRESH)
}

/// Version of the token that a secret holds; 0 when it never had one.
pub(crate) fn token_version(secret: &Credentials) -> u64 {
    Stored::of(secret).version
}

#[async_trait]
impl Tokens for LeasedTokens {
    async fn token(&self) -> Result<SecretText, Error> {
        // Held over the calls on purpose: workers of this process that want the same token wait for one of them.
        let mut memory = self.memory.lock().await;
        let now = self.clock.now();
        if let Some(held) = &memory.held
            && now.duration_since(held.read_at) < MEMORY
            && now.saturating_add(MARGIN).is_ok_and(|at| at < held.good_until)
        {
            return Ok(held.token.clone());
        }
        let held = self.obtain(memory.refused).await?;
        let token = held.token.clone();
        *memory = TokenMemory { held: Some(held), refused: None };
        Ok(token)
    }

    async fn refused(&self, token: &SecretText) {
        let mut memory = self.memory.lock().await;
        if let Some(held) = memory.held.take_if(|held| held.token.expose() == token.expose()) {
            memory.refused = Some(held.version);
        }
    }
}

/// What a forced refresh changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forced {
    /// Whether the refresh token is another one now.
    pub rotated: bool,
}

impl LeasedTokens {
    /// Brings a new token, although the one at hand may be good. An ended consent is tried again, because only a human
    /// asks for this and may have mended it at the provider.
    ///
    /// # Errors
    /// As [`Tokens::token`].
    pub async fn force(&self) -> Result<Forced, Error> {
        let mut memory = self.memory.lock().await;
        let state = self.state().await?;
        let before = self.vault.secret_get(&self.secret).await?;
        let refused = Some(state.version);
        if state.ended.is_some() {
            self.refresh(&TokenState { ended: None, ..state }, refused).await?;
        }
        let held = self.obtain(refused).await?;
        let after = self.vault.secret_get(&self.secret).await?;
        *memory = TokenMemory { held: Some(held), refused: None };
        let refresh = |secret: &Option<Versioned>| {
            let token = secret.as_ref().and_then(|secret| secret.credentials.get(REFRESH));
            token.map(|token| Sha256::digest(token.expose().as_bytes()))
        };
        Ok(Forced { rotated: refresh(&before) != refresh(&after) })
    }
}

/// What a look at the provider brought.
enum Brought {
    Token(Held),
    /// Another worker was faster; look again.
    Again,
}

impl LeasedTokens {
    async fn obtain(&self, refused: Option<u64>) -> Result<Held, Error> {
        let started = self.clock.now();
        let mut last_look = false;
        loop {
            let state = self.state().await?;
            let now = self.clock.now();
            match state.next(now, refused) {
                Next::Use => {
                    if let Some(held) = self.read(state.version).await? {
                        return Ok(held);
                    }
                    // The vault's reads may lag behind the table for a moment.
                }
                Next::Refresh => {
                    if let Brought::Token(held) = self.refresh(&state, refused).await? {
                        return Ok(held);
                    }
                }
                Next::Ended { why } => {
                    // A worker may have died after it made a newer token current and before it told the table.
                    if last_look || !self.vault_is_ahead(&state).await? {
                        return Err(self.consent(why));
                    }
                    last_look = true;
                    self.refresh(&TokenState { ended: None, ..state }, refused).await?;
                }
                Next::Cool { until } => {
                    return Err(self.unavailable("cooling down", from_now(now, until), None));
                }
                Next::Wait { until } if now.duration_since(started) >= WAIT_MAX => {
                    return Err(self.unavailable("waiting for another worker", from_now(now, until), None));
                }
                Next::Wait { .. } => {}
            }
            if self.clock.now().duration_since(started) >= WAIT_MAX * 2 {
                return Err(self.unavailable("reading the token", Duration::from_secs(5), None));
            }
            self.clock.wait(Duration::from_millis(100 + self.clock.dice() % 400)).await;
        }
    }

    /// Takes the lease and brings a token, from the vault or the provider.
    async fn refresh(&self, seen: &TokenState, refused: Option<u64>) -> Result<Brought, Error> {
        let now = self.clock.now();
        let owner = format!("{:016x}{:016x}", self.clock.dice(), self.clock.dice());
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let Ok(taken) = seen.take(&owner, now, until) else { return Ok(Brought::Again) };
        match self.put(&Guard::Fence(seen.fence), &taken).await {
            Ok(()) => {}
            Err(Error::Raced { .. }) => return Ok(Brought::Again),
            Err(other) => {
                // Perhaps it was written and only the answer got lost: a lease that nobody knows of would hold everybody up
                // for as long as it lasts. Nothing was called yet, so there is nothing to cool down from.
                let guard = Guard::Owner { owner, fence: taken.fence };
                if self.put(&guard, &TokenState { lease: None, ..taken }).await.is_err() {
                    tracing::warn!(provider = %self.connection.provider, "a token's lease may end by itself");
                }
                return Err(other);
            }
        }
        let guard = Guard::Owner { owner, fence: taken.fence };
        self.crash.reached("after taking the token lease").await;
        match self.bring(&taken, &guard, refused).await {
            Ok(brought) => Ok(brought),
            Err(error) => {
                tracing::warn!(
                    tenant = %self.connection.tenant,
                    provider = %self.connection.provider,
                    code = error.code(),
                    error = chain(&error),
                    { metrics::TOKEN_REFRESHES_FAILED } = 1,
                    "no new token"
                );
                let after = match error.disposition() {
                    Disposition::NeedsConsent => taken.ended(error.said()),
                    Disposition::Done
                    | Disposition::Retry { .. }
                    | Disposition::Later { .. }
                    | Disposition::Park => taken.failed(self.clock.now()),
                };
                // When the lease is lost, the state is another worker's to write.
                match self.put(&guard, &after).await {
                    Ok(()) | Err(Error::Raced { .. }) => Err(error),
                    Err(other) => Err(other),
                }
            }
        }
    }

    async fn bring(&self, taken: &TokenState, guard: &Guard, refused: Option<u64>) -> Result<Brought, Error> {
        let current = self.newest().await?;
        let stored = Stored::of(&current.credentials);
        let now = self.clock.now();
        let fresh = now.saturating_add(MARGIN).is_ok_and(|at| at < stored.good_until);
        if stored.version > taken.version && fresh && refused != Some(stored.version) {
            // Stored by a worker that did not live to tell.
            return self.complete(taken, guard, &stored).await;
        }
        self.crash.reached("before the token call").await;
        let granted = self.call(&current.credentials, stored.refresh.as_ref()).await;
        self.crash.reached("after the token call").await;
        let (current, grant) = match granted {
            Ok(grant) => (current, grant),
            Err(error @ Error::Consent { .. }) => {
                // Refused: another worker may have rotated the token between our read and our call.
                let again = self.newest().await?;
                let newer = Stored::of(&again.credentials);
                if newer.version <= stored.version {
                    return Err(error);
                }
                return self.complete(taken, guard, &newer).await;
            }
            Err(other) => return Err(other),
        };
        let version = taken.version.max(stored.version) + 1;
        let secret = with_token(current.credentials, version, &grant, self.clock.now());
        self.store(&secret, &current.version).await?;
        tracing::info!(
            tenant = %self.connection.tenant,
            provider = %self.connection.provider,
            { metrics::TOKEN_REFRESHES } = 1,
            "new token"
        );
        self.crash.reached("after storing the token").await;
        self.complete(taken, guard, &Stored::of(&secret)).await
    }

    /// The current secret, or the staged one when it is newer: then it is made current first.
    async fn newest(&self) -> Result<Versioned, Error> {
        let missing = || {
            let message =
                said!("consent-no-credentials", "there are no credentials for it in the vault; connect it");
            self.consent(message)
        };
        let current = self.vault.secret_get(&self.secret).await?.ok_or_else(missing)?;
        let Some(staged) = self.vault.secret_staged(&self.secret).await? else { return Ok(current) };
        if Stored::of(&staged.credentials).version <= Stored::of(&current.credentials).version {
            return Ok(current);
        }
        tracing::warn!(provider = %self.connection.provider, "a staged token is made current");
        if self.vault.secret_promote(&self.secret, &staged.version, &current.version).await? {
            return Ok(staged);
        }
        self.vault.secret_get(&self.secret).await?.ok_or_else(missing)
    }

    async fn call(&self, secret: &Credentials, refresh: Option<&SecretText>) -> Result<TokenGrant, Error> {
        match self.endpoint.grant_kind(&self.connection) {
            GrantKind::ClientCredentials => {
                self.endpoint.client_credentials(&self.connection, &self.app, secret).await
            }
            GrantKind::RefreshToken => match refresh {
                Some(refresh) => self.endpoint.refresh(&self.connection, &self.app, refresh).await,
                None => {
                    let message =
                        said!("consent-no-refresh-token", "it has no refresh token; give consent again");
                    Err(self.consent(message))
                }
            },
        }
    }

    /// Stages and promotes. What was received must not be lost: staging is tried until the time for it is over.
    async fn store(&self, secret: &Credentials, over: &str) -> Result<(), Error> {
        let mut tries = 1;
        let staged = loop {
            match self.vault.secret_stage(&self.secret, secret).await {
                Ok(staged) => break staged,
                Err(error) if tries >= STORE_TRIES => {
                    tracing::error!(
                        tenant = %self.connection.tenant,
                        provider = %self.connection.provider,
                        error = chain(&error),
                        "token_not_stored"
                    );
                    return Err(error);
                }
                Err(_) => {
                    tries += 1;
                    self.clock.wait(Duration::from_millis(200 + self.clock.dice() % 300)).await;
                }
            }
        };
        self.crash.reached("after staging the token").await;
        // When somebody else's is current by now, ours stays staged; the newer of the two wins at the next look.
        self.vault.secret_promote(&self.secret, &staged, over).await?;
        Ok(())
    }

    /// Tells the table. A worker that lost its lease meanwhile takes it again when its token is the newer one.
    async fn complete(&self, taken: &TokenState, guard: &Guard, stored: &Stored) -> Result<Brought, Error> {
        let now = self.clock.now();
        match self.put(guard, &taken.stored(stored.version, stored.good_until, now)).await {
            Ok(()) => Ok(self.held(stored).map_or(Brought::Again, Brought::Token)),
            Err(Error::Raced { .. }) => Ok(Brought::Again),
            Err(other) => Err(other),
        }
    }

    /// The token of this version or a newer one, when the vault shows it already.
    async fn read(&self, version: u64) -> Result<Option<Held>, Error> {
        let secret = self.vault.secret_get(&self.secret).await?;
        let stored = secret.map(|secret| Stored::of(&secret.credentials));
        Ok(stored.filter(|stored| stored.version >= version).and_then(|stored| self.held(&stored)))
    }

    async fn vault_is_ahead(&self, state: &TokenState) -> Result<bool, Error> {
        let newest = |secret: Option<Versioned>| secret.map_or(0, |s| Stored::of(&s.credentials).version);
        let current = newest(self.vault.secret_get(&self.secret).await?);
        let staged = newest(self.vault.secret_staged(&self.secret).await?);
        Ok(current.max(staged) > state.version)
    }

    fn held(&self, stored: &Stored) -> Option<Held> {
        let token = stored.access.clone()?;
        let read_at = self.clock.now();
        Some(Held { token, version: stored.version, good_until: stored.good_until, read_at })
    }

    async fn state(&self) -> Result<TokenState, Error> {
        self.states.token_state(&self.connection.tenant, &self.connection.provider).await
    }

    async fn put(&self, guard: &Guard, state: &TokenState) -> Result<(), Error> {
        self.states.token_state_put(&self.connection.tenant, &self.connection.provider, guard, state).await
    }

    fn consent(&self, message: Said) -> Error {
        Error::Consent { provider: self.connection.provider.to_string(), message }
    }

    fn unavailable(
        &self,
        step: &str,
        after: Duration,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let provider = self.connection.provider.to_string();
        Error::Unavailable { provider, step: step.to_owned(), after: Some(after), source }
    }
}

fn from_now(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO).max(Duration::from_secs(1))
}
