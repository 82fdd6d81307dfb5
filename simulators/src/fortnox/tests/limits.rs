//! The rate window and lagging lists.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use super::super::{FortnoxConfig, TenantConfig};
use super::{Bench, TENANT, invoice, json_of};

#[tokio::test]
async fn the_window_slides_with_the_clock() {
    let bench = Bench::start_with(FortnoxConfig::default()).await;
    for _ in 0..25 {
        bench.get("/3/termsofpayments").await;
    }
    bench.sim.configure(&json!({"retry_after": 2})).unwrap();
    let limited = bench.send(Method::GET, "/3/termsofpayments", None).await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"2".parse().unwrap()));
    bench.sim.configure(&json!({"retry_after": 0, "rate_answer": "html"})).unwrap();
    let limited = bench.send(Method::GET, "/3/termsofpayments", None).await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers().get("retry-after")), (429, None));
    assert!(limited.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    bench.sim.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(bench.get("/3/termsofpayments").await.0, 200);
}

#[tokio::test]
async fn tenants_have_their_own_books_and_windows() {
    let tenants = vec![TenantConfig::new(TENANT, "Ett AB"), TenantConfig::new("1000002", "Två AB")];
    let mut bench = Bench::start_with(FortnoxConfig { tenants, ..FortnoxConfig::default() }).await;
    bench.customer().await;
    for _ in 0..25 {
        bench.get("/3/customers").await;
    }
    assert_eq!(bench.get("/3/customers").await.0, 429);
    let answer = bench.token(&[("grant_type", "client_credentials")], Some("1000002")).await;
    bench.token = json_of(answer).await.1["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.get("/3/customers").await.1["Customers"], json!([]));
    assert_eq!(bench.get("/3/companyinformation").await.1["CompanyInformation"]["DatabaseNumber"], 1_000_002);
    assert_eq!(bench.get("/3/settings/company").await.1["CompanySettings"]["DatabaseNumber"], "1000002");
}

#[tokio::test]
async fn rights_can_be_lost_in_mid_run() {
    let bench = Bench::start().await;
    bench.customer().await;
    bench.sim.configure(&json!({"scopes_lost": ["invoice"]})).unwrap();
    assert_eq!(bench.refusal(Method::POST, "/3/invoices", Some(invoice("x"))).await, (400, 2_000_663));
    assert_eq!(bench.get("/3/customers").await.0, 200);
    bench.sim.configure(&json!({"scopes_lost": [], "licenses_lost": ["invoice"]})).unwrap();
    assert_eq!(bench.refusal(Method::GET, "/3/invoices", None).await, (400, 2_001_101));
    bench.sim.configure(&json!({"licenses_lost": [], "integration_license_lost": true})).unwrap();
    assert_eq!(bench.refusal(Method::GET, "/3/invoices", None).await, (403, 2_001_103));
    let refused = bench.token(&[("grant_type", "client_credentials")], Some(TENANT)).await;
    assert!(refused.text().await.unwrap().contains("error_missing_license"));
    bench.sim.configure(&json!({"integration_license_lost": false})).unwrap();
    assert_eq!(bench.get("/3/invoices").await.0, 200);
    bench.sim.configure(&json!({"no_right_fields": ["PriceList"]})).unwrap();
    assert_eq!(bench.get("/3/customers/7").await.1["Customer"]["PriceList"], "API_NORIGHT");
}

#[tokio::test]
async fn a_token_only_opens_its_scopes() {
    let mut bench = Bench::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", "customer")];
    bench.token =
        json_of(bench.token(&form, Some(TENANT)).await).await.1["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.get("/3/customers").await.0, 200);
    assert_eq!(bench.refusal(Method::GET, "/3/orders", None).await, (400, 2_000_663));
}

#[tokio::test]
async fn finalizing_can_be_demanded() {
    let bench = Bench::start().await;
    bench.customer().await;
    bench.sim.configure(&json!({"tenant": TENANT, "finalize_first": true})).unwrap();
    bench.post("/3/invoices", invoice("x")).await;
    assert_eq!(bench.refusal(Method::PUT, "/3/invoices/1/bookkeep", None).await, (400, 2_003_498));
    assert_eq!(bench.put("/3/invoices/1/warehouseready", None).await.0, 200);
    assert_eq!(bench.put("/3/invoices/1/bookkeep", None).await.0, 200);
}

#[tokio::test]
async fn the_sim_routes_show_reset_and_refuse_unknown_switches() {
    let bench = Bench::start().await;
    bench.booked_invoice().await;
    assert!(bench.sim.configure(&json!({"tenant": "0"})).is_err());
    assert!(bench.sim.configure(&json!({"colour": "blue"})).is_err());
    let state = format!("{}/_sim/state", bench.sim.url);
    let (_, shown) = json_of(bench.http.get(&state).send().await.unwrap()).await;
    assert_eq!(shown["tenants"][TENANT]["invoices"][0]["Total"], 747);
    assert_eq!(shown, bench.sim.state());
    bench.http.post(format!("{}/_sim/reset", bench.sim.url)).send().await.unwrap();
    let empty =
        json!({"customers": [], "orders": [], "invoices": [], "invoice_payments": [], "vouchers": []});
    assert_eq!(bench.sim.books(TENANT), empty);
    assert_eq!(bench.get("/3/customers").await.0, 200);
}
