//! Answers as the API spells them: whole documents, absent parts as null, times in UTC.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::config::ErrorBody;
use super::model::{Article, Members, Order, Refused, decimal, status_text, text};
use super::state::State;

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

/// A refusal in the shape that a switch asks for.
pub(crate) fn refusal(refused: &Refused, body: ErrorBody) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    match body {
        ErrorBody::Message => answer(status, &json!({ "Message": refused.why })),
        ErrorBody::Text => answer(status, &json!(refused.why)),
        ErrorBody::Html => {
            let page = format!("<!DOCTYPE html><title>{status}</title><h2>{}</h2>", refused.why);
            (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        ErrorBody::Empty => status.into_response(),
    }
}

/// A time as the API writes it: UTC, and says so.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

/// Quantities are JSON numbers; the whole ones without a fraction.
fn number(quantity: Decimal) -> Value {
    let plain = quantity.normalize().to_string();
    plain.parse::<i64>().map_or_else(|_| serde_json::from_str(&plain).unwrap_or(Value::Null), Value::from)
}

fn member(members: &Members, name: &str) -> Value {
    members.get(name).cloned().unwrap_or_default()
}

/// An order as `GET /orders` shows it.
pub(crate) fn order(state: &State, order: &Order) -> Value {
    let own = |name: &str| member(&order.members, name);
    let lines: Vec<Value> =
        order.lines().iter().filter_map(Value::as_object).map(|l| line(state, order, l)).collect();
    let ordered: Decimal = sum(order, |line| decimal(line, "numberOfItems").unwrap_or_default());
    let picked: Decimal = order.picked.values().sum();
    let parcels: Vec<Value> = order
        .parcels
        .iter()
        .map(|parcel| {
            let tracking = parcel.tracking_url.as_ref().map(|url| json!({ "trackingUrl": url }));
            json!({ "id": parcel.id, "parcelNumber": parcel.number, "isReturnParcel": parcel.is_return, "tracking": tracking })
        })
        .collect();
    json!({
        "goodsOwner": { "id": order.goods_owner, "name": format!("Goods owner {}", order.goods_owner) },
        "orderInfo": {
            "orderId": order.id, "orderNumber": order.number, "goodsOwnerOrderId": own("goodsOwnerOrderId"),
            "referenceNumber": own("referenceNumber"), "salesCode": own("salesCode"), "orderRemark": own("orderRemark"),
            "deliveryInstruction": own("deliveryInstruction"), "servicePointCode": own("servicePointCode"),
            "freeText1": own("freeText1"), "freeText2": own("freeText2"), "freeText3": own("freeText3"),
            "orderType": own("orderType"), "wayOfDelivery": own("wayOfDelivery"), "deliveryDate": own("deliveryDate"),
            "createdDate": time(order.created_at), "shippedTime": order.shipped_at.map(time),
            "wayBill": order.parcels.first().map(|parcel| &parcel.number), "returnWayBill": null,
            "orderStatus": { "number": order.status, "text": status_text(order.status) },
            "emailNotification": own("emailNotification"), "smsNotification": own("smsNotification"),
            "telephoneNotification": own("telephoneNotification"), "orderedNumberOfItems": number(ordered),
            "allocatedNumberOfItems": 0, "pickedNumberOfItems": number(picked), "customsInfo": own("customsInfo"),
        },
        "consignee": own("consignee"), "parcels": parcels, "orderLines": lines, "transporter": null,
        "returnTransporter": null, "tracking": tracking(order), "classes": null, "shipmentInfo": null,
    })
}

/// Links for following the parcels; null before anything has left.
pub(crate) fn tracking(order: &Order) -> Value {
    let sent = order.parcels.iter().filter(|parcel| !parcel.is_return);
    let links: Vec<Value> = sent
        .map(|parcel| json!({ "trackingUrl": parcel.tracking_url, "waybill": parcel.number, "created": order.shipped_at.map(time) }))
        .collect();
    if links.is_empty() { Value::Null } else { Value::Array(links) }
}

fn sum(order: &Order, of: impl Fn(&Members) -> Decimal) -> Decimal {
    order.lines().iter().filter_map(Value::as_object).map(of).sum()
}

fn line(state: &State, order: &Order, line: &Members) -> Value {
    let row = text(line, "rowNumber").unwrap_or_default();
    let picked = order.picked.get(row).copied().unwrap_or_default();
    let wanted = text(line, "articleNumber").unwrap_or_default();
    let known = state.articles.get(&(order.goods_owner, wanted.to_owned()));
    json!({
        "id": order.id * 100 + row.parse::<u64>().unwrap_or(99), "rowNumber": row,
        "article": {
            "articleSystemId": known.map(|article| article.id), "articleNumber": wanted,
            "articleName": known.map(|article| member(&article.members, "articleName")),
            "productCode": known.map(|article| member(&article.members, "productCode")),
        },
        "comment": member(line, "comment"),
        "orderedNumberOfItems": number(decimal(line, "numberOfItems").unwrap_or_default()),
        "allocatedNumberOfItems": 0, "pickedNumberOfItems": number(picked), "reportedNumberOfItems": 0,
        "shouldBePicked": line.get("shouldBePicked").and_then(Value::as_bool).unwrap_or(true),
        "pickedArticleItems": null, "subOrderLines": null, "serialNumber": member(line, "serialNumber"),
        "lineTotalCustomsValue": member(line, "lineTotalCustomsValue"),
    })
}

/// An article as `GET /articles` shows it.
pub(crate) fn article(state: &State, goods_owner: u32, article: &Article) -> Value {
    let own = |name: &str| member(&article.members, name);
    let booked = state.booked(goods_owner, &article.number);
    json!({
        "goodsOwner": { "id": goods_owner, "name": format!("Goods owner {goods_owner}") },
        "articleSystemId": article.id, "articleNumber": article.number, "articleName": own("articleName"),
        "productCode": own("productCode"), "unitCode": own("unitCode"), "description": own("description"),
        "isStockArticle": article.members.get("isStockArticle").and_then(Value::as_bool).unwrap_or(true),
        "supplierInfo": own("supplierInfo"), "barCodeInfo": own("barCodeInfo"), "weight": own("weight"),
        "customerPrice": own("customerPrice"), "articleGroup": own("articleGroup"),
        "articleCategory": own("articleCategory"),
        "inventoryInfo": {
            "numberOfItems": number(article.in_stock), "numberOfBookedItems": number(booked),
            "sellableNumberOfItems": number((article.in_stock - booked).max(Decimal::ZERO)),
            "numberOfLockedItems": 0, "toReceiveNumberOfItems": 0, "allocatedNumberOfItems": 0,
            "lockedForSaleNumberOfItems": 0, "pickedToBeCollectedNumberOfItems": 0,
            "receivedToBeFinishedNumberOfItems": 0, "lastInDate": null,
        },
    })
}
