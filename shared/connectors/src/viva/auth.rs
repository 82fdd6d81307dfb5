//! Ways in: an access token by client credentials for the newer API, merchant id and API key for the older one.

use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Checkup, EntryField, Findings, GrantKind, TokenEndpoint, TokenGrant};
use bokbro_app::records::Connection;
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::said;

use super::wire::{Token, TokenRefusal, WebhookKey};
use super::{Viva, requests};
use crate::kit::{Auth, Failure};

/// The setting that holds the merchant id, a UUID.
const MERCHANT_ID: &str = "merchant_id";
/// The setting that names the shops whose payments count, with commas.
pub(super) const SOURCE_CODES: &str = "source_codes";

/// What people enter, from Viva's API access settings: two pairs, and the shops whose payments count when not all do.
pub const ENTRY_FIELDS: &[EntryField] = &[
    EntryField { name: MERCHANT_ID, secret: false, required: true },
    EntryField { name: "api_key", secret: true, required: true },
    EntryField { name: "client_id", secret: true, required: true },
    EntryField { name: "client_secret", secret: true, required: true },
    EntryField { name: SOURCE_CODES, secret: false, required: false },
];

/// Refusals that the same request will always meet (RFC 6749 section 5.2).
const FOR_GOOD: [&str; 5] =
    ["invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type"];

#[async_trait]
impl TokenEndpoint for Viva {
    /// None: each merchant has credentials of its own.
    fn app_secret(&self) -> Option<&str> {
        None
    }

    fn grant_kind(&self, _: &Connection) -> GrantKind {
        GrantKind::ClientCredentials
    }

    fn refresh_life(&self) -> Option<Duration> {
        None
    }

    async fn client_credentials(
        &self,
        _: &Connection,
        _: &Credentials,
        own: &Credentials,
    ) -> Result<TokenGrant, Error> {
        let client_id = self.entered(own, "client_id")?;
        let client_secret = self.entered(own, "client_secret")?;
        let request = requests::fetch_token(&self.urls, client_id.expose(), client_secret);
        let answer = self.client.read(&request).await?;
        if !answer.is_success() {
            let refusal = answer.json::<TokenRefusal>().map(|refusal| refusal.error).unwrap_or_default();
            return Err(if matches!(answer.status, 401 | 403) || FOR_GOOD.contains(&refusal.as_str()) {
                self.client.consent(said!(
                    "viva-client-refused",
                    "it refuses the Smart Checkout client id and client secret; copy them again from Viva's API access \
                     settings"
                ))
            } else {
                let why = format!("status {}", answer.status);
                Failure::into_read_error(self.client.garbled(&request, why))
            });
        }
        let token: Token = self.json(&request, &answer)?;
        let seconds = token.expires_in.as_deref().and_then(|seconds| seconds.parse().ok());
        let seconds =
            seconds.ok_or_else(|| self.garbled(&request, "expires_in is not a number of seconds"))?;
        Ok(TokenGrant {
            access_token: SecretText::new(token.access_token),
            expires_in: Duration::from_secs(seconds),
            refresh_token: None,
        })
    }

    /// Viva gives no refresh tokens (`apis/viva-ongoing-bank.md` 1.1).
    async fn refresh(&self, _: &Connection, _: &Credentials, _: &SecretText) -> Result<TokenGrant, Error> {
        Err(self.client.consent(said!(
            "viva-no-refresh-tokens",
            "it gives no refresh tokens; enter its credentials again"
        )))
    }
}

#[async_trait]
impl Checkup for Viva {
    /// Tries both pairs: a token with the newer one, the webhook key with the older one. The token is fetched even when
    /// another is at hand, because that one proves nothing of what was entered since.
    async fn check(&self, access: &Access) -> Result<Findings, Error> {
        self.client_credentials(&access.connection, &Credentials::default(), &access.credentials).await?;
        let request = requests::read_webhook_key(&self.urls, self.merchant(access)?);
        let missing = || self.garbled(&request, "there is no webhook key");
        let answer = self.read(access, &request).await?.ok_or_else(missing)?;
        let WebhookKey { key } = self.json(&request, &answer)?;
        let key = key.0.ok_or_else(missing)?;
        Ok(Findings { settings: [("webhook_key".to_owned(), key)].into(), ..Findings::default() })
    }
}

impl Viva {
    /// The credentials of the older API. The merchant id is no secret and stands in the settings; connections that were
    /// made before it did have it among the credentials.
    pub(super) fn merchant(&self, access: &Access) -> Result<Auth, Error> {
        let user = match access.connection.settings.get(MERCHANT_ID) {
            Some(merchant) => merchant.clone(),
            None => self.entered(&access.credentials, MERCHANT_ID)?.expose().to_owned(),
        };
        let password = self.entered(&access.credentials, "api_key")?.clone();
        Ok(Auth::Basic { user, password })
    }

    fn entered<'a>(&self, own: &'a Credentials, name: &str) -> Result<&'a SecretText, Error> {
        own.get(name).ok_or_else(|| {
            self.client.consent(said!("access-never-entered", "its {name} was never entered; enter it", name))
        })
    }
}
