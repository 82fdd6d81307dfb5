//! Invoices: created, bookkept, paid, credited or cancelled (`apis/fortnox.md` 2.4 and 8).

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::books::{Books, Entry, Origin, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::config::AccountingMethod;
use super::customers::carried_over;
use super::documents::{INVOICE, INVOICE_ROW};
use super::errors::Refusal;
use super::fields::{Field, Kind, accept, initial, merge};
use super::json::{Json, Object};
use super::lists::{List, Search};
use super::orders::{own_or_next_number, refers_to_known, set_rate, subject};
use super::rows::{Form, complete, credited, replace, sum_up};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/invoices", "invoice", list),
    operation("POST", "/3/invoices", "invoice", create),
    operation("GET", "/3/invoices/{number}", "invoice", show),
    operation("PUT", "/3/invoices/{number}", "invoice", update),
    operation("PUT", "/3/invoices/{number}/bookkeep", "invoice", bookkeep),
    operation("PUT", "/3/invoices/{number}/cancel", "invoice", cancel),
    operation("PUT", "/3/invoices/{number}/credit", "invoice", credit),
    operation("PUT", "/3/invoices/{number}/externalprint", "invoice", mark_sent),
    operation("PUT", "/3/invoices/{number}/warehouseready", "invoice", make_ready),
    operation("GET", "/3/invoices/{number}/email", "invoice", mark_sent),
];

pub(super) const FORM: Form = Form { rows: "InvoiceRows", fields: INVOICE_ROW };

