//! Access tokens by client credentials and by refresh token.

use bokbro_app::error::{Error, chain};
use bokbro_app::ports::{GrantKind, TokenEndpoint as _, TokenGrant};
use bokbro_app::secret::SecretText;

use super::*;

async fn fetch(bench: &Bench) -> Result<TokenGrant, Error> {
    bench.fortnox.client_credentials(&connection(), &app(), &Credentials::default()).await
}

fn grant(tenant: &str) -> Reply {
    let token = token_for(tenant);
    json(200, &format!(r#"{{"access_token":"{token}","expires_in":3600,"token_type":"bearer"}}"#))
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

// --- Refresh tokens ----------------------------------------------------------------------------------------------

const OLD: &str = "0ldrefreshtoken0ldrefreshtoken0ldrefresh";

async fn refresh(bench: &Bench) -> Result<TokenGrant, Error> {
    bench.fortnox.refresh(&connection(), &app(), &SecretText::new(OLD.to_owned())).await
}

#[tokio::test]
async fn a_refresh_sends_the_old_token_once_and_brings_the_new_one() {
    for content_type in ["application/json", "text/html; charset=UTF-8", "text/plain;charset=UTF-8"] {
        let body = format!(
            r#"{{"access_token":"{}","refresh_token":"new","scope":"invoice","expires_in":3600,"token_type":"bearer"}}"#,
            token_for("123456")
        );
        let bench = bench([Reply::Typed(200, content_type, body)]);
        let grant = refresh(&bench).await.ok().unwrap();
        assert_eq!(grant.refresh_token.unwrap().expose(), "new");
        assert_eq!(grant.expires_in.as_secs(), 3600);
        let sent = bench.script.sent().remove(0);
        assert_eq!(sent.line, "POST /oauth-v1/token");
        assert_eq!(sent.body, format!("grant_type=refresh_token&refresh_token={OLD}"));
        assert_eq!((sent.authorization.as_str(), sent.headers), ("Basic app-1:hush", vec![]));
    }
}

#[tokio::test]
async fn a_new_refresh_token_is_never_lost_to_a_check() {
    let body = format!(r#"{{"access_token":"{}","refresh_token":"new"}}"#, token_for("654321"));
    let bench = bench([json(200, &body), json(200, &body)]);
    assert_eq!(refresh(&bench).await.ok().unwrap().refresh_token.unwrap().expose(), "new");
    let mut blank = connection();
    blank.settings.clear();
    let old = SecretText::new(OLD.to_owned());
    assert!(bench.fortnox.refresh(&blank, &app(), &old).await.is_ok());
}

#[tokio::test]
async fn only_a_refusal_for_good_ends_a_refresh_token() {
    const HTML: &str = "text/html; charset=UTF-8";
    const PLAIN: &str = "text/plain;charset=UTF-8";
    let typed = |status, content_type, body: &str| Reply::Typed(status, content_type, body.to_owned());
    let unused = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;
    let quoting = format!(r#"{{"error":"invalid_grant","error_description":"{OLD}"}}"#);
    let odd = format!(r#"{{"error":"{OLD}","error_description":"license {OLD}"}}"#);
    let wrong = r#"{"error":"invalid_client","error_description":"The client credentials are invalid"}"#;
    let cases = [
        (typed(400, HTML, unused), "needs_consent"),
        (typed(400, "application/json", unused), "needs_consent"),
        (typed(400, HTML, &quoting), "needs_consent"),
        (typed(400, HTML, &odd), "needs_consent"),
        (typed(401, PLAIN, wrong), "needs_consent"),
        (typed(400, HTML, "<html>Bad Request</html>"), "provider_unavailable"),
        (typed(400, HTML, r#"{"error":"temporarily_unavailable"}"#), "provider_unavailable"),
        (typed(200, HTML, "<html>Sign in</html>"), "provider_unavailable"),
        (json(200, r#"{"access_token":"","refresh_token":"new"}"#), "provider_unavailable"),
        (json(200, r#"{"access_token":"cut o"#), "provider_unavailable"),
        (json(200, ""), "provider_unavailable"),
        (json(408, ""), "provider_unavailable"),
        (typed(429, HTML, unused), "provider_unavailable"),
        (Reply::RetryAfter(429, "7".to_owned()), "provider_unavailable"),
        (typed(500, HTML, unused), "provider_unavailable"),
        (json(503, ""), "provider_unavailable"),
        (Reply::NotSent, "provider_unavailable"),
        (Reply::MaybeSent, "provider_unavailable"),
    ];
    for (index, (reply, expected)) in cases.into_iter().enumerate() {
        let bench = bench([reply]);
        let error = refresh(&bench).await.err().unwrap();
        assert_eq!(error.code(), expected, "case {index}: {error}");
        let text = format!("{} {error:?}", chain(&error));
        assert!(!text.contains(OLD) && !text.contains("hush"), "case {index}: {text}");
        assert_eq!(bench.script.lines().len(), 1, "case {index}: it was sent again");
    }
}

#[test]
fn a_connection_says_how_it_gets_its_tokens() {
    let cases = [
        (None, GrantKind::ClientCredentials),
        (Some("client_credentials"), GrantKind::ClientCredentials),
        (Some("refresh_token"), GrantKind::RefreshToken),
    ];
    for (grant, expected) in cases {
        let mut connection = connection();
        connection.settings.extend(grant.map(|grant| ("grant".to_owned(), grant.to_owned())));
        assert_eq!(bench([]).fortnox.grant_kind(&connection), expected, "{grant:?}");
    }
}
