//! Who gets in and what they may do there, against the real binaries: sign-in, sessions, forms, roles, API keys, settings.

use bokbro_tests::stack::{Stack, read};
use bokbro_tests::visitor::{Visitor, person};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn people_sign_in_and_out() {
    let Some(stack) = Stack::shared() else { return };
    let mut visitor = Visitor::to(&stack);
    let first = visitor.get("/app").await;
    assert_eq!((first.at.as_str(), first.status), ("/app/sign-in?to=%2Fapp", StatusCode::OK));
    assert!(first.html.contains("href=\"/app/sign-in/start?to=%2Fapp\""), "{}", first.html);

    let shown = visitor.sign_in(&person("owner")).await;
    assert_eq!((shown.at.as_str(), shown.status), ("/app", StatusCode::OK));
    assert!(shown.html.contains(&person("owner")), "{}", shown.html);
    assert!(visitor.cookie("__Host-bokbro-sign-in").is_none(), "what the visit needed is forgotten");

    let kept = visitor.cookie("__Host-bokbro-session").unwrap().to_owned();
    let out = visitor.post("/app/sign-out", &[]).await;
    assert_eq!((out.at.as_str(), out.status), ("/app/signed-out", StatusCode::OK));
    // Whoever has kept the cookie is out too.
    let answer =
        stack.stranger(Method::GET, "/app").header("cookie", format!("__Host-bokbro-session={kept}"));
    assert_eq!(answer.send().await.unwrap().status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_webhook_from_an_address_of_somebody_else_is_refused() {
    let Some(stack) = Stack::shared() else { return };
    // The local stack names its own address for payments, and none for parcels.
    for (event, source, status) in [
        ("webhook/payment-created", "127.0.0.1", 404),
        ("webhook/payment-created", "203.0.113.9", 403),
        ("webhook/payment-created", "", 403),
        ("webhook/handshake", "203.0.113.9", 403),
        ("webhook/ongoing-status", "203.0.113.9", 404),
    ] {
        let mut event = crate::events::event(event);
        event["requestContext"]["http"]["sourceIp"] = json!(source);
        // What a sender says of itself does not count.
        event["headers"]["x-forwarded-for"] = json!("127.0.0.1");
        let answer = stack.invoke("webhook", &event).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{source}: {answer}");
    }
}

#[tokio::test]
async fn whoever_is_in_no_group_is_told_so() {
    let Some(stack) = Stack::shared() else { return };
    let mut visitor = Visitor::to(&stack);
    let shown = visitor.sign_in(&person("stranger")).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert!(shown.html.contains(&person("stranger")) && shown.html.contains("demo:bookkeeper"));
    assert!(visitor.cookie("__Host-bokbro-session").is_none());
}

#[tokio::test]
async fn a_sign_in_counts_in_its_own_browser_only() {
    let Some(stack) = Stack::shared() else { return };
    let mut one = Visitor::to(&stack);
    let mut other = Visitor::to(&stack);
    for path in ["/app/sign-in/callback", "/app/sign-in/callback?code=c&state=s"] {
        assert_eq!(one.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let begun = one.send(Method::GET, "/app/sign-in/start", &[]).await;
    let location = reqwest::Url::parse(begun.headers()["location"].to_str().unwrap()).unwrap();
    let state = location.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    other.send(Method::GET, "/app/sign-in/start", &[]).await;
    let stolen = other.get(&format!("/app/sign-in/callback?code=c&state={state}")).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    let made_up = one.get(&format!("/app/sign-in/callback?code=c&state={state}")).await;
    assert_eq!(made_up.status, StatusCode::BAD_REQUEST, "the code is not the provider's: {}", made_up.html);
}

#[tokio::test]
async fn only_our_own_forms_count() {
    let Some(stack) = Stack::shared() else { return };
    let mut visitor = Visitor::signed_in(&stack, &person("viewer")).await;
    let token = visitor.get("/app").await.form_token();
    assert_eq!(
        visitor.post_bare("/app/language", &[("language", "sv")]).await.status,
        StatusCode::BAD_REQUEST
    );
    let wrong = [("language", "sv"), ("form_token", "0")];
    assert_eq!(visitor.post_bare("/app/language", &wrong).await.status, StatusCode::BAD_REQUEST);
    let mut other = Visitor::signed_in(&stack, &person("viewer")).await;
    let foreign = [("language", "sv"), ("form_token", token.as_str())];
    assert_eq!(other.post_bare("/app/language", &foreign).await.status, StatusCode::BAD_REQUEST);
    let session = format!("__Host-bokbro-session={}", visitor.cookie("__Host-bokbro-session").unwrap());
    let elsewhere = stack.stranger(Method::POST, "/app/language").header("cookie", &session);
    let elsewhere = elsewhere.header("sec-fetch-site", "cross-site").form(&foreign).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::BAD_REQUEST);
    // The API takes the cookie for reading, and for changes only with the token.
    let api = |method| stack.stranger(method, "/v1/orders").header("cookie", &session);
    assert_eq!(read(api(Method::GET)).await.0, StatusCode::OK);
    let (status, problem) = read(api(Method::POST).json(&json!({}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("form_token_missing")));
    let (status, problem) = read(api(Method::POST).header("x-form-token", &token).json(&json!({}))).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::FORBIDDEN, &json!("forbidden")),
        "a viewer posts no orders"
    );

    let swedish = visitor.post("/app/language", &[("language", "sv"), ("back", "/app")]).await;
    assert!(swedish.html.contains("<html lang=\"sv\">"), "{}", swedish.html);
}

#[tokio::test]
async fn an_agency_goes_from_one_company_to_the_other() {
    let Some(stack) = Stack::shared() else { return };
    let mut agency = Visitor::signed_in(&stack, &person("agency")).await;
    assert!(agency.get("/app").await.html.contains("demo · "));
    let there = agency.post("/app/tenant", &[("tenant", "second")]).await;
    assert!(there.html.contains("second · "), "{}", there.html);
    assert_eq!(agency.post("/app/tenant", &[("tenant", "third")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_is_shown_once_and_counts_until_it_is_revoked() {
    let Some(stack) = Stack::shared() else { return };
    let made =
        stack.request(Method::POST, "/v1/api-keys").json(&json!({"name": "webshop", "role": "operator"}));
    let (status, made) = read(made).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with(made["prefix"].as_str().unwrap()) && key.len() > 60);
    let call = |path: &str| stack.stranger(Method::GET, path).bearer_auth(key);
    assert_eq!(read(call("/v1/orders")).await.0, StatusCode::OK);
    assert_eq!(read(call("/v1/api-keys")).await.0, StatusCode::FORBIDDEN);

    let listed = stack.get("/v1/api-keys").await;
    let ours = listed["items"].as_array().unwrap().iter().find(|item| item["id"] == json!(id)).unwrap();
    assert_eq!((&ours["name"], &ours["role"]), (&json!("webshop"), &json!("operator")));
    assert!(ours["used_at"].is_string() && ours.get("key").is_none(), "{ours}");
    assert!(!listed.to_string().contains(key));

    let revoke = || stack.request(Method::DELETE, &format!("/v1/api-keys/{id}"));
    assert_eq!(read(revoke()).await.0, StatusCode::OK);
    assert_eq!(read(revoke()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(read(call("/v1/orders")).await.0, StatusCode::UNAUTHORIZED);
    let audit = stack.get("/v1/audit?limit=200").await;
    let told: Vec<&Value> =
        audit["items"].as_array().unwrap().iter().filter(|entry| entry["subject"] == json!(id)).collect();
    assert_eq!(told.len(), 2, "{audit}");
}

#[tokio::test]
async fn settings_are_changed_with_the_field_named() {
    let Some(stack) = Stack::alone() else { return };
    let before = stack.get("/v1/settings").await;
    assert!(before["available"]["accounting"].as_array().unwrap().len() >= 2, "{before}");
    let put = |body: &Value| stack.request(Method::PUT, "/v1/settings").json(body);
    let (status, problem) = read(put(&json!({"payments": "nobody"}))).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("payments")));
    let mut changed = before.clone();
    changed["accounts"] = json!({"payment_claim": 1584});
    let (status, after) = read(put(&changed)).await;
    assert_eq!((status, &after["accounts"]), (StatusCode::OK, &changed["accounts"]), "{after}");
    let (status, again) = read(put(&before)).await;
    assert_eq!((status, &again["accounts"]), (StatusCode::OK, &before["accounts"]), "{again}");
}
