//! Consent in a browser: sends it to the provider's page and takes what it comes back with.
//!
//! Nothing is stored before the browser, the signed state and the company are the right ones. After a good consent the
//! connection is healed and everything that waited for it goes on by itself.

mod state;

use bokbro_domain::ids::{CorrelationId, Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::app::App;
use crate::connections::{COMPANY, CONNECTED_AT};
use crate::error::{Error, chain};
use crate::orders::Refusal;
use crate::ports::{ConsentRefusal, ConsentRequest, Consented, OAuth};
use crate::records::{Connection, ConnectionState};
use crate::resume::{Resumed, connection_resume};
use crate::secret::{Credentials, SecretText};
use crate::token_entry::TokenEntry;
use crate::tokens::without_refresh;
pub use state::StateFault;
use state::{Claims, Signer, nonce_hash};

/// How long a person may take at the provider's page.
pub const STATE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Name in the vault of the key that signs states.
const SIGNING_SECRET: &str = "app/signing";

/// A consent that was begun.
pub struct Started {
    /// The provider's consent page.
    pub location: String,
    /// What the browser must keep in a cookie until it comes back.
    pub nonce: SecretText,
}

/// Begins a consent. `origin` is where browsers find us, without a trailing slash.
///
/// # Errors
/// `NotFound` for a provider without consent in a browser, `Conflict` when the app has no credentials there.
pub async fn oauth_start(
    app: &App,
    tenant: &TenantId,
    provider: &Provider,
    service_account: bool,
    origin: &str,
) -> Result<Started, Refusal> {
    let oauth = app.providers.oauth(provider).ok_or(Refusal::NotFound("provider with a consent page"))?;
    let credentials = app_credentials(app, provider).await.map_err(no_app_credentials)?;
    // Operating-system randomness: the clock's dice are not for secrets.
    let nonce = SecretText::new(Uuid::new_v4().simple().to_string());
    let expires = app.clock.now().saturating_add(STATE_LIFE).unwrap_or(Timestamp::MAX);
    let claims = Claims {
        tenant: tenant.clone(),
        provider: provider.clone(),
        nonce: nonce_hash(&nonce),
        service: service_account,
        expires: expires.as_second(),
    };
    let state = signer(app).await?.sign(&claims).ok_or_else(unsigned)?;
    let request = request(origin, &claims, state);
    let location = oauth.consent_url(&credentials, &request).map_err(no_app_credentials)?;
    app.nonces.nonce_put(&claims.nonce, expires).await?;
    tracing::info!(%tenant, %provider, service_account, "consent begun");
    Ok(Started { location, nonce })
}

fn no_app_credentials(error: Error) -> Refusal {
    match error {
        Error::Consent { message, .. } => {
            Refusal::Conflict { code: "app_credentials_missing", field: None, message }
        }
        other => Refusal::Failed(other),
    }
}

/// What a browser came back with.
#[derive(Clone, Default)]
pub struct Callback {
    /// What we sent along.
    pub state: Option<String>,
    /// The code to exchange.
    pub code: Option<SecretText>,
    /// Why there is none.
    pub error: Option<String>,
    /// The nonce from the browser's cookie.
    pub nonce: Option<SecretText>,
}

/// What became of a consent; each has its page.
#[derive(Debug)]
pub enum Outcome {
    /// The connection works.
    Connected {
        /// What was set going again.
        resumed: Resumed,
    },
    /// The provider gave no consent, or not the one we need; nothing was stored.
    Refused(ConsentRefusal),
    /// The state does not count; nothing was stored.
    BadState(StateFault),
    /// Something failed that may work the next time.
    Failed(Error),
    /// There is no such provider, or it has no consent page.
    UnknownProvider,
}

/// Takes a browser back from a provider's consent page.
pub async fn oauth_callback(
    app: &App,
    provider: &Provider,
    callback: &Callback,
    origin: &str,
    correlation: &CorrelationId,
) -> Outcome {
    let Some(oauth) = app.providers.oauth(provider) else { return Outcome::UnknownProvider };
    let Some(state) = &callback.state else {
        // Nothing is believed and nothing is stored; the page only explains (`apis/fortnox.md` 1.1: a locked account
        // comes back with nothing at all).
        return match (&callback.error, &callback.code) {
            (Some(error), _) => Outcome::Refused(oauth.refusal(error)),
            (None, None) => Outcome::Refused(ConsentRefusal::Nothing),
            (None, Some(_)) => Outcome::BadState(StateFault::Forged),
        };
    };
    let claims = match checked(app, provider, state, callback.nonce.as_ref()).await {
        Ok(Ok(claims)) => claims,
        Ok(Err(fault)) => {
            tracing::warn!(%provider, %correlation, ?fault, "consent not believed");
            return Outcome::BadState(fault);
        }
        Err(error) => return Outcome::Failed(error),
    };
    tracing::Span::current().record("tenant", tracing::field::display(&claims.tenant));
    let consent = Consent { app, oauth: &*oauth, claims: &claims, correlation };
    let outcome = match (&callback.error, &callback.code) {
        (Some(error), _) => Outcome::Refused(oauth.refusal(error)),
        (None, None) => Outcome::Refused(ConsentRefusal::Nothing),
        (None, Some(code)) => consent.take(code, &request(origin, &claims, state.clone())).await,
    };
    consent.log(&outcome);
    outcome
}

/// The claims of a state that this browser may use, once.
async fn checked(
    app: &App,
    provider: &Provider,
    state: &str,
    nonce: Option<&SecretText>,
) -> Result<Result<Claims, StateFault>, Error> {
    let claims = match signer(app).await?.open(state, app.clock.now()) {
        Ok(claims) => claims,
        Err(fault) => return Ok(Err(fault)),
    };
    let same_browser =
        nonce.is_some_and(|nonce| nonce_hash(nonce).as_bytes().ct_eq(claims.nonce.as_bytes()).into());
    if !same_browser {
        return Ok(Err(StateFault::OtherBrowser));
    }
    if claims.provider != *provider {
        return Ok(Err(StateFault::OtherProvider));
    }
    let unused = app.nonces.nonce_take(&claims.nonce).await?;
    Ok(if unused { Ok(claims) } else { Err(StateFault::Used) })
}

/// A consent that is to be believed.
struct Consent<'a> {
    app: &'a App,
    oauth: &'a dyn OAuth,
    claims: &'a Claims,
    correlation: &'a CorrelationId,
}

