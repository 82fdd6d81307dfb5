//! API keys and sessions. A key stands twice, in one transaction: under its hash for whoever calls with it, and among
//! its tenant's keys for those who look after them.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::Keyring;
use bokbro_app::records::{ApiKey, Session};
use bokbro_domain::ids::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hub;
use super::pages::Listing;
use super::transaction::{Condition, Outcome, Transaction};
use crate::items::keys::{KEYS, Key, tenant_pk};
use crate::items::{Item, number, records};

/// A key among its tenant's.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed {
    sha256: String,
    key: ApiKey,
}

/// A key that is there, for a change of one that may have been revoked.
fn present() -> Condition {
    Condition { expression: "attribute_exists(pk)", values: Vec::new() }
}

fn items(sha256: &str, key: &ApiKey) -> [Item; 2] {
    let listed = Listed { sha256: sha256.to_owned(), key: key.clone() };
    [
        records::to_item(Key::api_key(sha256), key),
        records::to_item(Key::listed_api_key(&key.tenant, &key.id), &listed),
    ]
}

#[async_trait]
impl Keyring for Hub {
    async fn api_key_get(&self, sha256: &str) -> Result<Option<ApiKey>, Error> {
        self.record("API key", Key::api_key(sha256)).await
    }

    async fn api_key_put(&self, sha256: &str, key: &ApiKey) -> Result<(), Error> {
        let mut writes = Transaction::on(&self.tables.hub);
        for item in items(sha256, key) {
            writes.put(item);
        }
        writes.commit(&self.client, "storing an API key").await.map(|_| ())
    }

    async fn api_key_used(&self, sha256: &str, key: &ApiKey, at: Timestamp) -> Result<(), Error> {
        let mut writes = Transaction::on(&self.tables.hub);
        for item in items(sha256, &ApiKey { used_at: Some(at), ..key.clone() }) {
            writes.put_if(item, &present());
        }
        match writes.commit(&self.client, "noting the use of an API key").await? {
            // Refused: it has been revoked.
            Outcome::Committed | Outcome::Refused(_) => Ok(()),
        }
    }

    async fn api_keys_list(&self, tenant: &TenantId) -> Result<Vec<ApiKey>, Error> {
        Ok(self.listed(tenant).await?.into_iter().map(|listed| listed.key).collect())
    }

    async fn api_key_revoke(&self, tenant: &TenantId, id: &str) -> Result<Option<ApiKey>, Error> {
        const STEP: &str = "revoking an API key";
        let listed: Option<Listed> = self.record("API key", Key::listed_api_key(tenant, id)).await?;
        let Some(Listed { sha256, key }) = listed else { return Ok(None) };
        // What lets callers in goes first: whoever dies in between has revoked it, and can do so again.
        self.delete(STEP, Key::api_key(&sha256)).await?;
        self.delete(STEP, Key::listed_api_key(tenant, id)).await?;
        Ok(Some(key))
    }

    async fn session_get(&self, sha256: &str) -> Result<Option<Session>, Error> {
        self.record("session", Key::session(sha256)).await
    }

    async fn session_put(&self, sha256: &str, session: &Session) -> Result<(), Error> {
        let mut item = records::to_item(Key::session(sha256), session);
        item.insert("expires_at".to_owned(), number(session.expires_at.as_second()));
        self.put("storing a session", item).await
    }

    async fn session_end(&self, sha256: &str) -> Result<(), Error> {
        self.delete("ending a session", Key::session(sha256)).await.map(|_| ())
    }
}

impl Hub {
    async fn listed(&self, tenant: &TenantId) -> Result<Vec<Listed>, Error> {
        const STEP: &str = "listing API keys";
        let listing = Listing::Table { pk: tenant_pk(tenant), prefix: KEYS, newest_first: false };
        let items = self.query(STEP, &listing, None, None).await?;
        let read = items.iter().map(|item| records::from_item("API key", item));
        read.collect::<Result<_, _>>().map_err(|e| Error::storage(STEP, e))
    }
}
