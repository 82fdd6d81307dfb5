//! What the books look like: accounts by what they are for, years, and the locked period.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::PostingError;
use crate::vat::VatRate;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    /// Sales at 25 %.
    #[serde(rename = "sales_25")]
    Sales25,
    /// Sales at 12 %.
    #[serde(rename = "sales_12")]
    Sales12,
    /// Sales at 6 %.
    #[serde(rename = "sales_6")]
    Sales6,
    /// Sales without tax.
    #[serde(rename = "sales_0")]
    Sales0,
    /// VAT on sales at 25 % (utgående moms).
    #[serde(rename = "vat_25")]
    Vat25,
    /// VAT on sales at 12 %.
    #[serde(rename = "vat_12")]
    Vat12,
    /// VAT on sales at 6 %.
    #[serde(rename = "vat_6")]
    Vat6,
    /// Claim on the payment provider until it pays out.
    PaymentClaim,
    /// Differences of öre (öresavrundning).
    RoundOff,
}

impl AccountRole {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Sales25,
        Self::Sales12,
        Self::Sales6,
        Self::Sales0,
        Self::Vat25,
        Self::Vat12,
        Self::Vat6,
        Self::PaymentClaim,
        Self::RoundOff,
    ];

    /// The account that sales at a rate go to.
    #[must_use]
    pub fn sales(rate: VatRate) -> Self {
        match rate {
            VatRate::Standard => Self::Sales25,
            VatRate::Reduced => Self::Sales12,
            VatRate::Low => Self::Sales6,
            VatRate::Zero => Self::Sales0,
        }
    }

    /// The account that the VAT of a rate goes to; none without VAT.
    #[must_use]
    pub fn vat(rate: VatRate) -> Option<Self> {
        match rate {
            VatRate::Standard => Some(Self::Vat25),
            VatRate::Reduced => Some(Self::Vat12),
            VatRate::Low => Some(Self::Vat6),
            VatRate::Zero => None,
        }
    }

    /// The role's name in settings and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales25 => "sales_25",
            Self::Sales12 => "sales_12",
            Self::Sales6 => "sales_6",
            Self::Sales0 => "sales_0",
            Self::Vat25 => "vat_25",
            Self::Vat12 => "vat_12",
            Self::Vat6 => "vat_6",
            Self::PaymentClaim => "payment_claim",
            Self::RoundOff => "round_off",
        }
    }
}

/// What the books look like: read from the provider's settings, overridden by the tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Chart {
    /// Account numbers (BAS) by what they are for.
    pub accounts: BTreeMap<AccountRole, u16>,
    /// The provider's code for the way of payment that books on the payment claim.
    pub payment_mode: Option<String>,
    /// Cash accounting (kontantmetoden): invoices are booked when they are paid.
    pub cash_method: bool,
    /// Last day of the locked period (låst period), when there is one.
    pub locked_through: Option<Date>,
    /// The account that the ledger program by itself books cash invoices on that are paid by card, where it has one.
    #[serde(default)]
    pub card_account: Option<u16>,
    /// The years that are open. No day counts as outside while none is known.
    #[serde(default)]
    pub years: Vec<BookYear>,
}

/// A financial year (räkenskapsår) that is there to be booked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookYear {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Chart {
    /// The chart with the tenant's own choices laid over it.
    #[must_use]
    pub fn overridden(mut self, accounts: &BTreeMap<AccountRole, u16>, payment_mode: Option<&str>) -> Self {
        self.accounts.extend(accounts);
        if let Some(mode) = payment_mode {
            self.payment_mode = Some(mode.to_owned());
        }
        self
    }

    /// Refuses a day in the locked period, and one that no financial year holds.
    pub(super) fn check_open(&self, date: Date) -> Result<(), PostingError> {
        if !self.years.is_empty() && !self.years.iter().any(|year| year.from <= date && date <= year.to) {
            return Err(PostingError::NoFinancialYear { date });
        }
        match self.locked_through {
            Some(through) if date <= through => Err(PostingError::LockedPeriod { date, through }),
            Some(_) | None => Ok(()),
        }
    }
}
