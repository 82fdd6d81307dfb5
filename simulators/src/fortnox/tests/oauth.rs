//! Consent, tokens and their odd answers.

use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::json;

use super::{Bench, TENANT, json_of};

impl Bench {
    /// Where the consent page sends the browser.
    async fn consent(&self, scope: &str) -> String {
        let url = format!(
            "{}/oauth-v1/auth?client_id=sim-client&response_type=code&state=s%201&scope={scope}&redirect_uri=http://hub/cb&account_type=service",
            self.sim.url
        );
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_redirection());
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    async fn code(&self) -> String {
        let location = self.consent("invoice%20customer").await;
        assert!(location.ends_with("&state=s%201"), "{location}");
        location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned()
    }

    async fn by_code(&self, code: &str) -> reqwest::Response {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://hub/cb")];
        self.token(&form, None).await
    }

    async fn by_refresh(&self, token: &str) -> reqwest::Response {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)], None).await
    }
}

#[tokio::test]
async fn a_code_works_once_and_for_ten_minutes() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let (status, tokens) = json_of(bench.by_code(&code).await).await;
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "invoice customer");
    assert_eq!(tokens["refresh_token"].as_str().unwrap().len(), 40);
    let used = bench.by_code(&code).await;
    assert_eq!(used.status(), 400);
    assert!(used.text().await.unwrap().contains("Authorization code doesn't exist"));

    let late = bench.code().await;
    bench.sim.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(bench.by_code(&late).await.status(), 400);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_refusal_is_html() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let first = json_of(bench.by_code(&code).await).await.1["refresh_token"].as_str().unwrap().to_owned();
    let second =
        json_of(bench.by_refresh(&first).await).await.1["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let refused = bench.by_refresh(&first).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()[CONTENT_TYPE], "text/html; charset=UTF-8");
    assert_eq!(
        refused.text().await.unwrap(),
        r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#
    );

    bench.sim.clock.advance(SignedDuration::from_hours(45 * 24));
    assert_eq!(bench.by_refresh(&second).await.status(), 400);
}

#[tokio::test]
async fn wrong_client_credentials_are_plain_text() {
    let bench = Bench::start().await;
    let request =
        bench.http.post(format!("{}/oauth-v1/token", bench.sim.url)).basic_auth("sim-client", Some("wrong"));
    let refused = request.form(&[("grant_type", "refresh_token")]).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()[CONTENT_TYPE], "text/plain;charset=UTF-8");
    let body = r#"{"error":"invalid_client","error_description":"The client credentials are invalid"}"#;
    assert_eq!(refused.text().await.unwrap(), body);
}

#[tokio::test]
async fn client_credentials_need_the_header_and_a_consent() {
    let bench = Bench::start().await;
    let form = [("grant_type", "client_credentials"), ("TenantId", TENANT)];
    assert_eq!(bench.token(&form, None).await.status(), 400);
    assert_eq!(bench.token(&form, Some("999")).await.status(), 400);
    let (status, tokens) = json_of(bench.token(&form, Some(TENANT)).await).await;
    assert_eq!((status, tokens.get("refresh_token")), (200, None));
    let claims = tokens["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["tenantId"], 1_000_001);

    bench.sim.configure(&json!({"consent_revoked": true})).unwrap();
    assert_eq!(bench.token(&form, Some(TENANT)).await.status(), 400);
    // The access token lives on; a new consent heals the rest.
    assert_eq!(bench.get("/3/customers").await.0, 200);
    bench.code().await;
    assert_eq!(bench.token(&form, Some(TENANT)).await.status(), 200);
}

#[tokio::test]
async fn consent_can_be_refused_in_every_known_way() {
    let bench = Bench::start().await;
    assert_eq!(bench.consent("salary").await, "http://hub/cb?error=invalid_scope&state=s%201");
    for error in ["access_denied", "error_missing_license", "error_missing_system_admin_right"] {
        bench.sim.configure(&json!({"consent_answer": error})).unwrap();
        assert_eq!(bench.consent("invoice").await, format!("http://hub/cb?error={error}&state=s%201"));
    }
    bench.sim.configure(&json!({"consent_answer": "nothing"})).unwrap();
    assert_eq!(bench.consent("invoice").await, "http://hub/cb");
}

#[tokio::test]
async fn an_expired_access_token_is_unauthorized_without_an_envelope() {
    let bench = Bench::start().await;
    bench.sim.clock.advance(SignedDuration::from_secs(3600));
    assert_eq!(bench.get("/3/customers").await, (401, json!({"message": "unauthorized"})));
}

#[tokio::test]
async fn revoking_says_yes_to_anything() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let refresh = json_of(bench.by_code(&code).await).await.1["refresh_token"].as_str().unwrap().to_owned();
    for token in [refresh.as_str(), "random"] {
        let request = bench.http.post(format!("{}/oauth-v1/revoke", bench.sim.url));
        let request = request.basic_auth("sim-client", Some("sim-secret"));
        let answer =
            request.form(&[("token_type_hint", "refresh_token"), ("token", token)]).send().await.unwrap();
        assert_eq!(json_of(answer).await, (200, json!({"revoked": true})));
    }
    assert_eq!(bench.by_refresh(&refresh).await.status(), 400);
}

