//! A way in that is only looked at: nothing is written, and trouble is told as what it is.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::error::Disposition;
use bokbro_app::ports::{Limit, Providers as _};
use bokbro_tests::compliance::{Calls, Moment, Tap, Trouble};

use super::{every_candidate, registry};

/// How long trouble closes a limit for everybody.
const PASSING: Duration = Duration::from_secs(60);

/// What must follow from a check that met trouble at every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// It is tried again.
    Retry,
    /// A human lets us in again, or it is tried again.
    NoWayIn,
}

fn troubles() -> Vec<(Trouble, Follows)> {
    let answer = |status, body: &str| Trouble::Answer(Moment::Before, status, None, body.to_owned());
    vec![
        (Trouble::NoConnection, Follows::Retry),
        (Trouble::Silence(Moment::After), Follows::Retry),
        (answer(500, ""), Follows::Retry),
        (answer(503, "<html>"), Follows::Retry),
        (answer(200, "<html>"), Follows::Retry),
        (answer(200, ""), Follows::Retry),
        (answer(429, ""), Follows::Retry),
        (answer(401, ""), Follows::NoWayIn),
    ]
}

#[tokio::test]
async fn a_check_reads_and_tells_trouble_as_what_it_is() {
    let registry = registry();
    for (name, candidate) in every_candidate() {
        let tap = Arc::new(Tap::default());
        let scene = (candidate.start)(tap.clone()).await;
        let checkup = scene.app().providers.checkup(&name).unwrap();
        let access = scene.access().await;
        tap.heard();
        checkup.check(&access).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let heard = tap.heard();
        let known = registry.operations(&name);
        let unlisted = heard.iter().find(|call| !call.is_of_tokens() && !known.contains(&call.operation));
        assert_eq!(unlisted, None, "{name}: not in OPERATIONS");
        assert!(heard.iter().any(|call| !call.is_of_tokens()), "{name}: nothing was asked");
        assert!(heard.len() <= 4, "{name}: a check is one or two cheap reads: {heard:?}");
        assert!(heard.iter().all(|call| !call.writes()), "{name}: a check wrote: {heard:?}");
        for (trouble, follows) in troubles() {
            let about = format!("{name} with {trouble:?}");
            // Limits that trouble closed are open again.
            scene.app().clock.wait(PASSING).await;
            let access = scene.access().await;
            tap.script(Calls::All, trouble, 1_000);
            let checked = checkup.check(&access).await;
            assert!(tap.heal() > 0, "{about}: nothing was asked");
            let disposition = checked.err().unwrap_or_else(|| panic!("{about}: all is well")).disposition();
            let fits = match disposition {
                Disposition::Retry { .. } | Disposition::Later { .. } => true,
                Disposition::NeedsConsent => follows == Follows::NoWayIn,
                Disposition::Done | Disposition::Park => false,
            };
            assert!(fits, "{about}: {disposition:?}");
        }
        scene.app().clock.wait(PASSING).await;
        let access = scene.access().await;
        checkup.check(&access).await.unwrap_or_else(|error| panic!("{name} afterward: {error:?}"));
    }
}

#[tokio::test]
async fn a_limit_lets_calls_through_and_is_the_connection_s() {
    let registry = registry();
    for (name, candidate) in every_candidate() {
        let Some(limited) = registry.limited(&name) else { continue };
        let scene = (candidate.start)(Arc::new(Tap::default())).await;
        let access = scene.access().await;
        let secret = registry.tokens(&name).and_then(|tokens| tokens.app_secret().map(str::to_owned));
        let secret = scene.app().vault.secret_get(&secret.unwrap_or_default()).await.unwrap();
        let app = secret.map(|secret| secret.credentials).unwrap_or_default();
        let limit = |operation: &&str| limited.limit(&access.connection, &app, operation);
        let limits: Vec<Limit> = registry.operations(&name).iter().filter_map(limit).collect();
        assert!(!limits.is_empty(), "{name}: a limit that is none of any operation");
        for Limit { key, allowance } in &limits {
            assert!(
                allowance.calls > 0 && allowance.window.is_positive(),
                "{name}: {key} lets nothing through"
            );
            // Half of the key says whose it is: another's calls must not use it up.
            assert!(key.len() > 1 && !key.starts_with(':'), "{name}: {key} is everybody's");
            for secret in scene.secrets() {
                assert!(!key.contains(&secret), "{name}: a key tells a secret");
            }
        }
    }
}
