//! Filling a company's registers at once with what years of trade leave behind, for tests of reading long lists.

use std::collections::BTreeMap;

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;

use super::api::operations;
use super::books::{Books, Document};
use super::call::{Call, day_in_sweden, moment, written};
use super::invoices::PAID;
use crate::kit::json::{Json, Object};

/// Prices with tax of what is sold.
const PRICES: [u32; 4] = [349, 112, 53, 1249];
/// Days over which the documents are spread, the last of them today.
const DAYS: u64 = 365;

/// How many documents there are to be more. Vouchers and payments are left out but for those of the first few invoices.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fill {
    customers: u64,
    invoices: u64,
}

impl Fill {
    /// Adds them, with numbers above those in use and changed last on their own day. The first ones go the way of all
    /// documents, the others are their likes.
    ///
    /// # Errors
    /// When the company's registers or locks do not allow it.
    pub(super) fn apply(self, books: &mut Books, now: Timestamp) -> Result<(), String> {
        self.add_customers(books, now)?;
        self.add_invoices(books, now)
    }

    fn add_customers(self, books: &mut Books, now: Timestamp) -> Result<(), String> {
        if self.customers == 0 {
            return Ok(());
        }
        let terms = books.terms.first().map(|terms| terms.fields.text("Id").to_owned()).unwrap_or_default();
        let like = Object::default()
            .with("Name", "Kund")
            .with("InvoiceCity", "Lund")
            .with("InvoicePostalCode", "22222")
            .with("IsActive", true)
            .with("IsPrivatePerson", true)
            .with("TermsOfPaymentId", terms);
        let like = post(books, "/v2/customers", like, now)?;
        books.customers.pop();
        let first = Books::next_number(&books.customers, "CustomerNumber");
        for nth in 0..self.customers {
            let (number, changed) = (first + nth, noon(day_of(nth, self.customers, now), now));
            let mut customer = like
                .clone()
                .with("Id", books.new_id())
                .with("CustomerNumber", number.to_string())
                .with("Name", format!("Kund {number}"))
                .with("EmailAddress", format!("Kund{number}@example.se"))
                .with("ChangedUtc", moment(changed));
            if nth % 3 == 0 {
                let organisation = format!("55{:04}-{:04}", nth / 10_000 + 1000, nth % 10_000);
                customer.set("CorporateIdentityNumber", organisation);
                customer.set("IsPrivatePerson", false);
            }
            books.customers.push(Document { fields: customer, listed_from: changed });
        }
        Ok(())
    }

    fn add_invoices(self, books: &mut Books, now: Timestamp) -> Result<(), String> {
        let customers: Vec<Object> = books.customers.iter().map(|customer| customer.fields.clone()).collect();
        let Some(customer) = customers.first().filter(|_| self.invoices > 0) else { return Ok(()) };
        let id = |documents: &[Document]| {
            documents.first().map(|document| document.fields.text("Id").to_owned()).unwrap_or_default()
        };
        let number = format!("FILL-{}", books.articles.len() + 1);
        let article = Object::default()
            .with("Number", number)
            .with("Name", "Vara")
            .with("CodingId", id(&books.codings))
            .with("UnitId", id(&books.units))
            .with("IsActive", true);
        let article = post(books, "/v2/articles", article, now)?;
        let mut likes = Vec::new();
        for price in PRICES {
            let row = Object::default()
                .with("ArticleId", article.text("Id"))
                .with("Text", "Vara")
                .with("UnitPrice", price)
                .with("Quantity", 1_u32);
            let like = Object::default()
                .with("CustomerId", customer.text("Id"))
                .with("EuThirdParty", false)
                .with("RotReducedInvoicingType", 0_u32)
                .with("Rows", vec![Json::from(row)]);
            likes.push(post(books, "/v2/customerinvoices", like, now)?);
            books.invoices.pop();
        }
        let first = Books::next_number(&books.invoices, "InvoiceNumber");
        for (nth, (like, customer)) in
            (0..self.invoices).zip(likes.iter().cycle().zip(customers.iter().cycle()))
        {
            let day = day_of(nth, self.invoices, now);
            let changed = noon(day, now);
            let mut invoice = like
                .clone()
                .with("Id", books.new_id())
                .with("InvoiceNumber", first + nth)
                .with("CustomerId", customer.text("Id"))
                .with("CustomerNumber", customer.text("CustomerNumber"))
                .with("InvoiceDate", written(day))
                .with("DueDate", written(day.checked_add(Span::new().days(30)).unwrap_or(day)))
                .with("CreatedUtc", moment(changed))
                .with("ModifiedUtc", moment(changed));
            // Every fourth is not paid yet.
            if nth % 4 != 3 {
                for name in ["RemainingAmount", "RemainingAmountInvoiceCurrency", "PaymentStatus"] {
                    invoice.set(name, PAID);
                }
                invoice.set("PaymentDate", written(day));
            }
            books.invoices.push(Document { fields: invoice, listed_from: changed });
        }
        Ok(())
    }
}

/// Makes a document as a caller does.
fn post(books: &mut Books, path: &str, body: Object, now: Timestamp) -> Result<Object, String> {
    let call =
        Call { params: Vec::new(), query: BTreeMap::new(), body: Json::from(body).render(0).into(), now };
    let operation = operations().find(|operation| operation.method == "POST" && operation.path == path);
    let operation = operation.ok_or_else(|| format!("there is no POST {path}"))?;
    match (operation.run)(books, &call).map(|answer| answer.body) {
        Ok(Some(Json::Object(document))) => Ok(document),
        Ok(_) => Err(format!("POST {path} gives no document")),
        Err(refusal) => Err(format!("{refusal:?}")),
    }
}

/// The day of the nth of so many, which lie evenly in the last year, the last one today.
fn day_of(nth: u64, all: u64, now: Timestamp) -> Date {
    let ago = i64::try_from((all - 1 - nth) * DAYS / all.max(1)).unwrap_or_default();
    let today = day_in_sweden(now);
    today.checked_sub(Span::new().days(ago)).unwrap_or(today)
}

/// Noon of a day, or now when that is not over.
fn noon(day: Date, now: Timestamp) -> Timestamp {
    let noon = day.to_datetime(time(12, 0, 0, 0)).to_zoned(TimeZone::UTC);
    noon.map_or(now, |noon| noon.timestamp().min(now))
}
