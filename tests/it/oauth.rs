//! Consent in a browser: only the right browser, state and company store anything, and then what waited goes on.

use std::time::Duration;

use bokbro_app::connections::{ShownState, connections_list};
use bokbro_app::oauth::{Callback, Outcome, StateFault, oauth_start};
use bokbro_app::orders::Refusal;
use bokbro_app::ports::{ConsentRefusal, Directory as _, TokenStates as _};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::SecretText;
use bokbro_domain::ids::TenantId;
use bokbro_domain::order::SyncState;
use bokbro_domain::posting::PostingProfile;
use bokbro_domain::token::TokenState;
use bokbro_simulators::fortnox::{FortnoxConfig, TenantConfig};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::browser::{ORIGIN, come_back, come_back_to, consent, provider};
use bokbro_tests::world::{COMPANY, World, sample, tenant};
use serde_json::{Value, json};

use crate::tidy::files;

const OTHER_COMPANY: &str = "1000002";

/// A world with two companies, of which nobody has consented yet.
async fn world() -> World {
    let companies = [(COMPANY, "Demobolaget AB"), (OTHER_COMPANY, "Annat AB")];
    let tenants = companies
        .map(|(number, name)| TenantConfig { service_consent: false, ..TenantConfig::new(number, name) });
    let config = FortnoxConfig { rate_limited: false, tenants: tenants.into(), ..FortnoxConfig::default() };
    World::start_with(PostingProfile::Invoice, config).await
}

/// All that a consent may change.
#[derive(Debug, PartialEq)]
struct Stored {
    connection: Option<Connection>,
    tokens: TokenState,
    secret: Option<String>,
}

async fn stored(world: &World, tenant: &TenantId) -> Stored {
    let fortnox = provider("fortnox");
    let name = format!("connections/{tenant}/fortnox");
    let secret = world.app.vault.secret_get(&name).await.unwrap();
    let tokens = world.store.token_state(tenant, &fortnox).await.unwrap();
    Stored {
        connection: world.store.connection_get(tenant, &fortnox).await.unwrap(),
        // Taking the lease for a moment is no change.
        tokens: TokenState { fence: 0, ..tokens },
        secret: secret.map(|secret| secret.credentials.to_json().expose().to_owned()),
    }
}

fn token_calls(world: &World) -> serde_json::Value {
    world.fortnox.state()["oauth"]["token_calls"].clone()
}

fn copy(callback: &Callback, state: &str) -> Callback {
    Callback { state: Some(state.to_owned()), ..callback.clone() }
}

#[tokio::test]
async fn a_consent_connects_with_and_without_a_service_account() {
    for (service, grant) in [(true, "client_credentials"), (false, "refresh_token")] {
        let mut world = world().await;
        let (order, code) = world.order("1753-1001", sample()).await;
        let back = consent(&world, &tenant(), service).await;
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::Connected { .. }), "{outcome:?}");
        let shown = connections_list(&world.app, &tenant()).await.unwrap();
        let shown = shown.iter().find(|view| view.provider.as_str() == "fortnox").unwrap();
        assert_eq!((shown.state, shown.grant), (ShownState::Healthy, Some(grant)), "{shown:?}");
        assert_eq!(shown.settings["tenant_id"], COMPANY);
        let event = world.pay(code).await;
        world.webhook(&event).await;
        // Beyond the life of the first token: the next comes by the grant of this consent.
        world.clock.advance(Duration::from_secs(7_200));
        world.settle().await;
        assert_eq!(
            world.show(&order.id).await.accounting.state,
            SyncState::Done,
            "{:?}",
            world.parked().await
        );
        let secret = stored(&world, &tenant()).await.secret.unwrap();
        assert_eq!(
            secret.contains("refresh_token"),
            !service,
            "a service account has no refresh token to lose"
        );
    }
}

