//! Postings as Visma documents, and Visma documents as receipts. Pure.

use std::collections::BTreeMap;

use bokbro_app::error::Error;
use bokbro_domain::effect::Receipt;
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, CustomerKind};
use bokbro_domain::posting::{ComputedTotals, Posting};
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::requests::{Goods, NewArticle, NewCustomer, NewDraft, NewPayment, NewRow, Totals};
use super::rows::{Of, Priced};
use super::wire::{Draft, Invoice, Payment, Row, day, kronor};
use crate::kit::{Exact, LooseText, reasons};

/// Longest values that Visma takes (`apis/visma.md` 2.2).
mod longest {
    pub(super) const LINE: usize = 50;
    pub(super) const ZIP: usize = 10;
    pub(super) const ORGANISATION: usize = 20;
    pub(super) const EMAIL: usize = 255;
    pub(super) const BUYERS_ORDER: usize = 35;
    pub(super) const ROW: usize = 2000;
}

/// `PaymentType`: all that remains, and all but a difference of öre. What the second books is inferred from its name.
const COMPLETE: u32 = 2;
const ROUNDING: u32 = 3;

/// A payment may differ by less than this from what was to be paid, in öre: rounding to whole kronor.
const LARGEST_ROUNDING: i64 = 100;

/// The buyer as a customer. The address of the parcel is left to the documents: it may be a friend's.
pub(super) fn customer(posting: &Posting) -> NewCustomer {
    let buyer = &posting.customer;
    let billing = &buyer.billing;
    let fits = |email: &&String| email.encode_utf16().count() <= longest::EMAIL;
    NewCustomer {
        customer_number: posting.keys.own_number.clone(),
        name: required(&buyer.name, longest::LINE),
        is_private_person: buyer.kind == CustomerKind::Private,
        is_active: true,
        corporate_identity_number: posting
            .keys
            .organisation_number_dashed()
            .and_then(|number| line(&number, longest::ORGANISATION)),
        // In lower case, as it is searched for.
        email_address: posting.keys.email.as_ref().filter(fits).cloned(),
        telephone: buyer.phone.as_deref().and_then(|phone| line(phone, longest::LINE)),
        invoice_address1: required(&billing.address1, longest::LINE),
        invoice_address2: second_line(billing),
        invoice_postal_code: required(&billing.zip, longest::ZIP),
        invoice_city: required(&billing.city, longest::LINE),
        invoice_country_code: "SE",
        currency_code: "SEK",
    }
}

fn second_line(address: &Address) -> Option<String> {
    address.address2.as_deref().and_then(|text| line(text, longest::LINE))
}

/// One line of at most so many characters as .NET counts them; `None` when nothing is left.
pub(super) fn line(text: &str, longest: usize) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (mut cut, mut length) = (String::new(), 0);
    for c in words.join(" ").chars().filter(|c| !c.is_control()) {
        length += c.len_utf16();
        if length > longest {
            break;
        }
        cut.push(c);
    }
    let cut = cut.trim_end();
    if cut.is_empty() { None } else { Some(cut.to_owned()) }
}

fn required(text: &str, longest: usize) -> String {
    line(text, longest).unwrap_or_else(|| "?".to_owned())
}

/// The article that stands for sales at a rate on an account. Its number says both, so that another account is another
/// article.
pub(super) fn article(percent: u32, account: u16) -> NewArticle {
    NewArticle {
        number: article_number(percent, account),
        name: format!("Försäljning {percent} % moms ({account})"),
        is_active: true,
    }
}

/// Its number.
pub(super) fn article_number(percent: u32, account: u16) -> String {
    format!("BB-{percent}-{account}")
}

