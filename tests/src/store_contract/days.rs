//! Promises about batches of a day.

use bokbro_app::ports::{Day, DayWrite, Guard, Joined, Joining, LedgerKey, LedgerWrite};
use bokbro_domain::day::DayId;
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, SyncState, SyncStatus};
use bokbro_domain::posting::{CreditId, NetAndVat};
use bokbro_domain::vat::VatRate;
use futures::future::{join, join_all};

use super::ledgers::alone;
use super::orders::inserted;
use super::samples::{demo, entry, ledger_key, order, parked, status, time};
use super::{Store, WRITERS};

const FIRST: &str = "day_2026-11-20_pay_card_001";

fn id(text: &str) -> DayId {
    DayId::parse(text).unwrap()
}

fn joined(order: &OrderId, credit: Option<i64>) -> Joined {
    let sek = |minor| Money { minor, currency: Currency::SEK };
    let sum = NetAndVat { net: sek(27_920), vat: sek(6_980) };
    Joined { order: order.clone(), credit: credit.map(CreditId), sums: [(VatRate::Standard, sum)].into() }
}

/// Whether joining went well, for those who may lose a race.
async fn joins(
    store: &dyn Store,
    (key, read): (&LedgerKey, &Ledger),
    day: &DayId,
    begins: Option<&str>,
    joined: &Joined,
) -> bool {
    let mut ledger = read.take("joiner", time(1), time(1)).unwrap();
    ledger.release();
    let waiting = SyncStatus { day: Some(day.clone()), ..status(SyncState::Waiting, "for its day") };
    let history = [entry(50 + u32::try_from(read.fence).unwrap())];
    let write = LedgerWrite {
        status: Some(&waiting),
        entries: &history,
        ..alone(key, Guard::Fence(read.fence), &ledger)
    };
    match store.day_join(write, Joining { day, begins, joined }).await {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code(), "raced");
            false
        }
    }
}

/// Takes a batch as it was read; says whether that went well.
async fn takes(store: &dyn Store, owner: &str, (day, ledger): &(Day, Ledger)) -> bool {
    let taken = ledger.take(owner, time(1), time(60)).unwrap();
    let guard = Guard::Fence(ledger.fence);
    match store.day_write(DayWrite { tenant: &demo(), day, guard, ledger: &taken, parked: None }).await {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code(), "raced");
            false
        }
    }
}

async fn stored(store: &dyn Store, numbers: std::ops::RangeInclusive<u32>) -> Vec<Order> {
    let mut orders = Vec::new();
    for number in numbers {
        let order = order(&demo(), number);
        inserted(store, &order).await;
        orders.push(order);
    }
    orders
}

async fn entries(store: &dyn Store, day: &DayId) -> Vec<Joined> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.day_entries(&demo(), day, 7, cursor.as_ref()).await.unwrap();
        assert!(page.items.len() <= 7);
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// An entry and the ledger that tells of it are written together or not at all, and the batch counts its entries.
pub async fn an_entry_joins_with_its_order_s_ledger(store: &dyn Store) {
    let orders = stored(store, 1..=2).await;
    let (day, none) = (id(FIRST), Ledger::default());
    let keys = [ledger_key(&orders[0]), ledger_key(&orders[1])];
    assert_eq!(store.day_newest(&demo(), &day.lot).await.unwrap(), None);
    let sale = joined(&orders[0].id, None);
    assert!(!joins(store, (&keys[0], &none), &day, None, &sale).await, "there is no batch yet");
    assert!(joins(store, (&keys[0], &none), &day, Some("mark"), &sale).await);
    let begun =
        Day { id: day.clone(), reference: "mark".to_owned(), entries: 1, status: SyncStatus::default() };
    assert_eq!(store.day_newest(&demo(), &day.lot).await.unwrap(), Some((begun.clone(), none.clone())));
    let (shown, ledger) = store.ledger_load(&keys[0]).await.unwrap().unwrap();
    assert_eq!((shown.accounting.day, ledger.fence), (Some(day.clone()), 2));
    let page = store.timeline_list(&demo(), &orders[0].id, 10, None).await.unwrap();
    assert_eq!(page.items, [entry(0), entry(50)]);

    // Of what does not hold, nothing is written: an old ledger, a batch that is there already.
    let credit = joined(&orders[0].id, Some(34_900));
    assert!(!joins(store, (&keys[0], &none), &day, None, &credit).await);
    assert!(!joins(store, (&keys[1], &none), &day, Some("other"), &joined(&orders[1].id, None)).await);
    assert_eq!(store.ledger_load(&keys[1]).await.unwrap().unwrap().1, none);
    assert!(joins(store, (&keys[0], &ledger), &day, None, &credit).await);
    assert!(joins(store, (&keys[1], &none), &day, None, &joined(&orders[1].id, None)).await);
    let (found, _) = store.day_load(&demo(), &day).await.unwrap().unwrap();
    assert_eq!(found, Day { entries: 3, ..begun });
    assert_eq!(entries(store, &day).await, [sale, credit, joined(&orders[1].id, None)]);
    assert_eq!(store.day_load(&TenantId::parse("other").unwrap(), &day).await.unwrap(), None);
}

