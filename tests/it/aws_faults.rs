//! AWS's bad days, which the local AWS never has by itself: whatever it answers for a while, every order is booked, once.

use std::time::Duration;

use bokbro_domain::ids::OrderId;
use bokbro_simulators::aws::{Fault, Kind, Service};
use bokbro_simulators::viva::{NewOrder, Pay};
use bokbro_tests::cloud::Cloud;
use bokbro_tests::world::{COMPANY, sample};
use serde_json::{Value, json};

/// How long the workers have while AWS has its bad days, and afterwards.
const BAD_DAYS: Duration = Duration::from_secs(8);
const GOOD_DAYS: Duration = Duration::from_secs(60);

/// Orders are posted and paid, and workers book, while AWS has bad days; then the days are good. Every order is booked
/// once, and nothing waits for a human.
async fn survives(orders: usize, faults: &[Fault]) {
    let Some(cloud) = Cloud::start().await else { return };
    for fault in faults {
        cloud.proxy.faults.add(fault.clone());
    }
    let mut ids: Vec<OrderId> = Vec::new();
    for number in 0..orders {
        let number = format!("1753-{number}");
        let wish = json!({ "amount": 74_700, "currencyCode": 752, "merchantTrns": number });
        let wish: NewOrder = serde_json::from_value(wish).unwrap();
        let code = cloud.simulators.viva.create_order(wish).unwrap();
        let mut body = sample();
        body["order_number"] = json!(number);
        body["viva_order_code"] = json!(code.0.to_string());
        body["customer"]["email"] = json!(format!("{number}@example.se"));
        ids.push(cloud.post(&body).await.id);
        let paid = cloud.simulators.viva.pay(&Pay { deliver: false, ..Pay::new(code) }).await.unwrap();
        cloud.deliver(paid.event.get()).await;
    }
    cloud.book(&ids, BAD_DAYS).await;
    assert!(cloud.proxy.faults.hits() > 0, "the days were bad");
    cloud.proxy.faults.clear();
    let mut open = cloud.book(&ids, GOOD_DAYS).await;
    // A message that met nothing but bad days may have become a dead letter; sent again, it finishes the work.
    while !open.is_empty() && cloud.replay().await > 0 {
        open = cloud.book(&ids, GOOD_DAYS).await;
    }
    assert!(open.is_empty(), "{} hits: {open:?}", cloud.proxy.faults.hits());
    let books = |kind: &str| -> Vec<Value> {
        cloud.simulators.fortnox.books(COMPANY)[kind].as_array().cloned().unwrap_or_default()
    };
    for kind in ["customers", "invoices", "invoice_payments"] {
        assert_eq!(books(kind).len(), orders, "{kind}");
    }
    for order in &ids {
        let ours = books("invoices");
        let ours = ours.iter().filter(|invoice| invoice["ExternalInvoiceReference1"] == order.as_str());
        assert_eq!(ours.count(), 1, "{order}");
    }
    assert_eq!(cloud.parked().await, []);
}

const SERVICES: [Service; 3] = [Service::Dynamodb, Service::Sqs, Service::Secretsmanager];

/// Every service throttles every second call.
#[tokio::test]
async fn throttling_delays_and_loses_nothing() {
    survives(8, &SERVICES.map(|service| Fault::new(Kind::Throttle, service).every(2).times(150))).await;
}

/// Answers get lost after the work is done: every third of the table, every second of the queues and the vault.
#[tokio::test]
async fn lost_answers_do_nothing_twice() {
    let faults = [
        Fault::new(Kind::DropAfterCommit, Service::Dynamodb).every(3).times(100),
        Fault::new(Kind::DropAfterCommit, Service::Sqs).every(2).times(50),
        Fault::new(Kind::DropAfterCommit, Service::Secretsmanager).every(2).times(10),
    ];
    survives(8, &faults).await;
}

/// So many in a row that no repeat inside a call helps: whole invocations fail in the middle of their work.
#[tokio::test]
async fn outages_in_mid_work_are_come_back_from() {
    let faults = [
        Fault::new(Kind::DropAfterCommit, Service::Dynamodb).at("TransactWriteItems").every(4).times(6),
        Fault::new(Kind::ServerError, Service::Dynamodb).at("PutItem").times(12),
        Fault::new(Kind::Reset, Service::Dynamodb).at("BatchGetItem").times(9),
        Fault::new(Kind::Throttle, Service::Sqs).at("SendMessage").times(9),
        Fault::new(Kind::ServerError, Service::Secretsmanager).times(9),
        Fault::new(Kind::ServerError, Service::Dynamodb).every(5).times(40),
    ];
    survives(5, &faults).await;
}
