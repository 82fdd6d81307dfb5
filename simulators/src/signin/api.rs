//! Its routes: discovery, keys, the page, tokens, the end of a session.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, KeyPair as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Code, Person, Shared};
use crate::kit::oauth::{after, back_to, is_client};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(60);

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/keys", get(keys))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/logout", get(logout))
        .with_state(shared)
}

fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

async fn discovery(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Json<Value> {
    let origin = origin(&headers);
    let issuer = shared.state().switches.wrong_issuer.clone().unwrap_or_else(|| origin.clone());
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "jwks_uri": format!("{origin}/keys"),
        "end_session_endpoint": format!("{origin}/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let state = shared.state();
    let point = state.key.pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(32);
    let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
    Json(json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": state.key.id(), "x": x, "y": y },
    ]}))
}

/// Query of the page.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Authorize {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
    login_hint: String,
}

async fn authorize(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Authorize>,
    uri: axum::http::Uri,
) -> Response {
    if asked.client_id != shared.config.client_id || asked.redirect_uri.is_empty() {
        // Nobody is sent to an address that was not registered with the app.
        return (StatusCode::BAD_REQUEST, Html("<h1>Unknown app</h1>")).into_response();
    }
    let back = |error: &str| back_to(&asked.redirect_uri, &[("error", error), ("state", &asked.state)]);
    if asked.response_type != "code" || !asked.scope.split(' ').any(|scope| scope == "openid") {
        return back("invalid_request");
    }
    if asked.code_challenge_method != "S256" || asked.code_challenge.is_empty() {
        return back("invalid_request");
    }
    if let Some(refuse) = shared.state().switches.refuse.clone() {
        return back(&refuse);
    }
    let Some(person) = shared.config.people.iter().find(|person| person.email == asked.login_hint) else {
        return people(&shared.config.people, uri.query().unwrap_or_default()).into_response();
    };
    let now = shared.clock.now();
    let mut state = shared.state();
    let code = state.mint.digest(now);
    let code = state.mint.give(code);
    let granted = Code {
        person: person.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        challenge: asked.code_challenge.clone(),
        nonce: asked.nonce.clone(),
        expires: after(now, CODE_LIFE),
    };
    state.codes.insert(code.clone(), granted);
    back_to(&asked.redirect_uri, &[("code", &code), ("state", &asked.state)])
}

/// The page: a link per person, because there is no password to know.
fn people(people: &[Person], query: &str) -> Html<String> {
    let query = query.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let links = people.iter().map(|Person { email, groups }| {
        let groups = groups.join(", ");
        format!("<li><a href=\"/authorize?{query}&amp;login_hint={email}\">{email}</a> ({groups})</li>\n")
    });
    let links: String = links.collect();
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in</title></head>\n\
         <body><h1>Who are you?</h1>\n<p>This stands in for your company's sign-in service.</p>\n<ul>\n{links}</ul></body></html>\n"
    ))
}

/// Form of the token endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenForm {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<TokenForm>,
) -> Response {
    if !is_client(&headers, &shared.config.client_id, &shared.config.client_secret) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    if form.grant_type != "authorization_code" {
        return refused("unsupported_grant_type");
    }
    let now = shared.clock.now();
    let mut state = shared.state();
    // A code counts once, right or wrong.
    let Some(code) = state.codes.remove(&form.code) else { return refused("invalid_grant") };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form.code_verifier.as_bytes()));
    if now >= code.expires || code.redirect_uri != form.redirect_uri || code.challenge != challenge {
        return refused("invalid_grant");
    }
    let mut claims = json!({
        "iss": origin(&headers),
        "aud": shared.config.client_id,
        "sub": format!("sim-{}", code.person.email),
        "email": code.person.email,
        "nonce": code.nonce,
        "iat": now.as_second(),
        "exp": after(now, TOKEN_LIFE).as_second(),
        (shared.config.groups_claim.as_str()): code.person.groups,
    });
    for (name, value) in std::mem::take(&mut state.switches.wrong_claims) {
        claims[name] = value;
    }
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|_, value| !value.is_null());
    }
    let algorithm = state.switches.wrong_algorithm.take().unwrap_or_else(|| "ES256".to_owned());
    let head = json!({ "alg": algorithm, "kid": state.key.id(), "typ": "JWT" });
    let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{head}.{claims}");
    let Some(signature) = signature(&algorithm, &state.key.pair, &shared.random, &signed) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let id_token = state.mint.give(format!("{signed}.{signature}"));
    let access_token = state.mint.digest(now);
    let access_token = state.mint.give(access_token);
    let life = TOKEN_LIFE.as_secs();
    Json(json!({
        "token_type": "Bearer", "access_token": access_token, "id_token": id_token, "expires_in": life,
    }))
    .into_response()
}

/// A signature as the algorithm has it. The secret of `HS256` is the public key, which is what attackers try.
fn signature(algorithm: &str, pair: &EcdsaKeyPair, random: &SystemRandom, signed: &str) -> Option<String> {
    let signature = match algorithm {
        "none" => Vec::new(),
        "HS256" => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, pair.public_key().as_ref());
            hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
        }
        _ => pair.sign(random, signed.as_bytes()).ok()?.as_ref().to_vec(),
    };
    Some(URL_SAFE_NO_PAD.encode(signature))
}

/// Query of the end of a session.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Logout {
    post_logout_redirect_uri: String,
}

async fn logout(Query(asked): Query<Logout>) -> Response {
    back_to(&asked.post_logout_redirect_uri, &[])
}