/// The first write of a batch closes it: what comes later goes into the next one, and what was read before is no good.
pub async fn a_batch_that_was_taken_takes_no_more(store: &dyn Store) {
    let orders = stored(store, 1..=3).await;
    let (day, none) = (id(FIRST), Ledger::default());
    assert!(
        joins(store, (&ledger_key(&orders[0]), &none), &day, Some("mark"), &joined(&orders[0].id, None))
            .await
    );
    let old = store.day_load(&demo(), &day).await.unwrap().unwrap();
    assert!(joins(store, (&ledger_key(&orders[1]), &none), &day, None, &joined(&orders[1].id, None)).await);
    assert!(!takes(store, "one", &old).await, "an entry has joined since it was read");
    let read = store.day_load(&demo(), &day).await.unwrap().unwrap();
    assert!(takes(store, "one", &read).await);
    assert!(!takes(store, "two", &read).await, "another worker has it");

    let late = (&ledger_key(&orders[2]), &none);
    assert!(!joins(store, late, &day, None, &joined(&orders[2].id, None)).await);
    assert_eq!(store.ledger_load(late.0).await.unwrap().unwrap().1, none);
    assert_eq!(entries(store, &day).await.len(), 2);
    assert!(joins(store, late, &day.next(), Some("next"), &joined(&orders[2].id, None)).await);
    let newest = store.day_newest(&demo(), &day.lot).await.unwrap().unwrap().0;
    assert_eq!((newest.id, newest.entries), (day.next(), 1));
    let swish = id("day_2026-11-20_pay_swish_001");
    assert_eq!(store.day_newest(&demo(), &swish.lot).await.unwrap(), None);
}

/// Trouble with a batch is parked once, and the batch leads to the item that waits.
pub async fn a_batch_s_trouble_is_parked_once(store: &dyn Store) {
    let orders = stored(store, 1..=1).await;
    let (day, none) = (id(FIRST), Ledger::default());
    assert!(
        joins(store, (&ledger_key(&orders[0]), &none), &day, Some("mark"), &joined(&orders[0].id, None))
            .await
    );
    let mut fence = 0;
    for number in [5, 6] {
        let (read, ledger) = store.day_load(&demo(), &day).await.unwrap().unwrap();
        let trouble = parked(number, "trouble");
        let status =
            SyncStatus { parked: Some(trouble.id.clone()), ..status(SyncState::NeedsAttention, "look") };
        let mut after = ledger.take("worker", time(1), time(60)).unwrap();
        after.release();
        let (guard, changed) = (Guard::Fence(fence), Day { status, ..read });
        let write =
            DayWrite { tenant: &demo(), day: &changed, guard, ledger: &after, parked: Some(&trouble) };
        store.day_write(write).await.unwrap();
        fence = after.fence;
        let (shown, stored) = store.day_load(&demo(), &day).await.unwrap().unwrap();
        assert_eq!((shown.status.parked, stored), (Some(parked(5, "trouble").id), after));
    }
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items, [parked(5, "trouble")]);
    let (read, ledger) = store.day_load(&demo(), &day).await.unwrap().unwrap();
    let stale = DayWrite {
        tenant: &demo(),
        day: &read,
        guard: Guard::Owner { owner: "worker".to_owned(), fence: 1 },
        ledger: &ledger,
        parked: Some(&parked(7, "other trouble")),
    };
    assert_eq!(store.day_write(stale).await.unwrap_err().code(), "raced");
    assert_eq!(store.parked_list(&demo(), 10, None).await.unwrap().items.len(), 1);
}

