//! Parked items and what humans decide about them: outcomes that nobody told, payments without an order, work done by
//! hand.

use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::orders::Refusal;
use bokbro_app::parked::{Action, Answer, Resolved, actions, parked_resolve};
use bokbro_app::ports::{Audits, Clock, Directory, Orders, QueueName, Queues};
use bokbro_app::records::{ConnectionState, Parked};
use bokbro_domain::ids::{CorrelationId, OrderId, ParkedId, Provider, TenantId};
use bokbro_domain::order::SyncState;
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::{World, sample, tenant};
use serde_json::json;

use crate::flows::one_of_each;

/// Sends of one step before a human is asked.
const TRIES: u32 = 4;

async fn world(profile: PostingProfile) -> World {
    World::start_with(profile, FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() }).await
}

/// Posts and pays an order and lets the workers run.
async fn paid(world: &mut World) -> OrderId {
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    order.id
}

/// The only item that waits.
async fn waiting(world: &World) -> Parked {
    let mut parked = world.parked().await;
    assert_eq!(parked.len(), 1, "{parked:?} {:?}", world.errors);
    parked.remove(0)
}

async fn decide(world: &World, id: &ParkedId, answer: &Answer) -> Result<Resolved, Refusal> {
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    parked_resolve(&world.app, &tenant(), "bk_test", id, answer, Some("seen by hand"), &correlation).await
}

fn exists(number: &str) -> Answer {
    Answer::Exists { number: number.to_owned() }
}

async fn events(world: &World, order: &OrderId) -> Vec<String> {
    let page = world.store.timeline_list(&tenant(), order, 200, None).await.unwrap();
    page.items.into_iter().map(|entry| entry.event).collect()
}

/// A write that a step sends, and the step's name.
const WRITES: [(&str, &str, &str); 5] = [
    ("customer", "POST", "/3/customers"),
    ("invoice", "POST", "/3/invoices"),
    ("bookkeep_invoice", "PUT", "/3/invoices/{}/bookkeep"),
    ("payment", "POST", "/3/invoicepayments"),
    ("bookkeep_payment", "PUT", "/3/invoicepayments/{}/bookkeep"),
];

#[tokio::test]
async fn what_never_arrived_is_sent_when_a_human_says_so() {
    for (step, method, path) in WRITES {
        let mut world = world(PostingProfile::Invoice).await;
        world.fortnox.faults.add(Fault::new(Kind::Reset, method, path).times(TRIES));
        let order = paid(&mut world).await;
        let item = waiting(&world).await;
        assert_eq!((item.code.as_str(), item.details["step"].as_str()), ("outcome_unknown", step));
        assert_eq!(actions(&item), [Action::Exists, Action::Send, Action::Dismiss]);
        assert_eq!(world.show(&order).await.accounting.state, SyncState::NeedsAttention);
        assert!(world.dead.is_empty(), "{step}");
        assert!(world.fortnox.faults.remaining().is_empty(), "{step}: every try was made");

        decide(&world, &item.id, &Answer::Send).await.unwrap();
        assert_eq!(world.show(&order).await.accounting.state, SyncState::Waiting);
        world.settle().await;
        assert_eq!(world.show(&order).await.accounting.state, SyncState::Done, "{step}: {:?}", world.errors);
        one_of_each(&world, "747.00");
        assert!(world.parked().await.is_empty());
        assert!(events(&world, &order).await.contains(&"parked_resolved".to_owned()));
    }
}

#[tokio::test]
async fn lost_answers_alone_never_need_a_human() {
    for (step, method, path) in WRITES {
        let mut world = world(PostingProfile::Invoice).await;
        world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, method, path).times(TRIES));
        let order = paid(&mut world).await;
        assert_eq!(world.show(&order).await.accounting.state, SyncState::Done, "{step}: {:?}", world.errors);
        one_of_each(&world, "747.00");
        assert!(world.parked().await.is_empty() && world.dead.is_empty());
        // The look-up found it: the write was not repeated.
        assert_eq!(world.fortnox.faults.remaining()[0].times, TRIES - 1, "{step}");
    }
}