#[tokio::test]
async fn a_consent_of_the_other_kind_leaves_nothing_of_the_first() {
    let world = world().await;
    for service in [false, true, false] {
        let back = consent(&world, &tenant(), service).await;
        assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
        let stored = stored(&world, &tenant()).await;
        assert_eq!(stored.secret.unwrap().contains("refresh_token"), !service);
        let grant = if service { "client_credentials" } else { "refresh_token" };
        assert_eq!(stored.connection.unwrap().settings["grant"], grant);
    }
}

#[tokio::test]
async fn a_state_counts_once() {
    let world = world().await;
    let back = consent(&world, &tenant(), true).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    let (before, calls) = (stored(&world, &tenant()).await, token_calls(&world));
    for _ in 0..2 {
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::BadState(StateFault::Used)), "{outcome:?}");
    }
    assert_eq!((stored(&world, &tenant()).await, token_calls(&world)), (before, calls));
}

#[tokio::test]
async fn of_many_tabs_with_one_state_one_connects() {
    let world = world().await;
    let back = consent(&world, &tenant(), true).await;
    let outcomes = futures::future::join_all((0..16).map(|_| come_back(&world, &back))).await;
    let connected = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Connected { .. })).count();
    let used = outcomes.iter().filter(|o| matches!(o, Outcome::BadState(StateFault::Used))).count();
    assert_eq!((connected, used), (1, 15), "{outcomes:?}");
}

#[tokio::test]
async fn a_state_of_somebody_else_or_of_another_time_stores_nothing() {
    let world = world().await;
    let other_tenant = TenantId::parse("other").unwrap();
    let theirs = consent(&world, &other_tenant, true).await;
    let mine = consent(&world, &tenant(), true).await;
    let before = (stored(&world, &tenant()).await, stored(&world, &other_tenant).await, token_calls(&world));
    let state = mine.state.clone().unwrap();
    let nonce = |text: &str| Some(SecretText::new(text.to_owned()));
    let hash_in_the_state = state.split('.').nth(1).unwrap().to_owned();
    let cases = [
        ("no cookie", Callback { nonce: None, ..mine.clone() }, StateFault::OtherBrowser),
        ("an empty cookie", Callback { nonce: nonce(""), ..mine.clone() }, StateFault::OtherBrowser),
        ("a made-up cookie", Callback { nonce: nonce("made-up"), ..mine.clone() }, StateFault::OtherBrowser),
        (
            "what the address tells",
            Callback { nonce: nonce(&hash_in_the_state), ..mine.clone() },
            StateFault::OtherBrowser,
        ),
        (
            "another tenant's cookie",
            Callback { nonce: theirs.nonce.clone(), ..mine.clone() },
            StateFault::OtherBrowser,
        ),
        ("another tenant's state", copy(&mine, theirs.state.as_ref().unwrap()), StateFault::OtherBrowser),
        ("a code without a state", Callback { state: None, ..mine.clone() }, StateFault::Forged),
        ("an empty state", copy(&mine, ""), StateFault::Forged),
    ];
    for (name, callback, expected) in cases {
        let outcome = come_back(&world, &callback).await;
        assert!(matches!(outcome, Outcome::BadState(fault) if fault == expected), "{name}: {outcome:?}");
    }
    let outcome = come_back_to(&world, "visma", &mine).await;
    assert!(matches!(outcome, Outcome::BadState(StateFault::OtherProvider)), "{outcome:?}");
    for nobody in ["viva", "nobody"] {
        assert!(matches!(come_back_to(&world, nobody, &mine).await, Outcome::UnknownProvider));
    }
    world.clock.advance(Duration::from_secs(601));
    let outcome = come_back(&world, &mine).await;
    assert!(matches!(outcome, Outcome::BadState(StateFault::Expired)), "{outcome:?}");
    let after = (stored(&world, &tenant()).await, stored(&world, &other_tenant).await, token_calls(&world));
    assert_eq!(after, before);
}

