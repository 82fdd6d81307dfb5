//! Who may call the API, how often, and how an answer looks on the wire.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::books::Books;
use super::call::{Answer, Call, Operation, day};
use super::config::{Settings, Switches, VismaConfig, put};
use super::errors::Refusal;
use super::identity::Identity;
use super::seed;
use super::{articles, customers, drafts, invoices, payments, registers, voucher_drafts, vouchers};
use crate::kit::json::{Json, Object, parse};

/// Calls of one endpoint that one client may make within the window, for all its companies (`apis/visma.md` 4).
const CALLS_PER_WINDOW: usize = 600;
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Every operation of the API.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        customers::OPERATIONS,
        articles::OPERATIONS,
        drafts::OPERATIONS,
        invoices::OPERATIONS,
        payments::OPERATIONS,
        vouchers::OPERATIONS,
        voucher_drafts::OPERATIONS,
        registers::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

/// Everything that the simulator holds.
pub(super) struct World {
    pub(super) identity: Identity,
    pub(super) books: BTreeMap<String, Books>,
    recent_calls: BTreeMap<(&'static str, &'static str), VecDeque<Timestamp>>,
    rate_limited: bool,
    answers: u64,
}

impl World {
    pub(super) fn new(config: VismaConfig, now: Timestamp) -> Self {
        let settings = Settings::of(&config);
        let of = |company: &super::Company| {
            (company.customer_id.clone(), Books::new(company.clone(), settings.clone(), now))
        };
        Self {
            books: config.companies.iter().map(of).collect(),
            rate_limited: config.rate_limited,
            recent_calls: BTreeMap::new(),
            answers: 0,
            identity: Identity::new(config, now),
        }
    }

    /// Empties the books and windows. Consents, tokens and switches stay.
    pub(super) fn reset(&mut self, now: Timestamp) {
        for books in self.books.values_mut() {
            *books = Books::new(books.company.clone(), books.settings.clone(), now);
        }
        self.recent_calls.clear();
        self.identity.reset_counters();
    }

