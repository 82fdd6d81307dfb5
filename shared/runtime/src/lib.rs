//! What every function needs at start: configuration, telemetry, event adapters.
//!
//! Only this crate reads the environment and the real clock. A function's `main` is: start the [`Platform`], hand
//! events to a use case, translate its outcome back.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod browser;
mod clock;
pub mod config;
pub mod http;
mod platform;
pub mod problem;
pub mod sources;
pub mod sqs;
pub mod telemetry;
pub mod tick;

pub use clock::SystemClock;
pub use platform::{Platform, Receiver, StartError};
