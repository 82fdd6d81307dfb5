//! Reading what the warehouse tells: shipments, changes, stock, and whether the connection works.

use bokbro_app::connections::WEBHOOK_TOKEN;
use bokbro_app::ports::{Checkup as _, Feed, Stock};
use bokbro_app::webhooks::token_sha256;
use bokbro_domain::shipment::{Parcel, PickedLine};

use super::*;
use crate::ongoing::ENTRY_FIELDS;

fn sent() -> Value {
    let mut order = shown(&json!(OURS), 450);
    order["orderInfo"]["shippedTime"] = json!("2026-11-20T09:30:00");
    order["parcels"] = json!([
        {"id": 1, "parcelNumber": "3735", "isReturnParcel": false, "tracking": {"trackingUrl": "https://t.example.se/3735"}},
        {"id": 2, "parcelNumber": "3736", "isReturnParcel": null, "tracking": null},
        {"id": 3, "parcelNumber": "R1", "isReturnParcel": true, "tracking": null},
    ]);
    order["tracking"] = json!([
        {"trackingUrl": "https://t.example.se/3736", "waybill": "3736", "created": "2026-11-20T09:30:00Z"},
        {"trackingUrl": "https://t.example.se/R1", "waybill": "R1", "isReturn": true},
    ]);
    order["orderLines"][0]["pickedNumberOfItems"] = json!(2);
    order
}

async fn shipment(order: Value) -> Option<bokbro_domain::shipment::Shipment> {
    let bench = bench([found(&[order])]);
    let (id, number) = (OrderId::parse(OURS).unwrap(), OrderNumber::parse("1753-1001").unwrap());
    bench.ongoing.shipment(&bench.access, &id, &number).await.unwrap()
}

#[tokio::test]
async fn a_shipment_is_read_with_its_parcels_and_what_was_picked() {
    let shipment = shipment(sent()).await.unwrap();
    assert_eq!((shipment.order_id.as_str(), shipment.status_text().as_str()), ("50161", "450 T"));
    assert_eq!(shipment.stage, Stage::Shipped);
    assert_eq!(shipment.shipped_at, Some("2026-11-20T09:30:00Z".parse().unwrap()), "times are UTC");
    let parcel = |number: &str| Parcel {
        number: number.to_owned(),
        url: Some(format!("https://t.example.se/{number}")),
    };
    assert_eq!(shipment.parcels, [parcel("3735"), parcel("3736")], "labels for sending back are left out");
    let line = |sku: &str, ordered: &str, picked: &str| PickedLine {
        sku: sku.to_owned(),
        ordered: ordered.parse().unwrap(),
        picked: picked.parse().unwrap(),
    };
    assert_eq!(shipment.lines, [line("OIL-30", "2.0", "2"), line("SOAP", "0.50", "0")]);
}

#[tokio::test]
async fn a_waybill_stands_in_for_parcels_that_have_no_number() {
    let mut order = sent();
    order["parcels"] = Value::Null;
    let numbers: Vec<String> =
        shipment(order).await.unwrap().parcels.into_iter().map(|parcel| parcel.number).collect();
    assert_eq!(numbers, ["3736"]);
}

#[tokio::test]
async fn another_system_s_order_is_no_shipment_of_ours() {
    assert_eq!(shipment(shown(&json!("shop-7"), 450)).await, None);
    assert_eq!(shipment(shown(&Value::Null, 450)).await, None);
}

#[tokio::test]
async fn what_a_status_means_is_the_warehouse_s_choice() {
    type Entered = &'static [(&'static str, &'static str)];
    let cases: [(Entered, u32, Stage); 10] = [
        (&[], 150, Stage::Open),
        (&[], 320, Stage::Open),
        (&[], 400, Stage::Picking),
        (&[], 425, Stage::Picking),
        (&[], 500, Stage::Shipped),
        (&[], 1000, Stage::Cancelled),
        (&[("shipped_statuses", "500")], 450, Stage::Picking),
        (&[("shipped_statuses", " 460, 470")], 470, Stage::Shipped),
        (&[("picking_from", "320")], 320, Stage::Picking),
        (&[("cancelled_statuses", "900")], 900, Stage::Cancelled),
    ];
    for (settings, status, stage) in cases {
        let mut bench = bench([found(&[shown(&json!(OURS), status)])]);
        bench.access.connection = Arc::new(connection(settings));
        let (id, number) = (OrderId::parse(OURS).unwrap(), OrderNumber::parse("1753-1001").unwrap());
        let shipment = bench.ongoing.shipment(&bench.access, &id, &number).await.unwrap().unwrap();
        assert_eq!(shipment.stage, stage, "{status} with {settings:?}");
    }
    let mut bench = bench([]);
    bench.access.connection = Arc::new(connection(&[("shipped_statuses", "sent")]));
    let error = bench.ongoing.effector(bench.access.clone(), &order(), ParcelWish::Ship).err().unwrap();
    assert!(matches!(error, Error::Consent { .. }), "{error}");
}

