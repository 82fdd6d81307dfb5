//! The books of the simulated Visma.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Books, Customer, Draft, Invoice, Payment, Row, Voucher, all, entries, number, plain, text};

/// `VoucherType` of a payment.
const PAYMENT: u64 = 10;

pub(super) fn read(books: &Value) -> Books {
    let vouchers = all(books, "vouchers");
    Books {
        customers: all(books, "customers").iter().map(customer).collect(),
        orders: Vec::new(),
        drafts: all(books, "drafts").iter().map(draft).collect(),
        invoices: all(books, "invoices").iter().map(invoice).collect(),
        payments: all(books, "payments").iter().map(|one| payment(one, books)).collect(),
        vouchers: vouchers.iter().map(voucher).collect(),
    }
}

fn customer(one: &Value) -> Customer {
    let organisation = text(one, "CorporateIdentityNumber");
    let identity = if organisation.is_empty() {
        text(one, "EmailAddress").to_lowercase()
    } else {
        organisation.to_owned()
    };
    Customer { number: plain(one, "CustomerNumber"), identity }
}

fn draft(one: &Value) -> Draft {
    Draft { id: text(one, "Id").to_owned(), reference: text(one, "OurReference").to_owned() }
}

/// The rows of a credit invoice may say what is taken back, or be as negative as it is.
fn invoice(one: &Value) -> Invoice {
    let row = |row: &Value| Row {
        rate: number(&row["VatRate"]) * Decimal::ONE_HUNDRED,
        quantity: number(&row["Quantity"]),
        price: number(&row["UnitPrice"]),
    };
    let rows = all(one, "Rows").iter().filter(|row| row["IsTextRow"] != json!(true));
    let mut rows: Vec<Row> = rows.map(row).collect();
    let (total, sum) = (number(&one["TotalAmount"]), rows.iter().map(|row| row.quantity * row.price).sum());
    if Decimal::is_sign_negative(&total) != Decimal::is_sign_negative(&sum) {
        rows.iter_mut().for_each(|row| row.quantity = -row.quantity);
    }
    Invoice {
        number: plain(one, "InvoiceNumber"),
        reference: text(one, "OurReference").to_owned(),
        customer: plain(one, "CustomerNumber"),
        order: None,
        date: day(one, "InvoiceDate"),
        // It is booked as soon as it exists.
        stands: all(one, "CreditedBy").is_empty(),
        total,
        vat: number(&one["TotalVatAmount"]),
        balance: number(&one["RemainingAmount"]),
        rows,
        includes_vat: one["IncludesVat"] == json!(true),
        voucher: text(one, "VoucherNumber").to_owned(),
    }
}

/// A payment has no number of its own, and its voucher is known by the invoice that it is of. That of a credit invoice may
/// be shown either way; the voucher tells which way the money went.
fn payment(one: &Value, books: &Value) -> Payment {
    let invoice = all(books, "invoices").iter().find(|invoice| text(invoice, "Id") == text(one, "InvoiceId"));
    let goes_back = invoice.is_some_and(|invoice| invoice["IsCreditInvoice"] == json!(true));
    let amount = number(&one["PaymentAmount"]);
    let of = |voucher: &&Value| {
        voucher["VoucherType"].as_u64() == Some(PAYMENT)
            && text(voucher, "SourceId") == text(one, "InvoiceId")
    };
    Payment {
        number: None,
        invoice: plain(one, "InvoiceNumber"),
        date: day(one, "PaymentDate"),
        stands: true,
        amount: if goes_back { -amount.abs() } else { amount },
        account: plain(one, "LedgerAccountNumber"),
        voucher: all(books, "vouchers").iter().find(of).map(key).unwrap_or_default(),
    }
}

fn voucher(one: &Value) -> Voucher {
    Voucher {
        key: key(one),
        date: day(one, "VoucherDate"),
        entries: entries(one, ["Rows", "AccountNumber", "DebitAmount", "CreditAmount"]),
    }
}

fn key(one: &Value) -> String {
    text(one, "NumberAndNumberSeries").to_owned()
}

/// Days may be shown with a time.
fn day(one: &Value, name: &str) -> String {
    text(one, name).chars().take("2026-03-18".len()).collect()
}