const LIST: List = List {
    envelope: "Invoices",
    fields: &[
        "@url",
        "Balance",
        "Booked",
        "Cancelled",
        "CostCenter",
        "Currency",
        "CurrencyRate",
        "CurrencyUnit",
        "CustomerName",
        "CustomerNumber",
        "DocumentNumber",
        "DueDate",
        "ExternalInvoiceReference1",
        "ExternalInvoiceReference2",
        "FinalPayDate",
        "InvoiceDate",
        "InvoiceType",
        "NoxFinans",
        "OCR",
        "Project",
        "Sent",
        "TermsOfPayment",
        "Total",
        "VoucherNumber",
        "VoucherSeries",
        "VoucherYear",
        "WayOfDelivery",
    ],
    search: &[
        ("customername", Search::Part("CustomerName")),
        ("customernumber", Search::Part("CustomerNumber")),
        ("documentnumber", Search::Part("DocumentNumber")),
        ("externalinvoicereference1", Search::Part("ExternalInvoiceReference1")),
        ("externalinvoicereference2", Search::Part("ExternalInvoiceReference2")),
        ("yourordernumber", Search::Part("YourOrderNumber")),
        ("ocr", Search::Part("OCR")),
        ("ourreference", Search::Part("OurReference")),
        ("yourreference", Search::Part("YourReference")),
        ("costcenter", Search::Part("CostCenter")),
        ("project", Search::Part("Project")),
        ("currency", Search::Exactly("Currency")),
        ("credit", Search::Exactly("Credit")),
        ("invoicetype", Search::Exactly("InvoiceType")),
        ("sent", Search::Exactly("Sent")),
        ("notcompleted", Search::Exactly("NotCompleted")),
        ("fromdate", Search::From("InvoiceDate")),
        ("todate", Search::To("InvoiceDate")),
        ("fromfinalpaydate", Search::From("FinalPayDate")),
        ("tofinalpaydate", Search::To("FinalPayDate")),
        ("lastmodified", Search::LastModified),
        ("label", Search::Any),
    ],
    sort: &[
        ("customername", "CustomerName"),
        ("customernumber", "CustomerNumber"),
        ("documentnumber", "DocumentNumber"),
        ("invoicedate", "InvoiceDate"),
        ("ocr", "OCR"),
        ("total", "Total"),
    ],
    filter: |invoice, value, today| {
        let unpaid = !invoice.flag("Cancelled") && !invoice.number("Balance").is_zero();
        match value {
            "cancelled" => Some(invoice.flag("Cancelled")),
            "fullypaid" => Some(invoice.flag("Booked") && invoice.number("Balance").is_zero()),
            "unpaid" => Some(unpaid),
            "unpaidoverdue" => {
                Some(unpaid && invoice.text("DueDate").parse::<Date>().is_ok_and(|due| due < today))
            }
            "unbooked" => Some(!invoice.flag("Booked") && !invoice.flag("Cancelled")),
            _ => None,
        }
    },
    item: |item| {
        // A number in the single form (`apis/fortnox.md` 2.6).
        let rate = item.number("CurrencyRate").normalize().to_string();
        item.with("CurrencyRate", rate)
    },
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, books.invoices.iter())
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    Ok(Answer::shows("Invoice", books.invoices[at].fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let given = accept(&call.input("Invoice")?, INVOICE, &|account| books.accounts.contains_key(&account))?;
    let invoice = write(books, call, given, Object::default())?;
    Ok(Answer::created("Invoice", invoice, "invoices"))
}

/// The invoice of an order: what was delivered, with the order's references.
pub(super) fn from_order(books: &mut Books, call: &Call, order: &Object) -> Result<Object, Refusal> {
    let copy = |from: &Object, fields: &[Field]| {
        let mut to = Object::default();
        for field in fields {
            let known = !matches!(field.kind, Kind::ReadOnly);
            if let Some(value) = from
                .get(field.name)
                .filter(|value| known && **value != Json::Null && **value != Json::from(""))
            {
                to.set(field.name, value.clone());
            }
        }
        to
    };
    let mut given = copy(order, INVOICE);
    for own in ["DocumentNumber", "PrintTemplate", "EmailInformation", "OutboundDate"] {
        given.0.remove(own);
    }
    let rows: Vec<Json> = order.objects("OrderRows").map(|row| copy(row, INVOICE_ROW).into()).collect();
    given.set(FORM.rows, rows);
    write(books, call, given, Object::default().with("OrderReference", order.text("DocumentNumber")))
}

/// Completes, numbers and stores an invoice; `system` are the fields that only Fortnox sets.
fn write(books: &mut Books, call: &Call, mut given: Object, system: Object) -> Result<Object, Refusal> {
    let carried = carried_over(books, given.text("CustomerNumber"))?;
    let number = own_or_next_number(&books.invoices, &given)?;
    let rows = given.objects(FORM.rows).cloned().collect();
    given.0.remove(FORM.rows);

    let mut invoice = initial(INVOICE);
    merge(&mut invoice, carried);
    set_rate(&mut invoice, &given);
    merge(&mut invoice, given);
    merge(&mut invoice, system);
    refers_to_known(&invoice)?;
    for date in ["InvoiceDate", "OutboundDate"] {
        if invoice.get(date).is_none() {
            invoice.set(date, call.today());
        }
    }
    if invoice.get("DueDate").is_none() {
        let days = invoice.text("TermsOfPayment").parse::<i64>().unwrap_or_default();
        let due =
            date_of(&invoice, "InvoiceDate").and_then(|date| date.checked_add(Span::new().days(days)).ok());
        invoice.set("DueDate", due.unwrap_or_else(|| call.today()));
    }
    if invoice.get("OCR").is_none() {
        invoice.set("OCR", ocr(&number));
    }
    let method = match books.settings.accounting_method {
        AccountingMethod::Accrual => "ACCRUAL",
        AccountingMethod::Cash => "CASH",
    };
    invoice.set("AccountingMethod", method);
    invoice.set("WarehouseReady", !books.settings.finalize_first);
    invoice.set("@url", format!("https://api.fortnox.se/3/invoices/{number}"));
    let reductions =
        format!("https://api.fortnox.se/3/taxreductions?filter=invoices&referencenumber={number}");
    invoice.set("@urlTaxReductionList", reductions);
    subject(&mut invoice, &format!("Faktura {number} bifogas"));
    invoice.set("DocumentNumber", number);
    let rows = complete(books, &FORM, rows)?;
    invoice.set(FORM.rows, rows);
    sum_up(books, &FORM, &mut invoice);
    let total = invoice.number("Total");
    invoice.set("Balance", total);
    let document = books.written(invoice.clone(), call.now);
    books.invoices.push(document);
    Ok(invoice)
}

fn update(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let mut given =
        accept(&call.input("Invoice")?, INVOICE, &|account| books.accounts.contains_key(&account))?;
    let mut invoice = books.invoices[at].fields.clone();
    unbooked(&invoice)?;
    let rows = given.0.remove(FORM.rows);
    if rows.is_some() && invoice.text("OrderReference") != "0" {
        return Err(Refusal::not_now(
            "En eller flera rader har koppling till en order, det går därför inte att uppdatera raderna via API.",
        ));
    }
    if !given.text("CustomerNumber").is_empty() {
        merge(&mut invoice, carried_over(books, given.text("CustomerNumber"))?);
    }
    given.0.remove("DocumentNumber");
    merge(&mut invoice, given);
    refers_to_known(&invoice)?;
    if let Some(Json::List(rows)) = rows {
        let new = Object::default().with("rows", rows).objects("rows").cloned().collect();
        let old: Vec<Object> = invoice.objects(FORM.rows).cloned().collect();
        invoice.set(FORM.rows, complete(books, &FORM, replace(&old, new)?)?);
    }
    sum_up(books, &FORM, &mut invoice);
    let total = invoice.number("Total");
    Ok(store(books, call, at, invoice.with("Balance", total)))
}

fn bookkeep(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let mut invoice = books.invoices[at].fields.clone();
    unbooked(&invoice)?;
    let cash = invoice.text("InvoiceType") == "CASHINVOICE";
    if books.settings.accounting_method == AccountingMethod::Cash && !cash {
        return Err(Refusal::not_now("Fakturan kan inte bokföras med kontantmetoden."));
    }
    if !invoice.flag("WarehouseReady") {
        return Err(Refusal::invalid(2_003_498, "Fakturan måste klarmarkeras innan den kan bokföras."));
    }
    let nameless = |row: &Object| {
        !row.number("DeliveredQuantity").is_zero()
            && row.text("Description").is_empty()
            && row.text("ArticleNumber").is_empty()
    };
    if invoice.objects(FORM.rows).any(nameless) {
        return Err(Refusal::invalid(2_003_977, "En rad med antal saknar benämning."));
    }
    let date = date_of(&invoice, "InvoiceDate").ok_or_else(Refusal::wrong_data)?;
    let year = books.bookable(date, 2_002_141)?;

    let number = invoice.text("DocumentNumber").to_owned();
    let total = invoice.number("Total");
    let debited = match (cash, invoice.text("PaymentWay")) {
        (false, _) => "CUSTCLAIM",
        (true, "CARD") => "CASHBYCARD",
        (true, _) => "CASH",
    };
    let mut entries = sales_of(books, &invoice);
    entries.push((books.predefined(debited), total));
    let entries = in_kronor(&invoice, entries);
    let origin = Origin {
        series: "B",
        date,
        description: format!("Kundfaktura {number}"),
        kind: if cash { "CASHINVOICE" } else { "INVOICE" },
        number,
    };
    let voucher = books.book(origin, year, &entries, call.now);
    mark(&mut invoice, &voucher);
    invoice.set("Booked", true);
    if cash {
        invoice.set("Balance", 0_u32);
        invoice.set("FinalPayDate", date);
    }
    Ok(store(books, call, at, invoice))
}

fn cancel(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let invoice = books.invoices[at].fields.clone();
    unbooked(&invoice)?;
    Ok(store(books, call, at, invoice.with("Cancelled", true).with("Balance", 0_u32)))
}

/// Credits a bookkept invoice in full; answers with the original.
fn credit(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let original = books.invoices[at].fields.clone();
    let cash_method = books.settings.accounting_method == AccountingMethod::Cash;
    if !original.flag("Booked") && !cash_method {
        return Err(Refusal::not_now("Endast bokförda fakturor kan krediteras."));
    }
    if original.text("Credit") == "true" || original.text("CreditInvoiceReference") != "0" {
        return Err(Refusal::not_now("Fakturan är redan krediterad."));
    }
    let number = original.text("DocumentNumber").to_owned();
    let mut copy = Object::default();
    for field in INVOICE.iter().filter(|field| !matches!(field.kind, Kind::ReadOnly)) {
        if let Some(value) = original.get(field.name).filter(|value| **value != Json::Null) {
            copy.set(field.name, value.clone());
        }
    }
    for own in ["DocumentNumber", "InvoiceDate", "OutboundDate", "DueDate", "OCR", "EmailInformation"] {
        copy.0.remove(own);
    }
    for field in ["Freight", "AdministrationFee"] {
        let amount = copy.number(field);
        copy.set(field, -amount);
    }
    let negative = |row: &Object| -> Json {
        let quantity = -row.number("DeliveredQuantity");
        row.clone().with("DeliveredQuantity", quantity.normalize().to_string()).into()
    };
    let rows: Vec<Json> = original.objects(FORM.rows).map(negative).collect();
    copy.set(FORM.rows, rows);
    let system = Object::default().with("Credit", "true").with("CreditInvoiceReference", number);
    let credit = write(books, call, copy, system)?;
    let original = original.with("CreditInvoiceReference", credit.text("DocumentNumber"));
    Ok(store(books, call, at, original))
}

fn mark_sent(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let invoice = books.invoices[at].fields.clone().with("Sent", true);
    Ok(store(books, call, at, invoice))
}

fn make_ready(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let invoice = books.invoices[at].fields.clone();
    unbooked(&invoice)?;
    Ok(store(books, call, at, invoice.with("WarehouseReady", true)))
}

/// # Errors
/// When the invoice is cancelled or bookkept.
fn unbooked(invoice: &Object) -> Result<(), Refusal> {
    if invoice.flag("Cancelled") {
        return Err(Refusal::not_now("Fakturan är makulerad."));
    }
    if invoice.flag("Booked") {
        return Err(Refusal::not_now("Fakturan är redan bokförd."));
    }
    Ok(())
}

fn find(books: &Books, call: &Call) -> Result<usize, Refusal> {
    position(&books.invoices, "DocumentNumber", call.param(0)).ok_or_else(Refusal::invoice_not_found)
}

fn store(books: &mut Books, call: &Call, at: usize, invoice: Object) -> Answer {
    books.invoices[at].fields = invoice.clone();
    books.invoices[at].modified = call.now;
    Answer::shows("Invoice", invoice)
}

/// What the invoice credits, in its own currency.
pub(super) fn sales_of(books: &Books, invoice: &Object) -> Vec<Entry> {
    credited(books, &FORM, invoice)
}

/// Entries of an invoice converted by its rate (`apis/fortnox.md` 6).
pub(super) fn in_kronor(invoice: &Object, entries: Vec<Entry>) -> Vec<Entry> {
    let rate = invoice.number("CurrencyRate") * invoice.number("CurrencyUnit");
    entries.into_iter().map(|(account, amount)| (account, amount * rate)).collect()
}

/// Copies a voucher's number onto the document that it books.
pub(super) fn mark(document: &mut Object, voucher: &Object) {
    for (of_document, of_voucher) in
        [("VoucherNumber", "VoucherNumber"), ("VoucherSeries", "VoucherSeries"), ("VoucherYear", "Year")]
    {
        if let Some(value) = voucher.get(of_voucher) {
            document.set(of_document, value.clone());
        }
    }
}

/// A date field of a document.
pub(super) fn date_of(document: &Object, field: &str) -> Option<Date> {
    document.text(field).parse().ok()
}

/// The payment reference of an invoice: its number, a length digit and a check digit (`apis/fortnox.md` 2.7).
pub(super) fn ocr(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let body = format!("{digits}{}", (digits.len() + 2) % 10);
    let sum: u32 = body
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| {
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// The part of an amount that a payment of `paid` out of `total` settles.
pub(super) fn share(amount: Decimal, paid: Decimal, total: Decimal) -> Decimal {
    if total.is_zero() { Decimal::ZERO } else { amount * paid / total }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_payment_reference_is_the_recorded_one() {
        assert_eq!(super::ocr("30"), "3046");
    }
}
