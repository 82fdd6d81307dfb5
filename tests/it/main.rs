//! Integration tests, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop where it is")]

mod any_order;
mod aws_faults;
mod bad_orders;
mod connections;
mod contracts;
mod crash_points;
mod dead_letters;
mod docs;
mod events;
mod faults;
mod flows;
mod limits;
mod matching;
mod oauth;
mod real_tokens;
mod reasons;
mod refunds;
mod replay;
mod resolving;
mod schedule;
mod secrecy;
mod somebody_elses;
mod stack;
mod stack_aws_faults;
mod stack_doors;
mod stack_parked;
mod stack_refunds;
mod stack_replay;
mod stack_schedule;
mod stack_sweep;
mod stack_warehouse;
mod stores;
mod sweeps;
mod table_fails;
mod tidy;
mod tokens;
mod visma;
mod warehouse;
mod ways_in;
