//! The authorization server: consent, tokens and their odd error answers (`apis/fortnox.md` 1).

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::FortnoxConfig;
use super::world::{World, page};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
const ACCESS_LIFE: SignedDuration = SignedDuration::from_secs(3600);
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(45 * 24);

/// What a token or code stands for. Holds no secret itself.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) tenant: String,
    pub(super) scopes: Vec<String>,
    expires: Timestamp,
    /// The redirect address that a code is bound to.
    redirect_uri: String,
}

/// Who has consented to what, and the tokens that are out. It has no `Debug`: the keys are secrets.
pub(super) struct Authority {
    client: String,
    /// What the consent page does next: `approve`, an error code, or `nothing`.
    pub(super) consent_answer: String,
    /// The tenant that consents next.
    pub(super) consenting_tenant: String,
    service_consents: BTreeSet<String>,
    codes: BTreeMap<String, Grant>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Grant>,
    issued: u64,
}

/// Query of the authorize page.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Consent {
    client_id: String,
    response_type: String,
    state: String,
    scope: String,
    redirect_uri: String,
    account_type: String,
}

/// Form of the token endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TokenForm {
    grant_type: String,
    code: String,
    redirect_uri: String,
    refresh_token: String,
    scope: String,
}

/// Form of the revoke endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RevokeForm {
    token: String,
}

impl Authority {
    pub(super) fn new(config: &FortnoxConfig) -> Self {
        let consented = config.tenants.iter().filter(|tenant| tenant.service_consent);
        Self {
            client: format!("{}:{}", config.client_id, config.client_secret),
            consent_answer: "approve".to_owned(),
            consenting_tenant: config
                .tenants
                .first()
                .map(|tenant| tenant.database_number.clone())
                .unwrap_or_default(),
            service_consents: consented.map(|tenant| tenant.database_number.clone()).collect(),
            codes: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            issued: 0,
        }
    }

    /// The grant behind an access token that is alive.
    pub(super) fn access(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    fn is_client(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|value| STANDARD.decode(value).ok())
            .is_some_and(|client| client == self.client.as_bytes())
    }

    /// A string that is never given out twice, as long as a SHA-256 in hexadecimal.
    fn unique(&mut self, now: Timestamp) -> String {
        self.issued += 1;
        let digest = Sha256::digest(format!("{}/{}/{now}", self.client, self.issued));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A token that looks like the real one (`apis/fortnox.md` 1.7); its signature is made up.
    fn access_token(&mut self, grant: &Grant, client_id: &str, now: Timestamp) -> String {
        let id = self.unique(now);
        let claims = json!({
            "userId": 1, "tenantId": grant.tenant.parse::<u64>().unwrap_or_default(), "clientId": client_id,
            "scopes": grant.scopes, "scope": grant.scopes.join(" "), "authSource": "OAUTH2",
            "id": &id[..32], "jti": &id[..32], "iss": "https://api.fortnox.se/oauth2", "aud": client_id,
            "sub": format!("1@{}", grant.tenant), "iat": now.as_second(),
            "exp": now.as_second() + ACCESS_LIFE.as_secs(), "token_type": "bearer",
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!(
            "{}.{}.{}",
            part(&json!({"typ": "JWT", "alg": "HS256"})),
            part(&claims),
            URL_SAFE_NO_PAD.encode(&id[..43])
        );
        self.access.insert(token.clone(), Grant { expires: after(now, ACCESS_LIFE), ..grant.clone() });
        token
    }

    fn refresh_token(&mut self, grant: &Grant, now: Timestamp) -> String {
        let token = self.unique(now)[..40].to_owned();
        self.refresh.insert(token.clone(), Grant { expires: after(now, REFRESH_LIFE), ..grant.clone() });
        token
    }
}

fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.saturating_add(life).unwrap_or(Timestamp::MAX)
}

/// `GET /oauth-v1/auth`: a user who decides at once, as the switches say.
pub(super) fn consent(world: &mut World, asked: &Consent, now: Timestamp) -> Response {
    if asked.client_id != world.config.client_id || asked.redirect_uri.is_empty() {
        return page(400, "<html><body>Auth code or ClientID supplied is invalid</body></html>");
    }
    let back = |parameters: &[(&str, &str)]| {
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let joint = if query.is_empty() {
            ""
        } else if asked.redirect_uri.contains('?') {
            "&"
        } else {
            "?"
        };
        Redirect::to(&format!("{}{joint}{}", asked.redirect_uri, query.join("&"))).into_response()
    };
    let scopes: Vec<String> = asked.scope.split_whitespace().map(str::to_owned).collect();
    let known = scopes.iter().all(|scope| world.config.scopes.contains(scope));
    if asked.response_type != "code" || scopes.is_empty() || !known {
        return back(&[("error", "invalid_scope"), ("state", &asked.state)]);
    }
    match world.authority.consent_answer.as_str() {
        "approve" => {}
        "nothing" => return back(&[]),
        error => return back(&[("error", error), ("state", &asked.state)]),
    }
    let authority = &mut world.authority;
    let tenant = authority.consenting_tenant.clone();
    if let Some(books) = world.books.get_mut(&tenant) {
        books.settings.consent_revoked = false;
    }
    if asked.account_type == "service" {
        authority.service_consents.insert(tenant.clone());
    }
    let id = authority.unique(now);
    let code = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32]);
    let grant =
        Grant { tenant, scopes, expires: after(now, CODE_LIFE), redirect_uri: asked.redirect_uri.clone() };
    authority.codes.insert(code.clone(), grant);
    back(&[("code", &code), ("state", &asked.state)])
}

