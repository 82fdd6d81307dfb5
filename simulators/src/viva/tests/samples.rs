//! The simulator's answers against the recorded samples, when the folder with them is at hand.

use std::path::PathBuf;

use serde_json::Value;

use super::Shop;
use crate::viva::{Pay, Refund};

/// Reads a sample, or says that there is none to read.
#[expect(clippy::print_stderr, reason = "a skipped check must be visible in the test output")]
fn sample(name: &str) -> Option<Value> {
    let Some(specs) = std::env::var_os("BOKBRO_SPECS_DIR") else {
        eprintln!("SKIPPED: BOKBRO_SPECS_DIR is not set, so {name} is not compared");
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(specs).join("viva").join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Both must be objects with the same members, of the same JSON types where neither is null.
fn same_shape(name: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                let mut names: Vec<_> =
                    object.keys().filter(|name| !name.starts_with('_')).cloned().collect();
                names.sort();
                names
            };
            assert_eq!(names(ours), names(theirs), "members of {name}");
            for (member, value) in ours {
                same_shape(&format!("{name}.{member}"), value, &theirs[member]);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                same_shape(name, ours, theirs);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (ours, theirs) => {
            assert_eq!(std::mem::discriminant(ours), std::mem::discriminant(theirs), "type of {name}");
            assert_eq!(ours.is_f64(), theirs.is_f64(), "kind of number of {name}");
        }
    }
}

#[tokio::test]
async fn answers_and_events_have_the_members_and_types_of_the_samples() {
    let shop = Shop::open().await;
    let check = |name: &str, ours: &Value| {
        if let Some(theirs) = sample(name) {
            same_shape(name, ours, &theirs);
        }
    };
    let (code, cancelled) = (shop.order(74_700), shop.order(1_000));
    check("order-state.get-response.json", &shop.get_legacy(&format!("/api/orders/{}", code.0)).await);
    let cancel = shop.merchant(shop.client.delete(shop.url(&format!("/api/orders/{}", cancelled.0))));
    check("cancel-order.delete-response.json", &cancel.send().await.unwrap().json().await.unwrap());
    shop.viva.settled().await;
    let deliveries = shop.viva.deliveries();
    check(
        "webhook-4865-order-updated.doc-partial.json",
        &serde_json::from_str(deliveries[0].body()).unwrap(),
    );

    let paid = shop.viva.pay(&Pay::new(code)).await.unwrap();
    check("webhook-1796.real-2024-06-10.redacted.json", &serde_json::from_str(paid.event.get()).unwrap());
    let transaction = shop.get_transaction(&paid.transaction_id).await;
    check("retrieve-transaction.response.json", &transaction.json().await.unwrap());
    let found = shop.get_legacy(&format!("/api/transactions/?ordercode={}", code.0)).await;
    check("search-transactions.legacy-response.json", &found);
    check("search-transactions.legacy-empty.json", &shop.get_legacy("/api/transactions/?ordercode=1").await);

    let path = format!("/api/transactions/{}?amount=900", paid.transaction_id);
    let refund = shop.merchant(shop.client.delete(shop.url(&path))).send().await.unwrap();
    check("refund.delete-response.json", &refund.json().await.unwrap());
    let reversal = shop.viva.refund(&Refund::new(&paid.transaction_id)).await.unwrap();
    check("webhook-1797.derived.json", &serde_json::from_str(reversal.event.get()).unwrap());
    let refused = shop.merchant(shop.client.delete(shop.url(&path))).send().await.unwrap();
    check("refund.error-403.json", &refused.json().await.unwrap());
    check("webhook-verification.get-response.json", &shop.get_legacy("/api/messages/config/token").await);
}
