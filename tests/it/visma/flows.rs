//! Orders in, invoices and payments out, and what people and settings do in between.

use bokbro_app::ports::Directory;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::kit::VatRounding;
use bokbro_simulators::visma::VismaConfig;
use bokbro_simulators::viva::OrderCode;
use bokbro_tests::browser::provider;
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::{sample, tenant};
use serde_json::{Value, json};

use super::{money, one_of_each};

pub(super) fn line(rate: &str, quantity: &str, price: &str) -> Value {
    json!({"kind": "goods", "sku": format!("S{rate}"), "text": format!("Vara {rate} %"), "quantity": quantity,
        "unit_price": price, "vat_rate": rate})
}

pub(super) fn company(lines: Value, total: &str) -> Value {
    let mut body = sample();
    body["customer"]["kind"] = json!("company");
    body["customer"]["name"] = json!("Öbergs Oljor & Salvor AB");
    body["customer"]["organisation_number"] = json!("556677-8899");
    body["lines"] = lines;
    body["total"] = json!(total);
    body
}

/// Orders, pays and settles.
pub(super) async fn book(world: &mut VismaWorld, number: &str, body: Value) -> bokbro_domain::order::Order {
    let (order, code) = world.order(number, body).await;
    pay(world, code).await;
    world.show(&order.id).await
}

async fn pay(world: &mut VismaWorld, code: OrderCode) {
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
}

#[track_caller]
pub(super) fn done(order: &bokbro_domain::order::Order) {
    assert_eq!(order.accounting.state, SyncState::Done, "{:?}", order.accounting);
}

#[tokio::test]
async fn a_paid_order_is_booked_and_paid_once() {
    let mut world = VismaWorld::start().await;
    let order = book(&mut world, "1753-1001", sample()).await;
    done(&order);
    assert_eq!(order.state, OrderState::Paid);
    one_of_each(&world, "747.00", "149.40");
    let invoice = &world.books("invoices")[0];
    assert_eq!(
        (&invoice["OurReference"], &invoice["BuyersOrderReference"]),
        (&json!(order.id), &json!("1753-1001"))
    );
    assert_eq!(order.accounting.numbers["invoice_number"], invoice["InvoiceNumber"].to_string());
    assert!(order.accounting.numbers.contains_key("customer_number"));
    assert_eq!(world.books("payments")[0]["Reference"], json!(order.id));
    assert!(world.parked().await.is_empty() && world.dead.is_empty());
}

#[tokio::test]
async fn a_known_customer_s_order_costs_six_calls() {
    let mut world = VismaWorld::start().await;
    done(&book(&mut world, "1", sample()).await);
    world.visma.log.reset_stats();
    done(&book(&mut world, "2", sample()).await);
    let stats = world.visma.log.stats();
    assert_eq!(stats.calls_total, 6, "{:?}", stats.by_operation);
    assert_eq!((world.books("customers").len(), world.books("articles").len()), (1, 1));
}