#[tokio::test]
async fn a_rotation_can_be_lost_on_the_way() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let first = json_of(bench.by_code(&code).await).await.1["refresh_token"].as_str().unwrap().to_owned();
    use crate::kit::{Fault, Kind};
    bench.sim.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/oauth-v1/token"));
    let request = bench.http.post(format!("{}/oauth-v1/token", bench.sim.url));
    let request = request.basic_auth("sim-client", Some("sim-secret"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
    assert!(request.form(&form).send().await.is_err());
    assert_eq!(bench.by_refresh(&first).await.status(), 400);
}

impl Bench {
    /// The first refresh token of a new consent.
    async fn first_refresh_token(&self) -> String {
        let code = self.code().await;
        refresh_token(json_of(self.by_code(&code).await).await)
    }

    async fn rotate(&self, token: &str) -> String {
        refresh_token(json_of(self.by_refresh(token).await).await)
    }
}

fn refresh_token((status, answer): (u16, serde_json::Value)) -> String {
    assert_eq!(status, 200, "{answer}");
    answer["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn reuse_is_refused_or_kills_the_family_or_is_met_with_grace() {
    let bench = Bench::start().await;
    let live = |tokens: [&String; 2]| tokens.map(|token| bench.sim.is_live(token));

    let first = bench.first_refresh_token().await;
    let second = bench.rotate(&first).await;
    assert_eq!(bench.by_refresh(&first).await.status(), 400);
    assert_eq!(live([&first, &second]), [false, true]);

    bench.sim.configure(&json!({"refresh_reuse": "kills_family"})).unwrap();
    let other_family = bench.first_refresh_token().await;
    let first = bench.first_refresh_token().await;
    let answer = json_of(bench.by_refresh(&first).await).await.1;
    let (access, second) = (answer["access_token"].as_str().unwrap(), refresh_token((200, answer.clone())));
    assert_eq!(bench.by_refresh("made-up").await.status(), 400);
    assert_eq!(live([&second, &other_family]), [true, true]);
    assert_eq!(bench.by_refresh(&first).await.status(), 400);
    assert_eq!(live([&second, &other_family]), [false, true]);
    assert_eq!(bench.by_refresh(&second).await.status(), 400);
    let read = bench.http.get(format!("{}/3/customers", bench.sim.url)).bearer_auth(access);
    assert_eq!(read.send().await.unwrap().status(), 401);

    bench.sim.configure(&json!({"refresh_reuse": "grace"})).unwrap();
    let first = bench.first_refresh_token().await;
    let second = bench.rotate(&first).await;
    let third = bench.rotate(&first).await;
    assert_eq!(live([&second, &third]), [true, true]);
    bench.sim.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(bench.by_refresh(&first).await.status(), 400);
    assert_eq!(live([&second, &third]), [true, true]);
}

#[tokio::test]
async fn a_refresh_token_lapses_when_nobody_uses_it() {
    let bench = Bench::start().await;
    let day = SignedDuration::from_hours(24);
    let first = bench.first_refresh_token().await;
    bench.sim.clock.advance(day * 44);
    let second = bench.rotate(&first).await;
    bench.sim.clock.advance(day * 44);
    let third = bench.rotate(&second).await;
    bench.sim.configure(&json!({"refresh_lifetime": 60})).unwrap();
    let fourth = bench.rotate(&third).await;
    bench.sim.clock.advance(SignedDuration::from_secs(60));
    assert!(!bench.sim.is_live(&fourth));
    assert_eq!(bench.by_refresh(&fourth).await.status(), 400);
}

#[tokio::test]
async fn a_withdrawn_consent_stays_withdrawn_for_old_tokens() {
    let bench = Bench::start().await;
    let old = bench.first_refresh_token().await;
    bench.sim.configure(&json!({"tenant": TENANT, "consent_revoked": true})).unwrap();
    assert!(!bench.sim.is_live(&old));
    let new = bench.first_refresh_token().await;
    assert_eq!(bench.by_refresh(&old).await.status(), 400);
    bench.rotate(&new).await;
}

#[tokio::test]
async fn the_consent_page_knows_its_answers() {
    let bench = Bench::start().await;
    for error in ["invalid_scope", "error_missing_app_license"] {
        bench.sim.configure(&json!({"consent_answer": error})).unwrap();
        assert_eq!(bench.consent("invoice").await, format!("http://hub/cb?error={error}&state=s%201"));
    }
    for wrong in [
        json!({"consent_answer": "perhaps"}),
        json!({"consenting_tenant": "7"}),
        json!({"token_company": "7"}),
    ] {
        assert!(bench.sim.configure(&wrong).is_err(), "{wrong}");
    }
    bench.sim.configure(&json!({"service_accounts": false})).unwrap();
    let url = format!(
        "{}/oauth-v1/auth?client_id=sim-client&response_type=code&scope=invoice&redirect_uri=http://hub/cb&account_type=service",
        bench.sim.url
    );
    let page = bench.http.get(url).send().await.unwrap();
    assert_eq!(page.status(), 400);
    assert!(page.text().await.unwrap().contains("Client does not allow service account"));
}

#[tokio::test]
async fn the_consent_page_asks_whoever_looks_at_it() {
    let bench = Bench::start().await;
    bench.sim.configure(&json!({"consent_answer": "ask"})).unwrap();
    let query =
        "client_id=sim-client&response_type=code&scope=invoice&state=s%201&redirect_uri=http://hub/cb";
    let url = format!("{}/oauth-v1/auth?{query}", bench.sim.url);
    let page = bench.http.get(&url).send().await.unwrap().text().await.unwrap();
    for (text, leads_to) in
        [("Approve", "http://hub/cb?code="), ("Refuse", "http://hub/cb?error=access_denied&state=s%201")]
    {
        let href = page.split(&format!("\">{text}</a>")).next().unwrap().rsplit("href=\"").next().unwrap();
        let url = format!("{}{}", bench.sim.url, href.replace("&amp;", "&"));
        let answer = bench.http.get(url).send().await.unwrap();
        assert!(answer.headers()["location"].to_str().unwrap().starts_with(leads_to), "{text}: {href}");
    }
}

#[tokio::test]
async fn a_token_may_be_for_another_company() {
    let mut config = crate::fortnox::FortnoxConfig::default();
    config.tenants.push(crate::fortnox::TenantConfig::new("1000002", "Tvåan AB"));
    let bench = Bench::start_with(config).await;
    bench.sim.configure(&json!({"token_company": "1000002"})).unwrap();
    let tokens = json_of(bench.token(&[("grant_type", "client_credentials")], Some(TENANT)).await).await.1;
    let read = bench.http.get(format!("{}/3/companyinformation", bench.sim.url));
    let read = read.bearer_auth(tokens["access_token"].as_str().unwrap());
    let company = json_of(read.send().await.unwrap()).await.1;
    assert_eq!(company["CompanyInformation"]["DatabaseNumber"], 1_000_002);
}

#[tokio::test]
async fn what_was_given_out_is_counted_and_remembered_but_not_shown() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let tokens = json_of(bench.by_code(&code).await).await.1;
    let first = refresh_token((200, tokens.clone()));
    let second = bench.rotate(&first).await;
    assert_eq!(bench.by_refresh(&first).await.status(), 400);
    let calls = json!({"authorization_code": 1, "client_credentials": 1, "refresh_token": 2});
    let state = bench.sim.state();
    assert_eq!(state["oauth"], json!({"live_refresh_tokens": 1, "token_calls": calls}));
    let issued = bench.sim.secrets_issued();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    for secret in [&code, &first, &second, &access, &bench.token] {
        assert!(issued.contains(secret));
    }
    // Three access tokens, two refresh tokens, one code.
    assert_eq!(issued.len(), 6);
    let shown = state.to_string();
    assert!(issued.iter().all(|secret| !shown.contains(secret)));
}
