//! Signing in when the provider fails or lies, or the browser is another: nobody is signed in, the page says what to do,
//! and no code, token or secret is told to the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bokbro_app::error::{Error, chain};
use bokbro_app::ports::Clock as _;
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::signin::{Refused, Return, SignedIn, session_find, signin_begin, signin_finish};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::signin::{Oidc, SignInConfig};
use bokbro_pages::sign_in::Message;
use bokbro_pages::{Language, Texts};
use bokbro_simulators::kit::{Fault, Kind, http_client};
use bokbro_simulators::signin::{self, SignIn, SignInConfig as Registered};
use bokbro_tests::world::{World, tenant};
use reqwest::Url;
use serde_json::{Value, json};

use crate::secrecy::taps::{Shared, capture_logs};

const ORIGIN: &str = "https://hub.example";
const OWNER: &str = "owner@demobolaget.example";

/// A world, and a provider at which people sign in.
struct SigningIn {
    world: World,
    at: signin::Handle,
    oidc: Oidc,
    logs: Shared,
    /// What the browser kept, which is nobody else's either.
    kept: Vec<String>,
}

/// What a page tells.
const NOT_SIGNED_IN: &str = "Nobody was signed in";
const AWAY: &str = "The sign-in service does not answer";
const OTHER_BROWSER: &str = "This sign-in does not count";
const NO_ACCESS: &str = "Ask the owner to add you to a group";

impl SigningIn {
    async fn start() -> Self {
        let logs = capture_logs();
        let world = World::start().await;
        let at = SignIn::start(Registered::default()).await.unwrap();
        at.kit.clock.freeze();
        at.kit.clock.set(world.clock.now());
        let own = Registered::default();
        let secret = [("client_id", own.client_id), ("client_secret", own.client_secret)];
        let secret = secret.map(|(name, value)| (name.to_owned(), SecretText::new(value)));
        world.app.vault.secret_put("app/sign-in", &Credentials::new(secret)).await.unwrap();
        let oidc = Self::newly_started(&world, &at);
        Self { world, at, oidc, logs, kept: Vec::new() }
    }

    /// A process that has asked the provider nothing yet.
    fn newly_started(world: &World, at: &signin::Handle) -> Oidc {
        let config = SignInConfig { issuer: at.url.clone(), groups_claim: "cognito:groups".to_owned() };
        let wire = Arc::new(Transport::new().unwrap());
        Oidc::new(config, wire, world.clock.clone(), world.app.vault.clone())
    }

    /// Goes to the provider's page as somebody, and is sent back.
    async fn go(&mut self, email: &str) -> Return {
        let begun = signin_begin(&self.oidc, ORIGIN, Some("/app/jobs")).await.unwrap();
        self.kept.extend(begun.kept.expose().split('.').skip(1).take(2).map(str::to_owned));
        let mut page = Url::parse(&begun.location).unwrap();
        page.query_pairs_mut().append_pair("login_hint", email);
        let sent = http_client().get(page).send().await.unwrap();
        let to = Url::parse(sent.headers()["location"].to_str().unwrap()).unwrap();
        let mut query: BTreeMap<String, String> = to.query_pairs().into_owned().collect();
        Return {
            state: query.remove("state"),
            code: query.remove("code").map(SecretText::new),
            error: query.remove("error"),
            kept: Some(begun.kept),
        }
    }

    async fn come_back(&self, back: &Return) -> Result<SignedIn, Refused> {
        signin_finish(&self.world.app, &self.oidc, ORIGIN, back).await
    }

    /// Comes back and is signed in.
    async fn welcome(&self, back: &Return) {
        let signed_in = self.come_back(back).await.unwrap_or_else(|refused| panic!("{refused:?}"));
        assert_eq!(signed_in.wanted, "/app/jobs");
        let session = session_find(&self.world.app, &signed_in.cookie).await.unwrap().unwrap();
        assert_eq!((session.name.as_str(), &session.tenant), (OWNER, &tenant()));
    }

    /// Comes back and is not signed in; the page says so.
    async fn sent_off(&self, back: &Return, told: &str, case: &str) {
        let signed_in = self.come_back(back).await;
        let Err(refused) = signed_in else { panic!("{case}: somebody is signed in") };
        say(&refused, told, case);
    }

    /// Begins, and gets no further.
    async fn stuck(&self, case: &str) -> Error {
        match signin_begin(&self.oidc, ORIGIN, None).await {
            Err(error) => error,
            Ok(_) => panic!("{case}: the browser is sent on"),
        }
    }

    /// Somebody signs in as the owner while one thing is wrong.
    async fn wrongly(&mut self, told: &str, case: &str, wrong: impl FnOnce(&mut signin::Switches)) {
        let back = self.go(OWNER).await;
        self.at.switch(wrong);
        self.sent_off(&back, told, case).await;
        self.at.switch(|switches| *switches = signin::Switches::default());
    }

