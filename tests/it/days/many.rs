//! A busy day: a thousand orders, one voucher.

use bokbro_domain::order::SyncState;
use serde_json::json;

use super::{CARD, Program, Shop, one};

const ORDERS: u32 = 1_000;

#[tokio::test]
async fn a_thousand_orders_of_a_day_are_one_voucher() {
    let mut shop = Shop::open(Program::Fortnox).await;
    let mut ids = Vec::new();
    let mut events = Vec::new();
    for number in 1..=ORDERS {
        let mut body = one(
            &format!("{}.{:02}", 10 + number % 90, number % 100),
            ["25", "12", "6", "0"][number as usize % 4],
        );
        body["customer"]["email"] = json!(format!("{number}@example.se"));
        let (order, _, event) = shop.sell(&number.to_string(), body, CARD).await;
        ids.push((order.id, order.body.total.minor));
        events.push(event);
    }
    for event in &events {
        shop.webhook(event).await;
    }
    shop.settle().await;
    shop.fortnox.log.reset_stats();
    shop.day_ends().await;
    let vouchers = shop.vouchers();
    assert_eq!(vouchers.len(), 1);
    let total: i64 = ids.iter().map(|(_, minor)| minor).sum();
    assert_eq!(vouchers[0].rows[&1580], total);
    assert!(vouchers[0].text.contains("1000 ordrar"), "{}", vouchers[0].text);
    for (id, _) in &ids {
        assert_eq!(shop.stands(id).await.0, SyncState::Done);
    }
    assert!(shop.parked().await.is_empty() && shop.dead.is_empty());
    let calls = shop.fortnox.log.stats().calls_total;
    assert!(calls < 25, "{calls} calls of the ledger program");
}
