//! Connections as the API handles them: entered and checked, shown without secrets, refreshed, disconnected.

use std::time::Duration;

use bokbro_app::connections::{
    ConnectionView, EntryRefusal, Revoked, ShownState, connection_disconnect, connection_enter,
    connection_health, connection_refresh, connections_list,
};
use bokbro_app::error::Error;
use bokbro_app::oauth::Outcome;
use bokbro_app::orders::Refusal;
use bokbro_app::ports::{Directory as _, Endpoints as _, TokenStates as _};
use bokbro_app::records::Connection;
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::order::SyncState;
use bokbro_domain::token::TokenState;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::VivaConfig;
use bokbro_tests::browser::{come_back, consent, correlation, provider};
use bokbro_tests::world::{World, sample, tenant, tester};
use serde_json::{Value, json};

async fn shown(world: &World, name: &str) -> ConnectionView {
    let all = connections_list(&world.app, &tenant()).await.unwrap();
    all.into_iter().find(|view| view.provider.as_str() == name).unwrap()
}

async fn enter(world: &World, name: &str, body: &Value) -> Result<ConnectionView, EntryRefusal> {
    let body = body.to_string();
    connection_enter(&world.app, tester(&tenant(), &correlation(world)), &provider(name), body.as_bytes())
        .await
}

fn entries() -> Value {
    let account = VivaConfig::default();
    json!({
        "merchant_id": account.merchant_id,
        "api_key": account.api_key,
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    })
}

async fn stored(world: &World, name: &str) -> (Option<Connection>, Option<String>, TokenState) {
    let to = provider(name);
    let secret = world.app.vault.secret_get(&format!("connections/demo/{name}")).await.unwrap();
    let tokens = world.store.token_state(&tenant(), &to).await.unwrap();
    (
        world.store.connection_get(&tenant(), &to).await.unwrap(),
        secret.map(|secret| secret.credentials.to_json().expose().to_owned()),
        TokenState { fence: 0, ..tokens },
    )
}

#[tokio::test]
async fn entered_credentials_are_checked_stored_and_never_shown() {
    let world = World::start().await;
    let view = enter(&world, "viva", &entries()).await.ok().unwrap();
    assert_eq!((view.state, view.grant), (ShownState::Healthy, Some("client_credentials")));
    assert_eq!(view.settings["merchant_id"], VivaConfig::default().merchant_id);
    let name = view.webhook_endpoint.clone().unwrap();
    assert!(name.len() >= 32, "nobody guesses {name}");
    let endpoint = world.store.endpoint_get(&name).await.unwrap().unwrap();
    assert_eq!(endpoint.handshake_key, VivaConfig::default().webhook_key);

    let again = enter(&world, "viva", &entries()).await.ok().unwrap();
    assert_eq!(again.webhook_endpoint, view.webhook_endpoint, "the address that was pasted stays good");

    let health = connection_health(&world.app, &tenant(), &provider("viva"), &correlation(&world)).await;
    let health = health.unwrap();
    assert!(health.healthy);
    assert_eq!(health.details["webhook"], "answers");
    connection_refresh(&world.app, &tenant(), &provider("viva"), &correlation(&world)).await.unwrap();

    let all = connections_list(&world.app, &tenant()).await.unwrap();
    let told = format!("{view:?} {again:?} {health:?} {all:?}");
    let account = VivaConfig::default();
    let mut secrets = world.viva.secrets_issued();
    assert!(!secrets.is_empty());
    secrets.extend([account.api_key, account.client_id, account.client_secret]);
    for secret in secrets {
        assert!(!told.contains(&secret), "a secret was told: {told}");
    }
}

