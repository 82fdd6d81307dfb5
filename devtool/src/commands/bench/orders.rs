//! Calls per order: what passes on the way to the providers' stand-ins and to the local AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bokbro_simulators::viva::{NewOrder, Pay};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::api::{Api, sample_order};
use crate::progress;
use crate::stack::Stack;
use crate::stack::calls::{ByOperation, Calls};

const LIMIT: Duration = Duration::from_secs(60);
/// An order's last call has been made when none has come for this long.
const QUIET: Duration = Duration::from_millis(500);

/// The calls of one order.
pub(super) struct Counted {
    name: &'static str,
    providers: BTreeMap<&'static str, ByOperation>,
    aws: BTreeMap<String, ByOperation>,
}

/// Runs the orders one after the other and counts.
///
/// # Errors
/// When one of them is not booked.
pub(super) async fn count(stack: &Stack, calls: &Calls) -> Result<Vec<Counted>> {
    let api = Api::new(stack.base_url(), stack.seed().api_key())?;
    let orders = [
        ("first order after start, new customer", "1", "asa@example.se"),
        ("warm, new customer", "2", "berit@example.se"),
        ("warm, known customer", "3", "asa@example.se"),
    ];
    // Three orders in a second are more than Fortnox allows; what is counted here is an order that is let through.
    let unlimited = stack.simulators()?.fortnox.configure(&json!({ "rate_limited": false }));
    unlimited.map_err(|refused| anyhow!(refused))?;
    let mut counted = Vec::new();
    for (name, number, email) in orders {
        progress::step(format_args!("counting: {name}"));
        counted.push(one(stack, &api, calls, name, number, email).await?);
    }
    Ok(counted)
}

async fn one(
    stack: &Stack,
    api: &Api,
    calls: &Calls,
    name: &'static str,
    number: &str,
    email: &str,
) -> Result<Counted> {
    let simulators = stack.simulators()?;
    let (viva, fortnox, ongoing) = (&simulators.viva, &simulators.fortnox, &simulators.ongoing);
    let wish = NewOrder { amount: Some(74_700), ..NewOrder::default() };
    let code = viva.create_order(wish).map_err(|refused| anyhow!("{refused:?}"))?;
    calls.take();
    let order = api.post_order(&sample_order(number, email, code.0)).await?;
    let id = order["id"].as_str().context("the API answered an order without id")?;
    // The looks at the order that follow are the bench's own: of the API, only the post counts.
    let posted = calls.take();
    viva.kit.log.reset_stats();
    fortnox.log.reset_stats();
    ongoing.kit.log.reset_stats();
    viva.pay(&Pay::new(code)).await.map_err(|refused| anyhow!("{refused:?}"))?;
    api.order_until(id, LIMIT, |order| {
        ["accounting", "warehouse"].iter().all(|side| order["sync"][side]["state"] == "done")
    })
    .await?;
    quiet(calls).await;

    let mut aws = calls.take();
    aws.remove("admin");
    aws.extend(posted);
    let providers = BTreeMap::from([
        ("viva", viva.kit.log.stats().by_operation),
        ("fortnox", fortnox.log.stats().by_operation),
        ("ongoing", ongoing.kit.log.stats().by_operation),
    ]);
    Ok(Counted { name, providers, aws })
}

/// Waits until no call has come for a while: a worker may have something to write after the order is done.
async fn quiet(calls: &Calls) {
    let mut ticks = interval(QUIET);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = calls.now();
    loop {
        ticks.tick().await;
        let now = calls.now();
        if now == before {
            return;
        }
        before = now;
    }
}

impl Counted {
    /// Calls of one function to AWS.
    pub(super) fn aws(&self, function: &str) -> u64 {
        self.aws.get(function).map_or(0, |calls| calls.values().sum())
    }

    /// Calls to one provider, tokens included.
    pub(super) fn provider(&self, name: &str) -> u64 {
        self.providers.get(name).map_or(0, |calls| calls.values().sum())
    }

    /// Functions that worked on it, each once.
    pub(super) fn functions(&self) -> usize {
        self.aws.len()
    }

    /// Calls to all providers.
    pub(super) fn provider_calls(&self) -> u64 {
        self.providers.values().flat_map(BTreeMap::values).sum()
    }

    /// Calls to AWS of all functions.
    pub(super) fn aws_calls(&self) -> u64 {
        self.aws.values().flat_map(BTreeMap::values).sum()
    }

    /// Calls to AWS by service and operation.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.aws.values().flatten().map(|(name, count)| {
            let (service, operation) = name.split_once('.').unwrap_or(("", name));
            (service, operation, *count)
        })
    }

    #[cfg(test)]
    pub(super) fn of(calls: &[(&str, &str, u64)]) -> Self {
        let mut aws: BTreeMap<String, ByOperation> = BTreeMap::new();
        for (function, operation, count) in calls {
            aws.entry((*function).to_owned()).or_default().insert((*operation).to_owned(), *count);
        }
        Self { name: "made up", providers: BTreeMap::new(), aws }
    }

    pub(super) fn show(&self) {
        progress::show(format_args!("\nCalls: {}", self.name));
        for (provider, calls) in &self.providers {
            line("to", provider, calls);
        }
        for (function, calls) in &self.aws {
            line("AWS,", function, calls);
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "order": self.name, "provider_calls": self.providers, "aws_calls": self.aws })
    }
}

fn line(before: &str, name: &str, calls: &ByOperation) {
    let total: u64 = calls.values().sum();
    let mut each = Vec::new();
    for (operation, count) in calls {
        each.push(if *count == 1 { operation.clone() } else { format!("{count} x {operation}") });
    }
    progress::show(format_args!("  {before:<4} {name:<11} {total:>3}   {}", each.join(", ")));
}
