//! Access tokens: by client credentials as a rule (`apis/fortnox.md` 1.5), where nothing rotates; by refresh token for
//! consents without a service account (1.3), where each use gives another.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{GrantKind, TokenEndpoint, TokenGrant};
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

/// The connection's setting that says how it gets its tokens.
const GRANT: &str = "grant";
/// Its value for a consent without a service account.
const REFRESH_TOKEN: &str = "refresh_token";

#[async_trait]
impl TokenEndpoint for Fortnox {
    fn app_secret(&self) -> Option<&str> {
        Some(APP_SECRET)
    }

    fn grant_kind(&self, connection: &Connection) -> GrantKind {
        match connection.settings.get(GRANT).map(String::as_str) {
            Some(REFRESH_TOKEN) => GrantKind::RefreshToken,
            _ => GrantKind::ClientCredentials,
        }
    }

    async fn client_credentials(
        &self,
        connection: &Connection,
        app: &Credentials,
        _own: &Credentials,
    ) -> Result<TokenGrant, Error> {
        let company = self.company(connection)?;
        let request = self
            .token_request(app, vec![("grant_type", "client_credentials".to_owned())])?
            .with_header("TenantId", company.to_owned());
        let token = self.fetch_token(&request).await?;
        self.check_company(&token, company)?;
        Ok(grant(token))
    }

    async fn refresh(
        &self,
        connection: &Connection,
        app: &Credentials,
        refresh_token: &SecretText,
    ) -> Result<TokenGrant, Error> {
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ];
        let token = self.fetch_token(&self.token_request(app, form)?).await?;
        self.check_company(&token, self.company(connection)?)?;
        Ok(grant(token))
    }
}

impl Fortnox {
    /// The company of a connection, by its database number.
    fn company<'a>(&self, connection: &'a Connection) -> Result<&'a str, Error> {
        connection.settings.get(TENANT_ID).map(String::as_str).ok_or_else(|| self.not_set(TENANT_ID))
    }

    fn not_set(&self, what: &str) -> Error {
        self.client.consent(format!("{what} is not set; enter it for the connection"))
    }

    /// A call of the token endpoint; never repeated, because it may rotate a token.
    fn token_request(&self, app: &Credentials, form: Vec<(&'static str, String)>) -> Result<Request, Error> {
        let id = app.get("client_id").ok_or_else(|| self.not_set("client_id of the app"))?;
        let secret = app.get("client_secret").ok_or_else(|| self.not_set("client_secret of the app"))?;
        let auth = Auth::Basic { user: id.expose().to_owned(), password: secret.clone() };
        let (base, path) = (&self.urls.auth, "/oauth-v1/token");
        Ok(Request::write("fetch_token", Method::POST, base, path, Body::Form(form), auth))
    }

    async fn fetch_token(&self, request: &Request) -> Result<Token, Error> {
        let client = &self.client;
        let answer = client.read(request).await?;
        if !answer.is_success() {
            return Err(match no_consent(&answer) {
                Some(message) => client.consent(message),
                None => {
                    let why = format!("the token endpoint answered with status {}", answer.status);
                    client.garbled(request, why).into_read_error()
                }
            });
        }
        answer.json().map_err(|why| client.garbled(request, why).into_read_error())
    }

    /// Refuses a token of another company before anything is written with it.
    fn check_company(&self, token: &Token, company: &str) -> Result<(), Error> {
        match tenant_of(&token.access_token).filter(|other| other != company) {
            None => Ok(()),
            Some(other) => Err(self.client.consent(format!(
                "the token is for company {other}, the connection for {company}; nothing was written; correct {TENANT_ID} or give consent in the right company"
            ))),
        }
    }
}

fn grant(token: Token) -> TokenGrant {
    let seconds = token.expires_in.as_deref().and_then(|seconds| seconds.parse().ok());
    TokenGrant {
        access_token: SecretText::new(token.access_token),
        expires_in: seconds.map_or(SHORT_LIFE, Duration::from_secs),
        refresh_token: token.refresh_token.map(SecretText::new),
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
