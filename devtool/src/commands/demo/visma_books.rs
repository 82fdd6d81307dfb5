//! The books after the demo: the documents as Visma holds them, and whether they are right.

use serde_json::Value;

use super::books::{TOTAL, VAT, all, decimal, money, verdict};
use super::text;
use crate::progress;

/// Shows every customer, invoice and payment.
pub(super) fn show(books: &Value) {
    progress::show("\nWhat Visma holds now");
    for customer in all(books, "customers") {
        progress::show(format_args!(
            "  customer {}: {}, {}, {} {}",
            text(&customer["CustomerNumber"]),
            text(&customer["Name"]),
            text(&customer["EmailAddress"]),
            text(&customer["InvoicePostalCode"]),
            text(&customer["InvoiceCity"])
        ));
    }
    for invoice in all(books, "invoices") {
        progress::show(format_args!(
            "  invoice {} to customer {}: booked as voucher {}, our reference {}",
            text(&invoice["InvoiceNumber"]),
            text(&invoice["CustomerNumber"]),
            text(&invoice["VoucherNumber"]),
            text(&invoice["OurReference"])
        ));
        for row in all(invoice, "Rows") {
            if row["IsTextRow"] == true {
                progress::show(format_args!("          {}", text(&row["Text"])));
                continue;
            }
            progress::show(format_args!(
                "    {:>3} x {:<32} à {:>8}  article {}",
                decimal(&row["Quantity"]).normalize(),
                text(&row["Text"]),
                money(&row["UnitPrice"]),
                text(&row["ArticleNumber"])
            ));
        }
        progress::show(format_args!(
            "    VAT {}, total {} {}, left to pay {}",
            money(&invoice["TotalVatAmount"]),
            money(&invoice["TotalAmount"]),
            text(&invoice["CurrencyCode"]),
            money(&invoice["RemainingAmount"])
        ));
    }
    for payment in all(books, "payments") {
        progress::show(format_args!(
            "  payment of invoice {}: {} on {} to account {}",
            text(&payment["InvoiceNumber"]),
            money(&payment["PaymentAmount"]),
            text(&payment["PaymentDate"]).get(..10).unwrap_or_default(),
            text(&payment["LedgerAccountNumber"])
        ));
    }
}

/// Checks the books of one order, and shows each check. `captured` is what the payment provider reports, in kronor.
pub(super) fn check(books: &Value, order: &str, captured: &str) -> bool {
    let [customers, invoices, payments, drafts] =
        ["customers", "invoices", "payments", "drafts"].map(|kind| all(books, kind));
    let first = |documents: &[Value]| documents.first().cloned().unwrap_or_default();
    let (invoice, payment) = (first(invoices), first(payments));
    let balanced = all(books, "vouchers").iter().all(|voucher| {
        let sum = |side: &str| {
            all(voucher, "Rows").iter().map(|row| decimal(&row[side])).sum::<rust_decimal::Decimal>()
        };
        sum("DebitAmount") == sum("CreditAmount")
    });
    verdict(&[
        (
            "exactly one customer, one invoice, one payment",
            [customers, invoices, payments].map(<[_]>::len) == [1; 3],
        ),
        ("no draft is left", drafts.is_empty()),
        ("the invoice carries the order's id", invoice["OurReference"] == order),
        ("the invoice's total is the order's, 747.00", money(&invoice["TotalAmount"]) == TOTAL),
        ("the VAT in it is 149.40", money(&invoice["TotalVatAmount"]) == VAT),
        ("the payment is what Viva reports as captured", money(&payment["PaymentAmount"]) == captured),
        (
            "nothing is left to pay",
            decimal(&invoice["RemainingAmount"]).is_zero() && !invoice["RemainingAmount"].is_null(),
        ),
        (
            "invoice and payment are booked, and every voucher balances",
            all(books, "vouchers").len() == 2 && balanced,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        let voucher = json!({"Rows": [{"DebitAmount": 747, "CreditAmount": 0}, {"DebitAmount": 0, "CreditAmount": 747.0}]});
        json!({
            "customers": [{"CustomerNumber": "1"}],
            "drafts": [],
            "invoices": [{"OurReference": "ord_1", "TotalAmount": 747, "TotalVatAmount": 149.4, "RemainingAmount": 0}],
            "payments": [{"PaymentAmount": 747}],
            "vouchers": [voucher, voucher],
        })
    }

    #[test]
    fn good_books_pass_and_every_fault_in_them_is_seen() {
        assert!(check(&good(), "ord_1", "747.00"));
        assert!(!check(&good(), "ord_2", "747.00"));
        assert!(!check(&good(), "ord_1", "746.99"));
        let faults: [(&str, Value); 9] = [
            ("/customers", json!([])),
            ("/drafts", json!([{}])),
            ("/invoices/0/TotalAmount", json!(747.01)),
            ("/invoices/0/TotalVatAmount", json!(149.41)),
            ("/invoices/0/RemainingAmount", json!(0.01)),
            ("/invoices/0/RemainingAmount", json!(null)),
            ("/payments", json!([good()["payments"][0], good()["payments"][0]])),
            ("/vouchers", json!([good()["vouchers"][0]])),
            ("/vouchers/0/Rows/0/DebitAmount", json!(746.99)),
        ];
        for (place, value) in faults {
            let mut books = good();
            *books.pointer_mut(place).unwrap() = value;
            assert!(!check(&books, "ord_1", "747.00"), "{place}");
        }
    }
}
