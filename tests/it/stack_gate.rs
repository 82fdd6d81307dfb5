//! Who comes too often has to wait, on the real binaries; everybody else does not.

use bokbro_app::gate::{Door, subject};
use bokbro_app::ports::Counters;
use bokbro_aws::{Clients, Hub, Tables};
use bokbro_tests::contract::{Contract, ask};
use bokbro_tests::stack::{Stack, read};
use bokbro_tests::visitor::Visitor;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stack_contract::contract;

/// Windows that a test fills, so that it does not matter how long it takes.
const WINDOWS: i64 = 12;

async fn hub(stack: &Stack) -> Hub {
    let table = |name: &str| stack.text(&format!("/tables/{name}")).to_owned();
    Clients::from_config(stack.aws().await)
        .hub(Tables { hub: table("hub"), idempotency: table("idempotency") })
}

/// Counts as many as are allowed from now on, as other processes would.
#[allow(clippy::disallowed_methods, reason = "the functions live in real time")]
async fn used_up(stack: &Stack, door: Door, who: &str) {
    let (hub, quota) = (hub(stack).await, door.quota());
    for later in 0..WINDOWS {
        let at = Timestamp::now().checked_add(quota.window * i32::try_from(later).unwrap()).unwrap();
        hub.counter_add(&subject(door, who), quota.window(at), quota.calls).await.unwrap();
    }
}

/// An address that no other test comes from.
fn own_address() -> String {
    let [one, two, three, ..] = Uuid::new_v4().into_bytes();
    format!("10.{one}.{two}.{three}")
}

/// Asks until there were too many; at most as often as processes need to notice.
async fn until_too_many(contract: &Contract, stack: &Stack, key: &str) {
    let route = contract.route("orders_list");
    let mut answers = Vec::new();
    for _ in 0..200 {
        let answer = ask(stack.stranger(Method::GET, "/v1/orders?limit=1").bearer_auth(key)).await;
        assert_eq!(contract.wrong(&route, &answer), None);
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.body["code"], json!("too_many_requests"));
            return;
        }
        answers.push(answer.status);
    }
    panic!("{answers:?}");
}

#[tokio::test]
async fn a_key_that_calls_too_often_has_to_wait_and_others_do_not() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let make =
        || stack.request(Method::POST, "/v1/api-keys").json(&json!({"name": "loud", "role": "viewer"}));
    let [loud, quiet] = [read(make()).await.1, read(make()).await.1];
    let key = loud["key"].as_str().unwrap();
    let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    used_up(&stack, Door::Caller, &hash).await;
    until_too_many(&contract, &stack, key).await;
    let call = |key: &str, path: &str| stack.stranger(Method::GET, path).bearer_auth(key);
    let waits = seconds(call(key, "/v1/orders")).await;
    assert!(waits.is_none_or(|waits| waits <= 11), "{waits:?}");
    let other = quiet["key"].as_str().unwrap();
    for (key, path) in [(other, "/v1/orders"), (key, "/health"), (key, "/openapi.json")] {
        assert_eq!(ask(call(key, path)).await.status, StatusCode::OK, "{path}");
    }
    for made in [loud, quiet] {
        let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
        assert_eq!(ask(stack.request(Method::DELETE, &path)).await.status, StatusCode::OK);
    }
}

/// What an answer says of how long to wait.
async fn seconds(request: RequestBuilder) -> Option<u64> {
    let answer = request.send().await.unwrap();
    answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn an_address_that_goes_on_with_unknown_keys_has_to_wait_and_known_ones_do_not() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let (from, route) = (own_address(), contract.route("orders_list"));
    used_up(&stack, Door::Stranger, &from).await;
    let unknown = format!("bk_{}", Uuid::new_v4().simple());
    let come = |from: &str| stack.stranger(Method::GET, "/v1/orders").header("x-local-source", from);
    let session = || come(&from).header("cookie", format!("__Host-bokbro-session={unknown}"));
    let spoofed = || come(&from).bearer_auth(&unknown).header("x-forwarded-for", own_address());
    for request in [come(&from).bearer_auth(&unknown), session(), spoofed()] {
        let answer = ask(request).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
        assert_eq!(contract.wrong(&route, &answer), None);
    }
    assert!(seconds(spoofed()).await.is_some_and(|waits| (1..=61).contains(&waits)));
    let known = ask(come(&from).bearer_auth(stack.text("/api_key"))).await;
    assert_eq!(known.status, StatusCode::OK, "a key that counts is let in from the same address");
    assert_eq!(ask(come(&from)).await.status, StatusCode::UNAUTHORIZED, "who shows nothing costs nothing");
    let elsewhere = ask(come(&own_address()).bearer_auth(&unknown)).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    // Consent is behind the same door.
    let start = stack.stranger(Method::GET, "/oauth/viva/start").header("x-local-source", &from);
    let answer = ask(start.bearer_auth(&unknown)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(contract.wrong(&contract.route("consent_start"), &answer), None);
}

#[tokio::test]
async fn an_address_that_signs_in_too_often_gets_a_page_that_says_when_to_come_back() {
    let Some(stack) = Stack::shared() else { return };
    let mut visitor = Visitor::to(&stack);
    used_up(&stack, Door::SignIn, visitor.address()).await;
    for (path, language, told) in [
        ("/app/sign-in/start", "sv", "För många förfrågningar"),
        ("/app/sign-in/start", "en", "Too many requests"),
        ("/app/sign-in/callback?code=made-up&state=s", "en", "Too many requests"),
    ] {
        let request = stack.stranger(Method::GET, path).header("x-local-source", visitor.address());
        let answer = request.header("accept-language", language).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
        let waits: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=601).contains(&waits), "{waits}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(told) && page.contains(&format!("lang=\"{language}\"")), "{page}");
    }
    assert_eq!(visitor.get("/app/sign-in").await.status, StatusCode::OK, "the page itself is shown");
    Visitor::signed_in(&stack, "viewer@demobolaget.example").await;
}