/// A list that shows nothing of what is there.
fn blind(path: &str, kind: &str) -> Fault {
    let body = json!({
        "MetaInformation": {"@TotalResources": 0, "@TotalPages": 0, "@CurrentPage": 1}, kind: [],
    });
    Fault { body: Some(body.to_string()), ..Fault::new(Kind::Body, "GET", path) }.times(TRIES)
}

/// The document was made, no answer came, and no search finds it: a human knows its number.
#[tokio::test]
async fn what_no_search_finds_is_named_by_its_number() {
    let cases = [
        ("order", "/3/orders", "Orders", "orders", "DocumentNumber"),
        ("invoice", "/3/invoices", "Invoices", "invoices", "DocumentNumber"),
        ("payment", "/3/invoicepayments", "InvoicePayments", "invoice_payments", "Number"),
    ];
    for (step, path, kind, book, number) in cases {
        let profile = if step == "order" { PostingProfile::OrderAndInvoice } else { PostingProfile::Invoice };
        let mut world = world(profile).await;
        if step == "payment" {
            // A payment is looked for before it is sent, too.
            world.fortnox.faults.add(blind(path, kind).times(1));
        }
        world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", path));
        world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", path).times(TRIES - 1));
        world.fortnox.faults.add(blind(path, kind));
        let order = paid(&mut world).await;
        let item = waiting(&world).await;
        assert_eq!((item.code.as_str(), item.details["step"].as_str()), ("outcome_unknown", step));
        let made = world.books(book);
        assert_eq!(made.len(), 1, "{step}");
        let named = made[0][number].to_string().trim_matches('"').to_owned();

        // A number that is wrong changes nothing.
        decide(&world, &item.id, &exists("999999")).await.unwrap();
        world.settle().await;
        let item = waiting(&world).await;
        assert_eq!(item.code, "document_does_not_fit", "{item:?}");
        assert!(item.message.contains("999999 in Fortnox is not there"), "{}", item.message);
        assert_eq!(world.show(&order).await.accounting.parked, Some(item.id.clone()));

        decide(&world, &item.id, &exists(&named)).await.unwrap();
        world.settle().await;
        assert_eq!(world.show(&order).await.accounting.state, SyncState::Done, "{step}: {:?}", world.errors);
        one_of_each(&world, "747.00");
        assert_eq!(world.books(book).len(), 1, "{step}");
        assert!(world.parked().await.is_empty());
        assert!(events(&world, &order).await.contains(&"document_named".to_owned()));
    }
}

#[tokio::test]
async fn a_document_of_another_order_is_not_taken() {
    let mut world = world(PostingProfile::Invoice).await;
    paid(&mut world).await;
    let other = world.books("invoices")[0]["DocumentNumber"].to_string().trim_matches('"').to_owned();
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(TRIES));
    let (order, code) = world.order("2", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let item = waiting(&world).await;
    decide(&world, &item.id, &exists(&other)).await.unwrap();
    world.settle().await;
    let item = waiting(&world).await;
    assert_eq!(item.code, "document_does_not_fit");
    assert!(item.message.contains(order.id.as_str()), "the reference is named: {}", item.message);
    decide(&world, &item.id, &Answer::Send).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    assert_eq!(world.books("invoices").len(), 2);
}

/// The bookkeeper books the invoice in the ledger program and says so.
#[tokio::test]
async fn a_step_that_was_done_by_hand_is_taken_for_done() {
    let mut world = world(PostingProfile::Invoice).await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "PUT", "/3/invoices/{}/bookkeep").times(TRIES));
    let order = paid(&mut world).await;
    let item = waiting(&world).await;
    let number = world.books("invoices")[0]["DocumentNumber"].to_string().trim_matches('"').to_owned();
    decide(&world, &item.id, &exists(&number)).await.unwrap();
    world.settle().await;
    let item = waiting(&world).await;
    assert!(item.message.contains("is not booked"), "{}", item.message);
    world.by_hand("PUT", &format!("/3/invoices/{number}/bookkeep"), None).await;
    decide(&world, &item.id, &exists(&number)).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order).await.accounting.state, SyncState::Done, "{:?}", world.errors);
    one_of_each(&world, "747.00");
}

