//! The API against its own contract, on the real binaries: its form, its examples, who may call what, and what is not in it.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_tests::contract::{Answered, Contract, Route, ask};
use bokbro_tests::stack::{LIMIT, Stack, own_sample, read, until};
use bokbro_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// The roles, the least first.
pub(crate) const ROLES: [&str; 4] = ["viewer", "operator", "bookkeeper", "owner"];

pub(crate) async fn contract(stack: &Stack) -> Contract {
    let answered = ask(stack.stranger(Method::GET, "/openapi.json")).await;
    assert_eq!((answered.status, answered.media.as_str()), (StatusCode::OK, "application/json"));
    Contract { document: answered.body }
}

/// An owner's key of the other tenant, where nothing is connected and nobody else works; the only key there. A tenant has
/// so many keys at most, and a test that fails takes none of its own away.
pub(crate) async fn owner_elsewhere(stack: &Stack) -> String {
    let mut agency = Visitor::signed_in(stack, "agency@demobolaget.example").await;
    let there = agency.post("/app/tenant", &[("tenant", "second")]).await;
    let cookie = format!("__Host-bokbro-session={}", agency.cookie("__Host-bokbro-session").unwrap());
    let as_owner = |method, path: &str| {
        let request = stack.stranger(method, path).header("cookie", &cookie);
        request.header("x-form-token", there.form_token())
    };
    let (_, old) = read(as_owner(Method::GET, "/v1/api-keys")).await;
    for key in old["items"].as_array().unwrap() {
        let path = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
        assert_eq!(read(as_owner(Method::DELETE, &path)).await.0, StatusCode::OK, "{key}");
    }
    let make = as_owner(Method::POST, "/v1/api-keys").json(&json!({"name": "contract", "role": "owner"}));
    let (status, made) = read(make).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_contract_is_open_and_whole() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let document = &contract.document;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    for route in contract.routes() {
        let (id, about) = (route.id(), &route.about);
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        for text in ["summary", "/responses"] {
            let told = about.pointer(text).unwrap_or(&about[text]);
            assert!(!told.is_null(), "{id} has no {text}");
        }
        let named: BTreeSet<&str> =
            route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, route.parameters("path").into_iter().collect(), "{id}");
        for told in about["responses"].as_object().unwrap().values() {
            assert!(told["description"].is_string(), "{id}: {told}");
        }
        for scheme in
            about["security"].as_array().unwrap().iter().flat_map(|one| one.as_object().unwrap().keys())
        {
            assert!(schemes.contains_key(scheme), "{id}: {scheme}");
        }
        assert_eq!(route.role().is_none(), about["security"] == json!([]), "{id}");
    }
    let mut used = BTreeSet::new();
    references(document, &mut used);
    let known: BTreeSet<String> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(used, known, "every shape is used, and every use has its shape");
}

#[tokio::test]
async fn people_can_read_the_contract_too() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let mut viewer = Visitor::signed_in(&stack, "viewer@demobolaget.example").await;
    let page = viewer.get("/app/api").await;
    assert_eq!(page.status, StatusCode::OK);
    for route in contract.routes() {
        assert!(page.html.contains(&format!("id=\"{}\"", route.id())), "{}", route.id());
    }
    assert!(page.html.len() < 90_000, "{} bytes, and style and script come on top", page.html.len());
}