#[tokio::test]
async fn a_refused_entry_names_its_field_and_stores_nothing() {
    let world = World::start().await;
    let before = stored(&world, "viva").await;
    let with = |name: &str, value: Value| {
        let mut body = entries();
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = entries();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (field, body) in [
        ("api_key", without("api_key")),
        ("merchant_id", without("merchant_id")),
        ("webhook_endpoint", with("webhook_endpoint", json!("wh_mine"))),
        ("api_key", with("api_key", json!(""))),
        ("api_key", with("api_key", json!("a\nb"))),
        ("api_key", with("api_key", json!(17))),
        ("client_secret", with("client_secret", json!("x".repeat(2_001)))),
        ("body", json!(["api_key"])),
    ] {
        match enter(&world, "viva", &body).await {
            Err(EntryRefusal::Refusal(Refusal::Invalid(error))) => assert_eq!(error.field, field, "{error}"),
            _ => panic!("{field} was not refused"),
        }
    }
    for name in ["api_key", "client_secret"] {
        match enter(&world, "viva", &with(name, json!("made-up-and-wrong"))).await {
            Err(EntryRefusal::NotLetIn { message }) => assert!(!message.contains("made-up"), "{message}"),
            _ => panic!("a wrong {name} was let in"),
        }
    }
    world.viva.kit.faults.add(Fault::new(Kind::Status, "POST", "/connect/token"));
    let refused = enter(&world, "viva", &entries()).await;
    let down = matches!(&refused, Err(EntryRefusal::Refusal(Refusal::Failed(Error::Unavailable { .. }))));
    assert!(down, "{:?}", refused.err());
    let nobody = enter(&world, "nobody", &entries()).await;
    assert!(matches!(nobody, Err(EntryRefusal::Refusal(Refusal::NotFound(_)))));
    assert_eq!(stored(&world, "viva").await, before);
}

#[tokio::test]
async fn deliveries_that_came_while_the_credentials_were_wrong_are_looked_at_again() {
    let mut world = World::start().await;
    let wrong = entries().as_object().unwrap().clone().into_iter().map(|(name, value)| {
        let wrong = name == "client_secret";
        (name, SecretText::new(if wrong { "wrong".to_owned() } else { value.as_str().unwrap().to_owned() }))
    });
    world.app.vault.secret_put("connections/demo/viva", &Credentials::new(wrong)).await.unwrap();
    let mut orders = Vec::new();
    for number in 1..=3 {
        let (order, code) = world.order(&format!("1753-{number}"), sample()).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        orders.push(order.id);
    }
    world.settle().await;
    assert_eq!(world.parked().await.len(), 3);
    let view = shown(&world, "viva").await;
    assert_eq!(view.state, ShownState::NeedsConsent);
    assert!(view.message.is_some());

    enter(&world, "viva", &entries()).await.ok().unwrap();
    world.settle().await;
    for order in &orders {
        assert_eq!(world.show(order).await.accounting.state, SyncState::Done, "{:?}", world.parked().await);
    }
    assert_eq!(world.parked().await, [], "nothing waits any more");
    assert_eq!(world.books("invoices").len(), 3);
}

#[tokio::test]
async fn a_check_says_what_it_found_and_what_is_wrong() {
    let world = World::start().await;
    let check =
        async || connection_health(&world.app, &tenant(), &provider("fortnox"), &correlation(&world)).await;
    assert_eq!(shown(&world, "fortnox").await.state, ShownState::Unchecked);
    let health = check().await.unwrap();
    assert!(health.healthy, "{health:?}");
    assert_eq!(health.name.as_deref(), Some("Demobolaget AB"));
    let view = shown(&world, "fortnox").await;
    assert_eq!((view.state, view.company.as_deref()), (ShownState::Healthy, Some("Demobolaget AB")));

    world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
    world.clock.advance(Duration::from_secs(7_200));
    let health = check().await.unwrap();
    assert!(!health.healthy && health.message.is_some(), "{health:?}");
    assert_eq!(shown(&world, "fortnox").await.state, ShownState::NeedsConsent);

    let missing = connection_health(&world.app, &tenant(), &provider("visma"), &correlation(&world)).await;
    assert!(matches!(missing, Err(Refusal::NotFound(_))));
}

#[tokio::test]
async fn a_forced_refresh_brings_another_token_and_tells_of_rotation() {
    for (service, rotated) in [(true, false), (false, true)] {
        let world = World::start().await;
        let back = consent(&world, &tenant(), service).await;
        assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
        let days = shown(&world, "fortnox").await.days_left;
        assert_eq!(days, (!service).then_some(45), "only refresh tokens lapse");
        let before = stored(&world, "fortnox").await;
        let refresh = async || {
            connection_refresh(&world.app, &tenant(), &provider("fortnox"), &correlation(&world)).await
        };
        let done = refresh().await.unwrap();
        assert_eq!((done.refreshed, done.rotated), (true, rotated));
        let after = stored(&world, "fortnox").await;
        assert_ne!(before.1, after.1);
        assert_eq!(after.2.version, before.2.version + 1);

        world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
        let done = refresh().await.unwrap();
        assert!(!done.refreshed && done.message.is_some(), "{done:?}");
        world.fortnox.faults.add(Fault::new(Kind::Status, "POST", "/oauth-v1/token"));
        assert!(matches!(refresh().await, Err(Refusal::Failed(Error::Unavailable { .. }))));
    }
}

#[tokio::test]
async fn a_refresh_sets_going_again_what_was_mended_at_the_provider() {
    let mut world = World::start().await;
    world.fortnox.configure(&json!({ "integration_license_lost": true })).unwrap();
    let (order, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    assert_eq!(shown(&world, "fortnox").await.state, ShownState::NeedsConsent);
    world.fortnox.configure(&json!({ "integration_license_lost": false })).unwrap();
    let done = connection_refresh(&world.app, &tenant(), &provider("fortnox"), &correlation(&world)).await;
    assert!(done.unwrap().refreshed);
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
}

#[tokio::test]
async fn disconnecting_takes_the_token_back_and_keeps_the_history() {
    let mut world = World::start().await;
    let back = consent(&world, &tenant(), false).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    let disconnect = async |world: &World| {
        connection_disconnect(&world.app, tester(&tenant(), &correlation(world)), &provider("fortnox"))
            .await
            .unwrap()
    };
    assert_eq!(world.fortnox.state()["oauth"]["live_refresh_tokens"], json!(1));
    assert_eq!(disconnect(&world).await, Revoked::Yes);
    assert_eq!(world.fortnox.state()["oauth"]["live_refresh_tokens"], json!(0));
    assert!(stored(&world, "fortnox").await.1.is_none(), "the secret is deleted");
    assert_eq!(shown(&world, "fortnox").await.state, ShownState::Disconnected);
    assert_eq!(disconnect(&world).await, Revoked::NothingToRevoke);
    let health = connection_health(&world.app, &tenant(), &provider("fortnox"), &correlation(&world)).await;
    assert!(matches!(health, Err(Refusal::Conflict { code: "disconnected", .. })));

    let (order, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    let back = consent(&world, &tenant(), true).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
}

#[tokio::test]
async fn a_provider_that_does_not_take_back_is_disconnected_all_the_same() {
    let world = World::start().await;
    let back = consent(&world, &tenant(), false).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    // As often as a request that may be repeated is tried.
    world.fortnox.faults.add(Fault { times: 5, ..Fault::new(Kind::Status, "POST", "/oauth-v1/revoke") });
    let revoked =
        connection_disconnect(&world.app, tester(&tenant(), &correlation(&world)), &provider("fortnox"))
            .await;
    assert_eq!(revoked.unwrap(), Revoked::No);
    assert!(stored(&world, "fortnox").await.1.is_none());
}

#[tokio::test]
async fn a_company_that_consented_is_not_exchanged_by_typing() {
    let world = World::start().await;
    let back = consent(&world, &tenant(), true).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    let before = stored(&world, "fortnox").await;
    match enter(&world, "fortnox", &json!({ "tenant_id": "1000002" })).await {
        Err(EntryRefusal::Refusal(Refusal::Invalid(error))) => assert_eq!(error.field, "tenant_id"),
        _ => panic!("another company was entered"),
    }
    assert_eq!(stored(&world, "fortnox").await, before);
    let view = enter(&world, "fortnox", &json!({ "payment_mode": "BG" })).await.ok().unwrap();
    assert_eq!((view.state, view.settings["payment_mode"].as_str()), (ShownState::Healthy, "BG"));
}
