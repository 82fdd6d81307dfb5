//! Promises about items that wait for a human.

use bokbro_app::ports::LedgerWrite;
use bokbro_domain::ids::TenantId;
use bokbro_domain::order::SyncState;

use super::Store;
use super::ledgers::{alone, owner, taken};
use super::samples::{demo, entry, parked, status};

/// The same trouble waits once per tenant, other trouble beside it; the list is newest first, page by page.
pub async fn the_same_trouble_is_parked_once(store: &dyn Store) {
    let other = TenantId::parse("other").unwrap();
    assert!(store.park_once(&demo(), &parked(1, "a")).await.unwrap());
    assert!(!store.park_once(&demo(), &parked(2, "a")).await.unwrap());
    assert!(store.park_once(&demo(), &parked(3, "b")).await.unwrap());
    assert!(store.park_once(&demo(), &parked(4, "c")).await.unwrap());
    assert!(store.park_once(&other, &parked(5, "a")).await.unwrap());
    let page = store.parked_list(&demo(), 2, None).await.unwrap();
    assert_eq!(page.items, [parked(4, "c"), parked(3, "b")]);
    let rest = store.parked_list(&demo(), 2, page.next.as_ref()).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![parked(1, "a")], None));
    let foreign = store.parked_list(&other, 2, page.next.as_ref()).await.unwrap_err();
    assert_eq!(foreign.code(), "bad_cursor");
}

/// What was closed is off the list, and the same trouble may come again; closing again changes nothing.
pub async fn closed_trouble_may_be_parked_again(store: &dyn Store) {
    for number in 1..=2 {
        assert!(store.park_once(&demo(), &parked(number, "a")).await.unwrap());
        assert!(store.park_once(&demo(), &parked(number + 10, "b")).await.unwrap() == (number == 1));
        store.parked_close(&demo(), &parked(number, "a").id).await.unwrap();
        store.parked_close(&demo(), &parked(number, "a").id).await.unwrap();
        assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [parked(11, "b")]);
    }
}

/// While a human's decision about an item is carried out, the same trouble may be parked beside it; closing the old item
/// leaves the new one as it is.
pub async fn unlinked_trouble_may_be_parked_beside(store: &dyn Store) {
    let (old, new) = (parked(1, "a"), parked(2, "a"));
    assert!(store.park_once(&demo(), &old).await.unwrap());
    assert_eq!(store.parked_get(&demo(), &old.id).await.unwrap(), Some(old.clone()));
    assert_eq!(store.parked_get(&TenantId::parse("other").unwrap(), &old.id).await.unwrap(), None);
    assert_eq!(store.parked_get(&demo(), &new.id).await.unwrap(), None);
    for _ in 0..2 {
        store.parked_unlink(&demo(), &old).await.unwrap();
    }
    assert!(store.park_once(&demo(), &new).await.unwrap());
    // Too late: the fingerprint is the new item's by now.
    store.parked_unlink(&demo(), &old).await.unwrap();
    assert!(!store.park_once(&demo(), &parked(3, "a")).await.unwrap());
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [new.clone(), old.clone()]);
    store.parked_close(&demo(), &old.id).await.unwrap();
    assert!(!store.park_once(&demo(), &parked(4, "a")).await.unwrap());
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [new]);
}

/// An entry is added to an order's history and the order stays as it is; again is the same.
pub async fn a_history_is_added_to_without_the_order(store: &dyn Store) {
    let (order, ..) = taken(store, "one").await;
    let before = store.order_get(&demo(), &order.id).await.unwrap();
    let entries = store.timeline_list(&demo(), &order.id, 10, None).await.unwrap().items.len();
    for _ in 0..2 {
        store.timeline_add(&demo(), &order.id, &entry(7)).await.unwrap();
    }
    let after = store.timeline_list(&demo(), &order.id, 10, None).await.unwrap().items;
    assert_eq!((after.len(), after.last()), (entries + 1, Some(&entry(7))));
    assert_eq!(store.order_get(&demo(), &order.id).await.unwrap(), before);
}

/// A ledger is written although its trouble waits already: once, and the order leads to the item that waits.
pub async fn trouble_in_a_ledger_s_write_is_parked_once(store: &dyn Store) {
    let (order, key, ledger) = taken(store, "one").await;
    let first = parked(5, "trouble");
    assert!(store.park_once(&demo(), &first).await.unwrap());
    for number in 6..=8 {
        let (again, history) = (parked(number, "trouble"), [entry(number)]);
        let mut attention = status(SyncState::NeedsAttention, &format!("time {number}"));
        attention.parked = Some(again.id.clone());
        let write = LedgerWrite {
            status: Some(&attention),
            entries: &history,
            parked: Some(&again),
            ..alone(&key, owner("one", 1), &ledger)
        };
        store.ledger_write(write).await.unwrap();
        let stored = store.order_get(&demo(), &order.id).await.unwrap().unwrap();
        attention.parked = Some(first.id.clone());
        assert_eq!(stored.accounting, attention);
    }
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [first]);
    assert_eq!(store.timeline_list(&demo(), &order.id, 10, None).await.unwrap().items.len(), 4);
}
