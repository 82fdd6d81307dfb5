//! Promises about effect ledgers.

use bokbro_app::ports::{Guard, LedgerKey, LedgerWrite};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::Target;
use bokbro_domain::order::{Order, SyncState};
use futures::future::join;

use super::Store;
use super::orders::inserted;
use super::samples::{demo, entry, fact, ledger_key, order, paid, parked, status, time};

/// A write of a ledger and nothing else.
pub(super) fn alone<'a>(key: &'a LedgerKey, guard: Guard, ledger: &'a Ledger) -> LedgerWrite<'a> {
    LedgerWrite { key, guard, ledger, status: None, order_version: None, entries: &[], parked: None }
}

pub(super) fn owner(name: &str, fence: u64) -> Guard {
    Guard::Owner { owner: name.to_owned(), fence }
}

/// Stores an order and takes the lease of its ledger.
pub(super) async fn taken(store: &dyn Store, worker: &str) -> (Order, LedgerKey, Ledger) {
    let order = order(&demo(), 1);
    inserted(store, &order).await;
    let key = ledger_key(&order);
    let ledger = Ledger::default().take(worker, time(1), time(60)).unwrap();
    store.ledger_write(alone(&key, Guard::Fence(0), &ledger)).await.unwrap();
    (order, key, ledger)
}

fn with_invoice(ledger: &Ledger, done: bool) -> Ledger {
    let (mut ledger, step) = (ledger.clone(), StepName::from("invoice"));
    let intent = Intent {
        step: step.clone(),
        reference: "r".to_owned(),
        request: "{}".to_owned(),
        may_exist: false,
        replaces: false,
    };
    ledger.mark_sent(&intent, time(2));
    if done {
        let facts = [("total".to_owned(), "349".to_owned())].into();
        let mut receipt = Receipt { facts, ..Receipt::default() };
        receipt.external_id = "42".to_owned();
        let step = ledger.steps.get_mut(&step).unwrap();
        (step.state, step.receipt) = (bokbro_domain::effect::StepState::Done, Some(receipt));
    }
    ledger
}

/// There is no ledger without its order; an order's ledger is empty until it is written, one per target.
pub async fn a_ledger_is_empty_until_it_is_written(store: &dyn Store) {
    assert_eq!(store.ledger_load(&ledger_key(&order(&demo(), 9))).await.unwrap(), None);
    let (order, key, ledger) = taken(store, "one").await;
    assert_eq!(store.ledger_load(&key).await.unwrap(), Some((order.clone(), ledger)));
    let warehouse = LedgerKey { target: Target::Warehouse, ..key };
    assert_eq!(store.ledger_load(&warehouse).await.unwrap(), Some((order, Ledger::default())));
}

/// Ledger, sync status, history and parked item are written together and read back.
pub async fn a_ledger_s_write_takes_everything_with_it(store: &dyn Store) {
    let (order, key, ledger) = taken(store, "one").await;
    let ledger = with_invoice(&ledger, true);
    let (trouble, history) = (parked(5, "trouble"), [entry(3), entry(4)]);
    let mut attention = status(SyncState::NeedsAttention, "look");
    attention.parked = Some(trouble.id.clone());
    let write = LedgerWrite {
        status: Some(&attention),
        entries: &history,
        parked: Some(&trouble),
        ..alone(&key, owner("one", 1), &ledger)
    };
    store.ledger_write(write).await.unwrap();
    let (stored, stored_ledger) = store.ledger_load(&key).await.unwrap().unwrap();
    assert_eq!((&stored_ledger, &stored.accounting), (&ledger, &attention));
    assert_eq!(
        (&stored.warehouse, stored.version, stored.state),
        (&order.warehouse, order.version, order.state)
    );
    let page = store.timeline_list(&demo(), &order.id, 10, None).await.unwrap();
    assert_eq!(page.items, [entry(0), entry(3), entry(4)]);
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [trouble]);
    // Giving the lease back under its own guard works once.
    let mut released = ledger;
    released.release();
    store.ledger_write(alone(&key, owner("one", 1), &released)).await.unwrap();
    let mut late = released.clone();
    late.steps.clear();
    let raced = store.ledger_write(alone(&key, owner("one", 1), &late)).await.unwrap_err();
    assert_eq!(raced.code(), "raced");
    assert_eq!(store.ledger_load(&key).await.unwrap().unwrap().1, released);
}

/// Once another worker has taken the lease over, nothing of what the first one still writes is stored.
pub async fn a_stale_owner_writes_nothing_at_all(store: &dyn Store) {
    let (order, key, first) = taken(store, "one").await;
    let second = with_invoice(&first.take("two", time(61), time(120)).unwrap(), true);
    store.ledger_write(alone(&key, Guard::Fence(1), &second)).await.unwrap();
    let before = store.ledger_load(&key).await.unwrap();
    let stale = with_invoice(&first, false);
    let (trouble, history) = (parked(5, "trouble"), [entry(3)]);
    let running = status(SyncState::Running, "stale");
    let whole = |guard| LedgerWrite {
        status: Some(&running),
        entries: &history,
        parked: Some(&trouble),
        ..alone(&key, guard, &stale)
    };
    // The old owner, the right owner with the old fence, the old owner with the right fence, a late taker.
    for guard in [owner("one", 1), owner("two", 1), owner("one", 2), Guard::Fence(0), Guard::Fence(1)] {
        for write in [alone(&key, guard.clone(), &stale), whole(guard)] {
            assert_eq!(store.ledger_write(write).await.unwrap_err().code(), "raced");
        }
    }
    assert_eq!(store.ledger_load(&key).await.unwrap(), before);
    assert_eq!(store.timeline_list(&demo(), &order.id, 10, None).await.unwrap().items.len(), 1);
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, []);
}

/// The worker of payments and the worker of the books change the same order at once, and no change is lost.
pub async fn a_worker_s_writes_never_touch_the_other_s(store: &dyn Store) {
    let (mut order, key, mut ledger) = taken(store, "one").await;
    for round in 1..=16 {
        order = paid(&order, round);
        ledger = with_invoice(&ledger, round % 2 == 0);
        let (facts, history) = ([fact(round)], [entry(100 + round)]);
        let done = status(SyncState::Running, &format!("round {round}"));
        let write = LedgerWrite { status: Some(&done), ..alone(&key, owner("one", 1), &ledger) };
        // What the worker of payments knows of the books is old: it must not be written back.
        let (update, write) =
            join(store.order_update(&order, &facts, &history), store.ledger_write(write)).await;
        update.unwrap();
        write.unwrap();
        let (stored, stored_ledger) = store.ledger_load(&key).await.unwrap().unwrap();
        assert_eq!((stored.accounting, stored.version, &stored_ledger), (done, order.version, &ledger));
        assert_eq!((stored.state, stored.payment), (order.state, order.payment.clone()));
    }
    assert_eq!(store.payment_facts(&demo(), &order.id).await.unwrap().len(), 16);
}
