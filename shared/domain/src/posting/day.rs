//! A day's sales as one voucher (verifikation): for merchants whose books need no invoice per order.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::money::Money;

/// One row of a voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherRow {
    /// Account number (BAS).
    pub account: u16,
    /// Debit when positive, credit when negative; never zero.
    pub amount: Money,
    /// What the row is, for people.
    pub text: String,
}

/// What a day of one kind of payment becomes in the books. The rows add up to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayVoucher {
    /// Marker inside the voucher, unlike any other voucher's: letters, digits, `-` and `_`, no more than 60.
    pub reference: String,
    /// Day of the voucher.
    pub date: Date,
    /// What people read, `Viva card 2026-11-20, 12 orders` say.
    pub text: String,
    /// The rows by account, debit first.
    pub rows: Vec<VoucherRow>,
}

impl DayVoucher {
    /// Whether rows of account and amount, debit positive, come to the same on every account, in whatever order and
    /// however they are split.
    #[must_use]
    pub fn has_rows(&self, rows: impl IntoIterator<Item = (u16, Money)>) -> bool {
        let ours = self.rows.iter().map(|row| (row.account, row.amount));
        by_account(rows) == by_account(ours)
    }
}

/// Öre by account, without those that come to nothing.
fn by_account(rows: impl IntoIterator<Item = (u16, Money)>) -> BTreeMap<u16, i128> {
    let mut sums: BTreeMap<u16, i128> = BTreeMap::new();
    for (account, amount) in rows {
        *sums.entry(account).or_default() += i128::from(amount.minor);
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}
