//! Promises about deliveries, settings, connections, endpoints, keys and secrets.

use std::collections::BTreeMap;

use bokbro_app::ports::{Cursor, Vault};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, ReadChart, Settings};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::posting::{AccountRole, Chart, PostingProfile};

use super::Store;
use super::samples::{demo, time};

/// The first outcome of a delivery stays, until it expires.
pub async fn a_delivery_keeps_its_first_outcome_until_it_expires(store: &dyn Store) {
    assert_eq!(store.delivery_outcome("d1", time(1)).await.unwrap(), None);
    store.delivery_done("d1", "paid", time(100)).await.unwrap();
    store.delivery_done("d1", "ignored", time(200)).await.unwrap();
    assert_eq!(store.delivery_outcome("d1", time(1)).await.unwrap().as_deref(), Some("paid"));
    assert_eq!(store.delivery_outcome("d1", time(99)).await.unwrap().as_deref(), Some("paid"));
    assert_eq!(store.delivery_outcome("d1", time(100)).await.unwrap(), None);
    assert_eq!(store.delivery_outcome("d2", time(1)).await.unwrap(), None);
}

/// Settings, connections, endpoints and keys are absent at first, read back as the last write, and are one tenant's.
pub async fn records_read_back_and_tenants_are_apart(store: &dyn Store) {
    let (tenant, other) = (demo(), TenantId::parse("other").unwrap());
    let (payments, books) = (Provider::parse("pay").unwrap(), Provider::parse("books").unwrap());
    assert_eq!(store.settings_get(&tenant).await.unwrap(), None);
    let mut settings = Settings {
        payments: payments.clone(),
        accounting: Some(books.clone()),
        warehouse: None,
        posting_profile: PostingProfile::Invoice,
        accounts: BTreeMap::from([(AccountRole::Sales25, 3001)]),
        payment_mode: None,
    };
    store.settings_put(&tenant, &settings).await.unwrap();
    settings.posting_profile = PostingProfile::OrderAndInvoice;
    store.settings_put(&tenant, &settings).await.unwrap();
    assert_eq!(store.settings_get(&tenant).await.unwrap(), Some(settings));
    assert_eq!(store.settings_get(&other).await.unwrap(), None);

    let chart = Chart { accounts: BTreeMap::from([(AccountRole::RoundOff, 3740)]), ..Chart::default() };
    let connection = Connection {
        tenant: tenant.clone(),
        provider: books.clone(),
        state: ConnectionState::Healthy,
        settings: BTreeMap::from([("merchant_id".to_owned(), "m".to_owned())]),
        chart: Some(ReadChart { chart, read_at: time(5) }),
    };
    store.connection_put(&connection).await.unwrap();
    assert_eq!(store.connection_get(&tenant, &books).await.unwrap(), Some(connection));
    assert_eq!(store.connection_get(&tenant, &payments).await.unwrap(), None);
    assert_eq!(store.connection_get(&other, &books).await.unwrap(), None);

    let handshake_key = "k".to_owned();
    let endpoint = Endpoint {
        name: "e1".to_owned(),
        tenant: tenant.clone(),
        provider: payments,
        handshake_key,
        token_sha256: None,
    };
    store.endpoint_put(&endpoint).await.unwrap();
    assert_eq!(store.endpoint_get("e1").await.unwrap(), Some(endpoint));
    assert_eq!(store.endpoint_get("e2").await.unwrap(), None);
}

/// A secret is absent at first and then the last that was stored under its name.
pub async fn secrets_read_back_by_name(vault: &dyn Vault) {
    const NAME: &str = "connections/demo/ledger";
    assert!(vault.secret_get(NAME).await.unwrap().is_none());
    for value in ["first", "sécond \"quoted\""] {
        let field = ("client_secret".to_owned(), SecretText::new(value.to_owned()));
        vault.secret_put(NAME, &Credentials::new([field])).await.unwrap();
        let stored = vault.secret_get(NAME).await.unwrap().unwrap().credentials;
        assert_eq!(stored.get("client_secret").unwrap().expose(), value);
    }
    assert!(vault.secret_get("connections/demo/other").await.unwrap().is_none());
}

/// The connections of all tenants are listed once each, by tenant and provider, whatever the size of a page.
/// Disconnected ones are left out for as long as they are.
pub async fn connections_of_all_tenants_are_listed_in_pages(store: &dyn Store) {
    let connection = |tenant: &str, provider: &str, state: ConnectionState| Connection {
        tenant: TenantId::parse(tenant).unwrap(),
        provider: Provider::parse(provider).unwrap(),
        state,
        settings: BTreeMap::from([("company".to_owned(), tenant.to_owned())]),
        chart: None,
    };
    let all = async |limit: usize| {
        let (mut found, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = store.connections_list(limit, cursor.as_ref()).await.unwrap();
            assert!(page.items.len() <= limit);
            pages += 1;
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return (found, pages);
            }
        }
    };
    assert_eq!(all(2).await, (Vec::new(), 1));
    let (healthy, gone) = (ConnectionState::Healthy, ConnectionState::Disconnected);
    let mut connections = vec![
        connection("demo", "books", healthy),
        connection("demo", "pay", ConnectionState::NeedsConsent),
        connection("demo-2", "books", ConnectionState::Unchecked),
        connection("other", "books", healthy),
        connection("other", "pay", healthy),
    ];
    for connection in connections.iter().rev() {
        store.connection_put(connection).await.unwrap();
    }
    store.connection_put(&connection("third", "pay", gone)).await.unwrap();
    for (limit, pages) in [(1, 5), (2, 3), (5, 1), (100, 1)] {
        assert_eq!(all(limit).await, (connections.clone(), pages), "{limit} to a page");
    }
    store.connection_put(&connection("other", "books", gone)).await.unwrap();
    let back = connections.remove(3);
    assert_eq!(all(2).await.0, connections);
    store.connection_put(&back).await.unwrap();
    connections.insert(3, back);
    assert_eq!(all(2).await.0, connections);

    for cursor in [Cursor("%%%".to_owned()), Cursor(String::new())] {
        let refused = store.connections_list(1, Some(&cursor)).await.unwrap_err();
        assert_eq!(refused.code(), "bad_cursor");
    }
}
