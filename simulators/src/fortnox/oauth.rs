//! The authorization server: consent, tokens and their odd error answers (`apis/fortnox.md` 1).

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::config::{FortnoxConfig, RefreshReuse};
use super::json::Object;
use super::world::{World, page};
use crate::kit::oauth::{Mint, after, back_to, is_client};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
const ACCESS_LIFE: SignedDuration = SignedDuration::from_secs(3600);
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(45 * 24);
/// How long a used refresh token still serves when reuse is met with grace.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What the consent page may be told to do next (`apis/fortnox.md` 1.1).
pub(super) const CONSENT_ANSWERS: [&str; 8] = [
    "approve",
    "ask",
    "nothing",
    "invalid_scope",
    "access_denied",
    "error_missing_license",
    "error_missing_app_license",
    "error_missing_system_admin_right",
];

/// What a token or code stands for. Holds no secret itself.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) tenant: String,
    pub(super) scopes: Vec<String>,
    expires: Timestamp,
    /// The redirect address that a code is bound to.
    redirect_uri: String,
    /// The consent that all tokens of a row of rotations come from; 0 for client credentials.
    family: u64,
}

/// A refresh token's grant, and when it was used up.
struct Refresh {
    grant: Grant,
    used: Option<Timestamp>,
}

/// Who has consented to what, and the tokens that are out. It has no `Debug`: the keys are secrets.
pub(super) struct Authority {
    mint: Mint,
    /// What the consent page does next, one of [`CONSENT_ANSWERS`].
    pub(super) consent_answer: String,
    /// The tenant that consents next.
    pub(super) consenting_tenant: String,
    /// Whether the app may ask for service accounts.
    pub(super) service_accounts: bool,
    /// What using a refresh token twice leads to.
    pub(super) refresh_reuse: RefreshReuse,
    /// How long a refresh token lives unless it is used.
    pub(super) refresh_life: SignedDuration,
    /// The tenant that every token is made out for, whoever consented; empty for the right one.
    pub(super) token_company: String,
    service_consents: BTreeSet<String>,
    codes: BTreeMap<String, Grant>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Refresh>,
    families: u64,
    token_calls: BTreeMap<&'static str, u32>,
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
    /// What a person has clicked on the page; the real one has no such parameter.
    answer: String,
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
        let first = config.tenants.first();
        Self {
            mint: Mint::new(format!("fortnox:{}:{}", config.client_id, config.client_secret)),
            consent_answer: "approve".to_owned(),
            consenting_tenant: first.map(|tenant| tenant.database_number.clone()).unwrap_or_default(),
            service_accounts: true,
            refresh_reuse: RefreshReuse::default(),
            refresh_life: REFRESH_LIFE,
            token_company: String::new(),
            service_consents: consented.map(|tenant| tenant.database_number.clone()).collect(),
            codes: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            families: 0,
            token_calls: BTreeMap::new(),
        }
    }

    /// The grant behind an access token that is alive.
    pub(super) fn access(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    /// Whether this refresh token would be taken now.
    pub(super) fn is_live(&self, refresh_token: &str, now: Timestamp) -> bool {
        self.refresh.get(refresh_token).is_some_and(|refresh| self.serves(refresh, now))
    }

    fn serves(&self, refresh: &Refresh, now: Timestamp) -> bool {
        let in_grace = |used| self.refresh_reuse == RefreshReuse::Grace && now < after(used, GRACE);
        now < refresh.grant.expires && refresh.used.is_none_or(in_grace)
    }

    /// Every code and token given out so far.
    pub(super) fn secrets(&self) -> &[String] {
        self.mint.made()
    }

    /// Forgets a tenant's refresh tokens: its consent is withdrawn, and another one brings others.
    pub(super) fn withdraw(&mut self, tenant: &str) {
        self.refresh.retain(|_, refresh| refresh.grant.tenant != tenant);
    }

    /// Sets the counters to zero; what was given out stays.
    pub(super) fn reset_counters(&mut self) {
        self.token_calls.clear();
    }

    /// How many tokens are out and how many calls were made, without any token's text.
    pub(super) fn state(&self, now: Timestamp) -> Object {
        let live = self.refresh.values().filter(|refresh| self.serves(refresh, now)).count();
        let mut calls = Object::default();
        for (grant, count) in &self.token_calls {
            calls.set(grant, *count);
        }
        Object::default()
            .with("live_refresh_tokens", u32::try_from(live).unwrap_or(u32::MAX))
            .with("token_calls", calls)
    }

    /// A token that looks like the real one (`apis/fortnox.md` 1.7).
    fn access_token(&mut self, grant: &Grant, client_id: &str, now: Timestamp) -> String {
        let id = self.mint.digest(now)[..32].to_owned();
        let claims = json!({
            "userId": 1, "tenantId": grant.tenant.parse::<u64>().unwrap_or_default(), "clientId": client_id,
            "scopes": grant.scopes, "scope": grant.scopes.join(" "), "authSource": "OAUTH2",
            "id": id, "jti": id, "iss": "https://api.fortnox.se/oauth2", "aud": client_id,
            "sub": format!("1@{}", grant.tenant), "iat": now.as_second(),
            "exp": now.as_second() + ACCESS_LIFE.as_secs(), "token_type": "bearer",
        });
        let token = self.mint.jwt("HS256", &claims, now);
        self.access.insert(token.clone(), Grant { expires: after(now, ACCESS_LIFE), ..grant.clone() });
        token
    }

    fn refresh_token(&mut self, grant: &Grant, now: Timestamp) -> String {
        let token = self.mint.digest(now)[..40].to_owned();
        let token = self.mint.give(token);
        let grant = Grant { expires: after(now, self.refresh_life), ..grant.clone() };
        self.refresh.insert(token.clone(), Refresh { grant, used: None });
        token
    }
}

