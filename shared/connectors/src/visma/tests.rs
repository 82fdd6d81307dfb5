//! Consent, tokens and check-ups over a scripted wire; in the modules, the way of postings.

mod accounts;
mod credits;
mod documents;
mod office;
mod priced;
mod refusals;
mod registers;
mod search;
mod vouchers;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::{Error, chain};
use bokbro_app::ports::{
    Access, Checkup as _, ConsentRefusal, ConsentRequest, Consented, Findings, GrantKind, Limited as _,
    OAuth as _, TokenEndpoint as _, TokenGrant, Tokens, unlimited,
};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::ids::{Provider, TenantId};

use super::{NAME, Visma, VismaUrls};
use crate::kit::testing::{Reply, Script, StillClock};

const COMPANY: &str = "0f5d2c1e-0000-4000-8000-0000000000aa";
const CODE: &str = "0123456789ABCDEF";
const OLD: &str = "oldrefreshtoken";
const INVALID_GRANT: &str = r#"{"error":"invalid_grant"}"#;

/// Hands out one token for ever.
struct Always(String);

#[async_trait]
impl Tokens for Always {
    async fn token(&self) -> Result<SecretText, Error> {
        Ok(SecretText::new(self.0.clone()))
    }

    async fn refused(&self, _: &SecretText) {}
}

struct Bench {
    visma: Visma,
    script: Arc<Script>,
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let script = Arc::new(Script::of(replies));
    let visma = Visma::new(VismaUrls::default(), script.clone(), Arc::new(StillClock::default()));
    Bench { visma, script }
}

fn app() -> Credentials {
    let fields = [("client_id", "app-1"), ("client_secret", "hush")];
    Credentials::new(fields.map(|(name, value)| (name.to_owned(), SecretText::new(value.to_owned()))))
}

fn connection(company: Option<&str>) -> Connection {
    Connection {
        tenant: TenantId::parse("demo").unwrap(),
        provider: Provider::parse(NAME).unwrap(),
        state: ConnectionState::Healthy,
        settings: company.map(|company| ("company_id".to_owned(), company.to_owned())).into_iter().collect(),
        chart: None,
    }
}

fn json(status: u16, body: &str) -> Reply {
    Reply::Status(status, body.to_owned())
}

/// A token for a company; `None` for one that names none.
fn token_for(company: Option<&str>) -> String {
    let customer = company.map(|company| format!(r#","customer_id":"{company}""#)).unwrap_or_default();
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"u"{customer}}}"#)))
}

fn granted(company: Option<&str>, refresh_token: &str) -> Reply {
    let token = token_for(company);
    json(
        200,
        &format!(
            r#"{{"access_token":"{token}","refresh_token":{refresh_token},"token_type":"bearer","expires_in":3600}}"#
        ),
    )
}

fn company_settings(identifier: &str) -> Reply {
    let body = format!(
        r#"{{"Name":"Demobolaget AB","CorporateIdentityNumber":"5560004754","CompanyIdentifier":"{identifier}","CompanyStatus":1}}"#
    );
    json(200, &body)
}

fn request() -> ConsentRequest {
    ConsentRequest {
        redirect_uri: "https://hub.example.se/oauth/visma/callback".to_owned(),
        state: "payload.sig=".to_owned(),
        service_account: true,
    }
}

impl Bench {
    async fn exchange(&self) -> Result<Consented, Error> {
        self.visma.exchange(&app(), &SecretText::new(CODE.to_owned()), &request()).await
    }

    async fn refresh(&self) -> Result<TokenGrant, Error> {
        self.visma.refresh(&connection(Some(COMPANY)), &app(), &SecretText::new(OLD.to_owned())).await
    }

    async fn check(&self, ours: Option<&str>, token: &str) -> Result<Findings, Error> {
        let access = Access {
            connection: Arc::new(connection(ours)),
            credentials: Arc::default(),
            tokens: Arc::new(Always(token.to_owned())),
            pace: unlimited(),
            deadline: None,
        };
        self.visma.check(&access).await
    }
}

#[test]
fn the_consent_page_always_shows_the_company_picker() {
    let url = bench([]).visma.consent_url(&app(), &request()).unwrap();
    let expected = "https://identity.vismaonline.com/connect/authorize?client_id=app-1\
        &redirect_uri=https%3A%2F%2Fhub.example.se%2Foauth%2Fvisma%2Fcallback\
        &scope=ea%3Aapi%20offline_access%20ea%3Asales%20ea%3Aaccounting%20ea%3Apurchase_readonly\
        &response_type=code&state=payload.sig%3D&prompt=select_account\
        &acr_values=service%3A44643EB1-3F76-4C1C-A672-402AE8085934";
    assert_eq!(url, expected);
    let error = bench([]).visma.consent_url(&Credentials::default(), &request()).unwrap_err();
    assert!(error.to_string().contains("client_id"), "{error}");
}