/// The draft of the invoice, or of a credit invoice. `credited` is the number of the invoice that it takes back, `articles`
/// tells Visma's ids of the articles that the rows need.
///
/// # Errors
/// What `articles` gives when it knows no id.
pub(super) fn draft(
    posting: &Posting,
    customer_id: &str,
    rows: &[Priced],
    credited: Option<&str>,
    articles: impl Fn(Of) -> Result<String, Error>,
) -> Result<NewDraft, Error> {
    let buyer = &posting.customer;
    let delivery = buyer.delivery.as_ref().unwrap_or(&buyer.billing);
    let mut all = vec![NewRow {
        line_number: 1,
        is_text_row: true,
        text: marker(posting, credited),
        goods: None,
        reversed_construction_services_vat_free: false,
    }];
    for (row, line_number) in rows.iter().zip(2..) {
        all.push(NewRow {
            line_number,
            is_text_row: false,
            text: line(&row.text, longest::ROW).unwrap_or_else(|| "-".to_owned()),
            goods: Some(Goods {
                article_id: articles(row.of)?,
                unit_price: Exact(row.unit_price.to_major()),
                quantity: Exact(row.quantity),
                discount_percentage: 0,
            }),
            reversed_construction_services_vat_free: false,
        });
    }
    let number = posting.order_number.as_str();
    Ok(NewDraft {
        customer_id: customer_id.to_owned(),
        is_credit_invoice: posting.is_credit(),
        eu_third_party: false,
        rot_reduced_invoicing_type: 0,
        invoice_date: posting.date.to_string(),
        // It is paid already.
        due_date: posting.date.to_string(),
        our_reference: posting.reference.clone(),
        buyers_order_reference: Some(number)
            .filter(|number| number.encode_utf16().count() <= longest::BUYERS_ORDER)
            .map(str::to_owned),
        delivery_customer_name: required(&delivery.name, longest::LINE),
        delivery_address1: required(&delivery.address1, longest::LINE),
        delivery_address2: second_line(delivery),
        delivery_postal_code: required(&delivery.zip, longest::ZIP),
        delivery_city: required(&delivery.city, longest::LINE),
        replace_unit_price_when_zero: false,
        rows: all,
    })
}

/// The text row by which the documents of an order are found again: only rows' texts are known to be searchable. By law a
/// credit invoice must name the invoice that it takes back.
fn marker(posting: &Posting, credited: Option<&str>) -> String {
    let number = posting.order_number.as_str();
    let credited = credited.map(|number| format!(", krediterar faktura {number}")).unwrap_or_default();
    line(&format!("Order {number}{credited} ({})", posting.reference), longest::ROW).unwrap_or_default()
}

/// Whether a draft is the posting's.
pub(super) fn is_our_draft(posting: &Posting, draft: &Draft) -> bool {
    is_ours(posting, &draft.is_credit_invoice, &draft.our_reference, draft.rows.as_deref())
}

/// Whether an invoice is the posting's.
pub(super) fn is_our_invoice(posting: &Posting, invoice: &Invoice) -> bool {
    is_ours(posting, &invoice.is_credit_invoice, &invoice.our_reference, invoice.rows.as_deref())
}

/// By rows or reference, and by direction: a credit invoice that a person makes of an invoice has the same rows.
fn is_ours(
    posting: &Posting,
    is_credit: &LooseText,
    our_reference: &LooseText,
    rows: Option<&[Row]>,
) -> bool {
    let reference = posting.reference.as_str();
    let bracketed = format!("({reference})");
    let same_way = is_credit.to_bool().is_none_or(|is_credit| is_credit == posting.is_credit());
    let has_marker = |row: &Row| {
        row.text.as_deref().is_some_and(|text| text.starts_with("Order ") && text.ends_with(&bracketed))
    };
    same_way
        && (our_reference.as_deref() == Some(reference) || rows.unwrap_or_default().iter().any(has_marker))
}

/// The totals that the draft must have to be booked.
///
/// # Errors
/// `Parked` when the draft is not the order's.
pub(super) fn totals(posting: &Posting, draft: &Receipt) -> Result<Totals, Error> {
    check_totals(
        posting,
        draft,
        said!("visma-mend-draft", "correct the draft there, or delete it and book the order by hand"),
    )?;
    Ok(Totals {
        total_amount_invoice_currency: Exact(fact(draft, facts::TOTAL)?.to_major()),
        total_vat_amount_invoice_currency: Exact(fact(draft, facts::VAT)?.to_major()),
    })
}

/// What people do about an invoice on other totals than the order's.
pub(super) fn what_to_do_when_booked(posting: &Posting) -> Said {
    if posting.is_credit() {
        said!("visma-mend-credit", "it is booked; take it back there and book what was given back by hand")
    } else {
        said!("visma-mend-invoice", "it is booked; credit it there and book the order by hand")
    }
}

