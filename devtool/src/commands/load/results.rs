//! What a storm came to, line by line, beside what was promised.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Storm;
use super::books::Tally;
use super::drain::Drained;
use super::ramp::IN_TIME;
use super::storm::Plan;
use super::watch::{EMULATOR, TOOL, Used};
use crate::commands::report::{Budget, Report, millis, percentile};

/// What memory may grow by, in MiB, once caches are full: the allocator's own coming and going.
const FLAT: f64 = 2.0;

/// Adds every line.
pub(super) fn add(
    plan: &Plan<'_>,
    storm: &Storm,
    drained: &Drained,
    tally: &Tally,
    waiting: &BTreeMap<String, BTreeSet<String>>,
    report: &mut Report,
) {
    answers(plan, storm, drained, report);
    let none = Budget::Most(0.0);
    let of = |count: usize| count as f64;
    report.add("orders paid", "orders", of(tally.expected), Budget::None);
    report.add("of them booked and paid once", "orders", of(tally.once), Budget::Least(of(tally.expected)));
    report.add("booked twice", "orders", of(tally.twice.len()), none);
    report.add("lost", "orders", of(tally.lost.len()), none);
    report.add("booked without having been paid", "invoices", of(tally.strangers), none);
    report.add("customers made twice", "customers", of(tally.double_customers), none);
    parked(storm, waiting, report);
    let left = drained.left.unwrap_or_default() as f64;
    report.add("left in the queues at the end of the storm", "messages", left, Budget::None);
    report.add("until the queues were empty", "s", drained.took.as_secs_f64(), Budget::None);
    report.add("dead letters", "messages", drained.dead as f64, none);
    processes(&storm.used, storm.answers.took.len(), report);
    report.detail("books", tally.json());
    report.detail("wrong_calls", storm.wrong.clone());
}

fn answers(plan: &Plan<'_>, storm: &Storm, drained: &Drained, report: &mut Report) {
    let answers = &storm.answers;
    let sent = answers.took.len() as f64;
    report.add("webhooks offered", "a second", f64::from(plan.rate), Budget::None);
    let answered = answers.count(|_, status| status.is_some()) as f64;
    let per_second = answered / answers.lasted.as_secs_f64();
    report.add("webhooks answered", "a second", per_second, Budget::None);
    let p = |percent| millis(percentile(&answers.took, percent));
    report.add("answer, from its time in the timetable, p50", "ms", p(50), Budget::None);
    report.add("answer, p99", "ms", p(99), Budget::None);
    report.add("answer, slowest", "ms", p(100), Budget::Most(millis(IN_TIME)));
    report.add("without an answer", "webhooks", sent - answered, Budget::Most(0.0));
    // Correct when a queue is out of order for longer than a call is repeated; the sender comes again.
    let refused = answers.count(|_, status| status.is_some_and(|status| status >= 500)) as f64;
    report.add("not durable and answered so (5xx), sent again", "webhooks", refused, Budget::None);
    report.add("never taken", "webhooks", drained.never_taken as f64, Budget::Most(0.0));
    let other = |kind: super::Kind, status: Option<u16>| {
        status.is_some_and(|status| status < 500 && status != kind.expects())
    };
    report.add(
        "answered with another status than the right one",
        "webhooks",
        answers.count(other) as f64,
        Budget::Most(0.0),
    );
    let statuses = answers.statuses.iter().map(
        |((kind, status), count)| json!({ "kind": format!("{kind:?}"), "status": status, "count": count }),
    );
    report.detail("answers", json!(statuses.collect::<Vec<_>>()));
}

/// What waits for a human is exactly what has to.
fn parked(storm: &Storm, waiting: &BTreeMap<String, BTreeSet<String>>, report: &mut Report) {
    let expected = &storm.answers.parks;
    let mut codes: BTreeSet<&str> = expected.keys().copied().collect();
    codes.extend(waiting.keys().map(String::as_str));
    let nothing = BTreeSet::new();
    for code in codes {
        let wanted = expected.get(code).unwrap_or(&nothing);
        let found = waiting.get(code).unwrap_or(&nothing);
        report.add(format!("parked as {code}"), "items", found.len() as f64, Budget::None);
        let difference = wanted.symmetric_difference(found).count() as f64;
        report.add(
            format!("{code}: missing, or parked without reason"),
            "items",
            difference,
            Budget::Most(0.0),
        );
    }
}

fn processes(all: &[Used], webhooks: usize, report: &mut Report) {
    let mib = |kib: u64| kib as f64 / 1024.0;
    let mut found = Vec::new();
    for Used { name, processes, resident, grown, busy, share } in all {
        let resident = resident.map(mib);
        let grown = grown.map(|kib| kib as f64 / 1024.0);
        report.add(
            format!("{name}: memory of the largest of {processes}, at the end"),
            "MiB",
            resident[2],
            Budget::None,
        );
        let budget =
            if [EMULATOR, TOOL].contains(&name.as_str()) { Budget::None } else { Budget::Most(FLAT) };
        if let Some(grown) = grown {
            report.add(
                format!("{name}: memory of the busiest grown since its caches were full"),
                "MiB",
                grown,
                budget,
            );
        }
        let each = millis(*busy) / (webhooks as f64).max(1.0);
        report.add(format!("{name}: processor time for each webhook"), "ms", each, Budget::None);
        report.add(format!("{name}: of one processor"), "%", 100.0 * share, Budget::None);
        found.push(
            json!({ "name": name, "processes": processes, "resident_mib": resident, "grown_mib": grown,
                           "processor_s": busy.as_secs_f64(), "of_one_processor": share }),
        );
    }
    report.detail("processes", json!(found));
}
