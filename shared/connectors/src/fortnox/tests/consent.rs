//! The consent page's address, what comes back from it, and the exchange of a code.

use bokbro_app::error::{Error, chain};
use bokbro_app::ports::{ConsentRefusal, ConsentRequest, Consented, OAuth as _};
use bokbro_app::secret::SecretText;

use super::*;

const CODE: &str = "c0de-c0de-c0de";
const REFRESH: &str = "firstrefreshtoken";

fn request(service_account: bool) -> ConsentRequest {
    ConsentRequest {
        redirect_uri: "https://hub.example.se/oauth/fortnox/callback".to_owned(),
        state: "payload.sig+/=".to_owned(),
        service_account,
    }
}

async fn exchange(bench: &Bench, service_account: bool) -> Result<Consented, Error> {
    let code = SecretText::new(CODE.to_owned());
    bench.fortnox.exchange(&app(), &code, &request(service_account)).await
}

fn granted(access_token: &str) -> Reply {
    json(
        200,
        &format!(
            r#"{{"access_token":"{access_token}","refresh_token":"{REFRESH}","expires_in":3600,"token_type":"bearer"}}"#
        ),
    )
}

fn settings(pairs: [(&str, &str); 2]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_consent_page_is_asked_for_as_documented() {
    let person = "https://apps.fortnox.se/oauth-v1/auth?client_id=app-1&response_type=code\
        &state=payload.sig%2B%2F%3D\
        &scope=bookkeeping%20companyinformation%20customer%20invoice%20order%20payment%20settings\
        &redirect_uri=https%3A%2F%2Fhub.example.se%2Foauth%2Ffortnox%2Fcallback&access_type=offline";
    let bench = bench([]);
    assert_eq!(bench.fortnox.consent_url(&app(), &request(false)).unwrap(), person);
    let service = bench.fortnox.consent_url(&app(), &request(true)).unwrap();
    assert_eq!(service, format!("{person}&account_type=service"));
    assert!(!service.contains("hush"));
    let error = bench.fortnox.consent_url(&Credentials::default(), &request(true)).unwrap_err();
    assert!(error.to_string().contains("client_id"), "{error}");
}

#[test]
fn every_refusal_of_the_page_is_known() {
    let cases = [
        ("access_denied", ConsentRefusal::Denied),
        ("invalid_scope", ConsentRefusal::InvalidScope),
        ("error_missing_license", ConsentRefusal::MissingLicense),
        ("error_missing_app_license", ConsentRefusal::MissingLicense),
        ("error_missing_system_admin_right", ConsentRefusal::MissingAdminRight),
        ("", ConsentRefusal::Nothing),
        ("server_error", ConsentRefusal::Other),
    ];
    for (error, expected) in cases {
        assert_eq!(bench([]).fortnox.refusal(error), expected, "{error}");
    }
}

#[tokio::test]
async fn a_person_s_consent_gives_a_refresh_token() {
    let bench = bench([granted(&token_for("123456"))]);
    let consented = exchange(&bench, false).await.ok().unwrap();
    assert_eq!(consented.company, "123456");
    assert_eq!(consented.settings, settings([("tenant_id", "123456"), ("grant", "refresh_token")]));
    assert_eq!(consented.grant.refresh_token.unwrap().expose(), REFRESH);
    let [sent] = bench.script.sent().try_into().unwrap();
    assert_eq!(sent.line, "POST /oauth-v1/token");
    let redirect = "https://hub.example.se/oauth/fortnox/callback";
    assert_eq!(sent.body, format!("grant_type=authorization_code&code={CODE}&redirect_uri={redirect}"));
    assert_eq!(sent.authorization, "Basic app-1:hush");
}

#[tokio::test]
async fn a_service_account_keeps_no_refresh_token() {
    let bench = bench([granted(&token_for("\"123456\""))]);
    let consented = exchange(&bench, true).await.ok().unwrap();
    assert!(consented.grant.refresh_token.is_none());
    // Written out: laid over the settings of an earlier consent it must replace the other way.
    assert_eq!(consented.settings, settings([("tenant_id", "123456"), ("grant", "client_credentials")]));
}

#[tokio::test]
async fn a_token_without_claims_is_asked_whose_it_is() {
    let company = r#"{"CompanyInformation":{"CompanyName":"AB","DatabaseNumber":123456}}"#;
    let bench = bench([granted("opaque"), json(200, company)]);
    let consented = exchange(&bench, true).await.ok().unwrap();
    assert_eq!(consented.company, "123456");
    let sent = bench.script.sent().remove(1);
    assert_eq!(
        (sent.line.as_str(), sent.authorization.as_str()),
        ("GET /3/companyinformation", "Bearer opaque")
    );
    let nameless = r#"{"CompanyInformation":{"DatabaseNumber":"API_NORIGHT"}}"#;
    let bench = super::bench([granted("opaque"), json(200, nameless)]);
    assert_eq!(exchange(&bench, true).await.err().unwrap().code(), "needs_consent");
    let bench = super::bench([granted("opaque"), refused(403, 2_001_103)]);
    assert_eq!(exchange(&bench, true).await.err().unwrap().code(), "needs_consent");
}

#[tokio::test]
async fn a_consent_without_a_refresh_token_is_no_use_to_a_person_s_connection() {
    let answer = || json(200, &format!(r#"{{"access_token":"{}","expires_in":3600}}"#, token_for("123456")));
    assert_eq!(exchange(&bench([answer()]), false).await.err().unwrap().code(), "needs_consent");
    assert!(exchange(&bench([answer()]), true).await.is_ok());
}

#[tokio::test]
async fn a_code_is_sent_once_and_never_shown() {
    let used = r#"{"error":"invalid_grant","error_description":"Authorization code doesn't exist or is invalid for the client"}"#;
    let quoting = format!(r#"{{"error":"{CODE}","error_description":"license {CODE}"}}"#);
    let cases = [
        (json(400, used), "needs_consent", "too old"),
        (json(401, r#"{"error":"invalid_client"}"#), "needs_consent", "client id"),
        (json(403, r#"{"error":"error_missing_license"}"#), "needs_consent", "licence"),
        (json(400, &quoting), "needs_consent", "unnamed"),
        (json(429, ""), "provider_unavailable", ""),
        (json(503, used), "provider_unavailable", ""),
        (json(200, &format!(r#"{{"access_token":1,"code":"{CODE}"}}"#)), "provider_unavailable", ""),
        (Reply::NotSent, "provider_unavailable", ""),
        (Reply::MaybeSent, "provider_unavailable", ""),
    ];
    for (index, (reply, code, says)) in cases.into_iter().enumerate() {
        let bench = bench([reply]);
        let error = exchange(&bench, true).await.err().unwrap();
        let text = format!("{} {error:?}", chain(&error));
        assert_eq!(error.code(), code, "case {index}: {text}");
        assert!(text.contains(says), "case {index}: {text}");
        for secret in [CODE, REFRESH, "hush"] {
            assert!(!text.contains(secret), "case {index}: {text}");
        }
        assert_eq!(bench.script.lines().len(), 1, "case {index}: it was sent again");
    }
}

#[tokio::test]
async fn a_refresh_token_is_taken_back() {
    let token = SecretText::new(REFRESH.to_owned());
    let bench = bench([json(503, ""), json(200, r#"{"revoked":true}"#)]);
    bench.fortnox.revoke(&app(), &token).await.unwrap();
    let sent = bench.script.sent().remove(1);
    assert_eq!(sent.line, "POST /oauth-v1/revoke");
    assert_eq!(sent.body, format!("token_type_hint=refresh_token&token={REFRESH}"));
    assert_eq!(sent.authorization, "Basic app-1:hush");
    let cases = [
        (json(401, r#"{"error":"invalid_client"}"#), "needs_consent"),
        (json(400, ""), "provider_unavailable"),
    ];
    for (reply, code) in cases {
        let error = super::bench([reply]).fortnox.revoke(&app(), &token).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!format!("{error:?}").contains(REFRESH));
    }
}
