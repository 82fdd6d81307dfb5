//! Webhooks: a status has changed (apis/viva-ongoing-bank.md 2.5). Not signed; at most a fixed header.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::answers;
use super::config::Switches;
use super::model::Order;
use crate::kit;

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A day of repeats: 1, 5, 15 and 30 minutes, then every two hours.
const ONE_DAY: [SignedDuration; 15] = [
    minutes(1),
    minutes(5),
    minutes(15),
    minutes(30),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
    minutes(120),
];

/// What a delivery is about.
#[derive(Clone, Serialize)]
pub struct About {
    /// Which order.
    pub order_number: String,
    /// The status number that it tells of.
    pub status: u32,
}

/// One webhook on its way, as `GET /_sim/webhooks` lists it.
pub type Delivery = kit::Delivery<About>;

/// The webhook that tells of an order's status; `status` may be stale by then.
pub(crate) fn letter(
    warehouse: &str,
    order: &Order,
    status: u32,
    switches: &Switches,
    now: Timestamp,
) -> kit::Letter<About> {
    let parcels: Vec<Value> = order
        .parcels
        .iter()
        .map(|parcel| json!({ "id": parcel.id, "parcelNumber": parcel.number, "isReturnParcel": parcel.is_return, "tracking": null }))
        .collect();
    let body = json!({
        "webhookOrdersId": 12, "webhookEventId": 34, "system": warehouse,
        // Seven digits of fraction, and no word on the time zone.
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S%.6f0").to_string(),
        "orderId": order.id, "orderNumber": order.number, "goodsOwnerId": order.goods_owner,
        "goodsOwnerOrderId": order.members.get("goodsOwnerOrderId"), "consigneeOrderNumber": null,
        "path": format!("/{warehouse}/api/v1/orders/{}", order.id), "byUser": { "userId": 7 },
        "byComputer": { "computerId": 3, "computerName": "PACK-01" }, "orderStatus": { "number": status },
        "currentShipmentId": null, "webhookTemplate": "Order",
        "goodsOwnerName": format!("Goods owner {}", order.goods_owner), "goodsOwnerClasses": [],
        "tracking": answers::tracking(order), "parcels": parcels,
    });
    let header = switches.webhook_token.clone().map(|token| ("X-Auth-Token", token));
    kit::Letter {
        about: About { order_number: order.number.clone(), status },
        body: body.to_string(),
        header,
        waits: if switches.webhook_retries { &ONE_DAY } else { &[] },
    }
}
