//! People sign in at a provider of the merchant's choice and get a session here.
//!
//! What they may do comes from the groups that the provider vouches for: `demo:bookkeeper` lets into tenant `demo` as its
//! bookkeeper. Whoever is in none is told so and gets no session.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::auth::{random_text, sha256};
use crate::error::Error;
use crate::ports::{Identity, SignIn, Visit};
use crate::records::{Role, Session};
use crate::secret::SecretText;

/// Where the browser comes back to after signing in.
pub const CALLBACK_PATH: &str = "/app/sign-in/callback";
/// Where people are taken who wanted nothing in particular.
pub const HOME: &str = "/app";
/// How long a person may take at the provider's page.
pub const VISIT_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long a session counts: a working day. What somebody may do is asked anew with the next one.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(10);
/// Longest path that is gone back to.
const PATH_MAX: usize = 500;

/// A sign-in that was begun.
pub struct Begun {
    /// The provider's page.
    pub location: String,
    /// What the browser must keep in a cookie until it comes back.
    pub kept: SecretText,
}

/// Begins a sign-in. `origin` is where browsers find us, without a trailing slash; `wanted` is the page that the person
/// was on their way to.
///
/// # Errors
/// `Consent` when the app's credentials lack something, `Unavailable` when the provider does not answer.
pub async fn signin_begin(at: &dyn SignIn, origin: &str, wanted: Option<&str>) -> Result<Begun, Error> {
    let visit = Visit {
        redirect_uri: format!("{origin}{CALLBACK_PATH}"),
        state: random_text("").expose().to_owned(),
        nonce: random_text("").expose().to_owned(),
        verifier: random_text(""),
    };
    let location = at.page(&visit).await?;
    let wanted = URL_SAFE_NO_PAD.encode(wanted.filter(|path| is_ours(path)).unwrap_or(HOME));
    let kept = format!("{}.{}.{}.{wanted}", visit.state, visit.nonce, visit.verifier.expose());
    Ok(Begun { location, kept: SecretText::new(kept) })
}

