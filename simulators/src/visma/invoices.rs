//! Customer invoices: booked as soon as they exist, never changed; credited or voided (`apis/visma.md` 2.1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::books::{Books, Document, Entry, Origin, account_number};
use super::call::{Answer, Call, Operation, Outcome, SALES, SALES_READ, day, moment, operation, written};
use super::config::CreditRows;
use super::documents::{Kind, accept, totals};
use super::errors::Refusal;
use super::lists::{List, by_id, place_of};
use crate::kit::json::{Json, Object};
use crate::kit::totals::Totals;

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v2/customerinvoices", SALES_READ, list),
    operation("POST", "/v2/customerinvoices", SALES, create),
    operation("GET", "/v2/customerinvoices/{id}", SALES_READ, show),
    operation("POST", "/v2/customerinvoices/{id}/void", SALES, void),
];

const LIST: List = List {
    filterable: &[
        "PaymentStatus",
        "HasAutoInvoiceError",
        "TotalAmount",
        "TotalAmountInvoiceCurrency",
        "RemainingAmount",
        "RemainingAmountInvoiceCurrency",
        "ModifiedUtc",
        "Rows/Text",
    ],
    parameters: &["modifiedSinceUtc"],
};
const WHAT: &str = "the customer invoice";

/// Claims on customers.
pub(super) const RECEIVABLES: u32 = 1510;
/// Differences of öre.
const ROUND_OFF: u32 = 3740;
/// `VoucherType` of an invoice and of a credit invoice.
const VOUCHER_TYPES: [u32; 2] = [14, 15];

/// `TermsOfPaymentTypeId`.
const CASH: u32 = 2;
const CARD: u32 = 3;
const WALLET: u32 = 4;
const PSP: u32 = 5;
/// Where cash is (kassa), and claims on those who take cards.
const CASH_ACCOUNT: u32 = 1910;
const CARD_ACCOUNT: u32 = 1580;

/// `PaymentStatus`.
pub(super) const PAID: u32 = 0;
const UNPAID: u32 = 1;

fn list(books: &mut Books, call: &Call) -> Outcome {
    LIST.answer(call, &books.invoices, &books.settings)
}

fn show(books: &mut Books, call: &Call) -> Outcome {
    by_id(&books.invoices, call.param(0), WHAT).map(Answer::shows)
}

fn create(books: &mut Books, call: &Call) -> Outcome {
    let input = call.input()?;
    let draft_id = input.text("CreatedFromDraftId");
    if draft_id.is_empty() {
        let document = accept(books, call, Kind::Invoice)?;
        return Ok(Answer::created(&book(books, call, document)?));
    }
    let place = place_of(&books.drafts, draft_id, "the customer invoice draft")?;
    let document = books.drafts[place].fields.clone();
    let invoice = book(books, call, document)?;
    books.drafts.retain(|draft| draft.fields.text("Id") != draft_id);
    Ok(Answer::created(&invoice))
}