/// Whatever step a resolution dies at, doing it again ends well: one nudge more or less makes no difference.
#[tokio::test]
async fn a_resolution_survives_a_death_at_every_point() {
    let mut points = None;
    let mut nth = 0;
    loop {
        let mut world = world(PostingProfile::Invoice).await;
        world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(TRIES));
        let order = paid(&mut world).await;
        let item = waiting(&world).await;
        world.crash.arm(Some(nth));
        let died = tokio::select! {
            done = decide(&world, &item.id, &Answer::Send) => { done.unwrap(); false }
            () = world.crash.dying() => true,
        };
        let passed = world.crash.passed().len();
        world.crash.arm(None);
        if died {
            // Not even a worker that comes in between loses the trouble.
            world.settle().await;
            match decide(&world, &item.id, &Answer::Send).await {
                Ok(_) | Err(Refusal::NotFound(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        } else {
            points = Some(passed);
        }
        world.settle().await;
        assert_eq!(world.show(&order).await.accounting.state, SyncState::Done, "died at {nth}");
        one_of_each(&world, "747.00");
        assert!(world.parked().await.is_empty(), "died at {nth}");
        if points.is_some() {
            break;
        }
        nth += 1;
    }
    assert_eq!(points, Some(4), "every step has its point");
}

#[tokio::test]
async fn trouble_that_comes_back_is_parked_anew() {
    let mut world = world(PostingProfile::Invoice).await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(2 * TRIES));
    let order = paid(&mut world).await;
    let first = waiting(&world).await;
    decide(&world, &first.id, &Answer::Send).await.unwrap();
    world.settle().await;
    let second = waiting(&world).await;
    assert_ne!(first.id, second.id);
    assert_eq!(world.show(&order).await.accounting.parked, Some(second.id));
}

/// The item tells what is wrong now, not what was wrong before.
#[tokio::test]
async fn other_trouble_takes_the_place_of_what_waited() {
    let mut world = world(PostingProfile::Invoice).await;
    world.fortnox.faults.add(Fault::status(403, "POST", "/3/invoices"));
    let order = paid(&mut world).await;
    let first = waiting(&world).await;
    assert_eq!(first.code, "needs_consent");
    let fortnox = Provider::parse("fortnox").unwrap();
    let mut connection = world.store.connection_get(&tenant(), &fortnox).await.unwrap().unwrap();
    connection.state = ConnectionState::Healthy;
    world.store.connection_put(&connection).await.unwrap();
    let refusal = json!({"ErrorInformation": {"error": 1, "message": "Fel", "code": 2_000_106}});
    let refused = Fault { body: Some(refusal.to_string()), ..Fault::status(400, "POST", "/3/invoices") };
    world.fortnox.faults.add(refused);
    nudge(&world, &order).await;
    world.settle().await;
    let second = waiting(&world).await;
    assert_eq!(second.code, "fortnox_2000106");
    assert_eq!(world.show(&order).await.accounting.parked, Some(second.id.clone()));
    // A nudge that no human sent sends nothing again.
    nudge(&world, &order).await;
    world.settle().await;
    let third = waiting(&world).await;
    assert_eq!((third.code.as_str(), third.id != second.id), ("invoice_refused", true));
    decide(&world, &third.id, &Answer::Retry).await.unwrap();
    world.settle().await;
    one_of_each(&world, "747.00");
    assert!(world.parked().await.is_empty());
}

async fn nudge(world: &World, order: &OrderId) {
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let message = Envelope::new(tenant(), correlation, world.clock.now(), Nudge::order(order.clone()));
    world.queues.queue_send(QueueName::Accounting, &message).await.unwrap();
}

#[tokio::test]
async fn work_done_by_hand_is_left_alone_from_then_on() {
    let mut world = world(PostingProfile::Invoice).await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(TRIES));
    let order = paid(&mut world).await;
    let item = waiting(&world).await;
    decide(&world, &item.id, &Answer::Dismiss).await.unwrap();
    let shown = world.show(&order).await.accounting;
    assert_eq!((shown.state, shown.parked), (SyncState::Done, None));
    assert_eq!(shown.message.as_deref(), Some("Done by hand: seen by hand"));
    nudge(&world, &order).await;
    world.hour_passes().await;
    assert!(world.books("invoices").is_empty() && world.parked().await.is_empty());
    // The audit log says who it was and why.
    let audit = world.store.audits_list(&tenant(), 10, None).await.unwrap().items;
    assert_eq!(audit.len(), 1);
    let entry = &audit[0];
    assert_eq!((entry.who.as_str(), entry.what.as_str()), ("bk_test", "parked_item_resolved"));
    assert_eq!((entry.subject.as_str(), entry.reason.as_deref()), (item.id.as_str(), Some("seen by hand")));
    assert_eq!(entry.after, Some(json!({"action": "dismiss"})));
}