#[tokio::test]
async fn no_byte_of_the_state_may_change() {
    let world = world().await;
    let back = consent(&world, &tenant(), true).await;
    let (before, calls) = (stored(&world, &tenant()).await, token_calls(&world));
    let state = back.state.clone().unwrap();
    for index in 0..state.len() {
        let other = if state.as_bytes()[index] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &state[..index], &state[index + 1..]);
        let outcome = come_back(&world, &copy(&back, &changed)).await;
        assert!(matches!(outcome, Outcome::BadState(StateFault::Forged)), "byte {index}: {outcome:?}");
    }
    assert_eq!((stored(&world, &tenant()).await, token_calls(&world)), (before, calls));
    // None of it has used the true one up.
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
}

#[tokio::test]
async fn every_refusal_of_the_provider_is_understood_and_stores_nothing() {
    let world = world().await;
    let before = stored(&world, &tenant()).await;
    for (answer, expected) in [
        ("access_denied", ConsentRefusal::Denied),
        ("invalid_scope", ConsentRefusal::InvalidScope),
        ("error_missing_license", ConsentRefusal::MissingLicense),
        ("error_missing_app_license", ConsentRefusal::MissingLicense),
        ("error_missing_system_admin_right", ConsentRefusal::MissingAdminRight),
        ("nothing", ConsentRefusal::Nothing),
    ] {
        world.fortnox.configure(&json!({ "consent_answer": answer })).unwrap();
        let back = consent(&world, &tenant(), true).await;
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::Refused(why) if why == expected), "{answer}: {outcome:?}");
    }
    world.fortnox.configure(&json!({ "consent_answer": "approve" })).unwrap();
    let mut late = consent(&world, &tenant(), true).await;
    late.code = Some(SecretText::new("made-up".to_owned()));
    let outcome = come_back(&world, &late).await;
    assert!(matches!(outcome, Outcome::Refused(ConsentRefusal::CodeExpired)), "{outcome:?}");
    assert_eq!(stored(&world, &tenant()).await, before);
}

#[tokio::test]
async fn a_consent_in_another_company_changes_nothing() {
    let world = world().await;
    let first = consent(&world, &tenant(), false).await;
    assert!(matches!(come_back(&world, &first).await, Outcome::Connected { .. }));
    let before = stored(&world, &tenant()).await;
    world.fortnox.configure(&json!({ "consenting_tenant": OTHER_COMPANY })).unwrap();
    for service in [true, false] {
        let back = consent(&world, &tenant(), service).await;
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::Refused(ConsentRefusal::OtherCompany)), "{outcome:?}");
        assert_eq!(stored(&world, &tenant()).await, before);
    }
    // A tenant that was never connected may begin with any company.
    let other_tenant = TenantId::parse("other").unwrap();
    let back = consent(&world, &other_tenant, false).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    assert_eq!(stored(&world, &other_tenant).await.connection.unwrap().settings["company"], OTHER_COMPANY);
    assert_eq!(stored(&world, &tenant()).await, before);
}

#[tokio::test]
async fn a_provider_that_fails_stores_nothing_and_holds_nobody_up() {
    let world = world().await;
    let before = stored(&world, &tenant()).await;
    for kind in [Kind::Status, Kind::Reset] {
        let back = consent(&world, &tenant(), true).await;
        world.fortnox.faults.add(Fault::new(kind, "POST", "/oauth-v1/token"));
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        assert_eq!(stored(&world, &tenant()).await, before);
    }
    let back = consent(&world, &tenant(), true).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
}

#[tokio::test]
async fn only_providers_with_a_consent_page_are_sent_to() {
    let world = world().await;
    for name in ["viva", "nobody"] {
        let started = oauth_start(&world.app, &tenant(), &provider(name), true, ORIGIN).await;
        assert!(matches!(started, Err(Refusal::NotFound(_))), "{name}");
    }
}

