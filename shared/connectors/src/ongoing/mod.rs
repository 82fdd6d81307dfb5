//! Ongoing WMS, a warehouse program: paid orders become parcel orders there, statuses and stock come back.

mod api;
mod auth;
mod effects;
mod errors;
mod map;
mod requests;
mod webhook;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Clock, Effector, Feed, ParcelWish, Stock, Warehouse};
use bokbro_app::records::Connection;
use bokbro_domain::ids::{OrderId, OrderNumber};
use bokbro_domain::order::Order;
use bokbro_domain::shipment::Shipment;
use jiff::Timestamp;

use self::api::Api;
use self::auth::Settings;
use self::effects::Effects;
use crate::kit::{Client, Wire};

pub use auth::ENTRY_FIELDS;
pub(crate) use webhook::Deliveries;

/// The provider's name in settings, keys and logs.
pub const NAME: &str = "ongoing";

/// Every call that this connector makes, by its name in logs. Debug builds refuse one that is not listed, so that a test
/// which exercises the whole list exercises the whole connector.
pub const OPERATIONS: [&str; 8] = [
    "list_statuses",
    "list_articles",
    "put_article",
    "list_stock",
    "find_order",
    "put_order",
    "cancel_order",
    "list_orders",
];

/// How far back changes of stock may be asked for (`apis/viva-ongoing-bank.md` 2.3).
const STOCK_WINDOW: Duration = Duration::from_secs(24 * 3_600);

/// Where Ongoing is: scheme and host, without path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OngoingUrls {
    /// The API.
    pub api: String,
}

impl Default for OngoingUrls {
    fn default() -> Self {
        Self { api: "https://api.ongoingsystems.se".to_owned() }
    }
}

/// The connector.
pub struct Ongoing {
    urls: OngoingUrls,
    client: Client,
}

impl Ongoing {
    /// A connector that sends over a wire and waits by a clock.
    #[must_use]
    pub fn new(urls: OngoingUrls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { urls, client: Client::new(NAME, wire, clock) }
    }

    fn api(&self, access: &Access) -> Result<Api, Error> {
        let settings = Settings::read(&self.client, &access.connection)?;
        let auth = auth::basic(&self.client, &access.credentials)?;
        Ok(Api::new(self.client.paced(access), &self.urls.api, settings, auth, access.deadline))
    }
}

#[async_trait]
impl Warehouse for Ongoing {
    fn writer(&self, connection: &Connection) -> Result<String, Error> {
        let settings = Settings::read(&self.client, connection)?;
        Ok(format!("{}#{}", settings.warehouse, settings.goods_owner))
    }

    fn effector(&self, access: Access, order: &Order, wish: ParcelWish) -> Result<Box<dyn Effector>, Error> {
        Ok(Box::new(Effects::new(self.api(&access)?, order, wish)))
    }

    async fn shipment(
        &self,
        access: &Access,
        id: &OrderId,
        number: &OrderNumber,
    ) -> Result<Option<Shipment>, Error> {
        let api = self.api(access)?;
        let found = api.find_order(number.as_str()).await?;
        Ok(found.filter(|order| order.is_of(id)).map(|order| order.shipment))
    }

    async fn changes(
        &self,
        access: &Access,
        since: Timestamp,
        after: Option<u64>,
    ) -> Result<Feed<(OrderId, Shipment)>, Error> {
        self.api(access)?.changes(since, after).await
    }

    async fn stock(
        &self,
        access: &Access,
        since: Option<Timestamp>,
        after: Option<u64>,
    ) -> Result<Feed<Stock>, Error> {
        self.api(access)?.stock(since, after).await
    }

    fn stock_window(&self) -> Duration {
        STOCK_WINDOW
    }
}
