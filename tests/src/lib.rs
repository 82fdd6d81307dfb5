//! Helpers shared by the integration tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop where it is")]

pub mod browser;
pub mod chromium;
pub mod cloud;
pub mod compliance;
pub mod contract;
pub mod crash;
pub mod engine;
pub mod faults;
pub mod golden;
pub mod local_aws;
pub mod office;
pub mod registers;
pub mod stack;
pub mod store_contract;
pub mod traffic;
pub mod visitor;
pub mod visma_world;
pub mod warehouse;
pub mod world;
