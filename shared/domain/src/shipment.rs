//! What a warehouse tells of an order: how far it has come, which parcels left, and what was in them.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How far an order has come at a warehouse. Warehouses number their statuses as they like; this is what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody has begun: it may still be changed or canceled.
    Open,
    /// Goods are being picked or packed.
    Picking,
    /// The parcel has left.
    Shipped,
    /// It was canceled.
    Cancelled,
}

impl Stage {
    /// The stage's name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Picking => "picking",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A parcel on its way to the buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The carrier's number.
    pub number: String,
    /// Where people follow it.
    pub url: Option<String>,
}

/// How much of one line was picked, which is what the parcels hold once they have left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickedLine {
    /// Stock keeping unit.
    pub sku: String,
    /// How many were ordered.
    pub ordered: Decimal,
    /// How many were picked.
    pub picked: Decimal,
}

/// An order as the warehouse sees it. Always all of it: what is read replaces what was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The warehouse's own id of the order.
    pub order_id: String,
    /// The warehouse's own number of the status.
    pub status: u32,
    /// Its text there, which may be empty.
    pub text: String,
    /// What it means.
    pub stage: Stage,
    /// When it left, if the warehouse tells.
    pub shipped_at: Option<Timestamp>,
    /// The parcels, without labels for sending goods back.
    pub parcels: Vec<Parcel>,
    /// The lines, in the order of the order.
    pub lines: Vec<PickedLine>,
}

impl Shipment {
    /// The status as people read it: `450 Sent`.
    #[must_use]
    pub fn status_text(&self) -> String {
        format!("{} {}", self.status, self.text).trim_end().to_owned()
    }
}
