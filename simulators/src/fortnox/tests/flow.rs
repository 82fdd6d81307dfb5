//! An order becomes an invoice, is booked and paid.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, TENANT, invoice, payment};
use crate::kit::{Fault, Kind};

/// Debit minus credit by account over all vouchers, in kronor; panics unless every voucher sums to zero.
fn balances(books: &Value) -> Vec<(u64, String)> {
    let mut by_account = std::collections::BTreeMap::<u64, rust_decimal::Decimal>::new();
    for voucher in books["vouchers"].as_array().unwrap() {
        let mut sum = rust_decimal::Decimal::ZERO;
        for row in voucher["VoucherRows"].as_array().unwrap() {
            let decimal = |name: &str| row[name].to_string().parse::<rust_decimal::Decimal>().unwrap();
            let amount = decimal("Debit") - decimal("Credit");
            sum += amount;
            *by_account.entry(row["Account"].as_u64().unwrap()).or_default() += amount;
        }
        assert!(sum.is_zero(), "{voucher}");
    }
    by_account.into_iter().map(|(account, amount)| (account, amount.normalize().to_string())).collect()
}

fn expect(books: &Value, expected: &[(u64, &str)]) {
    let actual = balances(books);
    let actual: Vec<(u64, &str)> =
        actual.iter().map(|(account, amount)| (*account, amount.as_str())).collect();
    assert_eq!(actual, expected);
}

#[tokio::test]
async fn an_invoice_is_booked_and_paid() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    let (status, created) = bench.post("/3/invoicepayments", payment(json!(747))).await;
    assert_eq!((status, &created["InvoicePayment"]["Number"]), (201, &json!("1")));
    assert_eq!(created["InvoicePayment"]["ExternalInvoiceReference1"], "order-1");
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["Balance"], 747);
    let (_, booked) = bench.put("/3/invoicepayments/1/bookkeep", None).await;
    assert_eq!(
        (&booked["InvoicePayment"]["Booked"], &booked["InvoicePayment"]["VoucherSeries"]),
        (&json!(true), &json!("C"))
    );

    let (_, paid) = bench.get("/3/invoices/1").await;
    assert_eq!((&paid["Invoice"]["Balance"], &paid["Invoice"]["VoucherSeries"]), (&json!(0), &json!("B")));
    assert_eq!(paid["Invoice"]["FinalPayDate"], paid["Invoice"]["InvoiceDate"]);
    let expected = [(1510, "0"), (1580, "747"), (2611, "-149.4"), (3001, "-558.4"), (3520, "-39.2")];
    expect(&bench.sim.books(TENANT), &expected);

    let year = &paid["Invoice"]["VoucherYear"];
    let (_, voucher) = bench.get(&format!("/3/vouchers/B/1?financialyear={year}")).await;
    assert_eq!(
        (&voucher["Voucher"]["ReferenceType"], &voucher["Voucher"]["ReferenceNumber"]),
        (&json!("INVOICE"), &json!("1"))
    );
}

#[tokio::test]
async fn four_rates_go_to_four_accounts() {
    let bench = Bench::start().await;
    bench.customer().await;
    let rows: Vec<Value> = [(25, "125"), (12, "112"), (6, "106"), (0, "100")]
        .iter()
        .map(|(rate, price)| json!({"Description": "x", "DeliveredQuantity": "1", "Price": price, "VAT": rate}))
        .collect();
    bench
        .post(
            "/3/invoices",
            json!({"Invoice": {"CustomerNumber": "7", "VATIncluded": true, "InvoiceRows": rows}}),
        )
        .await;
    bench.put("/3/invoices/1/bookkeep", None).await;
    let expected = [
        (1510, "443"),
        (2611, "-25"),
        (2621, "-12"),
        (2631, "-6"),
        (3001, "-100"),
        (3002, "-100"),
        (3003, "-100"),
        (3004, "-100"),
    ];
    expect(&bench.sim.books(TENANT), &expected);
}

