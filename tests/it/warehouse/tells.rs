//! What the warehouse tells: by webhook, which is only a hint, and by the hourly poll, which needs none.

use bokbro_app::webhooks::Ingress;
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::shipment::{Parcel, Stage};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::ongoing::Work;
use bokbro_tests::warehouse::TOKEN;
use bokbro_tests::world::{World, tenant};
use serde_json::{Value, json};

use super::{one_parcel, shipped_order};

fn sent() -> Work {
    let parcels = vec!["373512345678".to_owned()];
    let picked = Some([("1".to_owned(), 1.into())].into());
    Work { order_number: "1".to_owned(), status: 450, parcels, picked, ..Work::default() }
}

async fn events(world: &World, order: &Order, name: &str) -> Vec<String> {
    let timeline = world.app.orders.timeline_list(&tenant(), &order.id, 100, None).await.unwrap().items;
    timeline.into_iter().filter(|entry| entry.event == name).map(|entry| entry.message.to_string()).collect()
}

#[tokio::test]
async fn a_webhook_brings_status_parcels_and_what_was_shipped_once() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    let body = world.staff(&sent()).await;
    for _ in 0..3 {
        assert!(matches!(world.parcel_webhook(&body, Some(TOKEN)).await, Ingress::Accepted));
    }
    world.settle().await;
    let shown = world.show(&order.id).await;
    let shipment = shown.warehouse.shipment.clone().unwrap();
    assert_eq!((shipment.status_text().as_str(), shipment.stage), ("450 Sent", Stage::Shipped));
    assert!(shipment.shipped_at.is_some());
    let url = Some("https://track.example.se/373512345678".to_owned());
    assert_eq!(shipment.parcels, [Parcel { number: "373512345678".to_owned(), url }]);
    let lines: Vec<(String, String)> =
        shipment.lines.iter().map(|line| (line.ordered.to_string(), line.picked.to_string())).collect();
    assert_eq!(lines, [("2".to_owned(), "1".to_owned())], "a part was shipped");
    assert_eq!(
        events(&world, &order, "parcel_shipped").await,
        ["ongoing: shipped as 373512345678: 1/2 OIL-30"]
    );
    assert_eq!(shown.warehouse.state, SyncState::Done);
    // The API shows all of it.
    let json = bokbro_app::wire::order_out::order_json(&shown);
    let warehouse = &json["sync"]["warehouse"];
    assert_eq!(warehouse["status"], "450 Sent");
    assert_eq!(warehouse["tracking"][0]["number"], "373512345678");
    assert_eq!(
        warehouse["lines"][0],
        json!({"sku": "OIL-30", "ordered": "2", "picked": "1", "shipped": "1"})
    );
    // A repeat of a delivery that was dealt with costs the warehouse no read.
    let reads = world.ongoing.kit.log.stats().calls_total;
    world.parcel_webhook(&body, Some(TOKEN)).await;
    world.settle().await;
    assert_eq!(world.ongoing.kit.log.stats().calls_total, reads);
}

