//! Orders, and the one invoice that each can become.

use super::books::{Books, next_number, position};
use super::call::{Answer, Call, Operation, Outcome, operation};
use super::chart::{CURRENCIES, TERMS_OF_PAYMENT};
use super::customers::carried_over;
use super::documents::{ORDER, ORDER_ROW};
use super::errors::Refusal;
use super::fields::{accept, initial, merge};
use super::invoices;
use super::json::{Json, Object};
use super::lists::{List, Search, as_it_is};
use super::rows::{Form, complete, replace, sum_up};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/3/orders", "order", list),
    operation("POST", "/3/orders", "order", create),
    operation("GET", "/3/orders/{number}", "order", show),
    operation("PUT", "/3/orders/{number}", "order", update),
    operation("PUT", "/3/orders/{number}/cancel", "order", cancel),
    operation("PUT", "/3/orders/{number}/createinvoice", "order", create_invoice),
    operation("PUT", "/3/orders/{number}/externalprint", "order", mark_sent),
    operation("GET", "/3/orders/{number}/email", "order", mark_sent),
];

const FORM: Form = Form { rows: "OrderRows", fields: ORDER_ROW };

const LIST: List = List {
    envelope: "Orders",
    fields: &[
        "@url",
        "Cancelled",
        "Currency",
        "CustomerName",
        "CustomerNumber",
        "DeliveryDate",
        "DocumentNumber",
        "ExternalInvoiceReference1",
        "ExternalInvoiceReference2",
        "OrderDate",
        "OrderType",
        "Project",
        "Sent",
        "Total",
    ],
    search: &[
        ("customername", Search::Part("CustomerName")),
        ("customernumber", Search::Part("CustomerNumber")),
        ("documentnumber", Search::Part("DocumentNumber")),
        ("externalinvoicereference1", Search::Part("ExternalInvoiceReference1")),
        ("externalinvoicereference2", Search::Part("ExternalInvoiceReference2")),
        ("fromdate", Search::From("OrderDate")),
        ("todate", Search::To("OrderDate")),
        ("costcenter", Search::Part("CostCenter")),
        ("project", Search::Part("Project")),
        ("sent", Search::Exactly("Sent")),
        ("notcompleted", Search::Exactly("NotCompleted")),
        ("ourreference", Search::Part("OurReference")),
        ("yourreference", Search::Part("YourReference")),
        ("ordertype", Search::Exactly("OrderType")),
        ("lastmodified", Search::LastModified),
        ("label", Search::Any),
    ],
    sort: &[
        ("customername", "CustomerName"),
        ("customernumber", "CustomerNumber"),
        ("orderdate", "OrderDate"),
        ("documentnumber", "DocumentNumber"),
        ("total", "Total"),
    ],
    filter: |order, value, _| match value {
        "cancelled" => Some(order.flag("Cancelled")),
        "expired" => Some(false),
        "invoicecreated" => Some(order.text("InvoiceReference") != "0"),
        "invoicenotcreated" => Some(order.text("InvoiceReference") == "0"),
        _ => None,
    },
    item: as_it_is,
};

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, books.orders.iter())
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    Ok(Answer::shows("Order", books.orders[at].fields.clone()))
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let mut given = accept(&call.input("Order")?, ORDER, &|account| books.accounts.contains_key(&account))?;
    let carried = carried_over(books, given.text("CustomerNumber"))?;
    let number = own_or_next_number(&books.orders, &given)?;
    let rows = given.objects(FORM.rows).cloned().collect();
    given.0.remove(FORM.rows);

    let mut order = initial(ORDER);
    merge(&mut order, carried);
    set_rate(&mut order, &given);
    merge(&mut order, given);
    refers_to_known(&order)?;
    for date in ["OrderDate", "OutboundDate"] {
        if order.get(date).is_none() {
            order.set(date, call.today());
        }
    }
    order.set("DocumentNumber", number.clone());
    order.set("@url", format!("https://api.fortnox.se/3/orders/{number}"));
    order.set("@urlTaxReductionList", tax_reductions(&number));
    subject(&mut order, &format!("Order {number} bifogas"));
    order.set(FORM.rows, complete(books, &FORM, rows)?);
    sum_up(books, &FORM, &mut order);
    let document = books.written(order.clone(), call.now);
    books.orders.push(document);
    Ok(Answer::created("Order", order, "orders"))
}