#[tokio::test]
async fn an_order_becomes_one_invoice_whose_rows_are_frozen() {
    let bench = Bench::start().await;
    bench.customer().await;
    let row = json!({"Description": "x", "OrderedQuantity": "3", "DeliveredQuantity": "2", "Price": 100, "VAT": 25});
    let order = json!({"Order": {"CustomerNumber": "7", "ExternalInvoiceReference1": "o-1", "VATIncluded": true, "OrderRows": [row]}});
    let (status, created) = bench.post("/3/orders", order).await;
    assert_eq!((status, &created["Order"]["InvoiceReference"]), (201, &json!("0")));
    assert_eq!(created["Order"]["EmailInformation"]["EmailSubject"], "Order 1 bifogas");
    let (status, invoice) = bench.put("/3/orders/1/createinvoice", None).await;
    let invoice = &invoice["Invoice"];
    assert_eq!((status, &invoice["OrderReference"], &invoice["Total"]), (200, &json!("1"), &json!(200)));
    assert_eq!(invoice["ExternalInvoiceReference1"], "o-1");
    assert_eq!(bench.get("/3/orders/1").await.1["Order"]["InvoiceReference"], "1");
    assert_eq!(bench.put("/3/orders/1/createinvoice", None).await.0, 400);
    assert_eq!(bench.put("/3/orders/1/cancel", None).await.0, 400);
    let frozen = json!({"Invoice": {"InvoiceRows": [{"Description": "y"}]}});
    assert_eq!(bench.put("/3/invoices/1", Some(frozen)).await.0, 400);
    assert_eq!(bench.put("/3/invoices/1", Some(json!({"Invoice": {"Remarks": "y"}}))).await.0, 200);
    assert_eq!(
        bench.get("/3/orders?filter=invoicecreated&externalinvoicereference1=o-").await.1["Orders"][0]["DocumentNumber"],
        "1"
    );
}

#[tokio::test]
async fn states_only_move_forward() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    for action in ["bookkeep", "cancel"] {
        assert_eq!(bench.put(&format!("/3/invoices/1/{action}"), None).await.0, 400, "{action}");
    }
    assert_eq!(bench.put("/3/invoices/1", Some(json!({"Invoice": {"Remarks": "y"}}))).await.0, 400);
    assert_eq!(bench.post("/3/invoices", invoice("second")).await.0, 201);
    let unbooked = json!({"InvoicePayment": {"InvoiceNumber": 2, "Amount": 1}});
    assert_eq!(bench.post("/3/invoicepayments", unbooked).await.0, 400);
    assert_eq!(bench.put("/3/invoices/2/credit", None).await.0, 400);
    assert_eq!(bench.put("/3/invoices/2/cancel", None).await.0, 200);
    assert_eq!(bench.put("/3/invoices/2/bookkeep", None).await.0, 400);
}

#[tokio::test]
async fn payments_are_checked_against_the_invoice_but_not_against_each_other() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    let early = json!({"InvoicePayment": {"InvoiceNumber": 1, "Amount": 747, "PaymentDate": "2001-01-01"}});
    assert_eq!(bench.refusal(Method::POST, "/3/invoicepayments", Some(early)).await, (400, 2_001_089));
    let nameless = json!({"InvoicePayment": {"Amount": 747}});
    assert_eq!(bench.refusal(Method::POST, "/3/invoicepayments", Some(nameless)).await, (400, 2_001_795));
    for number in 1..=3 {
        let (status, created) = bench.post("/3/invoicepayments", payment(json!("747.00"))).await;
        assert_eq!((status, &created["InvoicePayment"]["Number"]), (201, &json!(number.to_string())));
    }
    assert_eq!(bench.delete("/3/invoicepayments/2").await, 204);
    bench.put("/3/invoicepayments/1/bookkeep", None).await;
    assert_eq!(
        bench.refusal(Method::POST, "/3/invoicepayments", Some(payment(json!(747)))).await,
        (400, 2_003_055)
    );
    assert_eq!(bench.put("/3/invoicepayments/1/bookkeep", None).await.0, 400);
    assert_eq!(bench.delete("/3/invoicepayments/1").await, 400);
    assert_eq!(bench.put("/3/invoicepayments/3/bookkeep", None).await.0, 200);
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["Balance"], -747);
}