/// Percent-encodes what is not unreserved in a query.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// `POST /oauth-v1/token`.
pub(super) fn token(world: &mut World, headers: &HeaderMap, form: &TokenForm, now: Timestamp) -> Response {
    if !world.authority.is_client(headers) {
        return invalid_client();
    }
    let granted = match form.grant_type.as_str() {
        "authorization_code" => by_code(world, form, now),
        "refresh_token" => by_refresh_token(world, form, now),
        "client_credentials" => by_tenant(world, headers, form, now),
        _ => Err(refused("unsupported_grant_type", "The grant type is not supported")),
    };
    let (grant, rotates) = match granted {
        Ok(granted) => granted,
        Err(response) => return *response,
    };
    let client_id = world.config.client_id.clone();
    let access = world.authority.access_token(&grant, &client_id, now);
    let mut body = json!({
        "access_token": access, "scope": grant.scopes.join(" "),
        "expires_in": ACCESS_LIFE.as_secs(), "token_type": "bearer",
    });
    if rotates {
        body["refresh_token"] = world.authority.refresh_token(&grant, now).into();
    }
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (headers, axum::Json(body)).into_response()
}

/// The grant, and whether a refresh token comes with it.
type Granted = Result<(Grant, bool), Box<Response>>;

fn by_code(world: &mut World, form: &TokenForm, now: Timestamp) -> Granted {
    let grant = world.authority.codes.remove(&form.code);
    let grant = grant.filter(|grant| now < grant.expires && grant.redirect_uri == form.redirect_uri);
    let grant = grant.ok_or_else(|| {
        refused("invalid_grant", "Authorization code doesn't exist or is invalid for the client")
    })?;
    licensed(world, &grant.tenant)?;
    Ok((grant, true))
}

fn by_refresh_token(world: &mut World, form: &TokenForm, now: Timestamp) -> Granted {
    let invalid = || refused("invalid_grant", "Invalid refresh token");
    let grant = world.authority.refresh.get(&form.refresh_token).cloned();
    let grant = grant.filter(|grant| now < grant.expires).ok_or_else(invalid)?;
    licensed(world, &grant.tenant)?;
    if revoked(world, &grant.tenant) {
        return Err(invalid());
    }
    // The old token is dead at once, even if the answer never arrives.
    world.authority.refresh.remove(&form.refresh_token);
    Ok((grant, true))
}

/// Client credentials: the tenant comes in a header and must have consented to a service account before.
fn by_tenant(world: &mut World, headers: &HeaderMap, form: &TokenForm, now: Timestamp) -> Granted {
    let tenant = headers.get("TenantId").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if !world.authority.service_consents.contains(&tenant) || revoked(world, &tenant) {
        return Err(refused("invalid_grant", "No valid consent exists for the tenant"));
    }
    licensed(world, &tenant)?;
    let asked: Vec<String> = form.scope.split_whitespace().map(str::to_owned).collect();
    if !asked.iter().all(|scope| world.config.scopes.contains(scope)) {
        return Err(refused("invalid_scope", "The scope is not granted"));
    }
    let scopes = if asked.is_empty() { world.config.scopes.clone() } else { asked };
    Ok((Grant { tenant, scopes, expires: now, redirect_uri: String::new() }, false))
}

fn revoked(world: &World, tenant: &str) -> bool {
    world.books.get(tenant).is_none_or(|books| books.settings.consent_revoked)
}

fn licensed(world: &World, tenant: &str) -> Result<(), Box<Response>> {
    if world.books.get(tenant).is_some_and(|books| books.settings.integration_license_lost) {
        return Err(refused("error_missing_license", "The customer does not have enough licenses"));
    }
    Ok(())
}

/// `POST /oauth-v1/revoke`: says yes to anything.
pub(super) fn revoke(world: &mut World, headers: &HeaderMap, form: &RevokeForm) -> Response {
    if !world.authority.is_client(headers) {
        return invalid_client();
    }
    world.authority.refresh.remove(&form.token);
    axum::Json(json!({"revoked": true})).into_response()
}

/// Recorded as plain text although it is JSON.
fn invalid_client() -> Response {
    let body = r#"{"error":"invalid_client","error_description":"The client credentials are invalid"}"#;
    odd(StatusCode::UNAUTHORIZED, "text/plain;charset=UTF-8", body.to_owned())
}

/// Recorded as HTML although it is JSON.
fn refused(error: &str, description: &str) -> Box<Response> {
    let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
    Box::new(odd(StatusCode::BAD_REQUEST, "text/html; charset=UTF-8", body))
}

fn odd(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
