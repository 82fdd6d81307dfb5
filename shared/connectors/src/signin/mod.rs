//! The provider at which people sign in, by OpenID Connect: authorization code with PKCE. Any that has a discovery
//! document will do; the deployment names one.

mod proof;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{Clock, Identity, SignIn, Vault, Visit};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::said;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::kit::{Answer, Auth, Body, Client, Request, TokenRefusal, Wire, consent_url};
use proof::Expected;

/// The provider's name in logs and errors.
const NAME: &str = "sign-in";
/// Where the vault keeps our own client id and secret.
const APP_SECRET: &str = "app/sign-in";
/// What we ask for.
const SCOPES: &str = "openid email profile";
/// How long what the provider publishes of itself is believed.
const METADATA_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Where people sign in, and how it tells what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInConfig {
    /// The issuer: its address without a trailing slash.
    pub issuer: String,
    /// The claim that lists a person's groups.
    pub groups_claim: String,
}

/// What a provider publishes of itself (OpenID Connect Discovery 1.0 section 3), as far as it is needed.
#[derive(Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    end_session_endpoint: Option<String>,
}

/// A sign-in provider that speaks OpenID Connect.
pub struct Oidc {
    config: SignInConfig,
    client: Client,
    vault: Arc<dyn Vault>,
    known: Mutex<Option<(Timestamp, Metadata, proof::Keys)>>,
}

#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

impl Oidc {
    /// The provider of a deployment.
    #[must_use]
    pub fn new(
        config: SignInConfig,
        wire: Arc<dyn Wire>,
        clock: Arc<dyn Clock>,
        vault: Arc<dyn Vault>,
    ) -> Self {
        let issuer = config.issuer.trim_end_matches('/').to_owned();
        let config = SignInConfig { issuer, ..config };
        Self { config, client: Client::new(NAME, wire, clock), vault, known: Mutex::new(None) }
    }

    /// Our own client id and secret.
    async fn credentials(&self) -> Result<Credentials, Error> {
        let stored = self.vault.secret_get(APP_SECRET).await?;
        stored.map(|stored| stored.credentials).ok_or_else(|| {
            self.client.consent(said!(
                "signin-no-secret",
                "the vault has no secret {secret}; store client_id and client_secret of the sign-in provider there",
                secret = APP_SECRET
            ))
        })
    }

    fn client_id<'a>(&self, own: &'a Credentials) -> Result<&'a str, Error> {
        own.get("client_id").map(SecretText::expose).ok_or_else(|| {
            self.client.consent(said!(
                "signin-no-client-id",
                "the secret {secret} has no client_id; add it",
                secret = APP_SECRET
            ))
        })
    }

    /// What the provider publishes of itself; read anew when it is old, or when a proof was signed with a key that is not
    /// in it.
    async fn metadata(&self, lacking: Option<&str>) -> Result<(Metadata, proof::Keys), Error> {
        let mut known = self.known.lock().await;
        let now = self.client.clock().now();
        if let Some((read_at, metadata, keys)) = &*known
            && now.duration_since(*read_at) < METADATA_LIFE
            && lacking.is_none_or(|kid| keys.has(kid))
        {
            return Ok((metadata.clone(), keys.clone()));
        }
        let (metadata, keys) = self.published(&self.client).await?;
        *known = Some((now, metadata.clone(), keys.clone()));
        Ok((metadata, keys))
    }

    /// What the provider publishes of itself just now.
    async fn published(&self, client: &Client) -> Result<(Metadata, proof::Keys), Error> {
        let path = format!("{}/.well-known/openid-configuration", self.config.issuer);
        let metadata: Metadata = self.fetch(client, "read_sign_in_metadata", &path).await?;
        if metadata.issuer.trim_end_matches('/') != self.config.issuer {
            return Err(client.consent(said!(
                "signin-other-issuer",
                "the sign-in provider calls itself by another name than its address; see the parameter SignInIssuer"
            )));
        }
        let keys = proof::Keys::new(self.fetch(client, "read_sign_in_keys", &metadata.jwks_uri).await?);
        Ok((metadata, keys))
    }

    async fn fetch<T: DeserializeOwned>(
        &self,
        client: &Client,
        operation: &'static str,
        url: &str,
    ) -> Result<T, Error> {
        let (base, path) = self.split(url)?;
        let request = Request::get(operation, base, path, Auth::None);
        let answer = client.read(&request).await?;
        self.read(&request, &answer)
    }

    fn read<T: DeserializeOwned>(&self, request: &Request, answer: &Answer) -> Result<T, Error> {
        let garbled = |why: String| self.client.garbled(request, why).into_read_error();
        if !answer.is_success() {
            return Err(garbled(format!("status {}", answer.status)));
        }
        answer.json().map_err(|why| garbled(why.to_string()))
    }

    /// Host and path of an address that the provider publishes.
    fn split<'a>(&self, url: &'a str) -> Result<(&'a str, &'a str), Error> {
        let from = url.find("://").map(|at| at + 3);
        let slash = from.and_then(|from| url[from..].find('/').map(|at| from + at));
        slash.map(|at| url.split_at(at)).ok_or_else(|| {
            self.client.consent(said!(
                "signin-no-address",
                "the sign-in provider publishes something that is no address"
            ))
        })
    }
}