/// `GET /oauth-v1/auth`: a user who decides at once, as the switches say, or a page that asks the one in front of it.
pub(super) fn consent(world: &mut World, asked: &Consent, query: &str, now: Timestamp) -> Response {
    if asked.client_id != world.config.client_id || asked.redirect_uri.is_empty() {
        return page(400, "<html><body>Auth code or ClientID supplied is invalid</body></html>");
    }
    let back = |parameters: &[(&str, &str)]| back_to(&asked.redirect_uri, parameters);
    if asked.account_type == "service" && !world.authority.service_accounts {
        return page(400, "<html><body>Client does not allow service account</body></html>");
    }
    let scopes: Vec<String> = asked.scope.split_whitespace().map(str::to_owned).collect();
    let known = scopes.iter().all(|scope| world.config.scopes.contains(scope));
    if asked.response_type != "code" || scopes.is_empty() || !known {
        return back(&[("error", "invalid_scope"), ("state", &asked.state)]);
    }
    let answer = match (world.authority.consent_answer.as_str(), asked.answer.as_str()) {
        ("ask", "") => return question(&asked.scope, query),
        ("ask", clicked) => clicked,
        (told, _) => told,
    };
    match answer {
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
    let id = authority.mint.digest(now);
    let code = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32]);
    authority.families += 1;
    let grant = Grant {
        tenant,
        scopes,
        expires: after(now, CODE_LIFE),
        redirect_uri: asked.redirect_uri.clone(),
        family: authority.families,
    };
    let code = authority.mint.give(code);
    authority.codes.insert(code.clone(), grant);
    back(&[("code", &code), ("state", &asked.state)])
}

/// The page: a link per answer, because there is no password to know.
fn question(scopes: &str, query: &str) -> Response {
    let plain = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let link = |answer: &str, text: &str| {
        format!("<li><a href=\"/oauth-v1/auth?{}&amp;answer={answer}\">{text}</a></li>\n", plain(query))
    };
    let (approve, refuse) = (link("approve", "Approve"), link("access_denied", "Refuse"));
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Consent</title></head>\n<body>\
         <h1>An app asks for your books</h1>\n<p>It wants: {}</p>\n<ul>\n{approve}{refuse}</ul></body></html>\n",
        plain(scopes)
    ))
    .into_response()
}

/// `POST /oauth-v1/token`.
pub(super) fn token(world: &mut World, headers: &HeaderMap, form: &TokenForm, now: Timestamp) -> Response {
    let grant_type = ["authorization_code", "refresh_token", "client_credentials"];
    let grant_type = grant_type.into_iter().find(|known| *known == form.grant_type).unwrap_or("other");
    *world.authority.token_calls.entry(grant_type).or_default() += 1;
    if !is_client(headers, &world.config.client_id, &world.config.client_secret) {
        return invalid_client();
    }
    let granted = match grant_type {
        "authorization_code" => by_code(world, form, now),
        "refresh_token" => by_refresh_token(world, form, now),
        "client_credentials" => by_tenant(world, headers, form, now),
        _ => Err(refused("unsupported_grant_type", "The grant type is not supported")),
    };
    let (mut grant, rotates) = match granted {
        Ok(granted) => granted,
        Err(response) => return *response,
    };
    if !world.authority.token_company.is_empty() {
        grant.tenant.clone_from(&world.authority.token_company);
    }
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
    let known = world.authority.refresh.get(&form.refresh_token).ok_or_else(invalid)?;
    let grant = known.grant.clone();
    if !world.authority.serves(known, now) {
        if known.used.is_some() && world.authority.refresh_reuse == RefreshReuse::KillsFamily {
            world.authority.refresh.retain(|_, refresh| refresh.grant.family != grant.family);
            world.authority.access.retain(|_, access| access.family != grant.family);
        }
        return Err(invalid());
    }
    licensed(world, &grant.tenant)?;
    if revoked(world, &grant.tenant) {
        return Err(invalid());
    }
    // The old token is used up at once, even if the answer never arrives.
    if let Some(known) = world.authority.refresh.get_mut(&form.refresh_token) {
        known.used = known.used.or(Some(now));
    }
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
    Ok((Grant { tenant, scopes, expires: now, redirect_uri: String::new(), family: 0 }, false))
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
    if !is_client(headers, &world.config.client_id, &world.config.client_secret) {
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
