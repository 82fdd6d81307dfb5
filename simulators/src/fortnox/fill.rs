//! Filling a company's registers at once with what years of trade leave behind, for tests of reading long lists.

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;

use super::books::{Books, Document, next_number, today};
use super::config::AccountingMethod;
use super::documents::{CUSTOMER, INVOICE};
use super::errors::Refusal;
use super::fields::initial;
use super::invoices::{FORM, ocr};
use super::json::Object;
use super::rows::{complete, sum_up};

/// What is sold: price with tax, rate and account.
const SOLD: [(u32, u32, u32); 4] = [(349, 25, 3001), (112, 12, 3002), (53, 6, 3003), (1249, 25, 3001)];
/// Days over which the documents are spread, the last of them today.
const DAYS: u64 = 365;

/// How many documents there are to be more. Vouchers and payments are left out.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fill {
    customers: u64,
    invoices: u64,
}

impl Fill {
    /// Adds them, with numbers above those in use and changed last on their own day.
    ///
    /// # Errors
    /// When a row of an invoice is not accepted.
    pub(super) fn apply(self, books: &mut Books, now: Timestamp) -> Result<(), Refusal> {
        self.add_customers(books, now);
        self.add_invoices(books, now)
    }

    fn add_customers(self, books: &mut Books, now: Timestamp) {
        let first = next_number(&books.customers, "CustomerNumber");
        let blank = initial(CUSTOMER);
        for nth in 0..self.customers {
            let number = (first + nth).to_string();
            let mut customer = blank
                .clone()
                .with("@url", format!("https://api.fortnox.se/3/customers/{number}"))
                .with("Name", format!("Kund {number}"))
                .with("Email", format!("Kund{number}@example.se"))
                .with("City", "Lund");
            if nth % 3 == 0 {
                customer
                    .set("OrganisationNumber", format!("55{:04}-{:04}", nth / 10_000 + 1000, nth % 10_000));
            } else {
                customer.set("Type", "PRIVATE");
            }
            customer.set("CustomerNumber", number.as_str());
            books.customer_numbers.insert(number);
            books.customers.push(written(customer, day_of(nth, self.customers, now), now));
        }
    }

    fn add_invoices(self, books: &mut Books, now: Timestamp) -> Result<(), Refusal> {
        let mut blanks = Vec::new();
        for (price, rate, account) in SOLD {
            blanks.push(blank_invoice(books, price, rate, account)?);
        }
        let names: Vec<(String, String)> = books
            .customers
            .iter()
            .map(|customer| {
                (customer.fields.text("CustomerNumber").to_owned(), customer.fields.text("Name").to_owned())
            })
            .collect();
        let first = next_number(&books.invoices, "DocumentNumber");
        for (nth, (blank, (customer, name))) in
            (0..self.invoices).zip(blanks.iter().cycle().zip(names.iter().cycle()))
        {
            let (number, day) = ((first + nth).to_string(), day_of(nth, self.invoices, now));
            let mut invoice = blank
                .clone()
                .with("@url", format!("https://api.fortnox.se/3/invoices/{number}"))
                .with("CustomerNumber", customer.as_str())
                .with("CustomerName", name.as_str())
                .with("InvoiceDate", day)
                .with("OutboundDate", day)
                .with("DueDate", day.checked_add(Span::new().days(30)).unwrap_or(day))
                .with("OCR", ocr(&number));
            // Every fourth is not paid yet.
            if nth % 4 == 3 {
                let total = invoice.number("Total");
                invoice.set("Balance", total);
            } else {
                invoice.set("FinalPayDate", day);
            }
            invoice.set("DocumentNumber", number);
            books.invoices.push(written(invoice, day, now));
        }
        Ok(())
    }
}

/// A booked and paid invoice of one row, without number, customer and days.
fn blank_invoice(books: &mut Books, price: u32, rate: u32, account: u32) -> Result<Object, Refusal> {
    let method = match books.settings.accounting_method {
        AccountingMethod::Accrual => "ACCRUAL",
        AccountingMethod::Cash => "CASH",
    };
    let row = Object::default()
        .with("Description", "Vara")
        .with("DeliveredQuantity", "1")
        .with("Price", price)
        .with("VAT", rate)
        .with("AccountNumber", account);
    let rows = complete(books, &FORM, vec![row])?;
    let mut invoice = initial(INVOICE)
        .with("VATIncluded", true)
        .with("Booked", true)
        .with("Sent", true)
        .with("AccountingMethod", method)
        .with(FORM.rows, rows);
    sum_up(books, &FORM, &mut invoice);
    Ok(invoice)
}

/// The day of the nth of so many, which lie evenly in the last year, the last one today.
fn day_of(nth: u64, all: u64, now: Timestamp) -> Date {
    let ago = i64::try_from((all - 1 - nth) * DAYS / all.max(1)).unwrap_or_default();
    let today = today(now);
    today.checked_sub(Span::new().days(ago)).unwrap_or(today)
}

/// A document that was changed last at noon of its day.
fn written(fields: Object, day: Date, now: Timestamp) -> Document {
    let noon = day.to_datetime(time(12, 0, 0, 0)).to_zoned(TimeZone::UTC);
    let modified = noon.map_or(now, |noon| noon.timestamp().min(now));
    Document { fields, modified, listed_from: modified }
}
