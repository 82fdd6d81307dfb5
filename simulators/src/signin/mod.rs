//! A sign-in provider that speaks OpenID Connect: a page with a button per person, codes bound to PKCE, signed ID tokens.
//!
//! Written from the standards alone (OpenID Connect Core 1.0, Discovery 1.0, RFC 7636), so that a misreading of ours shows.

mod api;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::kit::oauth::Mint;
use crate::kit::{Clock, Kit, Provider, Running, Server};

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// E-mail address; also what the page is told to choose somebody (`login_hint`).
    pub email: String,
    /// Groups.
    pub groups: Vec<String>,
}

/// The app that is registered, and who can sign in. All values are made up.
#[derive(Clone)]
pub struct SignInConfig {
    /// Where to listen; a free port when `None`.
    pub port: Option<u16>,
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
    /// The claim that lists groups.
    pub groups_claim: String,
    /// Who can sign in.
    pub people: Vec<Person>,
}

impl Default for SignInConfig {
    /// One person per role of tenant `demo`, one with two tenants, and one who is let in nowhere.
    fn default() -> Self {
        let person = |name: &str, groups: &[&str]| Person {
            email: format!("{name}@demobolaget.example"),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        Self {
            port: None,
            client_id: "bokbro-local".to_owned(),
            client_secret: "simulated-sign-in-secret".to_owned(),
            groups_claim: "cognito:groups".to_owned(),
            people: vec![
                person("owner", &["demo:owner"]),
                person("bookkeeper", &["demo:bookkeeper"]),
                person("operator", &["demo:operator"]),
                person("viewer", &["demo:viewer"]),
                person("agency", &["demo:bookkeeper", "second:owner"]),
                person("stranger", &["staff"]),
            ],
        }
    }
}

/// What a test may change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The page sends everybody back with this error.
    pub refuse: Option<String>,
    /// Claims that stand in the next token instead of the right ones; null leaves one out.
    pub wrong_claims: BTreeMap<String, serde_json::Value>,
    /// How the next token says that it is signed: `none` and `HS256` are signed so.
    pub wrong_algorithm: Option<String>,
    /// What the provider says that it is called; its own address when absent.
    pub wrong_issuer: Option<String>,
}

/// Starts the simulator.
pub struct SignIn;

impl SignIn {
    /// Serves it on 127.0.0.1.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(config: SignInConfig) -> io::Result<Handle> {
        let kit = Kit::default();
        let random = SystemRandom::new();
        let state = State {
            key: Key::make(1, &random)?,
            mint: Mint::new(format!("sign-in:{}:{}", config.client_id, config.client_secret)),
            codes: BTreeMap::new(),
            switches: Switches::default(),
        };
        let shared = Arc::new(Shared { config, clock: kit.clock.clone(), random, state: Mutex::new(state) });
        let routes = api::routes(shared.clone());
        let running = Server::start(shared.config.port, kit.clone(), shared.clone(), routes).await?;
        Ok(Handle { running, kit, shared })
    }
}

/// A running simulator.
pub struct Handle {
    running: Running,
    /// Its clock, faults and log.
    pub kit: Kit,
    shared: Arc<Shared>,
}

impl Deref for Handle {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Handle {
    /// Stops and waits until the port is free again.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Turns switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.state().switches);
    }

    /// Signs with another key from now on, and publishes that one alone.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn rotate(&self) -> io::Result<()> {
        let number = self.shared.state().key.number + 1;
        let key = Key::make(number, &self.shared.random)?;
        self.shared.state().key = key;
        Ok(())
    }

    /// Every code and token given out so far.
    #[must_use]
    pub fn made(&self) -> Vec<String> {
        self.shared.state().mint.made().to_vec()
    }
}

/// What a code stands for.
struct Code {
    person: Person,
    redirect_uri: String,
    challenge: String,
    nonce: String,
    expires: Timestamp,
}

/// What tokens are signed with.
struct Key {
    number: u32,
    pair: EcdsaKeyPair,
}

impl Key {
    fn make(number: u32, random: &SystemRandom) -> io::Result<Self> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, random)
            .map_err(|_| io::Error::other("no key could be made"))?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), random)
            .map_err(|_| io::Error::other("the key that was made cannot be read"))?;
        Ok(Self { number, pair })
    }

    fn id(&self) -> String {
        format!("simulated-{}", self.number)
    }
}

struct State {
    key: Key,
    mint: Mint,
    codes: BTreeMap<String, Code>,
    switches: Switches,
}

/// What routes share. It has no `Debug`: the client's secret is in it.
struct Shared {
    config: SignInConfig,
    clock: Clock,
    random: SystemRandom,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Shared {
    fn state(&self) -> Box<RawValue> {
        let state = Shared::state(self);
        let holdings = json!({
            "people": self.config.people, "open_codes": state.codes.len(), "switches": state.switches,
        });
        to_raw_value(&holdings).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    fn reset(&self) {
        let mut state = Shared::state(self);
        state.codes.clear();
        state.switches = Switches::default();
    }

    fn configure(&self, switches: &RawValue) -> Result<(), String> {
        Shared::state(self).switches =
            serde_json::from_str(switches.get()).map_err(|error| error.to_string())?;
        Ok(())
    }
}
