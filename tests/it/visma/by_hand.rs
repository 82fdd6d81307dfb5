//! What people did in the ledger program between two tries.

use bokbro_app::message::{Envelope, Nudge, Told};
use bokbro_app::ports::{Clock as _, QueueName, Queues as _};
use bokbro_domain::ids::CorrelationId;
use bokbro_domain::order::{Order, SyncState};
use bokbro_simulators::kit::Fault;
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::{sample, tenant};
use serde_json::{Value, json};

use super::flows::{book, done};
use super::one_of_each;

const CONVERT: &str = "/v2/customerinvoicedrafts/{}/convert";
const PAYMENTS: &str = "/v2/customerinvoices/{}/payments";

/// A paid order that stopped because one write met an answer that people must look at.
async fn stopped_at(path: &str) -> (VismaWorld, Order) {
    let mut world = VismaWorld::start().await;
    let mut fault = Fault::status(400, "POST", path);
    fault.body = Some(r#"{"ErrorCode":4002,"DeveloperErrorMessage":"x","ErrorId":"x","Errors":[]}"#.into());
    world.visma.faults.add(fault);
    let order = book(&mut world, "1", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention, "{:?}", order.accounting);
    (world, order)
}

/// A human asks for another try.
async fn insist(world: &mut VismaWorld, order: &Order) -> Order {
    // Insisting counts for what was sent before it.
    world.clock.advance(std::time::Duration::from_secs(1));
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let nudge = Nudge::Order { order: order.id.clone(), insist: true, told: None };
    let message = Envelope::new(tenant(), correlation, world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Accounting, &message).await.unwrap();
    world.settle().await;
    world.show(&order.id).await
}

/// The path of the only document of a kind.
fn path_of(world: &VismaWorld, kind: &str, collection: &str) -> String {
    let documents = world.books(kind);
    assert_eq!(documents.len(), 1, "{documents:?}");
    format!("/{collection}/{}", documents[0]["Id"].as_str().unwrap())
}

async fn code(world: &VismaWorld) -> String {
    world.parked().await.last().unwrap().code.clone()
}

#[tokio::test]
async fn another_try_after_a_refusal_books_once() {
    for path in ["/v2/customers", "/v2/articles", "/v2/customerinvoicedrafts", CONVERT, PAYMENTS] {
        let (mut world, order) = stopped_at(path).await;
        done(&insist(&mut world, &order).await);
        one_of_each(&world, "747.00", "149.40");
    }
}

#[tokio::test]
async fn a_draft_that_somebody_converted_is_not_converted_again() {
    let (mut world, order) = stopped_at(CONVERT).await;
    let path = path_of(&world, "drafts", "customerinvoicedrafts");
    world.by_hand("POST", &format!("{path}/convert"), Some(json!({}))).await;
    done(&insist(&mut world, &order).await);
    one_of_each(&world, "747.00", "149.40");
}

#[tokio::test]
async fn a_draft_that_somebody_deleted_is_not_made_anew() {
    let (mut world, order) = stopped_at(CONVERT).await;
    let path = path_of(&world, "drafts", "customerinvoicedrafts");
    world.by_hand("DELETE", &path, None).await;
    let order = insist(&mut world, &order).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert!(order.accounting.message.unwrap().contains("was deleted"), "{:?}", world.errors);
    assert!(world.books("invoices").is_empty() && world.dead.is_empty());
}

#[tokio::test]
async fn a_draft_that_somebody_changed_is_not_booked() {
    let (mut world, order) = stopped_at(CONVERT).await;
    let path = path_of(&world, "drafts", "customerinvoicedrafts");
    let mut draft = world.books("drafts")[0].clone();
    draft["Rows"][1]["UnitPrice"] = json!(350);
    world.by_hand("PUT", &path, Some(draft)).await;
    let order = insist(&mut world, &order).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert!(world.books("invoices").is_empty(), "{:?}", order.accounting);
}

fn payment(world: &VismaWorld, amount: Value, kind: u32) -> Value {
    let accounts = world.books("bank_accounts");
    json!({"CompanyBankAccountId": accounts[1]["Id"], "PaymentAmount": amount, "PaymentCurrency": "SEK", "PaymentType": kind})
}

#[tokio::test]
async fn an_invoice_that_somebody_paid_is_not_paid_again() {
    for (amount, kind, is_ours) in [(json!(747), 2, true), (json!(700), 1, false)] {
        let (mut world, order) = stopped_at(PAYMENTS).await;
        let path = format!("{}/payments", path_of(&world, "invoices", "customerinvoices"));
        world.by_hand("POST", &path, Some(payment(&world, amount, kind))).await;
        let order = insist(&mut world, &order).await;
        assert_eq!(world.books("payments").len(), 1);
        if is_ours {
            done(&order);
        } else {
            assert_eq!(order.accounting.state, SyncState::NeedsAttention);
            assert!(order.accounting.message.unwrap().contains("has a payment already"));
        }
    }
}

/// A person says which document a step's is.
async fn name(world: &mut VismaWorld, order: &Order, step: &str, number: &str) -> Order {
    world.clock.advance(std::time::Duration::from_secs(1));
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let told = Told { step: step.to_owned(), number: number.to_owned() };
    let nudge = Nudge::Order { order: order.id.clone(), insist: true, told: Some(told) };
    let message = Envelope::new(tenant(), correlation, world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Accounting, &message).await.unwrap();
    world.settle().await;
    world.show(&order.id).await
}

#[tokio::test]
async fn a_document_that_is_named_is_taken_when_it_fits() {
    let (mut world, order) = stopped_at(CONVERT).await;
    let path = path_of(&world, "drafts", "customerinvoicedrafts");
    world.by_hand("POST", &format!("{path}/convert"), Some(json!({}))).await;
    let order = name(&mut world, &order, "invoice", "7").await;
    assert!(order.accounting.message.as_ref().unwrap().contains("Nothing was sent"), "{order:?}");
    done(&name(&mut world, &order, "invoice", "1").await);
    one_of_each(&world, "747.00", "149.40");

    let (mut world, order) = stopped_at(PAYMENTS).await;
    let order = name(&mut world, &order, "payment", "1").await;
    assert!(order.accounting.message.as_ref().unwrap().contains("does not settle"), "{order:?}");
    let path = format!("{}/payments", path_of(&world, "invoices", "customerinvoices"));
    world.by_hand("POST", &path, Some(payment(&world, json!(747), 2))).await;
    done(&name(&mut world, &order, "payment", "1").await);
    one_of_each(&world, "747.00", "149.40");

    for (path, step, number) in [
        ("/v2/customers", "customer", "7"),
        ("/v2/articles", "article_25", "BB-25-3001"),
        ("/v2/customerinvoicedrafts", "draft", "00000000-0000-4000-8000-000000000bad"),
    ] {
        let (mut world, order) = stopped_at(path).await;
        let order = name(&mut world, &order, step, number).await;
        assert!(order.accounting.message.as_ref().unwrap().contains("is not there"), "{order:?}");
    }
}

#[tokio::test]
async fn a_voided_invoice_is_not_paid() {
    let (mut world, order) = stopped_at(PAYMENTS).await;
    let path = format!("{}/void", path_of(&world, "invoices", "customerinvoices"));
    world.by_hand("POST", &path, None).await;
    let order = insist(&mut world, &order).await;
    assert!(order.accounting.message.unwrap().contains("was credited or voided"));
    assert!(world.books("payments").is_empty());
    assert!(!code(&world).await.is_empty());
}
