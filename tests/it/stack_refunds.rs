//! Money given back, through the real binaries: the worker may read what it needs, and the books show the credit.

use bokbro_tests::stack::{LIMIT, Stack, until};
use serde_json::json;

#[tokio::test]
async fn a_part_given_back_is_credited() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    stack.pay_on_the_page(order.code).await;
    let booked = stack.booked(&order, LIMIT).await;
    let transaction = booked["payment"]["transactions"][0].clone();
    stack.steer("viva", "refund", &json!({ "transaction_id": transaction, "amount": "100.00" })).await;
    let path = format!("/v1/orders/{}", order.id);
    let credited = until(LIMIT, "the credit to be booked", async || {
        let order = stack.get(&path).await;
        assert_ne!(order["sync"]["accounting"]["state"], "needs_attention", "{order}");
        (order["sync"]["accounting"]["credit_payment_number"].is_string()).then_some(order)
    })
    .await;
    assert_eq!(credited["state"], "partially_refunded");
    let books = stack.look("fortnox", "state").await;
    let invoices = &books["tenants"][stack.text("/credentials/fortnox/tenant_id")]["invoices"];
    let reference = json!(format!("{}-credit-10000", order.id));
    let credits = invoices.as_array().unwrap().iter();
    let credits: Vec<_> = credits.filter(|one| one["ExternalInvoiceReference1"] == reference).collect();
    assert_eq!(credits.len(), 1);
    assert_eq!((&credits[0]["Booked"], credits[0]["Total"].as_f64()), (&json!(true), Some(-100.0)));
}
