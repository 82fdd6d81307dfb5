//! Who calls the API: an API key is looked up by its hash and opens one tenant with one role.

use bokbro_domain::ids::TenantId;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Error;
use crate::records::{ApiKey, Role};
use crate::secret::SecretText;

/// Every API key begins so, which lets people and secret scanners recognize one.
const PREFIX: &str = "bk_";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller may touch.
    pub tenant: TenantId,
    /// What the caller may do.
    pub role: Role,
    /// Who it is, for the audit log: the API key's first characters.
    pub who: String,
}

/// Finds the caller by the value of the `Authorization` header; `None` when it opens nothing.
///
/// # Errors
/// When the table fails.
pub async fn caller_find(app: &App, authorization: Option<&str>) -> Result<Option<Caller>, Error> {
    let Some(key) = authorization.and_then(bearer) else { return Ok(None) };
    let found = app.directory.api_key_get(&key_hash(key)).await?;
    Ok(found.map(|ApiKey { tenant, role, prefix }| Caller { tenant, role, who: prefix }))
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.split_once(' ')?;
    let plausible = key.starts_with(PREFIX) && key.len() <= 200;
    (scheme.eq_ignore_ascii_case("bearer") && plausible).then_some(key)
}

/// Stores a key that somebody made; only its hash and first characters are kept.
///
/// # Errors
/// When the table fails.
pub async fn api_key_store(app: &App, key: &SecretText, tenant: &TenantId, role: Role) -> Result<(), Error> {
    let text = key.expose();
    let prefix = text.chars().take(PREFIX.len() + 4).collect();
    let stored = ApiKey { tenant: tenant.clone(), role, prefix };
    app.directory.api_key_put(&key_hash(text), &stored).await
}

/// SHA-256 of a key, hex. Keys are long and random, so no slow hash is needed.
fn key_hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