#[tokio::test]
async fn what_cannot_be_decided_is_refused_and_nothing_happens() {
    let mut world = world(PostingProfile::Invoice).await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices").times(TRIES));
    let order = paid(&mut world).await;
    let item = waiting(&world).await;
    for answer in [Answer::Retry, Answer::Match { order: order.clone() }] {
        match decide(&world, &item.id, &answer).await {
            Err(Refusal::Conflict { code: "action_not_available", field: Some("action"), message }) => {
                assert!(message.contains("exists, send, dismiss"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
    let stranger = TenantId::parse("stranger").unwrap();
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let refused =
        parked_resolve(&world.app, &stranger, "bk_x", &item.id, &Answer::Send, None, &correlation).await;
    assert!(matches!(refused, Err(Refusal::NotFound(_))), "{refused:?}");
    assert_eq!(waiting(&world).await, item);
    assert!(QueueName::ALL.into_iter().all(|queue| world.queues.is_empty(queue)));
    // Twice is once.
    decide(&world, &item.id, &Answer::Send).await.unwrap();
    let again = decide(&world, &item.id, &Answer::Send).await;
    assert!(matches!(again, Err(Refusal::NotFound(_))), "{again:?}");
    world.settle().await;
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn a_payment_without_an_order_is_matched_by_hand() {
    let mut world = world(PostingProfile::Invoice).await;
    let code = world.checkout("747.00".parse().unwrap(), "somebody's text");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let item = waiting(&world).await;
    assert_eq!(item.code, "unmatched_payment");
    assert_eq!(actions(&item), [Action::Match, Action::Retry, Action::Dismiss]);
    let nobody = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    match decide(&world, &item.id, &Answer::Match { order: nobody }).await {
        Err(Refusal::Invalid(error)) => assert_eq!(error.field, "order_id"),
        other => panic!("{other:?}"),
    }
    let order = world.post(&sample()).await.unwrap();
    decide(&world, &item.id, &Answer::Match { order: order.id.clone() }).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "{:?}", world.errors);
    one_of_each(&world, "747.00");
    assert!(world.parked().await.is_empty());
    assert!(events(&world, &order.id).await.contains(&"parked_resolved".to_owned()));
}

#[tokio::test]
async fn a_delivery_is_looked_at_again_when_a_human_says_so() {
    let mut world = world(PostingProfile::Invoice).await;
    let code = world.checkout("747.00".parse().unwrap(), "1753-77");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let item = waiting(&world).await;
    let mut body = sample();
    body["order_number"] = json!("1753-77");
    let order = world.post(&body).await.unwrap();
    decide(&world, &item.id, &Answer::Retry).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "{:?}", world.errors);
    one_of_each(&world, "747.00");
    assert!(world.parked().await.is_empty());
}

/// What the ledger remembers of an invoice is wrong by now: trying again reads the invoice once more.
#[tokio::test]
async fn a_corrected_document_is_read_again() {
    let mut world = world(PostingProfile::Invoice).await;
    paid(&mut world).await;
    let before: u64 =
        world.books("invoices")[0]["DocumentNumber"].to_string().trim_matches('"').parse().unwrap();
    let number = (before + 1).to_string();
    let told =
        json!({"Invoice": {"DocumentNumber": number, "Total": 700.0, "TotalVAT": 140.0, "Booked": false}});
    let wrong = Fault { body: Some(told.to_string()), ..Fault::new(Kind::Body, "POST", "/3/invoices") };
    world.fortnox.faults.add(wrong.after_commit());
    let (order, code) = world.order("2", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let item = waiting(&world).await;
    assert_eq!((item.code.as_str(), actions(&item)), ("totals_differ", vec![Action::Retry, Action::Dismiss]));
    decide(&world, &item.id, &Answer::Retry).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "{:?}", world.errors);
    assert_eq!((world.books("invoices").len(), world.books("invoice_payments").len()), (2, 2));
}
