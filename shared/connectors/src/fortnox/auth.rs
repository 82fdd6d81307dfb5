//! Access tokens by client credentials (`apis/fortnox.md` 1.5). There is no refresh token, so nothing rotates.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{TokenEndpoint, TokenGrant};
use bokbro_app::records::Connection;
use bokbro_app::secret::{Credentials, SecretText};
use http::Method;

use super::Fortnox;
use super::wire::{Claims, Token, TokenRefused, text};
use crate::kit::{Answer, Auth, Body, Request};

/// Where the vault keeps the app's own client id and secret.
const APP_SECRET: &str = "app/fortnox";
/// The connection's setting that names the company: its database number.
const TENANT_ID: &str = "tenant_id";
/// Lifetime of a token that does not tell its own; the documented one is an hour.
const SHORT_LIFE: Duration = Duration::from_secs(600);

#[async_trait]
impl TokenEndpoint for Fortnox {
    fn app_secret(&self) -> Option<&str> {
        Some(APP_SECRET)
    }

    async fn client_credentials(
        &self,
        connection: &Connection,
        app: &Credentials,
        _own: &Credentials,
    ) -> Result<TokenGrant, Error> {
        let client = &self.client;
        let missing = |what: &str| client.consent(format!("{what} is not set; enter it for the connection"));
        let tenant = connection.settings.get(TENANT_ID).ok_or_else(|| missing(TENANT_ID))?;
        let id = app.get("client_id").ok_or_else(|| missing("client_id of the app"))?;
        let secret = app.get("client_secret").ok_or_else(|| missing("client_secret of the app"))?;
        let auth = Auth::Basic { user: id.expose().to_owned(), password: secret.clone() };
        let form = Body::Form(vec![("grant_type", "client_credentials".to_owned())]);
        let request =
            Request::write("fetch_token", Method::POST, &self.urls.auth, "/oauth-v1/token", form, auth)
                .with_header("TenantId", tenant.clone());
        let answer = client.read(&request).await?;
        if !answer.is_success() {
            return Err(match no_consent(&answer) {
                Some(message) => client.consent(message),
                None => {
                    let why = format!("the token endpoint answered with status {}", answer.status);
                    client.garbled(&request, why).into_read_error()
                }
            });
        }
        let token: Token = answer.json().map_err(|why| client.garbled(&request, why).into_read_error())?;
        if let Some(other) = tenant_of(&token.access_token).filter(|other| other != tenant) {
            return Err(client.consent(format!(
                "the token is for company {other}, the connection for {tenant}; nothing was written; correct {TENANT_ID} or give consent in the right company"
            )));
        }
        let seconds = token.expires_in.as_deref().and_then(|seconds| seconds.parse().ok());
        Ok(TokenGrant {
            access_token: SecretText::new(token.access_token),
            expires_in: seconds.map_or(SHORT_LIFE, Duration::from_secs),
        })
    }
}

/// What to do about a refusal that only people can lift. The content type says HTML or text, the body is JSON
/// (`apis/fortnox.md` 1.4); anything else passes by itself.
fn no_consent(answer: &Answer) -> Option<String> {
    let refused: TokenRefused = answer.json().ok()?;
    let says = |word: &str| refused.error.contains(word) || refused.error_description.contains(word);
    let message = if says("license") {
        "the company lacks a licence for the integration; buy it in Fortnox, then check the connection"
    } else if refused.error == "invalid_client" {
        "client id or client secret of the app is wrong; correct the app's credentials"
    } else if says("Client does not allow service account") {
        "the app may not use service accounts; allow them in Fortnox' developer portal"
    } else if ["invalid_grant", "unauthorized_client", "access_denied", "invalid_scope"]
        .contains(&&*refused.error)
    {
        "the company's consent is missing or was withdrawn; a system administrator must give it again"
    } else {
        return None;
    };
    Some(format!("{message} ({})", super::text::line(&refused.error, 40).unwrap_or_default()))
}

/// The company that a token is for, when it can be read (`apis/fortnox.md` 1.7).
fn tenant_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    text(&claims.tenant_id).map(str::to_owned)
}
