//! Calls to the API of one company: reads, lists and writes, with refusals sorted.

use std::sync::Arc;

use bokbro_app::error::Error;
use bokbro_app::ports::{SendError, Tokens};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use super::errors::{BAD_QUERY, NOT_FOUND, Refusal, code, refusal};
use super::requests::{Register, Write};
use super::wire::{Coding, Page, Terms, Unit};
use crate::kit::{Answer, Auth, Client, PageOf, Request, all_pages, reasons};

/// Largest page of a list (`apis/visma.md` 2).
const PAGE: usize = 1000;
/// Most pages that a list may have; most are asked for with a filter that leaves few.
const MOST_PAGES: u32 = 30;

/// Kinds of terms of payment that are paid at once (`apis/visma.md` 2.2), the most fitting first: card, payment service
/// provider, digital wallet, cash.
const CASH_TERMS: [&str; 4] = ["3", "5", "4", "2"];

/// The API of one company.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    tokens: Arc<dyn Tokens>,
}

/// What became of a search.
pub(super) enum Searched<T> {
    /// What was found.
    Found(Vec<T>),
    /// The list cannot be filtered so.
    BadFilter,
}

impl Api {
    /// The API of the company that the tokens are for.
    pub(super) fn new(client: Client, base: String, tokens: Arc<dyn Tokens>) -> Self {
        Self { client, base, tokens }
    }

    /// The time by the clock.
    pub(super) fn now(&self) -> Timestamp {
        self.client.clock().now()
    }

