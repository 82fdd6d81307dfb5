//! Payments of customer invoices. Fortnox does not notice when one is sent twice (`apis/fortnox.md` 2.8).

use rust_decimal::Decimal;

use super::books::{Books, Entry, Origin, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::config::AccountingMethod;
use super::documents::INVOICE_PAYMENT;
use super::errors::Refusal;
use super::fields::{accept, initial, merge};
use super::invoices::{date_of, in_kronor, mark, sales_of, share};
use super::json::{Json, Object};
use super::lists::{List, Search, no_filter};
use super::totals::round;

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/invoicepayments", "payment", list),
    operation("POST", "/3/invoicepayments", "payment", create),
    operation("GET", "/3/invoicepayments/{number}", "payment", show),
    operation("PUT", "/3/invoicepayments/{number}", "payment", update),
    operation("DELETE", "/3/invoicepayments/{number}", "payment", delete),
    operation("PUT", "/3/invoicepayments/{number}/bookkeep", "payment", bookkeep),
];

const LIST: List = List {
    envelope: "InvoicePayments",
    fields: &[
        "@url",
        "Amount",
        "Booked",
        "Currency",
        "CurrencyRate",
        "CurrencyUnit",
        "InvoiceNumber",
        "Number",
        "PaymentDate",
        "Source",
        "WriteOffs",
    ],
    search: &[("invoicenumber", Search::Part("InvoiceNumber")), ("lastmodified", Search::LastModified)],
    sort: &[("paymentdate", "PaymentDate")],
    filter: no_filter,
    item: |mut item| {
        let exist = !item.list("WriteOffs").is_empty();
        item.0.remove("WriteOffs");
        item.with("WriteOffExist", exist)
    },
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, books.payments.iter())
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    Ok(Answer::shows("InvoicePayment", books.payments[at].fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let given = accept(&call.input("InvoicePayment")?, INVOICE_PAYMENT, &|account| {
        books.accounts.contains_key(&account)
    })?;
    if given.get("InvoiceNumber").is_none() {
        return Err(Refusal::missing("InvoiceNumber"));
    }
    let invoice = invoice_of(books, &given)?.clone();
    let payment = complete(books, call, &invoice, initial(INVOICE_PAYMENT), given)?;
    let number = books.next_payment_number().to_string();
    let payment = payment
        .with("@url", format!("https://api.fortnox.se/3/invoicepayments/{number}"))
        .with("Number", number);
    let document = books.written(payment.clone(), call.now);
    books.payments.push(document);
    Ok(Answer::created("InvoicePayment", payment, "invoicepayments"))
}

fn update(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let given = accept(&call.input("InvoicePayment")?, INVOICE_PAYMENT, &|account| {
        books.accounts.contains_key(&account)
    })?;
    let old = books.payments[at].fields.clone();
    unbooked(&old)?;
    let invoice = invoice_of(books, &old)?.clone();
    if given.get("InvoiceNumber").is_some_and(|number| Some(number) != old.get("InvoiceNumber")) {
        return Err(Refusal::not_now("Fakturanumret kan inte ändras."));
    }
    let payment = complete(books, call, &invoice, old, given)?;
    Ok(store(books, call, at, payment))
}

/// Fills in what the caller left out and checks the payment against its invoice.
fn complete(
    books: &Books,
    call: &Call,
    invoice: &Object,
    mut payment: Object,
    given: Object,
) -> Result<Object, Refusal> {
    if invoice.flag("Cancelled") {
        return Err(Refusal::not_now("Fakturan är makulerad."));
    }
    if !invoice.flag("Booked") && books.settings.accounting_method == AccountingMethod::Accrual {
        return Err(Refusal::not_now("Fakturan är inte bokförd."));
    }
    if invoice.number("Balance").is_zero() {
        return Err(Refusal::invalid(2_003_055, "Fakturan är redan slutbetald."));
    }
    merge(&mut payment, given);
    if payment.get("PaymentDate").is_none() {
        payment.set("PaymentDate", call.today());
    }
    if date_of(&payment, "PaymentDate") < date_of(invoice, "InvoiceDate") {
        return Err(Refusal::invalid(2_001_089, "Betalningsdatum kan inte vara tidigare än fakturadatum."));
    }
    if payment.get("ModeOfPayment").is_none() {
        payment.set("ModeOfPayment", "BG");
    }
    let mode = position(&books.modes, "Code", payment.text("ModeOfPayment"))
        .ok_or_else(|| Refusal::not_now("Kan inte hitta betalningssättet."))?;
    if payment.get("ModeOfPaymentAccount").is_none() {
        payment.set("ModeOfPaymentAccount", books.modes[mode].fields.number("AccountNumber"));
    }
    let foreign = invoice.text("Currency") != "SEK";
    if foreign && payment.get("AmountCurrency").is_none() {
        return Err(Refusal::missing("AmountCurrency"));
    }
    let rate = invoice.number("CurrencyRate") * invoice.number("CurrencyUnit");
    if payment.get("Amount").is_none() {
        payment.set("Amount", round(invoice.number("Balance") * rate));
    }
    if !foreign {
        let amount = payment.number("Amount");
        payment.set("AmountCurrency", amount);
    }
    for (of_payment, of_invoice) in [
        ("Currency", "Currency"),
        ("CurrencyUnit", "CurrencyUnit"),
        ("ExternalInvoiceReference1", "ExternalInvoiceReference1"),
        ("ExternalInvoiceReference2", "ExternalInvoiceReference2"),
        ("InvoiceCustomerName", "CustomerName"),
        ("InvoiceCustomerNumber", "CustomerNumber"),
        ("InvoiceDueDate", "DueDate"),
        ("InvoiceOCR", "OCR"),
    ] {
        if let Some(value) = invoice.get(of_invoice) {
            payment.set(of_payment, value.clone());
        }
    }
    Ok(payment.with("InvoiceTotal", invoice.number("Total").normalize().to_string()))
}

fn bookkeep(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let mut payment = books.payments[at].fields.clone();
    unbooked(&payment)?;
    let invoice = invoice_of(books, &payment)?.clone();
    let date = date_of(&payment, "PaymentDate").ok_or_else(Refusal::wrong_data)?;
    let year = books.bookable(date, 2_000_401)?;

    let paid = payment.number("Amount");
    let mut entries: Vec<Entry> = vec![(account(&payment, "ModeOfPaymentAccount"), paid)];
    let mut settled = paid;
    for write_off in payment.objects("WriteOffs") {
        entries.push((account(write_off, "AccountNumber"), write_off.number("Amount")));
        settled += write_off.number("Amount");
    }
    if invoice.flag("Booked") {
        entries.push((books.predefined("CUSTCLAIM"), -settled));
    } else {
        // The cash method books the sale when it is paid, in proportion to what is paid.
        let sales = in_kronor(&invoice, sales_of(books, &invoice));
        let total: Decimal = sales.iter().map(|(_, amount)| -amount).sum();
        entries.extend(sales.into_iter().map(|(account, amount)| (account, share(amount, settled, total))));
    }
    let number = payment.text("Number").to_owned();
    let origin = Origin {
        series: "C",
        date,
        description: format!("Inbetalning kundfaktura {}", invoice.text("DocumentNumber")),
        kind: "INVOICEPAYMENT",
        number,
    };
    let voucher = books.book(origin, year, &entries, call.now);
    mark(&mut payment, &voucher);
    payment.set("Booked", true);

    let rate = invoice.number("CurrencyRate") * invoice.number("CurrencyUnit");
    let settled = if rate.is_zero() { settled } else { round(settled / rate) };
    let balance = invoice.number("Balance") - settled;
    if let Some(of) = position(&books.invoices, "DocumentNumber", invoice.text("DocumentNumber")) {
        let document = &mut books.invoices[of];
        document.fields.set("Balance", balance);
        document.modified = call.now;
        if balance.is_zero() {
            document.fields.set("FinalPayDate", date);
        }
    }
    Ok(store(books, call, at, payment))
}

fn delete(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    unbooked(&books.payments[at].fields)?;
    books.payments.remove(at);
    Ok(Answer::gone())
}

fn unbooked(payment: &Object) -> Result<(), Refusal> {
    if payment.flag("Booked") { Err(Refusal::not_now("Betalningen är redan bokförd.")) } else { Ok(()) }
}

fn account(object: &Object, field: &str) -> u32 {
    u32::try_from(object.number(field)).unwrap_or_default()
}

fn find(books: &Books, call: &Call) -> Result<usize, Refusal> {
    position(&books.payments, "Number", call.param(0))
        .ok_or_else(|| Refusal::not_found(super::errors::UNRECORDED, "Kan inte hitta betalningen."))
}

fn invoice_of<'a>(books: &'a Books, payment: &Object) -> Result<&'a Object, Refusal> {
    let number = payment.number("InvoiceNumber").to_string();
    let at = position(&books.invoices, "DocumentNumber", &number).ok_or_else(Refusal::invoice_not_found)?;
    Ok(&books.invoices[at].fields)
}

fn store(books: &mut Books, call: &Call, at: usize, payment: Object) -> Answer {
    books.payments[at].fields = payment.clone();
    books.payments[at].modified = call.now;
    Answer::shows("InvoicePayment", Json::from(payment))
}
