//! Documents that are not Bokbro's: other people's, look-alikes, and what people did by hand in between.

use std::collections::BTreeSet;

use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Clock as _, QueueName, Queues as _};
use bokbro_domain::ids::{CorrelationId, OrderId};
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

use crate::flows::one_of_each;

fn config() -> FortnoxConfig {
    FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() }
}

/// Posts an order and has it paid, with the webhook not yet handled.
async fn paid(world: &World, number: &str, body: Value) -> Order {
    let (order, code) = world.order(number, body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    order
}

/// A paid order that stopped because one write met an answer that people must look at.
async fn stopped_at(world: &mut World, method: &str, path: &str) -> Order {
    // A refusal that only people can lift, at the next call of this kind.
    let mut fault = Fault::status(400, method, path);
    fault.body = Some(r#"{"ErrorInformation":{"error":1,"message":"x","code":2003498}}"#.into());
    world.fortnox.faults.add(fault);
    let order = paid(world, "1", sample()).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    order
}

/// A human asks for another try.
async fn insist(world: &mut World, order: &OrderId) {
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    let nudge = Nudge::Order { order: order.clone(), insist: true, told: None };
    let message = Envelope::new(tenant(), correlation, world.clock.now(), nudge);
    world.queues.queue_send(QueueName::Accounting, &message).await.unwrap();
    world.settle().await;
}

/// Why the order waits for people now.
async fn message(world: &World, order: &OrderId) -> String {
    let status = world.show(order).await.accounting;
    assert_eq!(status.state, SyncState::NeedsAttention, "{status:?}");
    status.message.map(|said| said.to_string()).unwrap_or_default()
}

fn by_hand(amount: &str, account: u32, date: &Value) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    json!({"InvoicePayment": {"InvoiceNumber": 1, "Amount": amount, "PaymentDate": date,
        "ModeOfPaymentAccount": account}})
}

fn text<'a>(document: &'a Value, member: &str) -> &'a str {
    document[member].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_invoice_whose_reference_only_begins_like_ours_is_somebody_elses() {
    let kinds = [
        (PostingProfile::Invoice, "Invoice", "/3/invoices", "InvoiceRows"),
        (PostingProfile::OrderAndInvoice, "Order", "/3/orders", "OrderRows"),
    ];
    for (profile, kind, path, rows) in kinds {
        let mut world = World::start_with(profile, config()).await;
        let order = paid(&world, "1", sample()).await;
        world
            .by_hand("POST", "/3/customers", Some(json!({"Customer": {"CustomerNumber": "7", "Name": "X"}})))
            .await;
        let longer = format!("{}-2", order.id);
        let row = json!({"Description": "x", "DeliveredQuantity": "1", "Price": 747, "VAT": 25, "AccountNumber": 3001});
        let theirs = json!({"CustomerNumber": "7", "ExternalInvoiceReference1": longer, "VATIncluded": true, rows: [row]});
        world.by_hand("POST", path, Some(json!({ kind: theirs }))).await;
        // Ours never arrives, so only theirs is found.
        world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", path));
        world.settle().await;
        let status = world.show(&order.id).await.accounting;
        assert_eq!(status.state, SyncState::Done, "{status:?}");
        let ours =
            world.books("invoices").into_iter().filter(|i| i["ExternalInvoiceReference1"] == json!(order.id));
        assert_eq!(ours.count(), 1);
        assert_eq!(world.books("invoice_payments").len(), 1);
    }
}

#[tokio::test]
async fn a_canceled_invoice_is_not_ours_any_more() {
    let mut world = World::start().await;
    let order = paid(&world, "1", sample()).await;
    world
        .by_hand("POST", "/3/customers", Some(json!({"Customer": {"CustomerNumber": "7", "Name": "X"}})))
        .await;
    let row =
        json!({"Description": "x", "DeliveredQuantity": "1", "Price": 747, "VAT": 25, "AccountNumber": 3001});
    let canceled = json!({"Invoice": {"CustomerNumber": "7", "ExternalInvoiceReference1": order.id, "VATIncluded": true,
        "InvoiceRows": [row]}});
    world.by_hand("POST", "/3/invoices", Some(canceled)).await;
    world.by_hand("PUT", "/3/invoices/1/cancel", None).await;
    world.fortnox.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices"));
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.numbers["invoice_number"], "2");
    assert_eq!(world.books("invoices")[0]["Booked"], json!(false));
}

