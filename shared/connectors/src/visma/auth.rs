//! Consent and access tokens (`apis/visma.md` 1). There are no client credentials: every connection lives by a refresh
//! token, which rotates for some apps and not for others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{
    ConsentRefusal, ConsentRequest, Consented, GrantKind, OAuth, TokenEndpoint, TokenGrant,
};
use bokbro_app::records::Connection;
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::Visma;
use super::wire::Claims;
use crate::kit::{
    OneToken, Request, TokenRefusal, claims, consent_url, fetch_grant, form_request, revoke_token,
};

/// Where the vault keeps the app's own client id and secret.
const APP_SECRET: &str = "app/visma";
/// The connection's setting that names the company, in lower case.
pub(super) const COMPANY_ID: &str = "company_id";

/// What the app asks for. Bank accounts, which payments name, belong to purchases.
const SCOPE: &str = "ea:api offline_access ea:sales ea:accounting ea:purchase_readonly";
/// Lets only companies with the ledger program be picked.
const ACR_VALUES: &str = "service:44643EB1-3F76-4C1C-A672-402AE8085934";

#[async_trait]
impl TokenEndpoint for Visma {
    fn app_secret(&self) -> Option<&str> {
        Some(APP_SECRET)
    }

    fn grant_kind(&self, _: &Connection) -> GrantKind {
        GrantKind::RefreshToken
    }

    /// Not documented (`apis/visma.md` 1).
    fn refresh_life(&self) -> Option<Duration> {
        None
    }

    /// Visma has no such grant.
    async fn client_credentials(
        &self,
        _: &Connection,
        _: &Credentials,
        _: &Credentials,
    ) -> Result<TokenGrant, Error> {
        Err(self.client.consent(said!("visma-by-consent", "it gives tokens by consent only; connect it")))
    }

    /// A refresh token that comes back counts from then on; when none does, the old one goes on counting.
    async fn refresh(
        &self,
        _: &Connection,
        app: &Credentials,
        refresh_token: &SecretText,
    ) -> Result<TokenGrant, Error> {
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ];
        fetch_grant(&self.client, &self.token_request(app, form)?, |refused| {
            no_consent(
                refused,
                said!(
                    "visma-consent-gone",
                    "the consent has ended, because it was withdrawn or the user changed the password; give it again"
                ),
            )
        })
        .await
    }
}

#[async_trait]
impl OAuth for Visma {
    /// Without `select_account` a default company is chosen silently (`apis/visma.md` 6).
    fn consent_url(&self, app: &Credentials, request: &ConsentRequest) -> Result<String, Error> {
        let client_id = app.get("client_id").ok_or_else(|| {
            self.client.consent(said!(
                "access-app-not-set",
                "{name} of the app is not set; put it into the app's secret",
                name = "client_id"
            ))
        })?;
        let query = [
            ("client_id", client_id.expose()),
            ("redirect_uri", &request.redirect_uri),
            ("scope", SCOPE),
            ("response_type", "code"),
            ("state", &request.state),
            ("prompt", "select_account"),
            ("acr_values", ACR_VALUES),
        ];
        Ok(consent_url(&self.urls.auth, "/connect/authorize", &query))
    }

    fn refusal(&self, error: &str) -> ConsentRefusal {
        match error {
            "access_denied" => ConsentRefusal::Denied,
            "invalid_scope" => ConsentRefusal::InvalidScope,
            "invalid_grant" => ConsentRefusal::CodeExpired,
            "" => ConsentRefusal::Nothing,
            _ => ConsentRefusal::Other,
        }
    }

    async fn exchange(
        &self,
        app: &Credentials,
        code: &SecretText,
        request: &ConsentRequest,
    ) -> Result<Consented, Error> {
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
            ("redirect_uri", request.redirect_uri.clone()),
        ];
        let grant = fetch_grant(&self.client, &self.token_request(app, form)?, |refused| {
            no_consent(
                refused,
                said!("access-code-used", "the code was used before or is too old; start the consent again"),
            )
        })
        .await?;
        if grant.refresh_token.is_none() {
            return Err(self.client.consent(said!(
                "visma-no-refresh-token",
                "the consent gave no refresh token; check that the app may use offline_access"
            )));
        }
        let company = match claimed(&grant.access_token) {
            Some(company) => company,
            None => {
                let tokens = Arc::new(OneToken(grant.access_token.clone()));
                self.company_settings(&self.client, tokens).await?.company_identifier().ok_or_else(|| {
                    self.client.consent(said!(
                        "visma-company-untold",
                        "Visma does not tell which company gave the consent; give it again"
                    ))
                })?
            }
        };
        let settings = [(COMPANY_ID.to_owned(), company.clone())].into();
        Ok(Consented { grant, company, settings })
    }

    async fn revoke(&self, app: &Credentials, refresh_token: &SecretText) -> Result<(), Error> {
        revoke_token(&self.client, &self.urls.auth, "/connect/revocation", app, refresh_token).await
    }
}

impl Visma {
    fn token_request(&self, app: &Credentials, form: Vec<(&'static str, String)>) -> Result<Request, Error> {
        form_request(&self.client, "fetch_token", &self.urls.auth, "/connect/token", app, form)
    }
}

/// The company that a token is for, in lower case, when it can be read.
pub(super) fn claimed(token: &SecretText) -> Option<String> {
    claims::<Claims>(token)?.customer_id.as_deref().map(str::to_lowercase)
}

/// What people must do about a refusal of the token endpoint; anything that is not listed passes by itself.
fn no_consent(refused: &TokenRefusal, invalid_grant: Said) -> Option<Said> {
    let message = match refused.error.as_str() {
        "invalid_grant" => invalid_grant,
        "invalid_client" => said!(
            "access-app-refused",
            "client id or client secret of the app is wrong; correct the app's credentials"
        ),
        "invalid_scope" => {
            said!("visma-no-scope", "the app may not ask for the scopes it needs; ask Visma to allow them")
        }
        "unauthorized_client" | "access_denied" => {
            said!("visma-app-not-let-in", "the app is not let in; ask Visma why")
        }
        _ => return None,
    };
    Some(said!("access-coded", "{message} ({code})", code = refused.name(); message))
}
