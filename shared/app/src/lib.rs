//! Use cases over small ports, errors sorted by what happens next, and in-memory adapters.
//!
//! A use case reads what should be true, reads what has been done, and does the next missing thing. It knows neither
//! HTTP nor a table nor a provider's name: those stand behind [`ports`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod accounting;
pub mod app;
pub mod audit;
pub mod auth;
pub mod connections;
pub mod contract;
mod credits;
pub mod days;
pub mod dead_letters;
pub mod effects;
pub mod error;
pub mod gate;
pub mod health;
pub mod language;
pub mod limits;
pub mod memory;
pub mod message;
pub mod metrics;
pub mod oauth;
pub mod orders;
pub mod overview;
pub mod parked;
pub mod payments;
pub mod ports;
pub mod pulls;
pub mod records;
pub mod registers;
pub mod replay;
pub mod resume;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod signin;
pub mod stamp;
pub mod sweep;
pub mod test_orders;
mod token_entry;
pub mod tokens;
pub mod warehouse;
pub mod webhooks;
pub mod wire;
pub mod work;
