//! How many webhooks a second are answered in time: more and more, until they are not.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::drain;
use super::kinds::Kind;
use super::shops::Shop;
use super::storm::{Plan, rage};
use crate::commands::report::{Budget, Report, millis, percentile};
use crate::progress;
use crate::stack::Stack;

/// Deliveries a second.
const RATES: [u32; 10] = [20, 40, 50, 60, 80, 100, 125, 150, 200, 300];
const LASTS: Duration = Duration::from_secs(10);
/// An answer in time.
pub(super) const IN_TIME: Duration = Duration::from_secs(1);

/// Climbs in good weather, with payments of other merchants, which pass every part of the way: the gateway, the function, the
/// queue and a worker.
///
/// # Errors
/// When the queues do not run empty between two steps.
pub(super) async fn climb(stack: &Stack, open: &mut [Shop], seed: u64, report: &mut Report) -> Result<()> {
    let (mut carried, mut found) = (0, Vec::new());
    for rate in RATES {
        let plan = Plan { rate, lasts: LASTS, kinds: &|_, _| Kind::Elsewhere, seed };
        let answers = rage(stack, open, &plan).await?;
        let good = answers.count(|kind, status| status == Some(kind.expects()));
        let (p99, most) = (percentile(&answers.took, 99), percentile(&answers.took, 100));
        let drained = drain::wait(stack, Vec::new()).await?;
        found.push(json!({ "rate": rate, "good": good, "p50_ms": millis(percentile(&answers.took, 50)),
                           "p99_ms": millis(p99), "most_ms": millis(most), "left": drained.left,
                           "drain_ms": millis(drained.took) }));
        progress::step(format_args!(
            "{rate} a second: {good} of {} answered well, p99 {:.0} ms, slowest {:.0} ms, {} left in the queues",
            plan.count(),
            millis(p99),
            millis(most),
            drained.left.unwrap_or_default()
        ));
        if good < plan.count() || most > IN_TIME {
            break;
        }
        carried = rate;
    }
    report.add(
        "ramp: the highest rate that was answered in time",
        "a second",
        f64::from(carried),
        Budget::None,
    );
    report.detail("ramp", json!(found));
    Ok(())
}