/// The payment of an invoice; of a credit invoice it is negative, as what remains of it is.
///
/// # Errors
/// `Parked` when the invoice is not the order's, when the payment differs from it by more than rounding, or when no bank
/// account is known.
pub(super) fn payment(posting: &Posting, invoice: &Receipt) -> Result<NewPayment, Error> {
    check_totals(posting, invoice, what_to_do_when_booked(posting))?;
    let paid = &posting.payment;
    let to_pay = fact(invoice, facts::TOTAL)?;
    let differs = || {
        let message = said!(
            "visma-payment-differs",
            "invoice {number} in Visma is on {to_pay} kr and the payment on {paid} kr; register the payment by hand",
            number = invoice.external_id;
            to_pay = to_pay.said();
            paid = paid.amount.said()
        );
        Error::park("payment_differs", message)
    };
    let short = to_pay.minus(paid.amount).map_err(|_| differs())?;
    if short.minor.abs() >= LARGEST_ROUNDING {
        return Err(differs());
    }
    let bank_account = paid.mode.clone().ok_or_else(|| {
        let message = said!(
            "visma-no-bank-account",
            "no bank account in Visma books on account {account}; add it there, or set payment_mode to the bank account's id",
            account = paid.account
        );
        Error::park("account_missing", message)
    })?;
    Ok(NewPayment {
        company_bank_account_id: bank_account,
        payment_date: paid.date.to_string(),
        payment_amount: Exact(paid.amount.to_major()),
        payment_currency: "SEK",
        payment_type: if short.minor == 0 { COMPLETE } else { ROUNDING },
        reference: posting.reference.clone(),
    })
}

/// Names of the facts that receipts keep.
pub(super) mod facts {
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const PRIVATE: &str = "private";
    pub(in super::super) const TOTAL: &str = "total";
    pub(in super::super) const VAT: &str = "vat";
    pub(in super::super) const ROUND_OFF: &str = "round_off";
    pub(in super::super) const INCLUDES_VAT: &str = "includes_vat";
    pub(in super::super) const TRANSACTION: &str = "bank_transaction";
}

/// What later steps need to know of a draft; `None` when it lacks its id or its amounts.
pub(super) fn draft_receipt(draft: &Draft) -> Option<Receipt> {
    let amounts = [&draft.total_amount, &draft.total_vat_amount, &draft.total_roundings];
    Some(Receipt { external_id: draft.id.0.clone()?, facts: document_facts(amounts, &draft.includes_vat)? })
}

/// The same of an invoice.
pub(super) fn invoice_receipt(invoice: &Invoice) -> Option<Receipt> {
    let amounts = [
        &invoice.total_amount_invoice_currency,
        &invoice.total_vat_amount_invoice_currency,
        &invoice.total_roundings,
    ];
    let mut facts = document_facts(amounts, &invoice.includes_vat)?;
    facts.insert(facts::ID.to_owned(), invoice.id.0.clone()?);
    Some(Receipt { external_id: invoice.invoice_number.0.clone()?, facts })
}

/// The same of a draft that somebody has made an invoice of.
pub(super) fn converted_receipt(invoice: &Invoice) -> Option<Receipt> {
    let receipt = invoice_receipt(invoice)?;
    let draft = invoice.created_from_draft_id.0.clone().unwrap_or_else(|| receipt.facts[facts::ID].clone());
    Some(Receipt { external_id: draft, ..receipt })
}

fn document_facts(
    [total, vat, round_off]: [&LooseText; 3],
    includes_vat: &LooseText,
) -> Option<BTreeMap<String, String>> {
    let amounts = [
        (facts::TOTAL, kronor(total)?),
        (facts::VAT, kronor(vat)?),
        (facts::ROUND_OFF, kronor(round_off).unwrap_or(Money::zero(Currency::SEK))),
    ];
    let mut kept: BTreeMap<String, String> =
        amounts.into_iter().map(|(name, amount)| (name.to_owned(), amount.to_string())).collect();
    if let Some(includes) = includes_vat.to_bool() {
        kept.insert(facts::INCLUDES_VAT.to_owned(), includes.to_string());
    }
    Some(kept)
}

