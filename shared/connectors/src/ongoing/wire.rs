//! Answers as Ongoing writes them, as far as they are used. Absent parts are null (`apis/viva-ongoing-bank.md` 2.2).

use serde::Deserialize;

use crate::kit::{LooseBool, LooseDecimal, LooseText};

/// What a write gives; every member may be null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    #[serde(default)]
    pub(super) order_id: LooseText,
}

/// An order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GotOrder {
    pub(super) order_info: OrderInfo,
    pub(super) consignee: Option<Consignee>,
    pub(super) parcels: Option<Vec<GotParcel>>,
    pub(super) order_lines: Option<Vec<GotLine>>,
    /// Links of the order as a whole; carriers that number no parcels have only these.
    pub(super) tracking: Option<Vec<Tracking>>,
}

/// The order itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderInfo {
    pub(super) order_id: u64,
    pub(super) order_number: LooseText,
    #[serde(default)]
    pub(super) goods_owner_order_id: LooseText,
    pub(super) order_status: OrderStatus,
    #[serde(default)]
    pub(super) shipped_time: LooseText,
}

/// How far it has come.
#[derive(Deserialize)]
pub(super) struct OrderStatus {
    pub(super) number: u32,
    #[serde(default)]
    pub(super) text: LooseText,
}

/// Where it goes.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Consignee {
    pub(super) name: LooseText,
    pub(super) address1: LooseText,
    pub(super) post_code: LooseText,
    pub(super) city: LooseText,
}

/// A parcel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GotParcel {
    #[serde(default)]
    pub(super) parcel_number: LooseText,
    #[serde(default)]
    pub(super) is_return_parcel: LooseBool,
    pub(super) tracking: Option<Tracking>,
}

/// Where a parcel is followed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tracking {
    #[serde(default)]
    pub(super) tracking_url: LooseText,
    #[serde(default)]
    pub(super) waybill: LooseText,
    #[serde(default)]
    pub(super) is_return: LooseBool,
}

/// A line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GotLine {
    #[serde(default)]
    pub(super) row_number: LooseText,
    pub(super) article: Option<GotLineArticle>,
    #[serde(default)]
    pub(super) ordered_number_of_items: LooseDecimal,
    #[serde(default)]
    pub(super) picked_number_of_items: LooseDecimal,
}

/// A line's article.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GotLineArticle {
    #[serde(default)]
    pub(super) article_number: LooseText,
}

/// An article.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GotArticle {
    pub(super) article_system_id: u64,
    #[serde(default)]
    pub(super) article_number: LooseText,
    pub(super) inventory_info: Option<InventoryInfo>,
}

/// How many there are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InventoryInfo {
    #[serde(default)]
    pub(super) number_of_items: LooseDecimal,
    #[serde(default)]
    pub(super) sellable_number_of_items: LooseDecimal,
}

/// The statuses of a warehouse.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statuses {
    pub(super) order_statuses: Vec<OrderStatus>,
}

/// A webhook's delivery. It holds much more, some of it personal; that is never read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default)]
    pub(super) system: LooseText,
    #[serde(default)]
    pub(super) timestamp: LooseText,
    #[serde(default)]
    pub(super) order_id: LooseText,
    pub(super) order_number: String,
    pub(super) order_status: Option<EventStatus>,
}

/// The status that a delivery claims.
#[derive(Deserialize)]
pub(super) struct EventStatus {
    pub(super) number: Option<u32>,
}
