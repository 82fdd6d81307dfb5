//! The identity server: consent with a company picker, tokens and revocation (`apis/visma.md` 1).

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::{Company, Rotation, Switches, VismaConfig, put};
use crate::kit::oauth::{Mint, after, back_to, is_client};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);
const ACCESS_LIFE: SignedDuration = SignedDuration::from_mins(60);
/// Not documented; one source says two years.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// What the consent page may be told to do next.
const CONSENT_ANSWERS: [&str; 6] =
    ["approve", "nothing", "access_denied", "invalid_scope", "unauthorized_client", "server_error"];

/// What a token or code stands for. Holds no secret itself.
#[derive(Clone)]
pub(super) struct Grant {
    /// `customer_id` of the company.
    pub(super) company: String,
    pub(super) scopes: Vec<String>,
    expires: Timestamp,
    /// The redirect address that a code is bound to.
    redirect_uri: String,
}

/// Who has consented to what, and the tokens that are out. It has no `Debug`: the keys are secrets.
pub(super) struct Identity {
    pub(super) config: VismaConfig,
    mint: Mint,
    consent_answer: String,
    consenting_company: String,
    consent_revoked: bool,
    customer_claim: bool,
    token_company: String,
    pub(super) module_missing: bool,
    /// Code that every call of the API is refused with; 0 for none.
    pub(super) refusal: u32,
    codes: BTreeMap<String, Grant>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Grant>,
    token_calls: BTreeMap<&'static str, u32>,
}

/// Query of the authorize page.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Consent {
    client_id: String,
    response_type: String,
    state: String,
    scope: String,
    redirect_uri: String,
    prompt: String,
    /// The picker: `customer_id` of the company that the user clicks on.
    company: String,
}

/// Form of the token endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TokenForm {
    grant_type: String,
    code: String,
    redirect_uri: String,
    refresh_token: String,
}

/// Form of the revocation endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RevokeForm {
    token: String,
}

impl Identity {
    pub(super) fn new(config: VismaConfig, now: Timestamp) -> Self {
        let grant = |company: &Company| Grant {
            company: company.customer_id.clone(),
            scopes: config.scopes.clone(),
            expires: after(now, REFRESH_LIFE),
            redirect_uri: String::new(),
        };
        let given_before = config.refresh_token.clone().zip(config.companies.first().map(grant));
        Self {
            mint: Mint::new(format!("visma:{}:{}", config.client_id, config.client_secret)),
            consent_answer: "approve".to_owned(),
            consenting_company: String::new(),
            consent_revoked: false,
            customer_claim: true,
            token_company: String::new(),
            module_missing: false,
            refusal: 0,
            codes: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: given_before.into_iter().collect(),
            token_calls: BTreeMap::new(),
            config,
        }
    }

    pub(super) fn configure(&mut self, switches: &Switches) -> Result<(), String> {
        let named = [&switches.consenting_company, &switches.token_company];
        for company in named.into_iter().flatten().filter(|company| !company.is_empty()) {
            if self.company(company).is_none() {
                return Err(format!("there is no company {company}"));
            }
        }
        if let Some(answer) = &switches.consent_answer {
            if !CONSENT_ANSWERS.contains(&answer.as_str()) {
                return Err(format!("the consent page knows {CONSENT_ANSWERS:?} only"));
            }
            self.consent_answer.clone_from(answer);
        }
        if switches.consent_revoked == Some(true) {
            self.refresh.clear();
        }
        put(switches.consenting_company.clone(), &mut self.consenting_company);
        put(switches.rotation, &mut self.config.rotation);
        put(switches.consent_revoked, &mut self.consent_revoked);
        put(switches.customer_claim, &mut self.customer_claim);
        put(switches.token_company.clone(), &mut self.token_company);
        put(switches.module_missing, &mut self.module_missing);
        put(switches.refusal, &mut self.refusal);
        Ok(())
    }

    /// A company by its `customer_id`.
    pub(super) fn company(&self, customer_id: &str) -> Option<&Company> {
        self.config.companies.iter().find(|company| company.customer_id == customer_id)
    }