impl Consent<'_> {
    async fn take(&self, code: &SecretText, request: &ConsentRequest) -> Outcome {
        let stored = async {
            let credentials = app_credentials(self.app, &self.claims.provider).await?;
            let entry = TokenEntry::begin(self.app, &self.claims.tenant, &self.claims.provider).await?;
            let consented = match self.oauth.exchange(&credentials, code, request).await {
                Ok(consented) => consented,
                Err(error) => {
                    entry.abandon().await;
                    return Err(error);
                }
            };
            self.store(entry, consented).await
        };
        match stored.await {
            Ok(None) => {}
            Ok(Some(refusal)) => return Outcome::Refused(refusal),
            Err(error @ Error::Consent { .. }) => {
                tracing::warn!(correlation = %self.correlation, error = chain(&error), "code refused");
                return Outcome::Refused(ConsentRefusal::CodeExpired);
            }
            Err(error) => return Outcome::Failed(error),
        }
        let Claims { tenant, provider, .. } = self.claims;
        match connection_resume(self.app, tenant, provider, self.correlation).await {
            Ok(resumed) => Outcome::Connected { resumed },
            Err(error) => {
                // The consent itself is safe; what waits goes on with the next sweep or nudge.
                tracing::error!(correlation = %self.correlation, error = chain(&error), "not resumed");
                Outcome::Connected { resumed: Resumed::default() }
            }
        }
    }

    /// Stores a consent unless it is another company's.
    async fn store(
        &self,
        entry: TokenEntry<'_>,
        consented: Consented,
    ) -> Result<Option<ConsentRefusal>, Error> {
        let Claims { tenant, provider, .. } = self.claims;
        let known = match self.app.directory.connection_get(tenant, provider).await {
            Ok(known) => known,
            Err(error) => {
                entry.abandon().await;
                return Err(error);
            }
        };
        if known.as_ref().is_some_and(|known| is_another_company(known, &consented)) {
            // The tokens are dropped and not revoked: another tenant may live on the same consent.
            entry.abandon().await;
            return Ok(Some(ConsentRefusal::OtherCompany));
        }
        let connection = self.connection(known, &consented);
        let secrets = without_refresh(entry.secrets());
        let written = async {
            let state = entry.store(secrets, Some(&consented.grant)).await?;
            self.app.directory.connection_put(&connection).await?;
            Ok(state)
        };
        match written.await {
            Ok(state) => entry.finish(&state).await.map(|()| None),
            Err(error) => {
                entry.abandon().await;
                Err(error)
            }
        }
    }

    fn connection(&self, known: Option<Connection>, consented: &Consented) -> Connection {
        let Claims { tenant, provider, .. } = self.claims;
        let mut connection = known.unwrap_or_else(|| Connection {
            tenant: tenant.clone(),
            provider: provider.clone(),
            state: ConnectionState::Unchecked,
            settings: [].into(),
            chart: None,
        });
        connection.state = ConnectionState::Healthy;
        // Accounts may have been another company's before a disconnection; reading them again costs little.
        connection.chart = None;
        connection.settings.extend(consented.settings.clone());
        connection.settings.insert(COMPANY.to_owned(), consented.company.clone());
        connection.settings.insert(CONNECTED_AT.to_owned(), self.app.clock.now().to_string());
        connection
    }

    fn log(&self, outcome: &Outcome) {
        let Claims { tenant, provider, .. } = self.claims;
        let correlation = self.correlation;
        match outcome {
            Outcome::Connected { .. } => tracing::info!(%tenant, %provider, %correlation, "consent given"),
            Outcome::Refused(why) => {
                tracing::warn!(%tenant, %provider, %correlation, ?why, "consent refused")
            }
            Outcome::Failed(error) => {
                tracing::error!(%tenant, %provider, %correlation, error = chain(error), "consent not stored");
            }
            Outcome::BadState(_) | Outcome::UnknownProvider => {}
        }
    }
}

