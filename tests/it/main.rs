//! Integration tests, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop where it is")]

mod any_order;
mod aws_faults;
mod bad_orders;
mod cash_invoices;
mod closed_books;
mod compliance;
mod connections;
mod contract;
mod contracts;
mod crash_points;
mod days;
mod dead_letters;
mod docs;
mod events;
mod faults;
mod flows;
mod golden;
mod limits;
mod matching;
mod oauth;
mod overview;
mod read_back;
mod real_tokens;
mod reasons;
mod refunds;
mod refunds_unheard;
mod registers;
mod replay;
mod resolving;
mod restored;
mod schedule;
mod secrecy;
mod somebody_elses;
mod stack;
mod stack_aws_faults;
mod stack_contract;
mod stack_contract_fuzz;
mod stack_doors;
mod stack_guide;
mod stack_pages;
mod stack_parked;
mod stack_refunds;
mod stack_registers;
mod stack_replay;
mod stack_schedule;
mod stack_sweep;
mod stack_visma;
mod stack_warehouse;
mod stores;
mod sums;
mod sweeps;
mod table_fails;
<<<<<<< HEAD
mod test_orders;
=======
mod template;
>>>>>>> a5f2d30 (template: read by tests, against the code; docs: how to deploy)
mod tidy;
mod tokens;
mod visma;
mod vouchers;
mod warehouse;
mod ways_in;
