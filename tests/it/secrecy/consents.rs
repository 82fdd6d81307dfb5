//! Connections: no consent, entry, refresh, check or disconnection tells a secret, whatever the provider quotes.

use std::time::Duration;

use bokbro_app::connections::{
    EntryRefusal, Refreshed, Revoked, connection_disconnect, connection_enter, connection_health,
    connection_refresh, connections_list,
};
use bokbro_app::error::chain;
use bokbro_app::oauth::{Callback, Outcome, StateFault};
use bokbro_app::orders::Refusal;
use bokbro_app::ports::ConsentRefusal;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::VivaConfig;
use bokbro_tests::browser::{correlation, provider};
use bokbro_tests::world::{tenant, tester};
use serde_json::{Value, json};

use super::watched::Watched;

/// What must show in each place, so that the search is known to look in the right one.
pub(super) const SEEN: [(&str, &[&str]); 5] = [
    (
        "logs",
        &[
            "consent given",
            "consent not believed",
            "connection entered",
            "refreshed on demand",
            "disconnected",
        ],
    ),
    ("queues", &["viva", "\"order\""]),
    ("store", &["Disconnected", "it is disconnected"]),
    ("errors", &["withdrawn"]),
    ("answers", &["Connected", "CodeExpired", "OtherBrowser", "NotLetIn", "rotated: true", "<h1>"]),
];

/// Longer than an access token lives.
const EXPIRY: Duration = Duration::from_secs(7_200);
/// Longer than the token endpoint is left alone after a failure.
const COOL_DOWN: Duration = Duration::from_secs(31);

#[tokio::test]
async fn no_log_message_page_or_answer_about_connections_holds_a_secret() {
    let mut watched = Watched::start().await;
    consents(&mut watched).await;
    let places = watched.places().await;
    watched.assert_silent(&places, &SEEN);
}

/// Connections that are entered, consented to, refreshed, withdrawn, checked and disconnected.
pub(super) async fn consents(watched: &mut Watched) {
    entries(watched).await;
    watched.world.settle().await;
    states_and_codes(watched).await;
    refreshes(watched, "fortnox", "/oauth-v1/token").await;
    withdrawn(watched).await;
    let back = watched.consent("visma", true).await;
    connected(&watched.come_back("visma", &back).await);
    health(watched, "visma", true).await;
    refreshes(watched, "visma", "/connect/token").await;
    watched.visma.configure(&json!({ "consent_revoked": true })).unwrap();
    assert!(!refresh(watched, "visma").await.unwrap().refreshed);
    let back = watched.consent("visma", true).await;
    connected(&watched.come_back("visma", &back).await);
    let list = connections_list(&watched.world.app, &tenant()).await.unwrap();
    watched.tell(&list);
    disconnections(watched).await;
}

fn connected(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Connected { .. }), "{outcome:?}");
}

/// Credentials of the payment provider: good, wrong, unreadable, and at a provider that quotes them.
async fn entries(watched: &mut Watched) {
    let good = json!({
        "merchant_id": VivaConfig::default().merchant_id,
        "api_key": "viva-api-key-2",
        "client_id": "viva-client-id-5",
        "client_secret": "viva-client-secret-3",
    });
    let wrong = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    for entered in ["typed-wrong-key-6", "typed-wrong-secret-7", "typed-in-a-list-8", "typed\nin-two-lines-9"]
    {
        watched.hide(entered.split('\n').next_back().unwrap());
    }
    let bodies = [
        wrong("api_key", json!("typed-wrong-key-6")),
        wrong("client_secret", json!("typed-wrong-secret-7")),
        wrong("api_key", json!(["typed-in-a-list-8"])),
        wrong("client_secret", json!("typed\nin-two-lines-9")),
        wrong("no_field", json!("viva-client-secret-3")),
        json!("viva-client-secret-3").to_string(),
        good.to_string().replace('}', ""),
    ];
    for body in bodies {
        assert!(enter(watched, &body).await.is_err(), "a wrong entry was taken");
    }
    for (method, path) in [("POST", "/connect/token"), ("GET", "/api/messages/config/token")] {
        for status in [401, 400, 500] {
            let fault = watched.quoting(status, "invalid_client", method, path).times(20);
            watched.world.viva.kit.faults.add(fault);
            assert!(enter(watched, &good.to_string()).await.is_err(), "{path} with {status} was taken");
            watched.world.viva.kit.faults.clear();
        }
    }
    enter(watched, &good.to_string()).await.ok().unwrap();
    health(watched, "viva", true).await;
    assert!(refresh(watched, "viva").await.unwrap().refreshed);
}

async fn enter(watched: &mut Watched, body: &str) -> Result<(), EntryRefusal> {
    let (app, by) = (&watched.world.app, correlation(&watched.world));
    let entered = connection_enter(app, tester(&tenant(), &by), &provider("viva"), body.as_bytes()).await;
    watched.tell(&entered);
    if let Err(EntryRefusal::Refusal(refusal)) = &entered {
        tell_refusal(watched, refusal);
    }
    entered.map(|_| ())
}

fn tell_refusal(watched: &mut Watched, refusal: &Refusal) {
    watched.tell(&refusal.to_string());
    if let Refusal::Failed(error) = refusal {
        watched.tell(&chain(error));
    }
}