#[tokio::test]
async fn orders_wait_for_a_consent_that_was_withdrawn_and_all_complete_after_another() {
    for service in [true, false] {
        let mut world = world().await;
        let back = consent(&world, &tenant(), service).await;
        assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
        let mut orders = Vec::new();
        for number in 1..=5 {
            if number == 2 {
                world.fortnox.configure(&json!({ "tenant": COMPANY, "consent_revoked": true })).unwrap();
                world.clock.advance(Duration::from_secs(7_200));
            }
            let (order, code) = world.order(&format!("1753-{number}"), sample()).await;
            let event = world.pay(code).await;
            world.webhook(&event).await;
            world.settle().await;
            orders.push(order.id);
        }
        assert_eq!(world.show(&orders[0]).await.accounting.state, SyncState::Done);
        for id in &orders[1..] {
            let shown = world.show(id).await;
            assert_eq!(shown.accounting.state, SyncState::NeedsAttention, "{:?}", shown.accounting);
        }
        assert!(world.dead.is_empty(), "nothing is burned");
        assert!(world.parked().await.iter().all(|parked| parked.code == "needs_consent"));
        let fortnox = |views: Vec<bokbro_app::connections::ConnectionView>| {
            views.into_iter().find(|view| view.provider.as_str() == "fortnox").unwrap()
        };
        let shown = fortnox(connections_list(&world.app, &tenant()).await.unwrap());
        assert_eq!(shown.state, ShownState::NeedsConsent);
        assert!(shown.message.unwrap().contains("consent"), "it says why");

        let back = consent(&world, &tenant(), service).await;
        let outcome = come_back(&world, &back).await;
        assert!(matches!(outcome, Outcome::Connected { resumed } if resumed.orders == 4), "{outcome:?}");
        world.settle().await;
        for id in &orders {
            let shown = world.show(id).await;
            assert_eq!(shown.accounting.state, SyncState::Done, "{:?}", shown.accounting);
        }
        assert_eq!(world.parked().await, [], "nothing waits any more");
        assert_eq!(world.books("invoices").len(), 5);
        assert_eq!(world.books("customers").len(), 1);
        let shown = fortnox(connections_list(&world.app, &tenant()).await.unwrap());
        assert_eq!((shown.state, shown.message), (ShownState::Healthy, None));
    }
}

#[tokio::test]
async fn a_death_in_the_middle_of_a_consent_is_healed_by_the_next() {
    let world = world().await;
    let back = consent(&world, &tenant(), false).await;
    world.crash.arm(Some(0));
    tokio::select! {
        outcome = come_back(&world, &back) => panic!("lived through it: {outcome:?}"),
        () = world.crash.dying() => {}
    }
    world.crash.arm(None);
    // Its lease ends by itself.
    world.clock.advance(Duration::from_secs(61));
    let back = consent(&world, &tenant(), false).await;
    assert!(matches!(come_back(&world, &back).await, Outcome::Connected { .. }));
    assert_eq!(stored(&world, &tenant()).await.connection.unwrap().state, ConnectionState::Healthy);
}

#[test]
fn the_consent_events_come_by_routes_of_the_template() {
    let (_, template) = files("yaml").into_iter().find(|(file, _)| file == "template.yaml").unwrap();
    let mut seen = 0;
    for (name, text) in files("json").into_iter().filter(|(name, _)| name.starts_with("events/oauth/")) {
        if name.ends_with(".expected.json") {
            continue;
        }
        let event: Value = serde_json::from_str(&text).unwrap();
        let (method, path) = event["routeKey"].as_str().unwrap().split_once(' ').unwrap();
        let route = format!("Method: {method}\n            Path: {path}\n");
        assert!(template.contains(&route), "{name}: the template has no route {method} {path}");
        let leg = path.rsplit('/').next().unwrap();
        assert!(event["rawPath"].as_str().unwrap().ends_with(leg), "{name} comes by another route");
        seen += 1;
    }
    assert_eq!(seen, 4);
}
