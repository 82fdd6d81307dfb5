//! What the connector says to the warehouse, held against the reconstructed description of its API.

use std::collections::BTreeSet;

use bokbro_connectors::ongoing::OPERATIONS;
use bokbro_domain::ids::Provider;
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::contract::specs_dir;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::ongoing::Work;
use bokbro_simulators::viva::VivaConfig;
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

use super::shipped_order;
use crate::contracts::{Exchange, Recorder};

/// The description of 2022, with what was added to it until 2023.
struct Description {
    document: Value,
    additions: Value,
}

impl Description {
    fn load() -> Option<Self> {
        let dir = specs_dir()?.join("ongoing");
        let read = |name: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(dir.join(name)).unwrap()).unwrap()
        };
        let document = closed(&read("openapi-reconstructed-2022.json"));
        Some(Self { document, additions: read("additions-2023.json") })
    }

    /// Everything about an exchange that the description does not know.
    fn problems(&self, exchange: &Exchange) -> Vec<String> {
        let (path, query) = exchange.path.split_once('?').unwrap_or((&exchange.path, ""));
        let path = path.strip_prefix("/demo").unwrap();
        let template = match path.rsplit_once('/') {
            Some((head, id)) if id.bytes().all(|b| b.is_ascii_digit()) => format!("{head}/{{orderId}}"),
            _ => path.to_owned(),
        };
        let method = exchange.method.to_lowercase();
        let (old, new) =
            (&self.document["paths"][&template][&method], &self.additions["operations"][&template][&method]);
        if old.is_null() && new.is_null() {
            return vec![format!("there is no {method} {template}")];
        }
        let mut known: BTreeSet<&str> =
            old["parameters"].as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
        for added in [&new["new_query_params"], &new["query"]] {
            known.extend(added.as_array().into_iter().flatten().filter_map(Value::as_str));
        }
        let names =
            query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
        let mut problems: Vec<String> = names
            .filter(|name| !known.contains(name))
            .map(|name| format!("{method} {template} has no query parameter {name}"))
            .collect();
        let schema = old["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        match (schema, &exchange.body) {
            (Some(schema), Some(body)) => {
                let schema = json!({ "$ref": schema, "components": self.document["components"] });
                let validator = jsonschema::validator_for(&schema).unwrap();
                problems.extend(
                    validator
                        .iter_errors(body)
                        .map(|e| format!("{method} {template} {}: {e}", e.instance_path())),
                );
            }
            (None, Some(_)) => problems.push(format!("{method} {template} takes no body")),
            (_, None) => {}
        }
        problems
    }
}

/// Schemas without members beyond those named, as the live server has them, and with nullable as JSON Schema says it.
fn closed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let rest = members.iter().filter(|(name, _)| *name != "nullable" && *name != "format");
            let mut rest: serde_json::Map<String, Value> =
                rest.map(|(name, value)| (name.clone(), closed(value))).collect();
            if members.get("type") == Some(&json!("object")) && members.contains_key("properties") {
                rest.insert("additionalProperties".to_owned(), json!(false));
            }
            let rest = Value::Object(rest);
            if members.get("nullable") == Some(&json!(true)) {
                json!({ "anyOf": [rest, { "type": "null" }] })
            } else {
                rest
            }
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn the_warehouse_is_spoken_to_as_its_description_says() {
    let recorder = Recorder::new();
    let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
    let mut world =
        World::start_over(recorder.clone(), PostingProfile::Invoice, config, VivaConfig::default()).await;
    world.ship_with("ongoing").await;
    let mut body = sample();
    body["customer"]["phone"] = json!("070-123 45 67");
    body["customer"]["delivery"] = json!({"name": "Bo Ek", "address1": "Vägen 2", "address2": "lgh 1101", "zip": "222 33",
        "city": "Lund", "country": "SE"});
    let (_, code) = world.order("1", body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let refunded = shipped_order(&mut world, "2").await;
    super::refunds::refund(&mut world, &refunded, None).await;
    world.staff(&Work { order_number: "1".to_owned(), status: 450, ..Work::default() }).await;
    for _ in 0..2 {
        world.hour_passes().await;
        world.sync_clocks();
    }
    let ongoing = Provider::parse("ongoing").unwrap();
    let connection = world.app.directory.connection_get(&tenant(), &ongoing).await.unwrap().unwrap();
    let access = world.app.access.open(connection).await.unwrap();
    world.app.providers.checkup(&ongoing).unwrap().check(&access).await.unwrap();

    let mut heard = recorder.heard();
    heard.retain(|exchange| exchange.path.starts_with("/demo/"));
    let spoken: BTreeSet<&str> = heard.iter().map(|exchange| exchange.operation).collect();
    assert_eq!(spoken, BTreeSet::from(OPERATIONS), "an operation of the connector was not exercised");
    for exchange in &heard {
        assert!(exchange.authorization.starts_with("Basic WSI-demo:"), "{}", exchange.operation);
        assert!(exchange.headers.is_empty(), "{}", exchange.operation);
        let status = exchange.answer.as_ref().map(|(status, _)| *status);
        assert!(status.is_some_and(|status| status < 300), "{} {status:?}", exchange.operation);
    }
    let Some(description) = Description::load() else {
        eprintln!(
            "SKIPPED: requests to Ongoing are not checked against its description, BOKBRO_SPECS_DIR is unset"
        );
        return;
    };
    let problems: BTreeSet<String> =
        heard.iter().flat_map(|exchange| description.problems(exchange)).collect();
    assert!(problems.is_empty(), "{}", problems.into_iter().collect::<Vec<_>>().join("\n"));
    // The check would see a member too many.
    let order = heard.iter_mut().find(|exchange| exchange.operation == "put_order").unwrap();
    order.body.as_mut().unwrap()["consignee"]["nickname"] = json!("Bo");
    assert_eq!(description.problems(order).len(), 1);
}
