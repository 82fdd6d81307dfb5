//! The main job and its bad days, through real use cases, real connectors and real HTTP.

use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::viva::{Amount, Pay};
use bokbro_tests::world::{World, sample};
use futures::future::join_all;
use serde_json::{Value, json};

/// One of each, booked and paid, on the given totals.
#[track_caller]
pub(crate) fn one_of_each(world: &World, total: &str) {
    let (customers, invoices, payments) =
        (world.books("customers"), world.books("invoices"), world.books("invoice_payments"));
    assert_eq!((customers.len(), invoices.len(), payments.len()), (1, 1, 1), "{invoices:?} {payments:?}");
    let invoice = &invoices[0];
    assert_eq!(invoice["Booked"], json!(true), "{invoice}");
    let money = |value: &Value| {
        format!("{:.2}", value.to_string().trim_matches('"').parse::<rust_decimal::Decimal>().unwrap())
    };
    assert_eq!(money(&invoice["Total"]), total);
    assert_eq!(money(&invoice["Balance"]), "0.00");
    assert_eq!(payments[0]["Booked"], json!(true), "{}", payments[0]);
    assert_eq!(money(&payments[0]["Amount"]), total);
}

#[tokio::test]
async fn a_paid_order_is_booked_once() {
    let mut world = World::start().await;
    let (order, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    one_of_each(&world, "747.00");
    let shown = world.show(&order.id).await;
    assert_eq!(shown.state, OrderState::Paid);
    assert_eq!(shown.accounting.state, SyncState::Done, "{:?}", shown.accounting);
    for number in ["customer_number", "invoice_number", "payment_number"] {
        assert!(shown.accounting.numbers.contains_key(number), "{:?}", shown.accounting.numbers);
    }
    assert_eq!(world.books("invoices")[0]["ExternalInvoiceReference1"], json!(order.id));
    assert!(world.parked().await.is_empty());
    assert!(world.dead.is_empty());
}

#[tokio::test]
async fn an_order_at_the_ledger_comes_before_the_invoice_when_the_tenant_wants_it() {
    let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
    let mut world = World::start_with(PostingProfile::OrderAndInvoice, config).await;
    let (order, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    one_of_each(&world, "747.00");
    assert_eq!(world.books("orders").len(), 1);
    assert!(world.show(&order.id).await.accounting.numbers.contains_key("order_number"));
}

#[tokio::test]
async fn fifty_deliveries_at_once_and_one_after_leave_one_of_each() {
    let mut world = World::start().await;
    let (_, code) = world.order("1753-1001", sample()).await;
    let event = world.pay(code).await;
    join_all((0..50).map(|_| world.webhook(&event))).await;
    world.settle().await;
    world.webhook(&event).await;
    world.settle().await;
    one_of_each(&world, "747.00");
    assert!(world.parked().await.is_empty());
}

#[tokio::test]
async fn a_returning_customer_is_found_whatever_the_case_of_the_address() {
    let mut world = World::start().await;
    for (number, email) in [("1", "asa@example.se"), ("2", "ASA@example.se")] {
        let mut body = sample();
        body["customer"]["email"] = json!(email);
        let (_, code) = world.order(number, body).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        world.settle().await;
    }
    assert_eq!(world.books("customers").len(), 1);
    assert_eq!(world.books("invoices").len(), 2);
}

#[tokio::test]
async fn the_four_rates_are_booked_on_their_own_accounts() {
    let mut world = World::start().await;
    let mut body = sample();
    let line = |rate: &str, price: &str| {
        json!({"kind": "goods", "sku": format!("S{rate}"), "text": format!("Vara {rate} %"),
        "quantity": "1", "unit_price": price, "vat_rate": rate})
    };
    body["lines"] =
        json!([line("25", "125.00"), line("12", "112.00"), line("6", "106.00"), line("0", "100.00")]);
    body["total"] = json!("443.00");
    let (order, code) = world.order("1", body).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done, "{:?}", world.parked().await);
    one_of_each(&world, "443.00");
    let rows = world.books("invoices")[0]["InvoiceRows"].as_array().cloned().unwrap();
    let accounts: Vec<String> = rows.iter().map(|row| row["AccountNumber"].to_string()).collect();
    assert_eq!(accounts, ["3001", "3002", "3003", "3004"]);
}

/// What a forged webhook may claim, and the reason it is parked for.
#[tokio::test]
async fn a_forged_webhook_books_nothing_and_says_why() {
    let cases: [(&str, Value, &str); 4] = [
        (
            "a transaction that the provider does not know",
            json!({"TransactionId": "00000000-0000-4000-8000-000000000bad"}),
            "transaction_unknown",
        ),
        (
            "another order's transaction",
            json!({"OrderCode": 1_111_111_111_111_111u64}),
            "webhook_contradicts",
        ),
        ("another amount", json!({"Amount": 1.0}), "webhook_contradicts"),
        ("another currency", json!({"CurrencyCode": "978"}), "webhook_contradicts"),
    ];
    for (name, overrides, code_expected) in cases {
        let mut world = World::start().await;
        let (order, code) = world.order("1", sample()).await;
        let event = world.pay(code).await;
        let mut forged: Value = serde_json::from_str(&event).unwrap();
        for (member, value) in overrides.as_object().unwrap() {
            forged["EventData"][member] = value.clone();
        }
        world.webhook(&forged.to_string()).await;
        world.settle().await;
        assert_eq!(world.show(&order.id).await.state, OrderState::Pending, "{name}");
        assert!(world.books("invoices").is_empty(), "{name}");
        let parked = world.parked().await;
        assert_eq!(parked.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), [code_expected], "{name}");
        // The true webhook is still good afterwards.
        world.webhook(&event).await;
        world.settle().await;
        one_of_each(&world, "747.00");
    }
}

