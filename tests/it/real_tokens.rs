//! The token protocol with nothing made up: the connectors over HTTP, the state in DynamoDB, the secret in Secrets
//! Manager and the real clock. 64 workers that share no memory need a token at the same moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::app::NoCrash;
use bokbro_app::error::Error;
use bokbro_app::ports::{
    Access, Clock as _, ConsentRequest, Guard, Providers as _, TokenStates as _, Tokens, Vault as _,
    unlimited,
};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::tokens::{LeasedTokens, TokenMemory, with_token};
use bokbro_aws::Clients;
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::token::{TokenState, good_until};
use bokbro_runtime::SystemClock;
use bokbro_simulators::aws::{AwsProxy, Fault, Kind, Service};
use bokbro_simulators::fortnox::{Fortnox, FortnoxConfig};
use bokbro_simulators::kit::http_client;
use bokbro_simulators::visma::{Visma, VismaConfig};
use bokbro_tests::local_aws::{Account, create_tables, fresh_account};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const WORKERS: usize = 64;
const REDIRECT: &str = "http://hub.example/oauth/callback";

/// A connection whose token has run out, in stores of its own.
struct Expired {
    account: Account,
    tables: bokbro_aws::Tables,
    registry: Registry,
    app: Credentials,
    connection: Connection,
    secret: String,
    /// The token that has run out.
    old: SecretText,
}

impl Expired {
    /// Gives consent and lets the token be an old one. `None` without an emulator.
    async fn new(name: &str, url: &str, service_account: bool) -> Option<Self> {
        let account = fresh_account().await?;
        let tables = create_tables(&account).await;
        let lookup = |host: &str| host.contains(&name.to_uppercase()).then(|| url.to_owned());
        let registry = Registry::new(Urls::overridden(&lookup), Arc::new(SystemClock)).unwrap();
        let provider = Provider::parse(name).unwrap();
        let fields = [("client_id", "sim-client"), ("client_secret", "sim-secret")];
        let fields = fields.map(|(name, value)| (name.to_owned(), SecretText::new(value.to_owned())));
        let app = Credentials::new(fields);

        let oauth = registry.oauth(&provider).unwrap();
        let request =
            ConsentRequest { redirect_uri: REDIRECT.to_owned(), state: "state".to_owned(), service_account };
        let page = http_client().get(oauth.consent_url(&app, &request).unwrap()).send().await.unwrap();
        let back = reqwest::Url::parse(page.headers()["location"].to_str().unwrap()).unwrap();
        let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
        let code = SecretText::new(code.into_owned());
        let consented = oauth.exchange(&app, &code, &request).await.unwrap();

        let connection = Connection {
            tenant: TenantId::parse("demo").unwrap(),
            provider,
            state: ConnectionState::Healthy,
            settings: consented.settings,
            chart: None,
        };
        let old = consented.grant.access_token.clone();
        let secret = format!("connections/demo/{name}");
        let expired = Self { account, tables, registry, app, connection, secret, old };
        let then = SystemClock.now() - SignedDuration::from_hours(2);
        let vault = expired.account.clients.vault("bokbro/test/");
        let secrets = with_token(Credentials::default(), 1, &consented.grant, then);
        vault.secret_put(&expired.secret, &secrets).await.unwrap();
        expired.remember(then, consented.grant.expires_in).await;
        Some(expired)
    }

    /// Puts down that version 1 was stored then.
    async fn remember(&self, then: Timestamp, life: Duration) {
        let hub = self.account.clients.hub(self.tables.clone());
        let Connection { tenant, provider, .. } = &self.connection;
        let owner = "consent".to_owned();
        let taken = TokenState::default().take(&owner, then, then).unwrap();
        hub.token_state_put(tenant, provider, &Guard::Fence(0), &taken).await.unwrap();
        let good_until = good_until(then, SignedDuration::try_from(life).unwrap());
        let stored = taken.stored(1, good_until, then);
        let guard = Guard::Owner { owner, fence: taken.fence };
        hub.token_state_put(tenant, provider, &guard, &stored).await.unwrap();
    }

    /// A worker as another process would start it: adapters and memory of its own.
    fn worker(&self) -> LeasedTokens {
        self.worker_through(&self.account.clients)
    }

    /// The same, with AWS as these clients reach it.
    fn worker_through(&self, clients: &Clients) -> LeasedTokens {
        LeasedTokens {
            connection: Arc::new(self.connection.clone()),
            app: self.app.clone(),
            endpoint: self.registry.tokens(&self.connection.provider).unwrap(),
            vault: Arc::new(clients.vault("bokbro/test/")),
            secret: self.secret.clone(),
            states: Arc::new(clients.hub(self.tables.clone())),
            clock: Arc::new(SystemClock),
            crash: Arc::new(NoCrash),
            memory: tokio::sync::Mutex::new(TokenMemory::default()),
        }
    }

