//! A thousand events to each function, one after the other: how long each takes, and whether memory grows.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::lambda::{Function, http_event, sqs_event};
use super::report::{Budget, Report, millis, percentile};
use super::{Bed, CALLER_PACE, goods};
use crate::progress;
use crate::stack::build::Profile;
use crate::stack::seed::TENANT;

/// Events to each function.
const EVENTS: usize = 1_000;
/// After so many every cache is full; what memory grows by from here on, it goes on growing by.
const FULL: usize = 200;

/// Measures every function.
///
/// # Errors
/// When one of them does not answer well.
pub(super) async fn measure(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let order = goods::order(bed, "warm").await?;
    let webhook = bed.stack.seed().webhook_path();
    let key = format!("Bearer {}", bed.stack.seed().api_key());
    let message = goods::nudge(&order);
    let mut found = Vec::new();
    for (name, most_memory) in
        [("webhook", Some(24.0)), ("sync", Some(24.0)), ("admin", Some(40.0)), ("scheduler", None)]
    {
        progress::step(format_args!("{EVENTS} events to {name}"));
        let event = |number: usize| match name {
            "webhook" => http_event("POST", &webhook, &[], Some(&delivery().to_string())),
            "sync" => sqs_event("accounting", &message),
            "admin" => http_event("GET", "/v1/orders?limit=10", &[("authorization", &key)], None),
            _ => json!({ "time": format!("2026-11-20T10:{:02}:{:02}Z", number / 60 % 60, number % 60) }),
        };
        let mut function = Function::spawn(&bed.binary(name)?, &bed.environment("accounting")).await?;
        function.ready().await?;
        let (mut took, mut own, mut early) = (Vec::new(), Vec::new(), 0);
        for number in 0..EVENTS {
            let answered = function.invoke(&event(number)).await.with_context(|| name.to_owned())?;
            let status = answered.payload["statusCode"].as_u64().unwrap_or(200);
            ensure!(status == 200, "{name} answered {}", answered.payload);
            ensure!(
                is_empty(&answered.payload["batchItemFailures"]),
                "{name} gave back {}",
                answered.payload
            );
            if name == "admin" {
                sleep(CALLER_PACE).await;
            }
            took.push(answered.took);
            own.push(answered.own);
            if number == FULL {
                early = function.resident()?;
            }
        }
        let late = function.resident()?;
        function.stop().await?;
        // The first events fill caches and open connections.
        let (took, own) = (&took[10..], &own[10..]);
        let p = |times: &[Duration], percent| millis(percentile(times, percent));
        let mib = |kib: u64| kib as f64 / 1024.0;
        let release = bed.profile == Profile::Release;
        let budget = |most: f64| if release { Budget::Most(most) } else { Budget::None };
        let own_budget = if name == "webhook" { budget(1.0) } else { Budget::None };
        report.add(format!("{name}, warm: own time, p50"), "ms", p(own, 50), Budget::None);
        report.add(format!("{name}, warm: own time, p99"), "ms", p(own, 99), own_budget);
        report.add(format!("{name}, warm: with the local AWS, p50"), "ms", p(took, 50), Budget::None);
        report.add(format!("{name}, warm: with the local AWS, p99"), "ms", p(took, 99), Budget::None);
        let memory = most_memory.map_or(Budget::None, budget);
        report.add(format!("{name}: memory after {EVENTS} events"), "MiB", mib(late), memory);
        let grown = mib(late) - mib(early);
        report.add(format!("{name}: memory grown since event {FULL}"), "MiB", grown, Budget::Most(1.0));
        found.push(
            json!({ "function": name, "events": EVENTS, "own_p50_ms": p(own, 50), "own_p99_ms": p(own, 99),
            "p50_ms": p(took, 50), "p99_ms": p(took, 99), "early_kib": early, "late_kib": late }),
        );
    }
    report.detail("warm", json!(found));
    Ok(())
}

fn is_empty(failures: &Value) -> bool {
    failures.as_array().is_none_or(Vec::is_empty)
}

/// A delivery of a payment that nobody made.
fn delivery() -> Value {
    let id = || Uuid::new_v4().to_string();
    json!({
        "EventTypeId": 1796, "MessageId": id(), "RecipientId": id(), "CorrelationId": TENANT,
        "EventData": { "TransactionId": id(), "OrderCode": 2_451_234_567_890_123_u64, "Amount": 747.00,
                       "CurrencyCode": "752", "StatusId": "F", "MerchantTrns": "1753-1001" },
    })
}