/// Every `$ref` of a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_route_needs_its_role_and_no_less() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let mut keys = Vec::new();
    for role in ROLES {
        let make =
            stack.request(Method::POST, "/v1/api-keys").json(&json!({"name": "contract", "role": role}));
        let (status, made) = read(make).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        keys.push((made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned()));
    }
    let mut walked = 0;
    for route in contract.routes() {
        let Some(role) = route.role() else { continue };
        let path = route.at(&BTreeMap::new(), "x");
        let needed = ROLES.iter().position(|known| *known == role).unwrap();
        let stranger = ask(stack.stranger(route.method.clone(), &path)).await;
        told(&contract, &route, &stranger, 401, "unauthorized");
        for (_, key) in &keys[..needed] {
            let answered = ask(stack.stranger(route.method.clone(), &path).bearer_auth(key)).await;
            told(&contract, &route, &answered, 403, "forbidden");
        }
        // Whoever has the role gets past the door. Without a body and with an id of nobody nothing is done, but for these.
        if !["orders_sync_pending", "dead_letters_list"].contains(&route.id()) {
            let answered =
                ask(stack.stranger(route.method.clone(), &path).bearer_auth(&keys[needed].1)).await;
            assert!(![401, 403].contains(&answered.status.as_u16()), "{}: {answered:?}", route.id());
            assert_eq!(contract.wrong(&route, &answered), None, "{}", route.id());
        }
        walked += 1;
    }
    assert!(walked >= 25, "{walked} routes with a role");
    for (id, _) in keys {
        let revoked = ask(stack.request(Method::DELETE, &format!("/v1/api-keys/{id}"))).await;
        assert_eq!(revoked.status, StatusCode::OK);
    }
}

#[track_caller]
fn told(contract: &Contract, route: &Route, answered: &Answered, status: u16, code: &str) {
    assert_eq!((answered.status.as_u16(), &answered.body["code"]), (status, &json!(code)), "{}", route.id());
    assert_eq!(contract.wrong(route, answered), None, "{}", route.id());
}

#[tokio::test]
async fn what_is_not_in_the_contract_is_not_there() {
    let Some(stack) = Stack::shared() else { return };
    let contract = contract(&stack).await;
    let mut methods: BTreeMap<String, Vec<Method>> = BTreeMap::new();
    for route in contract.routes() {
        methods.entry(route.at(&BTreeMap::new(), "x")).or_default().push(route.method);
    }
    let all = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
    let mut tried = 0;
    for (path, known) in &methods {
        for method in all.iter().filter(|method| !known.contains(method)) {
            let answered = ask(stack.request(method.clone(), path)).await;
            assert!([404, 405].contains(&answered.status.as_u16()), "{method} {path}: {answered:?}");
            tried += 1;
        }
    }
    assert!(tried > methods.len(), "{tried}");
    for path in [
        "/v1",
        "/v1/",
        "/v1/order",
        "/v1/orders/",
        "/v1/orders/x/y",
        "/v2/orders",
        "/V1/orders",
        "/openapi",
        "/openapi.yaml",
        "/docs",
        "/.env",
        "/admin",
        "/v1/keys",
        "/v1/connections/x/secrets",
        "/v1/api-keys/x/key",
    ] {
        let answered = ask(stack.request(Method::GET, path)).await;
        let told = (answered.status.as_u16(), answered.body["code"].as_str(), answered.media.as_str());
        assert_eq!(told, (404, Some("not_found"), "application/problem+json"), "{path}: {answered:?}");
    }
}