#[tokio::test]
async fn an_invoice_that_was_booked_by_hand_is_booked_once() {
    let mut world = World::start().await;
    let order = stopped_at(&mut world, "PUT", "/3/invoices/{}/bookkeep").await;
    world.by_hand("PUT", "/3/invoices/1/bookkeep", None).await;
    insist(&mut world, &order.id).await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn an_invoice_that_was_canceled_by_hand_is_neither_booked_nor_paid() {
    for profile in [PostingProfile::Invoice, PostingProfile::OrderAndInvoice] {
        let mut world = World::start_with(profile, config()).await;
        let order = stopped_at(&mut world, "PUT", "/3/invoices/{}/bookkeep").await;
        world.by_hand("PUT", "/3/invoices/1/cancel", None).await;
        insist(&mut world, &order.id).await;
        assert!(
            message(&world, &order.id).await.contains("canceled"),
            "{}",
            message(&world, &order.id).await
        );
        assert_eq!(world.books("invoices").len(), 1);
        assert!(world.books("invoice_payments").is_empty());
    }
}

#[tokio::test]
async fn an_invoice_that_was_changed_by_hand_is_not_paid() {
    let mut world = World::start().await;
    let order = stopped_at(&mut world, "PUT", "/3/invoices/{}/bookkeep").await;
    let row =
        json!({"Description": "x", "DeliveredQuantity": "1", "Price": 700, "VAT": 25, "AccountNumber": 3001});
    world.by_hand("PUT", "/3/invoices/1", Some(json!({"Invoice": {"InvoiceRows": [row]}}))).await;
    insist(&mut world, &order.id).await;
    assert!(message(&world, &order.id).await.contains("700.00"), "{}", message(&world, &order.id).await);
    assert!(world.books("invoice_payments").is_empty());
}

#[tokio::test]
async fn a_payment_by_hand_is_taken_over_when_it_is_the_same_and_left_alone_when_it_is_not() {
    // Amount, account, day (the invoice's or the next), booked by hand, and whether it is the payment that was meant.
    let cases = [
        ("747", 1580, true, false, true),
        ("747", 1580, true, true, true),
        ("747", 1930, true, false, false),
        ("747", 1930, true, true, false),
        ("700", 1580, true, false, false),
        ("747", 1580, false, false, false),
    ];
    for (amount, account, same_day, booked, ours) in cases {
        let case = format!("{amount} on {account}, same day {same_day}, booked {booked}");
        let mut world = World::start().await;
        let order = stopped_at(&mut world, "POST", "/3/invoicepayments").await;
        let mut date = world.books("invoices")[0]["InvoiceDate"].clone();
        if !same_day {
            let day: jiff::civil::Date = date.as_str().unwrap().parse().unwrap();
            date = json!(day.tomorrow().unwrap());
        }
        world.by_hand("POST", "/3/invoicepayments", Some(by_hand(amount, account, &date))).await;
        if booked {
            world.by_hand("PUT", "/3/invoicepayments/1/bookkeep", None).await;
        }
        insist(&mut world, &order.id).await;
        assert_eq!(world.books("invoice_payments").len(), 1, "{case}");
        if ours {
            assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "{case}");
            one_of_each(&world, "747.00");
        } else {
            assert!(
                message(&world, &order.id).await.contains("payment 1"),
                "{case}: {}",
                message(&world, &order.id).await
            );
            assert_eq!(world.books("invoice_payments")[0]["Booked"], json!(booked), "{case}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_was_removed_by_hand_is_not_made_again() {
    let mut world = World::start().await;
    let order = stopped_at(&mut world, "PUT", "/3/invoicepayments/{}/bookkeep").await;
    world.by_hand("DELETE", "/3/invoicepayments/1", None).await;
    insist(&mut world, &order.id).await;
    message(&world, &order.id).await;
    assert!(world.books("invoice_payments").is_empty());
}

#[tokio::test]
async fn a_customer_number_that_another_company_has_is_not_invoiced() {
    let mut world = World::start().await;
    let mut body = sample();
    body["customer"]["kind"] = json!("company");
    body["customer"]["organisation_number"] = json!("556677-8899");
    let first = paid(&world, "1", body.clone()).await;
    world.settle().await;
    let number = world.show(&first.id).await.accounting.numbers["customer_number"].clone();
    // Somebody makes another company of it.
    let other = json!({"Customer": {"OrganisationNumber": "559000-1234", "Email": "other@example.se", "Name": "Other AB"}});
    world.by_hand("PUT", &format!("/3/customers/{number}"), Some(other)).await;
    let second = paid(&world, "2", body).await;
    world.settle().await;
    assert!(message(&world, &second.id).await.contains("customer number"));
    assert_eq!(world.books("invoices").len(), 1);
}

#[tokio::test]
async fn a_customer_whose_address_or_number_only_looks_alike_is_somebody_elses() {
    let mut world = World::start().await;
    let others = [
        json!({"Customer": {"CustomerNumber": "1", "Name": "A", "Email": "xasa@example.se"}}),
        json!({"Customer": {"CustomerNumber": "2", "Name": "B", "Email": "asa@example.se", "OrganisationNumber": "556677-8899"}}),
        json!({"Customer": {"CustomerNumber": "3", "Name": "C", "Email": "asa@example.se", "Active": false}}),
    ];
    for other in others {
        world.by_hand("POST", "/3/customers", Some(other)).await;
    }
    let order = paid(&world, "1", sample()).await;
    world.settle().await;
    let number = world.show(&order.id).await.accounting.numbers["customer_number"].clone();
    assert!(number.starts_with("BB"), "{number}");
    assert_eq!(world.books("customers").len(), 4);
}

#[tokio::test]
async fn two_orders_that_are_alike_to_the_last_ore_have_an_invoice_and_a_payment_each() {
    let mut world = World::start().await;
    // Every answer to a payment is lost, so each order looks for its own among the other's.
    world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/3/invoicepayments").times(2));
    let (first, second) = (paid(&world, "1", sample()).await, paid(&world, "2", sample()).await);
    world.settle().await;
    let mut numbers = BTreeSet::new();
    for order in [&first.id, &second.id] {
        let status = world.show(order).await.accounting;
        assert_eq!(status.state, SyncState::Done, "{status:?}");
        numbers.insert((status.numbers["invoice_number"].clone(), status.numbers["payment_number"].clone()));
    }
    let payments = world.books("invoice_payments");
    assert_eq!((numbers.len(), payments.len(), world.books("invoices").len()), (2, 2, 2));
    for (invoice, payment) in numbers {
        let paid = payments.iter().find(|known| text(known, "Number") == payment).unwrap();
        assert_eq!(paid["InvoiceNumber"].to_string(), invoice);
    }
}

#[tokio::test]
async fn an_invoice_from_an_order_keeps_the_addresses_of_the_order_when_its_day_is_corrected() {
    let mut world = World::start_with(PostingProfile::OrderAndInvoice, config()).await;
    let old = json!({"Customer": {"CustomerNumber": "7", "Name": "Åsa", "Email": "asa@example.se",
        "Address1": "Gamla gatan 9", "ZipCode": "99999", "City": "Kiruna"}});
    world.by_hand("POST", "/3/customers", Some(old)).await;
    let mut body = sample();
    body["customer"]["delivery"] = json!({"name": "Bo Ek", "address1": "Vägen 2", "address2": null, "zip": "22233",
        "city": "Lund", "country": "SE"});
    let order = paid(&world, "1", body).await;
    // The ledger program is a day ahead, so the invoice gets another day than the payment.
    world.fortnox.clock.advance(jiff::SignedDuration::from_hours(24));
    world.clock.advance(std::time::Duration::from_secs(24 * 3600));
    world.settle().await;
    let status = world.show(&order.id).await.accounting;
    assert_eq!(status.state, SyncState::Done, "{status:?}");
    assert!(world.fortnox.log.calls("PUT /3/invoices/{number}") > 0, "{:?}", world.fortnox.log.stats());
    let invoice = &world.books("invoices")[0];
    let shown =
        ["CustomerName", "Address1", "ZipCode", "City", "DeliveryName", "DeliveryAddress1", "DeliveryCity"]
            .map(|member| text(invoice, member).to_owned());
    assert_eq!(shown, ["Åsa Öberg", "Storgatan 1", "11122", "Stockholm", "Bo Ek", "Vägen 2", "Lund"]);
}
