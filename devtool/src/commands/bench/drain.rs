//! How fast the orders of one tenant go through the whole stack, against what the ledger program allows.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bokbro_simulators::viva::{NewOrder, Pay};
use serde_json::json;

use super::Bed;
use super::report::{Budget, Report};
use crate::api::{Api, sample_order};
use crate::progress;

/// Orders that are paid at once.
const ORDERS: usize = 100;
/// What Fortnox allows in five seconds (`apis/fortnox.md` 1.5).
const ALLOWED: f64 = 25.0;
const LIMIT: Duration = Duration::from_secs(600);

/// Pays the orders and waits until the last one is booked.
///
/// # Errors
/// When one of them is not booked.
pub(super) async fn measure(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let stack = bed.stack;
    let (viva, fortnox) = (&stack.simulators()?.viva, &stack.simulators()?.fortnox);
    fortnox.configure(&json!({ "rate_limited": true })).map_err(|refused| anyhow!(refused))?;
    let api = Api::new(stack.base_url(), stack.seed().api_key())?;
    let (mut codes, mut ids) = (Vec::new(), Vec::new());
    progress::step(format_args!("draining {ORDERS} orders: about two minutes"));
    for number in 0..ORDERS {
        let wish = NewOrder { amount: Some(74_700), ..NewOrder::default() };
        let code = viva.create_order(wish).map_err(|refused| anyhow!("{refused:?}"))?;
        let order = api.post_order(&sample_order(&format!("d-{number}"), "asa@example.se", code.0)).await?;
        ids.push(order["id"].as_str().context("the API answered an order without id")?.to_owned());
        codes.push(code);
    }
    let before = fortnox.log.requests().len();
    for code in codes {
        viva.pay(&Pay::new(code)).await.map_err(|refused| anyhow!("{refused:?}"))?;
    }
    for id in &ids {
        api.order_until(id, LIMIT, |order| order["sync"]["accounting"]["state"] == "done").await?;
    }
    let requests = fortnox.log.requests().into_iter().skip(before);
    let calls: Vec<_> = requests.filter(|line| line.path.starts_with("/3/")).collect();
    let refused = calls.iter().filter(|line| line.status == Some(429)).count();
    // Until the last orders, which have nobody to fill the gaps.
    let counted = calls.len().saturating_sub(20);
    let (first, last) = (calls.first().context("no calls")?, calls.get(counted).context("too few calls")?);
    let per_window = 5.0 * counted as f64 / last.at.duration_since(first.at).as_secs_f64();
    report.add(
        format!("drain of {ORDERS} orders of one tenant: of what is allowed"),
        "%",
        100.0 * per_window / ALLOWED,
        Budget::Least(90.0),
    );
    report.add("drain: calls refused with 429", "calls", refused as f64, Budget::Most(0.0));
    report.detail("drain", json!({ "orders": ORDERS, "calls": calls.len(), "per_five_seconds": per_window }));
    Ok(())
}
