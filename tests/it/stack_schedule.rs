//! The hourly tick against the real binaries: from the schedule's event over the queue to the provider, every role
//! enforced.

use bokbro_app::ports::{Directory as _, Guard, TokenStates as _, Vault as _};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_aws::{Clients, Tables};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::token::TokenState;
use bokbro_tests::stack::{LIMIT, Stack, until};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_tick_reaches_the_provider_of_a_connection_that_rests() {
    let Some(stack) = Stack::shared() else { return };
    let clients = Clients::from_config(stack.aws().await);
    let (hub, idempotency) =
        (stack.text("/tables/hub").to_owned(), stack.text("/tables/idempotency").to_owned());
    let (store, vault) = (clients.hub(Tables { hub, idempotency }), clients.vault("bokbro/dev/"));
    // A tenant of this test's own, whose refresh token the provider does not know: it is refused, which shows in the
    // table and asks nothing of anybody else.
    let own = Uuid::new_v4().simple().to_string();
    let (tenant, provider) = (TenantId::parse(&own).unwrap(), Provider::parse("fortnox").unwrap());
    let settings = [("tenant_id", "1"), ("grant", "refresh_token")];
    let connection = Connection {
        tenant: tenant.clone(),
        provider: provider.clone(),
        state: ConnectionState::Healthy,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        chart: None,
    };
    let secret = Credentials::default().with("refresh_token", SecretText::new(own));
    vault.secret_put(&format!("connections/{tenant}/{provider}"), &secret).await.unwrap();
    let refreshed_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
    let tokens = TokenState { version: 1, refreshed_at, ..TokenState::default() };
    store.token_state_put(&tenant, &provider, &Guard::Fence(0), &tokens).await.unwrap();
    store.connection_put(&connection).await.unwrap();

    // A time that no other run of this test has ticked at.
    let due = Timestamp::from_second(i64::from(Uuid::new_v4().as_fields().0)).unwrap().to_string();
    stack.invoke("scheduler", &json!({ "time": due })).await.unwrap();
    stack.invoke("scheduler", &json!({ "time": due })).await.unwrap();
    let ended = until(LIMIT, "the provider to refuse", async || {
        store.token_state(&tenant, &provider).await.unwrap().ended
    });
    assert!(ended.await.contains("fortnox"));
}

#[tokio::test]
async fn what_is_not_a_tick_is_refused_with_words_that_help() {
    let Some(stack) = Stack::shared() else { return };
    for event in [json!({}), json!({ "time": "<aws.scheduler.scheduled-time>" })] {
        let refused = stack.invoke("scheduler", &event).await.unwrap_err();
        assert!(refused.contains(r#"{"time":"#), "{refused}");
    }
}
