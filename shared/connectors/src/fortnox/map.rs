//! Postings as Fortnox documents, and Fortnox documents as receipts. Pure.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::effect::Receipt;
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, CustomerKind};
use bokbro_domain::posting::{ComputedTotals, Posting, PostingProfile, PostingRow};
use bokbro_domain::said;

use super::requests::{Head, InvoiceDates, NewCustomer, NewInvoice, NewOrder, NewPayment, Row, WriteOff};
use super::text::{line, verbatim};
use super::wire::{Invoice, InvoicePayment, kronor, text};
use crate::kit::{Exact, reasons};

/// Longest values that Fortnox takes (`apis/fortnox.md` 2.5).
mod longest {
    pub(super) const LINE: usize = 1024;
    pub(super) const ZIP: usize = 10;
    pub(super) const ORDER_NUMBER: usize = 75;
    pub(super) const ROW: usize = 255;
}

/// A way of payment may differ by this much from what was to be paid, in öre: rounding to whole kronor.
const LARGEST_ROUNDING: i64 = 100;

/// The buyer as a customer. The address of the parcel is left to the documents: it may be a friend's.
pub(super) fn customer(posting: &Posting) -> NewCustomer {
    let buyer = &posting.customer;
    let billing = &buyer.billing;
    NewCustomer {
        customer_number: posting.keys.own_number.clone(),
        name: line(&buyer.name, longest::LINE).unwrap_or_else(|| "?".to_owned()),
        kind: match buyer.kind {
            CustomerKind::Private => "PRIVATE",
            CustomerKind::Company => "COMPANY",
        },
        organisation_number: posting.keys.organisation_number_dashed(),
        email: buyer.email.as_deref().and_then(|email| verbatim(email.trim(), longest::LINE)),
        phone1: buyer.phone.as_deref().and_then(|phone| line(phone, longest::LINE)),
        address1: line(&billing.address1, longest::LINE),
        address2: second_line(billing),
        zip_code: line(&billing.zip, longest::ZIP),
        city: line(&billing.city, longest::LINE),
        country_code: "SE",
        currency: "SEK",
        vat_type: "SEVAT",
    }
}

fn second_line(address: &Address) -> Option<String> {
    address.address2.as_deref().and_then(|text| line(text, longest::LINE))
}

/// What orders and invoices have in common. The addresses stand on every document, so that neither an old address of
/// the customer nor its default for parcels is printed.
fn head(posting: &Posting, customer_number: &str) -> Head {
    let buyer = &posting.customer;
    let billing = &buyer.billing;
    let delivery = buyer.delivery.as_ref().unwrap_or(billing);
    Head {
        customer_number: customer_number.to_owned(),
        external_invoice_reference1: posting.reference.clone(),
        your_order_number: line(posting.order_number.as_str(), longest::ORDER_NUMBER),
        customer_name: line(&buyer.name, longest::LINE),
        address1: line(&billing.address1, longest::LINE),
        address2: second_line(billing),
        zip_code: line(&billing.zip, longest::ZIP),
        city: line(&billing.city, longest::LINE),
        phone1: buyer.phone.as_deref().and_then(|phone| line(phone, longest::LINE)),
        delivery_name: line(&delivery.name, longest::LINE),
        delivery_address1: line(&delivery.address1, longest::LINE),
        delivery_address2: second_line(delivery),
        delivery_zip_code: line(&delivery.zip, longest::ZIP),
        delivery_city: line(&delivery.city, longest::LINE),
        currency: "SEK",
        vat_included: true,
        administration_fee: 0,
        freight: 0,
        tax_reduction_type: "none",
    }
}

/// The order that becomes an invoice.
pub(super) fn order(posting: &Posting, customer_number: &str) -> NewOrder {
    NewOrder {
        head: head(posting, customer_number),
        order_date: posting.date.to_string(),
        order_rows: posting.rows.iter().map(|posted| row(posted, true)).collect(),
    }
}

/// The invoice. It is due at once, because it is paid already. `credited` is the number of the invoice that it takes back,
/// which by law a credit invoice must name.
pub(super) fn invoice(posting: &Posting, customer_number: &str, credited: Option<&str>) -> NewInvoice {
    let is_cash = posting.profile == PostingProfile::CashInvoice;
    NewInvoice {
        head: head(posting, customer_number),
        invoice_type: if is_cash { "CASHINVOICE" } else { "INVOICE" },
        payment_way: is_cash.then_some("CARD"),
        invoice_date: posting.date.to_string(),
        due_date: posting.date.to_string(),
        remarks: credited.map(|number| format!("Krediterar faktura {number}")),
        invoice_rows: posting.rows.iter().map(|posted| row(posted, false)).collect(),
    }
}

