//! Promises about open work.

use std::ops::Range;

use bokbro_app::ports::{Cursor, LedgerWrite, OpenKind};
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::{Order, OrderState, SyncState};

use jiff::Timestamp;

use super::Store;
use super::ledgers::{alone, owner, taken};
use super::orders::inserted;
use super::samples::{demo, order, paid, status, time};

async fn open(store: &dyn Store, kind: OpenKind) -> Vec<OrderId> {
    let page = store.open_list(&demo(), kind, 100, None).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().map(|open| open.order).collect()
}

/// An order is on the list of what it waits for and on no other, whichever way its state goes.
pub async fn an_order_is_listed_under_what_it_waits_for(store: &dyn Store) {
    let (order, key, ledger) = taken(store, "one").await;
    let (id, none) = (vec![order.id.clone()], Vec::new());
    let both = async || (open(store, OpenKind::Payment).await, open(store, OpenKind::Accounting).await);
    assert_eq!(both().await, (id.clone(), none.clone()));
    let listed = store.open_list(&demo(), OpenKind::Payment, 1, None).await.unwrap().items;
    assert_eq!(listed[0].since, time(1));

    let mut now = paid(&order, 2);
    store.order_update(&now, &[], &[]).await.unwrap();
    assert_eq!(both().await, (none.clone(), id.clone()));
    assert_eq!(open(store, OpenKind::Refund).await, id);
    // A payment that vanished at the provider, and came back.
    for state in [OrderState::Pending, OrderState::Refunded] {
        (now.state, now.version) = (state, now.version + 1);
        store.order_update(&now, &[], &[]).await.unwrap();
        let pending = state == OrderState::Pending;
        let expected = if pending { (id.clone(), none.clone()) } else { (none.clone(), id.clone()) };
        assert_eq!(both().await, expected, "{state:?}");
        assert_eq!(open(store, OpenKind::Refund).await, none, "{state:?}");
    }
    let write = |status| LedgerWrite { status, ..alone(&key, owner("one", 1), &ledger) };
    let (attention, done) = (status(SyncState::NeedsAttention, "look"), status(SyncState::Done, ""));
    store.ledger_write(write(Some(&attention))).await.unwrap();
    assert_eq!(both().await, (none.clone(), id.clone()));
    store.ledger_write(write(Some(&done))).await.unwrap();
    assert_eq!(both().await, (none.clone(), none.clone()));
    // An update that knows the books as they are leaves it so; one that does not is healed by whoever finds it.
    (now.accounting, now.version) = (done, now.version + 1);
    store.order_update(&now, &[], &[]).await.unwrap();
    assert_eq!(both().await, (none.clone(), none.clone()));
    (now.accounting, now.version) = (attention, now.version + 1);
    store.order_update(&now, &[], &[]).await.unwrap();
    assert_eq!(both().await, (none.clone(), id));
    for _ in 0..2 {
        store.open_drop(&demo(), OpenKind::Accounting, &order.id).await.unwrap();
        assert_eq!(both().await, (none.clone(), none.clone()));
    }
}

/// The orders of a time are read alone, in pages, and a cursor is good for that time only.
pub async fn open_work_of_a_time_is_read_alone(store: &dyn Store) {
    for number in 1..=6 {
        inserted(store, &order(&demo(), number)).await;
    }
    let list = async |time: &Range<Timestamp>, limit, cursor: Option<&Cursor>| {
        let page = store.open_accepted(&demo(), OpenKind::Payment, time, limit, cursor).await.unwrap();
        let made: Vec<Timestamp> = page.items.into_iter().map(|open| open.since).collect();
        (made, page.next)
    };
    let middle = time(2)..time(5);
    assert_eq!(list(&middle, 100, None).await, (vec![time(2), time(3), time(4)], None));
    assert_eq!(list(&(time(7)..time(9)), 100, None).await, (vec![], None));
    assert_eq!(list(&(time(3)..time(3)), 100, None).await, (vec![], None), "an empty time has no orders");
    assert_eq!(list(&(time(5)..time(2)), 100, None).await, (vec![], None), "nor has one that runs backward");
    let (first, cursor) = list(&middle, 2, None).await;
    assert_eq!(first, [time(2), time(3)]);
    assert_eq!(list(&middle, 2, cursor.as_ref()).await, (vec![time(4)], None));
    let paid = store.open_accepted(&demo(), OpenKind::Refund, &middle, 100, None).await.unwrap();
    assert_eq!(paid.items, []);
    let garbled = Cursor("garbled".to_owned());
    let refused = store.open_accepted(&demo(), OpenKind::Payment, &middle, 2, Some(&garbled)).await;
    assert_eq!(refused.unwrap_err().code(), "bad_cursor");
}

/// A refused update and a stale owner's last write leave the list as it was.
pub async fn a_write_that_fails_lists_nothing(store: &dyn Store) {
    let (order, key, ledger) = taken(store, "one").await;
    let mut stale = paid(&order, 2);
    stale.version += 1;
    assert_eq!(store.order_update(&stale, &[], &[]).await.unwrap_err().code(), "raced");
    assert_eq!(open(store, OpenKind::Payment).await, vec![order.id.clone()]);
    store.order_update(&paid(&order, 2), &[], &[]).await.unwrap();
    let done = status(SyncState::Done, "");
    let write = LedgerWrite { status: Some(&done), ..alone(&key, owner("two", 1), &ledger) };
    assert_eq!(store.ledger_write(write).await.unwrap_err().code(), "raced");
    assert_eq!(open(store, OpenKind::Accounting).await, [order.id]);
}

/// The list is read oldest first in pages, by its own tenant only, and a cursor outlives the order that it points to.
pub async fn open_work_is_read_oldest_first(store: &dyn Store) {
    let other = TenantId::parse("other").unwrap();
    // Stored in another order than they were made in.
    let orders: Vec<Order> = [3, 1, 5, 2, 4].into_iter().map(|number| order(&demo(), number)).collect();
    for order in &orders {
        inserted(store, order).await;
    }
    inserted(store, &order(&other, 6)).await;
    let mut oldest_first: Vec<OrderId> = orders.iter().map(|order| order.id.clone()).collect();
    oldest_first.sort();
    for limit in [1, 2, 5, 100] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.open_list(&demo(), OpenKind::Payment, limit, cursor.as_ref()).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.into_iter().map(|open| open.order));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, oldest_first, "by {limit}");
    }
    let page = store.open_list(&demo(), OpenKind::Payment, 2, None).await.unwrap();
    let cursor = page.next.unwrap();
    for gone in &page.items {
        store.open_drop(&demo(), OpenKind::Payment, &gone.order).await.unwrap();
    }
    let rest = store.open_list(&demo(), OpenKind::Payment, 100, Some(&cursor)).await.unwrap().items;
    assert_eq!(rest.into_iter().map(|open| open.order).collect::<Vec<_>>(), oldest_first[2..]);
    let garbled = Cursor("garbled".to_owned());
    for (tenant, kind, cursor) in [
        (demo(), OpenKind::Payment, &garbled),
        (demo(), OpenKind::Accounting, &cursor),
        (other, OpenKind::Payment, &cursor),
    ] {
        let refused = store.open_list(&tenant, kind, 2, Some(cursor)).await.unwrap_err();
        assert_eq!(refused.code(), "bad_cursor");
    }
}
