//! The store: orders, ledgers, parked items, inbox and directory over two DynamoDB tables.

mod batches;
mod counters;
mod days;
mod directory;
mod inbox;
mod jobs;
mod keyring;
mod ledgers;
mod limits;
mod mappings;
mod nonces;
mod open;
mod orders;
mod pages;
mod parking;
mod retries;
mod tokens;
mod transaction;
mod warehouse;

#[cfg(test)]
mod tests;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::ReturnValue;
use bokbro_app::error::Error;

use crate::failure::storage;
use crate::items::Item;
use crate::items::keys::Key;

/// Names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Everything that is kept.
    pub hub: String,
    /// Keys of requests and deliveries that must count once.
    pub idempotency: String,
}

/// The store over DynamoDB.
#[derive(Debug, Clone)]
pub struct Hub {
    client: Client,
    tables: Tables,
}

impl Hub {
    /// The store over the two tables.
    pub(crate) fn new(config: &SdkConfig, tables: Tables) -> Self {
        let config = Builder::from(config).retry_classifier(retries::Conflicts).build();
        Self { client: Client::from_conf(config), tables }
    }

    /// Reads one item of the hub table, as it is after every write that has been acknowledged.
    async fn get(&self, step: &'static str, key: Key) -> Result<Option<Item>, Error> {
        let request = self.client.get_item().table_name(&self.tables.hub).set_key(Some(key.into_item()));
        let output = request.consistent_read(true).send().await.map_err(storage(step))?;
        Ok(output.item)
    }

    /// Writes one item of the hub table over whatever is there.
    async fn put(&self, step: &'static str, item: Item) -> Result<(), Error> {
        let request = self.client.put_item().table_name(&self.tables.hub).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(storage(step))
    }

    /// Deletes one item of the hub table; says whether it was there.
    async fn delete(&self, step: &'static str, key: Key) -> Result<bool, Error> {
        let request = self.client.delete_item().table_name(&self.tables.hub).set_key(Some(key.into_item()));
        let output = request.return_values(ReturnValue::AllOld).send().await.map_err(storage(step))?;
        Ok(output.attributes.is_some_and(|item| !item.is_empty()))
    }
}
