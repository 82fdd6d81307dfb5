//! How an order's invoice stands in the books comes back onto the order: once per change, and never because of what we
//! write ourselves.

use std::time::Duration;

use bokbro_app::orders::order_sync;
use bokbro_app::ports::{Contents, Entry, Register};
use bokbro_app::records::TimelineEntry;
use bokbro_app::wire::order_out::order_json;
use bokbro_domain::ids::OrderId;
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::swedish_day;
use bokbro_simulators::kit::Fault;
use bokbro_tests::browser::correlation;
use bokbro_tests::registers::{Books, customer, invoice};
use bokbro_tests::world::{World, sample, tenant};
use serde_json::{Value, json};

use super::{HOUR, WEEK, counts, jobs, one};
use crate::refunds::{give_back, tell};

/// Longer than lists may lag behind our own writes.
const A_WHILE: Duration = Duration::from_secs(600);

/// Posts the sample order under a number, has it paid and booked.
pub(super) async fn booked(world: &mut World, number: &str) -> Order {
    let (order, code) = world.order(number, sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?} {:?}", shown.accounting, world.errors);
    shown
}

/// The order's invoice as we left it.
fn as_we_left_it(order: &Order) -> Entry {
    let number = order.accounting.invoice().unwrap();
    let mut entry = invoice(number.parse().unwrap());
    let Contents::Invoice { reference, customer_id, customer_number, date, total, .. } = &mut entry.contents
    else {
        panic!()
    };
    *reference = Some(order.id.to_string());
    *customer_id = order.accounting.numbers.get("customer_number").cloned();
    customer_number.clone_from(customer_id);
    *date = order.payment.paid_at.map(swedish_day);
    *total = Some(order.body.total);
    entry
}

struct Edit<'a> {
    canceled: &'a mut bool,
    credited: &'a mut bool,
    date: &'a mut Option<jiff::civil::Date>,
    total: &'a mut Option<Money>,
    balance: &'a mut Option<Money>,
    customer_id: &'a mut Option<String>,
    customer_number: &'a mut Option<String>,
}

