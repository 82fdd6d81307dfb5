//! Days over the real adapters: many workers at one batch, AWS's bad days, and what an order costs.
//!
//! Needs a local AWS, whose address the environment names.

use std::collections::BTreeMap;
use std::time::Duration;

use bokbro_app::accounting::order_account;
use bokbro_app::app::Invocation;
use bokbro_app::effects::Ask;
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Directory as _, QueueName};
use bokbro_app::work::message_handle;
use bokbro_domain::ids::{CorrelationId, OrderId};
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::aws::{Fault, Kind, Service};
use bokbro_simulators::viva::{NewOrder, Pay};
use bokbro_tests::cloud::Cloud;
use bokbro_tests::world::{COMPANY, tenant};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use ulid::Ulid;

use super::one;

/// A merchant with a voucher per day, whose buyers paid three days ago: nobody has to wait for the night.
async fn open() -> Option<Cloud> {
    let cloud = Cloud::start().await?;
    let mut settings = cloud.hub.settings_get(&tenant()).await.unwrap().unwrap();
    settings.posting_profile = PostingProfile::VoucherPerDay;
    cloud.hub.settings_put(&tenant(), &settings).await.unwrap();
    cloud.simulators.viva.kit.clock.advance(-SignedDuration::from_hours(72));
    // Only these move, so that no order is of another day.
    cloud.simulators.viva.kit.clock.freeze();
    Some(cloud)
}

/// Posts an order on 125 kr and pays it; gives its webhook.
async fn sell(cloud: &Cloud, number: usize) -> (Order, String) {
    let wish = json!({ "amount": 12_500, "currencyCode": 752, "merchantTrns": number.to_string() });
    let wish: NewOrder = serde_json::from_value(wish).unwrap();
    let code = cloud.simulators.viva.create_order(wish).unwrap();
    let mut body = one("125.00", "25");
    body["order_number"] = json!(number.to_string());
    body["viva_order_code"] = json!(code.0.to_string());
    let order = cloud.post(&body).await;
    let paid = cloud.simulators.viva.pay(&Pay { deliver: false, ..Pay::new(code) }).await.unwrap();
    (order, paid.event.get().to_owned())
}

#[allow(clippy::disallowed_methods, reason = "the adapters live in real time")]
fn invocation(name: &str) -> Invocation {
    Invocation {
        owner: name.to_owned(),
        deadline: Timestamp::now() + SignedDuration::from_secs(60),
        receive: 1,
        place: None,
        correlation: CorrelationId::from_ulid(Ulid::from_parts(1, 1)),
    }
}

fn envelope(nudge: Nudge) -> Envelope {
    let invocation = invocation("");
    Envelope::new(tenant(), invocation.correlation, invocation.deadline, nudge)
}

fn vouchers(cloud: &Cloud) -> Vec<Value> {
    cloud.simulators.fortnox.books(COMPANY)["vouchers"].as_array().cloned().unwrap_or_default()
}

/// What all vouchers together claim of the payment provider, in kronor.
fn claimed(cloud: &Cloud) -> Decimal {
    let rows =
        vouchers(cloud).into_iter().flat_map(|voucher| voucher["VoucherRows"].as_array().cloned().unwrap());
    let claims = rows.filter(|row| row["Account"] == json!(1580));
    claims.map(|row| row["Debit"].to_string().parse::<Decimal>().unwrap()).sum()
}

#[tokio::test]
async fn an_order_costs_four_calls_to_join_and_four_to_note_the_number() {
    let Some(cloud) = open().await else { return };
    let account = async |id: &OrderId, name: &str| {
        let ask = Ask { at: invocation("").deadline, insist: false, told: None };
        order_account(&cloud.app, &invocation(name), &tenant(), id, ask).await.unwrap();
    };
    let mut ids = Vec::new();
    for number in 1..=2 {
        let (order, _) = sell(&cloud, number).await;
        let look = envelope(Nudge::order(order.id.clone()));
        message_handle(&cloud.app, &invocation("payments"), QueueName::Payments, &look).await.unwrap();
        let _before = cloud.proxy.calls();
        account(&order.id, "joining").await;
        let expected = [("BatchGetItem", 1), ("GetItem", 1), ("Query", 1), ("TransactWriteItems", 1)];
        assert_eq!(cloud.proxy.calls(), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
        ids.push(order.id);
    }
    // Nothing is left to do for an order that waits.
    account(&ids[0], "waiting").await;
    let looked: BTreeMap<String, u64> = cloud.proxy.calls();
    assert_eq!(
        looked,
        [("BatchGetItem", 1), ("GetItem", 2)].map(|(name, calls)| (name.to_owned(), calls)).into()
    );

    let batch =
        envelope(Nudge::day(cloud.app.days.days_open(&tenant(), 1, None).await.unwrap().items.remove(0)));
    message_handle(&cloud.app, &invocation("booking"), QueueName::Accounting, &batch).await.unwrap();
    assert_eq!(vouchers(&cloud).len(), 1);
    for id in &ids {
        let _before = cloud.proxy.calls();
        account(id, "noting").await;
        let expected = [("BatchGetItem", 1), ("GetItem", 2), ("TransactWriteItems", 1)];
        assert_eq!(cloud.proxy.calls(), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
        let order = cloud.app.orders.order_get(&tenant(), id).await.unwrap().unwrap();
        assert_eq!(order.accounting.state, SyncState::Done);
    }
}

/// Orders are paid and join while AWS has its bad days and a worker closes their batch again and again: each is in one
/// voucher.
#[tokio::test]
async fn every_order_is_in_one_voucher_however_bad_the_days() {
    const ORDERS: usize = 24;
    const BAD_SECONDS: u32 = 5;
    let Some(cloud) = open().await else { return };
    let bad = [
        Fault::new(Kind::Throttle, Service::Dynamodb).every(7).times(40),
        Fault::new(Kind::DropAfterCommit, Service::Dynamodb).at("TransactWriteItems").every(5).times(20),
        Fault::new(Kind::DropAfterCommit, Service::Dynamodb).at("PutItem").every(2).times(6),
    ];
    let sold = join_all((1..=ORDERS).map(|number| sell(&cloud, number))).await;
    for fault in bad {
        cloud.proxy.faults.add(fault);
    }
    for (_, event) in &sold {
        cloud.deliver(event).await;
    }
    let ids: Vec<OrderId> = sold.into_iter().map(|(order, _)| order.id).collect();
    // The days are over, so every nudge closes the batch that is open just then.
    let nudging = async {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for second in 0_u32.. {
            ticks.tick().await;
            if second == BAD_SECONDS {
                cloud.proxy.faults.clear();
            }
            if second > BAD_SECONDS {
                cloud.replay().await;
            }
            // The schedule comes again, too, when its own calls fail.
            let Ok(page) = cloud.app.days.days_open(&tenant(), 100, None).await else { continue };
            for day in page.items {
                let nudge = envelope(Nudge::day(day));
                cloud.app.queues.queue_send(QueueName::Accounting, &nudge).await.ok();
            }
        }
    };
    let left = tokio::select! {
        left = cloud.book(&ids, Duration::from_secs(100)) => left,
        () = nudging => Vec::new(),
    };
    assert!(left.is_empty(), "{:?}", left.iter().map(|order| &order.accounting).collect::<Vec<_>>());
    assert_eq!(cloud.parked().await, []);
    assert_eq!(claimed(&cloud), Decimal::from(125 * ORDERS), "{} vouchers", vouchers(&cloud).len());
}
