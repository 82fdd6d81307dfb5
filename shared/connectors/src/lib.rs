//! One folder per provider over a shared kit that sends, retries, pages and logs.
//!
//! Only this crate opens sockets to providers, and no provider's name appears outside its folder and the registry.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod external;
pub mod fortnox;
pub mod kit;
pub mod ongoing;
pub mod registry;
pub mod signin;
pub mod visma;
pub mod viva;
