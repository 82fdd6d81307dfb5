//! Money given back: the books credit what they show, once, whatever happens on the way.

use std::collections::BTreeMap;

use bokbro_app::parked::{Answer, parked_resolve};
use bokbro_app::ports::{Parking as _, QueueName};
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::{AccountingMethod, FortnoxConfig};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::{OrderCode, Refund};
use bokbro_tests::world::{World, sample, tenant};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A world whose ledger program keeps books in one way or the other.
async fn world(method: AccountingMethod) -> World {
    let config = FortnoxConfig { rate_limited: false, accounting_method: method, ..FortnoxConfig::default() };
    World::start_with(PostingProfile::Invoice, config).await
}

/// Two oils at 25 % and a book at 6 %: 747.00 and 106.00.
pub(super) fn two_rates() -> Value {
    let mut body = sample();
    let book = json!({ "kind": "goods", "sku": "BOOK", "text": "Bok", "quantity": "1", "unit_price": "106.00", "vat_rate": "6" });
    body["lines"].as_array_mut().unwrap().push(book);
    body["total"] = json!("853.00");
    body
}

/// Posts and pays an order without telling of it; gives its webhook.
pub(super) async fn paid(world: &World, body: Value) -> (Order, OrderCode, String) {
    let (order, code) = world.order("1", body).await;
    let event = world.pay(code).await;
    (order, code, event)
}

/// Gives money back at the payment provider, all of it without an amount; gives the webhook, which is not sent.
pub(super) async fn give_back(world: &World, amount: Option<&str>) -> String {
    give_back_as(world, amount, json!({})).await
}

pub(super) async fn give_back_as(world: &World, amount: Option<&str>, unusual: Value) -> String {
    let payment = world.viva.transactions()[0].transaction_id.clone();
    let mut wish = json!({ "transaction_id": payment, "amount": amount, "deliver": false });
    wish.as_object_mut().unwrap().extend(unusual.as_object().unwrap().clone());
    let wish: Refund = serde_json::from_value(wish).unwrap();
    world.viva.refund(&wish).await.unwrap().event.get().to_owned()
}

pub(super) async fn tell(world: &mut World, event: &str) {
    world.webhook(event).await;
    world.settle().await;
}

/// Balance of every account over all vouchers.
fn balances(world: &World) -> BTreeMap<u64, Decimal> {
    let mut balances: BTreeMap<u64, Decimal> = BTreeMap::new();
    for voucher in world.books("vouchers") {
        let mut sum = Decimal::ZERO;
        for row in voucher["VoucherRows"].as_array().unwrap() {
            let amount = |side: &str| row[side].to_string().parse::<Decimal>().unwrap_or_default();
            let moved = amount("Debit") - amount("Credit");
            *balances.entry(row["Account"].as_u64().unwrap()).or_default() += moved;
            sum += moved;
        }
        assert!(sum.is_zero(), "a voucher does not balance: {voucher}");
    }
    balances.retain(|_, balance| !balance.is_zero());
    balances
}

fn account(world: &World, number: u64) -> Decimal {
    balances(world).get(&number).copied().unwrap_or_default()
}

fn totals(world: &World, kind: &str, member: &str) -> Vec<String> {
    let money = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:.2}", text.parse::<Decimal>().unwrap())
    };
    world.books(kind).iter().map(|document| money(&document[member])).collect()
}

#[track_caller]
fn all_booked(world: &World) {
    for kind in ["invoices", "invoice_payments"] {
        assert!(world.books(kind).iter().all(|document| document["Booked"] == json!(true)), "{kind}");
    }
    assert!(
        world.books("invoices").iter().all(|invoice| invoice["Balance"]
            .to_string()
            .parse::<Decimal>()
            .unwrap()
            .is_zero())
    );
}

pub(super) async fn done(world: &World, id: &OrderId) -> Order {
    let order = world.show(id).await;
    assert_eq!(order.accounting.state, SyncState::Done, "{:?} {:?}", order.accounting, world.errors);
    assert!(world.parked().await.is_empty() && world.dead.is_empty(), "{:?}", world.parked().await);
    order
}

