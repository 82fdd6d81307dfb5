//! Access tokens by client credentials.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{TokenEndpoint as _, TokenGrant};

use super::*;

async fn fetch(bench: &Bench) -> Result<TokenGrant, Error> {
    let app = credentials(&[("client_id", "app-1"), ("client_secret", "hush")]);
    bench.fortnox.client_credentials(&connection(), &app, &Credentials::default()).await
}

fn grant(tenant: &str) -> Reply {
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"tenantId":{tenant},"exp":1}}"#));
    json(200, &format!(r#"{{"access_token":"e30.{claims}.sig","expires_in":3600,"token_type":"bearer"}}"#))
}

#[tokio::test]
async fn a_token_is_asked_for_in_the_companys_name() {
    for tenant in ["123456", "\"123456\""] {
        let bench = bench([grant(tenant)]);
        assert_eq!(fetch(&bench).await.ok().unwrap().expires_in.as_secs(), 3600);
        let sent = bench.script.sent().remove(0);
        assert_eq!(sent.line, "POST /oauth-v1/token");
        assert_eq!(sent.body, "grant_type=client_credentials");
        assert_eq!(sent.authorization, "Basic app-1:hush");
        assert_eq!(sent.headers, [("TenantId", "123456".to_owned())]);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_read_is_used_as_it_is() {
    let bench = bench([json(200, r#"{"access_token":"opaque"}"#)]);
    assert_eq!(fetch(&bench).await.ok().unwrap().expires_in.as_secs(), 600);
}

#[tokio::test]
async fn refusals_are_sorted_by_who_can_lift_them() {
    let cases = [
        (grant("654321"), "needs_consent"),
        (json(400, r#"{"error":"invalid_grant","error_description":"x"}"#), "needs_consent"),
        (json(401, r#"{"error":"invalid_client","error_description":"x"}"#), "needs_consent"),
        (json(400, r#"{"error":"error_missing_license","error_description":"x"}"#), "needs_consent"),
        (json(400, r#"{"error":"x","error_description":"not have enough licenses"}"#), "needs_consent"),
        (json(400, r#"{"error":"temporarily_unavailable"}"#), "provider_unavailable"),
        (json(400, "<html>Bad Request</html>"), "provider_unavailable"),
        (json(200, "<html>Sign in</html>"), "provider_unavailable"),
        (json(429, ""), "provider_unavailable"),
        (json(503, ""), "provider_unavailable"),
        (Reply::NotSent, "provider_unavailable"),
        (Reply::MaybeSent, "provider_unavailable"),
    ];
    for (index, (reply, expected)) in cases.into_iter().enumerate() {
        let bench = bench([reply]);
        let error = fetch(&bench).await.err().unwrap();
        assert_eq!(error.code(), expected, "case {index}: {error}");
        assert!(!format!("{error:?}").contains("hush"), "case {index}");
    }
}

#[tokio::test]
async fn what_is_not_set_is_named() {
    let bench = bench([]);
    let nothing = Credentials::default();
    let error = bench.fortnox.client_credentials(&connection(), &nothing, &nothing).await.err().unwrap();
    assert!(error.to_string().contains("client_id"), "{error}");
    let mut blank = connection();
    blank.settings.clear();
    let error = bench.fortnox.client_credentials(&blank, &nothing, &nothing).await.err().unwrap();
    assert!(error.to_string().contains("tenant_id"), "{error}");
}
