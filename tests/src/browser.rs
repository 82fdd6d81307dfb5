//! A person's browser on the way to a provider's consent page and back.

use bokbro_app::oauth::{Callback, Outcome, Started, oauth_callback, oauth_start};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::ids::{CorrelationId, Provider, TenantId};
use bokbro_simulators::kit::http_client;

use crate::world::World;

/// Where the browser finds us.
pub const ORIGIN: &str = "https://bokbro.example";

/// A provider by name.
pub fn provider(name: &str) -> Provider {
    Provider::parse(name).unwrap()
}

/// The key that signs states: long enough, and like nothing else.
pub fn signing_key() -> SecretText {
    SecretText::new("k".repeat(64))
}

/// Puts a signing key into the vault, as a deployment does.
pub async fn deploy_key(world: &World) {
    let key = Credentials::default().with("key", signing_key());
    world.app.vault.secret_put("app/signing", &key).await.unwrap();
}

/// Begins a consent at the ledger program and lets the person decide there as the simulator is told. Gives what the
/// browser comes back with.
pub async fn consent(world: &World, tenant: &TenantId, service_account: bool) -> Callback {
    deploy_key(world).await;
    let started = oauth_start(&world.app, tenant, &provider("fortnox"), service_account, ORIGIN).await;
    decide("fortnox", started.ok().unwrap()).await
}

/// Opens a provider's consent page, where the person decides as the simulator is told. Gives what the browser comes back
/// with.
pub async fn decide(name: &str, started: Started) -> Callback {
    let answer = http_client().get(&started.location).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap();
    let back = reqwest::Url::parse(back).unwrap();
    assert_eq!(back.path(), format!("/oauth/{name}/callback"));
    assert_eq!(back.origin().ascii_serialization(), ORIGIN);
    let query = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
    Callback {
        state: query("state"),
        code: query("code").map(SecretText::new),
        error: query("error"),
        nonce: Some(started.nonce),
    }
}

/// Comes back to us.
pub async fn come_back(world: &World, callback: &Callback) -> Outcome {
    come_back_to(world, "fortnox", callback).await
}

/// Comes back to the address of a provider.
pub async fn come_back_to(world: &World, name: &str, callback: &Callback) -> Outcome {
    oauth_callback(&world.app, &provider(name), callback, ORIGIN, &correlation(world)).await
}

/// A new correlation id.
pub fn correlation(world: &World) -> CorrelationId {
    CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock))
}
