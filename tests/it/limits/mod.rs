//! A provider's limit under load, in virtual time: as fast as allowed, never faster, and nobody in another's way.

mod busy;
mod drain;
mod neighbors;
mod readers;

use std::collections::BTreeSet;

use bokbro_tests::traffic::Traffic;
use jiff::Timestamp;
use serde_json::Value;

/// Calls of the ledger program's API with their status, by its clock.
fn calls(traffic: &Traffic) -> Vec<(Timestamp, u16)> {
    let requests = traffic.fortnox.log.requests().into_iter().filter(|line| line.path.starts_with("/3/"));
    requests.map(|line| (line.at, line.status.unwrap_or_default())).collect()
}

/// Every order of a merchant has one invoice, booked and paid once.
fn one_document_each(books: &Value, orders: usize) {
    let list = |kind: &str| books[kind].as_array().cloned().unwrap_or_default();
    let invoices = list("invoices");
    let references: BTreeSet<String> =
        invoices.iter().map(|invoice| invoice["ExternalInvoiceReference1"].to_string()).collect();
    assert_eq!((invoices.len(), references.len()), (orders, orders));
    assert!(invoices.iter().all(|invoice| invoice["Booked"] == true && invoice["Balance"] == 0));
    let payments = list("invoice_payments");
    assert_eq!(payments.len(), orders);
    assert!(payments.iter().all(|payment| payment["Booked"] == true));
}
