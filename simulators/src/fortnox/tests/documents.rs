//! Documents: defaults, quirks, searches and refusals.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, invoice};

#[tokio::test]
async fn search_finds_parts_in_any_case() {
    let bench = Bench::start().await;
    bench.customer().await;
    for reference in ["ch_1", "ch_12", "CH_123", "other"] {
        assert_eq!(bench.post("/3/invoices", invoice(reference)).await.0, 201);
    }
    let (_, found) = bench.get("/3/invoices?externalinvoicereference1=ch_1").await;
    assert_eq!(found["Invoices"].as_array().unwrap().len(), 3);
    let (_, found) = bench.get("/3/customers/?email=ASA@").await;
    assert_eq!(found["Customers"][0]["CustomerNumber"], "7");
    assert_eq!(found["MetaInformation"], json!({"@TotalResources": 1, "@TotalPages": 1, "@CurrentPage": 1}));
    let (_, none) = bench.get("/3/customers?email=nobody").await;
    let meta = json!({"@TotalResources": 0, "@TotalPages": 0, "@CurrentPage": 1});
    assert_eq!(none, json!({"Customers": [], "MetaInformation": meta}));
}

#[tokio::test]
async fn lists_page_sort_and_filter() {
    let bench = Bench::start().await;
    bench.customer().await;
    for _ in 0..11 {
        bench.post("/3/invoices", invoice("x")).await;
    }
    let (_, page) = bench.get("/3/invoices?limit=4&page=3&sortby=documentnumber&sortorder=descending").await;
    let numbers: Vec<&str> =
        page["Invoices"].as_array().unwrap().iter().filter_map(|i| i["DocumentNumber"].as_str()).collect();
    assert_eq!(numbers, ["3", "2", "1"]);
    assert_eq!(page["MetaInformation"]["@TotalPages"], 3);
    bench.put("/3/invoices/2/cancel", None).await;
    let (_, cancelled) = bench.get("/3/invoices?filter=cancelled").await;
    assert_eq!(cancelled["Invoices"][0]["DocumentNumber"], "2");
    let later = bench.sim.clock.now().to_zoned(jiff::tz::TimeZone::get("Europe/Stockholm").unwrap());
    let later = later.checked_add(jiff::Span::new().hours(1)).unwrap().strftime("%Y-%m-%d+%H:%M").to_string();
    let (_, none) = bench.get(&format!("/3/invoices?lastmodified={later}")).await;
    assert_eq!(none["MetaInformation"]["@TotalResources"], 0);
}

#[tokio::test]
async fn wrong_queries_have_the_known_codes() {
    let bench = Bench::start().await;
    for (path, code) in [
        ("/3/invoicepayments?fromdate=2026-01-01", 2_000_588),
        ("/3/orders?yourordernumber=1", 2_000_588),
        ("/3/currencies?lastmodified=2026-01-01+00:00", 2_000_588),
        ("/3/customers?externalreference=1", 2_000_588),
        ("/3/invoices?sortby=color", 2_000_588),
        ("/3/vouchers/A/1?financialyear=2026-01-01", 2_000_588),
        ("/3/invoices?filter=blue", 2_000_587),
        ("/3/customers?filter=blue", 2_000_587),
    ] {
        assert_eq!(bench.refusal(Method::GET, path, None).await, (400, code), "{path}");
    }
}