    /// Lets all workers need a token now. All get the same new one, and it opens the provider's API.
    async fn rush(&self) {
        let workers: Vec<LeasedTokens> = (0..WORKERS).map(|_| self.worker()).collect();
        let got = join_all(workers.iter().map(LeasedTokens::token)).await;
        let got: Vec<SecretText> = got.into_iter().map(Result::unwrap).collect();
        let token = &got[0];
        assert!(got.iter().all(|other| other.expose() == token.expose()), "they got different tokens");
        assert!(token.expose() != self.old.expose(), "they got the old token");
        let access = Access {
            connection: Arc::new(self.connection.clone()),
            credentials: Arc::default(),
            tokens: Arc::new(Always(token.clone())),
            pace: unlimited(),
            deadline: None,
        };
        let checkup = self.registry.checkup(&self.connection.provider).unwrap();
        assert_eq!(checkup.check(&access).await.unwrap().name.as_deref(), Some("Demobolaget AB"));
    }

    /// The refresh token that the vault holds now.
    async fn refresh_token(&self) -> Option<String> {
        let vault = self.account.clients.vault("bokbro/test/");
        let secret = vault.secret_get(&self.secret).await.unwrap().unwrap();
        secret.credentials.get("refresh_token").map(|token| token.expose().to_owned())
    }
}

/// Hands out one token for ever.
struct Always(SecretText);

#[async_trait]
impl Tokens for Always {
    async fn token(&self) -> Result<SecretText, Error> {
        Ok(self.0.clone())
    }

    async fn refused(&self, _: &SecretText) {}
}

/// Token calls as the simulator has counted them, the consent's own one included.
fn calls(state: &Value) -> BTreeMap<String, u64> {
    serde_json::from_value(state["oauth"]["token_calls"].clone()).unwrap()
}

fn one_more(grant: &str) -> BTreeMap<String, u64> {
    [("authorization_code", 1), (grant, 1)].map(|(grant, count)| (grant.to_owned(), count)).into()
}

#[tokio::test]
async fn sixty_four_workers_make_one_call_by_client_credentials() {
    let sim = Fortnox::start(FortnoxConfig::default()).await.unwrap();
    let Some(expired) = Expired::new("fortnox", &sim.url, true).await else { return };
    expired.rush().await;
    assert_eq!(calls(&sim.state()), one_more("client_credentials"));
    assert_eq!(expired.refresh_token().await, None);
}

#[tokio::test]
async fn sixty_four_workers_make_one_call_with_a_token_that_rotates() {
    let sim = Fortnox::start(FortnoxConfig::default()).await.unwrap();
    // The worst habit: a second use of the old token would kill the new pair.
    sim.configure(&json!({ "refresh_reuse": "kills_family" })).unwrap();
    let Some(expired) = Expired::new("fortnox", &sim.url, false).await else { return };
    let before = expired.refresh_token().await.unwrap();
    expired.rush().await;
    assert_eq!(calls(&sim.state()), one_more("refresh_token"));
    let after = expired.refresh_token().await.unwrap();
    assert!(after != before && sim.is_live(&after), "the new refresh token is not the one that is kept");
}

#[tokio::test]
async fn sixty_four_workers_make_one_call_with_a_token_that_stays() {
    let sim = Visma::start(VismaConfig::default()).await.unwrap();
    sim.configure(&json!({ "rotation": "reusable" })).unwrap();
    let Some(expired) = Expired::new("visma", &sim.url, true).await else { return };
    let before = expired.refresh_token().await.unwrap();
    expired.rush().await;
    assert_eq!(calls(&sim.state()), one_more("refresh_token"));
    assert!(expired.refresh_token().await.unwrap() == before && sim.is_live(&before));
}

/// A token that rotates, while the vault and the table throttle and lose answers: nobody refreshes twice, and the pair
/// that the provider gave is the one that is kept.
#[tokio::test]
async fn a_token_that_rotates_survives_the_bad_days_of_aws() {
    let sim = Fortnox::start(FortnoxConfig::default()).await.unwrap();
    sim.configure(&json!({ "refresh_reuse": "kills_family" })).unwrap();
    let Some(expired) = Expired::new("fortnox", &sim.url, false).await else { return };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = AwsProxy::serve(listener, expired.account.config.endpoint_url().unwrap()).unwrap();
    for service in [Service::Secretsmanager, Service::Dynamodb] {
        proxy.faults.add(Fault::new(Kind::DropAfterCommit, service).every(3).times(30));
        proxy.faults.add(Fault::new(Kind::Throttle, service).every(7).times(15));
    }
    let clients = expired.account.through(&proxy.url);
    let before = expired.refresh_token().await.unwrap();
    let workers: Vec<LeasedTokens> = (0..8).map(|_| expired.worker_through(&clients)).collect();
    let got = join_all(workers.iter().map(|worker| async {
        // As the queue brings a message back whose handling failed.
        for _ in 0..5 {
            match worker.token().await {
                Ok(token) => return token,
                Err(Error::Storage { .. } | Error::Raced { .. }) => {}
                // Somebody took the lease and fell over a bad day: until it ends, all wait.
                Err(Error::Unavailable { after: Some(after), .. } | Error::LeaseHeld { after }) => {
                    SystemClock.wait(after).await;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        panic!("a worker got no token in five receives")
    }))
    .await;
    assert!(got.iter().all(|token| token.expose() == got[0].expose()), "they got different tokens");
    assert!(proxy.faults.hits() > 10, "the days were bad");
    assert_eq!(calls(&sim.state()), one_more("refresh_token"));
    let after = expired.refresh_token().await.unwrap();
    assert!(after != before && sim.is_live(&after), "the new refresh token is not the one that is kept");
}
