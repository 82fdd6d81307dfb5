//! A paid order becomes one parcel order, whatever happens on the way, and what the warehouse tells comes back.

mod apart;
mod bad_days;
mod contract;
mod entry;
mod refunds;
mod stock;
mod tells;
mod writers;

use bokbro_app::ports::{OpenKind, OpenWork, Orders as _};
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{Order, SyncState};
use bokbro_simulators::ongoing;
use bokbro_tests::browser::correlation;
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

use crate::flows::one_of_each;

/// The order's parcel order, which must be the only one.
#[track_caller]
fn one_parcel(world: &World, id: &OrderId) -> ongoing::Order {
    let parcels = world.parcels();
    assert_eq!(parcels.len(), 1, "{parcels:?}");
    assert_eq!(parcels[0].members["goodsOwnerOrderId"], json!(id));
    assert_eq!(world.ongoing.collisions(), 0);
    parcels[0].clone()
}

/// Posts the sample order under a number, has it paid and everything done.
async fn shipped_order(world: &mut World, number: &str) -> Order {
    let (order, code) = world.order(number, sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    world.show(&order.id).await
}

async fn open_parcels(world: &World) -> usize {
    world.store.open_list(&tenant(), OpenKind::Warehouse, 100, None).await.unwrap().items.len()
}

#[tokio::test]
async fn a_paid_order_is_sent_to_the_warehouse_once_with_its_articles_first() {
    let mut world = World::shipping().await;
    let mut body = sample();
    body["customer"]["phone"] = json!("070-123 45 67");
    body["customer"]["delivery"] = json!({"name": "Bo  Ek", "address1": "Vägen 2", "address2": "lgh 1101",
        "zip": "222 33", "city": "Lund", "country": "SE"});
    body["lines"] = json!([
        {"kind": "goods", "sku": "OIL-30", "text": "Ansiktsolja 30 ml", "quantity": "2", "unit_price": "349.00", "vat_rate": "25"},
        {"kind": "goods", "sku": "SOAP", "text": "Tvål", "quantity": "0.5", "unit_price": "98.00", "vat_rate": "25"},
        {"kind": "goods", "sku": "OIL-30", "text": "Ansiktsolja 30 ml, gåva", "quantity": "1", "unit_price": "0.00", "vat_rate": "25"},
        {"kind": "shipping", "sku": null, "text": "Frakt", "quantity": "1", "unit_price": "0.00", "vat_rate": "25"}
    ]);
    let (order, code) = world.order("1753-1001", body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.warehouse.state, SyncState::Done, "{:?} {:?}", shown.warehouse, world.parked().await);
    assert_eq!(shown.accounting.state, SyncState::Done);
    let parcel = one_parcel(&world, &order.id);
    assert_eq!((parcel.number.as_str(), parcel.writes), ("1753-1001", 1));
    assert_eq!(shown.warehouse.numbers["order_id"], parcel.id.to_string());
    assert_eq!(
        parcel.members["orderLines"],
        json!([
            {"rowNumber": "1", "articleNumber": "OIL-30", "numberOfItems": 2},
            {"rowNumber": "2", "articleNumber": "SOAP", "numberOfItems": 0.5},
            {"rowNumber": "3", "articleNumber": "OIL-30", "numberOfItems": 1},
        ])
    );
    assert_eq!(
        parcel.members["consignee"],
        json!({"name": "Bo Ek", "address1": "Vägen 2", "address2": "lgh 1101", "postCode": "222 33", "city": "Lund",
            "countryCode": "SE"})
    );
    assert_eq!(parcel.members["emailNotification"], json!({"toBeNotified": true, "value": "asa@example.se"}));
    let articles: Vec<(String, Value)> =
        world.ongoing.articles().into_iter().map(|a| (a.number, a.members["articleName"].clone())).collect();
    assert_eq!(
        articles,
        [("OIL-30".to_owned(), json!("Ansiktsolja 30 ml")), ("SOAP".to_owned(), json!("Tvål"))]
    );
    assert_eq!(open_parcels(&world).await, 0);
    assert!(world.dead.is_empty() && world.parked().await.is_empty());
    // The same webhook once more, and a human who wants it all looked at again, change nothing.
    world.webhook(&event).await;
    bokbro_app::orders::order_sync(&world.app, &tenant(), &order.id, &correlation(&world)).await.unwrap();
    world.settle().await;
    assert_eq!(one_parcel(&world, &order.id).writes, 1);
}

/// Nothing in Bokbro changes an order's contents yet; the store in memory lets a test do it.
async fn move_house(world: &mut World, id: &OrderId, street: &str) {
    let mut order = world.show(id).await;
    street.clone_into(&mut order.body.customer.billing.address1);
    order.version += 1;
    world.store.order_update(&order, &[], &[]).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(60));
    bokbro_app::orders::order_sync(&world.app, &tenant(), id, &correlation(world)).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn an_order_that_changed_is_written_again_until_picking_starts() {
    for status in [320, 400] {
        let mut world = World::shipping().await;
        let id = shipped_order(&mut world, "1").await.id;
        move_house(&mut world, &id, "Nya gatan 3").await;
        let parcel = one_parcel(&world, &id);
        assert_eq!((parcel.writes, &parcel.members["consignee"]["address1"]), (2, &json!("Nya gatan 3")));
        assert_eq!(world.show(&id).await.warehouse.state, SyncState::Done);
        let work = ongoing::Work { order_number: "1".to_owned(), status, ..ongoing::Work::default() };
        world.staff(&work).await;
        move_house(&mut world, &id, "Ännu nyare gatan 4").await;
        let parcel = one_parcel(&world, &id);
        assert_eq!(
            (parcel.writes, &parcel.members["consignee"]["address1"]),
            (2, &json!("Nya gatan 3")),
            "{status}"
        );
        let codes: Vec<String> = world.parked().await.into_iter().map(|parked| parked.code).collect();
        assert_eq!(codes, ["picking_started"], "{status}");
    }
}

#[tokio::test]
async fn articles_that_are_there_keep_what_the_warehouse_made_of_them() {
    let mut world = World::shipping().await;
    shipped_order(&mut world, "1").await;
    let mut body = sample();
    body["lines"][0]["text"] = json!("Another text");
    let (order, code) = world.order("2", body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.warehouse.state, SyncState::Done);
    assert_eq!(world.ongoing.articles()[0].members["articleName"], json!("Ansiktsolja 30 ml"));
    assert_eq!(world.ongoing.kit.log.calls("PUT /demo/api/v1/articles"), 1);
}

#[tokio::test]
async fn an_order_of_which_nothing_is_picked_needs_no_parcel() {
    let mut world = World::shipping().await;
    let mut body = sample();
    body["lines"] = json!([{"kind": "fee", "sku": null, "text": "Presentkort", "quantity": "1", "unit_price": "747.00", "vat_rate": "0"}]);
    let (order, code) = world.order("1", body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.warehouse.state, SyncState::Done);
    assert!(world.parcels().is_empty());
}

#[tokio::test]
async fn what_another_system_ships_is_recorded_and_never_sent() {
    let mut world = World::start().await;
    world.ship_with("external").await;
    let shown = shipped_order(&mut world, "1753-1001").await;
    assert_eq!(shown.warehouse.state, SyncState::Done, "{:?}", shown.warehouse);
    assert_eq!(shown.warehouse.provider.unwrap().as_str(), "external");
    one_of_each(&world, "747.00");
    assert_eq!(world.ongoing.kit.log.stats().calls_total, 0);
    let timeline = world.app.orders.timeline_list(&tenant(), &shown.id, 100, None).await.unwrap().items;
    let recorded: Vec<&str> =
        timeline.iter().filter(|e| e.event == "parcel_recorded_done").map(|e| e.message.as_str()).collect();
    assert_eq!(recorded, ["external: recorded 1753-1001"]);
}

#[tokio::test]
async fn a_warehouse_that_is_connected_later_ships_no_old_orders() {
    let mut world = World::start().await;
    let old = shipped_order(&mut world, "old").await;
    assert_eq!(open_parcels(&world).await, 0);
    world.ship_with("ongoing").await;
    world.hour_passes().await;
    let new = shipped_order(&mut world, "new").await;
    world.hour_passes().await;
    assert_eq!(one_parcel(&world, &new.id).number, "new");
    assert_eq!(world.show(&old.id).await.warehouse.state, SyncState::Waiting);
}

#[tokio::test]
async fn another_system_s_order_is_parked_and_never_overwritten() {
    let mut world = World::shipping().await;
    let theirs = |number: &str| {
        json!({"goodsOwnerId": 159, "orderNumber": number, "deliveryDate": "2026-11-20",
        "goodsOwnerOrderId": "fortnox-17", "consignee": {"name": "Åsa Öberg"}, "orderLines": []})
    };
    world.foreign_parcel(&theirs("1753-1001")).await;
    let shown = shipped_order(&mut world, "1753-1001").await;
    assert_eq!(shown.warehouse.state, SyncState::NeedsAttention, "{:?}", shown.warehouse);
    assert_eq!(world.parked().await.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["foreign_order"]);
    let parcels = world.parcels();
    assert_eq!((parcels.len(), parcels[0].writes), (1, 1));
    assert_eq!(parcels[0].members["goodsOwnerOrderId"], json!("fortnox-17"));
    one_of_each(&world, "747.00");
}
