//! Every answer against the provider's published description.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::{books, operations};
use super::{Bench, invoice, json_of, payment};
use crate::contract::{OpenApi, specs_dir};

/// Every operation of the simulator once or more, in an order that works, with the status each must have.
fn walk(today: &str) -> Vec<(Method, String, Option<Value>, u16)> {
    let row = json!({"ArticleNumber": "OIL-30", "OrderedQuantity": "2", "DeliveredQuantity": "2", "Price": 349.5, "VAT": 25});
    let order = json!({"Order": {"CustomerNumber": "7", "ExternalInvoiceReference1": "o-1", "VATIncluded": true,
        "Freight": 49, "OrderRows": [row]}});
    let voucher = json!({"Voucher": {"Description": "x", "TransactionDate": today, "VoucherSeries": "A", "Year": 2, "VoucherRows": [
        {"Account": 1580, "Debit": 10.5}, {"Account": 3001, "Credit": 10.5}]}});
    let customer = json!({"Customer": {"CustomerNumber": "7", "Name": "Åsa", "CountryCode": "SE", "SalesAccount": "3001"}});
    let article = json!({"Article": {"ArticleNumber": "OIL-30", "Description": "Olja"}});
    let mode = json!({"ModeOfPayment": {"Code": "VIVA", "Description": "Viva", "AccountNumber": "1580"}});
    let mut steps = vec![
        ("POST", "/3/customers", Some(customer), 201),
        ("POST", "/3/customers", Some(json!({"Customer": {"Name": "Bo"}})), 201),
        ("PUT", "/3/customers/7", Some(json!({"Customer": {"City": "Lund"}})), 200),
        ("DELETE", "/3/customers/8", None, 204),
        ("GET", "/3/customers/404", None, 404),
        ("POST", "/3/articles", Some(article), 201),
        ("PUT", "/3/articles/OIL-30", Some(json!({"Article": {"Description": "Oljan"}})), 200),
        ("POST", "/3/orders", Some(order.clone()), 201),
        ("POST", "/3/orders", Some(order), 201),
        ("PUT", "/3/orders/1", Some(json!({"Order": {"Remarks": "x"}})), 200),
        ("PUT", "/3/orders/1/externalprint", None, 200),
        ("GET", "/3/orders/1/email", None, 200),
        ("PUT", "/3/orders/1/createinvoice", None, 200),
        ("PUT", "/3/orders/2/cancel", None, 200),
        ("POST", "/3/invoices", Some(invoice("o-2")), 201),
        ("PUT", "/3/invoices/2", Some(json!({"Invoice": {"Remarks": "x"}})), 200),
        ("PUT", "/3/invoices/2/warehouseready", None, 200),
        ("PUT", "/3/invoices/2/externalprint", None, 200),
        ("GET", "/3/invoices/2/email", None, 200),
        ("PUT", "/3/invoices/2/cancel", None, 200),
        ("PUT", "/3/invoices/1/bookkeep", None, 200),
        ("PUT", "/3/invoices/1/credit", None, 200),
        ("PUT", "/3/invoices/1/bookkeep", None, 400),
        ("POST", "/3/modesofpayments", Some(mode), 201),
        ("POST", "/3/invoicepayments", Some(payment(json!(700))), 201),
        ("POST", "/3/invoicepayments", Some(payment(json!(48))), 201),
        ("PUT", "/3/invoicepayments/1", Some(json!({"InvoicePayment": {"Amount": 748}})), 200),
        ("DELETE", "/3/invoicepayments/2", None, 204),
        ("PUT", "/3/invoicepayments/1/bookkeep", None, 200),
        ("POST", "/3/vouchers?financialyear=2", Some(voucher), 201),
        (
            "PUT",
            "/3/predefinedaccounts/CASHBYCARD",
            Some(json!({"PreDefinedAccount": {"Account": 1580}})),
            200,
        ),
    ];
    for path in [
        "/3/customers?filter=active&limit=10",
        "/3/customers/7",
        "/3/articles",
        "/3/articles/OIL-30",
        "/3/orders?externalinvoicereference1=o-1",
        "/3/orders/1",
        "/3/invoices",
        "/3/invoices/1",
        "/3/invoices/3",
        "/3/invoicepayments?invoicenumber=1",
        "/3/invoicepayments/1",
        "/3/vouchers?financialyear=2",
        "/3/vouchers/sublist",
        "/3/vouchers/sublist/B",
        "/3/vouchers/B/1?financialyear=2",
        "/3/voucherseries",
        "/3/voucherseries/A",
        "/3/accounts?limit=500",
        "/3/accounts/3001",
        "/3/financialyears/?date=2020-01-01",
        "/3/financialyears",
        "/3/financialyears/2",
        "/3/predefinedaccounts",
        "/3/predefinedaccounts/SALES",
        "/3/modesofpayments",
        "/3/modesofpayments/VIVA",
        "/3/termsofpayments",
        "/3/termsofpayments/30",
        "/3/currencies",
        "/3/currencies/EUR",
        "/3/settings/lockedperiod",
        "/3/settings/company",
        "/3/companyinformation",
    ] {
        steps.push(("GET", path, None, 200));
    }
    steps
        .into_iter()
        .map(|(method, path, body, status)| (method.parse().unwrap(), path.to_owned(), body, status))
        .collect()
}

/// Runs the walk, which also shows that it leaves no operation out; checks every answer when the description is
/// at hand.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn every_answer_fits_the_published_description() {
    let api = specs_dir().map(|dir| OpenApi::fortnox(&dir).unwrap());
    if api.is_none() {
        eprintln!(
            "SKIPPED: Fortnox' answers are not checked against its description, BOKBRO_SPECS_DIR is unset"
        );
    }
    let bench = Bench::start().await;
    let today = books::today(bench.sim.clock.now()).to_string();
    let mut problems = Vec::new();
    for (method, path, body, expected) in walk(&today) {
        let (status, answer) = json_of(bench.send(method.clone(), &path, body.clone()).await.unwrap()).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        if let Some(api) = &api {
            let request = api.validate_request(method.as_str(), &path, body.as_ref());
            let answer = Some(&answer).filter(|answer| !answer.is_null());
            let answer = api.validate_response(method.as_str(), &path, status, answer);
            for problem in request.err().into_iter().chain(answer.err()).flatten() {
                problems.push(format!("{method} {path}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        assert!(bench.sim.log.calls(&name) > 0, "the walk leaves out {name}");
    }
}
