//! Adapters for DynamoDB, Secrets Manager and SQS: the storage ports of `bokbro_app` over AWS.
//!
//! [`Clients::load`] reads the SDK's configuration once; from it come the [`Hub`] (orders, ledgers, parked items,
//! inbox and directory), the [`SqsQueues`], the [`SqsDeadLetters`] and the
//! [`SecretsVault`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clients;
mod dead_letters;
mod failure;
mod hub;
mod items;
mod queues;
mod vault;

#[cfg(test)]
mod canned;

pub use clients::Clients;
pub use dead_letters::SqsDeadLetters;
pub use hub::{Hub, Tables};
pub use queues::SqsQueues;
pub use vault::SecretsVault;