    pub(super) fn state(&self, now: Timestamp) -> Box<RawValue> {
        let mut companies = Object::default();
        for (company, books) in &self.books {
            companies.set(company, books.state());
        }
        let oauth = parse(&self.identity.state(now).to_string()).unwrap_or(Json::Null);
        let text = Json::from(Object::default().with("companies", companies).with("oauth", oauth)).render(0);
        RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// Turns switches; those of the books for all companies.
    ///
    /// # Errors
    /// When a company or a consent answer does not exist or a date is not one.
    pub(super) fn configure(&mut self, switches: &Switches, now: Timestamp) -> Result<(), String> {
        let locked_through = match switches.locked_until.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(day(text).ok_or_else(|| format!("{text} is not a date"))?)),
        };
        if switches.conflict_status.is_some_and(|status| ![400, 409].contains(&status)) {
            return Err("a conflict is answered with 400 or 409".to_owned());
        }
        let default = self.identity.config.companies.first();
        if let Some(books) = default.and_then(|company| self.books.get_mut(&company.customer_id)) {
            if let Some(number) = switches.credit {
                invoices::credit_by_hand(books, number, now)?;
            }
            if let Some((number, credit)) = switches.set_off {
                invoices::set_off(books, number, credit, now)?;
            }
        }
        self.identity.configure(switches)?;
        put(switches.rate_limited, &mut self.rate_limited);
        for books in self.books.values_mut() {
            let settings = &mut books.settings;
            put(switches.vat_rounding, &mut settings.vat_rounding);
            put(switches.whole_kronor, &mut settings.whole_kronor);
            put(switches.prices_excl_vat, &mut settings.prices_excl_vat);
            put(switches.cash_terms_pay, &mut settings.cash_terms_pay);
            put(switches.credit_rows, &mut settings.credit_rows);
            put(switches.credit_payments, &mut settings.credit_payments);
            put(switches.keep_draft_date, &mut settings.keep_draft_date);
            put(locked_through, &mut settings.locked_through);
            put(switches.lag_ms, &mut settings.lag_ms);
            put(switches.any_filter, &mut settings.any_filter);
            put(switches.unfilterable.clone(), &mut settings.unfilterable);
            put(switches.unsortable, &mut settings.unsortable);
            put(switches.oversized_pages, &mut settings.oversized_pages);
            put(switches.conflict_status, &mut settings.conflict_status);
            let holds = |year: &Object, date| {
                day(year.text("StartDate")) <= Some(date) && Some(date) <= day(year.text("EndDate"))
            };
            if let Some(date) = switches.remove_year {
                books.years.retain(|year| !holds(&year.fields, date));
            }
            if let Some(date) = switches.open_year {
                seed::open_year(books, date.year(), now);
            }
            if let Some(fill) = switches.fill {
                fill.apply(books, now)?;
            }
            if let Some(date) = switches.lock_year {
                for year in books.years.iter_mut().filter(|year| holds(&year.fields, date)) {
                    year.fields.set("IsLockedForAccounting", true);
                }
            }
            if switches.only_days == Some(true) {
                books.terms.retain(|terms| terms.fields.number("TermsOfPaymentTypeId").is_zero());
            }
            if let Some(accounts) = &switches.bank_accounts {
                seed::set_bank_accounts(books, accounts, now);
            }
        }
        Ok(())
    }

    /// Answers one call of the API.
    pub(super) fn answer(
        &mut self,
        operation: &'static Operation,
        headers: &HeaderMap,
        call: &Call,
    ) -> Response {
        let outcome = self.admit(operation, headers, call.now).and_then(|company| {
            let books = self.books.get_mut(&company).ok_or_else(no_company)?;
            (operation.run)(books, call)
        });
        self.answers += 1;
        match outcome {
            Ok(answer) => self.respond(&answer),
            Err(refusal) => {
                let id = self.identity.error_id(call.now);
                self.respond(&refusal.answer(id))
            }
        }
    }

    /// The company of the call's token, when token, window, module and scopes allow the call.
    fn admit(
        &mut self,
        operation: &'static Operation,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let grant = self.identity.access(token, now).cloned().ok_or_else(|| {
            let text = "AuthorizationException - Authorization has been denied for this request.";
            Refusal::new(401, 4005, text)
        })?;
        self.count_call(operation, now)?;
        let forbidden =
            |code: u32, what: &str| Refusal::new(403, code, format!("ForbiddenRequestException - {what}"));
        if self.identity.module_missing {
            return Err(forbidden(4002, "No access to module: api_standard"));
        }
        if self.identity.refusal > 0 {
            return Err(forbidden(self.identity.refusal, "No access"));
        }
        if !operation.scopes.iter().any(|wanted| grant.scopes.iter().any(|scope| scope == wanted)) {
            return Err(forbidden(4006, "No access to scopes"));
        }
        Ok(grant.company)
    }

    fn count_call(&mut self, operation: &'static Operation, now: Timestamp) -> Result<(), Refusal> {
        let recent = self.recent_calls.entry((operation.method, operation.path)).or_default();
        // A clock that was set back must not leave calls from the future behind.
        recent.retain(|&at| at <= now && now.duration_since(at) < WINDOW);
        if self.rate_limited && recent.len() >= CALLS_PER_WINDOW {
            let oldest = recent.front().copied().unwrap_or(now);
            let seconds = WINDOW.as_secs() - now.duration_since(oldest).as_secs();
            return Err(Refusal::too_many(CALLS_PER_WINDOW, seconds));
        }
        recent.push_back(now);
        Ok(())
    }

    fn respond(&self, answer: &Answer) -> Response {
        let mut response = Response::new(Body::from(
            answer.body.as_ref().map(|body| body.render(self.answers)).unwrap_or_default(),
        ));
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if answer.body.is_some() {
            let json = header::HeaderValue::from_static("application/json;charset=UTF-8");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        response
    }
}

fn no_company() -> Refusal {
    Refusal::new(403, 4011, "ForbiddenRequestException - No access to company")
}