#[tokio::test]
async fn everything_given_back_leaves_every_account_at_zero() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, event) = paid(&world, two_rates()).await;
    tell(&mut world, &event).await;
    assert_eq!(account(&world, 1580), Decimal::from(853));
    let event = give_back(&world, None).await;
    tell(&mut world, &event).await;
    let order = done(&world, &order.id).await;
    assert_eq!(order.state, OrderState::Refunded);
    assert_eq!(totals(&world, "invoices", "Total"), ["853.00", "-853.00"]);
    assert_eq!(totals(&world, "invoice_payments", "Amount"), ["853.00", "-853.00"]);
    all_booked(&world);
    assert_eq!(balances(&world), BTreeMap::new());
    assert_eq!(order.accounting.numbers["invoice_number"], "1");
    assert_eq!(order.accounting.numbers["credit_invoice_number"], "2");
    assert_eq!(order.accounting.numbers["credit_payment_number"], "2");
    let credit = &world.books("invoices")[1];
    assert_eq!(credit["ExternalInvoiceReference1"], json!(format!("{}-credit-85300", order.id)));
}

#[tokio::test]
async fn parts_given_back_are_credited_each_by_itself() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, event) = paid(&world, two_rates()).await;
    tell(&mut world, &event).await;
    for (amount, left) in [(Some("100.00"), "753.00"), (Some("0.01"), "752.99"), (None, "0.00")] {
        let event = give_back(&world, amount).await;
        tell(&mut world, &event).await;
        done(&world, &order.id).await;
        assert_eq!(format!("{:.2}", account(&world, 1580)), left);
    }
    assert_eq!(totals(&world, "invoices", "Total"), ["853.00", "-100.00", "-0.01", "-752.99"]);
    all_booked(&world);
    // Tax is rounded in each credit by itself, so an öre may be left on it and on the sales.
    assert!(balances(&world).values().all(|rest| rest.abs() < Decimal::new(5, 2)), "{:?}", balances(&world));
    assert_eq!(done(&world, &order.id).await.accounting.numbers["credit_invoice_number"], "2, 3, 4");
}

#[tokio::test]
async fn every_spelling_of_a_reversal_is_credited_once() {
    let spellings = [
        json!({}),
        json!({ "negative_amount": true }),
        json!({ "status_id": "R" }),
        json!({ "negative_amount": true, "status_id": "R" }),
    ];
    for spelling in spellings {
        let mut world = world(AccountingMethod::Accrual).await;
        let (order, _, event) = paid(&world, sample()).await;
        tell(&mut world, &event).await;
        let event = give_back_as(&world, Some("100.00"), spelling.clone()).await;
        for _ in 0..3 {
            tell(&mut world, &event).await;
        }
        done(&world, &order.id).await;
        assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-100.00"], "{spelling}");
    }
}

#[tokio::test]
async fn two_parts_that_are_seen_at_once_are_two_credits() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    let first = give_back(&world, Some("100.00")).await;
    // Not within the same moment, which the payment provider's times do not tell apart.
    world.viva.kit.clock.advance(jiff::SignedDuration::from_secs(1));
    let second = give_back(&world, Some("50.00")).await;
    world.webhook(&second).await;
    world.webhook(&first).await;
    world.settle().await;
    done(&world, &order.id).await;
    assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-100.00", "-50.00"]);
}

#[tokio::test]
async fn what_was_given_back_before_it_was_booked_ends_as_what_was_given_back_later() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, payment) = paid(&world, sample()).await;
    let reversal = give_back(&world, None).await;
    world.webhook(&reversal).await;
    world.webhook(&payment).await;
    world.settle().await;
    assert_eq!(done(&world, &order.id).await.state, OrderState::Refunded);
    assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-747.00"]);
    all_booked(&world);
    assert_eq!(balances(&world), BTreeMap::new());
}

#[tokio::test]
async fn a_part_given_back_before_the_books_were_written_is_a_sale_and_a_credit() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, payment) = paid(&world, sample()).await;
    let reversal = give_back(&world, Some("100.00")).await;
    world.webhook(&reversal).await;
    world.webhook(&payment).await;
    world.settle().await;
    done(&world, &order.id).await;
    assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-100.00"]);
    assert_eq!(account(&world, 1580), Decimal::from(647));
}

