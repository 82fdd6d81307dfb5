//! The deep health check: it asks everything at once, tells what is wrong and what to do, changes nothing and leaks nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::app::App;
use bokbro_app::connections::connection_refresh;
use bokbro_app::error::Error;
use bokbro_app::health::{Check, CheckState, health_deep};
use bokbro_app::message::Envelope;
use bokbro_app::ports::{Clock as _, Identity, QueueName, Queues, SignIn, Visit};
use bokbro_app::records::ConnectionState;
use bokbro_app::secret::SecretText;
use bokbro_domain::said::Said;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::browser::{correlation, provider};
use bokbro_tests::world::{World, tenant};
use jiff::Timestamp;
use serde_json::json;

use crate::secrecy::taps::capture_logs;

/// A sign-in provider that is asked, and must not be used.
struct Asked(Option<&'static str>);

#[async_trait]
impl SignIn for Asked {
    async fn page(&self, _: &Visit) -> Result<String, Error> {
        unreachable!("nobody signs in")
    }

    async fn identity(&self, _: &Visit, _: &SecretText) -> Result<Identity, Error> {
        unreachable!("nobody signs in")
    }

    async fn check(&self, _: Timestamp) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(why) => Err(Error::Consent { provider: "sign-in".to_owned(), message: Said::quoted(why) }),
        }
    }

    async fn leave(&self, _: &str) -> Result<Option<String>, Error> {
        unreachable!("nobody signs out")
    }
}

/// A queue service of which one queue is gone.
struct Gone(QueueName);

#[async_trait]
impl Queues for Gone {
    async fn queue_send(&self, _: QueueName, _: &Envelope) -> Result<(), Error> {
        unreachable!("nothing is sent")
    }

    async fn queue_send_later(&self, _: QueueName, _: &Envelope, _: Duration) -> Result<(), Error> {
        unreachable!("nothing is sent")
    }

    async fn queue_send_all(&self, _: QueueName, _: &[Envelope]) -> Result<(), Error> {
        unreachable!("nothing is sent")
    }

    async fn queue_give_back(&self, _: QueueName, _: &str, _: Duration) -> Result<(), Error> {
        unreachable!("nothing is received")
    }

    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error> {
        let gone = std::io::Error::other("the secret of it: s3cr3t");
        if queue == self.0 { Err(Error::storage("asking how many messages wait", gone)) } else { Ok(0) }
    }
}

fn named<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}: {checks:?}"))
}

/// The names of those that do not work.
fn failed(checks: &[Check]) -> Vec<&str> {
    let failed = checks.iter().filter(|check| check.state == CheckState::Failed);
    failed.map(|check| check.name.as_str()).collect()
}

#[tokio::test]
async fn all_is_well_and_nothing_is_changed() {
    let world = World::start().await;
    let before = world.app.directory.connection_get(&tenant(), &provider("viva")).await.unwrap();
    let checks = health_deep(&world.app, Some(&Asked(None)), &tenant()).await;
    assert_eq!(failed(&checks), [""; 0], "{checks:?}");
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    for name in [
        "table",
        "idempotency",
        "secrets",
        "queue:payments",
        "queue:accounting",
        "queue:warehouse",
        "queue:pulls",
        "queue:replays",
        "sign_in",
        "connection:fortnox",
        "connection:viva",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(
        checks.iter().all(|check| check.state == CheckState::Ok && check.message.is_none()),
        "{checks:?}"
    );
    assert!(!names.contains(&"connection:visma"), "what nobody has connected is not asked");
    let after = world.app.directory.connection_get(&tenant(), &provider("viva")).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_does_not_work_is_told_beside_what_does() {
    let logs = capture_logs();
    let world = World::start().await;
    for status in [500, 403] {
        let down = Fault { status: Some(status), ..Fault::new(Kind::Status, "GET", "/3/companyinformation") };
        world.fortnox.faults.add(down.times(100));
        let began = world.clock.now();
        let checks = health_deep(&world.app, Some(&Asked(Some("store client_id there"))), &tenant()).await;
        let took = world.clock.now().duration_since(began);
        assert!(took.as_secs() <= 5, "{took} s at most are waited for answers");
        assert_eq!(failed(&checks), ["sign_in", "connection:fortnox"], "{status}: {checks:?}");
        assert_eq!(named(&checks, "sign_in").message.as_deref(), Some("store client_id there"));
        let message = named(&checks, "connection:fortnox").message.clone().unwrap_or_default();
        assert!(message.len() > 30, "{status}: {message}");
        world.fortnox.faults.clear();
    }
    let app = App { queues: Arc::new(Gone(QueueName::Accounting)), ..world.app.clone() };
    let checks = health_deep(&app, None, &tenant()).await;
    assert_eq!(failed(&checks), ["queue:accounting"], "{checks:?}");
    let message = named(&checks, "queue:accounting").message.clone().unwrap();
    assert!(message.contains("health_check_failed") && !message.contains("s3cr3t"), "{message}");
    assert!(logs.text().contains("health_check_failed"));
}

#[tokio::test]
async fn a_consent_that_has_ended_is_told_and_not_tried_again() {
    let world = World::start().await;
    let fortnox = provider("fortnox");
    world.fortnox.configure(&json!({ "consent_revoked": true })).unwrap();
    let by = correlation(&world);
    assert!(!connection_refresh(&world.app, &tenant(), &fortnox, &by).await.unwrap().refreshed);
    let ended = world.app.token_states.token_state(&tenant(), &fortnox).await.unwrap().ended.unwrap();
    let asked = world.fortnox.log.stats().calls_total;
    let checks = health_deep(&world.app, None, &tenant()).await;
    assert_eq!(named(&checks, "connection:fortnox").message, Some(ended.to_string()));
    assert_eq!(world.fortnox.log.stats().calls_total, asked);
    let mut connection = world.app.directory.connection_get(&tenant(), &fortnox).await.unwrap().unwrap();
    connection.state = ConnectionState::Disconnected;
    world.app.directory.connection_put(&connection).await.unwrap();
    let checks = health_deep(&world.app, None, &tenant()).await;
    assert!(checks.iter().all(|check| check.name != "connection:fortnox"), "{checks:?}");
}