/// Many join while a worker closes the batch: those who are told so are in it, and nobody else.
pub async fn joining_races_against_closing(store: &dyn Store) {
    let orders = stored(store, 1..=WRITERS).await;
    let (day, none) = (id(FIRST), Ledger::default());
    let first = joined(&orders[0].id, None);
    assert!(joins(store, (&ledger_key(&orders[0]), &none), &day, Some("mark"), &first).await);
    let joiners = join_all(orders[1..].iter().map(|order| {
        let (key, joined, day, none) = (ledger_key(order), joined(&order.id, None), &day, &none);
        async move { joins(store, (&key, none), day, None, &joined).await }
    }));
    let closer = async {
        loop {
            let read = store.day_load(&demo(), &day).await.unwrap().unwrap();
            if takes(store, "closer", &read).await {
                return read.0.entries;
            }
        }
    };
    let (told, closed_with) = join(joiners, closer).await;
    let inside = u64::try_from(told.iter().filter(|joined| **joined).count()).unwrap() + 1;
    let (stored, ledger) = store.day_load(&demo(), &day).await.unwrap().unwrap();
    assert_eq!((stored.entries, closed_with, ledger.fence), (inside, inside, 1));
    let listed: Vec<OrderId> = entries(store, &day).await.into_iter().map(|joined| joined.order).collect();
    let expected = orders.iter().zip(std::iter::once(&true).chain(&told)).filter(|(_, told)| **told);
    assert_eq!(listed, expected.map(|(order, _)| order.id.clone()).collect::<Vec<_>>());
}

/// A batch is listed from its first entry until it is dropped, by its own tenant only.
pub async fn batches_are_listed_until_they_are_dropped(store: &dyn Store) {
    let other = TenantId::parse("other").unwrap();
    let orders = stored(store, 1..=3).await;
    let days = [FIRST, "day_2026-11-20_pay_swish_001", "day_2026-11-21_pay_card_001"].map(id);
    for (order, day) in orders.iter().zip(&days) {
        let (key, joined) = (ledger_key(order), joined(&order.id, None));
        assert!(joins(store, (&key, &Ledger::default()), day, Some("mark"), &joined).await);
    }
    for limit in [1, 2, 10] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.days_open(&demo(), limit, cursor.as_ref()).await.unwrap();
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, days, "by {limit}");
    }
    let cursor = store.days_open(&demo(), 1, None).await.unwrap().next.unwrap();
    for _ in 0..2 {
        store.day_drop(&demo(), &days[0]).await.unwrap();
    }
    let rest = store.days_open(&demo(), 10, Some(&cursor)).await.unwrap();
    assert_eq!((&rest.items[..], rest.next), (&days[1..], None));
    assert!(store.day_load(&demo(), &days[0]).await.unwrap().is_some(), "what was booked is kept");
    assert!(store.days_open(&other, 10, None).await.unwrap().items.is_empty());
    assert_eq!(store.days_open(&other, 10, Some(&cursor)).await.unwrap_err().code(), "bad_cursor");
}
