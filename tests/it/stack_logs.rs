//! What the real functions say of an order, in the logs that they write.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bokbro_app::metrics::METRICS;
use bokbro_tests::stack::{LIMIT, Ordered, Stack, until};
use serde_json::{Value, json};

/// Lines of a function that are about something, once they are all there: a run's lines come together, after its end.
fn lines(stack: &Stack, function: &str, about: impl Fn(&Value) -> bool) -> Vec<Value> {
    let file = Path::new(stack.text("/logs")).join(format!("{function}.log"));
    let text = fs::read_to_string(file).unwrap();
    // The last line may still be being written.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(about).collect()
}

/// Waits for the line that a function ends a piece of work with.
async fn handled(stack: &Stack, function: &str, about: impl Fn(&Value) -> bool) -> Value {
    let ended = |line: &Value| {
        ["message handled", "request handled"].iter().any(|message| line["message"] == *message)
            && about(line)
    };
    until(LIMIT, &format!("{function} to say that it is done"), async || {
        lines(stack, function, ended).into_iter().next()
    })
    .await
}

async fn shipped(stack: &Stack, order: &Ordered) {
    let path = format!("/v1/orders/{}", order.id);
    until(LIMIT, "a parcel order", async || {
        (stack.get(&path).await["sync"]["warehouse"]["state"] == "done").then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_correlation_id_leads_from_the_webhook_to_the_last_effect() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    stack.booked(&order, LIMIT).await;
    shipped(&stack, &order).await;

    let of_order = |line: &Value| line["order"] == order.id.as_str();
    let payment = handled(&stack, "payments", |line| of_order(line) && line["kind"] == "payment").await;
    let id = payment["correlation"].clone();
    assert!(id.is_string(), "{payment}");
    let same = |line: &Value| line["correlation"] == id;
    let webhook = handled(&stack, "webhook", same).await;
    assert_eq!((&webhook["status"], &webhook["tenant"]), (&json!(200), &json!("demo")), "{webhook}");
    assert_eq!(webhook["route"], "/webhooks/{provider}/{endpoint}");
    let done = |line: &Value| same(line) && of_order(line) && line["disposition"] == "done";
    let mut units = vec![webhook, payment];
    for function in ["accounting", "warehouse"] {
        units.push(handled(&stack, function, done).await);
    }
    for unit in &units {
        for member in ["function", "function_version", "version", "stage", "tenant", "requestId", "timestamp"]
        {
            assert!(unit[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {unit}");
        }
        assert!(unit["duration_ms"].is_u64(), "{unit}");
    }
    for unit in &units[1..] {
        assert!(unit["attempt"].as_u64().is_some_and(|attempt| attempt >= 1), "{unit}");
    }

    // Whatever was called for the order says so, and what the run counts is right.
    let functions = ["webhook", "payments", "accounting", "warehouse"];
    let said: Vec<Value> = functions.iter().flat_map(|function| lines(&stack, function, same)).collect();
    let calls = |provider: &str| {
        said.iter().filter(|line| line["message"] == "provider call" && line["provider"] == provider).count()
    };
    for provider in ["viva", "fortnox", "ongoing"] {
        assert!(calls(provider) > 0, "no call of {provider} has the correlation id");
    }
    let mut counts: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for line in &said {
        for metric in METRICS {
            counts.entry(metric.name).or_default().extend(line[metric.name].as_i64());
        }
    }
    let lag = counts.remove("BookedLag").unwrap();
    assert!(lag.len() == 1 && (0..=120).contains(&lag[0]), "{lag:?}");
    let refreshes = counts.remove("TokenRefreshes").unwrap();
    assert!(refreshes.len() <= 2, "{refreshes:?}");
    counts.retain(|_, values| !values.is_empty());
    assert_eq!(counts, BTreeMap::from([("Webhooks", vec![1]), ("Synced", vec![1, 1])]));
    let synced = said.iter().filter(|line| line["Synced"].is_number());
    let mut at: Vec<&str> = synced.map(|line| line["provider"].as_str().unwrap()).collect();
    at.sort_unstable();
    assert_eq!(at, ["fortnox", "ongoing"]);
}

#[tokio::test]
async fn every_request_says_one_line_and_no_line_opens_a_door() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.get(&format!("/v1/orders/{}", order.id)).await;
    let accepted = until(LIMIT, "the order to be told of", async || {
        let accepted =
            |line: &Value| line["message"] == "order accepted" && line["order"] == order.id.as_str();
        lines(&stack, "admin", accepted).into_iter().next()
    })
    .await;
    let same = |line: &Value| line["correlation"] == accepted["correlation"];
    let request = handled(&stack, "admin", same).await;
    assert_eq!((&request["route"], &request["method"]), (&json!("/v1/orders"), &json!("POST")), "{request}");
    assert_eq!((&request["status"], &request["tenant"]), (&json!(201), &json!("demo")), "{request}");
    let ends = lines(&stack, "admin", |line| same(line) && line["message"] == "request handled");
    assert_eq!(ends.len(), 1, "{ends:?}");
    let opens = ["/api_key", "/viva_endpoint", "/ongoing_endpoint", "/ongoing_token"]
        .map(|pointer| stack.text(pointer));
    for file in fs::read_dir(stack.text("/logs")).unwrap() {
        let path = file.unwrap().path();
        // What the local AWS says of itself, and the copying, are not the functions' words.
        if path.file_stem().is_some_and(|name| name == "ministack" || name == "copy") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for opens in opens {
            assert!(!text.contains(opens), "{} has what opens a door", path.display());
        }
    }
}
