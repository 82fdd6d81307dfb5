//! Promises about many writers at once: exactly one of them wins, and all others are told.

use bokbro_app::ports::{Guard, Inserted, LookUp, LookUpKind};
use bokbro_domain::effect::Ledger;
use bokbro_domain::order::Order;
use futures::future::join_all;

use super::ledgers::alone;
use super::orders::inserted;
use super::samples::{claim, demo, entry, fact, ledger_key, order, paid, parked, time};
use super::{Store, WRITERS};

/// Rounds of taking a lease.
const ROUNDS: u64 = 50;

/// Many orders with one number: one is created, the others are told that the number is taken.
pub async fn one_order_number_is_taken_once(store: &dyn Store) {
    let number = order(&demo(), 1_000).body.order_number;
    let outcomes = join_all((1..=WRITERS).map(|writer| {
        let mut order = order(&demo(), writer);
        order.body.order_number = number.clone();
        async move { (store.order_insert(&order, None, &entry(writer)).await.unwrap(), order.id) }
    }))
    .await;
    let (created, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(o, _)| *o == Inserted::Created);
    assert_eq!(created.len(), 1, "{created:?}");
    assert!(lost.iter().all(|(o, _)| *o == Inserted::Taken { field: LookUpKind::OrderNumber }), "{lost:?}");
    let found = store.order_find(&demo(), &LookUp::OrderNumber(number)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&created[0].1));
    let listed =
        store.orders_list(&demo(), &bokbro_app::ports::OrderFilter::default(), 100, None).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}

/// One request many times: one order is created, and every other caller is given that order.
pub async fn one_key_makes_one_order(store: &dyn Store) {
    let body = order(&demo(), 1_000).body;
    let outcomes = join_all((1..=WRITERS).map(|writer| {
        let order = Order { body: body.clone(), ..order(&demo(), writer) };
        let key = claim("k", "hash");
        async move { (store.order_insert(&order, Some(&key), &entry(writer)).await.unwrap(), order.id) }
    }))
    .await;
    let created: Vec<_> =
        outcomes.iter().filter(|(o, _)| *o == Inserted::Created).map(|(_, id)| id).collect();
    assert_eq!(created.len(), 1, "{created:?}");
    let repeated = Inserted::Repeated(created[0].clone());
    let others = outcomes.iter().filter(|(o, _)| *o == repeated).count();
    assert_eq!(others, outcomes.len() - 1, "{outcomes:?}");
}

/// Many workers take one lease: one has it, round after round, and the stored lease is the winner's.
pub async fn one_worker_takes_the_lease(store: &dyn Store) {
    let order = order(&demo(), 1);
    inserted(store, &order).await;
    let key = ledger_key(&order);
    let mut before = Ledger::default();
    for round in 0..ROUNDS {
        let outcomes = join_all((1..=WRITERS).map(|writer| {
            let ledger = before.take(&format!("worker {writer}"), time(1), time(60)).unwrap();
            let key = &key;
            async move { (store.ledger_write(alone(key, Guard::Fence(round), &ledger)).await, ledger) }
        }))
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(outcome, _)| outcome.is_ok());
        assert_eq!(won.len(), 1, "round {round}");
        assert!(lost.iter().all(|(outcome, _)| outcome.as_ref().is_err_and(|e| e.code() == "raced")));
        let (_, stored) = store.ledger_load(&key).await.unwrap().unwrap();
        assert_eq!((stored.fence, &stored), (round + 1, &won[0].1));
        before = stored;
        before.lease = None;
    }
}

/// Many changes from one version: one is stored whole, of the others not even a fact.
pub async fn one_update_per_version_wins(store: &dyn Store) {
    let first = order(&demo(), 1_000);
    inserted(store, &first).await;
    let outcomes = join_all((1..=WRITERS).map(|writer| {
        let changed = paid(&first, writer);
        async move {
            let outcome = store.order_update(&changed, &[fact(writer)], &[entry(writer)]).await;
            (outcome, changed, fact(writer))
        }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(outcome, ..)| outcome.is_ok());
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|(outcome, ..)| outcome.as_ref().is_err_and(|e| e.code() == "raced")));
    let (_, changed, fact) = &won[0];
    assert_eq!(store.order_get(&demo(), &first.id).await.unwrap().as_ref(), Some(changed));
    assert_eq!(store.payment_facts(&demo(), &first.id).await.unwrap(), std::slice::from_ref(fact));
    assert_eq!(store.timeline_list(&demo(), &first.id, 100, None).await.unwrap().items.len(), 2);
}

/// Many times the same trouble at once: one item waits.
pub async fn one_trouble_is_parked_once(store: &dyn Store) {
    let outcomes = join_all((1..=WRITERS).map(|writer| async move {
        let item = parked(writer, "trouble");
        (store.park_once(&demo(), &item).await.unwrap(), item)
    }))
    .await;
    let new: Vec<_> = outcomes.into_iter().filter(|(new, _)| *new).map(|(_, item)| item).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(store.parked_list(&demo(), 100, None).await.unwrap().items, new);
}
