//! Who calls the API: an API key opens one tenant with one role. Keys are kept as their hashes alone.

use bokbro_domain::ids::TenantId;
use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::{Error, chain};
use crate::gate::{Door, Halted, TooMany};
use crate::orders::Refusal;
use crate::records::{ApiKey, Role, Session};
use crate::secret::SecretText;
use crate::signin::session_find;
use crate::wire::fields::{Fields, none_of};

/// Every API key begins so, which lets people and secret scanners recognize one.
const PREFIX: &str = "bk_";
/// Characters of a key that are shown.
const SHOWN: usize = PREFIX.len() + 4;
/// How exactly it is known when a key was used last: one write more per key and hour.
const USE_KNOWN_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Most keys of a tenant.
const MOST: usize = 100;
/// Longest name of a key.
const NAME_MAX: usize = 100;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller may touch.
    pub tenant: TenantId,
    /// What the caller may do.
    pub role: Role,
    /// Who it is, for the audit log: the API key's first characters, or who signed in.
    pub who: String,
}

impl Caller {
    /// Somebody who is signed in.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        let role = session.role()?;
        Some(Self { tenant: session.tenant.clone(), role, who: session.name.clone() })
    }
}

/// Why nobody is let in.
#[derive(Debug)]
pub enum Unknown {
    /// What was shown opens nothing, or nothing was shown.
    Stranger,
    /// Came too often, as a caller or as a stranger.
    TooMany(TooMany),
    /// Something of ours failed.
    Failed(Error),
}

impl From<Error> for Unknown {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Halted> for Unknown {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::TooMany(many) => Self::TooMany(many),
            Halted::Failed(error) => Self::Failed(error),
        }
    }
}

/// Finds the caller by the value of the `Authorization` header or, without one, by the cookie of a session, unless they
/// have called too often. `from` is the address that they call from.
///
/// # Errors
/// Why nobody is let in.
pub async fn caller_admit(
    app: &App,
    authorization: Option<&str>,
    session: Option<&SecretText>,
    from: &str,
) -> Result<Caller, Unknown> {
    if let (None, Some(cookie)) = (authorization, session) {
        let session = session_admit(app, cookie, from).await?;
        return Caller::of(&session).ok_or(Unknown::Stranger);
    }
    let key = authorization.and_then(bearer).ok_or(Unknown::Stranger)?;
    let hash = sha256(key);
    let Some(found) = app.keyring.api_key_get(&hash).await? else { return Err(stranger(app, from).await) };
    app.gate.pass(Door::Caller, &hash).await?;
    let now = app.clock.now();
    if found.used_at.is_none_or(|used| now.duration_since(used) >= USE_KNOWN_WITHIN)
        && let Err(error) = app.keyring.api_key_used(&hash, &found, now).await
    {
        tracing::warn!(prefix = found.prefix, error = chain(&error), "use of a key not noted");
    }
    tracing::Span::current().record("tenant", tracing::field::display(&found.tenant));
    Ok(Caller { tenant: found.tenant, role: found.role, who: found.prefix })
}

/// Finds the session of a cookie, unless its person has called too often.
///
/// # Errors
/// Why nobody is let in.
pub async fn session_admit(app: &App, cookie: &SecretText, from: &str) -> Result<Session, Unknown> {
    let Some(session) = session_find(app, cookie).await? else { return Err(stranger(app, from).await) };
    app.gate.pass(Door::Caller, &session.subject).await?;
    Ok(session)
}