#[tokio::test]
async fn look_ups_of_nothing_have_the_known_codes_and_casing() {
    let bench = Bench::start().await;
    for (path, code, casing) in [
        ("/3/customers/404", 2_000_433, "Code"),
        ("/3/orders/404", 2_000_439, "Code"),
        ("/3/invoices/404", 2_000_434, "Code"),
        ("/3/articles/404", 2_000_428, "Code"),
        ("/3/accounts/4044", 2_000_423, "code"),
        ("/3/predefinedaccounts/NONE", 2_001_403, "Code"),
        ("/3/currencies/XXX", 2_000_427, "Code"),
    ] {
        let (status, answer) = bench.get(path).await;
        assert_eq!((status, &answer["ErrorInformation"][casing]), (404, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn bodies_are_checked_against_the_books() {
    let bench = Bench::start().await;
    bench.customer().await;
    let row = |row: Value| json!({"Invoice": {"CustomerNumber": "7", "InvoiceRows": [row]}});
    for (path, body, code) in [
        ("/3/customers", json!({"Customer": {"Email": "a@b.se"}}), 2_001_795),
        ("/3/customers", json!({"Customer": {"Name": "x", "CustomerNumber": "7"}}), 2_000_637),
        ("/3/customers", json!({"Customer": {"Name": "x", "ZipCode": "12345678901"}}), 2_000_107),
        ("/3/customers", json!({"Customer": {"Name": "Bo <3"}}), 2_000_359),
        ("/3/customers", json!({"Kund": {}}), 2_001_392),
        ("/3/invoices", json!({"Invoice": {}}), 2_001_795),
        ("/3/invoices", json!({"Invoice": {"CustomerNumber": "8"}}), 2_000_204),
        ("/3/invoices", json!({"Invoice": {"CustomerNumber": "7", "Reference": "x"}}), 2_001_399),
        (
            "/3/invoices",
            json!({"Invoice": {"CustomerNumber": "7", "YourOrderNumber": "x".repeat(76)}}),
            2_000_107,
        ),
        ("/3/invoices", row(json!({"Description": "x", "AccountNumber": 3999})), 2_001_304),
        ("/3/invoices", row(json!({"ArticleNumber": "X"})), 2_001_302),
        ("/3/invoices", row(json!({"Description": "x", "VAT": 20})), 2_009_999),
    ] {
        assert_eq!(bench.refusal(Method::POST, path, Some(body.clone())).await, (400, code), "{body}");
    }
    let request = bench.http.post(format!("{}/3/customers", bench.sim.url)).bearer_auth(&bench.token);
    let broken = request.header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(super::json_of(broken).await.1["ErrorInformation"]["code"], 2_002_115);
    assert_eq!(bench.get("/3/invoices").await.1["MetaInformation"]["@TotalResources"], 0);
}

#[tokio::test]
async fn a_deleted_customers_number_stays_taken() {
    let bench = Bench::start().await;
    bench.customer().await;
    assert_eq!(bench.delete("/3/customers/7").await, 204);
    let again = json!({"Customer": {"Name": "x", "CustomerNumber": "7"}});
    assert_eq!(bench.refusal(Method::POST, "/3/customers", Some(again)).await, (400, 2_000_637));
}

#[tokio::test]
async fn updates_keep_what_is_null_or_empty_and_blank_on_demand() {
    let bench = Bench::start().await;
    bench.customer().await;
    let change = json!({"Customer": {"Email": "", "City": null, "Address1": "API_BLANK", "Name": "Ny"}});
    let (_, answer) = bench.put("/3/customers/7", Some(change)).await;
    let customer = &answer["Customer"];
    assert_eq!((&customer["Name"], &customer["City"]), (&json!("Ny"), &json!("Stockholm")));
    assert_eq!((&customer["Email"], &customer["Address1"]), (&json!("asa@example.se"), &json!("")));
}

#[tokio::test]
async fn types_are_as_odd_as_recorded() {
    let bench = Bench::start().await;
    bench.customer().await;
    let (_, created) =
        bench.post("/3/customers", json!({"Customer": {"Name": "B", "SalesAccount": "3001"}})).await;
    assert_eq!(created["Customer"]["SalesAccount"], 3001);
    let number = created["Customer"]["CustomerNumber"].as_str().unwrap();
    assert_eq!(bench.get(&format!("/3/customers/{number}")).await.1["Customer"]["SalesAccount"], "3001");

    let (_, answer) = bench.post("/3/invoices", invoice("a/ö")).await;
    let invoice = &answer["Invoice"];
    for (field, expected) in [
        ("Credit", json!("false")),
        ("OrderReference", json!("0")),
        ("CreditInvoiceReference", json!("0")),
        ("DocumentNumber", json!("1")),
        ("OCR", json!("133")),
        ("CurrencyRate", json!(1)),
        ("Total", json!(747)),
        ("TotalVAT", json!(149.4)),
        ("Net", json!(597.6)),
        ("Balance", json!(747)),
        ("RoundOff", json!(0)),
        ("InvoiceType", json!("INVOICE")),
        ("TermsOfPayment", json!("30")),
        ("CustomerName", json!("Åsa Öberg")),
        ("VoucherNumber", Value::Null),
    ] {
        assert_eq!(invoice[field], expected, "{field}");
    }
    let row = &invoice["InvoiceRows"][0];
    assert_eq!(
        (&row["DeliveredQuantity"], &row["Price"], &row["Total"]),
        (&json!("2"), &json!(349), &json!(698))
    );
    assert_eq!((&row["PriceExcludingVAT"], &row["Cost"]), (&json!(279.2), &json!(0)));
    assert_eq!(bench.get("/3/invoices").await.1["Invoices"][0]["CurrencyRate"], "1");
}

#[tokio::test]
async fn the_wire_escapes_slashes_and_letters_and_shuffles_keys() {
    let bench = Bench::start().await;
    bench.customer().await;
    let mut texts = Vec::new();
    for _ in 0..8 {
        let answer = bench.send(Method::GET, "/3/customers/7", None).await.unwrap();
        assert_eq!(answer.headers()["server"], "Fortnox");
        texts.push(answer.text().await.unwrap());
    }
    assert!(
        texts[0].contains(r"\u00c5sa \u00d6berg")
            && texts[0].contains(r"https:\/\/api.fortnox.se\/3\/customers\/7")
    );
    assert!(texts.iter().any(|text| *text != texts[0]));
    let created = bench.send(Method::POST, "/3/invoices", Some(invoice("x"))).await.unwrap();
    assert_eq!(created.headers()["location"], "invoices");
}

#[tokio::test]
async fn rows_get_new_ids_at_every_update() {
    let bench = Bench::start().await;
    bench.customer().await;
    let (_, before) = bench.post("/3/invoices", invoice("x")).await;
    let kept = before["Invoice"]["InvoiceRows"][1]["RowId"].clone();
    let change = json!({"Invoice": {"InvoiceRows": [{"RowId": kept}]}});
    let (_, after) = bench.put("/3/invoices/1", Some(change)).await;
    let rows = after["Invoice"]["InvoiceRows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["Description"]), (1, &json!("Frakt")));
    assert_ne!(rows[0]["RowId"], kept);
    assert_eq!(after["Invoice"]["Balance"], 49);
}

#[tokio::test]
async fn new_documents_lag_behind_in_searches_only() {
    let bench = Bench::start().await;
    bench.customer().await;
    bench.sim.configure(&json!({"lag_ms": 3000})).unwrap();
    bench.post("/3/invoices", invoice("slow")).await;
    assert_eq!(bench.get("/3/invoices/1").await.0, 200);
    assert_eq!(bench.get("/3/invoices").await.1["MetaInformation"]["@TotalResources"], 0);
    bench.sim.clock.advance(jiff::SignedDuration::from_secs(3));
    assert_eq!(bench.get("/3/invoices").await.1["MetaInformation"]["@TotalResources"], 1);
}

#[tokio::test]
async fn totals_round_as_the_switches_say() {
    let bench = Bench::start().await;
    bench.customer().await;
    let row = json!({"Description": "x", "DeliveredQuantity": 1, "Price": "0.33", "VAT": 25});
    let body =
        json!({"Invoice": {"CustomerNumber": "7", "VATIncluded": true, "InvoiceRows": [row, row, row]}});
    let (_, per_document) = bench.post("/3/invoices", body.clone()).await;
    bench.sim.configure(&json!({"vat_rounding": "per_row", "whole_kronor": true})).unwrap();
    let (_, per_row) = bench.post("/3/invoices", body).await;
    assert_eq!(
        (&per_document["Invoice"]["TotalVAT"], &per_row["Invoice"]["TotalVAT"]),
        (&json!(0.2), &json!(0.21))
    );
    assert_eq!((&per_row["Invoice"]["Total"], &per_row["Invoice"]["RoundOff"]), (&json!(1), &json!(0.01)));
}