#[tokio::test]
async fn a_credit_mirrors_its_invoice() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    let (status, original) = bench.put("/3/invoices/1/credit", None).await;
    assert_eq!((status, &original["Invoice"]["CreditInvoiceReference"]), (200, &json!("2")));
    let (_, credit) = bench.get("/3/invoices/2").await;
    let credit = &credit["Invoice"];
    assert_eq!(
        (&credit["Credit"], &credit["CreditInvoiceReference"], &credit["Total"]),
        (&json!("true"), &json!("1"), &json!(-747))
    );
    assert_eq!(bench.put("/3/invoices/1/credit", None).await.0, 400);
    bench.put("/3/invoices/2/bookkeep", None).await;
    let expected = [(1510, "0"), (2611, "0"), (3001, "0"), (3520, "0")];
    expect(&bench.sim.books(TENANT), &expected);
    let refund = json!({"InvoicePayment": {"InvoiceNumber": 2, "Amount": -747, "ModeOfPayment": "CARD"}});
    assert_eq!(bench.post("/3/invoicepayments", refund).await.0, 201);
    bench.put("/3/invoicepayments/1/bookkeep", None).await;
    assert_eq!(bench.get("/3/invoices/2").await.1["Invoice"]["Balance"], 0);
}

#[tokio::test]
async fn write_offs_settle_the_rest() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    let body = json!({"InvoicePayment": {"InvoiceNumber": 1, "Amount": 740, "ModeOfPayment": "CARD",
        "WriteOffs": [{"AccountNumber": 6570, "Amount": 7}]}});
    assert_eq!(bench.post("/3/invoicepayments", body).await.0, 201);
    bench.put("/3/invoicepayments/1/bookkeep", None).await;
    let expected =
        [(1510, "0"), (1580, "740"), (2611, "-149.4"), (3001, "-558.4"), (3520, "-39.2"), (6570, "7")];
    expect(&bench.sim.books(TENANT), &expected);
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["Balance"], 0);
}

#[tokio::test]
async fn another_currency_is_booked_in_kronor() {
    let bench = Bench::start().await;
    bench.customer().await;
    let mut body = invoice("x");
    body["Invoice"]["Currency"] = json!("EUR");
    body["Invoice"]["CurrencyRate"] = json!("11.5");
    bench.post("/3/invoices", body.clone()).await;
    body["Invoice"]["CurrencyRate"].take();
    assert_eq!(bench.post("/3/invoices", body).await.1["Invoice"]["CurrencyRate"], 11);
    bench.put("/3/invoices/1/bookkeep", None).await;
    let nameless = payment(json!("8590.50"));
    assert_eq!(
        bench.refusal(Method::POST, "/3/invoicepayments", Some(nameless.clone())).await,
        (400, 2_001_795)
    );
    let mut full = nameless;
    full["InvoicePayment"]["AmountCurrency"] = json!(747);
    assert_eq!(bench.post("/3/invoicepayments", full).await.1["InvoicePayment"]["Currency"], "EUR");
    bench.put("/3/invoicepayments/1/bookkeep", None).await;
    let expected = [(1510, "0"), (1580, "8590.5"), (2611, "-1718.1"), (3001, "-6421.6"), (3520, "-450.8")];
    expect(&bench.sim.books(TENANT), &expected);
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["Balance"], 0);
}

#[tokio::test]
async fn a_cash_invoice_is_paid_when_booked() {
    let bench = Bench::start().await;
    bench.customer().await;
    let mut body = invoice("x");
    body["Invoice"]["InvoiceType"] = json!("CASHINVOICE");
    body["Invoice"]["PaymentWay"] = json!("CARD");
    bench.post("/3/invoices", body).await;
    assert_eq!(bench.put("/3/invoices/1/bookkeep", None).await.1["Invoice"]["Balance"], 0);
    expect(&bench.sim.books(TENANT), &[(1930, "747"), (2611, "-149.4"), (3001, "-558.4"), (3520, "-39.2")]);
    assert_eq!(
        bench.refusal(Method::POST, "/3/invoicepayments", Some(payment(json!(747)))).await,
        (400, 2_003_055)
    );
}