/// What people may want to know of a payment. It has no number; the reference is what it is found by.
pub(super) fn payment_receipt(posting: &Posting, payment: &Payment) -> Option<Receipt> {
    kronor(&payment.payment_amount)?;
    let transaction = payment.bank_transaction_id.0.clone();
    let facts = transaction.map(|id| (facts::TRANSACTION.to_owned(), id)).into_iter().collect();
    Some(Receipt { external_id: posting.reference.clone(), facts })
}

/// Whether an invoice is paid as the posting says; `None` when nothing is paid yet.
///
/// # Errors
/// `Parked` when something else was paid, or when the invoice was credited.
pub(super) fn paid(posting: &Posting, invoice: &Invoice) -> Result<Option<Receipt>, Error> {
    let number = invoice.invoice_number.as_deref().unwrap_or_default();
    if invoice.credited_by.as_ref().is_some_and(|credits| !credits.is_empty()) {
        let message = said!(
            "visma-invoice-credited",
            "invoice {number} in Visma was credited or voided there; book the order by hand",
            number
        );
        return Err(Error::park("invoice_canceled", message));
    }
    let total = kronor(&invoice.total_amount_invoice_currency);
    let (Some(remaining), Some(total)) = (remaining(invoice), total) else {
        return Err(reasons::invoice_unreadable("Visma", number));
    };
    if remaining == total && total.minor != 0 {
        return Ok(None);
    }
    // Payments cannot be listed: what remains and when it was paid is all that can be known. A credit invoice of which
    // nothing remains without a payment was set off against another invoice.
    let on_our_day =
        day(&invoice.payment_date).map_or(!posting.is_credit(), |day| day == posting.payment.date);
    if remaining.minor == 0 && on_our_day {
        return Ok(Some(Receipt { external_id: posting.reference.clone(), facts: BTreeMap::new() }));
    }
    let message = said!(
        "visma-paid-by-hand",
        "invoice {number} in Visma has a payment already that Bokbro did not register; remove it there and try again, or \
         finish the order by hand",
        number
    );
    Err(Error::park("paid_by_hand", message))
}

/// What remains of an invoice, when it says so.
pub(super) fn remaining(invoice: &Invoice) -> Option<Money> {
    kronor(&invoice.remaining_amount_invoice_currency)
}

/// Whether a document is on less than nothing, as those of money given back are; `None` when it shows no amount.
pub(super) fn is_negative(document: &Receipt) -> Option<bool> {
    fact(document, facts::TOTAL).ok().map(|total| total.minor < 0)
}

/// Whether nothing remains of an invoice that was not credited.
pub(super) fn is_settled(invoice: &Invoice) -> bool {
    let credited = invoice.credited_by.as_ref().is_some_and(|credits| !credits.is_empty());
    !credited && remaining(invoice).is_some_and(|remaining| remaining.minor == 0)
}

/// Compares a document with the order before anything is booked or paid.
///
/// # Errors
/// `Parked` when they differ.
pub(super) fn check_totals(posting: &Posting, document: &Receipt, what_to_do: Said) -> Result<(), Error> {
    let computed = ComputedTotals {
        gross: fact(document, facts::TOTAL)?,
        vat: fact(document, facts::VAT)?,
        round_off: fact(document, facts::ROUND_OFF)?,
    };
    posting.check_totals(computed).map_err(|differ| {
        let message = said!(
            "visma-totals-differ",
            "document {number} in Visma is not the order's: {differ}; {what_to_do}",
            number = document.external_id;
            differ = differ.said();
            what_to_do
        );
        Error::park("totals_differ", message)
    })
}

/// Whether a document's totals are the order's.
pub(super) fn has_totals(posting: &Posting, document: &Receipt) -> bool {
    check_totals(posting, document, what_to_do_when_booked(posting)).is_ok()
}

fn fact(receipt: &Receipt, name: &str) -> Result<Money, Error> {
    let text = receipt.facts.get(name).map(String::as_str).unwrap_or_default();
    Money::parse_major(text, Currency::SEK).map_err(|_| reasons::fact_missing(name))
}
