//! Integration tests, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop where it is")]

mod bad_orders;
mod connections;
mod contracts;
mod crash_points;
mod docs;
mod events;
mod flows;
mod oauth;
mod real_tokens;
mod schedule;
mod secrecy;
mod somebody_elses;
mod stack;
mod stack_schedule;
mod stores;
mod tidy;
mod tokens;
mod visma;
mod ways_in;