#[tokio::test]
async fn a_delivery_without_the_secret_is_nobody_s_and_a_lie_tells_nothing() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    let open = json!({"orderId": 1, "orderNumber": "1", "orderStatus": {"number": 450}, "system": "demo"})
        .to_string();
    for token in [None, Some(""), Some("guessed"), Some("a-secret-of-the-webhook ")] {
        assert!(matches!(world.parcel_webhook(&open, token).await, Ingress::NotTheirs), "{token:?}");
    }
    assert!(world.queues.is_empty(bokbro_app::ports::QueueName::Warehouse));
    // Somebody who has the secret says that it was sent, and that an order of nobody's was.
    let nobody = json!({"orderId": 2, "orderNumber": "404", "orderStatus": {"number": 450}}).to_string();
    for body in [&open, &nobody] {
        assert!(matches!(world.parcel_webhook(body, Some(TOKEN)).await, Ingress::Accepted));
    }
    world.settle().await;
    let shipment = world.show(&order.id).await.warehouse.shipment.unwrap();
    assert_eq!((shipment.status, shipment.stage), (200, Stage::Open), "what the warehouse's API says counts");
    for (body, taken) in
        [("[]", false), ("{}", false), (r#"{"orderNumber":""}"#, false), (r#"{"orderNumber":"1"}"#, true)]
    {
        let ingress = world.parcel_webhook(body, Some(TOKEN)).await;
        assert_eq!(matches!(ingress, Ingress::Accepted), taken, "{body}: {ingress:?}");
        assert_eq!(matches!(ingress, Ingress::NotAnEvent(_)), !taken, "{body}: {ingress:?}");
    }
    assert!(matches!(
        world.parcel_webhook(&" ".repeat(256 * 1024 + 1), Some(TOKEN)).await,
        Ingress::TooLarge
    ));
    assert!(world.parked().await.is_empty() && world.dead.is_empty());
}

#[tokio::test]
async fn stale_and_reordered_deliveries_end_in_the_warehouse_s_own_state() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    let picked = world.staff(&Work { order_number: "1".to_owned(), status: 400, ..Work::default() }).await;
    let stale = world.staff(&Work { told_status: Some(400), ..sent() }).await;
    let last = world.staff(&Work { order_number: "1".to_owned(), status: 500, ..Work::default() }).await;
    for body in [&last, &stale, &picked, &stale] {
        world.parcel_webhook(body, Some(TOKEN)).await;
        world.settle().await;
        let shipment = world.show(&order.id).await.warehouse.shipment.unwrap();
        assert_eq!((shipment.status, shipment.stage), (500, Stage::Shipped));
    }
    assert_eq!(events(&world, &order, "parcel_shipped").await.len(), 1);
}

#[tokio::test]
async fn picked_is_not_shipped() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    let body = world.staff(&Work { order_number: "1".to_owned(), status: 400, ..Work::default() }).await;
    world.parcel_webhook(&body, Some(TOKEN)).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.warehouse.shipment.as_ref().unwrap().stage, Stage::Picking);
    assert_eq!(events(&world, &order, "parcel_status").await, ["ongoing: status 400 Picked"]);
    let json = bokbro_app::wire::order_out::order_json(&shown);
    assert_eq!(json["sync"]["warehouse"]["lines"][0]["shipped"], Value::Null);
}

#[tokio::test]
async fn the_poll_finds_what_no_webhook_told_and_goes_on_after_an_outage() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    world.staff(&sent()).await;
    let lists = "GET";
    world.ongoing.kit.faults.add(Fault::new(Kind::Reset, lists, "/demo/api/v1/*").times(1_000));
    world.hour_passes().await;
    assert_eq!(world.show(&order.id).await.warehouse.shipment, None);
    world.ongoing.kit.faults.clear();
    for _ in 0..3 {
        world.sync_clocks();
        world.hour_passes().await;
    }
    let shipment = world.show(&order.id).await.warehouse.shipment.unwrap();
    assert_eq!((shipment.status, shipment.parcels.len()), (450, 1));
    assert_eq!(events(&world, &order, "parcel_shipped").await.len(), 1, "told once");
    assert!(world.dead.is_empty(), "an outage makes no dead letters: {:?}", world.dead);
    one_parcel(&world, &order.id);
    // From then on only what has changed since is asked for.
    let asked: Vec<String> = world
        .ongoing
        .kit
        .log
        .requests()
        .into_iter()
        .filter(|line| line.path.contains("orderStatusChangedTimeFrom"))
        .map(|line| line.path)
        .collect();
    let (first, last) = (asked.first().unwrap(), asked.last().unwrap());
    assert_ne!(first, last, "the cursor moved");
}

#[tokio::test]
async fn a_parcel_that_was_canceled_there_is_for_a_human() {
    let mut world = World::shipping().await;
    let order = shipped_order(&mut world, "1").await;
    let body = world.staff(&Work { order_number: "1".to_owned(), status: 1000, ..Work::default() }).await;
    for _ in 0..2 {
        world.parcel_webhook(&body, Some(TOKEN)).await;
        world.settle().await;
    }
    assert_eq!(world.show(&order.id).await.warehouse.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["parcel_canceled"]);
}
