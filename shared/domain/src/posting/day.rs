//! A day's sales as one voucher (verifikation): for merchants whose books need no invoice per order.

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
