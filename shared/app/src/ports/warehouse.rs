//! Warehouses: what a connector can do there, whose turn it is to write, and what is kept of what they tell.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, OrderNumber, Provider, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::shipment::Shipment;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Access, Cursor, Effector, Page};
use crate::error::Error;
use crate::message::{ParcelHint, Unreadable};
use crate::records::Connection;

/// Who tells a warehouse of orders.
#[derive(Clone)]
pub enum Shipping {
    /// We do.
    Ours(Arc<dyn Warehouse>),
    /// Another system does: what we would add, it would ship twice.
    Theirs,
}

/// What an order wants of a warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParcelWish {
    /// A parcel with its goods.
    Ship,
    /// No parcel any more.
    Cancel,
}

/// A warehouse program.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// For what only one worker at a time may write, as a name that is unique at the provider.
    ///
    /// # Errors
    /// `Consent` when the connection does not say.
    fn writer(&self, connection: &Connection) -> Result<String, Error>;

    /// The way of one order into the warehouse, or out of it again.
    ///
    /// # Errors
    /// `Consent` when the connection lacks something, `Parked` when the order cannot be put as the warehouse needs it.
    fn effector(&self, access: Access, order: &Order, wish: ParcelWish) -> Result<Box<dyn Effector>, Error>;

    /// How an order stands there; `None` when the warehouse does not know it, or has another system's under its number.
    ///
    /// # Errors
    /// By what happens next.
    async fn shipment(
        &self,
        access: &Access,
        id: &OrderId,
        number: &OrderNumber,
    ) -> Result<Option<Shipment>, Error>;

    /// One page of the orders of ours whose status has changed since a time. `after` is where the page before it ended.
    ///
    /// # Errors
    /// By what happens next.
    async fn changes(
        &self,
        access: &Access,
        since: Timestamp,
        after: Option<u64>,
    ) -> Result<Feed<(OrderId, Shipment)>, Error>;

    /// One page of the stock that has changed since a time, of all of it without one.
    ///
    /// # Errors
    /// By what happens next.
    async fn stock(
        &self,
        access: &Access,
        since: Option<Timestamp>,
        after: Option<u64>,
    ) -> Result<Feed<Stock>, Error>;

    /// How far back changes of stock may be asked for.
    fn stock_window(&self) -> Duration;
}

/// One page of what a provider lists by rising ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// How many of an article a warehouse has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Stock keeping unit.
    pub sku: String,
    /// How many are on the shelf.
    pub on_hand: Decimal,
    /// How many of them nobody has ordered yet.
    pub sellable: Decimal,
}

/// A warehouse's webhooks. They are not signed; the most they carry is a secret of their own in a header.
pub trait ParcelWebhooks: Send + Sync {
    /// The header that carries the secret.
    fn token_header(&self) -> &'static str;

    /// Reads a delivery from its exact bytes.
    ///
    /// # Errors
    /// When the body is not an event of the provider; the error never quotes it.
    fn parse(&self, body: &[u8]) -> Result<ParcelHint, Unreadable>;
}

/// What became of asking for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It is the asker's until it is given back or its time is over.
    Taken,
    /// It is somebody else's.
    Held {
        /// When that ends at the latest.
        until: Timestamp,
    },
}

/// Turns of those of whom only one at a time may do something.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Takes a turn that is nobody's, the asker's already, or over.
    ///
    /// # Errors
    /// When the table fails.
    async fn turn_take(
        &self,
        name: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Turn, Error>;

    /// Gives a turn back, if it still is the owner's.
    ///
    /// # Errors
    /// When the table fails; the turn is then over by itself.
    async fn turn_give_back(&self, name: &str, owner: &str) -> Result<(), Error>;
}

/// How far a provider's list has been read.
#[async_trait]
pub trait Cursors: Send + Sync {
    /// Reads a cursor; `entity` says of which list.
    ///
    /// # Errors
    /// When the table fails.
    async fn cursor_get(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
    ) -> Result<Option<String>, Error>;

    /// Moves a cursor.
    ///
    /// # Errors
    /// When the table fails.
    async fn cursor_put(
        &self,
        tenant: &TenantId,
        of: &Provider,
        entity: &str,
        cursor: &str,
    ) -> Result<(), Error>;
}

/// What a warehouse had when it was last read.
#[async_trait]
pub trait Stocks: Send + Sync {
    /// Stores articles over what was known of them.
    ///
    /// # Errors
    /// When the table fails; some of them may be stored.
    async fn stocks_put(
        &self,
        tenant: &TenantId,
        at: &Provider,
        stocks: &[Stock],
        read_at: Timestamp,
    ) -> Result<(), Error>;

    /// Lists articles by stock keeping unit, each with the time when it was read.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn stocks_list(
        &self,
        tenant: &TenantId,
        at: &Provider,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<(Stock, Timestamp)>, Error>;
}
