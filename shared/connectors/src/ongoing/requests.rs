//! Documents as Ongoing takes them. Only members that its API knows: others are refused (`apis/viva-ongoing-bank.md`
//! 2.2). The order of members is the order of fields here, so the same order always gives the same bytes.

use serde::{Deserialize, Serialize};

use crate::kit::Exact;

/// An article to be created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewArticle {
    pub(super) goods_owner_id: u32,
    pub(super) article_number: String,
    pub(super) article_name: String,
}

/// An order to be created, or to take the place of the one with its number.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewOrder {
    pub(super) goods_owner_id: u32,
    pub(super) order_number: String,
    pub(super) delivery_date: String,
    pub(super) goods_owner_order_id: String,
    pub(super) consignee: NewConsignee,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_notification: Option<Notification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sms_notification: Option<Notification>,
    pub(super) order_lines: Vec<NewLine>,
}

/// Where the parcel goes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewConsignee {
    pub(super) name: String,
    pub(super) address1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address2: Option<String>,
    pub(super) post_code: String,
    pub(super) city: String,
    pub(super) country_code: String,
}

/// How the carrier tells the buyer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    pub(super) to_be_notified: bool,
    pub(super) value: String,
}

/// A line to be picked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewLine {
    pub(super) row_number: String,
    pub(super) article_number: String,
    pub(super) number_of_items: Exact,
}
