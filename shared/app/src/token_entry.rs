//! Replaces a connection's secrets from outside a refresh: by a consent, by entry, by disconnecting.
//!
//! It happens under the lease that refreshes take, so that no worker refreshes in between, and with a version above
//! all others, so that nothing a slow worker stores afterwards can win.

use std::time::Duration;

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::said;
use bokbro_domain::token::{TokenState, good_until};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::access::secret_name;
use crate::app::App;
use crate::error::Error;
use crate::ports::{Guard, TokenGrant, Versioned};
use crate::secret::Credentials;
use crate::tokens::{token_version, with_token, without_access};

/// Longer than two calls to the provider may take, and storing what they gave.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a human waits for a refresh that is under way.
const WAIT_MAX: SignedDuration = SignedDuration::from_secs(8);

/// A connection whose secrets are being replaced.
pub(crate) struct TokenEntry<'a> {
    app: &'a App,
    tenant: TenantId,
    provider: Provider,
    taken: TokenState,
    guard: Guard,
    /// The newest secrets there are.
    secrets: Credentials,
    version: u64,
}

impl<'a> TokenEntry<'a> {
    /// Takes the connection's lease, after waiting a little for a refresh under way.
    ///
    /// # Errors
    /// `LeaseHeld` when the refresh takes longer, `Storage` when table or vault fail.
    pub(crate) async fn begin(app: &'a App, tenant: &TenantId, provider: &Provider) -> Result<Self, Error> {
        let owner = Uuid::new_v4().simple().to_string();
        let (taken, guard) = lease(app, tenant, provider, &owner).await?;
        let mut entry = Self {
            app,
            tenant: tenant.clone(),
            provider: provider.clone(),
            version: taken.version,
            secrets: Credentials::default(),
            taken,
            guard,
        };
        match entry.read().await {
            Ok(()) => Ok(entry),
            Err(error) => {
                entry.abandon().await;
                Err(error)
            }
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        let name = secret_name(&self.tenant, &self.provider);
        let credentials = |secret: Option<Versioned>| secret.map(|secret| secret.credentials);
        let current = credentials(self.app.vault.secret_get(&name).await?).unwrap_or_default();
        let staged = credentials(self.app.vault.secret_staged(&name).await?).unwrap_or_default();
        self.version = self.version.max(token_version(&current)).max(token_version(&staged));
        // A staged token that is the newer one may be the only refresh token that still counts.
        self.secrets = if token_version(&staged) > token_version(&current) { staged } else { current };
        Ok(())
    }

    /// The secrets so far.
    pub(crate) fn secrets(&self) -> Credentials {
        self.secrets.clone()
    }

    /// Makes secrets current, with a token or without any; gives the state to finish with.
    ///
    /// # Errors
    /// When the vault fails.
    pub(crate) async fn store(
        &self,
        secrets: Credentials,
        grant: Option<&TokenGrant>,
    ) -> Result<TokenState, Error> {
        let now = self.app.clock.now();
        let version = self.version + 1;
        let (secrets, state) = match grant {
            Some(grant) => {
                let life = SignedDuration::try_from(grant.expires_in).unwrap_or(SignedDuration::ZERO);
                let state = self.taken.stored(version, good_until(now, life), now);
                (with_token(secrets, version, grant, now), state)
            }
            None => {
                let state = TokenState { good_until: None, ..self.taken.stored(version, now, now) };
                let refreshed_at = self.taken.refreshed_at;
                (without_access(secrets, version), TokenState { refreshed_at, ..state })
            }
        };
        self.app.vault.secret_put(&secret_name(&self.tenant, &self.provider), &secrets).await?;
        self.app.crash.reached("after storing the secrets").await;
        Ok(state)
    }

    /// Deletes the secrets; gives the state to finish with.
    ///
    /// # Errors
    /// When the vault fails.
    pub(crate) async fn delete(&self) -> Result<TokenState, Error> {
        self.app.vault.secret_delete(&secret_name(&self.tenant, &self.provider)).await?;
        // The version stays: whatever is stored for this connection later must be above it.
        Ok(TokenState {
            version: self.version,
            ..self.taken.ended(said!("consent-is-disconnected", "it is disconnected"))
        })
    }

    /// Writes the state and releases the lease.
    ///
    /// # Errors
    /// `Raced` when the lease was lost, `Storage` when the table fails.
    pub(crate) async fn finish(self, state: &TokenState) -> Result<(), Error> {
        self.app.token_states.token_state_put(&self.tenant, &self.provider, &self.guard, state).await?;
        self.app.access.forget(&self.tenant, &self.provider).await;
        Ok(())
    }

    /// Releases the lease and changes nothing else. When that fails, the lease ends by itself.
    pub(crate) async fn abandon(self) {
        let state = TokenState { lease: None, ..self.taken };
        let put = self.app.token_states.token_state_put(&self.tenant, &self.provider, &self.guard, &state);
        if let Err(error) = put.await {
            tracing::warn!(error = crate::error::chain(&error), "a lease ends by itself");
        }
    }
}

async fn lease(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    owner: &str,
) -> Result<(TokenState, Guard), Error> {
    let started = app.clock.now();
    loop {
        let seen = app.token_states.token_state(tenant, provider).await?;
        let now = app.clock.now();
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let after = match seen.take(owner, now, until) {
            Ok(taken) => {
                let unmoved = Guard::Fence(seen.fence);
                match app.token_states.token_state_put(tenant, provider, &unmoved, &taken).await {
                    Ok(()) => {
                        let guard = Guard::Owner { owner: owner.to_owned(), fence: taken.fence };
                        return Ok((taken, guard));
                    }
                    Err(Error::Raced { .. }) => Duration::from_secs(1),
                    Err(other) => return Err(other),
                }
            }
            Err(held) => Duration::try_from(held.until.duration_since(now)).unwrap_or(Duration::ZERO),
        };
        if now.duration_since(started) >= WAIT_MAX {
            return Err(Error::LeaseHeld { after });
        }
        app.clock.wait(Duration::from_millis(250 + app.clock.dice() % 500)).await;
    }
}
