//! The books after the demo: the documents as Fortnox holds them, and whether they are right.

use rust_decimal::Decimal;
use serde_json::Value;

use super::text;
use crate::progress;

/// The sample order's total and the VAT in it, in kronor.
pub(super) const TOTAL: &str = "747.00";
pub(super) const VAT: &str = "149.40";

/// Shows every customer, invoice and payment.
pub(super) fn show(books: &Value) {
    progress::show("\nWhat Fortnox holds now");
    for customer in all(books, "customers") {
        progress::show(format_args!(
            "  customer {}: {}, {}, {} {}",
            text(&customer["CustomerNumber"]),
            text(&customer["Name"]),
            text(&customer["Email"]),
            text(&customer["ZipCode"]),
            text(&customer["City"])
        ));
    }
    for invoice in all(books, "invoices") {
        progress::show(format_args!(
            "  invoice {} to customer {}: {}, our reference {}",
            text(&invoice["DocumentNumber"]),
            text(&invoice["CustomerNumber"]),
            booked(invoice),
            text(&invoice["ExternalInvoiceReference1"])
        ));
        for row in all(invoice, "InvoiceRows") {
            progress::show(format_args!(
                "    {:>3} x {:<32} à {:>8}  {:>2} % VAT  account {}",
                decimal(&row["DeliveredQuantity"]).normalize(),
                text(&row["Description"]),
                money(&row["Price"]),
                text(&row["VAT"]),
                text(&row["AccountNumber"])
            ));
        }
        progress::show(format_args!(
            "    net {}, VAT {}, total {} {}, left to pay {}",
            money(&invoice["Net"]),
            money(&invoice["TotalVAT"]),
            money(&invoice["Total"]),
            text(&invoice["Currency"]),
            money(&invoice["Balance"])
        ));
    }
    for payment in all(books, "invoice_payments") {
        progress::show(format_args!(
            "  payment {} of invoice {}: {}, {} on {} to account {}",
            text(&payment["Number"]),
            text(&payment["InvoiceNumber"]),
            booked(payment),
            money(&payment["Amount"]),
            text(&payment["PaymentDate"]),
            text(&payment["ModeOfPaymentAccount"])
        ));
    }
}

/// Checks the books of one order, and shows each check. `captured` is what the payment provider reports, in kronor.
pub(super) fn check(books: &Value, order: &str, captured: &str) -> bool {
    let (customers, invoices, payments) =
        (all(books, "customers"), all(books, "invoices"), all(books, "invoice_payments"));
    let first = |documents: &[Value]| documents.first().cloned().unwrap_or_default();
    let (invoice, payment) = (first(invoices), first(payments));
    let checks = [
        (
            "exactly one customer, one invoice, one payment",
            [customers, invoices, payments].map(<[_]>::len) == [1; 3],
        ),
        ("the invoice carries the order's id", invoice["ExternalInvoiceReference1"] == order),
        ("the invoice's total is the order's, 747.00", money(&invoice["Total"]) == TOTAL),
        ("the VAT in it is 149.40", money(&invoice["TotalVAT"]) == VAT),
        ("the payment is what Viva reports as captured", money(&payment["Amount"]) == captured),
        (
            "nothing is left to pay",
            decimal(&invoice["Balance"]).is_zero() && invoice["Balance"] != Value::Null,
        ),
        ("invoice and payment are booked", invoice["Booked"] == true && payment["Booked"] == true),
    ];
    verdict(&checks)
}

/// Shows each check; says whether all of them hold.
pub(super) fn verdict(checks: &[(&str, bool)]) -> bool {
    progress::show("\nChecks");
    for (what, holds) in checks {
        progress::show(format_args!("  {:<6} {what}", if *holds { "ok" } else { "WRONG" }));
    }
    checks.iter().all(|(_, holds)| *holds)
}

pub(super) fn all<'a>(holder: &'a Value, kind: &str) -> &'a [Value] {
    holder[kind].as_array().map_or(&[], Vec::as_slice)
}

fn booked(document: &Value) -> &'static str {
    if document["Booked"] == true { "booked" } else { "NOT booked" }
}

/// A number, which may stand in quotation marks; zero when it is none.
pub(super) fn decimal(value: &Value) -> Decimal {
    text(value).parse().unwrap_or_default()
}

/// An amount in kronor with two decimals.
pub(super) fn money(value: &Value) -> String {
    format!("{:.2}", decimal(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "customers": [{"CustomerNumber": "1"}],
            "invoices": [{"ExternalInvoiceReference1": "ord_1", "Total": 747, "TotalVAT": 149.4, "Balance": "0", "Booked": true}],
            "invoice_payments": [{"Amount": "747.0", "Booked": true}],
        })
    }

    #[test]
    fn good_books_pass_and_every_fault_in_them_is_seen() {
        assert!(check(&good(), "ord_1", "747.00"));
        assert!(!check(&good(), "ord_2", "747.00"));
        assert!(!check(&good(), "ord_1", "746.99"));
        let faults: [(&str, Value); 8] = [
            ("/customers", json!([])),
            ("/invoices/0/Total", json!(747.01)),
            ("/invoices/0/TotalVAT", json!(149.41)),
            ("/invoices/0/Balance", json!(0.01)),
            ("/invoices/0/Balance", json!(null)),
            ("/invoices/0/Booked", json!(false)),
            ("/invoice_payments/0/Booked", json!(false)),
            ("/invoice_payments", json!([good()["invoice_payments"][0], good()["invoice_payments"][0]])),
        ];
        for (place, value) in faults {
            let mut books = good();
            *books.pointer_mut(place).unwrap() = value;
            assert!(!check(&books, "ord_1", "747.00"), "{place}");
        }
    }
}
