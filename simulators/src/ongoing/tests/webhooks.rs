//! Webhooks: repeated for a day, never signed, and perhaps out of date.

use jiff::SignedDuration;
use serde_json::Value;

use super::{Bench, order};
use crate::kit::{DeliveryState, Kind};
use crate::ongoing::Work;
use crate::viva::{Viva, VivaConfig};

/// A path that the receiver has.
const HOOK: &str = "/connect/token";

/// Any simulator serves as a receiver: its faults say what it answers.
async fn receiver(times: u32, status: u16) -> crate::viva::Handle {
    let receiver = Viva::start(VivaConfig::default()).await.unwrap();
    let fault =
        crate::kit::Fault { status: Some(status), ..crate::kit::Fault::new(Kind::Status, "POST", HOOK) };
    receiver.kit.faults.add(fault.times(times));
    receiver
}

#[tokio::test]
async fn a_status_is_told_with_the_fixed_header_s_token() {
    let bench = Bench::stocked().await;
    let receiver = receiver(1, 200).await;
    bench.it.switch(|switches| {
        switches.webhook_url = Some(format!("{}{HOOK}", receiver.url));
        switches.webhook_token = Some("made-up".to_owned());
    });
    bench.put("orders", &order("1001")).await;
    let work = Work {
        order_number: "1001".to_owned(),
        status: 450,
        told_status: Some(400),
        deliver: true,
        ..Work::default()
    };
    bench.it.work(&work).await.unwrap();
    let told = bench.it.deliveries().pop().unwrap();
    assert_eq!((told.state, told.about.status), (DeliveryState::Delivered, 400));
    let body: Value = serde_json::from_str(told.body()).unwrap();
    assert_eq!((&body["orderStatus"]["number"], &body["orderNumber"]), (&400.into(), &"1001".into()));
    let time = body["timestamp"].as_str().unwrap();
    assert_eq!(time.rsplit_once('.').map(|(_, fraction)| fraction.len()), Some(7), "{time}");
    assert_eq!(bench.it.orders()[0].status, 450, "the hint was stale");
}

#[tokio::test]
async fn a_refused_webhook_is_repeated_for_a_day() {
    let bench = Bench::stocked().await;
    let receiver = receiver(100, 500).await;
    bench.it.switch(|switches| switches.webhook_url = Some(format!("{}{HOOK}", receiver.url)));
    bench.put("orders", &order("1001")).await;
    bench.work("1001", 450).await;
    bench.it.kit.clock.advance(SignedDuration::from_hours(26));
    bench.it.settled().await;
    let told = bench.it.deliveries().pop().unwrap();
    assert_eq!((told.state, told.attempts.len()), (DeliveryState::GivenUp, 16));
    let whole = told.attempts[15].at.duration_since(told.attempts[0].at);
    assert!(whole > SignedDuration::from_hours(22) && whole <= SignedDuration::from_hours(24), "{whole}");
}

#[tokio::test]
async fn webhooks_get_lost_and_come_twice() {
    let bench = Bench::stocked().await;
    let receiver = receiver(3, 200).await;
    bench.it.switch(|switches| {
        switches.webhook_url = Some(format!("{}{HOOK}", receiver.url));
        (switches.drop_next, switches.duplicates) = (1, 1);
    });
    bench.put("orders", &order("1001")).await;
    bench.work("1001", 400).await;
    bench.work("1001", 450).await;
    bench.it.settled().await;
    let states: Vec<_> = bench.it.deliveries().iter().map(|told| (told.state, told.attempts.len())).collect();
    assert_eq!(states, [(DeliveryState::Dropped, 0), (DeliveryState::Delivered, 2)]);
}
