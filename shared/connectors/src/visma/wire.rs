//! The shapes of Visma's JSON, as far as they are used. Names came in both casings within months (`apis/visma.md` 6), so
//! both are read, and everything may be missing.

use bokbro_domain::money::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::kit::LooseText;

/// An amount of kronor, to the öre.
pub(super) fn kronor(member: &LooseText) -> Option<Money> {
    money(member, Currency::SEK)
}

/// An amount, to the öre or its like. Visma writes doubles, so digits beyond that are noise and are rounded off.
pub(super) fn money(member: &LooseText, currency: Currency) -> Option<Money> {
    let minor = member.to_decimal()?.checked_mul(Decimal::ONE_HUNDRED)?;
    Money::from_minor_rounded(minor, currency).ok()
}

/// A moment, which Visma means in UTC whether it says so or not.
pub(super) fn moment(member: &LooseText) -> Option<Timestamp> {
    let text = member.as_deref()?;
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}

/// A day, with or without a time behind it. The first day of all is how .NET writes none.
pub(super) fn day(member: &LooseText) -> Option<Date> {
    let text = member.as_deref()?;
    let day: Date = text.get(..10).unwrap_or(text).parse().ok()?;
    Some(day).filter(|day| day.year() > 1)
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(rename = "Data", alias = "data")]
    pub(super) data: Vec<T>,
    #[serde(rename = "Meta", alias = "meta", default)]
    pub(super) meta: Meta,
}

/// Where a page stands.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Meta {
    #[serde(rename = "TotalNumberOfPages", alias = "totalNumberOfPages")]
    pub(super) pages: LooseText,
    #[serde(rename = "TotalNumberOfResults", alias = "totalNumberOfResults")]
    pub(super) results: LooseText,
}

/// The company.
#[derive(Deserialize)]
pub(super) struct CompanySettings {
    #[serde(rename = "Name", alias = "name", default)]
    pub(super) name: LooseText,
    #[serde(rename = "CorporateIdentityNumber", alias = "corporateIdentityNumber", default)]
    pub(super) corporate_identity_number: LooseText,
    #[serde(rename = "CompanyIdentifier", alias = "companyIdentifier", default)]
    company_identifier: LooseText,
    #[serde(rename = "AccountingLockedTo", alias = "accountingLockedTo", default)]
    pub(super) accounting_locked_to: LooseText,
    /// Which variant of the program it has, by number.
    #[serde(rename = "ProductVariant", alias = "productVariant", default)]
    pub(super) product_variant: LooseText,
}

impl CompanySettings {
    /// The company's own id, in lower case.
    pub(super) fn company_identifier(&self) -> Option<String> {
        self.company_identifier.as_deref().map(str::to_lowercase)
    }
}

/// A customer.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Customer {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "customerNumber")]
    pub(super) customer_number: LooseText,
    #[serde(alias = "corporateIdentityNumber")]
    pub(super) corporate_identity_number: LooseText,
    #[serde(alias = "emailAddress")]
    pub(super) email_address: LooseText,
    #[serde(alias = "isActive")]
    pub(super) is_active: LooseText,
    #[serde(alias = "isPrivatePerson")]
    pub(super) is_private_person: LooseText,
    #[serde(alias = "currencyCode")]
    pub(super) currency_code: LooseText,
    #[serde(alias = "changedUtc")]
    pub(super) changed_utc: LooseText,
}

/// An article.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Article {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "number")]
    pub(super) number: LooseText,
    #[serde(alias = "isActive")]
    pub(super) is_active: LooseText,
}

/// A draft.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Draft {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "isCreditInvoice")]
    pub(super) is_credit_invoice: LooseText,
    #[serde(alias = "ourReference")]
    pub(super) our_reference: LooseText,
    #[serde(alias = "rows")]
    pub(super) rows: Option<Vec<Row>>,
    #[serde(alias = "includesVat")]
    pub(super) includes_vat: LooseText,
    #[serde(alias = "totalAmount")]
    pub(super) total_amount: LooseText,
    #[serde(alias = "totalVatAmount")]
    pub(super) total_vat_amount: LooseText,
    #[serde(alias = "totalRoundings")]
    pub(super) total_roundings: LooseText,
}

