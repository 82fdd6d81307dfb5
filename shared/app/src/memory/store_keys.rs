//! API keys and sessions, in memory.

use async_trait::async_trait;
use bokbro_domain::ids::TenantId;
use jiff::Timestamp;

use super::store::MemoryStore;
use crate::error::Error;
use crate::ports::Keyring;
use crate::records::{ApiKey, Session};

#[async_trait]
impl Keyring for MemoryStore {
    async fn api_key_get(&self, sha256: &str) -> Result<Option<ApiKey>, Error> {
        Ok(self.state().api_keys.get(sha256).cloned())
    }

    async fn api_key_put(&self, sha256: &str, key: &ApiKey) -> Result<(), Error> {
        self.state().api_keys.insert(sha256.to_owned(), key.clone());
        Ok(())
    }

    async fn api_key_used(&self, sha256: &str, _: &ApiKey, at: Timestamp) -> Result<(), Error> {
        if let Some(stored) = self.state().api_keys.get_mut(sha256) {
            stored.used_at = Some(at);
        }
        Ok(())
    }

    async fn api_keys_list(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, Error> {
        let state = self.state();
        let mut keys: Vec<ApiKey> =
            state.api_keys.values().filter(|key| key.tenant == *tenant).cloned().collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    async fn api_key_revoke(&self, tenant: &TenantId, id: &str) -> Result<Option<ApiKey>, Error> {
        let mut state = self.state();
        let hash = state.api_keys.iter().find(|(_, key)| key.tenant == *tenant && key.id == id);
        let Some(hash) = hash.map(|(hash, _)| hash.clone()) else { return Ok(None) };
        Ok(state.api_keys.remove(&hash))
    }

    async fn session_get(&self, sha256: &str) -> Result<Option<Session>, Error> {
        Ok(self.state().sessions.get(sha256).cloned())
    }

    async fn session_put(&self, sha256: &str, session: &Session) -> Result<(), Error> {
        self.state().sessions.insert(sha256.to_owned(), session.clone());
        Ok(())
    }

    async fn session_end(&self, sha256: &str) -> Result<(), Error> {
        self.state().sessions.remove(sha256);
        Ok(())
    }
}
