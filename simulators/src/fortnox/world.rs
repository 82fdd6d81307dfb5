//! All companies behind one origin: who may call, how often, and how an answer looks on the wire.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::books::Books;
use super::call::{Answer, Call, Operation};
use super::config::{FortnoxConfig, LastModifiedZone, RateAnswer, Renumbering, Settings, Switches, put};
use super::customers;
use super::errors::Refusal;
use super::json::{Json, Object};
use super::oauth::{Authority, CONSENT_ANSWERS};

/// Calls that one tenant may make within the window (`apis/fortnox.md` 4).
const CALLS_PER_WINDOW: usize = 25;
const WINDOW: SignedDuration = SignedDuration::from_secs(5);

/// Everything that the simulator holds.
pub(super) struct World {
    pub(super) config: FortnoxConfig,
    pub(super) books: BTreeMap<String, Books>,
    pub(super) authority: Authority,
    recent_calls: BTreeMap<String, VecDeque<Timestamp>>,
    rate_limited: bool,
    rate_answer: RateAnswer,
    retry_after: u32,
    /// The zone in which `lastmodified` is read.
    pub(super) zone: LastModifiedZone,
    answers: u64,
}

impl World {
    pub(super) fn new(config: FortnoxConfig, now: Timestamp) -> Self {
        let settings = Settings {
            vat_rounding: config.vat_rounding,
            whole_kronor: config.whole_kronor,
            accounting_method: config.accounting_method,
            ..Settings::default()
        };
        let books = config
            .tenants
            .iter()
            .map(|tenant| (tenant.database_number.clone(), Books::new(tenant.clone(), settings.clone(), now)))
            .collect();
        Self {
            books,
            authority: Authority::new(&config),
            recent_calls: BTreeMap::new(),
            rate_limited: config.rate_limited,
            rate_answer: RateAnswer::default(),
            retry_after: 0,
            zone: LastModifiedZone::default(),
            answers: 0,
            config,
        }
    }

    /// Empties the books and windows. Consents, tokens and switches stay.
    pub(super) fn reset(&mut self, now: Timestamp) {
        for books in self.books.values_mut() {
            *books = Books::new(books.tenant.clone(), books.settings.clone(), now);
        }
        self.recent_calls.clear();
        self.authority.reset_counters();
    }

