//! The ways in at the providers: connectors over real HTTP against the simulators, from consent to the check-up.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::{Error, chain};
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::{
    Access, Checkup, ConsentRefusal, ConsentRequest, Consented, Findings, OAuth, Providers, TokenEndpoint,
    Tokens, unlimited,
};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_simulators::fortnox::{self, Fortnox, FortnoxConfig, TenantConfig};
use bokbro_simulators::kit::{Fault, Kind, http_client};
use bokbro_simulators::visma::{self, Company, Visma, VismaConfig};
use bokbro_simulators::viva::{Viva, VivaConfig};
use jiff::Timestamp;
use serde_json::json;

const STATE: &str = "pay+load.sig=/&";
const REDIRECT: &str = "http://hub.example/oauth/callback?x=1";

/// One provider as the use cases see it.
struct Way {
    provider: Provider,
    registry: Registry,
    app: Credentials,
}

fn secrets(fields: &[(&str, &str)]) -> Credentials {
    Credentials::new(fields.iter().map(|(n, v)| ((*n).to_owned(), SecretText::new((*v).to_owned()))))
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

impl Way {
    fn to(provider: &str, host: (&str, &str)) -> Self {
        let lookup = |name: &str| name.contains(host.0).then(|| host.1.to_owned());
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH, 1));
        Self {
            provider: Provider::parse(provider).unwrap(),
            registry: Registry::new(Urls::overridden(&lookup), clock).unwrap(),
            app: secrets(&[("client_id", "sim-client"), ("client_secret", "sim-secret")]),
        }
    }

    fn oauth(&self) -> Arc<dyn OAuth> {
        self.registry.oauth(&self.provider).unwrap()
    }

    fn endpoint(&self) -> Arc<dyn TokenEndpoint> {
        self.registry.tokens(&self.provider).unwrap()
    }

    fn checkup(&self) -> Arc<dyn Checkup> {
        self.registry.checkup(&self.provider).unwrap()
    }

    fn connection(&self, settings: BTreeMap<String, String>) -> Connection {
        let (tenant, provider) = (TenantId::parse("demo").unwrap(), self.provider.clone());
        Connection { tenant, provider, state: ConnectionState::Unchecked, settings, chart: None }
    }

    fn request(service_account: bool) -> ConsentRequest {
        ConsentRequest { redirect_uri: REDIRECT.to_owned(), state: STATE.to_owned(), service_account }
    }

    /// What the browser brings back from the consent page, by name.
    async fn visit(&self, service_account: bool) -> BTreeMap<String, String> {
        let url = self.oauth().consent_url(&self.app, &Self::request(service_account)).unwrap();
        let answer = http_client().get(url).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let query = location.strip_prefix(REDIRECT).unwrap();
        let back = reqwest::Url::parse(&format!("http://hub.example/?{query}")).unwrap();
        back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    async fn exchange(&self, code: &str, service_account: bool) -> Result<Consented, Error> {
        let code = SecretText::new(code.to_owned());
        self.oauth().exchange(&self.app, &code, &Self::request(service_account)).await
    }

    /// A whole consent.
    async fn consent(&self, service_account: bool) -> Consented {
        let back = self.visit(service_account).await;
        assert_eq!(back["state"], STATE);
        self.exchange(&back["code"], service_account).await.ok().unwrap()
    }

    async fn check(
        &self,
        settings: &BTreeMap<String, String>,
        token: &SecretText,
    ) -> Result<Findings, Error> {
        let access = Access {
            connection: Arc::new(self.connection(settings.clone())),
            credentials: Arc::default(),
            tokens: Arc::new(Always(token.clone())),
            pace: unlimited(),
            deadline: None,
        };
        self.checkup().check(&access).await
    }

    async fn refresh(&self, token: &SecretText) -> Result<Option<SecretText>, Error> {
        let connection = self.connection(BTreeMap::new());
        Ok(self.endpoint().refresh(&connection, &self.app, token).await?.refresh_token)
    }
}

async fn fortnox_and_way() -> (fortnox::Handle, Way) {
    let mut config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
    config.tenants[0].service_consent = false;
    config.tenants.push(TenantConfig::new("1000002", "Tvåan AB"));
    let sim = Fortnox::start(config).await.unwrap();
    let way = Way::to("fortnox", ("_FORTNOX_", &sim.url));
    (sim, way)
}

async fn visma_and_way() -> (visma::Handle, Way) {
    let mut config = VismaConfig::default();
    let second = Company { customer_id: "second".to_owned(), ..config.companies[0].clone() };
    config.companies.push(second);
    let sim = Visma::start(config).await.unwrap();
    let way = Way::to("visma", ("_VISMA_", &sim.url));
    (sim, way)
}

