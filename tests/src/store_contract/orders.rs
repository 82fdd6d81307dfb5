//! Promises about orders.

use bokbro_app::ports::{Cursor, Inserted, LookUp, LookUpKind, OrderFilter, Page};
use bokbro_domain::ids::TenantId;
use bokbro_domain::order::{Order, OrderState};

use super::Store;
use super::samples::{claim, demo, entry, fact, order, paid, time};

/// Stores an order that collides with nothing.
pub(super) async fn inserted(store: &dyn Store, order: &Order) {
    let outcome = store.order_insert(order, None, &entry(0)).await.unwrap();
    assert_eq!(outcome, Inserted::Created);
}

/// A new order is found by number, code and reference, by its own tenant only, and reads back whole.
pub async fn an_order_is_found_by_every_look_up(store: &dyn Store) {
    let (ours, other) = (order(&demo(), 1), TenantId::parse("other").unwrap());
    inserted(store, &ours).await;
    let look_ups = [
        LookUp::OrderNumber(ours.body.order_number.clone()),
        LookUp::CheckoutCode(ours.body.checkout_code.unwrap()),
        LookUp::Transaction(ours.body.payment_reference.clone().unwrap()),
    ];
    for by in &look_ups {
        assert_eq!(store.order_find(&demo(), by).await.unwrap(), Some(ours.id.clone()), "{by:?}");
        assert_eq!(store.order_find(&other, by).await.unwrap(), None, "{by:?}");
    }
    assert_eq!(store.order_get(&demo(), &ours.id).await.unwrap(), Some(ours.clone()));
    assert_eq!(store.order_get(&other, &ours.id).await.unwrap(), None);
    // The same values are free for another tenant.
    let theirs = Order { id: order(&other, 2).id, ..order(&other, 1) };
    inserted(store, &theirs).await;
}

/// Number, code and reference are each taken by the first order, and the second leaves nothing behind.
pub async fn a_taken_value_names_its_field(store: &dyn Store) {
    let first = order(&demo(), 1);
    inserted(store, &first).await;
    let fields = [LookUpKind::OrderNumber, LookUpKind::CheckoutCode, LookUpKind::Transaction];
    for (number, field) in (2..).zip(fields) {
        let mut second = order(&demo(), number);
        let free = LookUp::OrderNumber(second.body.order_number.clone());
        match field {
            LookUpKind::OrderNumber => second.body.order_number = first.body.order_number.clone(),
            LookUpKind::CheckoutCode => second.body.checkout_code = first.body.checkout_code,
            LookUpKind::Transaction => second.body.payment_reference = first.body.payment_reference.clone(),
        }
        let key = claim("taken", "hash");
        let outcome = store.order_insert(&second, Some(&key), &entry(number)).await.unwrap();
        assert_eq!(outcome, Inserted::Taken { field });
        assert_eq!(store.order_get(&demo(), &second.id).await.unwrap(), None);
        assert_eq!(store.order_find(&demo(), &free).await.unwrap(), None);
    }
    // Not even the key is used up.
    let third = order(&demo(), 9);
    let outcome = store.order_insert(&third, Some(&claim("taken", "other")), &entry(9)).await.unwrap();
    assert_eq!(outcome, Inserted::Created);
}

/// The same key with the same body gives the first order, with another body it is refused.
pub async fn the_same_key_gives_the_same_order(store: &dyn Store) {
    let first = order(&demo(), 1);
    let created = store.order_insert(&first, Some(&claim("k", "hash")), &entry(1)).await.unwrap();
    assert_eq!(created, Inserted::Created);
    let again = Order { id: order(&demo(), 2).id, ..first.clone() };
    let repeated = store.order_insert(&again, Some(&claim("k", "hash")), &entry(2)).await.unwrap();
    assert_eq!(repeated, Inserted::Repeated(first.id.clone()));
    for other in [again, order(&demo(), 3)] {
        let reused = store.order_insert(&other, Some(&claim("k", "other hash")), &entry(3)).await.unwrap();
        assert_eq!(reused, Inserted::KeyReused);
        assert_eq!(store.order_get(&demo(), &other.id).await.unwrap(), None);
    }
}

/// A key is forgotten after its time even when its record is still there.
pub async fn a_key_that_has_expired_is_free(store: &dyn Store) {
    let early = order(&demo(), 1);
    let mut key = claim("k", "hash");
    key.expires_at = time(100);
    assert_eq!(store.order_insert(&early, Some(&key), &entry(1)).await.unwrap(), Inserted::Created);
    let late = order(&demo(), 101);
    let outcome = store.order_insert(&late, Some(&claim("k", "other hash")), &entry(2)).await.unwrap();
    assert_eq!(outcome, Inserted::Created);
}