#[tokio::test]
async fn changes_are_read_to_the_empty_page_and_only_ours_count() {
    let page = found(&[shown(&json!("shop-7"), 450), sent()]);
    let bench = bench([page, found(&[])]);
    let since = "2026-11-20T08:00:00Z".parse().unwrap();
    let first = bench.ongoing.changes(&bench.access, since, None).await.unwrap();
    let ids: Vec<&str> = first.items.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, first.next), (vec![OURS], Some(50_162)));
    let last = bench.ongoing.changes(&bench.access, since, first.next).await.unwrap();
    assert_eq!(last, Feed { items: Vec::new(), next: None });
    let list = |from: u64| {
        format!(
            "GET /demo/api/v1/orders?goodsOwnerId=159&orderStatusChangedTimeFrom=2026-11-20T08:00:00Z&orderIdFrom={from}&maxOrdersToGet=200"
        )
    };
    assert_eq!(bench.script.lines(), [list(0), list(50_162)]);
}

#[tokio::test]
async fn stock_counts_what_can_be_sold() {
    let article = |id: u64, number: &str, info: Value| json!({"articleSystemId": id, "articleNumber": number, "inventoryInfo": info});
    let page = json!([
        article(7, "OIL-30", json!({"numberOfItems": 10, "sellableNumberOfItems": 8.0})),
        article(8, "SOAP", json!({"numberOfItems": 1.5})),
        article(9, "NEW", Value::Null),
    ]);
    let bench = bench([reply(200, &page)]);
    let since = "2026-11-20T08:00:00Z".parse().unwrap();
    let feed = bench.ongoing.stock(&bench.access, Some(since), None).await.unwrap();
    let stock = |sku: &str, on_hand: &str, sellable: &str| Stock {
        sku: sku.to_owned(),
        on_hand: on_hand.parse().unwrap(),
        sellable: sellable.parse().unwrap(),
    };
    let items = vec![stock("OIL-30", "10", "8.0"), stock("SOAP", "1.5", "1.5")];
    assert_eq!(feed, Feed { items, next: Some(10) });
    assert!(bench.script.lines()[0].ends_with("stockInfoChangedFrom=2026-11-20T08:00:00Z"));
}

#[tokio::test]
async fn reads_are_repeated_and_refusals_sorted() {
    let page = |status| Reply::Typed(status, "text/html", "<html>no</html>".to_owned());
    let cases = [
        (vec![Reply::MaybeSent, page(502), found(&[])], "fine"),
        (vec![page(503), page(503), page(503)], "provider_unavailable"),
        (vec![Reply::Status(200, "<html>".to_owned())], "provider_unavailable"),
        (vec![page(401)], "needs_consent"),
        (vec![page(403)], "needs_consent"),
        (vec![page(404)], "needs_consent"),
        (vec![page(400)], "ongoing_400"),
    ];
    for (index, (replies, expected)) in cases.into_iter().enumerate() {
        let bench = bench(replies);
        let ended = bench.ongoing.changes(&bench.access, now(), None).await;
        let ended = ended.as_ref().map_or_else(Error::code, |_| "fine");
        assert_eq!((ended, bench.script.left()), (expected, 0), "case {index}");
    }
}

#[tokio::test]
async fn a_call_may_take_a_minute_but_never_longer_than_the_invocation_lasts() {
    for (left, patience) in [(110, 60), (30, 25), (2, 1)] {
        let mut bench = bench([found(&[])]);
        bench.access.deadline = Some(now() + jiff::SignedDuration::from_secs(left));
        bench.ongoing.changes(&bench.access, now(), None).await.unwrap();
        let given = bench.script.sent()[0].patience.unwrap();
        assert_eq!(given.as_secs(), patience, "{left} s left");
    }
}

#[tokio::test]
async fn a_check_reads_statuses_and_the_goods_owner_and_hands_out_no_secret() {
    let statuses = || {
        reply(
            200,
            &json!({"orderStatuses": [{"number": 200, "text": "Open"}, {"number": 450, "text": "Sent"}]}),
        )
    };
    let mut bench = bench([statuses(), articles(&[])]);
    let secret = "a-secret-of-the-webhook";
    bench.access.credentials =
        Arc::new(credentials(&[("user", "u"), ("password", "p"), ("webhook_token", secret)]));
    let findings = bench.ongoing.check(&bench.access).await.unwrap();
    assert_eq!(findings.details["statuses"], "200 Open, 450 Sent");
    assert_eq!(findings.settings, BTreeMap::from([(WEBHOOK_TOKEN.to_owned(), token_sha256(secret))]));
    let lines = bench.script.lines();
    assert_eq!(
        lines,
        ["GET /demo/api/v1/orders/statuses", "GET /demo/api/v1/articles?goodsOwnerId=159&maxArticlesToGet=1"]
    );

    let mut short = super::bench([statuses(), articles(&[])]);
    short.access.credentials =
        Arc::new(credentials(&[("user", "u"), ("password", "p"), ("webhook_token", "short")]));
    let error = short.ongoing.check(&short.access).await.unwrap_err();
    assert!(error.to_string().contains("webhook_token is shorter than 16"), "{error}");
}

#[test]
fn secrets_are_write_only() {
    let secret: Vec<_> = ENTRY_FIELDS.iter().filter(|field| field.secret).map(|field| field.name).collect();
    assert_eq!(secret, ["user", "password", "webhook_token"]);
}
