//! API keys and sessions.

use bokbro_app::ports::Store;
use bokbro_app::records::{ApiKey, Role, Session};
use bokbro_domain::ids::TenantId;

use super::samples::{demo, time};

fn key(tenant: &str, id: &str) -> ApiKey {
    ApiKey {
        tenant: TenantId::parse(tenant).unwrap(),
        role: Role::Operator,
        prefix: "bk_ab12".to_owned(),
        id: id.to_owned(),
        name: "shop".to_owned(),
        created_at: time(0),
        used_at: None,
    }
}

/// A key opens its tenant until it is revoked, and nobody else sees or revokes it.
pub async fn a_key_counts_until_it_is_revoked(store: &dyn Store) {
    let (demo, other) = (demo(), TenantId::parse("other").unwrap());
    let [first, second, foreign] = [key("demo", "key_1"), key("demo", "key_2"), key("other", "key_3")];
    for (hash, key) in [("b2", &second), ("a1", &first), ("c3", &foreign)] {
        store.api_key_put(hash, key).await.unwrap();
    }
    assert_eq!(store.api_key_get("a1").await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.api_key_get("d4").await.unwrap(), None);
    assert_eq!(store.api_keys_list(&demo).await.unwrap(), [first.clone(), second.clone()]);

    store.api_key_used("a1", &first, time(0)).await.unwrap();
    let used = ApiKey { used_at: Some(time(0)), ..first.clone() };
    assert_eq!(store.api_key_get("a1").await.unwrap().as_ref(), Some(&used));
    assert_eq!(store.api_keys_list(&demo).await.unwrap(), [used.clone(), second.clone()]);

    assert_eq!(store.api_key_revoke(&other, "key_1").await.unwrap(), None);
    assert_eq!(store.api_key_revoke(&demo, "key_1").await.unwrap(), Some(used));
    assert_eq!(store.api_key_revoke(&demo, "key_1").await.unwrap(), None);
    // Whoever was just using it does not bring it back.
    store.api_key_used("a1", &first, time(0)).await.unwrap();
    assert_eq!(store.api_key_get("a1").await.unwrap(), None);
    assert_eq!(store.api_keys_list(&demo).await.unwrap(), [second]);
    assert_eq!(store.api_keys_list(&other).await.unwrap(), [foreign]);
}

/// A session is there until it ends.
pub async fn a_session_ends_for_good(store: &dyn Store) {
    let tenant = demo();
    let session = Session {
        subject: "s-1".to_owned(),
        name: "asa@example.se".to_owned(),
        grants: [(tenant.clone(), Role::Bookkeeper)].into(),
        tenant,
        form_token: "f".to_owned(),
        signed_in_at: time(0),
        expires_at: time(0),
    };
    assert_eq!(store.session_get("a1").await.unwrap(), None);
    store.session_put("a1", &session).await.unwrap();
    assert_eq!(store.session_get("a1").await.unwrap(), Some(session));
    for _ in 0..2 {
        store.session_end("a1").await.unwrap();
        assert_eq!(store.session_get("a1").await.unwrap(), None);
    }
}