    fn asked(&self, what: &str) -> u64 {
        self.at.kit.log.calls(what)
    }

    /// So many were signed in, and the log holds no secret.
    fn assert_told(&self, signed_in: usize) {
        let logs = self.logs.text();
        assert_eq!(logs.matches("\"code\":\"signed_in\"").count(), signed_in);
        let own = Registered::default();
        let basic = STANDARD.encode(format!("{}:{}", own.client_id, own.client_secret));
        let made = self.at.made();
        assert!(made.len() > 1, "{} codes and tokens", made.len());
        let secrets = made.into_iter().chain(self.kept.clone()).chain([own.client_secret, basic]);
        for (number, secret) in secrets.enumerate() {
            assert!(!logs.contains(&secret), "secret {number} is in the log");
        }
    }
}

/// The page says what happened and where to go on, in both languages; the log says why, as the function has it.
#[track_caller]
fn say(refused: &Refused, told: &str, case: &str) {
    if let Refused::Failed(error) = refused {
        tracing::warn!(error = chain(error), "nobody was signed in");
    }
    let message = Message::refused(refused, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let page = message.page(Texts::of(Language::English));
    assert!(page.contains(told), "{case}: {refused:?}: {page}");
    let further = told == NO_ACCESS || page.contains("href=\"/app\"");
    assert!(further && message.status() >= 400, "{case}: {page}");
    assert!(message.page(Texts::of(Language::Swedish)).contains("lang=\"sv\""), "{case}");
}

#[tokio::test]
async fn a_proof_with_one_thing_wrong_signs_nobody_in() {
    let mut signing = SigningIn::start().await;
    let now = signing.world.clock.now().as_second();
    let wrong: [(&str, Value); 12] = [
        ("iss", json!("https://evil.example")),
        ("iss", Value::Null),
        ("aud", json!("another-app")),
        ("aud", json!(["another-app", "a-third"])),
        ("azp", json!("another-app")),
        ("nonce", json!("of-another-visit")),
        ("nonce", Value::Null),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("nbf", json!(now + 61)),
        ("sub", Value::Null),
    ];
    for (name, value) in wrong {
        let case = format!("{name} is {value}");
        let wrong = BTreeMap::from([(name.to_owned(), value)]);
        signing.wrongly(NOT_SIGNED_IN, &case, |switches| switches.wrong_claims = wrong).await;
    }
    for algorithm in ["none", "None", "HS256", "RS256", "ES384"] {
        let wrong = Some(algorithm.to_owned());
        signing.wrongly(NOT_SIGNED_IN, algorithm, |switches| switches.wrong_algorithm = wrong).await;
    }
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    signing.assert_told(1);
}

#[tokio::test]
async fn who_was_refused_there_or_is_in_no_group_is_told_what_to_do() {
    let mut signing = SigningIn::start().await;
    let refused = Return { code: None, error: Some("access_denied".into()), ..signing.go(OWNER).await };
    signing.sent_off(&refused, NOT_SIGNED_IN, "the person went back").await;
    let groups: [Value; 5] = [
        Value::Null,
        json!([]),
        json!(["staff", "demo", "demo:king", "De Mo:owner", ":owner"]),
        json!({"demo": "owner"}),
        json!(7),
    ];
    for value in groups {
        let case = format!("groups {value}");
        let wrong = BTreeMap::from([("cognito:groups".to_owned(), value)]);
        signing.wrongly(NO_ACCESS, &case, |switches| switches.wrong_claims = wrong).await;
    }
    signing.assert_told(0);
}

#[tokio::test]
async fn a_group_of_a_tenant_that_nobody_uses_opens_nobody_else_s() {
    let mut signing = SigningIn::start().await;
    let back = signing.go(OWNER).await;
    let wrong = BTreeMap::from([("cognito:groups".to_owned(), json!(["ghost:owner"]))]);
    signing.at.switch(|switches| switches.wrong_claims = wrong);
    let signed_in = signing.come_back(&back).await.unwrap_or_else(|refused| panic!("{refused:?}"));
    let session = session_find(&signing.world.app, &signed_in.cookie).await.unwrap().unwrap();
    assert_eq!(session.tenant.as_str(), "ghost");
    assert!(!session.grants.contains_key(&tenant()), "{:?}", session.grants);
    assert_eq!(signing.world.app.directory.settings_get(&session.tenant).await.unwrap(), None);
    signing.assert_told(1);
}

#[tokio::test]
async fn a_code_counts_once_in_its_own_browser() {
    let mut signing = SigningIn::start().await;
    let [one, other] = [signing.go(OWNER).await, signing.go(OWNER).await];
    let mixed: [(&str, Return); 5] = [
        ("nothing at all", Return::default()),
        ("no cookie", Return { kept: None, ..one.clone() }),
        ("the cookie of another browser", Return { kept: other.kept.clone(), ..one.clone() }),
        ("another state", Return { state: other.state.clone(), ..one.clone() }),
        ("no state", Return { state: None, ..one.clone() }),
    ];
    for (case, back) in mixed {
        signing.sent_off(&back, OTHER_BROWSER, case).await;
    }
    assert_eq!(signing.asked("POST /token"), 0, "no code of another browser is exchanged");
    // Somebody who slips their own code under another's visit: the verifier does not fit.
    let slipped = Return { code: other.code.clone(), ..one.clone() };
    signing.sent_off(&slipped, NOT_SIGNED_IN, "a code of another visit").await;
    signing.welcome(&one).await;
    signing.sent_off(&one, NOT_SIGNED_IN, "the same code again").await;
    signing.sent_off(&other, NOT_SIGNED_IN, "a code that was tried elsewhere").await;
    signing.assert_told(1);
}

#[tokio::test]
async fn an_answer_that_gets_lost_signs_nobody_in_and_the_code_is_not_sent_again() {
    let mut signing = SigningIn::start().await;
    let faults = [Kind::DropAfterCommit, Kind::Reset].map(|kind| Fault::new(kind, "POST", "/token"));
    let wrong = ["{}", "[]", "not json", "{\"id_token\": 7}", "{\"id_token\": \"a.b\"}"]
        .map(|body| Fault { body: Some(body.to_owned()), ..Fault::new(Kind::Body, "POST", "/token") });
    let failing = [500, 503, 429]
        .map(|status| Fault { status: Some(status), ..Fault::new(Kind::Status, "POST", "/token") });
    for (number, fault) in faults.into_iter().chain(wrong).chain(failing).enumerate() {
        let (case, asked) = (format!("{fault:?}"), signing.asked("POST /token"));
        let back = signing.go(OWNER).await;
        signing.at.kit.faults.add(fault);
        let told = if case.contains("a.b") { NOT_SIGNED_IN } else { AWAY };
        signing.sent_off(&back, told, &case).await;
        assert_eq!(signing.asked("POST /token"), asked + 1, "{case}");
        // The browser tries the same address again.
        if number == 0 {
            signing.sent_off(&back, NOT_SIGNED_IN, "the code was used").await;
        }
    }
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    signing.assert_told(1);
}

#[tokio::test]
async fn keys_that_were_changed_are_read_anew() {
    let mut signing = SigningIn::start().await;
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    let old = http_client().get(format!("{}/keys", signing.at.url)).send().await.unwrap();
    let old = old.text().await.unwrap();
    let asked = signing.asked("GET /keys");
    // Changed, and published late.
    signing.at.rotate().unwrap();
    let late = Fault { body: Some(old), ..Fault::new(Kind::Body, "GET", "/keys") };
    signing.at.kit.faults.add(late);
    let back = signing.go(OWNER).await;
    signing.sent_off(&back, NOT_SIGNED_IN, "the key is not published yet").await;
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    assert_eq!(signing.asked("GET /keys"), asked + 2, "once in vain, once with success");
    // Changed, and not to be had.
    signing.at.rotate().unwrap();
    let down = Fault { status: Some(503), ..Fault::new(Kind::Status, "GET", "/keys") };
    let back = signing.go(OWNER).await;
    signing.at.kit.faults.add(down.times(100));
    signing.sent_off(&back, AWAY, "the keys are not to be had").await;
    signing.at.kit.faults.clear();
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    signing.assert_told(3);
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_does_not_say_what_it_is() {
    let mut signing = SigningIn::start().await;
    let discovery = "/.well-known/openid-configuration";
    for (path, status) in [(discovery, 500), (discovery, 404), ("/keys", 503)] {
        let down = Fault { status: Some(status), ..Fault::new(Kind::Status, "GET", path) };
        signing.at.kit.faults.add(down.times(100));
        let error = signing.stuck(path).await;
        assert!(matches!(error, Error::Unavailable { .. }), "{path} {status}: {error:?}");
        say(&Refused::Failed(error), AWAY, path);
        signing.at.kit.faults.clear();
    }
    let wrong = Some("https://evil.example".to_owned());
    signing.at.switch(|switches| switches.wrong_issuer = wrong);
    let error = signing.stuck("another issuer").await;
    assert!(
        matches!(&error, Error::Consent { message, .. } if message.contains("another name")),
        "{error:?}"
    );
    signing.at.switch(|switches| switches.wrong_issuer = None);
    let back = signing.go(OWNER).await;
    signing.welcome(&back).await;
    signing.assert_told(1);
}