/// Books a checked document as an invoice; its `Id` becomes the draft's, and the invoice gets one of its own.
///
/// # Errors
/// When the day cannot be booked on, or when no row has an article.
pub(super) fn book(books: &mut Books, call: &Call, document: Object) -> Result<Object, Refusal> {
    let date = day(document.text("InvoiceDate")).unwrap_or_else(|| call.today());
    books.bookable(date)?;
    if document.objects("Rows").all(|row| row.flag("IsTextRow")) {
        return Err(Refusal::invalid("Rows", "must hold an article"));
    }
    let totals = totals(books, &document);
    let number = Books::next_number(&books.invoices, "InvoiceNumber");
    let id = books.new_id();
    let is_credit = document.flag("IsCreditInvoice");
    let paid_on_account = paid_at_once(books, &document);
    let mut entries = sales_of(&totals);
    entries.push((paid_on_account.unwrap_or(RECEIVABLES), totals.total));
    let origin = Origin {
        date,
        text: format!("Kundfaktura {number}"),
        kind: VOUCHER_TYPES[usize::from(is_credit)],
        source: Some(&id),
    };
    // With cash accounting (kontantmetoden) a sale is booked when it is paid.
    let is_booked = !books.settings.cash_method || paid_on_account.is_some();
    let voucher = is_booked.then(|| books.book(origin, &entries, call.now));
    let rows: Vec<Json> = document.objects("Rows").map(|row| invoice_row(row, &document)).collect();
    let mut invoice = document.clone();
    for name in ["TotalAmountBaseCurrency", "TotalVatAmountBaseCurrency", "InvoiceCurrencyCode"] {
        invoice.0.remove(name);
    }
    let by_draft = books.drafts.iter().any(|draft| draft.fields.text("Id") == document.text("Id"));
    if by_draft {
        invoice.set("CreatedFromDraftId", document.text("Id"));
    }
    invoice.set("Id", id);
    invoice.set("CurrencyCode", document.text("InvoiceCurrencyCode"));
    invoice.set("InvoiceNumber", number);
    invoice.set("Rows", rows);
    for (name, amount) in [
        ("TotalAmount", totals.total),
        ("TotalAmountInvoiceCurrency", totals.total),
        ("TotalVatAmount", totals.vat),
        ("TotalVatAmountInvoiceCurrency", totals.vat),
        ("TotalRoundings", totals.round_off),
        ("RemainingAmount", totals.total),
        ("RemainingAmountInvoiceCurrency", totals.total),
    ] {
        invoice.set(name, amount);
    }
    let specification = totals.vat_by_rate.iter().map(|(rate, vat)| {
        Object::default().with("VatPercent", *rate).with("VatAmountInvoiceCurrency", *vat).into()
    });
    invoice.set("VatSpecification", specification.collect::<Vec<Json>>());
    invoice.set("PaymentStatus", if totals.total.is_zero() { PAID } else { UNPAID });
    invoice.set("HasAutoInvoiceError", false);
    invoice.set("CreditedBy", Vec::new());
    if let Some(voucher) = voucher {
        invoice.set("VoucherId", voucher.text("Id"));
        invoice.set("VoucherNumber", voucher.text("NumberAndNumberSeries"));
    }
    invoice.set("CreatedUtc", moment(call.now));
    invoice.set("ModifiedUtc", moment(call.now));
    if paid_on_account.is_some() {
        settle(&mut invoice, call);
        invoice.set("PaymentDate", written(date));
    }
    let stored = books.stored(invoice.clone(), call.now);
    books.invoices.push(stored);
    Ok(invoice)
}

/// What an invoice books besides what it debits: sales, VAT and rounding.
pub(super) fn sales_of(totals: &Totals) -> Vec<Entry> {
    let mut entries = vec![(ROUND_OFF, -totals.round_off)];
    entries.extend(totals.sales.iter().map(|(account, amount)| (*account, -amount)));
    entries.extend(totals.vat_by_rate.iter().map(|(rate, amount)| (vat_account(*rate), -amount)));
    entries
}

/// The account that an invoice on cash or card terms is paid on as it is made, if such invoices are. Whether they are is
/// not documented.
fn paid_at_once(books: &Books, document: &Object) -> Option<u32> {
    let terms = by_id(&books.terms, document.text("TermsOfPaymentId"), "the terms of payment").ok()?;
    let account = match account_number(terms, "TermsOfPaymentTypeId")? {
        CASH => CASH_ACCOUNT,
        CARD | WALLET | PSP => CARD_ACCOUNT,
        _ => return None,
    };
    books.settings.cash_terms_pay.then_some(account)
}

fn vat_account(rate: Decimal) -> u32 {
    match rate.to_string().as_str() {
        "25" => 2611,
        "12" => 2621,
        "6" => 2631,
        _ => 3740,
    }
}

fn invoice_row(row: &Object, document: &Object) -> Json {
    let mut row = row.clone();
    row.0.remove("ReversedConstructionServicesVatFree");
    if !row.flag("IsTextRow") {
        let rate = row.number("VatRate");
        let amount = row.number("Amount");
        let net = if document.flag("IncludesVat") { amount / (Decimal::ONE + rate) } else { amount };
        row.set("AmountNoVat", crate::kit::totals::round(net));
    }
    row.into()
}

