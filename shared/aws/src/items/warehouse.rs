//! Turns, cursors and stock as items.

use bokbro_app::ports::Stock;
use bokbro_domain::ids::{Provider, TenantId};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Item, Reader, Unreadable, json, number, stamp, text, versioned};

/// A turn that nobody gave back is forgotten this long after its end.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct StockDoc {
    sku: String,
    on_hand: Decimal,
    sellable: Decimal,
}

/// A turn, with owner and end as attributes that conditions can see.
pub(crate) fn turn(name: &str, owner: &str, until: Timestamp) -> Item {
    let mut item = versioned(Key::turn(name).into_item());
    item.insert("lease_owner".to_owned(), text(owner));
    item.insert("lease_until".to_owned(), text(stamp(until)));
    let forgotten = until.saturating_add(FORGOTTEN).unwrap_or(Timestamp::MAX);
    item.insert("expires_at".to_owned(), number(forgotten.as_second()));
    item
}

/// When a stored turn ends.
pub(crate) fn turn_until(item: &Item) -> Result<Timestamp, Unreadable> {
    Reader::new("turn", item)?.parsed("lease_until", str::parse)
}

/// A cursor.
pub(crate) fn cursor(tenant: &TenantId, of: &Provider, entity: &str, cursor: &str) -> Item {
    let mut item = versioned(Key::cursor(tenant, of, entity).into_item());
    item.insert("cursor".to_owned(), text(cursor));
    item
}

/// What a stored cursor says.
pub(crate) fn cursor_text(item: &Item) -> Result<String, Unreadable> {
    Reader::new("cursor", item)?.text("cursor").map(str::to_owned)
}

/// An article's stock.
pub(crate) fn stock(tenant: &TenantId, at: &Provider, stock: &Stock, read_at: Timestamp) -> Item {
    let Stock { sku, on_hand, sellable } = stock.clone();
    let mut item = versioned(Key::stock(tenant, at, &sku).into_item());
    item.insert("doc".to_owned(), json(&StockDoc { sku, on_hand, sellable }));
    item.insert("read_at".to_owned(), text(stamp(read_at)));
    item
}

/// The item as an article's stock, and when it was read.
pub(crate) fn stock_from_item(item: &Item) -> Result<(Stock, Timestamp), Unreadable> {
    let reader = Reader::new("stock", item)?;
    let StockDoc { sku, on_hand, sellable } = reader.json("doc")?;
    Ok((Stock { sku, on_hand, sellable }, reader.parsed("read_at", str::parse)?))
}
