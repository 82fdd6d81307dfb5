//! Whatever is sent, the API answers as its contract says and never with a failure of its own.

use std::collections::BTreeMap;

use bokbro_tests::contract::{Contract, Route, ask};
use bokbro_tests::stack::Stack;
use futures::StreamExt;
use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::stack_contract::{contract, owner_elsewhere};

/// Odd bodies for each route that takes one.
const BODIES: usize = 20;
/// Requests at a time.
const AT_ONCE: usize = 4;
/// Routes that are left out: one looks at every queue for some time, one is for browsers.
const SLOW: [&str; 2] = ["dead_letters_list", "consent_callback"];

/// A request, what it is called when it fails, and whether its body keeps to the schema.
struct Odd {
    route: Route,
    name: String,
    request: RequestBuilder,
    fits: bool,
}

/// Draws from a strategy, the same things in each run.
pub(crate) fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    let tree: NewTree<S> = strategy.new_tree(runner);
    tree.unwrap().current()
}

/// A value that hardly anybody wants.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        "\\PC{1,40}".prop_map(Value::from),
        "[\\x00-\\x1f]{1,3}".prop_map(Value::from),
        (1_000usize..20_000).prop_map(|length| Value::from("å".repeat(length))),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{"a": [null]}]])),
        Just(json!({"$ref": "#"})),
        Just(json!("-1e400")),
        Just(json!("../../etc/passwd")),
        Just(json!("' OR 1=1 --")),
    ]
}

/// What is done to an example.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Replace(usize, Value),
    Remove(usize),
    Add(usize, String, Value),
    Whole(Value),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        5 => (any::<usize>(), odd()).prop_map(|(at, value)| Change::Replace(at, value)),
        2 => any::<usize>().prop_map(Change::Remove),
        2 => (any::<usize>(), "[a-z_]{1,12}", odd()).prop_map(|(at, name, value)| Change::Add(at, name, value)),
        1 => odd().prop_map(Change::Whole),
    ]
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |name: &str, value: &Value| {
        let place = format!("{at}/{name}");
        found.push(place.clone());
        places(value, &place, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| below(&index.to_string(), value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn changed(example: &Value, change: &Change) -> Value {
    let mut value = example.clone();
    let mut all = Vec::new();
    places(example, "", &mut all);
    match change {
        Change::Replace(at, odd) => {
            *value.pointer_mut(&all[at % all.len()]).unwrap() = odd.clone();
        }
        Change::Remove(at) => {
            let (parent, name) = all[at % all.len()].rsplit_once('/').unwrap();
            match value.pointer_mut(parent).unwrap() {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => unreachable!(),
            }
        }
        Change::Add(at, name, odd) => {
            all.push(String::new());
            all.retain(|place| example.pointer(place).is_some_and(Value::is_object));
            value.pointer_mut(&all[at % all.len()]).unwrap()[name] = odd.clone();
        }
        Change::Whole(odd) => value = odd.clone(),
    }
    value
}

#[tokio::test]
async fn odd_requests_are_refused_as_promised() {
    let Some(stack) = Stack::alone() else { return };
    let contract = contract(&stack).await;
    let key = owner_elsewhere(&stack).await;
    let ask_as_owner = |method: &Method, path: &str| stack.stranger(method.clone(), path).bearer_auth(&key);
    let mut runner = TestRunner::deterministic();
    let mut all = Vec::new();
    for route in contract.routes().into_iter().filter(|route| !SLOW.contains(&route.id())) {
        odd_addresses(&route, &ask_as_owner, &mut all);
        odd_bodies(&contract, &route, &ask_as_owner, &mut runner, &mut all);
    }
    let count = all.len();
    let answered =
        futures::stream::iter(all).map(async |odd| (ask(odd.request).await, odd.route, odd.name, odd.fits));
    let answered: Vec<_> = answered.buffer_unordered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    for (answered, route, name, fits) in answered {
        let status = answered.status;
        if status.is_server_error() {
            wrong.push(format!("{name}: {answered:?}"));
        } else if let Some(why) = contract.wrong(&route, &answered) {
            wrong.push(format!("{name}: {why}"));
        } else if !fits && !status.is_client_error() {
            wrong.push(format!("{name}: {status} to what the contract does not allow"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 300, "{count} requests");
}

/// Paths and queries that nobody means.
fn odd_addresses(route: &Route, ask: &dyn Fn(&Method, &str) -> RequestBuilder, all: &mut Vec<Odd>) {
    let mut push = |path: String, query: String, fits: bool| {
        let name = format!("{} {path}{query}", route.method);
        let mut request = ask(&route.method, &format!("{path}{query}"));
        if let Some((_, example)) = route.posted() {
            request = request.json(example);
        }
        all.push(Odd { route: route.clone(), name, request, fits });
    };
    if !route.parameters("path").is_empty() {
        let long = "x".repeat(300);
        for other in
            ["x", "%00", "%FF", "%C3%B6", "%2E%2E%2Fsecrets", "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV", &long]
        {
            push(route.at(&BTreeMap::new(), other), String::new(), true);
        }
    }
    let known = BTreeMap::new();
    for parameter in route.parameters("query") {
        let long = "9".repeat(2_000);
        for value in ["", "0", "201", "99999999999999999999", "x", "%FF", &long] {
            push(route.at(&known, "x"), format!("?{parameter}={value}"), true);
        }
        push(route.at(&known, "x"), format!("?{parameter}=1&{parameter}=2"), true);
    }
    if route.method == Method::GET {
        push(route.at(&known, "x"), "?nobody=asked&=&&%".to_owned(), true);
    }
}

/// Bodies of the wrong kind, with members missing, strange or too many.
fn odd_bodies(
    contract: &Contract,
    route: &Route,
    ask: &dyn Fn(&Method, &str) -> RequestBuilder,
    runner: &mut TestRunner,
    all: &mut Vec<Odd>,
) {
    let Some((schema, example)) = route.posted() else { return };
    let validator = contract.validator(schema);
    let provider = [("provider", "viva".to_owned())].into();
    let path = route.at(&provider, "prk_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let mut push = |body: Vec<u8>, fits: bool| {
        let shown: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        let request = ask(&route.method, &path).header("content-type", "application/json").body(body);
        all.push(Odd {
            route: route.clone(),
            name: format!("{} {path} {shown}", route.method),
            request,
            fits,
        });
    };
    for _ in 0..BODIES {
        let body = changed(example, &draw(runner, &change()));
        push(body.to_string().into_bytes(), validator.is_valid(&body));
    }
    let required = route.about["requestBody"]["required"] == json!(true);
    push(Vec::new(), !required);
    for bytes in [&b"{"[..], b"\xff\xfe", b"{}{}", b"[1,]", &[b'['; 5_000], &[b' '; 1024 * 1024 + 1]] {
        push(bytes.to_vec(), false);
    }
}
