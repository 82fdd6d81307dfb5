//! What lets callers in: API keys and the sessions of people who have signed in.

use async_trait::async_trait;
use bokbro_domain::ids::TenantId;
use jiff::Timestamp;

use crate::error::Error;
use crate::records::{ApiKey, Session};

/// API keys and sessions. They are known by the SHA-256 of their texts alone, in lower-case hex.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// An API key.
    ///
    /// # Errors
    /// When the table fails.
    async fn api_key_get(&self, sha256: &str) -> Result<Option<ApiKey>, Error>;

    /// Stores an API key.
    ///
    /// # Errors
    /// When the table fails.
    async fn api_key_put(&self, sha256: &str, key: &ApiKey) -> Result<(), Error>;

    /// Notes when an API key was used last, unless it has been revoked meanwhile.
    ///
    /// # Errors
    /// When the table fails.
    async fn api_key_used(&self, sha256: &str, key: &ApiKey, at: Timestamp) -> Result<(), Error>;

    /// A tenant's API keys, oldest first.
    ///
    /// # Errors
    /// When the table fails.
    async fn api_keys_list(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, Error>;

    /// Takes an API key away by its id; gives what it was, or nothing when there is none.
    ///
    /// # Errors
    /// When the table fails.
    async fn api_key_revoke(&self, tenant: &TenantId, id: &str) -> Result<Option<ApiKey>, Error>;

    /// A session; one that is over may still be there.
    ///
    /// # Errors
    /// When the table fails.
    async fn session_get(&self, sha256: &str) -> Result<Option<Session>, Error>;

    /// Stores a session. It is forgotten some time after its end.
    ///
    /// # Errors
    /// When the table fails.
    async fn session_put(&self, sha256: &str, session: &Session) -> Result<(), Error>;

    /// Ends a session; again is the same.
    ///
    /// # Errors
    /// When the table fails.
    async fn session_end(&self, sha256: &str) -> Result<(), Error>;
}
