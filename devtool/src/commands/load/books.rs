//! Whether every order that was paid stands in the books once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// What the books of one or more companies hold of the orders that were paid.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Orders that were paid.
    pub(super) expected: usize,
    /// Orders with one invoice, booked and paid in full by one booked payment.
    pub(super) once: usize,
    /// Orders with more than one invoice or payment.
    pub(super) twice: Vec<String>,
    /// Orders without an invoice, or with one that is not booked or not paid.
    pub(super) lost: Vec<String>,
    /// Invoices of orders that were not paid.
    pub(super) strangers: usize,
    /// Customers with an address that another one has too.
    pub(super) double_customers: usize,
}

impl Tally {
    /// Adds the books of a company, as its stand-in shows them, and the ids of its orders that were paid.
    pub(super) fn add(&mut self, books: &Value, paid: &[String]) {
        let all = |kind: &str| books[kind].as_array().map_or(&[][..], Vec::as_slice);
        let mut invoices: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for invoice in all("invoices") {
            invoices
                .entry(invoice["ExternalInvoiceReference1"].as_str().unwrap_or(""))
                .or_default()
                .push(invoice);
        }
        let mut payments: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for payment in all("invoice_payments") {
            payments.entry(text(&payment["InvoiceNumber"])).or_default().push(payment);
        }
        self.expected += paid.len();
        for order in paid {
            let ours = invoices.remove(order.as_str()).unwrap_or_default();
            let number = ours.first().map(|invoice| text(&invoice["DocumentNumber"])).unwrap_or_default();
            let theirs = payments.get(&number).map_or(&[][..], Vec::as_slice);
            match (ours.as_slice(), theirs) {
                ([invoice], [payment])
                    if invoice["Booked"] == true
                        && payment["Booked"] == true
                        && is_zero(&invoice["Balance"]) =>
                {
                    self.once += 1;
                }
                ([_, _, ..], _) | (_, [_, _, ..]) => self.twice.push(order.clone()),
                _ => self.lost.push(order.clone()),
            }
        }
        self.strangers += invoices.values().map(Vec::len).sum::<usize>();
        let emails: BTreeSet<String> =
            all("customers").iter().map(|customer| text(&customer["Email"])).collect();
        self.double_customers += all("customers").len() - emails.len();
    }

    /// For the file; of those that are wrong their ids.
    pub(super) fn json(&self) -> Value {
        json!({ "expected": self.expected, "once": self.once, "twice": self.twice, "lost": self.lost,
                "strangers": self.strangers, "double_customers": self.double_customers })
    }
}

/// A value that may stand in quotation marks, or not.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_zero(amount: &Value) -> bool {
    text(amount).parse::<rust_decimal::Decimal>().is_ok_and(|amount| amount.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice(number: u32, order: &str) -> Value {
        json!({"DocumentNumber": number.to_string(), "ExternalInvoiceReference1": order, "Booked": true, "Balance": 0})
    }

    fn payment(invoice: u32) -> Value {
        json!({"InvoiceNumber": invoice, "Booked": true})
    }

    fn tally(books: &Value) -> Tally {
        let mut tally = Tally::default();
        tally.add(books, &["a".to_owned(), "b".to_owned()]);
        tally
    }

    #[test]
    fn an_order_counts_once_or_as_what_is_wrong_with_it() {
        let good = json!({
            "customers": [{"Email": "x"}, {"Email": "y"}],
            "invoices": [invoice(1, "a"), invoice(2, "b")],
            "invoice_payments": [payment(1), payment(2)],
        });
        assert_eq!(tally(&good), Tally { expected: 2, once: 2, ..Tally::default() });
        let (a, twice) = (vec!["a".to_owned()], |tally: &Tally| (tally.once, tally.twice.clone()));
        let mut books = good.clone();
        books["invoices"] = json!([invoice(1, "a"), invoice(2, "b"), invoice(3, "a")]);
        assert_eq!(twice(&tally(&books)), (1, a.clone()));
        books = good.clone();
        books["invoice_payments"] = json!([payment(1), payment(2), payment(1)]);
        assert_eq!(twice(&tally(&books)), (1, a.clone()));
        for (place, value) in [
            ("/invoices", json!([invoice(2, "b")])),
            ("/invoice_payments", json!([payment(2)])),
            ("/invoices/0/Booked", json!(false)),
            ("/invoices/0/Balance", json!("747.00")),
            ("/invoice_payments/0/Booked", json!(false)),
        ] {
            books = good.clone();
            *books.pointer_mut(place).unwrap() = value;
            let tally = tally(&books);
            assert_eq!((tally.once, tally.lost), (1, a.clone()), "{place}");
        }
        books = good.clone();
        books["invoices"] = json!([invoice(1, "a"), invoice(2, "b"), invoice(3, "c")]);
        books["customers"] = json!([{"Email": "x"}, {"Email": "x"}]);
        let tally = tally(&books);
        assert_eq!((tally.once, tally.strangers, tally.double_customers), (2, 1, 1));
    }
}
