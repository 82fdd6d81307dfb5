//! Deliveries: read tolerantly, refused only when they cannot be the provider's.

use bokbro_app::ports::ParcelWebhooks as _;

use super::super::webhook::Deliveries;
use super::*;

#[test]
fn a_delivery_becomes_a_hint_and_nothing_personal_is_carried_on() {
    let body = json!({
        "webhookOrdersId": 12, "webhookEventId": 34, "system": "demo", "timestamp": "2026-11-20T12:00:00.1234560",
        "orderId": 50161, "orderNumber": "1753-1001", "goodsOwnerId": 159, "goodsOwnerOrderId": OURS,
        "path": "/demo/api/v1/orders/50161", "byUser": {"userId": 7}, "orderStatus": {"number": 450},
        "consigneeOrderNumber": "personal", "somethingNew": [1, 2],
    });
    let hint = Deliveries.parse(body.to_string().as_bytes()).unwrap();
    assert_eq!((hint.provider.as_str(), hint.order_number.as_str()), ("ongoing", "1753-1001"));
    assert_eq!(
        (hint.system.as_deref(), hint.order_id.as_deref(), hint.status),
        (Some("demo"), Some("50161"), Some(450))
    );
    assert_eq!(hint.at.as_deref(), Some("2026-11-20T12:00:00.1234560"));
    let text = serde_json::to_string(&hint).unwrap();
    assert!(!text.contains("personal"), "{text}");
}

#[test]
fn what_cannot_be_a_delivery_is_unreadable_and_not_quoted() {
    let long = format!(r#"{{"orderNumber":"{}"}}"#, "secret".repeat(50));
    for body in [
        "",
        "secret",
        "[]",
        "{}",
        r#"{"orderNumber":null}"#,
        r#"{"orderNumber":17}"#,
        r#"{"orderNumber":"a\nb"}"#,
        &long,
    ] {
        let unreadable = Deliveries.parse(body.as_bytes()).unwrap_err();
        assert!(!unreadable.why.contains("secret"), "{body}");
    }
    let least = Deliveries.parse(br#" {"orderNumber":"1","orderStatus":null} "#).unwrap();
    assert_eq!((least.order_number.as_str(), least.status), ("1", None));
}