    /// The grant behind an access token that is alive.
    pub(super) fn access(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    /// A UUID for an error answer.
    pub(super) fn error_id(&mut self, now: Timestamp) -> String {
        dashed(&self.mint.digest(now))
    }

    pub(super) fn is_live(&self, refresh_token: &str, now: Timestamp) -> bool {
        self.refresh.get(refresh_token).is_some_and(|grant| now < grant.expires)
    }

    /// Every code and token given out so far.
    pub(super) fn secrets(&self) -> &[String] {
        self.mint.made()
    }

    /// Sets the counters to zero; what was given out stays.
    pub(super) fn reset_counters(&mut self) {
        self.token_calls.clear();
    }

    /// How many tokens are out and how many calls were made, without any token's text.
    pub(super) fn state(&self, now: Timestamp) -> Value {
        let live = self.refresh.values().filter(|grant| now < grant.expires).count();
        json!({ "live_refresh_tokens": live, "token_calls": self.token_calls })
    }

    /// `GET /connect/authorize`: a user who decides at once, as the switches say. Without `select_account` the default
    /// company is chosen silently (`apis/visma.md` 6).
    pub(super) fn authorize(&mut self, asked: &Consent, now: Timestamp) -> Response {
        if asked.client_id != self.config.client_id || asked.redirect_uri.is_empty() {
            return (StatusCode::BAD_REQUEST, Html("<html><body>unauthorized_client</body></html>"))
                .into_response();
        }
        let back = |parameters: &[(&str, &str)]| back_to(&asked.redirect_uri, parameters);
        let scopes: Vec<String> = asked.scope.split_whitespace().map(str::to_owned).collect();
        let known = scopes.iter().all(|scope| self.config.scopes.contains(scope));
        if asked.response_type != "code" {
            return back(&[("error", "unsupported_response_type"), ("state", &asked.state)]);
        }
        if !known || !scopes.iter().any(|scope| scope == "ea:api") {
            return back(&[("error", "invalid_scope"), ("state", &asked.state)]);
        }
        match self.consent_answer.as_str() {
            "approve" => {}
            "nothing" => return back(&[]),
            error => return back(&[("error", error), ("state", &asked.state)]),
        }
        let picks =
            asked.prompt.split('+').flat_map(str::split_whitespace).any(|word| word == "select_account");
        let picked =
            [&asked.company, &self.consenting_company].into_iter().find(|company| !company.is_empty());
        let company = picked.filter(|_| picks).and_then(|picked| self.company(picked));
        let Some(company) = company.or(self.config.companies.first()) else {
            return back(&[("error", "access_denied"), ("state", &asked.state)]);
        };
        let grant = Grant {
            company: company.customer_id.clone(),
            scopes,
            expires: after(now, CODE_LIFE),
            redirect_uri: asked.redirect_uri.clone(),
        };
        self.consent_revoked = false;
        let code = self.mint.digest(now);
        let code = self.mint.give(code);
        self.codes.insert(code.clone(), grant);
        back(&[("code", &code), ("state", &asked.state)])
    }

    /// `POST /connect/token`.
    pub(super) fn token(&mut self, headers: &HeaderMap, form: &TokenForm, now: Timestamp) -> Response {
        let grant_type = ["authorization_code", "refresh_token"];
        let grant_type = grant_type.into_iter().find(|known| *known == form.grant_type).unwrap_or("other");
        *self.token_calls.entry(grant_type).or_default() += 1;
        if !is_client(headers, &self.config.client_id, &self.config.client_secret) {
            return refused("invalid_client");
        }
        let granted = match grant_type {
            "authorization_code" => self.by_code(form, now),
            "refresh_token" => self.by_refresh_token(form, now),
            _ => return refused("unsupported_grant_type"),
        };
        let Some((mut grant, refresh_token)) = granted else { return refused("invalid_grant") };
        if !self.token_company.is_empty() {
            grant.company.clone_from(&self.token_company);
        }
        let mut body = json!({
            "access_token": self.access_token(&grant, now),
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE.as_secs(),
        });
        if let Some(refresh_token) = refresh_token {
            body["refresh_token"] = refresh_token.into();
        }
        ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
    }

    fn by_code(&mut self, form: &TokenForm, now: Timestamp) -> Option<(Grant, Option<String>)> {
        let grant = self.codes.remove(&form.code)?;
        if now >= grant.expires || grant.redirect_uri != form.redirect_uri {
            return None;
        }
        let offline = grant.scopes.iter().any(|scope| scope == "offline_access");
        let refresh_token = offline.then(|| self.refresh_token(&grant, now));
        Some((grant, refresh_token))
    }

    fn by_refresh_token(&mut self, form: &TokenForm, now: Timestamp) -> Option<(Grant, Option<String>)> {
        let grant = self.refresh.get(&form.refresh_token)?.clone();
        if now >= grant.expires || self.consent_revoked {
            return None;
        }
        let refresh_token = match self.config.rotation {
            Rotation::Rotating => {
                // The old token is dead at once, even if the answer never arrives.
                self.refresh.remove(&form.refresh_token);
                Some(self.refresh_token(&grant, now))
            }
            Rotation::Reusable => Some(form.refresh_token.clone()),
            Rotation::Silent => None,
        };
        Some((grant, refresh_token))
    }

    fn access_token(&mut self, grant: &Grant, now: Timestamp) -> String {
        let mut claims = json!({
            "iss": "https://identity.vismaonline.com", "aud": "https://identity.vismaonline.com/resources",
            "client_id": self.config.client_id, "scope": grant.scopes, "sub": "00000000-0000-4000-8000-00000000000a",
            "idp": "idsrv", "amr": ["password"], "auth_time": now.as_second(), "nbf": now.as_second(),
            "exp": now.as_second() + ACCESS_LIFE.as_secs(), "jti": self.mint.digest(now),
        });
        if self.customer_claim {
            claims["customer_id"] = grant.company.as_str().into();
        }
        let token = self.mint.jwt("RS256", &claims, now);
        self.access.insert(token.clone(), Grant { expires: after(now, ACCESS_LIFE), ..grant.clone() });
        token
    }

    fn refresh_token(&mut self, grant: &Grant, now: Timestamp) -> String {
        let token = self.mint.digest(now);
        let token = self.mint.give(token);
        self.refresh.insert(token.clone(), Grant { expires: after(now, REFRESH_LIFE), ..grant.clone() });
        token
    }

    /// `POST /connect/revocation`: 200 without a body, for tokens that are unknown too.
    pub(super) fn revoke(&mut self, headers: &HeaderMap, form: &RevokeForm) -> Response {
        if !is_client(headers, &self.config.client_id, &self.config.client_secret) {
            return refused("invalid_client");
        }
        self.refresh.remove(&form.token);
        StatusCode::OK.into_response()
    }
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

/// The first half of a digest in the form of a UUID.
fn dashed(digest: &str) -> String {
    [&digest[..8], &digest[8..12], &digest[12..16], &digest[16..20], &digest[20..32]].join("-")
}
