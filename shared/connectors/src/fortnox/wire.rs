//! Answers as Fortnox writes them. Scalars are read loosely, because their JSON types vary by endpoint and year
//! (`apis/fortnox.md` 2.6); unknown members are ignored.

use std::collections::BTreeMap;

use bokbro_domain::money::{Currency, Money};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::kit::LooseText;

/// A member that comes back instead of a value when a right or a licence is missing (`apis/fortnox.md` 2.2).
const NO_RIGHT: &str = "API_NORIGHT";
/// A reference to no document (`apis/fortnox.md` 2.6).
const NO_REFERENCE: &str = "0";

/// The text of a member, unless it is empty or withheld.
pub(super) fn text(member: &LooseText) -> Option<&str> {
    member.as_deref().filter(|text| *text != NO_RIGHT)
}

/// The number of a referenced document, unless there is none.
pub(super) fn reference(member: &LooseText) -> Option<&str> {
    text(member).filter(|number| *number != NO_REFERENCE)
}

/// An amount of kronor, to the öre.
pub(super) fn kronor(member: &LooseText) -> Option<Money> {
    money(member, Currency::SEK)
}

/// An amount, to the öre or its like. Fortnox writes floats, so digits beyond that are noise and are rounded off.
pub(super) fn money(member: &LooseText, currency: Currency) -> Option<Money> {
    let minor = member.to_decimal()?.checked_mul(rust_decimal::Decimal::ONE_HUNDRED)?;
    Money::from_minor_rounded(minor, currency).ok()
}

/// A day.
pub(super) fn day(member: &LooseText) -> Option<Date> {
    text(member)?.parse().ok()
}

/// An account number.
pub(super) fn account(member: &LooseText) -> Option<u16> {
    text(member)?.parse().ok()
}

/// An answer with one document under the name of its kind.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Envelope(BTreeMap<String, Box<RawValue>>);

impl Envelope {
    /// The member under a name.
    pub(super) fn member<T: DeserializeOwned>(&self, name: &str) -> Result<T, serde_json::Error> {
        let raw = self.0.get(name).ok_or_else(|| serde::de::Error::missing_field("the document"))?;
        serde_json::from_str(raw.get())
    }
}

/// Where a page of a list stands.
#[derive(Deserialize, Default)]
pub(super) struct Meta {
    /// Pages in all, 0 when the list is empty.
    #[serde(rename = "@TotalPages", default)]
    pub(super) total_pages: LooseText,
    /// Documents in all.
    #[serde(rename = "@TotalResources", default)]
    pub(super) total_resources: LooseText,
}

/// A customer, as a document or in a list.
#[derive(Deserialize, Default, Debug, PartialEq, Eq, Clone)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Customer {
    pub(super) customer_number: LooseText,
    pub(super) organisation_number: LooseText,
    pub(super) email: LooseText,
    /// Not in lists.
    pub(super) active: LooseText,
}

/// An order, as a document or in a list.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Order {
    pub(super) document_number: LooseText,
    pub(super) external_invoice_reference1: LooseText,
    pub(super) cancelled: LooseText,
    /// Not in lists.
    pub(super) invoice_reference: LooseText,
}

/// An invoice, as a document or in a list.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Invoice {
    pub(super) document_number: LooseText,
    pub(super) external_invoice_reference1: LooseText,
    pub(super) customer_number: LooseText,
    pub(super) cancelled: LooseText,
    pub(super) booked: LooseText,
    pub(super) invoice_date: LooseText,
    pub(super) currency: LooseText,
    pub(super) total: LooseText,
    pub(super) balance: LooseText,
    /// When the last of it was paid.
    pub(super) final_pay_date: LooseText,
    /// Not in lists, like what follows.
    #[serde(rename = "TotalVAT")]
    pub(super) total_vat: LooseText,
    pub(super) round_off: LooseText,
    pub(super) total_to_pay: LooseText,
    pub(super) accounting_method: LooseText,
    /// Whether it is a credit invoice, as text (`apis/fortnox.md` 2.6).
    pub(super) credit: LooseText,
    /// Number of the credit invoice that somebody made of this one, `"0"` for none.
    pub(super) credit_invoice_reference: LooseText,
}

/// A payment of an invoice, as a document or in a list.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InvoicePayment {
    pub(super) number: LooseText,
    pub(super) invoice_number: LooseText,
    pub(super) amount: LooseText,
    pub(super) payment_date: LooseText,
    pub(super) booked: LooseText,
    /// Not in lists.
    pub(super) mode_of_payment_account: LooseText,
}

/// An account that Fortnox uses for something by itself.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PredefinedAccount {
    pub(super) name: LooseText,
    pub(super) account: LooseText,
}

/// An account of the chart.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Account {
    pub(super) number: LooseText,
    pub(super) active: LooseText,
}

/// A way of payment.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ModeOfPayment {
    pub(super) code: LooseText,
    pub(super) account_number: LooseText,
}

/// A financial year.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct FinancialYear {
    pub(super) id: LooseText,
    pub(super) from_date: LooseText,
    pub(super) to_date: LooseText,
    pub(super) accounting_method: LooseText,
}

impl FinancialYear {
    /// Its first and last day.
    pub(super) fn days(&self) -> Option<(Date, Date)> {
        let date = |member: &LooseText| text(member)?.parse().ok();
        Some((date(&self.from_date)?, date(&self.to_date)?))
    }

    /// Whether it holds a day.
    pub(super) fn holds(&self, day: Date) -> bool {
        self.days().is_some_and(|(from, to)| from <= day && day <= to)
    }
}

/// A voucher, as a document or in a list.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Voucher {
    pub(super) voucher_series: LooseText,
    pub(super) voucher_number: LooseText,
    pub(super) transaction_date: LooseText,
    pub(super) description: LooseText,
    pub(super) comments: LooseText,
    /// Not in lists.
    pub(super) voucher_rows: Option<Vec<VoucherRow>>,
}

/// A row of a voucher.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VoucherRow {
    account: LooseText,
    debit: LooseText,
    credit: LooseText,
    removed: LooseText,
}

impl VoucherRow {
    /// Account and amount, debit positive. A row that was crossed out counts for nothing.
    pub(super) fn entry(&self) -> Option<(u16, Money)> {
        let account = account(&self.account)?;
        let side = |member| kronor(member).unwrap_or(Money::zero(Currency::SEK));
        let amount = side(&self.debit).minus(side(&self.credit)).ok()?;
        let counts = self.removed.to_bool() != Some(true);
        Some((account, if counts { amount } else { Money::zero(Currency::SEK) }))
    }
}

/// A series of vouchers.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VoucherSeries {
    /// Whether vouchers may be written into it that come from no other document.
    pub(super) manual: LooseText,
}

/// The locked period.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LockedPeriod {
    pub(super) end_date: LooseText,
}

/// A refusal; the casing of the members varies (`apis/fortnox.md` 3).
#[derive(Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "ErrorInformation")]
    pub(super) information: ErrorInformation,
}

/// What a refusal says. Its text may quote what was sent, so it is not even read.
#[derive(Deserialize)]
pub(super) struct ErrorInformation {
    #[serde(rename = "code", alias = "Code", default)]
    pub(super) code: LooseText,
}

/// The company itself. Its database number is a number here and text elsewhere.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CompanyInformation {
    pub(super) company_name: LooseText,
    pub(super) organization_number: LooseText,
    pub(super) database_number: LooseText,
}

/// What is read of an access token.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(rename = "tenantId", default)]
    pub(super) tenant_id: LooseText,
    #[serde(default)]
    pub(super) scopes: Option<Vec<String>>,
}