/// A consent, its state and its code a second time, states of others, and exchanges at a provider that quotes.
async fn states_and_codes(watched: &mut Watched) {
    let first = watched.consent("fortnox", false).await;
    let stranger = Callback { nonce: None, ..first.clone() };
    let outcome = watched.come_back("fortnox", &stranger).await;
    assert!(matches!(outcome, Outcome::BadState(StateFault::OtherBrowser)), "{outcome:?}");
    connected(&watched.come_back("fortnox", &first).await);
    let outcome = watched.come_back("fortnox", &first).await;
    assert!(matches!(outcome, Outcome::BadState(StateFault::Used)), "{outcome:?}");
    let second = watched.consent("fortnox", false).await;
    let used = Callback { code: first.code.clone(), ..second };
    let outcome = watched.come_back("fortnox", &used).await;
    assert!(matches!(outcome, Outcome::Refused(ConsentRefusal::CodeExpired)), "{outcome:?}");
    for (status, error) in [(500, "server_error"), (400, "invalid_grant"), (200, "none")] {
        let back = watched.consent("fortnox", false).await;
        let fault = watched.quoting(status, error, "POST", "/oauth-v1/token");
        watched.world.fortnox.faults.add(fault);
        let outcome = watched.come_back("fortnox", &back).await;
        assert!(matches!(outcome, Outcome::Refused(_) | Outcome::Failed(_)), "{status}: {outcome:?}");
    }
    let back = watched.consent("fortnox", false).await;
    connected(&watched.come_back("fortnox", &back).await);
    health(watched, "fortnox", true).await;
}

/// Refreshes that rotate, and those that a provider refuses with quotations.
async fn refreshes(watched: &mut Watched, name: &str, path: &str) {
    let done = refresh(watched, name).await.unwrap();
    assert_eq!((done.refreshed, done.rotated), (true, true), "{name}");
    for (status, error) in [(500, "server_error"), (200, "none"), (400, "invalid_grant")] {
        let fault = watched.quoting(status, error, "POST", path);
        // A text where an object belongs: parsers like to quote those.
        let texts = Fault { body: Some(json!(fault.body).to_string()), ..fault.clone() };
        for fault in [fault, Fault { kind: Kind::Body, ..texts }] {
            let faults = if name == "visma" { &watched.visma.faults } else { &watched.world.fortnox.faults };
            faults.add(fault);
            let refused = refresh(watched, name).await;
            assert!(!refused.is_ok_and(|done| done.refreshed), "{name} with {status} was refreshed");
            watched.world.clock.advance(COOL_DOWN);
        }
    }
    assert!(refresh(watched, name).await.unwrap().refreshed, "{name} is well again");
}

async fn refresh(watched: &mut Watched, name: &str) -> Result<Refreshed, Refusal> {
    let (app, by) = (&watched.world.app, correlation(&watched.world));
    let done = connection_refresh(app, &tenant(), &provider(name), &by).await;
    watched.tell(&done);
    if let Err(refusal) = &done {
        tell_refusal(watched, refusal);
    }
    done
}

/// A consent that is withdrawn while an order waits, and another one for a service account.
async fn withdrawn(watched: &mut Watched) {
    let event = watched.paid("consents-1").await;
    watched.world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
    watched.world.clock.advance(EXPIRY);
    watched.take(&event).await;
    assert!(watched.parked().await.iter().any(|parked| parked.code == "needs_consent"));
    assert!(!refresh(watched, "fortnox").await.unwrap().refreshed);
    health(watched, "fortnox", false).await;
    let places = watched.places().await;
    watched.assert_silent(&places, &[("store", &["withdrawn"])]);
    let back = watched.consent("fortnox", true).await;
    let outcome = watched.come_back("fortnox", &back).await;
    assert!(matches!(outcome, Outcome::Connected { resumed } if resumed.orders >= 1), "{outcome:?}");
    watched.world.settle().await;
    assert!(!watched.parked().await.iter().any(|parked| parked.code == "needs_consent"));
    let done = refresh(watched, "fortnox").await.unwrap();
    assert_eq!((done.refreshed, done.rotated), (true, false), "a service account has nothing to rotate");
}

async fn health(watched: &mut Watched, name: &str, healthy: bool) {
    let (app, by) = (&watched.world.app, correlation(&watched.world));
    let health = connection_health(app, &tenant(), &provider(name), &by).await.unwrap();
    assert_eq!(health.healthy, healthy, "{name}: {health:?}");
    watched.tell(&health);
}

/// Disconnections, from a provider that quotes and from one that takes the consent back.
async fn disconnections(watched: &mut Watched) {
    for revoked in [Revoked::No, Revoked::Yes] {
        let back = watched.consent("fortnox", false).await;
        connected(&watched.come_back("fortnox", &back).await);
        if revoked == Revoked::No {
            let fault = watched.quoting(500, "server_error", "POST", "/oauth-v1/revoke");
            watched.world.fortnox.faults.add(fault.times(20));
        }
        assert_eq!(disconnect(watched, "fortnox").await, revoked);
        watched.world.fortnox.faults.clear();
    }
    assert_eq!(disconnect(watched, "visma").await, Revoked::Yes);
}

async fn disconnect(watched: &mut Watched, name: &str) -> Revoked {
    let (app, by) = (&watched.world.app, correlation(&watched.world));
    let revoked = connection_disconnect(app, tester(&tenant(), &by), &provider(name)).await.unwrap();
    watched.tell(&revoked);
    revoked
}