#[tokio::test]
async fn the_cash_method_books_when_paid() {
    let bench = Bench::start().await;
    bench.sim.configure(&json!({"accounting_method": "CASH"})).unwrap();
    bench.customer().await;
    bench.post("/3/invoices", invoice("x")).await;
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["AccountingMethod"], "CASH");
    assert_eq!(bench.put("/3/invoices/1/bookkeep", None).await.0, 400);
    assert_eq!(bench.post("/3/invoicepayments", payment(json!(747))).await.0, 201);
    assert_eq!(bench.put("/3/invoicepayments/1/bookkeep", None).await.0, 200);
    let expected = [(1580, "747"), (2611, "-149.4"), (3001, "-558.4"), (3520, "-39.2"), (3740, "0")];
    let balances = balances(&bench.sim.books(TENANT));
    assert!(
        balances.iter().all(|(account, amount)| expected.contains(&(*account, amount.as_str()))),
        "{balances:?}"
    );
}

#[tokio::test]
async fn a_locked_period_and_a_missing_year_stop_the_books() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    assert_eq!(bench.get("/3/settings/lockedperiod").await.1, json!({"LockedPeriod": {}}));
    bench.post("/3/invoices", invoice("x")).await;
    bench.post("/3/invoicepayments", payment(json!(747))).await;
    let today = super::super::books::today(bench.sim.clock.now()).to_string();
    bench.sim.configure(&json!({"locked_until": today})).unwrap();
    assert_eq!(bench.get("/3/settings/lockedperiod").await.1["LockedPeriod"]["EndDate"], today);
    assert_eq!(bench.refusal(Method::PUT, "/3/invoices/2/bookkeep", None).await, (400, 2_002_141));
    assert_eq!(bench.refusal(Method::PUT, "/3/invoicepayments/1/bookkeep", None).await, (400, 2_000_401));
    bench.sim.configure(&json!({"locked_until": "", "remove_year": today})).unwrap();
    assert_eq!(bench.put("/3/invoices/2/bookkeep", None).await.0, 400);
    assert_eq!(bench.get(&format!("/3/financialyears/?date={today}")).await.1["FinancialYears"], json!([]));
    bench.sim.configure(&json!({"open_year": today})).unwrap();
    assert_eq!(bench.put("/3/invoices/2/bookkeep", None).await.0, 200);
}

#[tokio::test]
async fn manual_vouchers_must_balance_and_are_never_deduped() {
    let bench = Bench::start().await;
    let today = super::super::books::today(bench.sim.clock.now()).to_string();
    let voucher = |credit: u32| {
        json!({"Voucher": {"Description": "Dagskassa", "TransactionDate": today, "VoucherSeries": "A", "VoucherRows": [
            {"Account": 1580, "Debit": 100}, {"Account": 3001, "Credit": credit}]}})
    };
    for number in 1..=2 {
        let (status, created) = bench.post("/3/vouchers?financialyear=2", voucher(100)).await;
        assert_eq!((status, &created["Voucher"]["VoucherNumber"]), (201, &json!(number)));
    }
    assert_eq!(bench.post("/3/vouchers?financialyear=2", voucher(99)).await.0, 400);
    assert_eq!(bench.post("/3/vouchers?financialyear=1", voucher(100)).await.0, 400);
    let (_, list) = bench.get("/3/vouchers/sublist/A?financialyear=2").await;
    assert_eq!(list["MetaInformation"]["@TotalResources"], 2);
    assert_eq!(bench.get("/3/voucherseries/A").await.1["VoucherSeries"]["NextVoucherNumber"], 3);
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_document_behind() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    for (method, path, body) in [
        (Method::POST, "/3/invoices", Some(invoice("lost"))),
        (Method::POST, "/3/invoicepayments", Some(payment(json!(747)))),
        (Method::PUT, "/3/invoicepayments/1/bookkeep", None),
    ] {
        bench.sim.faults.add(Fault::new(Kind::DropAfterCommit, method.as_str(), path));
        assert!(bench.send(method, path, body).await.is_err(), "{path}");
    }
    let books = bench.sim.books(TENANT);
    assert_eq!(books["invoices"][1]["ExternalInvoiceReference1"], "lost");
    assert_eq!(books["invoice_payments"][0]["Booked"], true);
    assert_eq!(bench.sim.log.calls("PUT /3/invoicepayments/{number}/bookkeep"), 1);
    bench.sim.faults.add(Fault::new(Kind::Reset, "POST", "/3/invoices"));
    assert!(bench.send(Method::POST, "/3/invoices", Some(invoice("never"))).await.is_err());
    assert_eq!(bench.sim.books(TENANT)["invoices"].as_array().unwrap().len(), 2);
}
