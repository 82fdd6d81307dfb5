//! Records as items, each one document. `bokbro_app::records` are what stores keep, so they are wire types already.

use bokbro_app::ports::{KeyClaim, OpenKind, OpenOrder};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_domain::ids::{OrderId, TenantId};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{CONNECTIONS, Key, connection_sk};
use super::{Item, Reader, Unreadable, json, number, stamp, text, versioned};

/// A record as an item under a key.
pub(crate) fn to_item<T: Serialize>(key: Key, record: &T) -> Item {
    let mut item = versioned(key.into_item());
    item.insert("doc".to_owned(), json(record));
    item
}

/// The item as a record; `kind` names it in errors.
pub(crate) fn from_item<T: DeserializeOwned>(kind: &'static str, item: &Item) -> Result<T, Unreadable> {
    Reader::new(kind, item)?.json("doc")
}

/// A connection as an item. Disconnected ones stand outside the index.
pub(crate) fn connection(connection: &Connection) -> Item {
    let mut item = to_item(Key::connection(&connection.tenant, &connection.provider), connection);
    if connection.state != ConnectionState::Disconnected {
        item.insert("gsi1pk".to_owned(), text(CONNECTIONS));
        item.insert("gsi1sk".to_owned(), text(connection_sk(&connection.tenant, &connection.provider)));
    }
    item
}

/// An order that waits for something, as an item.
pub(crate) fn open(tenant: &TenantId, kind: OpenKind, open: &OpenOrder) -> Item {
    let OpenOrder { order, since } = open;
    let mut item = versioned(Key::open(tenant, kind, order).into_item());
    item.insert("since".to_owned(), text(stamp(*since)));
    item
}

/// The item as an order that waits for something.
pub(crate) fn open_from_item(item: &Item) -> Result<OpenOrder, Unreadable> {
    let reader = Reader::new("open work", item)?;
    Ok(OpenOrder { order: reader.parsed("sk", OrderId::parse)?, since: reader.parsed("since", str::parse)? })
}

/// A look-up, which leads from a value to the order or parked item that has it.
pub(crate) fn pointer(key: Key, id: &str) -> Item {
    let mut item = versioned(key.into_item());
    item.insert("id".to_owned(), text(id));
    item
}

/// Where a look-up leads.
pub(crate) fn pointer_id<T, E>(
    item: &Item,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Unreadable> {
    Reader::new("look-up", item)?.parsed("id", parse)
}

/// An item of the idempotency table, with the attribute names of Powertools for AWS Lambda.
pub(crate) fn completed(id: &str, data: &str, validation: Option<&str>, expires_at: Timestamp) -> Item {
    let mut item = Item::from([
        ("id".to_owned(), text(id)),
        ("status".to_owned(), text("COMPLETED")),
        ("expiration".to_owned(), number(expires_at.as_second())),
        ("data".to_owned(), text(data)),
    ]);
    if let Some(validation) = validation {
        item.insert("validation".to_owned(), text(validation));
    }
    item
}

/// A claim of an order as an item of the idempotency table.
pub(crate) fn claim(key: &KeyClaim, order: &OrderId) -> Item {
    completed(&key.id, order.as_str(), Some(&key.body_hash), key.expires_at)
}

/// What an item of the idempotency table says. Other languages' tools may read it, so it has no `v`.
pub(crate) struct Completed<'a> {
    reader: Reader<'a>,
    /// The outcome.
    pub(crate) data: &'a str,
    /// Hash of what came with the key.
    pub(crate) validation: Option<&'a str>,
    /// Until when it counts, in seconds of Unix time; the table deletes late.
    pub(crate) expiration: i64,
}

impl<'a> Completed<'a> {
    /// Reads an item.
    pub(crate) fn read(item: &'a Item) -> Result<Self, Unreadable> {
        let reader = Reader { kind: "idempotency", item };
        let expiration = i64::try_from(reader.number("expiration")?).map_err(|_| reader.bad("expiration"))?;
        let (data, validation) = (reader.text("data")?, reader.maybe_text("validation")?);
        Ok(Self { reader, data, validation, expiration })
    }

    /// The outcome as the order that was made.
    pub(crate) fn order(&self) -> Result<OrderId, Unreadable> {
        self.reader.parsed("data", OrderId::parse)
    }
}
