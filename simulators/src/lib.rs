//! Stand-ins that behave as the providers do, including their bad days.
#![allow(
    clippy::disallowed_methods,
    reason = "a simulator is a process of its own: its clock runs on real time and its server outlives requests"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod aws;
pub mod contract;
pub mod fortnox;
pub mod kit;
pub mod ongoing;
pub mod signin;
pub mod visma;
pub mod viva;
