//! What the simulated provider refuses.

use serde_json::Value;

use super::{SignIn, SignInConfig};
use crate::kit::http_client;

const REDIRECT: &str = "http://hub.example/app/sign-in/callback";
/// Challenge of the verifier of RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn location(answer: &reqwest::Response) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn code(url: &str) -> String {
    let query = [
        ("response_type", "code"),
        ("client_id", "bokbro-local"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("login_hint", "owner@demobolaget.example"),
    ];
    let answer = http_client().get(format!("{url}/authorize")).query(&query).send().await.unwrap();
    let location = location(&answer);
    assert!(location.starts_with(REDIRECT) && location.contains("&state=s"), "{location}");
    location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

async fn exchange(url: &str, code: &str, verifier: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    let request = http_client().post(format!("{url}/token")).form(&form);
    let answer = request.basic_auth("bokbro-local", Some("simulated-sign-in-secret")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_code_counts_once_and_only_with_its_verifier() {
    let provider = SignIn::start(SignInConfig::default()).await.unwrap();
    let first = code(&provider.url).await;
    let (status, granted) = exchange(&provider.url, &first, VERIFIER).await;
    assert_eq!(status, 200);
    assert_eq!(granted["id_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(exchange(&provider.url, &first, VERIFIER).await.1["error"], "invalid_grant");
    let second = code(&provider.url).await;
    assert_eq!(exchange(&provider.url, &second, "other").await.1["error"], "invalid_grant");
    assert_eq!(exchange(&provider.url, &second, VERIFIER).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn nobody_is_sent_back_without_a_challenge_or_to_another_app() {
    let provider = SignIn::start(SignInConfig::default()).await.unwrap();
    let ask = async |query: &[(&str, &str)]| {
        http_client().get(format!("{}/authorize", provider.url)).query(query).send().await.unwrap()
    };
    let app = [("client_id", "bokbro-local"), ("redirect_uri", REDIRECT), ("response_type", "code")];
    let plain = ask(&[&app[..], &[("scope", "openid")]].concat()).await;
    assert!(location(&plain).contains("error=invalid_request"));
    let other = ask(&[("client_id", "other"), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(other.status(), 400);
    let challenge = [("scope", "openid"), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let page = ask(&[&app[..], &challenge].concat()).await;
    assert!(page.text().await.unwrap().contains("bookkeeper@demobolaget.example"));
    provider.switch(|switches| switches.refuse = Some("access_denied".to_owned()));
    let refused = ask(&[&app[..], &challenge].concat()).await;
    assert!(location(&refused).contains("error=access_denied"));
}
