//! Posting rules: what a paid order becomes in the books, before any provider's wire format.
//!
//! A posting is computed from the order, its payment and the chart of accounts alone, so the same order always gives
//! the same documents, whoever computes it and however often.

mod chart;
mod credit;
mod day;
mod entries;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::OrderNumber;
use crate::money::{Currency, Money, MoneyError};
use crate::order::{Customer, Line, LineKind, Order};
use crate::said;
use crate::said::Said;
use crate::vat::VatRate;

pub use chart::{AccountRole, BookYear, Chart};
pub use credit::{Credit, CreditId, credited, order_of_reference, with_credits};
pub use day::{DayVoucher, VoucherRow};
pub use entries::{DayEntry, DayTotals, NetAndVat, day_entries};

/// Which documents a paid order becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum PostingProfile {
    /// An invoice and its payment.
    #[default]
    Invoice,
    /// An order that becomes an invoice, and its payment; for merchants who pick from orders.
    OrderAndInvoice,
    /// An invoice that is paid as it is made (kontantfaktura): no receivable and no payment of its own.
    CashInvoice,
    /// No document per order: one voucher (verifikation) per day and kind of payment.
    VoucherPerDay,
}

impl PostingProfile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invoice, Self::OrderAndInvoice, Self::CashInvoice, Self::VoucherPerDay];

    /// The profile's name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::OrderAndInvoice => "order_and_invoice",
            Self::CashInvoice => "cash_invoice",
            Self::VoucherPerDay => "voucher_per_day",
        }
    }

    /// Reads the profile's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }
}

/// Why an order cannot be posted as it is; a human must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// No account is known for what the order needs.
    #[error("no account is set for {}", role.as_str())]
    NoAccount {
        /// What it would be for.
        role: AccountRole,
    },
    /// The books are kept in kronor; other currencies are not booked yet.
    #[error("the order is in {currency}; only SEK can be booked so far")]
    ForeignCurrency {
        /// Of the order.
        currency: Currency,
    },
    /// Billed or delivered outside Sweden, where another tax is due.
    #[error(
        "the order is billed or delivered outside Sweden, and VAT for other countries is not booked yet; book it by hand"
    )]
    ForeignCustomer,
    /// The day of payment lies in a period that the bookkeeper has locked.
    #[error(
        "a payment or refund of {date} lies in the period locked through {through}; unlock it in the ledger program and try again"
    )]
    LockedPeriod {
        /// Day of the payment.
        date: Date,
        /// Last locked day.
        through: Date,
    },
    /// No financial year holds the day of payment.
    #[error(
        "no financial year holds a payment or refund of {date}; open the year in the ledger program and try again"
    )]
    NoFinancialYear {
        /// Day of the payment.
        date: Date,
    },
    /// The order has not been paid, so there is nothing to post.
    #[error("the order has not been paid")]
    NotPaid,
    /// More has been credited than the payment provider says was given back.
    #[error("{credited} kr were credited, but only {reversed} kr were given back; check the credit invoices")]
    CreditedTooMuch {
        /// Sum of the credits that were sent.
        credited: Money,
        /// Sum of what was given back.
        reversed: Money,
    },
    /// A sum overflows; impossible for an order that was accepted.
    #[error("an amount is too large")]
    TooLarge,
}

impl From<MoneyError> for PostingError {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

impl PostingError {
    /// What people are told of it.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::NoAccount { role } => {
                said!("posting-no-account", "no account is set for {role}", role = role.as_str())
            }
            Self::ForeignCurrency { currency } => said!(
                "posting-foreign-currency",
                "the order is in {currency}; only SEK can be booked so far",
                currency
            ),
            Self::ForeignCustomer => said!(
                "posting-foreign-customer",
                "the order is billed or delivered outside Sweden, and VAT for other countries is not booked yet; book it by hand"
            ),
            Self::LockedPeriod { date, through } => said!(
                "posting-locked-period",
                "a payment or refund of {date} lies in the period locked through {through}; unlock it in the ledger program and try again",
                date,
                through
            ),
            Self::NoFinancialYear { date } => said!(
                "posting-no-year",
                "no financial year holds a payment or refund of {date}; open the year in the ledger program and try again",
                date
            ),
            Self::NotPaid => said!("posting-not-paid", "the order has not been paid"),
            Self::CreditedTooMuch { credited, reversed } => said!(
                "posting-credited-too-much",
                "{credited} kr were credited, but only {reversed} kr were given back; check the credit invoices";
                credited = credited.said();
                reversed = reversed.said()
            ),
            Self::TooLarge => said!("posting-too-large", "an amount is too large"),
        }
    }

    /// Whether it is the chart that stands in the way, and not the order.
    #[must_use]
    pub fn is_of_chart(&self) -> bool {
        match self {
            Self::NoAccount { .. } | Self::LockedPeriod { .. } | Self::NoFinancialYear { .. } => true,
            Self::ForeignCurrency { .. }
            | Self::ForeignCustomer
            | Self::NotPaid
            | Self::CreditedTooMuch { .. }
            | Self::TooLarge => false,
        }
    }

    /// Short name for lists and tests.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAccount { .. } => "account_missing",
            Self::ForeignCurrency { .. } => "foreign_currency",
            Self::ForeignCustomer => "foreign_customer",
            Self::LockedPeriod { .. } => "period_locked",
            Self::NoFinancialYear { .. } => "financial_year_missing",
            Self::NotPaid => "not_paid",
            Self::CreditedTooMuch { .. } => "credited_too_much",
            Self::TooLarge => "amount_too_large",
        }
    }
}