/// The error's whole text, which holds nothing that opens anything.
fn text(error: &Error, issued: &[String]) -> String {
    let text = format!("{} {error:?}", chain(error));
    assert!(!text.contains("sim-secret") && !issued.iter().any(|secret| text.contains(secret)), "{text}");
    text
}

#[tokio::test]
async fn a_service_account_s_consent_lasts_without_a_refresh_token() {
    let (sim, way) = fortnox_and_way().await;
    let connection = way.connection([("tenant_id".to_owned(), "1000001".to_owned())].into());
    let before = way.endpoint().client_credentials(&connection, &way.app, &Credentials::default()).await;
    assert_eq!(before.err().unwrap().code(), "needs_consent");

    let consented = way.consent(true).await;
    assert_eq!(consented.company, "1000001");
    assert!(consented.grant.refresh_token.is_none());
    let findings = way.check(&consented.settings, &consented.grant.access_token).await.unwrap();
    assert_eq!(findings.name.as_deref(), Some("Demobolaget AB"));
    assert_eq!(findings.details["organisation_number"], "556000-4754");
    assert_eq!(findings.details.get("missing_scopes"), None);

    let connection = way.connection(consented.settings);
    let later = way.endpoint().client_credentials(&connection, &way.app, &Credentials::default()).await;
    assert!(later.ok().unwrap().refresh_token.is_none());
    assert_eq!(
        sim.state()["oauth"]["token_calls"],
        json!({"authorization_code": 1, "client_credentials": 2})
    );
}

#[tokio::test]
async fn a_person_s_consent_rotates_and_can_be_taken_back() {
    let (sim, way) = fortnox_and_way().await;
    let consented = way.consent(false).await;
    assert_eq!(consented.settings["grant"], "refresh_token");
    let first = consented.grant.refresh_token.unwrap();
    let second = way.refresh(&first).await.ok().unwrap().unwrap();
    let error = way.refresh(&first).await.err().unwrap();
    assert_eq!(error.code(), "needs_consent", "{}", text(&error, &sim.secrets_issued()));
    assert!(sim.is_live(second.expose()));
    way.oauth().revoke(&way.app, &second).await.unwrap();
    assert!(!sim.is_live(second.expose()));
}

#[tokio::test]
async fn a_code_is_good_once() {
    let (fortnox, fortnox_way) = fortnox_and_way().await;
    let (visma, visma_way) = visma_and_way().await;
    for (way, issued) in [
        (&fortnox_way, &(|| fortnox.secrets_issued()) as &dyn Fn() -> _),
        (&visma_way, &|| visma.secrets_issued()),
    ] {
        let code = way.visit(false).await["code"].clone();
        way.exchange(&code, false).await.ok().unwrap();
        let error = way.exchange(&code, false).await.err().unwrap();
        assert_eq!(error.code(), "needs_consent");
        assert!(text(&error, &issued()).contains("too old"));
    }
}

#[tokio::test]
async fn every_refusal_of_a_consent_page_is_understood() {
    let (fortnox, way) = fortnox_and_way().await;
    for (answer, expected) in [
        ("access_denied", ConsentRefusal::Denied),
        ("invalid_scope", ConsentRefusal::InvalidScope),
        ("error_missing_license", ConsentRefusal::MissingLicense),
        ("error_missing_app_license", ConsentRefusal::MissingLicense),
        ("error_missing_system_admin_right", ConsentRefusal::MissingAdminRight),
    ] {
        fortnox.configure(&json!({"consent_answer": answer})).unwrap();
        let back = way.visit(true).await;
        assert_eq!((way.oauth().refusal(&back["error"]), back["state"].as_str()), (expected, STATE));
    }
    fortnox.configure(&json!({"consent_answer": "nothing"})).unwrap();
    assert!(way.visit(true).await.is_empty());
    let (visma, way) = visma_and_way().await;
    visma.configure(&json!({"consent_answer": "access_denied"})).unwrap();
    assert_eq!(way.oauth().refusal(&way.visit(true).await["error"]), ConsentRefusal::Denied);
}

#[tokio::test]
async fn fortnox_tells_what_is_wrong_with_a_connection() {
    let (sim, way) = fortnox_and_way().await;
    let consented = way.consent(false).await;
    let token = consented.grant.access_token;
    for (switch, says) in [
        (json!({"integration_license_lost": true}), "integration licence"),
        (json!({"licenses_lost": ["invoice"]}), "no licence"),
        (json!({"scopes_lost": ["companyinformation"]}), "scope"),
    ] {
        sim.configure(&switch).unwrap();
        let error = way.check(&consented.settings, &token).await.unwrap_err();
        assert_eq!(error.code(), "needs_consent", "{error}");
        assert!(text(&error, &sim.secrets_issued()).contains(says), "{switch}: {error}");
        sim.configure(&json!({"integration_license_lost": false, "licenses_lost": [], "scopes_lost": []}))
            .unwrap();
    }
    assert!(way.check(&consented.settings, &token).await.is_ok());
    let other = BTreeMap::from([("tenant_id".to_owned(), "1000002".to_owned())]);
    assert_eq!(way.check(&other, &token).await.unwrap_err().code(), "needs_consent");
}