#[async_trait]
impl SignIn for Oidc {
    async fn page(&self, visit: &Visit) -> Result<String, Error> {
        let own = self.credentials().await?;
        let (metadata, _) = self.metadata(None).await?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(visit.verifier.expose().as_bytes()));
        let (base, path) = self.split(&metadata.authorization_endpoint)?;
        Ok(consent_url(
            base,
            path,
            &[
                ("response_type", "code"),
                ("client_id", self.client_id(&own)?),
                ("redirect_uri", &visit.redirect_uri),
                ("scope", SCOPES),
                ("state", &visit.state),
                ("nonce", &visit.nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        ))
    }

    async fn identity(&self, visit: &Visit, code: &SecretText) -> Result<Identity, Error> {
        let own = self.credentials().await?;
        let client_id = self.client_id(&own)?;
        let (metadata, _) = self.metadata(None).await?;
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", client_id.to_owned()),
            ("code", code.expose().to_owned()),
            ("redirect_uri", visit.redirect_uri.clone()),
            ("code_verifier", visit.verifier.expose().to_owned()),
        ];
        let (base, path) = self.split(&metadata.token_endpoint)?;
        // A client without a secret is known by its id and the verifier alone.
        let auth = match own.get("client_secret") {
            Some(password) => Auth::Basic { user: client_id.to_owned(), password: password.clone() },
            None => Auth::None,
        };
        let request =
            Request::write("exchange_sign_in_code", Method::POST, base, path, Body::Form(form), auth);
        let answer = self.client.read(&request).await?;
        if let Ok(refusal) = answer.json::<TokenRefusal>()
            && !answer.is_success()
        {
            let message = said!(
                "signin-code-refused",
                "the sign-in provider refuses the code: {name}",
                name = refusal.name()
            );
            return Err(self.client.consent(message));
        }
        let granted: Granted = self.read(&request, &answer)?;
        let token = SecretText::new(granted.id_token);
        let refused = |why: &str| {
            self.client.consent(said!(
                "signin-proof-refused",
                "the proof of who signed in does not count: {why}",
                why
            ))
        };
        let (_, keys) = self.metadata(Some(&proof::key_id(&token).map_err(refused)?)).await?;
        let expected = Expected {
            issuer: &metadata.issuer,
            audience: client_id,
            nonce: &visit.nonce,
            now: self.client.clock().now(),
        };
        let claims = keys.verify(&token, &expected).map_err(refused)?;
        Ok(claims.identity(&self.config.groups_claim))
    }

    async fn check(&self, deadline: Timestamp) -> Result<(), Error> {
        self.client_id(&self.credentials().await?)?;
        self.published(&self.client.until(deadline)).await.map(drop)
    }

    async fn leave(&self, back_to: &str) -> Result<Option<String>, Error> {
        let own = self.credentials().await?;
        let (metadata, _) = self.metadata(None).await?;
        let Some(url) = metadata.end_session_endpoint else { return Ok(None) };
        let (base, path) = self.split(&url)?;
        // Both spellings: that of the standard, and that of Cognito.
        let query = [
            ("client_id", self.client_id(&own)?),
            ("post_logout_redirect_uri", back_to),
            ("logout_uri", back_to),
        ];
        Ok(Some(consent_url(base, path, &query)))
    }
}
