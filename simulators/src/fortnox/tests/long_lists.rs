//! Registers that years of trade have filled, and how a reader that comes back finds what has changed.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, TENANT, invoice, payment};
use crate::contract::{OpenApi, specs_dir};

/// The invoices of a list by number, and how many there are.
async fn numbers(bench: &Bench, query: &str) -> (Vec<String>, u64) {
    let (status, body) = bench.get(&format!("/3/invoices?{query}")).await;
    assert_eq!(status, 200, "{query}: {body}");
    let of = |invoice: &Value| invoice["DocumentNumber"].as_str().unwrap().to_owned();
    let found = body["Invoices"].as_array().unwrap().iter().map(of).collect();
    (found, body["MetaInformation"]["@TotalResources"].as_u64().unwrap())
}

/// A minute of the simulator's time in a zone, as `lastmodified` is written.
fn minute(bench: &Bench, zone: &str) -> String {
    let now = bench.sim.clock.now().in_tz(zone).unwrap();
    now.strftime("%Y-%m-%d+%H:%M").to_string()
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn twenty_thousand_of_each_are_there_at_once() {
    let bench = Bench::start().await;
    bench.sim.configure(&json!({"fill": {"customers": 20_000, "invoices": 20_000}})).unwrap();
    let (first, all) = numbers(&bench, "limit=9999&sortby=documentnumber").await;
    assert_eq!((first.len(), all, first[0].as_str(), first[499].as_str()), (500, 20_000, "1", "500"));
    let (last, _) = numbers(&bench, "limit=500&page=40&sortby=documentnumber").await;
    assert_eq!((last.len(), last[499].as_str()), (500, "20000"));
    let (none, _) = numbers(&bench, "limit=500&page=41&sortby=documentnumber").await;
    assert!(none.is_empty());
    let today = bench.sim.clock.now().in_tz("Europe/Stockholm").unwrap().date();
    let (_, of_today) = numbers(&bench, &format!("fromdate={today}&todate={today}")).await;
    assert!((50..60).contains(&of_today), "{of_today}");
    // What was filled in works like everything else.
    let (_, unpaid) = bench.get("/3/invoices/20000").await;
    assert_eq!(unpaid["Invoice"]["Balance"], unpaid["Invoice"]["Total"]);
    let pays = json!({"InvoicePayment": {"InvoiceNumber": 20_000, "Amount": unpaid["Invoice"]["Total"],
        "ModeOfPayment": "CARD", "ModeOfPaymentAccount": 1580}});
    assert_eq!(bench.post("/3/invoicepayments", pays).await.0, 201);
    assert_eq!(bench.put("/3/invoicepayments/1/bookkeep", None).await.0, 200);
    assert_eq!(bench.put("/3/invoices/20000/credit", None).await.0, 200);
    assert_eq!(bench.post("/3/customers", json!({"Customer": {"Name": "Å"}})).await.0, 201);
    assert_eq!(bench.get("/3/customers/20001").await.0, 200);
    let Some(dir) = specs_dir() else {
        eprintln!(
            "SKIPPED: filled lists are not checked against Fortnox' description, BOKBRO_SPECS_DIR is unset"
        );
        return;
    };
    let api = OpenApi::fortnox(&dir).unwrap();
    for path in [
        "/3/customers?limit=500&sortby=customernumber&sortorder=ascending&page=1",
        "/3/invoices?limit=500&sortby=documentnumber&sortorder=ascending&page=1&fromdate=2020-01-01&todate=2030-01-01",
        "/3/customers/1",
        "/3/invoices/1",
    ] {
        let (status, answer) = bench.get(path).await;
        api.validate_request("GET", path, None).unwrap();
        api.validate_response("GET", path, status, Some(&answer)).unwrap();
    }
}

#[tokio::test]
async fn every_change_of_a_document_shows_as_one() {
    let bench = Bench::start().await;
    bench.customer().await;
    for reference in ["a", "b", "c"] {
        bench.post("/3/invoices", invoice(reference)).await;
    }
    let remark = json!({"Invoice": {"Remarks": "x"}});
    let changes: [(Method, &str, Option<Value>, &[&str]); 7] = [
        (Method::PUT, "/3/invoices/2", Some(remark), &["2"]),
        (Method::PUT, "/3/invoices/2/cancel", None, &["2"]),
        (Method::PUT, "/3/invoices/1/bookkeep", None, &["1"]),
        (Method::POST, "/3/invoicepayments", Some(payment(json!(747))), &[]),
        (Method::PUT, "/3/invoicepayments/1/bookkeep", None, &["1"]),
        (Method::PUT, "/3/invoices/3/bookkeep", None, &["3"]),
        (Method::PUT, "/3/invoices/3/credit", None, &["3", "4"]),
    ];
    for (method, path, body, changed) in changes {
        bench.sim.clock.advance(SignedDuration::from_mins(2));
        let since = minute(&bench, "Europe/Stockholm");
        let answer = bench.send(method, path, body).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        assert_eq!(numbers(&bench, &format!("lastmodified={since}")).await.0, changed, "{path}");
    }
}

#[tokio::test]
async fn the_time_of_a_change_is_read_in_either_zone() {
    let bench = Bench::start().await;
    bench.customer().await;
    bench.post("/3/invoices", invoice("a")).await;
    let changed =
        async |zone: &str| numbers(&bench, &format!("lastmodified={}", minute(&bench, zone))).await.1;
    // Sweden's clocks are ahead: the same digits mean an earlier time there.
    assert_eq!((changed("UTC").await, changed("Europe/Stockholm").await), (1, 1));
    bench.sim.clock.advance(SignedDuration::from_mins(2));
    assert_eq!((changed("UTC").await, changed("Europe/Stockholm").await), (1, 0));
    bench.sim.configure(&json!({"last_modified_zone": "utc"})).unwrap();
    assert_eq!((changed("UTC").await, changed("Europe/Stockholm").await), (0, 0));
}

#[tokio::test]
async fn a_customer_gets_another_number_in_the_program() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    bench.sim.configure(&json!({"renumber_customer": {"from": "7", "to": "70"}})).unwrap();
    assert_eq!(bench.get("/3/customers/7").await.0, 404);
    assert_eq!(bench.get("/3/customers/70").await.1["Customer"]["CustomerNumber"], "70");
    assert_eq!(bench.get("/3/invoices/1").await.1["Invoice"]["CustomerNumber"], "70");
    for (from, to) in [("7", "71"), ("70", "7")] {
        let refused = bench.sim.configure(&json!({"renumber_customer": {"from": from, "to": to}}));
        assert!(refused.is_err(), "{from} {to}");
    }
}

#[tokio::test]
async fn rights_hide_members_of_lists_too() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    bench.sim.configure(&json!({"tenant": TENANT, "no_right_fields": ["Balance"]})).unwrap();
    assert_eq!(bench.get("/3/invoices").await.1["Invoices"][0]["Balance"], "API_NORIGHT");
}
