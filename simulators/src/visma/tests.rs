//! The simulator from outside, over HTTP.

mod books;
mod contract;
mod long_lists;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::{Company, Handle, Visma, VismaConfig};
use crate::kit::{Fault, Kind, http_client};

const FIRST: &str = "0f5d2c1e-0000-4000-8000-000000000001";
const SECOND: &str = "0f5d2c1e-0000-4000-8000-000000000002";
const SCOPE: &str = "ea:api%20offline_access%20ea:sales";

struct Bench {
    sim: Handle,
    http: Client,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(VismaConfig::default()).await
    }

    async fn start_with(mut config: VismaConfig) -> Self {
        let second = Company {
            customer_id: SECOND.to_owned(),
            name: "Tvåan AB".to_owned(),
            ..config.companies[0].clone()
        };
        config.companies.push(second);
        let sim = Visma::start(config).await.unwrap();
        sim.clock.freeze();
        Self { sim, http: http_client() }
    }

    /// Where the consent page sends the browser.
    async fn consent(&self, scope: &str, more: &str) -> String {
        let url = format!(
            "{}/connect/authorize?client_id=sim-client&response_type=code&state=s%201&scope={scope}&redirect_uri=http://hub/cb{more}",
            self.sim.url
        );
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_redirection());
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    async fn code(&self, more: &str) -> String {
        let location = self.consent(SCOPE, more).await;
        assert!(location.ends_with("&state=s%201"), "{location}");
        location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned()
    }

    async fn form(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.sim.url));
        request.basic_auth("sim-client", Some("sim-secret")).form(form).send().await.unwrap()
    }

    async fn by_code(&self, code: &str) -> Response {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://hub/cb")];
        self.form("/connect/token", &form).await
    }

    async fn by_refresh(&self, token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        json_of(self.form("/connect/token", &form).await).await
    }

    /// The tokens of a new consent.
    async fn tokens(&self, more: &str) -> Value {
        let code = self.code(more).await;
        json_of(self.by_code(&code).await).await.1
    }

    async fn refresh_token(&self) -> String {
        text(&self.tokens("").await["refresh_token"])
    }

    /// An access token that may do all that a connection may.
    async fn full_token(&self) -> String {
        let scope = "ea:api%20ea:sales%20ea:accounting%20ea:purchase_readonly";
        let location = self.consent(scope, "").await;
        let code = location.split_once("code=").unwrap().1.split('&').next().unwrap();
        text(&json_of(self.by_code(code).await).await.1["access_token"])
    }

    /// One call of the API.
    async fn call(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/v2{path}", self.sim.url);
        let mut request = self.http.request(method.parse::<Method>().unwrap(), url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        json_of(request.send().await.unwrap()).await
    }

    async fn settings(&self, token: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}/v2/companysettings", self.sim.url)).bearer_auth(token);
        json_of(request.send().await.unwrap()).await
    }
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn claims(token: &Value) -> Value {
    let middle = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_works_once_and_for_five_minutes() {
    let bench = Bench::start().await;
    let code = bench.code("").await;
    let (status, tokens) = json_of(bench.by_code(&code).await).await;
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("bearer"), &json!(3600)));
    assert_eq!(claims(&tokens["access_token"])["customer_id"], FIRST);
    let used = bench.by_code(&code).await;
    assert_eq!(used.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(json_of(used).await, (400, json!({"error": "invalid_grant"})));
    let late = bench.code("").await;
    bench.sim.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(bench.by_code(&late).await.status(), 400);
}

#[tokio::test]
async fn the_picker_needs_the_prompt() {
    let bench = Bench::start().await;
    let company = async |more: &str| claims(&bench.tokens(more).await["access_token"])["customer_id"].clone();
    assert_eq!(company(&format!("&prompt=select_account&company={SECOND}")).await, SECOND);
    assert_eq!(company(&format!("&prompt=login&company={SECOND}")).await, FIRST);
    bench.sim.configure(&json!({"consenting_company": SECOND})).unwrap();
    assert_eq!(company("").await, FIRST);
    assert_eq!(company("&prompt=login%20select_account").await, SECOND);
    assert!(bench.sim.configure(&json!({"consenting_company": "nobody"})).is_err());
}

#[tokio::test]
async fn consent_can_be_refused() {
    let bench = Bench::start().await;
    let refused = |error: &str| format!("http://hub/cb?error={error}&state=s%201");
    assert_eq!(bench.consent("ea:api%20vls:api", "").await, refused("invalid_scope"));
    assert_eq!(bench.consent("ea:sales", "").await, refused("invalid_scope"));
    for error in ["access_denied", "invalid_scope", "unauthorized_client", "server_error"] {
        bench.sim.configure(&json!({"consent_answer": error})).unwrap();
        assert_eq!(bench.consent(SCOPE, "").await, refused(error));
    }
    bench.sim.configure(&json!({"consent_answer": "nothing"})).unwrap();
    assert_eq!(bench.consent(SCOPE, "").await, "http://hub/cb");
    assert!(bench.sim.configure(&json!({"consent_answer": "perhaps"})).is_err());
}

#[tokio::test]
async fn no_refresh_token_comes_unless_asked_for() {
    let bench = Bench::start().await;
    let location = bench.consent("ea:api%20ea:sales", "").await;
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap();
    assert_eq!(json_of(bench.by_code(code).await).await.1.get("refresh_token"), None);
}

