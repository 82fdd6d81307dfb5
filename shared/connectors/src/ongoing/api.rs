//! Calls to the API of one goods owner: reads, lists and writes, with refusals sorted.

use std::time::Duration;

use bokbro_app::error::Error;
use bokbro_app::ports::{Feed, SendError, Stock};
use bokbro_domain::ids::OrderId;
use bokbro_domain::shipment::Shipment;
use http::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::Settings;
use super::errors::{Refusal, refusal};
use super::map::{self, FoundOrder};
use super::requests::NewArticle;
use super::wire::{GotArticle, GotOrder, Statuses, Written};
use crate::kit::{Answer, Auth, Body, Client, Request, path_segment, reasons};

/// Orders and articles of one page.
const PAGE: usize = 200;
/// Article numbers in one query: an address must not get too long.
const NUMBERS: usize = 25;
/// Longest time for one call. Ongoing does a goods owner's writes one after the other, and some take long
/// (`apis/viva-ongoing-bank.md` 2.4).
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// What is left of an invocation after its last call: the outcome must still be stored.
const AFTER_CALL: Duration = Duration::from_secs(5);
/// The same for calls whose answer a person waits for.
const UNTOLD: Duration = Duration::from_secs(15);

/// The API of one goods owner.
pub(super) struct Api {
    client: Client,
    base: String,
    root: String,
    pub(super) settings: Settings,
    auth: Auth,
    deadline: Option<Timestamp>,
}

/// Why a write was not done.
pub(super) enum Refused {
    /// Ongoing said no to it, with this status.
    Final(bokbro_app::error::Reason),
    /// Anything else.
    Failed(SendError),
}

impl Api {
    /// The API of the goods owner that the settings name.
    pub(super) fn new(
        client: Client,
        base: &str,
        settings: Settings,
        auth: Auth,
        deadline: Option<Timestamp>,
    ) -> Self {
        let root = format!("/{}/api/v1", path_segment(&settings.warehouse));
        Self { client, base: base.to_owned(), root, settings, auth, deadline }
    }

    /// Now by the clock.
    pub(super) fn now(&self) -> Timestamp {
        self.client.clock().now()
    }

    /// How long is left for calls of this invocation.
    pub(super) fn time_left(&self) -> Duration {
        let Some(deadline) = self.deadline else { return UNTOLD };
        let left = Duration::try_from(deadline.duration_since(self.now())).unwrap_or(Duration::ZERO);
        left.saturating_sub(AFTER_CALL)
    }

    /// The statuses of the warehouse by number.
    pub(super) async fn statuses(&self) -> Result<Vec<(u32, String)>, Error> {
        let found: Statuses = self.read(&self.get("list_statuses", "/orders/statuses")).await?;
        let status = |status: super::wire::OrderStatus| (status.number, status.text.0.unwrap_or_default());
        Ok(found.order_statuses.into_iter().map(status).collect())
    }

    /// Reads an article, to learn whether the goods owner may be read at all.
    pub(super) async fn articles_of_goods_owner(&self) -> Result<(), Error> {
        let request = self.list("list_articles", "/articles").with_query("maxArticlesToGet", "1");
        self.read::<Vec<GotArticle>>(&request).await.map(|_| ())
    }

