//! Calls to the API of one company: reads, lists and writes, with refusals sorted.

use std::sync::Arc;

use bokbro_app::error::Error;
use bokbro_app::ports::{SendError, Tokens};
use serde::de::DeserializeOwned;

use super::errors::{BAD_PARAMETER, Refusal, code, refusal};
use super::requests::Write;
use super::wire::{Envelope, Meta};
use crate::kit::{Answer, Auth, Body, Client, PageOf, Request, all_pages, reasons};

/// Largest page of a list (`apis/fortnox.md` 2.3).
const PAGE: usize = 500;
/// Most pages that a list may have; lists are asked for with a search that leaves few.
const MOST_PAGES: u32 = 5;

/// The API of one company.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    tokens: Arc<dyn Tokens>,
}

/// What became of a search.
pub(super) enum Searched<T> {
    /// What was found; the search is by substring, so it must be filtered.
    Found(Vec<T>),
    /// The list does not take these parameters.
    BadParameter,
}

impl Api {
    /// The API of the company that the tokens are for.
    pub(super) fn new(client: Client, base: String, tokens: Arc<dyn Tokens>) -> Self {
        Self { client, base, tokens }
    }

    /// Today by the clock, in Sweden.
    pub(super) fn today(&self) -> jiff::civil::Date {
        bokbro_domain::posting::swedish_day(self.client.clock().now())
    }