/// Each route's example does what the route promises, in an order in which what is needed is there.
#[tokio::test]
async fn every_example_works() {
    let Some(stack) = Stack::alone() else { return };
    let contract = contract(&stack).await;
    let elsewhere = owner_elsewhere(&stack).await;
    let demo = stack.text("/api_key").to_owned();
    let mut left: BTreeSet<String> = contract.routes().iter().map(|route| route.id().to_owned()).collect();
    // An id for each kind of thing, and which provider.
    let order = own_order(&stack).await;
    let parked = parked(&stack, "a text that names nothing").await;
    let books = stack.text("/accounting").to_owned();
    let of = |name: &'static str, value: &str| BTreeMap::from([(name, value.to_owned())]);
    let webhook: BTreeMap<&str, String> =
        [("provider", "viva".to_owned()), ("endpoint", stack.text("/viva_endpoint").to_owned())].into();
    let credentials = stack.told["credentials"]["viva"].clone();

    let mut run = async |id: &str, key: &str, known: &BTreeMap<&str, String>, body: Option<Value>| {
        let route = contract.route(id);
        let mut request = stack.stranger(route.method.clone(), &route.at(known, "x"));
        if route.role().is_some() {
            request = request.bearer_auth(key).header("accept", "application/json");
        }
        if let Some(body) = body.or_else(|| route.posted().map(|(_, example)| example.clone())) {
            let (schema, _) = route.posted().unwrap();
            assert!(contract.validator(schema).is_valid(&body), "{id}: {body}");
            request = request.json(&body);
        }
        let answered = ask(request).await;
        assert!(answered.status.is_success(), "{id}: {answered:?}");
        assert_eq!(contract.wrong(&route, &answered), None, "{id}");
        left.remove(id);
        answered.body
    };
    let nothing = BTreeMap::new();
    for id in [
        "health",
        "contract",
        "orders_list",
        "stock_list",
        "parked_list",
        "dead_letters_list",
        "jobs_list",
        "audit_list",
        "settings_show",
        "api_keys_list",
        "connections_list",
    ] {
        run(id, &demo, &nothing, None).await;
    }
    // The example's number and code are free once only.
    let mut posted = contract.route("order_post").posted().unwrap().1.clone();
    posted["order_number"] = json!(Uuid::new_v4().simple().to_string());
    posted["viva_order_code"] =
        json!((Uuid::new_v4().as_u128() % 10_u128.pow(15) + 10_u128.pow(15)).to_string());
    run("order_post", &elsewhere, &nothing, Some(posted)).await;
    // Where nothing is connected, nothing of a provider's can fail.
    run("health_deep", &elsewhere, &nothing, None).await;
    for id in ["order_show", "order_timeline", "order_sync", "order_cancel"] {
        run(id, &demo, &of("id", &order), None).await;
    }
    run("order_test", &demo, &nothing, None).await;
    run("parked_resolve", &demo, &of("id", &parked), None).await;
    let job = run("orders_sync_pending", &elsewhere, &nothing, None).await;
    run("job_show", &elsewhere, &of("id", job["id"].as_str().unwrap()), None).await;
    run("dead_letters_replay", &elsewhere, &nothing, None).await;
    run("settings_change", &elsewhere, &nothing, None).await;
    let key = run("api_key_make", &elsewhere, &nothing, None).await;
    run("api_key_revoke", &elsewhere, &of("id", key["id"].as_str().unwrap()), None).await;
    // Only the real credentials are let in.
    run("connection_enter", &elsewhere, &of("provider", "viva"), Some(credentials)).await;
    run("connection_health", &elsewhere, &of("provider", "viva"), None).await;
    run("connection_refresh", &elsewhere, &of("provider", "viva"), None).await;
    run("connection_disconnect", &elsewhere, &of("provider", "viva"), None).await;
    run("connection_sync", &demo, &of("provider", &books), None).await;
    run("consent_start", &elsewhere, &of("provider", &books), None).await;
    run("webhook_handshake", "", &webhook, None).await;
    run("webhook_receive", "", &webhook, None).await;
    // It takes a browser that somebody has sent away: without one it says so, as `tests/it/oauth.rs` has it.
    let callback = contract.route("consent_callback");
    let lost = ask(stack.stranger(Method::GET, &callback.at(&of("provider", &books), ""))).await;
    assert_eq!(contract.wrong(&callback, &lost), None);
    left.remove("consent_callback");
    assert!(left.is_empty(), "nobody has tried {left:?}");
}

async fn own_order(stack: &Stack) -> String {
    let (status, order) = stack.post(&own_sample()).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    order["id"].as_str().unwrap().to_owned()
}

/// Something that waits for a human: a webhook that claims another amount than was paid. `text` is what the payment says
/// of its order.
pub(crate) async fn parked(stack: &Stack, text: &str) -> String {
    let code = stack.checkout(74_700, text).await;
    let (transaction, mut event) = stack.pay_in_silence(code).await;
    event["EventData"]["Amount"] = json!(1.0);
    let (status, _) = read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
    assert_eq!(status, StatusCode::OK);
    let item =
        until(LIMIT, "the lie to be parked", async || stack.parked_for(&transaction).await.pop()).await;
    item["id"].as_str().unwrap().to_owned()
}