fn update(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let mut given = accept(&call.input("Order")?, ORDER, &|account| books.accounts.contains_key(&account))?;
    let mut order = books.orders[at].fields.clone();
    open(&order)?;
    let rows = given.0.remove(FORM.rows);
    if !given.text("CustomerNumber").is_empty() {
        merge(&mut order, carried_over(books, given.text("CustomerNumber"))?);
    }
    given.0.remove("DocumentNumber");
    merge(&mut order, given);
    refers_to_known(&order)?;
    if let Some(Json::List(rows)) = rows {
        let new = Object::default().with("rows", rows).objects("rows").cloned().collect();
        let old: Vec<Object> = order.objects(FORM.rows).cloned().collect();
        order.set(FORM.rows, complete(books, &FORM, replace(&old, new)?)?);
    }
    sum_up(books, &FORM, &mut order);
    Ok(store(books, call, at, order))
}

fn cancel(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let order = books.orders[at].fields.clone();
    open(&order)?;
    Ok(store(books, call, at, order.with("Cancelled", true)))
}

fn mark_sent(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let order = books.orders[at].fields.clone().with("Sent", true);
    Ok(store(books, call, at, order))
}

fn create_invoice(books: &mut Books, call: &Call) -> Outcome {
    let at = find(books, call)?;
    let order = books.orders[at].fields.clone();
    open(&order)?;
    let invoice = invoices::from_order(books, call, &order)?;
    let order = order.with("InvoiceReference", invoice.text("DocumentNumber"));
    store(books, call, at, order);
    Ok(Answer::shows("Invoice", invoice))
}

/// # Errors
/// When the order is cancelled or has become an invoice.
fn open(order: &Object) -> Result<(), Refusal> {
    if order.flag("Cancelled") {
        return Err(Refusal::not_now("Ordern är makulerad."));
    }
    if order.text("InvoiceReference") != "0" {
        return Err(Refusal::not_now("Ordern är redan fakturerad."));
    }
    Ok(())
}

fn find(books: &Books, call: &Call) -> Result<usize, Refusal> {
    position(&books.orders, "DocumentNumber", call.param(0)).ok_or_else(Refusal::order_not_found)
}

fn store(books: &mut Books, call: &Call, at: usize, order: Object) -> Answer {
    books.orders[at].fields = order.clone();
    books.orders[at].modified = call.now;
    Answer::shows("Order", order)
}

/// The caller's own document number if it is free, else the next one.
///
/// # Errors
/// When the number is taken.
pub(super) fn own_or_next_number(
    documents: &[super::books::Document],
    given: &Object,
) -> Result<String, Refusal> {
    let own = given.text("DocumentNumber");
    if own.is_empty() {
        return Ok(next_number(documents, "DocumentNumber").to_string());
    }
    match position(documents, "DocumentNumber", own) {
        Some(_) => Err(Refusal::not_now(format!("Dokumentnummer {own} används redan."))),
        None => Ok(own.to_owned()),
    }
}

/// # Errors
/// When the document's terms of payment or currency do not exist.
pub(super) fn refers_to_known(document: &Object) -> Result<(), Refusal> {
    let terms = document.text("TermsOfPayment");
    if !TERMS_OF_PAYMENT.iter().any(|(code, _)| *code == terms) {
        return Err(Refusal::not_now(format!("Kan inte hitta betalningsvillkoret ({terms}).")));
    }
    let currency = document.text("Currency");
    if !CURRENCIES.iter().any(|(code, _, _)| *code == currency) {
        return Err(Refusal::not_now(format!("Kan inte hitta valutan ({currency}).")));
    }
    Ok(())
}

/// Takes the rate of the document's currency from the register; what the caller sends comes over it.
pub(super) fn set_rate(document: &mut Object, given: &Object) {
    let currency =
        [given, document].map(|object| object.text("Currency")).into_iter().find(|code| !code.is_empty());
    if let Some((_, _, rate)) = CURRENCIES.iter().find(|(code, _, _)| Some(*code) == currency) {
        document.set("CurrencyRate", *rate);
    }
}

/// Fills the e-mail subject unless the caller has set one.
pub(super) fn subject(document: &mut Object, text: &str) {
    if let Some(Json::Object(email)) = document.0.get_mut("EmailInformation")
        && email.text("EmailSubject").is_empty()
    {
        email.set("EmailSubject", text);
    }
}

pub(super) fn tax_reductions(number: &str) -> String {
    format!("https://api.fortnox.se/3/taxreductions?filter=orders&referencenumber={number}")
}
