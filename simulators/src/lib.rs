//! Stand-ins that behave as the providers do, including their bad days.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod fortnox;
pub mod kit;
pub mod viva;
