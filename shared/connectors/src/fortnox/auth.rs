//! Consent and access tokens: by client credentials as a rule (`apis/fortnox.md` 1.5), where nothing rotates; by refresh
//! token for consents without a service account (1.3), where each use gives another.

use std::collections::BTreeMap;
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

use super::Fortnox;
use super::company::{self, TENANT_ID};
use crate::kit::{Request, TokenRefusal, consent_url, fetch_grant, form_request, revoke_token};

/// Where the vault keeps the app's own client id and secret.
const APP_SECRET: &str = "app/fortnox";
/// The connection's setting that says how it gets its tokens; client credentials unless it says otherwise.
pub(super) const GRANT: &str = "grant";
/// Its value for a consent without a service account.
const REFRESH_TOKEN: &str = "refresh_token";
/// Its value for a service account. Written out, so that it replaces the other one on a new consent.
const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A refresh token that nobody uses lapses after this (`apis/fortnox.md` 1.2).
const REFRESH_LIFE: Duration = Duration::from_secs(45 * 24 * 3_600);

/// What the app asks a company for (`apis/fortnox.md` 1.8). Each is read and write, there is no smaller choice.
pub(super) const SCOPES: [&str; 7] =
    ["bookkeeping", "companyinformation", "customer", "invoice", "order", "payment", "settings"];

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

    fn refresh_life(&self) -> Option<Duration> {
        Some(REFRESH_LIFE)
    }

    async fn client_credentials(
        &self,
        connection: &Connection,
        app: &Credentials,
        _own: &Credentials,
    ) -> Result<TokenGrant, Error> {
        let company = self.company(connection)?;
        let form = vec![("grant_type", CLIENT_CREDENTIALS.to_owned())];
        let request = self.token_request(app, form)?.with_header("TenantId", company.to_owned());
        let grant = fetch_grant(&self.client, &request, no_consent).await?;
        company::check(&self.client, &grant.access_token, company)?;
        Ok(grant)
    }

    /// Whose company the new token is for is looked at when it is used, not here: the old refresh token is dead by then,
    /// and an error would lose the new one.
    async fn refresh(
        &self,
        _connection: &Connection,
        app: &Credentials,
        refresh_token: &SecretText,
    ) -> Result<TokenGrant, Error> {
        let form = vec![
            ("grant_type", REFRESH_TOKEN.to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ];
        fetch_grant(&self.client, &self.token_request(app, form)?, no_consent).await
    }
}

#[async_trait]
impl OAuth for Fortnox {
    fn consent_url(&self, app: &Credentials, request: &ConsentRequest) -> Result<String, Error> {
        let client_id = app.get("client_id").ok_or_else(|| self.not_set("client_id of the app"))?;
        let scope = SCOPES.join(" ");
        let mut query = vec![
            ("client_id", client_id.expose()),
            ("response_type", "code"),
            ("state", &request.state),
            ("scope", &scope),
            ("redirect_uri", &request.redirect_uri),
            ("access_type", "offline"),
        ];
        if request.service_account {
            query.push(("account_type", "service"));
        }
        Ok(consent_url(&self.urls.auth, "/oauth-v1/auth", &query))
    }

    /// The codes of `apis/fortnox.md` 1.1.
    fn refusal(&self, error: &str) -> ConsentRefusal {
        match error {
            "access_denied" => ConsentRefusal::Denied,
            "invalid_scope" => ConsentRefusal::InvalidScope,
            "error_missing_license" | "error_missing_app_license" => ConsentRefusal::MissingLicense,
            "error_missing_system_admin_right" => ConsentRefusal::MissingAdminRight,
            "invalid_grant" => ConsentRefusal::CodeExpired,
            "" => ConsentRefusal::Nothing,
            _ => ConsentRefusal::Other,
        }
    }

    /// A service account's refresh token is dropped: client credentials take its place, so that it would never be used,
    /// lapse after 45 days, and be one more secret to lose meanwhile. It is not revoked either, because whether that
    /// ends the consent as well is not documented (`apis/fortnox.md` 1.6).
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
        let mut grant = fetch_grant(&self.client, &self.token_request(app, form)?, no_exchange).await?;
        let company = self.company_of(&grant.access_token).await?;
        let kind = if request.service_account { CLIENT_CREDENTIALS } else { REFRESH_TOKEN };
        if request.service_account {
            grant.refresh_token = None;
        } else if grant.refresh_token.is_none() {
            return Err(self.client.consent(said!(
                "fortnox-no-refresh-token",
                "the consent gave no refresh token; give it again"
            )));
        }
        let settings = [(TENANT_ID, company.clone()), (GRANT, kind.to_owned())];
        let settings: BTreeMap<String, String> =
            settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Consented { grant, company, settings })
    }

    async fn revoke(&self, app: &Credentials, refresh_token: &SecretText) -> Result<(), Error> {
        revoke_token(&self.client, &self.urls.auth, "/oauth-v1/revoke", app, refresh_token).await
    }
}

impl Fortnox {
    /// The company of a connection, by its database number.
    pub(super) fn company<'a>(&self, connection: &'a Connection) -> Result<&'a str, Error> {
        connection.settings.get(TENANT_ID).map(String::as_str).ok_or_else(|| self.not_set(TENANT_ID))
    }

    fn not_set(&self, what: &str) -> Error {
        self.client.consent(said!("access-not-set", "{what} is not set; enter it for the connection", what))
    }

    fn token_request(&self, app: &Credentials, form: Vec<(&'static str, String)>) -> Result<Request, Error> {
        form_request(&self.client, "fetch_token", &self.urls.auth, "/oauth-v1/token", app, form)
    }
}

/// What to do about a refusal that only people can lift (`apis/fortnox.md` 1.4); anything else passes by itself.
fn no_consent(refused: &TokenRefusal) -> Option<Said> {
    let says = |word: &str| refused.error.contains(word) || refused.error_description.contains(word);
    let message = if says("license") {
        said!(
            "fortnox-no-licence",
            "the company lacks a licence for the integration; buy it in Fortnox, then check the connection"
        )
    } else if refused.error == "invalid_client" {
        said!(
            "access-app-refused",
            "client id or client secret of the app is wrong; correct the app's credentials"
        )
    } else if says("Client does not allow service account") {
        said!(
            "fortnox-no-service-accounts",
            "the app may not use service accounts; allow them in Fortnox' developer portal"
        )
    } else if ["invalid_grant", "unauthorized_client", "access_denied", "invalid_scope"]
        .contains(&&*refused.error)
    {
        said!(
            "fortnox-consent-gone",
            "the company's consent is missing or was withdrawn; a system administrator must give it again"
        )
    } else {
        return None;
    };
    Some(said!("access-coded", "{message} ({code})", code = refused.name(); message))
}

/// The same for a code. One that was used, is older than ten minutes or is made up cannot be told apart.
fn no_exchange(refused: &TokenRefusal) -> Option<Said> {
    let licence = refused.error_description.contains("license");
    if refused.error == "invalid_grant" && !licence {
        let message =
            said!("access-code-used", "the code was used before or is too old; start the consent again");
        return Some(said!("access-coded", "{message} ({code})", code = "invalid_grant"; message));
    }
    no_consent(refused)
}
