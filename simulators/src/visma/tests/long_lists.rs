//! Registers that years of trade have filled, and how a reader that comes back finds what has changed.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::books::Office;
use crate::contract::{OpenApi, specs_dir};

impl Office {
    /// A page of a list: what it holds and what it says of itself.
    async fn page(&self, path: &str) -> (Vec<Value>, Value) {
        let (status, mut body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        (body["Data"].as_array().unwrap().clone(), body["Meta"].take())
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn twenty_thousand_of_each_are_there_at_once() {
    let office = Office::start().await;
    office.switch(&json!({"fill": {"customers": 20_000, "invoices": 20_000}}));
    let pages = "$pagesize=1000&$orderby=InvoiceNumber";
    let (first, meta) = office.page(&format!("/customerinvoices?{pages}")).await;
    assert_eq!((first.len(), &first[0]["InvoiceNumber"]), (1000, &json!(1)));
    assert_eq!((&meta["TotalNumberOfPages"], &meta["TotalNumberOfResults"]), (&json!(20), &json!(20_000)));
    let (last, _) = office.page(&format!("/customerinvoices?{pages}&$page=20")).await;
    assert_eq!((last.len(), &last[999]["InvoiceNumber"]), (1000, &json!(20_000)));
    let (none, _) = office.page(&format!("/customerinvoices?{pages}&$page=21")).await;
    assert!(none.is_empty());
    let (_, customers) = office.page("/customers?$pagesize=1000&$orderby=Id").await;
    assert_eq!(customers["TotalNumberOfResults"], 20_001);
    // What was filled in works like everything else.
    let unpaid = &last[999];
    let path = format!("/customerinvoices/{}", unpaid["Id"].as_str().unwrap());
    let pays = office.payment(unpaid["RemainingAmount"].clone(), 2);
    assert_eq!(office.call("POST", &format!("{path}/payments"), Some(pays)).await.0, 201);
    assert_eq!(office.call("GET", &path, None).await.1["RemainingAmount"], 0);
    office.invoice().await;
    assert_eq!(office.page("/customerinvoices?$filter=TotalAmount%20eq%20698").await.0.len(), 1);
    let Some(dir) = specs_dir() else {
        eprintln!(
            "SKIPPED: filled lists are not checked against Visma's description, BOKBRO_SPECS_DIR is unset"
        );
        return;
    };
    let api = OpenApi::visma(&dir).unwrap();
    for path in [
        "/customers?$pagesize=100&$filter=ChangedUtc%20ge%202020-01-01T00:00:00.00Z&$orderby=Id",
        "/customerinvoices?$pagesize=100&modifiedSinceUtc=2020-01-01T00:00:00.00Z&$orderby=InvoiceNumber",
    ] {
        let (status, answer) = office.call("GET", path, None).await;
        let path = format!("/v2{path}");
        api.validate_request("GET", &path, None).unwrap();
        api.validate_response("GET", &path, status, Some(&answer)).unwrap();
    }
}

#[tokio::test]
async fn every_change_of_a_document_shows_as_one() {
    let office = Office::start().await;
    let (paid, voided) = (office.invoice().await, office.invoice().await);
    let renumbered = office.customer("70", true).await;
    let payment = office.payment(json!(698), 2);
    let changes: [(&str, String, Option<Value>, usize, usize); 3] = [
        ("POST", format!("/customerinvoices/{paid}/payments"), Some(payment), 1, 0),
        ("POST", format!("/customerinvoices/{voided}/void"), None, 2, 0),
        ("PUT", format!("/customers/{}", office.customer), Some(renumbered), 0, 1),
    ];
    for (method, path, body, invoices, customers) in changes {
        office.bench.sim.clock.advance(SignedDuration::from_mins(1));
        let since = office.bench.sim.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (status, answer) = office.call(method, &path, body).await;
        assert!(status < 300, "{path}: {answer}");
        let (changed, _) = office.page(&format!("/customerinvoices?modifiedSinceUtc={since}")).await;
        assert_eq!(changed.len(), invoices, "{path}");
        let (changed, _) = office.page(&format!("/customers?$filter=ChangedUtc%20ge%20{since}")).await;
        assert_eq!(changed.len(), customers, "{path}");
    }
}

#[tokio::test]
async fn lists_refuse_what_the_switches_say() {
    let office = Office::start().await;
    let filter = "/customers?$filter=IsActive%20eq%20true";
    for (switches, path, expected) in [
        (json!({}), "/customers?$pagesize=1001", (400, 6000)),
        (json!({"oversized_pages": "clamped"}), "/customers?$pagesize=1001", (200, 0)),
        (json!({}), filter, (200, 0)),
        (json!({"unfilterable": ["IsActive"]}), filter, (400, 6000)),
        (json!({"any_filter": true}), filter, (400, 6000)),
        (json!({"unfilterable": []}), filter, (200, 0)),
        (json!({"any_filter": false}), "/customers?$orderby=Id", (200, 0)),
        (json!({"unsortable": true}), "/customers?$orderby=Id", (400, 6000)),
    ] {
        office.switch(&switches);
        assert_eq!(office.refusal("GET", path, None).await, expected, "{switches} {path}");
    }
    let (_, meta) = office.page("/customers?$pagesize=5000").await;
    assert_eq!(meta["PageSize"], 1000);
}