/// An invoice.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Invoice {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "invoiceNumber")]
    pub(super) invoice_number: LooseText,
    #[serde(alias = "isCreditInvoice")]
    pub(super) is_credit_invoice: LooseText,
    #[serde(alias = "createdFromDraftId")]
    pub(super) created_from_draft_id: LooseText,
    #[serde(alias = "creditedBy")]
    pub(super) credited_by: Option<Vec<CreditedBy>>,
    #[serde(alias = "ourReference")]
    pub(super) our_reference: LooseText,
    #[serde(alias = "rows")]
    pub(super) rows: Option<Vec<Row>>,
    #[serde(alias = "includesVat")]
    pub(super) includes_vat: LooseText,
    #[serde(alias = "totalAmountInvoiceCurrency")]
    pub(super) total_amount_invoice_currency: LooseText,
    #[serde(alias = "totalVatAmountInvoiceCurrency")]
    pub(super) total_vat_amount_invoice_currency: LooseText,
    #[serde(alias = "totalRoundings")]
    pub(super) total_roundings: LooseText,
    #[serde(alias = "remainingAmountInvoiceCurrency")]
    pub(super) remaining_amount_invoice_currency: LooseText,
    #[serde(alias = "paymentDate")]
    pub(super) payment_date: LooseText,
    #[serde(alias = "customerId")]
    pub(super) customer_id: LooseText,
    #[serde(alias = "customerNumber")]
    pub(super) customer_number: LooseText,
    #[serde(alias = "invoiceDate")]
    pub(super) invoice_date: LooseText,
    #[serde(alias = "currencyCode")]
    pub(super) currency_code: LooseText,
    #[serde(alias = "voucherId")]
    pub(super) voucher_id: LooseText,
    #[serde(alias = "modifiedUtc")]
    pub(super) modified_utc: LooseText,
}

/// A row of a draft or an invoice.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Row {
    #[serde(alias = "text")]
    pub(super) text: LooseText,
}

/// That an invoice was credited.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CreditedBy {
    #[serde(alias = "creditInvoiceId")]
    pub(super) credit_invoice_id: LooseText,
}

/// A payment, which has no id of its own.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Payment {
    #[serde(alias = "paymentAmount")]
    pub(super) payment_amount: LooseText,
    #[serde(alias = "bankTransactionId")]
    pub(super) bank_transaction_id: LooseText,
}

/// Which accounts an article's sales go to.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Coding {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "isActive")]
    pub(super) is_active: LooseText,
    #[serde(alias = "vatRatePercent")]
    vat_rate_percent: LooseText,
    #[serde(alias = "domesticSalesSubjectToVatAccountNumber")]
    domestic_sales_subject_to_vat_account_number: LooseText,
    #[serde(alias = "domesticSalesVatExemptAccountNumber")]
    domestic_sales_vat_exempt_account_number: LooseText,
    #[serde(alias = "domesticSalesVatCodeExemptAccountNumber")]
    domestic_sales_vat_code_exempt_account_number: LooseText,
}

impl Coding {
    /// The rate in percent. Whether Visma writes 25 or 0.25 is not documented, and no rate is below one percent.
    pub(super) fn percent(&self) -> Option<Decimal> {
        let rate = self.vat_rate_percent.to_decimal()?;
        Some(if rate < Decimal::ONE { rate * Decimal::ONE_HUNDRED } else { rate })
    }