fn edited(entry: &Entry, edit: impl FnOnce(Edit<'_>)) -> Entry {
    let mut entry = entry.clone();
    let Contents::Invoice { canceled, credited, date, total, balance, customer_id, customer_number, .. } =
        &mut entry.contents
    else {
        panic!()
    };
    edit(Edit { canceled, credited, date, total, balance, customer_id, customer_number });
    entry
}

fn kronor(minor: i64) -> Option<Money> {
    Some(Money::new(minor, Currency::SEK))
}

pub(super) async fn seen(world: &World, id: &OrderId) -> Vec<String> {
    let timeline = world.app.orders.timeline_list(&tenant(), id, 100, None).await.unwrap().items;
    let of = |entry: &TimelineEntry| entry.event == "seen_in_books";
    timeline.into_iter().filter(of).map(|entry| entry.message.to_string()).collect()
}

/// The order's side at the books as the API shows it, without the time.
pub(super) async fn shown(world: &World, id: &OrderId) -> Value {
    let mut shown = order_json(&world.show(id).await)["sync"]["accounting"]["in_books"].take();
    if let Some(shown) = shown.as_object_mut() {
        assert!(shown.remove("read_at").unwrap().is_string());
    }
    shown
}

#[tokio::test]
async fn what_people_change_in_the_books_is_shown_once_per_change_and_mended_by_nobody() {
    let mut world = World::start().await;
    let order = booked(&mut world, "1753-1001").await;
    let books = Books::instead(&mut world, 5);
    let left = as_we_left_it(&order);
    books.put(Register::Invoices, left.clone());
    world.hour_passes().await;
    let number = left.number.clone();
    let fine = json!({"number": number, "state": "paid", "balance": "0.00", "changed": [], "credits": []});
    assert_eq!(shown(&world, &order.id).await, fine);
    assert!(seen(&world, &order.id).await.is_empty(), "as we left it is no news");
    let calls = world.fortnox.log.requests().len();
    let total = order.body.total;
    type Change = fn(Edit<'_>);
    let cases: [(Change, Value, &str); 8] = [
        (
            |it| *it.balance = *it.total,
            json!({"state": "unpaid", "balance": "747.00", "changed": []}),
            "unpaid, 747.00 SEK left",
        ),
        (
            |it| *it.balance = kronor(10_000),
            json!({"state": "partly_paid", "balance": "100.00", "changed": []}),
            "partly paid, 100.00 SEK left",
        ),
        (
            |it| *it.total = kronor(70_000),
            json!({"state": "paid", "balance": "0.00", "changed": ["total"]}),
            "paid; changed by hand: total",
        ),
        (
            |it| *it.date = it.date.unwrap().tomorrow().ok(),
            json!({"state": "paid", "balance": "0.00", "changed": ["date"]}),
            "paid; changed by hand: date",
        ),
        (
            |it| *it.customer_number = Some("99".into()),
            json!({"state": "paid", "balance": "0.00", "changed": ["customer"]}),
            "paid; changed by hand: customer",
        ),
        (
            |it| *it.credited = true,
            json!({"state": "credited", "balance": "0.00", "changed": []}),
            "credited",
        ),
        (
            |it| *it.canceled = true,
            json!({"state": "canceled", "balance": "0.00", "changed": []}),
            "canceled",
        ),
        (|_| (), json!({"state": "paid", "balance": "0.00", "changed": []}), "paid"),
    ];
    let mut told = Vec::new();
    for (change, expected, message) in cases {
        books.put(Register::Invoices, edited(&left, change));
        // Read twice, told once.
        world.hour_passes().await;
        let updated_at = world.show(&order.id).await.updated_at;
        world.hour_passes().await;
        let now = shown(&world, &order.id).await;
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(now[name], *value, "{name} of {message}: {now}");
        }
        told.push(format!("fortnox: invoice {number} is {message}"));
        assert_eq!(seen(&world, &order.id).await, told);
        assert_eq!(world.show(&order.id).await.updated_at, updated_at);
    }
    // Nothing was written there, nothing waits for anybody, and the order is as done as before.
    assert_eq!(world.fortnox.log.requests().len(), calls, "reading goes to the double alone");
    assert_eq!(world.books("invoices").len(), 1);
    let after = world.show(&order.id).await;
    assert_eq!(
        (after.accounting.state, after.body.total, after.version),
        (SyncState::Done, total, order.version)
    );
    assert!(world.parked().await.is_empty() && world.dead.is_empty());
    // Deleted: only a reading of everything tells.
    books.delete(Register::Invoices, number.parse().unwrap());
    world.clock.advance(WEEK);
    world.hour_passes().await;
    assert_eq!(shown(&world, &order.id).await["state"], "gone");
    assert_eq!(seen(&world, &order.id).await.last().unwrap(), &format!("fortnox: invoice {number} is gone"));
    assert!(one(&world, Register::Invoices, &number).await.gone);
}

#[tokio::test]
async fn an_invoice_of_a_customer_who_got_another_number_is_not_changed() {
    let mut world = World::start().await;
    let order = booked(&mut world, "1").await;
    let books = Books::instead(&mut world, 5);
    let left = as_we_left_it(&order);
    let mut same = customer(77);
    if let Contents::Customer { email, .. } = &mut same.contents {
        *email = Some("Asa@example.se".to_owned());
    }
    books.put(Register::Customers, same);
    books.put(Register::Customers, customer(78));
    for (number, changed) in [("77", json!([])), ("78", json!(["customer"]))] {
        let entry = edited(&left, |it| {
            *it.customer_number = Some(number.to_owned());
            *it.customer_id = Some(number.to_owned());
        });
        books.put(Register::Invoices, entry);
        world.hour_passes().await;
        assert_eq!(shown(&world, &order.id).await["changed"], changed, "{number}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_done_is_told_nothing_until_it_is() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    // The invoice is made and bookkept, and its payment is refused: a human must look.
    let mut refused = Fault::status(400, "POST", "/3/invoicepayments");
    refused.body = Some(r#"{"ErrorInformation":{"error":1,"message":"x","code":2003498}}"#.into());
    world.fortnox.faults.add(refused);
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    let half = world.show(&order.id).await;
    assert_eq!(half.accounting.state, SyncState::NeedsAttention);
    let left = as_we_left_it(&half);
    books.put(Register::Invoices, edited(&left, |it| *it.balance = *it.total));
    for _ in 0..3 {
        world.hour_passes().await;
    }
    assert!(!one(&world, Register::Invoices, &left.number).await.told);
    assert!(seen(&world, &order.id).await.is_empty(), "that it is unpaid is our own doing");
    order_sync(&world.app, &tenant(), &order.id, &correlation(&world)).await.unwrap();
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    books.put(Register::Invoices, left.clone());
    world.hour_passes().await;
    assert_eq!(shown(&world, &order.id).await["state"], "paid");
    assert!(seen(&world, &order.id).await.is_empty(), "{:?}", seen(&world, &order.id).await);
}

#[tokio::test]
async fn an_invoice_read_before_its_order_was_done_is_told_when_it_is() {
    let mut world = World::start().await;
    let order = booked(&mut world, "1").await;
    let books = Books::instead(&mut world, 5);
    // The list was read in the moments of our last write: it may be from before it, whatever it says.
    books.put(Register::Invoices, edited(&as_we_left_it(&order), |it| *it.balance = *it.total));
    world.tick().await;
    world.settle().await;
    let known = one(&world, Register::Invoices, order.accounting.invoice().unwrap()).await;
    assert!(!known.told);
    assert_eq!(known.ours, [order.id.to_string()]);
    assert_eq!(shown(&world, &order.id).await, Value::Null);
    // It stays as it is there, so that no change brings it again: the next reading looks back to it.
    for _ in 0..3 {
        world.hour_passes().await;
    }
    assert_eq!(shown(&world, &order.id).await["state"], "unpaid");
    assert_eq!(seen(&world, &order.id).await.len(), 1);
    assert!(one(&world, Register::Invoices, &known.external_id).await.told);
}

#[tokio::test]
async fn an_invoice_without_our_reference_is_found_by_the_number_in_the_order_s_ledger() {
    let mut world = World::start().await;
    let order = booked(&mut world, "1").await;
    let books = Books::instead(&mut world, 5);
    let mut entry = as_we_left_it(&order);
    if let Contents::Invoice { reference, .. } = &mut entry.contents {
        *reference = None;
    }
    // People copy invoices, reference and all; a copy is not the order's.
    let mut copy = edited(&as_we_left_it(&order), |it| *it.balance = *it.total);
    (copy.external_id, copy.number) = ("4711".to_owned(), "4711".to_owned());
    books.put(Register::Invoices, entry);
    books.put(Register::Invoices, copy);
    books.put(Register::Invoices, invoice(4712));
    world.hour_passes().await;
    assert_eq!(shown(&world, &order.id).await["state"], "paid");
    assert!(seen(&world, &order.id).await.is_empty());
    assert_eq!(counts(&jobs(&world).await[0], ["linked", "orders_told"]), [2, 1]);
}

#[tokio::test]
async fn our_own_credit_is_no_change_and_is_looked_at_like_the_invoice() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    world.clock.advance(HOUR);
    let given_back = give_back(&world, None).await;
    tell(&mut world, &given_back).await;
    let order = world.show(&order.id).await;
    let credit = order.accounting.numbers["credit_invoice_number"].clone();
    let books = Books::instead(&mut world, 5);
    // A ledger program may name our credit as what takes the invoice back.
    books.put(Register::Invoices, edited(&as_we_left_it(&order), |it| *it.credited = true));
    let mut entry = edited(&as_we_left_it(&order), |it| *it.total = kronor(-74_700));
    (entry.external_id, entry.number) = (credit.clone(), credit.clone());
    if let Contents::Invoice { reference, .. } = &mut entry.contents {
        *reference = Some(format!("{}-credit-74700", order.id));
    }
    books.put(Register::Invoices, entry.clone());
    world.clock.advance(A_WHILE);
    world.hour_passes().await;
    let now = shown(&world, &order.id).await;
    assert_eq!((&now["state"], &now["credits"][0]["state"]), (&json!("paid"), &json!("paid")), "{now}");
    assert!(seen(&world, &order.id).await.is_empty(), "{:?}", seen(&world, &order.id).await);
    books.put(Register::Invoices, edited(&entry, |it| *it.balance = *it.total));
    world.hour_passes().await;
    assert_eq!(shown(&world, &order.id).await["credits"][0]["state"], "unpaid");
    assert_eq!(
        seen(&world, &order.id).await,
        [format!("fortnox: invoice {credit} is unpaid, -747.00 SEK left")]
    );
    assert!(world.dead.is_empty());
}