/// Somebody has shown what opens nothing.
async fn stranger(app: &App, from: &str) -> Unknown {
    match app.gate.pass(Door::Stranger, from).await {
        Ok(()) => Unknown::Stranger,
        Err(halted) => halted.into(),
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.split_once(' ')?;
    let plausible = key.starts_with(PREFIX) && key.len() <= 200;
    (scheme.eq_ignore_ascii_case("bearer") && plausible).then_some(key)
}

/// A text that opens something, made of the operating system's randomness: 256 bits.
#[must_use]
pub fn random_text(prefix: &str) -> SecretText {
    SecretText::new(format!("{prefix}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}

/// Stores a key that somebody made; only its hash and first characters are kept.
///
/// # Errors
/// When the table fails.
pub async fn api_key_store(
    app: &App,
    key: &SecretText,
    tenant: &TenantId,
    role: Role,
    name: &str,
) -> Result<ApiKey, Error> {
    let text = key.expose();
    let stored = ApiKey {
        tenant: tenant.clone(),
        role,
        prefix: text.chars().take(SHOWN).collect(),
        id: format!("key_{}", app.stamps.ulid(&*app.clock)),
        name: name.to_owned(),
        created_at: app.clock.now(),
        used_at: None,
    };
    app.keyring.api_key_put(&sha256(text), &stored).await?;
    Ok(stored)
}

/// Makes a key as somebody wishes, `{"name", "role"}` as JSON. The key itself is shown this once.
///
/// # Errors
/// `Invalid` with the field named; `Conflict` when the tenant has too many.
pub async fn api_key_make(app: &App, by: By<'_>, body: &[u8]) -> Result<(SecretText, ApiKey), Refusal> {
    let (name, role) = read_wish(body).map_err(Refusal::Invalid)?;
    if app.keyring.api_keys_list(by.tenant).await?.len() >= MOST {
        return Err(Refusal::Conflict {
            code: "too_many_keys",
            field: None,
            message: said!(
                "conflict-too-many-keys",
                "There are {most} API keys already. Revoke those that nobody uses.",
                most = MOST
            ),
        });
    }
    let key = random_text(PREFIX);
    let made = api_key_store(app, &key, by.tenant, role, &name).await?;
    let changed = Changed { after: Some(about(&made)), ..Changed::default() };
    audit_add(app, by, "api_key_made", &made.id, changed).await?;
    Ok((key, made))
}

/// Takes a key away for good.
///
/// # Errors
/// `NotFound` when the tenant has no such key.
pub async fn api_key_revoke(app: &App, by: By<'_>, id: &str) -> Result<ApiKey, Refusal> {
    let revoked = app.keyring.api_key_revoke(by.tenant, id).await?;
    let revoked = revoked.ok_or(Refusal::NotFound("API key"))?;
    let changed = Changed { before: Some(about(&revoked)), ..Changed::default() };
    audit_add(app, by, "api_key_revoked", id, changed).await?;
    Ok(revoked)
}

fn about(key: &ApiKey) -> Value {
    json!({ "name": key.name, "role": key.role, "prefix": key.prefix })
}

fn read_wish(body: &[u8]) -> Result<(String, Role), FieldError> {
    let value = crate::wire::fields::read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let name = fields.text("name", NAME_MAX)?;
    let role = fields.text("role", 20)?;
    let role = Role::parse(&role).ok_or_else(|| none_of("role", &Role::ALL.map(Role::as_str)))?;
    fields.finish()?;
    Ok((name, role))
}

/// SHA-256, hex. What is hashed so is long and random, so no slow hash is needed.
#[must_use]
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_wish_is_named() {
        for (body, field) in [
            ("x", ""),
            ("{}", "name"),
            (r#"{"name":" "}"#, "name"),
            (r#"{"name":"shop"}"#, "role"),
            (r#"{"name":"shop","role":"king"}"#, "role"),
            (r#"{"name":"shop","role":"owner","key":"bk_1"}"#, "key"),
        ] {
            assert_eq!(read_wish(body.as_bytes()).unwrap_err().field, field, "{body}");
        }
        let wish = read_wish(br#"{"name":"shop","role":"operator"}"#).unwrap();
        assert_eq!(wish, ("shop".to_owned(), Role::Operator));
    }

    #[test]
    fn keys_are_long_and_never_the_same() {
        let [one, other] = [random_text(PREFIX), random_text(PREFIX)];
        assert_eq!(one.expose().len(), PREFIX.len() + 64);
        assert_ne!(one.expose(), other.expose());
        assert_eq!(bearer(&format!("Bearer {}", one.expose())), Some(one.expose()));
    }
}
