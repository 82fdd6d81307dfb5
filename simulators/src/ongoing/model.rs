//! What the warehouse keeps: articles with their stock, and orders with how far they have come.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

/// A JSON object as it was sent.
pub(crate) type Members = Map<String, Value>;

/// Nobody has touched the order.
pub(crate) const OPEN: u32 = 200;
/// Goods have been picked.
pub(crate) const PICKED: u32 = 400;
/// The parcel has left.
pub(crate) const SENT: u32 = 450;
/// The order was canceled.
pub(crate) const CANCELLED: u32 = 1000;

/// The statuses of this warehouse; each warehouse has its own (apis/viva-ongoing-bank.md 2.2).
pub(crate) const STATUSES: &[(u32, &str)] = &[
    (150, "Error"),
    (OPEN, "Open"),
    (300, "Released"),
    (320, "Allocated"),
    (PICKED, "Picked"),
    (425, "Packed"),
    (SENT, "Sent"),
    (500, "Collected"),
    (800, "Returned"),
    (CANCELLED, "Cancelled"),
];

/// The text of a status number, empty for one that this warehouse does not have.
pub(crate) fn status_text(number: u32) -> &'static str {
    STATUSES.iter().find(|(known, _)| *known == number).map_or("", |(_, text)| text)
}

/// An article of a goods owner.
#[derive(Clone, Debug, Serialize)]
pub struct Article {
    /// Ongoing's own id.
    pub id: u64,
    /// The goods owner's number, the key of every write.
    pub number: String,
    /// Everything as it was last written.
    pub members: Members,
    /// Items in the warehouse.
    pub in_stock: Decimal,
    /// When the stock last changed.
    pub stock_changed_at: Timestamp,
}

/// An order of a goods owner.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    /// Ongoing's own id.
    pub id: u64,
    /// Whose goods.
    pub goods_owner: u32,
    /// The key of every write.
    pub number: String,
    /// Everything as it was last written.
    pub members: Members,
    /// How far it has come.
    pub status: u32,
    /// Items picked, by row number.
    pub picked: BTreeMap<String, Decimal>,
    /// Parcels that have left.
    pub parcels: Vec<Parcel>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// When its status last changed.
    pub status_changed_at: Timestamp,
    /// When it left.
    pub shipped_at: Option<Timestamp>,
    /// How often it was written.
    pub writes: u32,
}

/// A parcel that has left.
#[derive(Clone, Debug, Serialize)]
pub struct Parcel {
    /// Ongoing's own id.
    pub id: u64,
    /// The carrier's number.
    pub number: String,
    /// Where people follow it.
    pub tracking_url: Option<String>,
    /// Whether it is a label for sending goods back.
    pub is_return: bool,
}

impl Order {
    /// Lines as they were written.
    pub(crate) fn lines(&self) -> &[Value] {
        self.members.get("orderLines").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// Why a request is refused; the status and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status of the answer.
    pub status: u16,
    /// What the answer says, where it says anything.
    pub why: String,
}

impl Refused {
    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Self { status: 400, why: why.into() }
    }

    pub(crate) fn unknown() -> Self {
        Self { status: 404, why: "The requested resource does not exist.".to_owned() }
    }
}

/// A text of a body.
pub(crate) fn text<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A text that must be there.
pub(crate) fn required<'a>(members: &'a Members, name: &str) -> Result<&'a str, Refused> {
    text(members, name).ok_or_else(|| Refused::bad(format!("The {name} field is required.")))
}

/// A number of a body as it was written.
pub(crate) fn decimal(members: &Members, name: &str) -> Option<Decimal> {
    members.get(name).filter(|value| value.is_number()).and_then(|value| value.to_string().parse().ok())
}

/// Refuses members that are not among those known.
pub(crate) fn only(members: &Members, known: &[&str]) -> Result<(), Refused> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refused::bad(format!("Could not find member '{name}' on the object."))),
        None => Ok(()),
    }
}