#[tokio::test]
async fn an_outage_does_not_end_a_consent() {
    let (sim, way) = fortnox_and_way().await;
    let token = way.consent(false).await.grant.refresh_token.unwrap();
    for fault in [
        Fault::status(503, "POST", "/oauth-v1/token"),
        Fault::status(429, "POST", "/oauth-v1/token"),
        Fault::new(Kind::Reset, "POST", "/oauth-v1/token"),
        Fault { body: Some("<html>".to_owned()), ..Fault::new(Kind::Body, "POST", "/oauth-v1/token") },
    ] {
        sim.faults.add(fault);
        let error = way.refresh(&token).await.err().unwrap();
        assert_eq!(error.code(), "provider_unavailable", "{error}");
        assert!(sim.is_live(token.expose()));
    }
    assert!(way.refresh(&token).await.is_ok());
}

#[tokio::test]
async fn visma_connects_the_company_that_was_picked() {
    let (sim, way) = visma_and_way().await;
    sim.configure(&json!({"consenting_company": "second"})).unwrap();
    let consented = way.consent(true).await;
    assert_eq!(
        (consented.company.as_str(), &consented.settings["company_id"]),
        ("second", &consented.company)
    );
    let token = consented.grant.access_token;
    let findings = way.check(&consented.settings, &token).await.unwrap();
    assert_eq!(
        (findings.name.as_deref(), findings.details["organisation_number"].as_str()),
        (Some("Demobolaget AB"), "5560004754")
    );
    let other = BTreeMap::from([("company_id".to_owned(), "third".to_owned())]);
    assert_eq!(way.check(&other, &token).await.unwrap_err().code(), "needs_consent");
    sim.configure(&json!({"module_missing": true})).unwrap();
    let error = way.check(&consented.settings, &token).await.unwrap_err();
    assert!(text(&error, &sim.secrets_issued()).contains("apps and add-ons"), "{error}");
}

#[tokio::test]
async fn visma_without_the_claim_is_asked_for_the_company() {
    let (sim, way) = visma_and_way().await;
    sim.configure(&json!({"customer_claim": false})).unwrap();
    let consented = way.consent(true).await;
    assert_eq!(consented.company, VismaConfig::default().companies[0].identifier);
    assert!(way.check(&consented.settings, &consented.grant.access_token).await.is_ok());
}

#[tokio::test]
async fn visma_s_refresh_tokens_count_as_they_come() {
    let (sim, way) = visma_and_way().await;
    let first = way.consent(true).await.grant.refresh_token.unwrap();
    let second = way.refresh(&first).await.ok().unwrap().unwrap();
    assert_eq!(way.refresh(&first).await.err().unwrap().code(), "needs_consent");
    sim.configure(&json!({"rotation": "reusable"})).unwrap();
    assert_eq!(way.refresh(&second).await.ok().unwrap().unwrap().expose(), second.expose());
    sim.configure(&json!({"rotation": "silent"})).unwrap();
    assert!(way.refresh(&second).await.ok().unwrap().is_none());
    way.oauth().revoke(&way.app, &second).await.unwrap();
    assert!(!sim.is_live(second.expose()));
    assert_eq!(way.refresh(&second).await.err().unwrap().code(), "needs_consent");
}

#[tokio::test]
async fn viva_s_two_pairs_are_told_apart() {
    let account = VivaConfig::default();
    let sim = Viva::start(account.clone()).await.unwrap();
    let way = Way::to("viva", ("_VIVA_", &sim.url));
    let check = async |api_key: &str, client_secret: &str| {
        let own = [("api_key", api_key), ("client_id", &account.client_id), ("client_secret", client_secret)];
        let access = Access {
            connection: Arc::new(
                way.connection([("merchant_id".to_owned(), account.merchant_id.clone())].into()),
            ),
            credentials: Arc::new(secrets(&own)),
            tokens: Arc::new(Always(SecretText::new("never asked for".to_owned()))),
            pace: unlimited(),
            deadline: None,
        };
        way.checkup().check(&access).await
    };
    let findings = check(&account.api_key, &account.client_secret).await.unwrap();
    assert_eq!(findings.settings["webhook_key"], account.webhook_key);
    let wrong_key = check("guess", &account.client_secret).await.unwrap_err();
    assert!(text(&wrong_key, &sim.secrets_issued()).contains("merchant id and API key"));
    let wrong_secret = check(&account.api_key, "guess").await.unwrap_err();
    assert!(text(&wrong_secret, &sim.secrets_issued()).contains("Smart Checkout"));
}
