//! The main job with Visma as the tenant's ledger program.

mod by_hand;
mod contract;
mod crash_points;
mod flows;
mod refunds;

use bokbro_tests::visma_world::VismaWorld;
use serde_json::{Value, json};

/// Decimals with two places, whatever way they were written.
fn money(value: &Value) -> String {
    format!("{:.2}", value.to_string().trim_matches('"').parse::<rust_decimal::Decimal>().unwrap())
}

/// One of each, booked and paid, on the given totals; no draft is left.
#[track_caller]
fn one_of_each(world: &VismaWorld, total: &str, vat: &str) {
    let [customers, drafts, invoices, payments] =
        ["customers", "drafts", "invoices", "payments"].map(|kind| world.books(kind));
    assert_eq!(
        (customers.len(), drafts.len(), invoices.len(), payments.len()),
        (1, 0, 1, 1),
        "{drafts:?} {invoices:?} {payments:?}"
    );
    let invoice = &invoices[0];
    assert_eq!(
        (money(&invoice["TotalAmount"]), money(&invoice["TotalVatAmount"])),
        (total.into(), vat.into())
    );
    assert_eq!(money(&invoice["RemainingAmount"]), "0.00", "{invoice}");
    assert_eq!(money(&payments[0]["PaymentAmount"]), total);
    assert_eq!(payments[0]["LedgerAccountNumber"], json!(1580));
    for voucher in world.books("vouchers") {
        let sum = |side: &str| -> rust_decimal::Decimal {
            let rows = voucher["Rows"].as_array().unwrap();
            rows.iter().map(|row| row[side].to_string().parse::<rust_decimal::Decimal>().unwrap()).sum()
        };
        assert_eq!(sum("DebitAmount"), sum("CreditAmount"), "{voucher}");
    }
}