/// Whether a consent is for another company than the connection's. Connections that were made without a consent know
/// their company only under the provider's own name for it.
fn is_another_company(known: &Connection, consented: &Consented) -> bool {
    if known.state == ConnectionState::Disconnected {
        return false;
    }
    let names = consented.settings.iter().filter(|(_, value)| **value == consented.company);
    let names = names.map(|(name, _)| name.as_str()).chain([COMPANY]);
    names.filter_map(|name| known.settings.get(name)).any(|company| *company != consented.company)
}

async fn signer(app: &App) -> Result<Signer, Error> {
    let secret = app.vault.secret_get(SIGNING_SECRET).await?;
    secret.and_then(|secret| Signer::new(&secret.credentials)).ok_or_else(unsigned)
}

fn unsigned() -> Error {
    let why = "the signing key is missing or too short; deploy the stack again";
    Error::storage("signing a consent", std::io::Error::other(why))
}

async fn app_credentials(app: &App, provider: &Provider) -> Result<Credentials, Error> {
    match app.providers.tokens(provider) {
        Some(endpoint) => app.access.app_credentials(provider, &*endpoint).await,
        None => Ok(Credentials::default()),
    }
}

fn request(origin: &str, claims: &Claims, state: String) -> ConsentRequest {
    ConsentRequest {
        redirect_uri: format!("{origin}/oauth/{}/callback", claims.provider),
        state,
        service_account: claims.service,
    }
}
