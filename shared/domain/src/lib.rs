//! Pure decisions: money, orders, payments, posting rules and the effect ledger.
//!
//! Nothing here reads a clock, an environment, a socket or a table: values go in, values come out. What cannot be
//! reached cannot fail, so every rule that decides about somebody's books can be tested as a table.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod day;
pub mod effect;
pub mod ids;
pub mod in_books;
pub mod limit;
pub mod money;
pub mod order;
pub mod payment;
pub mod posting;
pub mod rate;
pub mod retry;
pub mod said;
pub mod shipment;
pub mod token;
pub mod vat;

#[cfg(test)]
mod testing;