    /// Reads one document; `None` when Fortnox itself says that there is no such thing.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        kind: &str,
    ) -> Result<Option<T>, Error> {
        self.get_with(operation, path, kind, &[]).await
    }

    /// The same with a query.
    pub(super) async fn get_with<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        kind: &str,
        query: &[(&'static str, &str)],
    ) -> Result<Option<T>, Error> {
        let mut request = self.read(operation, path);
        for (name, value) in query {
            request = request.with_query(name, *value);
        }
        let answer = self.client.read(&request).await?;
        // A 404 without Fortnox' envelope comes from something in between and tells nothing.
        if answer.status == 404 && code(&answer).is_some() {
            return Ok(None);
        }
        self.accepted(&request, &answer)?;
        self.document(&request, &answer, kind).map(Some)
    }

    /// Searches a list, all pages.
    pub(super) async fn search<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        kind: &str,
        query: &[(&'static str, &str)],
    ) -> Result<Searched<T>, Error> {
        let mut request = self.read(operation, path).with_query("limit", PAGE.to_string());
        for (name, value) in query {
            request = request.with_query(name, *value);
        }
        let fetch = async |page: u32| {
            let request = request.clone().with_query("page", page.to_string());
            let answer = self.client.read(&request).await?;
            if code(&answer).is_some_and(|code| BAD_PARAMETER.contains(&code)) {
                return Err(Stop::BadParameter);
            }
            self.accepted(&request, &answer)?;
            Ok(self.page(&request, &answer, kind, page)?)
        };
        match all_pages(MOST_PAGES, fetch).await {
            Ok(Ok(items)) => Ok(Searched::Found(items)),
            Ok(Err(too_many)) => Err(reasons::too_many_matches("Fortnox", operation, too_many)),
            Err(Stop::BadParameter) => Ok(Searched::BadParameter),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Searches a list whose parameters are known to be taken.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        kind: &str,
        query: &[(&'static str, &str)],
    ) -> Result<Vec<T>, Error> {
        match self.search(operation, path, kind, query).await? {
            Searched::Found(items) => Ok(items),
            Searched::BadParameter => {
                Err(Error::park("fortnox_bad_parameter", reasons::bad_query("Fortnox", operation)))
            }
        }
    }

    /// Reads one page of a list that may be long. Only what stands in the page itself tells whether it is the last one:
    /// some lists give less than they are asked for (`apis/fortnox.md` 2.3).
    pub(super) async fn list_page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        kind: &str,
        query: &[(&'static str, String)],
        page: u32,
    ) -> Result<ListPage<T>, Error> {
        let mut request = self.read(operation, path).with_query("limit", PAGE.to_string());
        for (name, value) in query {
            request = request.with_query(name, value);
        }
        let request = request.with_query("page", page.to_string());
        let answer = self.client.read(&request).await?;
        self.accepted(&request, &answer)?;
        let meta: Meta = self.document(&request, &answer, "MetaInformation")?;
        let garbled = || {
            let why = "the page does not tell how many there are";
            self.client.garbled(&request, why).into_read_error()
        };
        let pages: u32 = meta.total_pages.parse().ok_or_else(garbled)?;
        Ok(ListPage {
            items: self.document(&request, &answer, kind)?,
            total: meta.total_resources.parse(),
            more: page < pages,
        })
    }

    /// The failure of a read of something that lacks its number.
    pub(super) fn unnumbered(&self, operation: &'static str) -> Error {
        let request = self.read(operation, "");
        self.client.garbled(&request, "something in the answer lacks its number").into_read_error()
    }

    /// Sends a write once and reads the document that it gives back.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        write: Write,
        kind: &str,
    ) -> Result<T, Refused> {
        self.write_with(operation, write, kind, &[]).await
    }

    /// The same with a query.
    pub(super) async fn write_with<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        write: Write,
        kind: &str,
        query: &[(&'static str, &str)],
    ) -> Result<T, Refused> {
        let method = write.method();
        let body = write.body.map_or(Body::None, |raw| Body::Json(raw.get().to_owned()));
        let auth = Auth::Bearer(self.tokens.clone());
        debug_assert!(super::OPERATIONS.contains(&operation), "{operation} is missing from OPERATIONS");
        let mut request = Request::write(operation, method, &self.base, write.path, body, auth);
        for (name, value) in query {
            request = request.with_query(name, *value);
        }
        let answer = self.client.send(&request).await.map_err(|failure| Refused::Failed(failure.into()))?;
        if !answer.is_success() {
            return Err(match refusal(&answer, operation) {
                Refusal::NoAccess(message) => {
                    Refused::Failed(SendError::NotDone(self.client.consent(message)))
                }
                Refusal::Final(reason) => Refused::Final { code: code(&answer), reason },
            });
        }
        let envelope: Result<T, _> = read_document(&answer, kind);
        envelope.map_err(|why| Refused::Failed(self.client.garbled(&request, why).into()))
    }

    /// The failure of a write that says "done" in a document that lacks what it must have.
    pub(super) fn incomplete(&self, operation: &'static str) -> SendError {
        let request = self.read(operation, "");
        self.client.garbled(&request, "the document lacks its number or its amounts").into()
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
            Refusal::Final(_) => {
                let why = format!("status {} without a code", answer.status);
                Err(self.client.garbled(request, why).into_read_error())
            }
        }
    }

    fn document<T: DeserializeOwned>(
        &self,
        request: &Request,
        answer: &Answer,
        kind: &str,
    ) -> Result<T, Error> {
        read_document(answer, kind).map_err(|why| self.client.garbled(request, why).into_read_error())
    }

    fn page<T: DeserializeOwned>(
        &self,
        request: &Request,
        answer: &Answer,
        kind: &str,
        page: u32,
    ) -> Result<PageOf<T>, Error> {
        let items: Vec<T> = self.document(request, answer, kind)?;
        let meta: Option<Meta> = read_document(answer, "MetaInformation").ok();
        let pages: Option<u32> = meta.and_then(|meta| meta.total_pages.parse());
        let last = pages.map_or(items.len() < PAGE, |pages| page >= pages);
        Ok(PageOf { items, last })
    }
}

/// One page of a list.
pub(super) struct ListPage<T> {
    /// What it holds.
    pub(super) items: Vec<T>,
    /// How many the whole list holds.
    pub(super) total: Option<u64>,
    /// Whether there is a page after it.
    pub(super) more: bool,
}

/// Why a write has no document.
pub(super) enum Refused {
    /// Fortnox refused it for good.
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
    BadParameter,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Says what is wrong with an answer without quoting it.
fn read_document<T: DeserializeOwned>(answer: &Answer, kind: &str) -> Result<T, String> {
    let envelope: Envelope = answer.json().map_err(|why| why.to_string())?;
    envelope.member(kind).map_err(|_| format!("the answer holds no {kind} that can be read"))
}