    /// Reads one document; `None` when Visma itself says that there is no such thing, whatever the status.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<T>, Error> {
        let request = self.read(operation, path);
        let answer = self.client.read(&request).await?;
        if !answer.is_success() && code(&answer) == Some(NOT_FOUND) {
            return Ok(None);
        }
        self.accepted(&request, &answer)?;
        self.document(&request, &answer).map(Some)
    }

    /// Searches a list, all pages. Not every property can be filtered by (`apis/visma.md` 2).
    pub(super) async fn search<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        filter: Option<&str>,
    ) -> Result<Searched<T>, Error> {
        let mut request = self.read(operation, path).with_query("$pagesize", PAGE.to_string());
        if let Some(filter) = filter {
            request = request.with_query("$filter", filter);
        }
        let fetch = async |page: u32| {
            let request = request.clone().with_query("$page", page.to_string());
            let answer = self.client.read(&request).await?;
            if filter.is_some() && code(&answer).is_some_and(|code| BAD_QUERY.contains(&code)) {
                return Err(Stop::BadFilter);
            }
            self.accepted(&request, &answer)?;
            let found: Page<T> = self.document(&request, &answer)?;
            let pages = found.meta.pages.as_deref().and_then(|pages| pages.parse::<u32>().ok());
            let last = pages.map_or(found.data.len() < PAGE, |pages| page >= pages);
            Ok(PageOf { items: found.data, last })
        };
        match all_pages(MOST_PAGES, fetch).await {
            Ok(Ok(items)) => Ok(Searched::Found(items)),
            Ok(Err(too_many)) => Err(reasons::too_many_matches("Visma", operation, too_many)),
            Err(Stop::BadFilter) => Ok(Searched::BadFilter),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Reads a whole list, or searches it by a property that is known to be filterable.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        filter: Option<&str>,
    ) -> Result<Vec<T>, Error> {
        match self.search(operation, path, filter).await? {
            Searched::Found(items) => Ok(items),
            Searched::BadFilter => Err(Error::park("visma_6000", reasons::bad_query("Visma", operation))),
        }
    }

    /// Reads one page of a list that may be long; `None` when the list does not take the query.
    pub(super) async fn list_page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&'static str, String)],
        page: u32,
    ) -> Result<Option<Page<T>>, Error> {
        let mut request = self.read(operation, path).with_query("$pagesize", PAGE.to_string());
        for (name, value) in query {
            request = request.with_query(name, value);
        }
        let request = request.with_query("$page", page.to_string());
        let answer = self.client.read(&request).await?;
        if !query.is_empty() && code(&answer).is_some_and(|code| BAD_QUERY.contains(&code)) {
            return Ok(None);
        }
        self.accepted(&request, &answer)?;
        self.document(&request, &answer).map(Some)
    }

    /// The failure of a read of something that lacks its id, or of a page that does not tell where it stands.
    pub(super) fn nameless(&self, operation: &'static str) -> Error {
        let request = self.read(operation, "");
        self.client.garbled(&request, "something in the answer lacks its id").into_read_error()
    }

    /// Sends a write once and reads the document that it gives back.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        write: &Write,
    ) -> Result<T, Refused> {
        debug_assert!(super::OPERATIONS.contains(&operation), "{operation} is missing from OPERATIONS");
        // Only reads so far: nothing can have been written.
        let not_done = |error| Refused::Failed(SendError::NotDone(error));
        let ids = match &write.needs {
            Some(register) => self.ids(register).await.map_err(not_done)?,
            None => Vec::new(),
        };
        let body = write.body_with(&ids).map_err(not_done)?;
        let auth = Auth::Bearer(self.tokens.clone());
        let mut request =
            Request::write(operation, write.method(), &self.base, write.path.clone(), body, auth);
        if write.keeps_date {
            // Without both, the invoice gets the day on which it is made.
            for name in ["keepOriginalDraftDate", "overrideCompanyKeepOriginalDraftDate"] {
                request = request.with_query(name, "true");
            }
        }
        let answer = self.client.send(&request).await.map_err(|failure| Refused::Failed(failure.into()))?;
        if !answer.is_success() {
            return Err(match refusal(&answer, operation) {
                Refusal::NoAccess(message) => {
                    Refused::Failed(SendError::NotDone(self.client.consent(message)))
                }
                Refusal::Passing => {
                    Refused::Failed(self.client.garbled(&request, "a bad day of the provider").into())
                }
                Refusal::Final(reason) => Refused::Final { code: code(&answer), reason },
            });
        }
        answer.json().map_err(|why| Refused::Failed(self.client.garbled(&request, why.to_string()).into()))
    }

    /// The failure of a write that says "done" in a document that lacks what it must have.
    pub(super) fn incomplete(&self, operation: &'static str) -> SendError {
        let request = self.read(operation, "");
        self.client.garbled(&request, "the document lacks its id or its amounts").into()
    }

    /// Visma's ids of what a write names by what it is, under the names that the body has for them.
    async fn ids(&self, register: &Register) -> Result<Vec<(&'static str, String)>, Error> {
        let missing = |what: Said| {
            let message = said!(
                "visma-register",
                "the company in Visma has {what}; add it and try again";
                what
            );
            Error::park("visma_register_incomplete", message)
        };
        match register {
            Register::ShortestTerms => {
                let usable = self.terms_for_sales().await?;
                // An invoice on terms of cash may be paid as it is made, and on another account than ours.
                let is_cash = |terms: &Terms| {
                    terms.terms_of_payment_type_id.as_deref().is_some_and(|kind| CASH_TERMS.contains(&kind))
                };
                let shortest = usable.iter().min_by_key(|terms| {
                    let days = terms.number_of_days.to_decimal().unwrap_or(Decimal::MAX);
                    (is_cash(terms), days, terms.id.0.clone())
                });
                let id = shortest.and_then(|terms| terms.id.0.clone());
                let what = || said!("visma-no-terms", "no terms of payment for sales");
                Ok(vec![("TermsOfPaymentId", id.ok_or_else(|| missing(what()))?)])
            }
            Register::CashTerms => {
                let usable = self.terms_for_sales().await?;
                let of_kind = |terms: &Terms| {
                    let kind = terms.terms_of_payment_type_id.as_deref()?;
                    let preference = CASH_TERMS.iter().position(|cash| *cash == kind)?;
                    Some((preference, terms.id.0.clone()?))
                };
                let (_, id) = usable.iter().filter_map(of_kind).min().ok_or_else(|| {
                    let message = said!(
                        "visma-no-cash-terms",
                        "the company in Visma has no terms of payment by card or in cash for sales, which cash invoices are \
                         on; add some there and try again, or use the posting profile invoice"
                    );
                    Error::park("visma_without_cash_terms", message)
                })?;
                Ok(vec![("TermsOfPaymentId", id)])
            }
            Register::Coding { percent, account } => {
                let codings: Vec<Coding> =
                    self.list("list_codings", "/v2/articleaccountcodings", None).await?;
                let fits = |coding: &&Coding| {
                    coding.is_active.to_bool() != Some(false)
                        && coding.percent() == Some(Decimal::from(*percent))
                        && coding.account() == Some(*account)
                };
                // The first by id, so that every worker takes the same.
                let coding = codings.iter().filter(fits).filter_map(|coding| coding.id.0.clone()).min();
                let coding = coding.ok_or_else(|| {
                    missing(said!(
                        "visma-no-coding",
                        "no active article account coding of {percent} % on account {account}",
                        percent,
                        account
                    ))
                })?;
                let units: Vec<Unit> = self.list("list_units", "/v2/units", None).await?;
                let is_piece = |unit: &&Unit| {
                    [&unit.code, &unit.abbreviation]
                        .iter()
                        .any(|text| text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("st")))
                };
                let unit = units.iter().find(is_piece).or(units.first()).and_then(|unit| unit.id.0.clone());
                let unit = unit.ok_or_else(|| missing(said!("visma-no-unit", "no unit")))?;
                Ok(vec![("CodingId", coding), ("UnitId", unit)])
            }
        }
    }

    async fn terms_for_sales(&self) -> Result<Vec<Terms>, Error> {
        let all: Vec<Terms> = self.list("list_terms", "/v2/termsofpayments", None).await?;
        Ok(all.into_iter().filter(|terms| terms.available_for_sales.to_bool() != Some(false)).collect())
    }

    fn read(&self, operation: &'static str, path: &str) -> Request {
        debug_assert!(super::OPERATIONS.contains(&operation), "{operation} is missing from OPERATIONS");
        Request::get(operation, &self.base, path, Auth::Bearer(self.tokens.clone()))
    }

    fn accepted(&self, request: &Request, answer: &Answer) -> Result<(), Error> {
        if answer.is_success() {
            return Ok(());
        }
        match refusal(answer, request.operation) {
            Refusal::NoAccess(message) => Err(self.client.consent(message)),
            Refusal::Final(reason) if code(answer).is_some() => Err(Error::Parked(reason)),
            Refusal::Final(_) | Refusal::Passing => {
                let why = format!("status {} without a verdict", answer.status);
                Err(self.client.garbled(request, why).into_read_error())
            }
        }
    }

    fn document<T: DeserializeOwned>(&self, request: &Request, answer: &Answer) -> Result<T, Error> {
        answer.json().map_err(|why| self.client.garbled(request, why.to_string()).into_read_error())
    }
}

/// A text in a filter.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Why a write has no document.
pub(super) enum Refused {
    /// Visma refused it for good.
    Final {
        /// Its code, if it gave one.
        code: Option<u32>,
        /// For people.
        reason: bokbro_app::error::Reason,
    },
    /// Anything else.
    Failed(SendError),
}

enum Stop {
    BadFilter,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
