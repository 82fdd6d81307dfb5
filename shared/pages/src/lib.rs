//! Pages for people in a browser: pure functions from data to HTML, in Swedish and English.
//!
//! Nothing here reads a table or asks a provider: whoever calls has the data already. Every page works without scripts
//! and without anything from elsewhere; what scripts there are only refresh and confirm.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod assets;
pub mod catalog;
pub mod chart;
pub mod connections;
pub mod consent;
pub mod contract;
pub mod dead_letters;
pub mod form;
pub mod format;
pub mod guide;
pub mod keys;
pub mod layout;
pub mod orders;
pub mod overview;
pub mod parked;
pub mod settings;
pub mod sign_in;
pub mod words;
pub mod work;

#[cfg(test)]
mod tests;

pub use catalog::{Language, Texts};
pub use maud::Markup;