#[tokio::test]
async fn refresh_tokens_rotate_or_not() {
    let bench = Bench::start().await;
    let first = bench.refresh_token().await;
    let second = text(&bench.by_refresh(&first).await.1["refresh_token"]);
    assert_ne!(first, second);
    assert_eq!(bench.by_refresh(&first).await, (400, json!({"error": "invalid_grant"})));
    assert_eq!((bench.sim.is_live(&first), bench.sim.is_live(&second)), (false, true));
    bench.sim.configure(&json!({"rotation": "reusable"})).unwrap();
    assert_eq!(bench.by_refresh(&second).await.1["refresh_token"], second);
    bench.sim.configure(&json!({"rotation": "silent"})).unwrap();
    assert_eq!(bench.by_refresh(&second).await.1.get("refresh_token"), None);
    assert_eq!(bench.by_refresh(&second).await.0, 200);
    let state =
        json!({"live_refresh_tokens": 1, "token_calls": {"authorization_code": 1, "refresh_token": 5}});
    assert_eq!(bench.sim.state()["oauth"], state);
}

#[tokio::test]
async fn a_consent_may_have_been_given_before_the_start() {
    let config = VismaConfig { refresh_token: Some("given-before".to_owned()), ..VismaConfig::default() };
    let bench = Bench::start_with(config).await;
    let (status, tokens) = bench.by_refresh("given-before").await;
    assert_eq!((status, &claims(&tokens["access_token"])["customer_id"]), (200, &json!(FIRST)));
    assert_eq!(bench.settings(tokens["access_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(bench.by_refresh("given-before").await.0, 400);
}

#[tokio::test]
async fn a_rotation_can_be_lost_on_the_way() {
    let bench = Bench::start().await;
    let first = bench.refresh_token().await;
    bench.sim.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/connect/token"));
    let request = bench.http.post(format!("{}/connect/token", bench.sim.url));
    let form = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
    assert!(request.basic_auth("sim-client", Some("sim-secret")).form(&form).send().await.is_err());
    assert_eq!(bench.by_refresh(&first).await.0, 400);
}

#[tokio::test]
async fn a_withdrawn_consent_kills_refresh_tokens_until_the_next_one() {
    let bench = Bench::start().await;
    let tokens = bench.tokens("").await;
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    bench.sim.configure(&json!({"consent_revoked": true})).unwrap();
    assert_eq!(bench.by_refresh(&refresh).await.0, 400);
    assert_eq!(bench.settings(&access).await.0, 200);
    let next = bench.refresh_token().await;
    assert_eq!((bench.by_refresh(&next).await.0, bench.by_refresh(&refresh).await.0), (200, 400));
}

#[tokio::test]
async fn revoking_is_silent() {
    let bench = Bench::start().await;
    let refresh = bench.refresh_token().await;
    for token in [refresh.as_str(), "random"] {
        let answer = bench.form("/connect/revocation", &[("token", token)]).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""));
    }
    assert_eq!(bench.by_refresh(&refresh).await.0, 400);
    let request = bench.http.post(format!("{}/connect/revocation", bench.sim.url));
    let answer =
        request.basic_auth("sim-client", Some("guess")).form(&[("token", "x")]).send().await.unwrap();
    assert_eq!(json_of(answer).await, (400, json!({"error": "invalid_client"})));
}

#[tokio::test]
async fn the_company_s_settings_are_for_those_who_may() {
    let bench = Bench::start().await;
    let token = text(&bench.tokens("").await["access_token"]);
    let (status, settings) = bench.settings(&token).await;
    assert_eq!(
        (status, &settings["Name"], &settings["CompanyStatus"]),
        (200, &json!("Demobolaget AB"), &json!(1))
    );
    let refused = async |token: &str| {
        let (status, body) = bench.settings(token).await;
        assert_eq!(body["ErrorId"].as_str().unwrap().len(), 36);
        (status, body["ErrorCode"].as_u64().unwrap())
    };
    assert_eq!(refused("made-up").await, (401, 4005));
    bench.sim.configure(&json!({"module_missing": true})).unwrap();
    assert_eq!(refused(&token).await, (403, 4002));
    bench.sim.configure(&json!({"module_missing": false, "refusal": 4003})).unwrap();
    assert_eq!(refused(&token).await, (403, 4003));
    bench.sim.configure(&json!({"refusal": 0})).unwrap();
    bench.sim.clock.advance(SignedDuration::from_mins(60));
    assert_eq!(refused(&token).await, (401, 4005));
    let location = bench.consent("ea:api", "").await;
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap();
    let poor = json_of(bench.by_code(code).await).await.1;
    assert_eq!(refused(poor["access_token"].as_str().unwrap()).await, (403, 4006));
}

#[tokio::test]
async fn tokens_may_name_another_company_or_none() {
    let bench = Bench::start().await;
    bench.sim.configure(&json!({"token_company": SECOND})).unwrap();
    assert_eq!(claims(&bench.tokens("").await["access_token"])["customer_id"], SECOND);
    bench.sim.configure(&json!({"customer_claim": false})).unwrap();
    assert_eq!(claims(&bench.tokens("").await["access_token"]).get("customer_id"), None);
}

#[tokio::test]
async fn every_secret_given_out_is_remembered_and_none_is_shown() {
    let bench = Bench::start().await;
    let code = bench.code("").await;
    let tokens = json_of(bench.by_code(&code).await).await.1;
    let rotated = bench.by_refresh(tokens["refresh_token"].as_str().unwrap()).await.1;
    let mut given = vec![code];
    for answer in [&tokens, &rotated] {
        given.extend([text(&answer["access_token"]), text(&answer["refresh_token"])]);
    }
    let mut issued = bench.sim.secrets_issued();
    given.sort();
    issued.sort();
    assert_eq!(issued, given);
    let state = bench.sim.state().to_string();
    assert!(issued.iter().all(|secret| !state.contains(secret)));
}
