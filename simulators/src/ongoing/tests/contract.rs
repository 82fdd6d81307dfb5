//! Answers against the reconstructed description of the API, when the folder with it is at hand.

use serde_json::{Value, json};

use super::{Bench, order};
use crate::contract::specs_dir;

/// Parts of an order that the description of 2022 lacks and later observations have.
const LATER: [&str; 3] = ["tracking", "classes", "shipmentInfo"];

/// Nullable members, as JSON Schema says it.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let nullable = members.get("nullable") == Some(&json!(true));
            let rest = members.iter().filter(|(name, _)| *name != "nullable" && *name != "format");
            let rest = Value::Object(rest.map(|(name, value)| (name.clone(), plain(value))).collect());
            if nullable { json!({ "anyOf": [rest, { "type": "null" }] }) } else { rest }
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be visible in the test output")]
async fn answers_are_what_the_description_says() {
    let Some(dir) = specs_dir() else {
        eprintln!(
            "SKIPPED: BOKBRO_SPECS_DIR is not set, so answers are not compared with Ongoing's description"
        );
        return;
    };
    let text = std::fs::read_to_string(dir.join("ongoing/openapi-reconstructed-2022.json")).unwrap();
    let components = plain(&serde_json::from_str::<Value>(&text).unwrap()["components"]);
    let check = |name: &str, body: &Value| {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}"), "components": components });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(body).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
    };
    let known = |name: &str, members: &Value| {
        let schema = &components["schemas"][name]["properties"];
        let unknown: Vec<&String> = members
            .as_object()
            .unwrap()
            .keys()
            .filter(|member| schema.get(member.as_str()).is_none() && !LATER.contains(&member.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{name} has no {unknown:?}");
    };
    let bench = Bench::stocked().await;
    let request = order("1001");
    check("PostOrderModel", &request);
    let (_, made) = bench.put("orders", &request).await;
    check("PostOrderResponse", &made);
    bench.work("1001", 450).await;
    let (_, shown) = bench.get(&format!("orders/{}", made["orderId"])).await;
    check("GetOrderModel", &shown);
    known("GetOrderModel", &shown);
    known("GetOrderInfo", &shown["orderInfo"]);
    known("GetOrderLine", &shown["orderLines"][0]);
    let (_, articles) = bench.get("articles?goodsOwnerId=159").await;
    check("GetArticleModel", &articles[0]);
    known("GetArticleModel", &articles[0]);
}
