//! What goes wrong while the storm lasts: of every provider's calls, and of AWS's, every so manyth.

use anyhow::Result;
use bokbro_simulators::aws::{Fault as AwsFault, Kind as AwsKind, Service};
use bokbro_simulators::kit::{Fault, Kind};
use serde_json::{Value, json};

use crate::stack::Stack;

/// Ends only when it is told to.
const ALWAYS: u32 = u32::MAX;

/// What is wrong with the payment provider: about one call in nine.
fn payments() -> Vec<Fault> {
    vec![
        Fault::status(503, "GET", "*").every(31),
        Fault::new(Kind::Reset, "GET", "*").every(37),
        Fault { delay_ms: Some(1_500), ..Fault::new(Kind::Delay, "GET", "*") }.every(41),
        Fault { retry_after: Some("1".to_owned()), ..Fault::status(429, "GET", "*") }.every(47),
    ]
}

/// What is wrong with the ledger program: about one call in nine, and of the writes one in thirteen more loses its answer.
fn ledger() -> Vec<Fault> {
    vec![
        Fault::new(Kind::DropAfterCommit, "POST", "/3/*").every(23),
        Fault::new(Kind::DropAfterCommit, "PUT", "/3/*").every(29),
        Fault::status(500, "POST", "/3/*").after_commit().every(31),
        Fault { matching: every_path(), ..Fault::status(503, "", "") }.every(37),
        Fault { matching: every_path(), ..Fault::new(Kind::Reset, "", "") }.every(41),
        Fault { matching: every_path(), retry_after: Some("2".to_owned()), ..Fault::status(429, "", "") }
            .every(43),
        Fault { matching: every_path(), delay_ms: Some(2_000), ..Fault::new(Kind::Delay, "", "") }.every(47),
    ]
}

fn every_path() -> bokbro_simulators::kit::Match {
    bokbro_simulators::kit::Match { method: None, path: "/3/*".to_owned() }
}

/// What is wrong with AWS: one call in 110 to the table, one send in 33 to the queues. `ChangeMessageVisibility` is spared: a
/// message that nobody gives back rests for six minutes, as it should, and the storm would be over.
fn aws() -> Vec<AwsFault> {
    let table = |kind, every| AwsFault::new(kind, Service::Dynamodb).every(every);
    let sends = |kind, every| AwsFault::new(kind, Service::Sqs).at("SendMessage").every(every);
    vec![
        table(AwsKind::Throttle, 331),
        table(AwsKind::ServerError, 337),
        table(AwsKind::DropAfterCommit, 347),
        sends(AwsKind::ServerError, 127),
        sends(AwsKind::DropAfterCommit, 131),
        sends(AwsKind::Reset, 137),
        sends(AwsKind::Throttle, 139),
    ]
}

/// Begins the bad weather.
///
/// # Errors
/// When the stack runs without what can fail.
pub(super) fn turn_bad(stack: &Stack) -> Result<()> {
    let simulators = stack.simulators()?;
    for fault in payments() {
        simulators.viva.kit.faults.add(fault.times(ALWAYS));
    }
    for fault in ledger() {
        simulators.fortnox.faults.add(fault.times(ALWAYS));
    }
    for fault in aws() {
        stack.bad_days()?.add(fault.times(ALWAYS));
    }
    Ok(())
}

/// Ends it; answers how many calls went wrong, by whose they were.
///
/// # Errors
/// As [`turn_bad`].
pub(super) fn turn_good(stack: &Stack) -> Result<Value> {
    let simulators = stack.simulators()?;
    let (viva, fortnox) = (&simulators.viva.kit, &simulators.fortnox);
    let hits = |faults: &[Fault]| faults.iter().map(|fault| ALWAYS - fault.times).sum::<u32>();
    let hit = json!({
        "viva": { "calls": viva.log.stats().calls_total, "wrong": hits(&viva.faults.remaining()) },
        "fortnox": { "calls": fortnox.log.stats().calls_total, "wrong": hits(&fortnox.faults.remaining()) },
        "aws": { "wrong": stack.bad_days()?.hits() },
    });
    viva.faults.clear();
    fortnox.faults.clear();
    stack.bad_days()?.clear();
    Ok(hit)
}
