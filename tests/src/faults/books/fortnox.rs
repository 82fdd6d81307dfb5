//! The books of the simulated Fortnox.

use serde_json::{Value, json};

use super::{Books, Customer, Invoice, Payment, Row, SalesOrder, Voucher, all, entries, number, plain, text};

pub(super) fn read(books: &Value) -> Books {
    Books {
        customers: all(books, "customers").iter().map(customer).collect(),
        orders: all(books, "orders").iter().map(order).collect(),
        drafts: Vec::new(),
        invoices: all(books, "invoices").iter().map(invoice).collect(),
        payments: all(books, "invoice_payments").iter().map(payment).collect(),
        vouchers: all(books, "vouchers").iter().map(voucher).collect(),
    }
}

fn customer(one: &Value) -> Customer {
    let organisation = text(one, "OrganisationNumber");
    let identity =
        if organisation.is_empty() { text(one, "Email").to_lowercase() } else { organisation.to_owned() };
    Customer { number: plain(one, "CustomerNumber"), identity }
}

fn order(one: &Value) -> SalesOrder {
    SalesOrder {
        number: plain(one, "DocumentNumber"),
        reference: text(one, "ExternalInvoiceReference1").to_owned(),
        invoice: plain(one, "InvoiceReference"),
    }
}

fn invoice(one: &Value) -> Invoice {
    let row = |row: &Value| Row {
        rate: number(&row["VAT"]),
        quantity: number(&row["DeliveredQuantity"]),
        price: number(&row["Price"]),
    };
    Invoice {
        number: plain(one, "DocumentNumber"),
        reference: text(one, "ExternalInvoiceReference1").to_owned(),
        customer: plain(one, "CustomerNumber"),
        order: Some(plain(one, "OrderReference")).filter(|number| number != "0" && number != "null"),
        date: text(one, "InvoiceDate").to_owned(),
        stands: one["Booked"] == json!(true) && one["Cancelled"] == json!(false),
        total: number(&one["Total"]),
        vat: number(&one["TotalVAT"]),
        balance: number(&one["Balance"]),
        rows: all(one, "InvoiceRows").iter().map(row).collect(),
        includes_vat: true,
        voucher: key(one, "VoucherYear"),
    }
}

fn payment(one: &Value) -> Payment {
    Payment {
        number: Some(plain(one, "Number")),
        invoice: plain(one, "InvoiceNumber"),
        date: text(one, "PaymentDate").to_owned(),
        stands: one["Booked"] == json!(true),
        amount: number(&one["Amount"]),
        account: plain(one, "ModeOfPaymentAccount"),
        voucher: key(one, "VoucherYear"),
    }
}

fn voucher(one: &Value) -> Voucher {
    Voucher {
        key: key(one, "Year"),
        date: text(one, "TransactionDate").to_owned(),
        entries: entries(one, ["VoucherRows", "Account", "Debit", "Credit"]),
    }
}

/// Numbers begin anew with every year.
fn key(one: &Value, year: &str) -> String {
    format!("{} {}{}", plain(one, year), text(one, "VoucherSeries"), plain(one, "VoucherNumber"))
}