/// State, payment, facts, look-ups and history change together, the rest stays; a stale version changes nothing.
pub async fn an_update_is_whole_or_not_at_all(store: &dyn Store) {
    let first = order(&demo(), 1);
    inserted(store, &first).await;
    let changed = paid(&first, 50);
    // A fact may come twice in one go.
    store.order_update(&changed, &[fact(1), fact(1), fact(2)], &[entry(50), entry(51)]).await.unwrap();
    assert_eq!(store.order_get(&demo(), &first.id).await.unwrap(), Some(changed.clone()));
    let mut facts = store.payment_facts(&demo(), &first.id).await.unwrap();
    facts.sort_by(|a, b| a.transaction.cmp(&b.transaction));
    assert_eq!(facts, [fact(1), fact(2)]);
    let by = LookUp::Transaction(fact(2).transaction.to_string());
    assert_eq!(store.order_find(&demo(), &by).await.unwrap(), Some(first.id.clone()));
    for version in [1, 2, 4] {
        let stale = Order { version, state: OrderState::Cancelled, ..changed.clone() };
        let raced = store.order_update(&stale, &[fact(3)], &[entry(52)]).await.unwrap_err();
        assert_eq!(raced.code(), "raced", "version {version}");
    }
    assert_eq!(store.order_get(&demo(), &first.id).await.unwrap(), Some(changed.clone()));
    assert_eq!(store.payment_facts(&demo(), &first.id).await.unwrap().len(), 2);
    assert_eq!(store.timeline_list(&demo(), &first.id, 10, None).await.unwrap().items.len(), 3);
    // The next version with a newer reading of a fact that is known.
    let mut newer = fact(2);
    newer.merchant_text = None;
    let next = Order { version: 3, updated_at: time(60), ..changed };
    store.order_update(&next, std::slice::from_ref(&newer), &[]).await.unwrap();
    assert!(store.payment_facts(&demo(), &first.id).await.unwrap().contains(&newer));
    let missing = store.order_update(&paid(&order(&demo(), 7), 70), &[], &[]).await.unwrap_err();
    assert_eq!(missing.code(), "raced");
}

/// A transaction that one order has is refused to another, and nothing of that update is stored.
pub async fn a_transaction_belongs_to_one_order(store: &dyn Store) {
    let (first, second) = (order(&demo(), 1), order(&demo(), 2));
    inserted(store, &first).await;
    inserted(store, &second).await;
    store.order_update(&paid(&first, 50), &[fact(1)], &[]).await.unwrap();
    let taken = store.order_update(&paid(&second, 51), &[fact(1)], &[entry(51)]).await.unwrap_err();
    assert_eq!(taken.code(), "transaction_taken");
    assert_eq!(store.order_get(&demo(), &second.id).await.unwrap(), Some(second.clone()));
    assert_eq!(store.payment_facts(&demo(), &second.id).await.unwrap(), []);
    let by = LookUp::Transaction(fact(1).transaction.to_string());
    assert_eq!(store.order_find(&demo(), &by).await.unwrap(), Some(first.id));
}

async fn orders_page(
    store: &dyn Store,
    state: Option<OrderState>,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Page<Order> {
    store.orders_list(&demo(), &OrderFilter { state }, limit, cursor).await.unwrap()
}

/// Orders are listed newest first, all of them or those of a state, page by page; a cursor is good for its list only.
pub async fn a_list_goes_on_where_it_stopped(store: &dyn Store) {
    let other = TenantId::parse("other").unwrap();
    let orders: Vec<Order> = (1..=7).map(|number| order(&demo(), number)).collect();
    for order in &orders {
        inserted(store, order).await;
    }
    inserted(store, &order(&other, 8)).await;
    store.order_update(&paid(&orders[3], 4), &[], &[]).await.unwrap();
    store.order_update(&paid(&orders[5], 6), &[], &[]).await.unwrap();
    for (state, expected) in [
        (None, vec![7, 6, 5, 4, 3, 2, 1]),
        (Some(OrderState::Pending), vec![7, 5, 3, 2, 1]),
        (Some(OrderState::Paid), vec![6, 4]),
        (Some(OrderState::Refunded), vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|number| order(&demo(), number).id).collect();
        for limit in [1, 2, 3, 7, 100] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = orders_page(store, state, limit, cursor.as_ref()).await;
                assert!(page.items.len() <= limit);
                seen.extend(page.items.into_iter().map(|order| order.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{state:?} by {limit}");
        }
    }
    let cursor = orders_page(store, None, 2, None).await.next.unwrap();
    let all = OrderFilter::default();
    let garbled = Cursor("garbled".to_owned());
    let refused = [
        store.orders_list(&demo(), &all, 2, Some(&garbled)).await.err(),
        store.orders_list(&other, &all, 2, Some(&cursor)).await.err(),
        store.parked_list(&demo(), 2, Some(&cursor)).await.err(),
        store.timeline_list(&demo(), &orders[0].id, 2, Some(&cursor)).await.err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().code(), "bad_cursor");
    }
}

/// A history is read oldest first, page by page, whichever way its entries came in.
pub async fn a_timeline_is_read_oldest_first(store: &dyn Store) {
    let first = order(&demo(), 1);
    store.order_insert(&first, None, &entry(1)).await.unwrap();
    store.order_update(&paid(&first, 50), &[], &[entry(4), entry(2), entry(3)]).await.unwrap();
    let page = store.timeline_list(&demo(), &first.id, 3, None).await.unwrap();
    assert_eq!(page.items, [entry(1), entry(2), entry(3)]);
    let rest = store.timeline_list(&demo(), &first.id, 3, page.next.as_ref()).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![entry(4)], None));
    let second = order(&demo(), 2);
    inserted(store, &second).await;
    let foreign = store.timeline_list(&demo(), &second.id, 3, page.next.as_ref()).await.unwrap_err();
    assert_eq!(foreign.code(), "bad_cursor");
}