/// One row of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// What the line stood for in the order.
    pub kind: LineKind,
    /// Stock keeping unit, when there is one.
    pub sku: Option<String>,
    /// What the customer reads.
    pub text: String,
    /// How many.
    pub quantity: Decimal,
    /// Price of one, VAT included.
    pub unit_price: Money,
    /// The row's rate.
    pub vat_rate: VatRate,
    /// Sales account.
    pub account: u16,
}

impl PostingRow {
    /// Quantity times price, VAT included, rounded to öre.
    ///
    /// # Errors
    /// When the product is too large.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// The keys by which a customer is found, in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerKeys {
    /// Number that Bokbro gives a customer it creates: the same for the same customer, so that two workers who create
    /// at once collide at the provider instead of doubling.
    pub own_number: String,
    /// Digits of the organization number.
    pub organisation_number: Option<String>,
    /// E-mail address in lower case.
    pub email: Option<String>,
}

impl CustomerKeys {
    /// The organization number as people write it, `556677-8899`.
    #[must_use]
    pub fn organisation_number_dashed(&self) -> Option<String> {
        let digits = self.organisation_number.as_ref()?;
        Some(match digits.len().checked_sub(4) {
            Some(at @ (6 | 8)) => format!("{}-{}", &digits[..at], &digits[at..]),
            _ => digits.clone(),
        })
    }
}

/// The payment as the books will show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPosting {
    /// What the payment provider has captured.
    pub amount: Money,
    /// Swedish calendar day of the capture.
    pub date: Date,
    /// Account of the claim on the payment provider.
    pub account: u16,
    /// The ledger's code of the way of payment, when one is set.
    pub mode: Option<String>,
    /// Where a difference of öre goes.
    pub round_off_account: Option<u16>,
    /// Where the ledger program by itself books cash invoices that are paid by card, where it has an account for that.
    pub card_account: Option<u16>,
}

/// What a paid order becomes in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Reference inside every document, unlike any other posting's: the order's id, or that of a credit.
    pub reference: String,
    /// The webshop's number, for people.
    pub order_number: OrderNumber,
    /// Which documents.
    pub profile: PostingProfile,
    /// The buyer.
    pub customer: Customer,
    /// How the buyer is found.
    pub keys: CustomerKeys,
    /// Day of the documents: the Swedish calendar day of the payment.
    pub date: Date,
    /// Currency of all amounts.
    pub currency: Currency,
    /// The rows.
    pub rows: Vec<PostingRow>,
    /// Sum with VAT.
    pub gross: Money,
    /// VAT if rounded row by row.
    pub vat_by_row: Money,
    /// VAT if rounded once per rate.
    pub vat_by_rate: Money,
    /// The payment.
    pub payment: PaymentPosting,
    /// Cash accounting: the invoice is not booked before its payment.
    pub cash_method: bool,
    /// Money given back, oldest first.
    pub credits: Vec<Credit>,
}

/// What a provider computed for a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputedTotals {
    /// Sum with VAT as the provider shows it.
    pub gross: Money,
    /// The provider's VAT.
    pub vat: Money,
    /// Rounding to whole kronor that the provider added, if any.
    pub round_off: Money,
}

/// The provider's totals are not the order's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said())]
pub struct TotalsDiffer {
    /// What the provider computed.
    pub computed: ComputedTotals,
    /// The order's total.
    pub expected_gross: Money,
    /// VAT by rate.
    pub expected_vat: Money,
}

impl TotalsDiffer {
    /// What people are told of it.
    #[must_use]
    pub fn said(&self) -> Said {
        said!(
            "totals-differ",
            "the document is on {gross} with {vat} VAT (rounding {round_off}), the order on {expected_gross} with \
             {expected_vat} VAT";
            gross = self.computed.gross.said();
            vat = self.computed.vat.said();
            round_off = self.computed.round_off.said();
            expected_gross = self.expected_gross.said();
            expected_vat = self.expected_vat.said()
        )
    }
}

/// Sweden's time, which books and pages go by. Compiled in, so that no machine's time zones matter.
pub static SWEDEN: TimeZone = jiff::tz::get!("Europe/Stockholm");

/// The Swedish calendar day of an instant.
#[must_use]
pub fn swedish_day(instant: Timestamp) -> Date {
    instant.to_zoned(SWEDEN.clone()).date()
}