fn row(posted: &PostingRow, is_ordered: bool) -> Row {
    let quantity = posted.quantity.normalize().to_string();
    Row {
        description: description(posted),
        ordered_quantity: is_ordered.then(|| quantity.clone()),
        delivered_quantity: quantity,
        price: Exact(posted.unit_price.to_major()),
        vat: posted.vat_rate.percent(),
        account_number: posted.account,
        discount: 0,
        discount_type: "PERCENT",
    }
}

/// The text with the stock keeping unit behind it. An article number would do for that, but only with articles that
/// exist in Fortnox, and whoever picks from orders needs to see it.
fn description(posted: &PostingRow) -> String {
    let plain = line(&posted.text, longest::ROW);
    let Some(sku) = posted.sku.as_deref().and_then(|sku| line(sku, 60)) else {
        return plain.unwrap_or_else(|| "-".to_owned());
    };
    let behind = format!(" ({sku})");
    match line(&posted.text, longest::ROW - behind.chars().count()) {
        Some(text) => text + &behind,
        None => sku,
    }
}

/// The invoice's dates as they should be.
pub(super) fn dates(posting: &Posting) -> InvoiceDates {
    InvoiceDates { invoice_date: posting.date.to_string(), due_date: posting.date.to_string() }
}

/// The payment of an invoice.
///
/// # Errors
/// `Parked` when the payment differs from the invoice by more than rounding, or when there is no account for that.
pub(super) fn payment(posting: &Posting, invoice: &Receipt) -> Result<NewPayment, Error> {
    let paid = &posting.payment;
    let invoice_number = invoice.external_id.parse().map_err(|_| {
        let message = said!(
            "fortnox-no-number",
            "the invoice's number in Fortnox is not a number; pay the invoice by hand"
        );
        Error::park("bad_invoice_number", message)
    })?;
    let to_pay = fact(invoice, facts::TO_PAY)?;
    let short = to_pay.minus(paid.amount).map_err(|_| differs(to_pay, paid.amount))?;
    if short.minor.abs() >= LARGEST_ROUNDING {
        return Err(differs(to_pay, paid.amount));
    }
    let mut write_offs = Vec::new();
    if short.minor != 0 {
        let account_number = paid.round_off_account.ok_or_else(|| {
            let message = said!(
                "parked-no-round-off",
                "{short} kr of rounding has no account; set round_off in the settings";
                short = short.said()
            );
            Error::park("account_missing", message)
        })?;
        write_offs.push(WriteOff { amount: Exact(short.to_major()), account_number });
    }
    Ok(NewPayment {
        invoice_number,
        amount: Exact(paid.amount.to_major()),
        amount_currency: Exact(paid.amount.to_major()),
        currency_rate: 1,
        payment_date: paid.date.to_string(),
        mode_of_payment: paid.mode.clone(),
        mode_of_payment_account: paid.account,
        write_offs,
    })
}

/// Stops a cash invoice that would be booked on another account than the payment provider's: Fortnox takes the account
/// from its own settings, and nothing in the invoice says otherwise (`apis/fortnox.md` 2.9, 6).
///
/// # Errors
/// `Parked` with the setting to change.
pub(super) fn check_card_account(posting: &Posting) -> Result<(), Error> {
    let claim = posting.payment.account;
    let what = match posting.payment.card_account {
        Some(account) if account == claim => return Ok(()),
        Some(account) => said!("fortnox-cash-elsewhere", "goes to account {account}", account),
        None => said!("fortnox-cash-nowhere", "has no account"),
    };
    let message = said!(
        "fortnox-cash",
        "money of cash invoices by card {what} in Fortnox, and the claim on the payment provider is account {claim}; set \
         the predefined account CASHBYCARD to {claim} in Fortnox, or payment_claim in the settings to the other, and try again",
        claim;
        what
    );
    Err(Error::park("cash_account_differs", message))
}

/// Stops a cash invoice that is not on the very sum that was paid: there is no payment that could write a difference off.
///
/// # Errors
/// `Parked` when they differ.
pub(super) fn check_cash(posting: &Posting, invoice: &Receipt) -> Result<(), Error> {
    let (to_pay, paid) = (fact(invoice, facts::TO_PAY)?, posting.payment.amount);
    if to_pay == paid {
        return Ok(());
    }
    let message = said!(
        "fortnox-cash-differs",
        "cash invoice {number} in Fortnox is on {to_pay} kr and the payment on {paid} kr; switch rounding to whole kronor \
         off there or use the posting profile invoice, and book this order by hand",
        number = invoice.external_id;
        to_pay = to_pay.said();
        paid = paid.said()
    );
    Err(Error::park("payment_differs", message))
}