#[tokio::test]
async fn under_the_cash_method_the_payment_books_both_ways() {
    let mut world = world(AccountingMethod::Cash).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    let event = give_back(&world, None).await;
    tell(&mut world, &event).await;
    done(&world, &order.id).await;
    assert_eq!(totals(&world, "invoice_payments", "Amount"), ["747.00", "-747.00"]);
    assert_eq!(balances(&world), BTreeMap::new());
}

/// One run with a refund and a death at the n-th point after the money was given back.
async fn run(nth: Option<usize>) -> Vec<String> {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    let event = give_back(&world, Some("100.00")).await;
    world.crash.arm(nth);
    tell(&mut world, &event).await;
    let passed = world.crash.passed();
    done(&world, &order.id).await;
    assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-100.00"], "death at {nth:?}");
    assert_eq!(totals(&world, "invoice_payments", "Amount"), ["747.00", "-100.00"], "death at {nth:?}");
    all_booked(&world);
    passed
}

#[tokio::test]
async fn a_credit_survives_a_death_at_every_point() {
    let points = run(None).await;
    assert!(points.contains(&"after send of invoice.credit_10000".to_owned()), "{points:?}");
    assert!(points.contains(&"after send of bookkeep_payment.credit_10000".to_owned()), "{points:?}");
    for nth in 0..points.len() {
        run(Some(nth)).await;
    }
}

#[tokio::test]
async fn every_bad_answer_to_a_credit_s_writes_leaves_one_credit() {
    let writes = [
        ("POST", "/3/invoices"),
        ("PUT", "/3/invoices/{}/bookkeep"),
        ("POST", "/3/invoicepayments"),
        ("PUT", "/3/invoicepayments/{}/bookkeep"),
    ];
    for (method, path) in writes {
        let faults = [
            Fault::new(Kind::Reset, method, path),
            Fault::new(Kind::DropAfterCommit, method, path),
            Fault::status(500, method, path).after_commit(),
            Fault::status(429, method, path),
        ];
        for fault in faults {
            let mut world = world(AccountingMethod::Accrual).await;
            let (order, _, event) = paid(&world, sample()).await;
            tell(&mut world, &event).await;
            let event = give_back(&world, Some("100.00")).await;
            world.fortnox.faults.add(fault.clone());
            tell(&mut world, &event).await;
            done(&world, &order.id).await;
            assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-100.00"], "{fault:?}");
            assert_eq!(totals(&world, "invoice_payments", "Amount"), ["747.00", "-100.00"], "{fault:?}");
        }
    }
}

#[tokio::test]
async fn an_order_that_was_booked_by_hand_is_credited_by_hand() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (order, _, event) = paid(&world, sample()).await;
    world.fortnox.faults.add(Fault::status(400, "POST", "/3/invoices").times(1));
    tell(&mut world, &event).await;
    let waiting = world.parked().await;
    assert_eq!(waiting.len(), 1);
    let correlation = waiting[0].correlation.clone();
    let (whose, why) = (tenant(), Some("booked by hand"));
    let dismissed =
        parked_resolve(&world.app, &whose, "a person", &waiting[0].id, &Answer::Dismiss, why, &correlation);
    assert!(dismissed.await.is_ok());
    let event = give_back(&world, Some("100.00")).await;
    tell(&mut world, &event).await;
    assert!(world.books("invoices").is_empty());
    assert_eq!(world.parked().await[0].code, "refund_to_book");
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    world.store.parked_close(&tenant(), &world.parked().await[0].id).await.unwrap();
    assert!(world.queues.is_empty(QueueName::Accounting));
}

#[tokio::test]
async fn what_a_person_has_credited_is_not_credited_again() {
    let mut world = world(AccountingMethod::Accrual).await;
    let (_, _, event) = paid(&world, sample()).await;
    tell(&mut world, &event).await;
    world.by_hand("PUT", "/3/invoices/1/credit", None).await;
    let event = give_back(&world, None).await;
    tell(&mut world, &event).await;
    assert_eq!(world.parked().await[0].code, "credited_by_hand");
    assert_eq!(totals(&world, "invoices", "Total"), ["747.00", "-747.00"]);
    assert_eq!(world.books("invoice_payments").len(), 1);
}