/// Computes what a paid order becomes in the books. `begun` says that documents of the sale were sent before: a period
/// that was locked since does not stop what is left of it.
///
/// # Errors
/// When the order cannot be posted as it is: not paid, foreign currency or customer, locked period, account missing.
pub fn plan(
    order: &Order,
    chart: &Chart,
    profile: PostingProfile,
    begun: bool,
) -> Result<Posting, PostingError> {
    let body = &order.body;
    if body.currency != Currency::SEK {
        return Err(PostingError::ForeignCurrency { currency: body.currency });
    }
    let addresses = [Some(&body.customer.billing), body.customer.delivery.as_ref()];
    if addresses.into_iter().flatten().any(|address| address.country != "SE") {
        return Err(PostingError::ForeignCustomer);
    }
    let paid_at = order.payment.paid_at.ok_or(PostingError::NotPaid)?;
    let date = swedish_day(paid_at);
    if !begun {
        chart.check_open(date)?;
    }
    let account = |role| chart.accounts.get(&role).copied().ok_or(PostingError::NoAccount { role });
    let row = |line: &Line| -> Result<PostingRow, PostingError> {
        Ok(PostingRow {
            kind: line.kind,
            sku: line.sku.clone(),
            text: line.text.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            vat_rate: line.vat_rate,
            account: account(AccountRole::sales(line.vat_rate))?,
        })
    };
    let rows = body.lines.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let (vat_by_row, vat_by_rate) = vat_both_ways(&rows, body.currency)?;
    Ok(Posting {
        reference: order.id.to_string(),
        order_number: body.order_number.clone(),
        profile,
        customer: body.customer.clone(),
        keys: customer_keys(order),
        date,
        currency: body.currency,
        rows,
        gross: body.total,
        vat_by_row,
        vat_by_rate,
        payment: PaymentPosting {
            amount: order.payment.captured,
            date,
            account: account(AccountRole::PaymentClaim)?,
            mode: chart.payment_mode.clone(),
            round_off_account: chart.accounts.get(&AccountRole::RoundOff).copied(),
            card_account: chart.card_account,
        },
        cash_method: chart.cash_method,
        credits: Vec::new(),
    })
}

/// VAT rounded row by row and rounded once per rate: which of them a provider uses is not documented
/// (`apis/fortnox.md` 6), so both are right.
fn vat_both_ways(rows: &[PostingRow], currency: Currency) -> Result<(Money, Money), MoneyError> {
    let mut by_row = Money::zero(currency);
    for row in rows {
        by_row = by_row.plus(row.vat_rate.inside_rounded(row.gross()?)?)?;
    }
    let mut by_rate = Money::zero(currency);
    for (rate, gross) in gross_by_rate(rows, currency)? {
        by_rate = by_rate.plus(rate.inside_rounded(gross)?)?;
    }
    Ok((by_row, by_rate))
}

/// Sums with VAT by rate.
fn gross_by_rate(rows: &[PostingRow], currency: Currency) -> Result<BTreeMap<VatRate, Money>, MoneyError> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.vat_rate).or_insert(Money::zero(currency));
        *sum = sum.plus(row.gross()?)?;
    }
    Ok(sums)
}

/// The keys of an order's customer. Without organization number and e-mail the customer is this order's alone.
fn customer_keys(order: &Order) -> CustomerKeys {
    let customer = &order.body.customer;
    let digits = |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let organisation_number = customer.organisation_number.as_ref().map(digits).filter(|d| !d.is_empty());
    let email = customer.email.as_ref().map(|e| e.trim().to_lowercase());
    let identity = match (&organisation_number, &email) {
        (Some(number), _) => format!("org:{number}"),
        (None, Some(email)) => format!("email:{email}"),
        (None, None) => format!("order:{}", order.id),
    };
    CustomerKeys { own_number: own_customer_number(&identity), organisation_number, email }
}

/// `BB` and twelve characters of the identity's hash: alike for everybody who computes it, and nobody's by chance.
fn own_customer_number(identity: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let hash = Sha256::digest(identity.as_bytes());
    let tail = hash.iter().take(12).map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    "BB".chars().chain(tail).collect()
}

impl Posting {
    /// Compares a document's totals with the order's. Rounding to whole kronor may stand beside the sum or inside it.
    ///
    /// # Errors
    /// When they differ: the document must not be booked then.
    pub fn check_totals(&self, computed: ComputedTotals) -> Result<(), TotalsDiffer> {
        let differ = || TotalsDiffer { computed, expected_gross: self.gross, expected_vat: self.vat_by_rate };
        let unrounded = computed.gross.minus(computed.round_off).map_err(|_| differ())?;
        let gross_agrees = computed.gross == self.gross || unrounded == self.gross;
        let vat_agrees = computed.vat == self.vat_by_row || computed.vat == self.vat_by_rate;
        let rounding_is_small = computed.round_off.minor.abs() < 100;
        if gross_agrees && vat_agrees && rounding_is_small { Ok(()) } else { Err(differ()) }
    }
}

#[cfg(test)]
#[path = "posting_tests.rs"]
mod tests;
