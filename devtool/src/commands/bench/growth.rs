//! What the ten-thousandth order and the thousandth tenant cost beside the first ones: our own time and calls to AWS.

use anyhow::{Context, Result, ensure};
use bokbro_domain::order::SyncState;
use serde_json::json;
use tokio::time::sleep;

use super::lambda::{Function, sqs_event};
use super::report::{Budget, Report, millis};
use super::{Bed, goods, total};
use crate::progress;

/// Orders in the table.
const ORDERS: [usize; 4] = [10, 100, 1_000, 10_000];
/// Tenants with a connection.
const TENANTS: [usize; 4] = [1, 10, 100, 1_000];
/// Orders booked at each size.
const BOOKED: usize = 5;
/// Connections that the tick reads at a time.
const PAGE: f64 = 100.0;

/// Measures both.
///
/// # Errors
/// When an order is not booked or a tick not done.
pub(super) async fn measure(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    orders(bed, report).await?;
    ticks(bed, report).await
}

/// One tenant has more and more orders; the books get some of them at each size.
async fn orders(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let mut function = Function::spawn(&bed.binary("sync")?, &bed.counted_environment("accounting")).await?;
    function.ready().await?;
    // The first one makes the customer and has the chart of accounts read; no other does.
    book(bed, &mut function, "g-first").await?;
    let (mut there, mut found) = (0, Vec::new());
    for size in ORDERS {
        progress::step(format_args!("storing orders until there are {size}"));
        goods::orders(bed, there, size - there).await?;
        there = size;
        let (mut own, mut calls) = (0.0, 0);
        for number in 0..BOOKED {
            let (time, called) = book(bed, &mut function, &format!("g-{size}-{number}")).await?;
            own += time / BOOKED as f64;
            calls = calls.max(called);
        }
        found.push(json!({ "orders": size, "own_ms": own, "aws_calls": calls }));
        let budget = found.first().and_then(|first| first["aws_calls"].as_u64()).unwrap_or(calls);
        report.add(format!("booking one of {size} orders: own time"), "ms", own, Budget::None);
        let what = format!("booking one of {size} orders: AWS calls, most");
        report.add(what, "calls", calls as f64, Budget::Most(budget as f64));
    }
    function.stop().await?;
    report.detail("growth_orders", json!(found));
    Ok(())
}

/// Books one more order; answers our own time in milliseconds and the calls to AWS.
async fn book(bed: &Bed<'_>, function: &mut Function, number: &str) -> Result<(f64, u64)> {
    // An order needs a quarter of what the ledger program allows in five seconds; what is measured is one that need not wait.
    sleep(super::ORDER_PACE).await;
    let order = goods::order(bed, number).await?;
    bed.calls.take();
    let answered = function.invoke(&sqs_event("accounting", &goods::nudge(&order))).await?;
    let calls = total(&bed.calls.take());
    let tenant = &order.tenant;
    let after =
        bed.stack.inside().app.orders.order_get(tenant, &order.id).await?.context("the order is gone")?;
    ensure!(after.accounting.state == SyncState::Done, "it was not booked: {:?}", after.accounting);
    Ok((millis(answered.own), calls))
}

/// One tick for more and more tenants.
async fn ticks(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let mut function =
        Function::spawn(&bed.binary("scheduler")?, &bed.counted_environment("accounting")).await?;
    function.ready().await?;
    let (mut there, mut found) = (1, Vec::new());
    for (hour, size) in TENANTS.into_iter().enumerate() {
        progress::step(format_args!("a tick for {size} tenants"));
        goods::tenants(bed, there, size - there).await?;
        there = size;
        bed.calls.take();
        let answered = function.invoke(&json!({ "time": format!("2026-11-21T{hour:02}:00:00Z") })).await?;
        let calls = bed.calls.take();
        let sends =
            calls.values().flatten().filter(|(name, _)| name.contains("Send")).map(|(_, count)| count);
        let (all, sends) = (total(&calls) as f64, sends.sum::<u64>() as f64);
        let own = millis(answered.own);
        found.push(json!({ "tenants": size, "own_ms": own, "aws_calls": calls }));
        // Two connections and two messages for each tenant, and for the first one a warehouse; the last batch of each page
        // may be short.
        let (messages, pages) = (2.0 * size as f64 + 3.0, ((2.0 * size as f64 + 1.0) / PAGE).ceil());
        report.add(format!("hourly tick, {size} tenants: own time"), "ms", own, Budget::None);
        let budget = Budget::Most((messages / 10.0).ceil() + pages);
        report.add(format!("hourly tick, {size} tenants: sends"), "calls", sends, budget);
        report.add(format!("hourly tick, {size} tenants: AWS calls"), "calls", all, Budget::None);
    }
    function.stop().await?;
    report.detail("growth_tenants", json!(found));
    Ok(())
}