/// Takes an invoice back: a credit invoice of the same rows, each against the other.
fn void(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.invoices, call.param(0), WHAT)?;
    let invoice = books.invoices[place].fields.clone();
    let is_paid = books.payments.iter().any(|payment| payment.fields.text("InvoiceId") == call.param(0));
    if is_paid || !invoice.list("CreditedBy").is_empty() || invoice.flag("IsCreditInvoice") {
        return Err(Refusal::not_now("The invoice has payments or credit invoices"));
    }
    let credit = credit(books, call, place)?;
    for place in [place, credit] {
        settle(&mut books.invoices[place].fields, call);
    }
    Ok(Answer::done())
}

/// Makes a credit invoice of the same rows; gives its place.
fn credit(books: &mut Books, call: &Call, place: usize) -> Result<usize, Refusal> {
    let invoice = books.invoices[place].fields.clone();
    let mut credit = invoice
        .clone()
        .with("IsCreditInvoice", true)
        .with("InvoiceCurrencyCode", invoice.text("CurrencyCode"));
    credit.0.remove("CreatedFromDraftId");
    if books.settings.credit_rows == CreditRows::AsWritten {
        let turn = |row: &Object| Json::from(row.clone().with("Quantity", -row.number("Quantity")));
        let rows: Vec<Json> = credit.objects("Rows").map(turn).collect();
        credit.set("Rows", rows);
    }
    book(books, call, credit)?;
    let made = books.invoices.len() - 1;
    link(books, place, made, call.now);
    Ok(made)
}

/// Notes at an invoice which credit invoice is for it, and the other way.
fn link(books: &mut Books, invoice: usize, credit: usize, now: Timestamp) {
    let [id, of] = [credit, invoice].map(|place| books.invoices[place].fields.text("Id").to_owned());
    let original = &mut books.invoices[invoice].fields;
    let mut credited: Vec<Json> = original.list("CreditedBy").to_vec();
    credited.push(Object::default().with("CreditInvoiceId", id).into());
    original.set("CreditedBy", credited);
    books.invoices[credit].fields.set("ReferringInvoiceId", of);
    for place in [invoice, credit] {
        books.invoices[place].fields.set("ModifiedUtc", moment(now));
    }
}

/// What a person does in the program with "credit": the same rows taken back, for which the program remembers the invoice.
///
/// # Errors
/// When there is no such invoice, or its day cannot be booked on.
pub(super) fn credit_by_hand(books: &mut Books, number: u64, now: Timestamp) -> Result<(), String> {
    let call = Call { params: Vec::new(), query: BTreeMap::new(), body: Vec::new(), now };
    let place = numbered(books, number)?;
    credit(books, &call, place).map(|_| ()).map_err(|refusal| format!("{refusal:?}"))
}

/// What a person does with a credit invoice that knows of no invoice.
///
/// # Errors
/// When there is no such invoice.
pub(super) fn set_off(books: &mut Books, number: u64, credit: u64, now: Timestamp) -> Result<(), String> {
    let (invoice, credit) = (numbered(books, number)?, numbered(books, credit)?);
    link(books, invoice, credit, now);
    Ok(())
}

fn numbered(books: &Books, number: u64) -> Result<usize, String> {
    let is = |invoice: &Document| invoice.fields.number("InvoiceNumber") == Decimal::from(number);
    books.invoices.iter().position(is).ok_or_else(|| format!("there is no invoice {number}"))
}

/// Nothing is left to pay.
fn settle(invoice: &mut Object, call: &Call) {
    invoice.set("RemainingAmount", Decimal::ZERO);
    invoice.set("RemainingAmountInvoiceCurrency", Decimal::ZERO);
    invoice.set("PaymentStatus", PAID);
    invoice.set("ModifiedUtc", moment(call.now));
}