    /// The sales account inside Sweden.
    pub(super) fn account(&self) -> Option<u16> {
        let number = |member: &LooseText| member.as_deref()?.parse().ok();
        let exempt = [
            &self.domestic_sales_vat_exempt_account_number,
            &self.domestic_sales_vat_code_exempt_account_number,
        ];
        let taxed = [&self.domestic_sales_subject_to_vat_account_number];
        if self.percent()?.is_zero() {
            exempt.into_iter().chain(taxed).find_map(number)
        } else {
            taxed.into_iter().find_map(number)
        }
    }
}

/// A unit of quantities.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Unit {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "code")]
    pub(super) code: LooseText,
    #[serde(alias = "abbreviation")]
    pub(super) abbreviation: LooseText,
}

/// Terms of payment.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Terms {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "numberOfDays")]
    pub(super) number_of_days: LooseText,
    #[serde(alias = "termsOfPaymentTypeId")]
    pub(super) terms_of_payment_type_id: LooseText,
    #[serde(alias = "availableForSales")]
    pub(super) available_for_sales: LooseText,
}

/// A bank account, which is any account that money comes to.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BankAccount {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "isActive")]
    pub(super) is_active: LooseText,
    #[serde(alias = "ledgerAccountNumber")]
    pub(super) ledger_account_number: LooseText,
    #[serde(alias = "currencyCode")]
    pub(super) currency_code: LooseText,
}

/// A fiscal year.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct FiscalYear {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "startDate")]
    start_date: LooseText,
    #[serde(alias = "endDate")]
    end_date: LooseText,
    #[serde(alias = "isLockedForAccounting")]
    is_locked_for_accounting: LooseText,
}

impl FiscalYear {
    /// Its first and last day.
    pub(super) fn days(&self) -> Option<(Date, Date)> {
        Some((day(&self.start_date)?, day(&self.end_date)?))
    }

    /// Whether it holds a day.
    pub(super) fn holds(&self, day: Date) -> bool {
        self.days().is_some_and(|(from, to)| from <= day && day <= to)
    }

    /// Whether nothing can be booked in it any more.
    pub(super) fn is_locked(&self) -> bool {
        self.is_locked_for_accounting.to_bool() == Some(true)
    }
}

/// An account of a fiscal year's chart.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Account {
    #[serde(alias = "number")]
    pub(super) number: LooseText,
    #[serde(alias = "isActive")]
    pub(super) is_active: LooseText,
}

/// A voucher or a draft of one.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Voucher {
    #[serde(alias = "id")]
    pub(super) id: LooseText,
    #[serde(alias = "voucherDate")]
    pub(super) voucher_date: LooseText,
    #[serde(alias = "voucherText")]
    pub(super) voucher_text: LooseText,
    /// Not of a draft.
    #[serde(alias = "numberAndNumberSeries")]
    pub(super) number_and_number_series: LooseText,
    #[serde(alias = "rows")]
    pub(super) rows: Option<Vec<VoucherRow>>,
}

/// A row of a voucher.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VoucherRow {
    #[serde(alias = "accountNumber")]
    account_number: LooseText,
    #[serde(alias = "debitAmount")]
    debit_amount: LooseText,
    #[serde(alias = "creditAmount")]
    credit_amount: LooseText,
}

impl VoucherRow {
    /// Account and amount, debit positive.
    pub(super) fn entry(&self) -> Option<(u16, Money)> {
        let account = self.account_number.as_deref()?.parse().ok()?;
        let side = |member| kronor(member).unwrap_or(Money::zero(Currency::SEK));
        Some((account, side(&self.debit_amount).minus(side(&self.credit_amount)).ok()?))
    }
}

/// A refusal of the API. Its text may quote what was sent, so it is not even read.
#[derive(Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "ErrorCode", alias = "errorCode", default)]
    pub(super) error_code: LooseText,
}

/// A refusal because of too many calls. Only the number in its text is used.
#[derive(Deserialize)]
pub(super) struct Limited {
    #[serde(rename = "DeveloperErrorMessage", alias = "developerErrorMessage", default)]
    pub(super) text: LooseText,
}

/// What is read of an access token.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    pub(super) customer_id: LooseText,
}