    /// Those of the articles that are not there. A list that ignores the numbers asked for is filtered here.
    pub(super) async fn missing<'a>(&self, articles: &'a [NewArticle]) -> Result<Vec<&'a NewArticle>, Error> {
        let mut missing = Vec::new();
        for some in articles.chunks(NUMBERS) {
            let mut request =
                self.list("list_articles", "/articles").with_query("maxArticlesToGet", PAGE.to_string());
            for article in some {
                request = request.with_query("articleNumbers", article.article_number.clone());
            }
            let found: Vec<GotArticle> = self.read(&request).await?;
            let there = |article: &&NewArticle| {
                let is_it = |got: &GotArticle| got.article_number.as_deref() == Some(&article.article_number);
                !found.iter().any(is_it)
            };
            missing.extend(some.iter().filter(there));
        }
        Ok(missing)
    }

    /// Creates an article, or changes the one with its number.
    pub(super) async fn put_article(&self, article: &NewArticle) -> Result<(), Refused> {
        self.write::<_, Written>("put_article", Method::PUT, "/articles", Some(article)).await.map(|_| ())
    }

    /// Finds an order by its number, with an exact match. One that was canceled gives way to one that was not.
    pub(super) async fn find_order(&self, number: &str) -> Result<Option<FoundOrder>, Error> {
        let request = self.list("find_order", "/orders").with_query("orderNumber", number);
        let found: Vec<GotOrder> = self.read(&request).await?;
        let found = found.into_iter().map(|got| FoundOrder::of(&self.settings, got));
        let canceled = |order: &FoundOrder| order.shipment.stage == bokbro_domain::shipment::Stage::Cancelled;
        Ok(found.filter(|order| order.number() == Some(number)).min_by_key(canceled))
    }

    /// Sends an order's document as it is; gives Ongoing's id, which may be missing.
    pub(super) async fn put_order(&self, document: &str) -> Result<Option<String>, Refused> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(document)
            .map_err(|_| Refused::Failed(SendError::NotDone(reasons::unwritable("Ongoing"))))?;
        let written: Written = self.write("put_order", Method::PUT, "/orders", Some(raw)).await?;
        Ok(written.order_id.0)
    }

    /// Cancels an order by Ongoing's id.
    pub(super) async fn cancel_order(&self, id: u64) -> Result<(), Refused> {
        let path = format!("/orders/{id}");
        self.write::<(), Written>("cancel_order", Method::DELETE, &path, None).await.map(|_| ())
    }

    /// One page of our orders whose status has changed since a time. The list ends with an empty page: one that is merely
    /// short may have been cut.
    pub(super) async fn changes(
        &self,
        since: Timestamp,
        after: Option<u64>,
    ) -> Result<Feed<(OrderId, Shipment)>, Error> {
        let request = self
            .list("list_orders", "/orders")
            .with_query("orderStatusChangedTimeFrom", since.to_string())
            .with_query("orderIdFrom", after.unwrap_or(0).to_string())
            .with_query("maxOrdersToGet", PAGE.to_string());
        let found: Vec<GotOrder> = self.read(&request).await?;
        let next = found.iter().map(|got| got.order_info.order_id + 1).max();
        let found = found.into_iter().map(|got| FoundOrder::of(&self.settings, got));
        let items = found.filter_map(|order| Some((order.order()?, order.shipment))).collect();
        Ok(Feed { items, next })
    }

    /// One page of stock.
    pub(super) async fn stock(
        &self,
        since: Option<Timestamp>,
        after: Option<u64>,
    ) -> Result<Feed<Stock>, Error> {
        let mut request = self
            .list("list_stock", "/articles")
            .with_query("articleSystemIdFrom", after.unwrap_or(0).to_string())
            .with_query("maxArticlesToGet", PAGE.to_string());
        if let Some(since) = since {
            request = request.with_query("stockInfoChangedFrom", since.to_string());
        }
        let found: Vec<GotArticle> = self.read(&request).await?;
        let next = found.iter().map(|article| article.article_system_id + 1).max();
        Ok(Feed { items: found.iter().filter_map(map::stock).collect(), next })
    }

    fn get(&self, operation: &'static str, path: &str) -> Request {
        debug_assert!(super::OPERATIONS.contains(&operation), "{operation} is missing from OPERATIONS");
        let path = format!("{}{path}", self.root);
        Request::get(operation, &self.base, path, self.auth.clone()).with_patience(self.patience())
    }

    fn list(&self, operation: &'static str, path: &str) -> Request {
        self.get(operation, path).with_query("goodsOwnerId", self.settings.goods_owner.to_string())
    }

    fn patience(&self) -> Duration {
        self.time_left().clamp(Duration::from_secs(1), LONGEST_CALL)
    }

    async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let answer = self.client.read(request).await?;
        if !answer.is_success() {
            return Err(match refusal(answer.status, request.operation) {
                Refusal::NoAccess(message) => self.client.consent(message),
                Refusal::Final(reason) => Error::Parked(reason),
            });
        }
        answer.json().map_err(|why| self.client.garbled(request, why).into_read_error())
    }

    /// Sends a write once, with its length and never in chunks.
    async fn write<D: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        document: Option<&D>,
    ) -> Result<T, Refused> {
        debug_assert!(super::OPERATIONS.contains(&operation), "{operation} is missing from OPERATIONS");
        // Only maps with keys that are not texts can fail, and no document has one.
        let body = document
            .map_or(Body::None, |document| Body::Json(serde_json::to_string(document).unwrap_or_default()));
        let path = format!("{}{path}", self.root);
        let request = Request::write(operation, method, &self.base, path, body, self.auth.clone())
            .with_patience(self.patience());
        let answer: Answer =
            self.client.send(&request).await.map_err(|failure| Refused::Failed(failure.into()))?;
        if !answer.is_success() {
            return Err(match refusal(answer.status, operation) {
                Refusal::NoAccess(message) => {
                    Refused::Failed(SendError::NotDone(self.client.consent(message)))
                }
                Refusal::Final(reason) => Refused::Final(reason),
            });
        }
        answer.json().map_err(|why| Refused::Failed(self.client.garbled(&request, why).into()))
    }

    /// The failure of a write that says "done" and nothing of what was done.
    pub(super) fn incomplete(&self, operation: &'static str) -> SendError {
        self.client.garbled(&self.get(operation, ""), "the answer names no order, and none is there").into()
    }
}
