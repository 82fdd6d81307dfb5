//! Payments of customer invoices. They have no id and no list; only the invoice shows what is left
//! (`apis/visma.md` 2.2).

use rust_decimal::Decimal;

use super::books::{Books, Origin, account_number};
use super::call::{Answer, Call, Operation, Outcome, SALES, day, moment, operation, written};
use super::config::CreditPayments;
use super::documents::totals;
use super::errors::Refusal;
use super::fields::{copy_texts, date, decimal, require};
use super::invoices::{PAID, RECEIVABLES, sales_of};
use super::lists::{by_id, place_of};
use crate::kit::json::{Json, Object};

pub(super) const OPERATIONS: &[Operation] =
    &[operation("POST", "/v2/customerinvoices/{id}/payments", SALES, pay)];

/// `PaymentType`. What the last two mean for a difference is inferred from their names.
const PARTIAL: u32 = 1;
const COMPLETE: u32 = 2;
const ROUNDING: u32 = 3;

/// `VoucherType` of a payment.
const VOUCHER_TYPE: u32 = 10;
/// Differences of öre.
const ROUND_OFF: u32 = 3740;

/// What a payment of a credit invoice adds to what was paid of it, which is less than nothing in the end.
fn paid_back(sent: Decimal, books: &Books) -> Result<Decimal, Refusal> {
    match books.settings.credit_payments {
        CreditPayments::Negative => Ok(sent),
        CreditPayments::Positive if sent < Decimal::ZERO => {
            Err(Refusal::invalid("PaymentAmount", "must not be negative"))
        }
        CreditPayments::Positive | CreditPayments::Doubling => Ok(-sent),
        CreditPayments::Refused => Err(Refusal::not_now("A credit invoice is settled in the program")),
    }
}

fn pay(books: &mut Books, call: &Call) -> Outcome {
    let place = place_of(&books.invoices, call.param(0), "the customer invoice")?;
    let invoice = books.invoices[place].fields.clone();
    let input = call.input()?;
    require(&input, &["CompanyBankAccountId", "PaymentAmount", "PaymentCurrency", "PaymentType"])?;
    let bank = by_id(&books.bank_accounts, input.text("CompanyBankAccountId"), "the bank account")?.clone();
    let paid_on = date(&input, "PaymentDate")?.unwrap_or_else(|| call.today());
    if paid_on > call.today() {
        let text = "FutureDateCannotBeSetException - The payment date is in the future";
        return Err(Refusal::new(400, 4023, text));
    }
    if day(invoice.text("InvoiceDate")).is_some_and(|invoiced| paid_on < invoiced) {
        return Err(Refusal::invalid("PaymentDate", "is before the invoice"));
    }
    if input.get("DomesticPaymentAmount").is_some_and(|amount| *amount != Json::Null) {
        let text = "NoDomesticAmountAllowedOnDomesticInvoicesException";
        return Err(Refusal::new(400, 4039, text));
    }
    if input.text("PaymentCurrency") != invoice.text("CurrencyCode") {
        return Err(Refusal::invalid("PaymentCurrency", "is not the invoice's"));
    }
    let sent = decimal(&input, "PaymentAmount", 2)?;
    let is_credit = invoice.flag("IsCreditInvoice");
    let amount = if is_credit { paid_back(sent, books)? } else { sent };
    let remaining = invoice.number("RemainingAmountInvoiceCurrency");
    if remaining.is_zero() {
        return Err(Refusal::not_now("The invoice is paid already"));
    }
    let kind = account_number(&input, "PaymentType").unwrap_or_default();
    let short = remaining - amount;
    let unchecked = is_credit && books.settings.credit_payments == CreditPayments::Doubling;
    let fits = match kind {
        PARTIAL => short * remaining > Decimal::ZERO && amount * remaining > Decimal::ZERO,
        COMPLETE => short.is_zero() || unchecked,
        ROUNDING => short.abs() < Decimal::ONE,
        _ => return Err(Refusal::invalid("PaymentType", "is not simulated")),
    };
    if !fits {
        return Err(Refusal::invalid("PaymentAmount", "does not fit what remains and the type of payment"));
    }
    books.bookable(paid_on)?;
    let written_off = if kind == ROUNDING { short } else { Decimal::ZERO };
    let settled = amount + written_off;
    let ledger_account = account_number(&bank, "LedgerAccountNumber").unwrap_or_default();
    let origin = Origin {
        date: paid_on,
        text: format!("Inbetalning kundfaktura {}", invoice.number("InvoiceNumber")),
        kind: VOUCHER_TYPE,
        source: Some(invoice.text("Id")),
    };
    let mut entries = vec![(ledger_account, amount), (ROUND_OFF, written_off)];
    if books.settings.cash_method {
        let totals = totals(books, &invoice);
        let share = if totals.total.is_zero() { Decimal::ZERO } else { settled / totals.total };
        entries.extend(sales_of(&totals).into_iter().map(|(account, sold)| (account, sold * share)));
    } else {
        entries.push((RECEIVABLES, -settled));
    }
    books.book(origin, &entries, call.now);

    let left = remaining - settled;
    let invoice = &mut books.invoices[place].fields;
    invoice.set("RemainingAmount", left);
    invoice.set("RemainingAmountInvoiceCurrency", left);
    invoice.set("PaymentDate", written(paid_on));
    invoice.set("ModifiedUtc", moment(call.now));
    if left.is_zero() {
        invoice.set("PaymentStatus", PAID);
    }
    let number = invoice.number("InvoiceNumber");

    let mut payment = Object::default()
        .with("CompanyBankAccountId", bank.text("Id"))
        .with("PaymentDate", written(paid_on))
        .with("PaymentAmount", sent)
        .with("PaymentCurrency", input.text("PaymentCurrency"))
        .with("PaymentType", kind)
        .with("BankTransactionId", books.new_id());
    copy_texts(&input, &[("Reference", 100)], &mut payment)?;
    let kept = payment
        .clone()
        .with("InvoiceId", call.param(0))
        .with("InvoiceNumber", number)
        .with("LedgerAccountNumber", ledger_account);
    let document = books.stored(kept, call.now);
    books.payments.push(document);
    Ok(Answer::created(&payment))
}
