//! What connectors with OAuth 2 share: the address of the consent page, the token endpoint's answers, and what can be
//! read of a token.
//!
//! No text that comes from here quotes a code, a token or what the endpoint said of them.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{TokenGrant, Tokens};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::loose::LooseText;
use super::request::{Auth, Body, Request, path_segment};

/// Lifetime of a token that does not tell its own; providers that are known give an hour.
const SHORT_LIFE: Duration = Duration::from_secs(600);

/// Address of a consent page. Its query is escaped so that blanks are `%20`, which every server reads alike.
#[must_use]
pub fn consent_url(base: &str, path: &str, query: &[(&str, &str)]) -> String {
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", path_segment(value))).collect();
    format!("{}{path}?{}", base.trim_end_matches('/'), query.join("&"))
}

/// A call of an OAuth endpoint in the app's name; sent once, because it may use a code or a refresh token up.
///
/// # Errors
/// `Consent` when the app's credentials lack something.
pub fn form_request(
    client: &Client,
    operation: &'static str,
    base: &str,
    path: &str,
    app: &Credentials,
    form: Vec<(&'static str, String)>,
) -> Result<Request, Error> {
    let credential = |name: &str| {
        app.get(name).ok_or_else(|| {
            client.consent(said!(
                "access-app-not-set",
                "{name} of the app is not set; put it into the app's secret",
                name
            ))
        })
    };
    let user = credential("client_id")?.expose().to_owned();
    let auth = Auth::Basic { user, password: credential("client_secret")?.clone() };
    Ok(Request::write(operation, Method::POST, base, path, Body::Form(form), auth))
}

/// Why an OAuth endpoint refuses (RFC 6749 section 5.2).
#[derive(Deserialize)]
pub struct TokenRefusal {
    /// Its name for the reason.
    pub error: String,
    /// Its text. It may quote what was sent, so it is looked into and never shown.
    #[serde(default)]
    pub error_description: String,
}

impl TokenRefusal {
    /// The reason's name, for people. What does not look like one could be anything and is not shown.
    #[must_use]
    pub fn name(&self) -> &str {
        let is_name =
            self.error.len() <= 40 && self.error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if is_name { &self.error } else { "unnamed" }
    }
}

/// What a token endpoint gives (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    refresh_token: LooseText,
    #[serde(default)]
    expires_in: LooseText,
}

/// Asks a token endpoint. The body is read as JSON whatever its content type claims. `no_consent` says what people must
/// do about a refusal that only they can lift; every other one passes by itself.
///
/// # Errors
/// `Consent` where `no_consent` says so, `Unavailable` otherwise.
pub async fn fetch_grant(
    client: &Client,
    request: &Request,
    no_consent: impl Fn(&TokenRefusal) -> Option<Said>,
) -> Result<TokenGrant, Error> {
    let answer = client.read(request).await?;
    if !answer.is_success() {
        let refusal: Option<TokenRefusal> = answer.json().ok();
        return Err(match refusal.and_then(|refusal| no_consent(&refusal)) {
            Some(message) => client.consent(message),
            None => {
                let why = format!("the token endpoint answered with status {}", answer.status);
                client.garbled(request, why).into_read_error()
            }
        });
    }
    let garbled = |why: String| client.garbled(request, why).into_read_error();
    let granted: Granted = answer.json().map_err(|why| garbled(why.to_string()))?;
    if granted.access_token.is_empty() {
        return Err(garbled("the access token is empty".to_owned()));
    }
    let seconds = granted.expires_in.as_deref().and_then(|seconds| seconds.parse().ok());
    Ok(TokenGrant {
        access_token: SecretText::new(granted.access_token),
        expires_in: seconds.map_or(SHORT_LIFE, Duration::from_secs),
        refresh_token: granted.refresh_token.0.map(SecretText::new),
    })
}

/// Takes a refresh token back (RFC 7009). Repeatable: a token that is unknown by then is taken back as well.
///
/// # Errors
/// `Consent` when the app is not let in, `Unavailable` otherwise.
pub async fn revoke_token(
    client: &Client,
    base: &str,
    path: &str,
    app: &Credentials,
    refresh_token: &SecretText,
) -> Result<(), Error> {
    let form =
        vec![("token_type_hint", "refresh_token".to_owned()), ("token", refresh_token.expose().to_owned())];
    let request = form_request(client, "revoke_token", base, path, app, form)?;
    let request = Request { repeatable: true, ..request };
    let answer = client.read(&request).await?;
    if answer.is_success() {
        return Ok(());
    }
    let refusal: Option<TokenRefusal> = answer.json().ok();
    if refusal.is_some_and(|refusal| refusal.error == "invalid_client") {
        return Err(client.consent(said!(
            "access-app-refused",
            "client id or client secret of the app is wrong; correct the app's credentials"
        )));
    }
    let why = format!("revoking was answered with status {}", answer.status);
    Err(client.garbled(&request, why).into_read_error())
}

/// Claims of a token that is a JWT; `None` when it is none or lacks their shape. The signature is not looked at: the
/// token comes from the provider itself over TLS.
#[must_use]
pub fn claims<T: DeserializeOwned>(token: &SecretText) -> Option<T> {
    let claims = token.expose().split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// A token that was just given and has no successor.
pub struct OneToken(pub SecretText);

#[async_trait]
impl Tokens for OneToken {
    async fn token(&self) -> Result<SecretText, Error> {
        Ok(self.0.clone())
    }

    /// There is no other one to give.
    async fn refused(&self, _: &SecretText) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_url_keeps_every_value_whole() {
        let query = [("state", "a b&c=d/ö+%"), ("scope", "x y")];
        assert_eq!(
            consent_url("https://id.example/", "/auth", &query),
            "https://id.example/auth?state=a%20b%26c%3Dd%2F%C3%B6%2B%25&scope=x%20y"
        );
    }

    #[test]
    fn only_what_looks_like_a_name_is_shown() {
        let named = |error: &str| {
            TokenRefusal { error: error.to_owned(), error_description: String::new() }.name().to_owned()
        };
        assert_eq!(named("invalid_grant"), "invalid_grant");
        for other in ["0123456789abcdef", "a b", "ey.J", "a_name_that_is_longer_than_any_reason_has_been"] {
            assert_eq!(named(other), "unnamed", "{other}");
        }
    }

    #[test]
    fn claims_are_read_whatever_the_padding() {
        #[derive(Deserialize)]
        struct Who {
            who: String,
        }
        for padding in ["", "="] {
            let middle = URL_SAFE_NO_PAD.encode(r#"{"who":"me","x":1}"#);
            let token = SecretText::new(format!("e30.{middle}{padding}.sig"));
            assert_eq!(claims::<Who>(&token).unwrap().who, "me");
        }
        for other in ["opaque", "a.b.c", "e30.e30.e30", ""] {
            assert!(claims::<Who>(&SecretText::new(other.to_owned())).is_none(), "{other}");
        }
    }
}