    pub(super) fn state(&self, now: Timestamp) -> Box<RawValue> {
        let mut tenants = Object::default();
        for (number, books) in &self.books {
            tenants.set(number, books.state());
        }
        let text =
            Json::from(Object::default().with("tenants", tenants).with("oauth", self.authority.state(now)))
                .render(0);
        RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// Turns switches.
    ///
    /// # Errors
    /// When a tenant, a customer or a consent answer does not exist or a date is not one.
    pub(super) fn configure(&mut self, switches: Switches, now: Timestamp) -> Result<(), String> {
        let named = [&switches.tenant, &switches.consenting_tenant, &switches.token_company];
        for tenant in named.into_iter().flatten().filter(|tenant| !tenant.is_empty()) {
            if !self.books.contains_key(tenant) {
                return Err(format!("there is no tenant {tenant}"));
            }
        }
        if let Some(answer) = &switches.consent_answer
            && !CONSENT_ANSWERS.contains(&answer.as_str())
        {
            return Err(format!("the consent page knows {CONSENT_ANSWERS:?} only"));
        }
        let locked_until = match switches.locked_until.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(text.parse().map_err(|_| format!("{text} is not a date"))?)),
        };
        for (number, books) in &mut self.books {
            if switches.tenant.as_ref().is_some_and(|wanted| wanted != number) {
                continue;
            }
            switches.apply_to(&mut books.settings);
            if books.settings.consent_revoked {
                self.authority.withdraw(number);
            }
            put(locked_until, &mut books.settings.locked_until);
            if let Some(day) = switches.remove_year {
                books.years.retain(|year| day < year.from || year.to < day);
            }
            if let Some(day) = switches.open_year {
                books.open_year(day.year());
            }
            if let Some(fill) = switches.fill {
                fill.apply(books, now).map_err(|refusal| format!("{refusal:?}"))?;
            }
            if let Some(Renumbering { from, to }) = &switches.renumber_customer {
                customers::renumber(books, from, to, now)?;
            }
        }
        put(switches.last_modified_zone, &mut self.zone);
        put(switches.rate_limited, &mut self.rate_limited);
        put(switches.rate_answer, &mut self.rate_answer);
        put(switches.retry_after, &mut self.retry_after);
        put(switches.consent_answer, &mut self.authority.consent_answer);
        put(switches.consenting_tenant, &mut self.authority.consenting_tenant);
        put(switches.service_accounts, &mut self.authority.service_accounts);
        put(switches.refresh_reuse, &mut self.authority.refresh_reuse);
        let life = switches.refresh_lifetime.map(|seconds| SignedDuration::from_secs(seconds.into()));
        put(life, &mut self.authority.refresh_life);
        put(switches.token_company, &mut self.authority.token_company);
        Ok(())
    }

    /// Answers one call of the API.
    pub(super) fn answer(&mut self, operation: &Operation, headers: &HeaderMap, call: &Call) -> Response {
        let outcome = self.admit(operation, headers, call).and_then(|tenant| {
            let books = self.books.get_mut(&tenant).ok_or(Refusal::Unauthorized)?;
            (operation.run)(books, call).map(|answer| hide(answer, books))
        });
        self.answers += 1;
        match outcome {
            Ok(answer) => self.respond(answer.status, answer.body.as_ref(), answer.location),
            Err(Refusal::TooMany) => self.too_many(),
            Err(refusal) => self.respond(refusal.status(), Some(&refusal.body()), None),
        }
    }

    /// The tenant of the call's token, when the token, window, licenses and headers allow the call.
    fn admit(&mut self, operation: &Operation, headers: &HeaderMap, call: &Call) -> Result<String, Refusal> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
        let grant = self.authority.access(token, call.now).ok_or(Refusal::Unauthorized)?;
        let (tenant, granted) =
            (grant.tenant.clone(), grant.scopes.iter().any(|scope| scope == operation.scope));
        self.count_call(&tenant, call.now)?;
        let settings = &self.books.get(&tenant).ok_or(Refusal::Unauthorized)?.settings;
        if settings.integration_license_lost {
            let message = "Api-licens saknas.".to_owned();
            return Err(Refusal::Envelope { status: 403, code: 2_001_103, message, upper_case: true });
        }
        if settings.licenses_lost.contains(operation.scope) {
            return Err(Refusal::invalid(2_001_101, "Det finns ingen aktiv licens för önskat scope"));
        }
        if !granted || settings.scopes_lost.contains(operation.scope) {
            return Err(Refusal::invalid(2_000_663, "Har inte behörighet för scope"));
        }
        let accept = header(header::ACCEPT);
        if !accept.is_empty() && !accept.contains("application/json") && !accept.contains("*/*") {
            return Err(Refusal::invalid(1_000_030, "Invalid response type"));
        }
        if !call.body.is_empty() && !header(header::CONTENT_TYPE).starts_with("application/json") {
            return Err(Refusal::invalid(1_000_031, "Invalid content type"));
        }
        Ok(tenant)
    }

    fn count_call(&mut self, tenant: &str, now: Timestamp) -> Result<(), Refusal> {
        let recent = self.recent_calls.entry(tenant.to_owned()).or_default();
        // A clock that was set back must not leave calls from the future behind.
        recent.retain(|&at| at <= now && now.duration_since(at) < WINDOW);
        if self.rate_limited && recent.len() >= CALLS_PER_WINDOW {
            return Err(Refusal::TooMany);
        }
        recent.push_back(now);
        Ok(())
    }

    fn too_many(&self) -> Response {
        let mut response = match self.rate_answer {
            RateAnswer::Json => self.respond(429, Some(&Refusal::TooMany.body()), None),
            RateAnswer::Html => page(429, "<html><body><h1>429 Too Many Requests</h1></body></html>"),
            RateAnswer::Empty => self.respond(429, None, None),
        };
        if self.retry_after > 0 {
            response.headers_mut().insert(header::RETRY_AFTER, self.retry_after.into());
        }
        response
    }

    fn respond(&self, status: u16, body: Option<&Json>, location: Option<&str>) -> Response {
        let text = body.map(|body| body.render(self.answers));
        let mut response = Response::builder()
            .status(status)
            .header(header::SERVER, "Fortnox")
            .header("X-Uid", format!("{:08x}", self.answers))
            .header("X-Build", "4.43.23")
            .header("X-Rack-Responsetime", "84")
            .header(header::VARY, "Accept-Encoding");
        if text.is_some() {
            response = response.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(location) = location {
            response = response.header(header::LOCATION, location);
        }
        response.body(Body::from(text.unwrap_or_default())).unwrap_or_else(|_| page(500, ""))
    }
}

/// An HTML answer, as gateways give.
pub(super) fn page(status: u16, html: &'static str) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}

/// Replaces the fields that the user has no right to see (`apis/fortnox.md` 2.2).
fn hide(mut answer: Answer, books: &Books) -> Answer {
    if books.settings.no_right_fields.is_empty() {
        return answer;
    }
    if let Some(Json::Object(envelope)) = &mut answer.body {
        for value in envelope.0.values_mut() {
            let documents = match value {
                Json::List(items) => items.as_mut_slice(),
                other => std::slice::from_mut(other),
            };
            for document in documents {
                let Json::Object(document) = document else { continue };
                for name in &books.settings.no_right_fields {
                    if let Some(value) = document.0.get_mut(name) {
                        *value = "API_NORIGHT".into();
                    }
                }
            }
        }
    }
    answer
}