/// Whether a path is one of our pages: nobody is sent anywhere else by a link to our sign-in.
fn is_ours(path: &str) -> bool {
    let inside = path == HOME || path.strip_prefix(HOME).is_some_and(|rest| rest.starts_with(['/', '?']));
    inside && path.len() <= PATH_MAX && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// What a browser came back with.
#[derive(Clone, Default)]
pub struct Return {
    /// What we sent along.
    pub state: Option<String>,
    /// The code to exchange.
    pub code: Option<SecretText>,
    /// Why there is none, by its name.
    pub error: Option<String>,
    /// What the browser kept in its cookie.
    pub kept: Option<SecretText>,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub enum Refused {
    /// It was begun in another browser, or too long ago.
    OtherBrowser,
    /// The provider signed nobody in: the person went back, say.
    NotSignedIn,
    /// The person is in no group that lets them in here.
    NoAccess {
        /// Who it is, so that the owner can let them in.
        name: String,
    },
    /// Something failed that may work the next time.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Somebody who is signed in.
pub struct SignedIn {
    /// What the browser keeps in its cookie from now on.
    pub cookie: SecretText,
    /// Where they wanted to go.
    pub wanted: String,
}

/// Takes a browser back from the provider's page and begins a session.
///
/// # Errors
/// Why nobody is signed in; nothing is stored then.
pub async fn signin_finish(
    app: &App,
    at: &dyn SignIn,
    origin: &str,
    back: &Return,
) -> Result<SignedIn, Refused> {
    let (visit, wanted) =
        back.kept.as_ref().and_then(|kept| read_kept(kept, origin)).ok_or(Refused::OtherBrowser)?;
    let state = back.state.as_deref().unwrap_or_default();
    if !bool::from(visit.state.as_bytes().ct_eq(state.as_bytes())) {
        return Err(Refused::OtherBrowser);
    }
    let Some(code) = &back.code else { return Err(Refused::NotSignedIn) };
    let identity = at.identity(&visit, code).await?;
    let grants = grants(&identity.groups);
    let Some(tenant) = grants.keys().next().cloned() else {
        tracing::warn!(code = "no_access", "somebody signed in who is in no group of ours");
        return Err(Refused::NoAccess { name: identity.name });
    };
    let cookie = session_begin(app, identity, grants, tenant).await?;
    Ok(SignedIn { cookie, wanted })
}

async fn session_begin(
    app: &App,
    identity: Identity,
    grants: BTreeMap<TenantId, Role>,
    tenant: TenantId,
) -> Result<SecretText, Error> {
    let now = app.clock.now();
    let session = Session {
        subject: identity.subject,
        name: identity.name,
        grants,
        tenant,
        form_token: random_text("").expose().to_owned(),
        signed_in_at: now,
        expires_at: now.saturating_add(SESSION_LIFE).unwrap_or(Timestamp::MAX),
    };
    let cookie = random_text("");
    app.keyring.session_put(&sha256(cookie.expose()), &session).await?;
    tracing::info!(tenant = %session.tenant, code = "signed_in", "somebody signed in");
    Ok(cookie)
}

/// What was kept in the browser: the visit, and where the person wanted to go.
fn read_kept(kept: &SecretText, origin: &str) -> Option<(Visit, String)> {
    let mut parts = kept.expose().split('.');
    let (state, nonce, verifier, wanted) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let wanted = String::from_utf8(URL_SAFE_NO_PAD.decode(wanted).ok()?).ok()?;
    let visit = Visit {
        redirect_uri: format!("{origin}{CALLBACK_PATH}"),
        state: state.to_owned(),
        nonce: nonce.to_owned(),
        verifier: SecretText::new(verifier.to_owned()),
    };
    (parts.next().is_none() && is_ours(&wanted)).then_some((visit, wanted))
}

/// What groups such as `demo:bookkeeper` let somebody do; of several for one tenant the highest counts, and groups that
/// are no such thing mean nothing here.
fn grants(groups: &[String]) -> BTreeMap<TenantId, Role> {
    let mut grants = BTreeMap::new();
    for group in groups {
        let Some((tenant, role)) = group.rsplit_once(':') else { continue };
        let (Ok(tenant), Some(role)) = (TenantId::parse(tenant), Role::parse(role)) else { continue };
        let granted = grants.entry(tenant).or_insert(role);
        *granted = role.max(*granted);
    }
    grants
}

/// The session of a cookie, if it still counts.
///
/// # Errors
/// When the table fails.
pub async fn session_find(app: &App, cookie: &SecretText) -> Result<Option<Session>, Error> {
    let session = app.keyring.session_get(&sha256(cookie.expose())).await?;
    let session = session.filter(|session| app.clock.now() < session.expires_at && session.role().is_some());
    if let Some(session) = &session {
        tracing::Span::current().record("tenant", tracing::field::display(&session.tenant));
    }
    Ok(session)
}

/// Takes the person to another tenant; says whether they may go there.
///
/// # Errors
/// When the table fails.
pub async fn session_switch(
    app: &App,
    cookie: &SecretText,
    session: &Session,
    tenant: &TenantId,
) -> Result<bool, Error> {
    if !session.grants.contains_key(tenant) {
        return Ok(false);
    }
    let there = Session { tenant: tenant.clone(), ..session.clone() };
    app.keyring.session_put(&sha256(cookie.expose()), &there).await?;
    Ok(true)
}

/// Ends the session of a cookie; again is the same.
///
/// # Errors
/// When the table fails.
pub async fn session_end(app: &App, cookie: &SecretText) -> Result<(), Error> {
    app.keyring.session_end(&sha256(cookie.expose())).await
}

/// Whether a form was sent from a page of this session.
#[must_use]
pub fn is_own_form(session: &Session, token: &str) -> bool {
    session.form_token.as_bytes().ct_eq(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_anywhere_but_to_our_pages() {
        for ours in ["/app", "/app/orders", "/app?x=1", "/app/orders/ord_1?tab=2"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "",
            "/",
            "/apple",
            "//evil.example/app",
            "https://evil.example",
            "/app/\\evil",
            "/app/ö",
            "/app/\n",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn groups_are_what_somebody_may_do() {
        let groups = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            let found = grants(&groups).into_iter();
            found.map(|(tenant, role)| format!("{tenant}={}", role.as_str())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            groups(&["demo:bookkeeper", "demo:viewer", "shop-2:owner"]),
            "demo=bookkeeper shop-2=owner"
        );
        assert_eq!(groups(&["staff", "demo", "demo:king", "De Mo:owner", ":owner", "demo:"]), "");
    }

    #[test]
    fn what_a_browser_kept_is_read_back_and_nothing_else_is() {
        let kept = |text: &str| read_kept(&SecretText::new(text.to_owned()), "https://x.example");
        let (visit, wanted) = kept(&format!("s.n.v.{}", URL_SAFE_NO_PAD.encode("/app/jobs"))).unwrap();
        assert_eq!((visit.state.as_str(), visit.nonce.as_str(), wanted.as_str()), ("s", "n", "/app/jobs"));
        assert_eq!(visit.redirect_uri, "https://x.example/app/sign-in/callback");
        for other in ["", "s.n.v", "s.n.v.%", &format!("s.n.v.{}", URL_SAFE_NO_PAD.encode("//evil"))] {
            assert!(kept(other).is_none(), "{other}");
        }
    }
}