#[tokio::test]
async fn many_deliveries_at_once_leave_one_of_each() {
    let mut world = VismaWorld::start().await;
    let (_, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    futures::future::join_all((0..20).map(|_| world.webhook(&event))).await;
    world.settle().await;
    world.webhook(&event).await;
    world.settle().await;
    one_of_each(&world, "747.00", "149.40");
}

#[tokio::test]
async fn every_rate_has_its_article_and_its_account() {
    let mut world = VismaWorld::start().await;
    let mut body = sample();
    body["lines"] = json!([
        line("25", "1", "125.00"),
        line("12", "0.5", "224.00"),
        line("6", "1", "106.00"),
        line("0", "1", "100.00"),
        {"kind": "discount", "sku": null, "text": "Rabatt", "quantity": "1", "unit_price": "-10.00", "vat_rate": "25"},
    ]);
    body["total"] = json!("433.00");
    done(&book(&mut world, "1", body).await);
    one_of_each(&world, "433.00", "41.00");
    let articles = world.books("articles");
    let mut numbers: Vec<&str> = articles.iter().map(|article| article["Number"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["BB-0-3004", "BB-12-3002", "BB-25-3001", "BB-6-3003"]);
    let rows = world.books("vouchers")[0]["Rows"].as_array().unwrap().clone();
    let credited = |account: u32| {
        money(&rows.iter().find(|row| row["AccountNumber"] == account).unwrap()["CreditAmount"])
    };
    assert_eq!(
        [3001, 3002, 3003, 3004, 2611, 2621, 2631].map(credited),
        ["92.00", "100.00", "100.00", "100.00", "23.00", "12.00", "6.00"]
    );
}

/// Prices without VAT have two decimals, so that quantity times price misses most of these totals.
#[tokio::test]
async fn a_company_s_order_is_booked_to_the_ore() {
    let cases = [
        (json!([line("25", "2", "349.00"), line("12", "1", "49.00")]), "747.00"),
        (json!([line("25", "3", "10.01")]), "30.03"),
        (json!([line("25", "1", "99.92"), line("6", "7", "19.99")]), "239.85"),
        (json!([line("25", "1", "0.42")]), "0.42"),
        (json!([line("12", "1.2345", "99.90"), line("25", "1000", "0.37")]), "493.33"),
    ];
    for (lines, total) in cases {
        let mut world = VismaWorld::start().await;
        let order = book(&mut world, "1", company(lines, total)).await;
        done(&order);
        let invoice = &world.books("invoices")[0];
        assert_eq!(
            (money(&invoice["TotalAmount"]), &invoice["IncludesVat"]),
            (total.to_owned(), &json!(false))
        );
        one_of_each(&world, total, &money(&invoice["TotalVatAmount"]));
    }
}

#[tokio::test]
async fn a_company_that_shows_private_persons_prices_without_vat_gets_its_draft_priced_anew() {
    let config = VismaConfig { prices_excl_vat: true, ..VismaConfig::default() };
    let mut world = VismaWorld::start_with(PostingProfile::Invoice, config).await;
    done(&book(&mut world, "1", sample()).await);
    one_of_each(&world, "747.00", "149.40");
    assert_eq!(world.books("invoices")[0]["IncludesVat"], json!(false));
    assert_eq!(world.visma.log.calls("PUT /v2/customerinvoicedrafts/{id}"), 1);
}

#[tokio::test]
async fn vat_that_is_rounded_by_row_and_whole_kronor_are_right_too() {
    let config =
        VismaConfig { vat_rounding: VatRounding::PerRow, whole_kronor: true, ..VismaConfig::default() };
    let mut world = VismaWorld::start_with(PostingProfile::Invoice, config).await;
    let mut body = sample();
    body["lines"] = json!([line("25", "1", "0.33"), line("25", "1", "0.33"), line("12", "1", "99.94")]);
    body["total"] = json!("100.60");
    done(&book(&mut world, "1", body).await);
    let (invoice, payment) = (&world.books("invoices")[0], &world.books("payments")[0]);
    assert_eq!(
        (money(&invoice["TotalAmount"]), money(&invoice["RemainingAmount"])),
        ("101.00".into(), "0.00".into())
    );
    assert_eq!((money(&payment["PaymentAmount"]), &payment["PaymentType"]), ("100.60".into(), &json!(3)));
}

#[tokio::test]
async fn a_customer_that_the_bookkeeper_made_is_used() {
    let mut world = VismaWorld::start().await;
    let terms = world.by_hand("GET", "/termsofpayments", None).await["Data"][0]["Id"].clone();
    let customer = |number: &str, private: bool, more: Value| {
        let mut body = json!({"CustomerNumber": number, "Name": "X", "InvoiceCity": "Lund", "InvoicePostalCode": "22222",
            "IsActive": true, "IsPrivatePerson": private, "TermsOfPaymentId": terms});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for body in [
        customer("3", true, json!({"EmailAddress": "asa@example.se", "IsActive": false})),
        customer("5", false, json!({"EmailAddress": "asa@example.se"})),
        customer("12", true, json!({"EmailAddress": "asa@example.se"})),
        customer("7", true, json!({"EmailAddress": "asa@example.se", "CurrencyCode": "EUR"})),
        customer("8", false, json!({"CorporateIdentityNumber": "16556677-8899"})),
    ] {
        world.by_hand("POST", "/customers", Some(body)).await;
    }
    done(&book(&mut world, "1", sample()).await);
    done(&book(&mut world, "2", company(json!([line("25", "1", "125.00")]), "125.00")).await);
    let numbers: Vec<Value> =
        world.books("invoices").iter().map(|invoice| invoice["CustomerNumber"].clone()).collect();
    assert_eq!(numbers, [json!("12"), json!("8")]);
    assert_eq!(world.books("customers").len(), 5);
}

/// The bookkeeper gave the customer another address, so that no search finds it; its number is taken all the same.
#[tokio::test]
async fn a_customer_that_no_search_finds_is_found_by_its_number() {
    for (status, any_filter) in [(400, false), (409, false), (400, true)] {
        let mut world = VismaWorld::start().await;
        done(&book(&mut world, "1", sample()).await);
        let mut customer = world.books("customers")[0].clone();
        let path = format!("/customers/{}", customer["Id"].as_str().unwrap());
        customer["EmailAddress"] = json!("annan@example.se");
        world.by_hand("PUT", &path, Some(customer)).await;
        world.visma.configure(&json!({"conflict_status": status, "any_filter": any_filter})).unwrap();
        done(&book(&mut world, "2", sample()).await);
        assert_eq!((world.books("customers").len(), world.books("invoices").len()), (1, 2), "{status}");
    }
}

#[tokio::test]
async fn a_locked_period_is_found_out_before_anything_is_written() {
    let mut world = VismaWorld::start().await;
    world.visma.configure(&json!({"locked_until": "2999-12-31"})).unwrap();
    let order = book(&mut world, "1", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "period_locked");
    assert!(world.books("customers").is_empty() && world.books("drafts").is_empty());
}

#[tokio::test]
async fn an_order_in_no_fiscal_year_is_parked_before_anything_is_written() {
    let mut world = VismaWorld::start().await;
    let this_year = world.visma.clock.now().to_string();
    world.visma.configure(&json!({"remove_year": this_year[..10]})).unwrap();
    let order = book(&mut world, "1", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "financial_year_missing");
    for kind in ["customers", "drafts", "invoices"] {
        assert!(world.books(kind).is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn an_order_before_its_invoice_is_refused_in_words() {
    let mut world = VismaWorld::start_with(PostingProfile::OrderAndInvoice, VismaConfig::default()).await;
    let order = book(&mut world, "1", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "visma_without_orders");
    assert!(world.books("customers").is_empty());
}

#[tokio::test]
async fn a_missing_claim_account_is_named_by_the_connection() {
    let mut world = VismaWorld::start().await;
    world.visma.configure(&json!({"bank_accounts": [1930]})).unwrap();
    let order = book(&mut world, "1", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "account_missing");

    let mut world = VismaWorld::start().await;
    world.visma.configure(&json!({"bank_accounts": [1580, 1930]})).unwrap();
    let mut connection = world.store.connection_get(&tenant(), &provider("visma")).await.unwrap().unwrap();
    connection.settings.insert("bank_account".to_owned(), "1930".to_owned());
    world.store.connection_put(&connection).await.unwrap();
    done(&book(&mut world, "1", sample()).await);
    assert_eq!(world.books("payments")[0]["LedgerAccountNumber"], json!(1930));
}

#[tokio::test]
async fn a_difference_in_totals_is_parked_before_anything_is_booked() {
    let mut world = VismaWorld::start().await;
    // Somebody has given the article another coding.
    done(&book(&mut world, "1", sample()).await);
    let mut article = world.books("articles")[0].clone();
    let codings = world.by_hand("GET", "/articleaccountcodings", None).await;
    let reduced =
        codings["Data"].as_array().unwrap().iter().find(|coding| coding["VatRatePercent"] == 12).unwrap();
    article["CodingId"] = reduced["Id"].clone();
    let path = format!("/articles/{}", article["Id"].as_str().unwrap());
    world.by_hand("PUT", &path, Some(article)).await;
    let order = book(&mut world, "2", sample()).await;
    assert_eq!(order.accounting.state, SyncState::NeedsAttention);
    assert_eq!(world.parked().await[0].code, "totals_differ");
    assert_eq!((world.books("invoices").len(), world.books("drafts").len()), (1, 1));
}
