//! What an order costs at AWS: calls that were counted, times a table of prices.

use std::collections::BTreeMap;

use serde_json::json;

use super::orders::Counted;
use super::report::{Budget, Report};

/// When the prices were looked up.
const DATED: &str = "2026-11-21";
/// US dollars for a million of each unit, before free tiers. Looked up for us-east-1, because AWS's own pages load their
/// regional figures from elsewhere; that Stockholm's are the same to some percent is assumed.
const PRICES: [Price; 9] = [
    Price { unit: "lambda request", million: 0.20, source: "cloudchipr.com/blog/aws-lambda-pricing" },
    Price {
        unit: "lambda GB-second, arm64",
        million: 13.3334,
        source: "cloudchipr.com/blog/aws-lambda-pricing",
    },
    Price {
        unit: "dynamodb write unit",
        million: 0.625,
        source: "airbyte.com/data-engineering-resources/dynamodb-pricing",
    },
    Price {
        unit: "dynamodb read unit",
        million: 0.125,
        source: "airbyte.com/data-engineering-resources/dynamodb-pricing",
    },
    Price { unit: "sqs request, fair queue", million: 0.50, source: "cloudburn.io/blog/amazon-sqs-pricing" },
    Price { unit: "http api request", million: 1.00, source: "assumed" },
    Price { unit: "secret read or written", million: 5.00, source: "assumed" },
    Price { unit: "log kilobyte", million: 0.50, source: "assumed" },
    Price { unit: "kms request", million: 3.00, source: "assumed" },
];
/// Kronor for a dollar; assumed.
const KRONOR: f64 = 10.0;
/// Memory of a function in GB, as template.yaml has it.
const MEMORY: f64 = 0.25;
/// Seconds that a call to AWS and a call to a provider take in the cloud; assumed, as in the tests of limits.
const SECONDS: (f64, f64) = (0.008, 0.25);
/// Kilobytes that one run of a function logs; assumed.
const LOGGED: f64 = 2.0;
/// Queue requests that Lambda makes for us for each message: one receives it, one deletes it.
const POLLED: f64 = 2.0;

struct Price {
    unit: &'static str,
    million: f64,
    source: &'static str,
}

/// Write and read units of one call. Items are of one to two kilobytes; a transaction writes three of them as a rule, and
/// everything in it counts twice.
fn units(operation: &str) -> (f64, f64) {
    match operation {
        "GetItem" => (0.0, 1.0),
        "Query" | "BatchGetItem" | "TransactGetItems" => (0.0, 2.0),
        "PutItem" | "UpdateItem" | "DeleteItem" => (2.0, 0.0),
        "TransactWriteItems" => (12.0, 0.0),
        // Whatever comes to be called: rather too much than too little.
        _ => (12.0, 2.0),
    }
}

/// Adds the kronor of a thousand orders like the one that was counted.
pub(super) fn add(order: &Counted, report: &mut Report) {
    let used = used(order);
    let dollars = |unit: &str, count: f64| {
        PRICES.iter().find(|price| price.unit == unit).map_or(0.0, |price| price.million * count / 1e6)
    };
    let total: f64 = used.iter().map(|(unit, count)| dollars(unit, *count)).sum();
    report.add(
        "AWS bill for 1,000 orders, without fixed costs",
        "SEK",
        total * KRONOR * 1000.0,
        Budget::None,
    );
    let lines = used.iter().map(|(unit, count)| {
        json!({ "unit": unit, "per_order": count, "sek_per_1000_orders": dollars(unit, *count) * KRONOR * 1000.0 })
    });
    let prices = PRICES
        .iter()
        .map(|price| json!({ "unit": price.unit, "usd_per_million": price.million, "source": price.source }));
    report.detail(
        "cost",
        json!({ "dated": DATED, "sek_per_usd": KRONOR, "lines": lines.collect::<Vec<_>>(),
                "prices": prices.collect::<Vec<_>>() }),
    );
}

/// Units that an order uses, by their names in the table of prices.
fn used(order: &Counted) -> BTreeMap<&'static str, f64> {
    let mut used = BTreeMap::new();
    let mut add = |unit, count: f64| *used.entry(unit).or_default() += count;
    let functions = order.functions() as f64;
    let seconds = order.aws_calls() as f64 * SECONDS.0 + order.provider_calls() as f64 * SECONDS.1;
    add("lambda request", functions);
    add("lambda GB-second, arm64", seconds * MEMORY);
    add("log kilobyte", functions * LOGGED);
    // The order and the webhook; the other functions are called by queues.
    add("http api request", 2.0);
    for (service, operation, count) in order.operations() {
        let count = count as f64;
        match service {
            "DynamoDB" => {
                let (writes, reads) = units(operation);
                add("dynamodb write unit", writes * count);
                add("dynamodb read unit", reads * count);
            }
            "AmazonSQS" => {
                add("sqs request, fair queue", count * (1.0 + POLLED));
                // Its key is kept for five minutes; here it is asked for every time.
                add("kms request", count);
            }
            _ => add("secret read or written", count),
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_used_has_a_price() {
        let order =
            Counted::of(&[("webhook", "AmazonSQS.SendMessage", 1), ("accounting", "DynamoDB.PutItem", 4)]);
        let used = used(&order);
        for unit in used.keys() {
            assert!(PRICES.iter().any(|price| price.unit == *unit), "{unit}");
        }
        assert_eq!(used["dynamodb write unit"], 8.0);
        assert_eq!(used["sqs request, fair queue"], 3.0);
        assert_eq!(used["lambda request"], 2.0);
    }
}
