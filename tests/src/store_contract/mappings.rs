//! Promises about what is known of ledger programs' registers.

use std::collections::BTreeMap;

use bokbro_app::ports::{Guard, LedgerWrite, Mapping, Register, RegisterKey};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::in_books::{BooksChange, BooksState, InBooks};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{CREDIT_INVOICES, INVOICE, SyncState, SyncStatus};

use super::Store;
use super::samples::{demo, entry, ledger_key, order, paid, time};

fn provider() -> Provider {
    Provider::parse("ledger").unwrap()
}

fn of(register: Register) -> RegisterKey {
    RegisterKey { tenant: demo(), provider: provider(), register }
}

fn mapping(number: u32) -> Mapping {
    Mapping {
        external_id: format!("{number:05}/Å#"),
        number: number.to_string(),
        ours: vec![format!("mark-{number}")],
        hash: "ab".repeat(32),
        changed_at: Some(time(number)),
        seen: time(number),
        told: true,
        gone: false,
    }
}

/// Entries read back as they were stored last, however many there are, each register apart.
pub async fn a_register_s_entries_read_back_in_any_number(store: &dyn Store) {
    let invoices = of(Register::Invoices);
    let all: Vec<Mapping> = (0..260).map(mapping).collect();
    let ids: Vec<String> = all.iter().map(|mapping| mapping.external_id.clone()).collect();
    assert!(store.mappings_get(&invoices, &ids).await.unwrap().is_empty());
    store.mappings_put(&invoices, &[]).await.unwrap();
    store.mappings_put(&invoices, &all).await.unwrap();
    let changed = Mapping {
        gone: true,
        told: false,
        ours: Vec::new(),
        changed_at: None,
        number: "other".to_owned(),
        ..mapping(7)
    };
    store.mappings_put(&invoices, std::slice::from_ref(&changed)).await.unwrap();
    let mut wanted = ids.clone();
    wanted.push("nobody's".to_owned());
    let mut read = store.mappings_get(&invoices, &wanted).await.unwrap();
    read.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    let mut expected = all.clone();
    expected[7] = changed;
    assert_eq!(read, expected);
    assert!(store.mappings_get(&invoices, &[]).await.unwrap().is_empty());
    let others = RegisterKey { tenant: TenantId::parse("other").unwrap(), ..invoices.clone() };
    for apart in [of(Register::Customers), others] {
        assert!(store.mappings_get(&apart, &ids).await.unwrap().is_empty(), "{apart:?}");
    }
    // Listed in pages, each once, and a page's cursor is good while entries change.
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.mappings_list(&invoices, 100, cursor.as_ref()).await.unwrap();
        store.mappings_put(&invoices, &page.items).await.unwrap();
        listed.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    listed.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    assert_eq!(listed, expected);
}

/// An order is found by the numbers of its invoices once the books have it in full, and not before.
pub async fn an_order_is_found_by_its_invoices_once_it_is_done(store: &dyn Store) {
    let (tenant, order) = (demo(), order(&demo(), 1));
    store.order_insert(&order, None, &entry(1)).await.unwrap();
    store.order_update(&paid(&order, 5), &[], &[]).await.unwrap();
    let key = ledger_key(&order);
    let seen = InBooks {
        state: BooksState::PartlyPaid,
        balance: Some(Money::new(100, Currency::SEK)),
        changed: [BooksChange::Total, BooksChange::Customer].into(),
        read_at: time(9),
    };
    let status = |state| SyncStatus {
        state,
        provider: Some(provider()),
        numbers: BTreeMap::from([
            (INVOICE.to_owned(), "17".to_owned()),
            (CREDIT_INVOICES.to_owned(), "18, 19".to_owned()),
        ]),
        in_books: [("17".to_owned(), seen.clone())].into(),
        ..SyncStatus::default()
    };
    let wanted = ["17", "18", "19", "20"].map(str::to_owned);
    for (fence, state, found) in
        [(0, SyncState::Running, 0), (1, SyncState::Done, 3), (2, SyncState::Done, 3)]
    {
        let status = status(state);
        let write = LedgerWrite {
            key: &key,
            guard: Guard::Fence(fence),
            ledger: &Ledger { fence: fence + 1, ..Ledger::default() },
            status: Some(&status),
            order_version: None,
            entries: &[],
            parked: None,
        };
        store.ledger_write(write).await.unwrap();
        let orders = store.invoices_find(&tenant, &provider(), &wanted).await.unwrap();
        assert_eq!(orders.len(), found, "{orders:?}");
        assert!(orders.values().all(|id| *id == order.id));
        assert!(!orders.contains_key("20"));
    }
    assert_eq!(
        store.order_get(&tenant, &order.id).await.unwrap().unwrap().accounting,
        status(SyncState::Done)
    );
    let elsewhere = Provider::parse("other").unwrap();
    assert!(store.invoices_find(&tenant, &elsewhere, &wanted).await.unwrap().is_empty());
}