#[test]
fn refusals_of_the_page_are_known() {
    let cases = [
        ("access_denied", ConsentRefusal::Denied),
        ("invalid_scope", ConsentRefusal::InvalidScope),
        ("", ConsentRefusal::Nothing),
        ("login_required", ConsentRefusal::Other),
    ];
    for (error, expected) in cases {
        assert_eq!(bench([]).visma.refusal(error), expected, "{error}");
    }
}

#[tokio::test]
async fn a_code_becomes_a_company_and_its_tokens() {
    let bench = bench([granted(Some(&COMPANY.to_uppercase()), r#""first""#)]);
    let consented = bench.exchange().await.ok().unwrap();
    assert_eq!(consented.company, COMPANY);
    assert_eq!(consented.settings, BTreeMap::from([("company_id".to_owned(), COMPANY.to_owned())]));
    assert_eq!(consented.grant.refresh_token.unwrap().expose(), "first");
    assert_eq!(consented.grant.expires_in.as_secs(), 3600);
    let [sent] = bench.script.sent().try_into().unwrap();
    assert_eq!(
        (sent.line.as_str(), sent.authorization.as_str()),
        ("POST /connect/token", "Basic app-1:hush")
    );
    let redirect = "https://hub.example.se/oauth/visma/callback";
    assert_eq!(sent.body, format!("grant_type=authorization_code&code={CODE}&redirect_uri={redirect}"));
}

#[tokio::test]
async fn a_token_without_the_claim_is_asked_whose_it_is() {
    let bench = bench([granted(None, r#""first""#), company_settings("ABC-1")]);
    assert_eq!(bench.exchange().await.ok().unwrap().company, "abc-1");
    assert_eq!(bench.script.lines()[1], "GET /v2/companysettings");
    let nameless = super::tests::bench([granted(None, r#""first""#), json(200, "{}")]);
    assert_eq!(nameless.exchange().await.err().unwrap().code(), "needs_consent");
}

#[tokio::test]
async fn a_consent_without_a_refresh_token_is_no_use() {
    let error = bench([granted(Some(COMPANY), "null")]).exchange().await.err().unwrap();
    assert!(error.to_string().contains("offline_access"), "{error}");
}

#[tokio::test]
async fn whatever_refresh_token_comes_back_counts() {
    for (answer, expected) in
        [(r#""new""#, Some("new")), (r#""oldrefreshtoken""#, Some(OLD)), ("null", None), (r#""""#, None)]
    {
        let bench = bench([granted(Some("another-company"), answer)]);
        let grant = bench.refresh().await.ok().unwrap();
        assert_eq!(grant.refresh_token.as_ref().map(SecretText::expose), expected, "{answer}");
        assert_eq!(bench.script.sent()[0].body, format!("grant_type=refresh_token&refresh_token={OLD}"));
    }
}

#[tokio::test]
async fn refusals_are_sorted_and_quote_nothing() {
    let quoting = format!(r#"{{"error":"{OLD}{CODE}","error_description":"{OLD}{CODE}"}}"#);
    let cases = [
        (json(400, INVALID_GRANT), "needs_consent"),
        (json(400, r#"{"error":"invalid_client"}"#), "needs_consent"),
        (json(401, r#"{"error":"invalid_client"}"#), "needs_consent"),
        (json(400, r#"{"error":"invalid_scope"}"#), "needs_consent"),
        (json(400, r#"{"error":"unauthorized_client"}"#), "needs_consent"),
        (json(400, &quoting), "provider_unavailable"),
        (json(400, "<html>"), "provider_unavailable"),
        (json(200, "<html>"), "provider_unavailable"),
        (json(429, INVALID_GRANT), "provider_unavailable"),
        (json(502, INVALID_GRANT), "provider_unavailable"),
        (Reply::NotSent, "provider_unavailable"),
        (Reply::MaybeSent, "provider_unavailable"),
    ];
    for (index, (reply, code)) in cases.into_iter().enumerate() {
        let (refreshing, exchanging) = (bench([reply.clone()]), bench([reply]));
        let errors = [refreshing.refresh().await.err().unwrap(), exchanging.exchange().await.err().unwrap()];
        for error in errors {
            let text = format!("{} {error:?}", chain(&error));
            assert_eq!(error.code(), code, "case {index}: {text}");
            for secret in [OLD, CODE, "hush"] {
                assert!(!text.contains(secret), "case {index}: {text}");
            }
        }
        for bench in [refreshing, exchanging] {
            assert_eq!(bench.script.lines().len(), 1, "case {index}: it was sent again");
        }
    }
}

#[tokio::test]
async fn there_are_no_client_credentials() {
    let bench = bench([]);
    let connection = connection(None);
    assert_eq!(bench.visma.grant_kind(&connection), GrantKind::RefreshToken);
    assert_eq!(bench.visma.app_secret(), Some("app/visma"));
    let error = bench.visma.client_credentials(&connection, &app(), &Credentials::default()).await.err();
    assert_eq!(error.unwrap().code(), "needs_consent");
}

#[tokio::test]
async fn a_refresh_token_is_taken_back() {
    let bench = bench([json(200, "")]);
    bench.visma.revoke(&app(), &SecretText::new(OLD.to_owned())).await.unwrap();
    let sent = bench.script.sent().remove(0);
    assert_eq!(
        (sent.line.as_str(), sent.authorization.as_str()),
        ("POST /connect/revocation", "Basic app-1:hush")
    );
    assert_eq!(sent.body, format!("token_type_hint=refresh_token&token={OLD}"));
}

#[tokio::test]
async fn a_check_up_tells_whose_books_they_are() {
    let bench = bench([company_settings(&COMPANY.to_uppercase())]);
    let findings = bench.check(Some(COMPANY), "opaque").await.unwrap();
    assert_eq!(findings.name.as_deref(), Some("Demobolaget AB"));
    assert_eq!(findings.details["organisation_number"], "5560004754");
    assert_eq!(bench.script.sent()[0].authorization, "Bearer opaque");
    let other_casing = r#"{"name":"AB","corporateIdentityNumber":null,"companyIdentifier":null}"#;
    let findings =
        super::tests::bench([json(200, other_casing)]).check(Some(COMPANY), "opaque").await.unwrap();
    assert_eq!((findings.name.as_deref(), findings.details), (Some("AB"), BTreeMap::new()));
}

#[tokio::test]
async fn another_company_is_refused() {
    let claim = token_for(Some(COMPANY));
    let cases = [
        (Some(COMPANY), claim.as_str(), "abc", true),
        (Some("abc"), claim.as_str(), "abc", true),
        (None, claim.as_str(), "abc", true),
        (Some("xyz"), claim.as_str(), "abc", false),
        (Some("xyz"), "opaque", "abc", false),
    ];
    for (ours, token, identifier, fine) in cases {
        let checked = bench([company_settings(identifier)]).check(ours, token).await;
        assert_eq!(
            checked.as_ref().err().map(Error::code),
            (!fine).then_some("needs_consent"),
            "{ours:?} {token}"
        );
    }
}

#[tokio::test]
async fn refusals_of_the_api_say_what_to_do() {
    let refusal = |status, code: &str| {
        let text = "ForbiddenRequestException - No access to module: api_standard";
        json(
            status,
            &format!(r#"{{"ErrorCode":{code},"DeveloperErrorMessage":"{text}","ErrorId":"x","Errors":[]}}"#),
        )
    };
    let cases = [
        (refusal(403, "4002"), "needs_consent", "apps and add-ons"),
        (refusal(403, "4003"), "needs_consent", "start-up guide"),
        (refusal(403, "4006"), "needs_consent", "does not cover"),
        (refusal(403, "\"4011\""), "needs_consent", "lost the right"),
        (refusal(400, "4034"), "needs_consent", "sandbox"),
        (refusal(400, "4002"), "provider_unavailable", ""),
        (json(403, "<html>"), "provider_unavailable", ""),
        (json(200, "<html>"), "provider_unavailable", ""),
    ];
    for (index, (reply, code, says)) in cases.into_iter().enumerate() {
        let error = bench([reply]).check(Some(COMPANY), "opaque").await.unwrap_err();
        assert_eq!(error.code(), code, "case {index}: {error}");
        assert!(error.to_string().contains(says), "case {index}: {error}");
    }
    let denied = || refusal(401, "4005");
    let error = bench([denied(), denied()]).check(Some(COMPANY), "opaque").await.unwrap_err();
    assert_eq!(error.code(), "provider_unavailable", "{error}");
}

#[test]
fn calls_count_by_client_and_endpoint() {
    let visma = bench([]).visma;
    let limit = |operation| visma.limit(&connection(None), &app(), operation).unwrap();
    assert_ne!(limit("get_company_settings").key, limit("create_invoice").key);
    assert_eq!(
        limit("create_invoice"),
        visma.limit(&connection(Some(COMPANY)), &app(), "create_invoice").unwrap()
    );
    assert_eq!(limit("search_customers"), limit("create_customer"));
    assert_ne!(limit("list_drafts"), limit("get_draft"));
    assert!(limit("create_invoice").allowance.calls < 600);
    assert_eq!(visma.order(&connection(None), &app()), None);
}