#[tokio::test]
async fn a_payment_that_differs_or_fits_nothing_is_parked() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    let short = Pay { amount: Some(Amount(74_699)), deliver: false, ..Pay::new(code) };
    let event = world.viva.pay(&short).await.unwrap().event.get().to_owned();
    world.webhook(&event).await;
    let stray = world.checkout(Amount(10_000), "nobody's");
    let event = world.pay(stray).await;
    world.webhook(&event).await;
    world.settle().await;
    let mut codes: Vec<String> = world.parked().await.into_iter().map(|p| p.code).collect();
    codes.sort();
    assert_eq!(codes, ["amount_differs", "unmatched_payment"]);
    assert_eq!(world.show(&order.id).await.state, OrderState::Pending);
    assert!(world.books("customers").is_empty());
}

#[tokio::test]
async fn a_payment_is_matched_by_reference_and_by_the_text_too() {
    let mut world = World::start().await;
    let code = world.checkout(Amount(74_700), "Order #1753-7");
    let mut body = sample();
    body["order_number"] = json!("1753-7");
    let order = world.post(&body).await.unwrap();
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.state, OrderState::Paid, "{:?}", world.parked().await);
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn reads_that_lag_behind_the_webhook_are_waited_for() {
    let mut world = World::start().await;
    world.viva.switch(|switches| switches.read_lag_reads = 5);
    let (_, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    one_of_each(&world, "747.00");
}

#[tokio::test]
async fn a_difference_in_the_ledgers_totals_is_parked_before_booking() {
    let mut world = World::start().await;
    let (order, code) = world.order("1", sample()).await;
    // The ledger adds a fee that nobody asked for.
    let mut fault = Fault::new(Kind::Body, "POST", "/3/invoices").after_commit();
    fault.status = Some(201);
    fault.body = Some(r#"{"Invoice":{"DocumentNumber":"1","Total":776,"TotalVAT":155.2,"TotalToPay":776,"RoundOff":0,"Balance":776,"Booked":false}}"#.into());
    world.fortnox.faults.add(fault);
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "totals_differ");
    assert_eq!(world.books("invoices")[0]["Booked"], json!(false));
    assert!(world.books("invoice_payments").is_empty());
}
