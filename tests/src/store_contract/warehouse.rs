//! Promises about turns, cursors and stock.

use bokbro_app::ports::{Stock, Turn};
use bokbro_domain::ids::{Provider, TenantId};
use futures::future::join_all;

use super::samples::{demo, time};
use super::{Store, WRITERS};

/// Many ask for one turn at once: one gets it. It is the owner's until it is given back or over, and nobody else can give
/// it back.
pub async fn a_turn_is_one_owner_s_at_a_time(store: &dyn Store) {
    let ask = async |owner: &str, now: u32, until: u32| {
        store.turn_take("ledger#1", owner, time(now), time(until)).await.unwrap()
    };
    let names: Vec<String> = (0..WRITERS).map(|n| format!("worker-{n}")).collect();
    let asked = join_all(names.iter().map(|name| ask(name, 0, 60))).await;
    let winners: Vec<&String> =
        names.iter().zip(&asked).filter(|(_, turn)| **turn == Turn::Taken).map(|(name, _)| name).collect();
    let [winner] = winners[..] else { panic!("{asked:?}") };
    assert!(asked.iter().all(|turn| *turn == Turn::Taken || *turn == Turn::Held { until: time(60) }));
    assert_eq!(ask(winner, 1, 90).await, Turn::Taken, "its owner may have it longer");
    assert_eq!(ask("late", 60, 120).await, Turn::Held { until: time(90) });
    store.turn_give_back("ledger#1", "late").await.unwrap();
    assert_eq!(ask("late", 61, 120).await, Turn::Held { until: time(90) }, "only its owner gives it back");
    assert_eq!(ask("late", 90, 120).await, Turn::Taken, "it is over");
    store.turn_give_back("ledger#1", winner).await.unwrap();
    assert_eq!(ask(winner, 91, 150).await, Turn::Held { until: time(120) }, "an old owner's word is nothing");
    store.turn_give_back("ledger#1", "late").await.unwrap();
    assert_eq!(ask(winner, 92, 150).await, Turn::Taken);
    let other = store.turn_take("ledger#2", "late", time(92), time(120)).await.unwrap();
    assert_eq!(other, Turn::Taken, "another name is another turn");
}

/// A cursor is the tenant's, the provider's and the list's own.
pub async fn a_cursor_is_where_it_was_put(store: &dyn Store) {
    let (tenant, provider) = (demo(), Provider::parse("ledger").unwrap());
    assert_eq!(store.cursor_get(&tenant, &provider, "parcels").await.unwrap(), None);
    for text in ["1", "2"] {
        store.cursor_put(&tenant, &provider, "parcels", text).await.unwrap();
        assert_eq!(store.cursor_get(&tenant, &provider, "parcels").await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(store.cursor_get(&tenant, &provider, "stock").await.unwrap(), None);
    let other = TenantId::parse("other").unwrap();
    assert_eq!(store.cursor_get(&other, &provider, "parcels").await.unwrap(), None);
}

/// An article has one stock, the one that was read last.
pub async fn stock_is_listed_by_unit_and_replaced(store: &dyn Store) {
    let (tenant, provider) = (demo(), Provider::parse("ledger").unwrap());
    let stock =
        |sku: &str, items: i64| Stock { sku: sku.to_owned(), on_hand: items.into(), sellable: items.into() };
    let first = [stock("B", 2), stock("A", 1), stock("C", 3)];
    store.stocks_put(&tenant, &provider, &first, time(1)).await.unwrap();
    store.stocks_put(&tenant, &provider, &[stock("B", 7)], time(2)).await.unwrap();
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.stocks_list(&tenant, &provider, 2, cursor.as_ref()).await.unwrap();
        listed.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, [(stock("A", 1), time(1)), (stock("B", 7), time(2)), (stock("C", 3), time(1))]);
    let other = TenantId::parse("other").unwrap();
    assert!(store.stocks_list(&other, &provider, 10, None).await.unwrap().items.is_empty());
}
