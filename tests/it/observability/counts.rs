//! What happens is counted once each, through real use cases, real connectors and real HTTP.

use std::collections::BTreeMap;

use bokbro_app::metrics::METRICS;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::Amount;
use bokbro_tests::world::{World, sample};
use serde_json::Value;

use crate::secrecy::taps::{Shared, capture_logs};

/// Lines with a figure, by the figure's name.
fn figures(logs: &Shared) -> BTreeMap<&'static str, Vec<Value>> {
    let mut found: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for line in logs.text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for metric in METRICS.iter().filter(|metric| line[metric.name].is_number()) {
            assert!(line["_aws"].is_object(), "{line}");
            found.entry(metric.name).or_default().push(line.clone());
        }
    }
    found
}

/// How much of what.
fn sums(logs: &Shared) -> BTreeMap<&'static str, i64> {
    let sum = |lines: Vec<Value>, name: &str| lines.iter().map(|line| line[name].as_i64().unwrap()).sum();
    figures(logs).into_iter().map(|(name, lines)| (name, sum(lines, name))).collect()
}

#[track_caller]
fn assert_counts(logs: &Shared, wanted: &[(&str, i64)]) {
    let mut sums = sums(logs);
    // How long it took depends on the world's clock.
    sums.retain(|name, _| *name != "BookedLag");
    assert_eq!(sums, wanted.iter().copied().map(|(name, sum)| (known(name), sum)).collect());
}

fn known(name: &str) -> &'static str {
    METRICS.iter().find(|metric| metric.name == name).unwrap().name
}

#[tokio::test]
async fn a_paid_order_counts_once_however_often_its_webhook_comes() {
    let logs = capture_logs();
    let mut world = World::start().await;
    let (_, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    for _ in 0..3 {
        world.webhook(&event).await;
        world.settle().await;
    }
    // One token each for the payment provider and the books.
    assert_counts(&logs, &[("Webhooks", 3), ("Duplicates", 2), ("Synced", 1), ("TokenRefreshes", 2)]);
    let figures = figures(&logs);
    assert_eq!(figures["Synced"][0]["provider"], "fortnox");
    assert!(figures["Webhooks"].iter().all(|line| line["provider"] == "viva"));
    let lag = figures["BookedLag"][0]["BookedLag"].as_i64().unwrap();
    assert!((0..60).contains(&lag), "{lag} s from payment to booked");
    assert_eq!(figures["BookedLag"].len(), 1);
}

#[tokio::test]
async fn a_payment_that_fits_no_order_is_parked_and_told_of_hour_by_hour() {
    let logs = capture_logs();
    let mut world = World::start().await;
    let code = world.checkout(Amount(10_000), "nobody's");
    let event = world.pay(code).await;
    for _ in 0..2 {
        world.webhook(&event).await;
        world.settle().await;
    }
    assert_counts(&logs, &[("Webhooks", 2), ("Unmatched", 1), ("Parked", 1), ("TokenRefreshes", 1)]);
    assert_eq!(figures(&logs)["Parked"][0]["code"], "unmatched_payment");
    world.hour_passes().await;
    let sums = sums(&logs);
    assert_eq!((sums["Ticks"], sums["ParkedWaiting"], sums["Parked"]), (1, 1, 1), "{sums:?}");
    assert_eq!(sums["ConnectionsDown"], 0);
}

#[tokio::test]
async fn bad_days_of_the_books_are_counted_by_what_they_are() {
    let logs = capture_logs();
    let mut world = World::start().await;
    world.fortnox.faults.add(Fault::status(429, "POST", "/3/customers"));
    world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/3/invoices"));
    world.fortnox.faults.add(Fault::status(500, "POST", "/oauth-v1/token"));
    let (_, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_counts(
        &logs,
        &[
            ("Webhooks", 1),
            ("ProviderLimited", 1),
            ("OutcomeUnknown", 1),
            ("TokenRefreshesFailed", 1),
            ("TokenRefreshes", 2),
            ("Synced", 1),
        ],
    );
}

#[tokio::test]
async fn a_write_that_nobody_tells_the_outcome_of_grows_older() {
    let logs = capture_logs();
    let mut world = World::start().await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(100));
    let (_, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.parked().await[0].code, "outcome_unknown");
    for hour in 1..=2 {
        world.hour_passes().await;
        let ages = &figures(&logs)["OutcomeUnknownAge"];
        let age = ages.last().unwrap()["OutcomeUnknownAge"].as_i64().unwrap();
        assert_eq!((ages.len(), age / 3_600), (hour, i64::try_from(hour).unwrap()), "{age} s");
    }
    assert_eq!(sums(&logs)["OutcomeUnknown"], 4, "four sends, then a human");
}
