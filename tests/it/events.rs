//! The files under `events/` are what `sam local invoke` is fed with: they must be what the functions expect, and get the
//! answers that stand beside them.

use bokbro_app::message::{ConnectionTask, Envelope, Nudge};
use bokbro_app::ports::{QueueName, Senders};
use bokbro_app::wire::order_in::read_order;
use bokbro_app::wire::replay_in::read_invocation;
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::Provider;
use bokbro_runtime::SystemClock;
use bokbro_runtime::tick::scheduled_at;
use bokbro_simulators::aws::events::{Event, events};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::tidy::{files, root};

/// A file of `events/`, by its path without the ending.
pub(crate) fn event(name: &str) -> Value {
    let name = format!("events/{name}.json");
    let (_, text) = files("json").into_iter().find(|(file, _)| *file == name).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn message(name: &str) -> Result<Envelope, String> {
    let event = event(name);
    Envelope::parse(event["Records"][0]["body"].as_str().unwrap()).map_err(|e| e.why.to_string())
}

#[test]
fn every_function_of_the_template_has_events_with_answers() {
    let (_, template) = files("yaml").into_iter().find(|(file, _)| file == "template.yaml").unwrap();
    let ids: BTreeSet<&str> = template
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Function:"))
        .filter(|id| !id.is_empty() && !id.starts_with(' '))
        .collect();
    let events = events(&root().join("events")).unwrap();
    let asked: BTreeSet<String> =
        events.iter().map(|event| event.function().trim_end_matches("Function").to_owned()).collect();
    assert_eq!(asked.iter().map(String::as_str).collect::<BTreeSet<_>>(), ids);
    for Event { name, expected, .. } in &events {
        assert!(*expected != serde_json::json!({}), "{name}: everything would do as an answer");
    }
}

#[test]
fn the_posted_order_is_accepted() {
    let body = event("admin/order-post")["body"].as_str().unwrap().to_owned();
    assert_eq!(read_order(body.as_bytes()).unwrap().total.to_string(), "747.00");
}

#[test]
fn the_webhook_events_are_read_or_refused_as_their_names_say() {
    let registry = Registry::new(Urls::default(), Arc::new(SystemClock)).unwrap();
    let webhooks = registry.webhooks(&Provider::parse("viva").unwrap()).unwrap();
    let body = |name: &str| event(name)["body"].as_str().unwrap().to_owned();
    let hint = webhooks.parse(body("webhook/payment-created").as_bytes()).unwrap();
    assert_eq!(hint.amount.as_deref(), Some("747.00"));
    assert!(webhooks.parse(body("webhook/not-an-event").as_bytes()).is_err());
    let Nudge::Payment(queued) = message("payments/payment-created").unwrap().nudge else {
        panic!("not a payment hint")
    };
    assert_eq!(queued, hint, "the queue event is what the webhook event becomes");
}

#[test]
fn the_warehouse_s_events_are_read_or_refused_as_their_names_say() {
    let registry = Registry::new(Urls::default(), Arc::new(SystemClock)).unwrap();
    let webhooks = registry.parcel_webhooks(&Provider::parse("ongoing").unwrap()).unwrap();
    let body = |name: &str| event(name)["body"].as_str().unwrap().to_owned();
    let token = |name: &str| event(name)["headers"][webhooks.token_header()].is_string();
    let hint = webhooks.parse(body("webhook/ongoing-status").as_bytes()).unwrap();
    assert!(token("webhook/ongoing-status") && !token("webhook/ongoing-without-token"));
    assert!(webhooks.parse(body("webhook/ongoing-not-an-event").as_bytes()).is_err());
    let Nudge::Parcel(queued) = message("warehouse/parcel").unwrap().nudge else { panic!("not a hint") };
    assert_eq!(queued, hint, "the queue event is what the webhook event becomes");
    assert!(matches!(message("warehouse/order").unwrap().nudge, Nudge::Order { insist: false, .. }));
    for (name, wanted) in [("pulls/parcels", ConnectionTask::Parcels), ("pulls/stock", ConnectionTask::Stock)]
    {
        let Nudge::Connection { task, .. } = message(name).unwrap().nudge else { panic!("not a task") };
        assert_eq!(task, wanted);
    }
}

#[test]
fn the_queue_events_are_messages_of_the_current_version() {
    assert!(matches!(message("accounting/order").unwrap().nudge, Nudge::Order { insist: false, .. }));
    assert!(matches!(message("accounting/day").unwrap().nudge, Nudge::Day { insist: false, .. }));
    let Nudge::Connection { task, .. } = message("pulls/keep-alive").unwrap().nudge else {
        panic!("not a task for a connection")
    };
    assert_eq!(task, ConnectionTask::KeepAlive);
    let read = message("pulls/registers").unwrap().nudge;
    assert!(matches!(read, Nudge::Connection { task: ConnectionTask::Registers, job: None, .. }));
    assert!(matches!(message("pulls/sweep").unwrap().nudge, Nudge::Sweep { job: None }));
    assert!(matches!(message("payments/order").unwrap().nudge, Nudge::Order { insist: false, .. }));
    assert!(matches!(message("replay/go-on").unwrap().nudge, Nudge::Replay { .. }));
    assert!(message("payments/unreadable").is_err());
}

#[test]
fn the_tick_of_the_schedule_is_read_and_the_template_sends_its_like() {
    let due = scheduled_at(&event("scheduler/hourly")).unwrap();
    let (_, template) = files("yaml").into_iter().find(|(file, _)| file == "template.yaml").unwrap();
    let word = "<aws.scheduler.scheduled-time>";
    let input = template.lines().find_map(|line| line.trim().strip_prefix("Input: ")).unwrap();
    let input = input.trim_matches('\'').replace(word, &due.to_string());
    assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), event("scheduler/hourly"));
}

#[test]
fn the_replay_events_are_wishes_as_their_names_say() {
    let (tenant, asked) = read_invocation(&event("replay/everything")).unwrap();
    assert_eq!((tenant, asked.ids, asked.per_second), (None, None, Some(5)));
    let (tenant, asked) = read_invocation(&event("replay/tenant")).unwrap();
    assert!(tenant.is_some() && asked.ids.is_none() && asked.queues == QueueName::ALL);
    let (tenant, asked) = read_invocation(&event("replay/chosen")).unwrap();
    assert!(tenant.is_some() && asked.ids.is_some_and(|ids| ids.len() == 2));
    assert_eq!(read_invocation(&event("replay/without-reason")).unwrap_err().field, "reason");
}