fn differs(to_pay: Money, paid: Money) -> Error {
    let message = said!(
        "fortnox-payment-differs",
        "the invoice in Fortnox is on {to_pay} kr and the payment on {paid} kr; correct the invoice, then register the payment by hand";
        to_pay = to_pay.said();
        paid = paid.said()
    );
    Error::park("payment_differs", message)
}

/// Names of the facts that receipts keep.
pub(super) mod facts {
    pub(in super::super) const TOTAL: &str = "total";
    pub(in super::super) const VAT: &str = "vat";
    pub(in super::super) const ROUND_OFF: &str = "round_off";
    pub(in super::super) const TO_PAY: &str = "total_to_pay";
    pub(in super::super) const BALANCE: &str = "balance";
    pub(in super::super) const BOOKED: &str = "booked";
    pub(in super::super) const INVOICE_DATE: &str = "invoice_date";
    pub(in super::super) const ACCOUNTING_METHOD: &str = "accounting_method";
    pub(in super::super) const AMOUNT: &str = "amount";
}

/// What later steps need to know of an invoice; `None` when it lacks its number or its amounts.
pub(super) fn invoice_receipt(invoice: &Invoice) -> Option<Receipt> {
    let total = kronor(&invoice.total)?;
    let mut receipt =
        Receipt { external_id: text(&invoice.document_number)?.to_owned(), facts: BTreeMap::new() };
    let mut keep = |name: &str, value: String| drop(receipt.facts.insert(name.to_owned(), value));
    keep(facts::TOTAL, total.to_string());
    keep(facts::VAT, kronor(&invoice.total_vat)?.to_string());
    keep(facts::ROUND_OFF, kronor(&invoice.round_off).unwrap_or(Money::zero(Currency::SEK)).to_string());
    keep(facts::TO_PAY, kronor(&invoice.total_to_pay).unwrap_or(total).to_string());
    keep(facts::BOOKED, (invoice.booked.to_bool() == Some(true)).to_string());
    if let Some(balance) = kronor(&invoice.balance) {
        keep(facts::BALANCE, balance.to_string());
    }
    for (name, member) in
        [(facts::INVOICE_DATE, &invoice.invoice_date), (facts::ACCOUNTING_METHOD, &invoice.accounting_method)]
    {
        if let Some(value) = text(member) {
            keep(name, value.to_owned());
        }
    }
    Some(receipt)
}

/// What later steps need to know of a payment.
pub(super) fn payment_receipt(payment: &InvoicePayment) -> Option<Receipt> {
    let mut facts =
        BTreeMap::from([(facts::BOOKED.to_owned(), (payment.booked.to_bool() == Some(true)).to_string())]);
    if let Some(amount) = kronor(&payment.amount) {
        facts.insert(facts::AMOUNT.to_owned(), amount.to_string());
    }
    Some(Receipt { external_id: text(&payment.number)?.to_owned(), facts })
}

/// Whether a receipt says that the document was booked when it was made.
pub(super) fn is_booked(receipt: &Receipt) -> bool {
    receipt.facts.get(facts::BOOKED).is_some_and(|booked| booked == "true")
}

/// Whether the invoice itself says that the company books when it is paid (kontantmetoden).
pub(super) fn is_cash_method(invoice: &Receipt) -> bool {
    invoice.facts.get(facts::ACCOUNTING_METHOD).is_some_and(|method| method == "CASH")
}

/// Whether the invoice has the posting's date. When it is due does not matter: it is paid at once.
pub(super) fn has_date(posting: &Posting, invoice: &Receipt) -> bool {
    invoice.facts.get(facts::INVOICE_DATE).is_some_and(|date| *date == posting.date.to_string())
}

/// Compares the invoice with the order before anything is booked or paid.
///
/// # Errors
/// `Parked` when they differ.
pub(super) fn check_totals(posting: &Posting, invoice: &Receipt) -> Result<(), Error> {
    let computed = ComputedTotals {
        gross: fact(invoice, facts::TOTAL)?,
        vat: fact(invoice, facts::VAT)?,
        round_off: fact(invoice, facts::ROUND_OFF)?,
    };
    posting.check_totals(computed).map_err(|differ| {
        let message = said!(
            "fortnox-totals-differ",
            "invoice {number} in Fortnox is not the order's: {differ}; book or cancel it by hand",
            number = invoice.external_id;
            differ = differ.said()
        );
        Error::park("totals_differ", message)
    })
}

fn fact(receipt: &Receipt, name: &str) -> Result<Money, Error> {
    let text = receipt.facts.get(name).map(String::as_str).unwrap_or_default();
    Money::parse_major(text, Currency::SEK).map_err(|_| reasons::fact_missing(name))
}
