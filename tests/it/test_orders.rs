//! Test orders: the whole way from the wish to the books, once per key, whatever the payment provider does, and never in
//! production.

use bokbro_app::orders::{Posted, Refusal};
use bokbro_app::ports::{Audits, LookUp, OrderFilter, Orders};
use bokbro_app::test_orders::{Stage, is_test, order_test, payment_page};
use bokbro_domain::ids::CorrelationId;
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_simulators::kit::{Fault, Kind, When};
use bokbro_simulators::viva::{OrderCode, Pay};
use bokbro_tests::world::{World, tenant, tester};
use futures::future::join_all;
use serde_json::json;

async fn make(world: &World, stage: Stage, key: Option<&str>) -> Result<Posted, Refusal> {
    let (tenant, correlation) = (tenant(), CorrelationId::parse("c-1").unwrap());
    order_test(&world.app, tester(&tenant, &correlation), stage, key).await
}

#[track_caller]
fn created(posted: Result<Posted, Refusal>) -> Order {
    match posted.unwrap() {
        Posted::Created(order) => order,
        Posted::Repeated(order) => panic!("{} was there before", order.id),
    }
}

async fn pay(world: &mut World, pay: Pay) {
    let told = world.viva.pay(&Pay { deliver: false, ..pay }).await.unwrap();
    world.webhook(told.event.get()).await;
    world.settle().await;
}

async fn is_booked(world: &World, order: &Order) {
    let shown = world.show(&order.id).await;
    assert_eq!((shown.state, shown.accounting.state), (OrderState::Paid, SyncState::Done), "{shown:?}");
    let invoices = world.books("invoices");
    assert_eq!((invoices.len(), &invoices[0]["Total"]), (1, &json!(12)), "{invoices:?}");
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn a_test_order_is_paid_on_its_page_and_booked() {
    let mut world = World::start().await;
    let order = created(make(&world, Stage::Trial, None).await);
    assert!(is_test(&order) && order.state == OrderState::Pending);
    let code = order.body.checkout_code.unwrap();
    let page = payment_page(&world.app, &order).await.unwrap();
    assert_eq!(page, Some(format!("{}/web/checkout?ref={code}", world.viva.url)));
    let asked = world.viva.orders().remove(0);
    assert_eq!(asked.merchant_trns.as_deref(), Some(order.body.order_number.as_str()));
    let audit = world.store.audits_list(&tenant(), 10, None).await.unwrap().items;
    assert_eq!(
        (audit[0].what.as_str(), audit[0].subject.as_str()),
        ("test_order_made", order.body.order_number.as_str())
    );
    pay(&mut world, Pay::new(OrderCode(code.0))).await;
    is_booked(&world, &order).await;
    let paid = world.show(&order.id).await;
    assert_eq!(payment_page(&world.app, &paid).await.unwrap(), None, "nothing is left to be paid");
}

#[tokio::test]
async fn the_same_key_makes_one_order_and_one_page() {
    let world = World::start().await;
    let first = created(make(&world, Stage::Trial, Some("key-1")).await);
    assert_eq!(make(&world, Stage::Trial, Some("key-1")).await.unwrap(), Posted::Repeated(first.clone()));
    assert_eq!(world.viva.orders().len(), 1);
    let other = created(make(&world, Stage::Trial, Some("key-2")).await);
    assert_ne!(other.body.order_number, first.body.order_number);
    let refused = make(&world, Stage::Trial, Some("a key with blanks")).await;
    assert!(matches!(&refused, Err(Refusal::Invalid(error)) if error.field == "Idempotency-Key"));

    let many = join_all((0..5).map(|_| make(&world, Stage::Trial, Some("key-3")))).await;
    let orders = many.into_iter().map(|posted| match posted.unwrap() {
        Posted::Created(order) | Posted::Repeated(order) => order.id,
    });
    let mut orders: Vec<_> = orders.collect();
    orders.dedup();
    assert_eq!(orders.len(), 1, "{orders:?}");
    let all = world.store.orders_list(&tenant(), &OrderFilter::default(), 10, None).await.unwrap();
    assert_eq!(all.items.len(), 3);
}

/// Whatever the provider answers, there is an order, and its payment is found by its number.
#[tokio::test]
async fn without_a_page_the_payment_is_found_by_the_number() {
    let status = |status| Fault { status: Some(status), ..fault(Kind::Status) };
    let late = |status| Fault { when: When::After, status: Some(status), ..fault(Kind::Status) };
    for fault in [
        fault(Kind::Reset),
        fault(Kind::DropAfterCommit),
        status(400),
        status(404),
        status(403),
        status(500),
        late(500),
        status(429),
        Fault { body: Some("<html>".to_owned()), ..fault(Kind::Body) },
    ] {
        let mut world = World::start().await;
        world.viva.kit.faults.add(Fault { times: 9, ..fault.clone() });
        let order = created(make(&world, Stage::Trial, None).await);
        assert_eq!(order.body.checkout_code, None, "{fault:?}");
        let by = LookUp::OrderNumber(order.body.order_number.clone());
        assert_eq!(world.store.order_find(&tenant(), &by).await.unwrap(), Some(order.id.clone()));
        let elsewhere = Pay {
            amount: Some("12.00".parse().unwrap()),
            merchant_trns: Some(order.body.order_number.to_string()),
            ..Pay::new(OrderCode(1_753_175_317_531_753))
        };
        pay(&mut world, elsewhere).await;
        is_booked(&world, &order).await;
    }
}

fn fault(kind: Kind) -> Fault {
    Fault::new(kind, "POST", "/checkout/v2/orders")
}

#[tokio::test]
async fn production_takes_no_test_orders() {
    let world = World::start().await;
    let refused = make(&world, Stage::Production, Some("key")).await;
    assert!(matches!(refused, Err(Refusal::Conflict { code: "production", .. })), "{refused:?}");
    assert!(world.viva.orders().is_empty());
    let all = world.store.orders_list(&tenant(), &OrderFilter::default(), 10, None).await.unwrap();
    assert!(all.items.is_empty());
}
