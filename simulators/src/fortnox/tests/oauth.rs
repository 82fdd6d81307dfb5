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
