//! A day's voucher in both ledger programs.

mod effectors;
