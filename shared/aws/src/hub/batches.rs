//! Reading and writing many items with few calls.

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use bokbro_app::error::Error;

use super::Hub;
use crate::failure::{Failure, storage};
use crate::items::Item;
use crate::items::keys::Key;

/// Most keys that DynamoDB reads in one batch.
const MAX_GETS: usize = 100;
/// Most items that DynamoDB writes in one batch.
const MAX_PUTS: usize = 25;
/// How often in a row DynamoDB may do nothing of a batch, as it does when throttled, before that is a failure.
const TRIES: u32 = 3;

/// Counts the rounds in which DynamoDB did nothing.
#[derive(Default)]
struct Idle(u32);

impl Idle {
    fn round(&mut self, step: &'static str, left: usize, before: usize) -> Result<(), Error> {
        self.0 = if left < before { 0 } else { self.0 + 1 };
        if self.0 < TRIES {
            return Ok(());
        }
        Err(Error::storage(step, Failure::coded("a part of a batch was never processed")))
    }
}

impl Hub {
    /// Reads items of the hub table, as they are after every write that has been acknowledged; those that are not there are
    /// left out. No key may stand there twice.
    pub(super) async fn batch_get(&self, step: &'static str, keys: Vec<Key>) -> Result<Vec<Item>, Error> {
        let (mut items, mut idle) = (Vec::new(), Idle::default());
        let mut wanted: Vec<Item> = keys.into_iter().map(Key::into_item).collect();
        while !wanted.is_empty() {
            let before = wanted.len();
            let rest = wanted.split_off(before.min(MAX_GETS));
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let keys = keys.map_err(|e| Error::storage(step, e))?;
            let request = self.client.batch_get_item().request_items(&self.tables.hub, keys);
            let output = request.send().await.map_err(storage(step))?;
            items.extend(
                output.responses.and_then(|mut tables| tables.remove(&self.tables.hub)).unwrap_or_default(),
            );
            let left = output.unprocessed_keys.and_then(|mut tables| tables.remove(&self.tables.hub));
            wanted = rest;
            wanted.extend(left.map(|keys| keys.keys).unwrap_or_default());
            idle.round(step, wanted.len(), before)?;
        }
        Ok(items)
    }

    /// Writes items of the hub table over whatever is there. No key may stand there twice.
    pub(super) async fn batch_put(&self, step: &'static str, items: Vec<Item>) -> Result<(), Error> {
        let (mut wanted, mut idle) = (items, Idle::default());
        while !wanted.is_empty() {
            let before = wanted.len();
            let rest = wanted.split_off(before.min(MAX_PUTS));
            let puts = wanted.into_iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            });
            let puts = puts.collect::<Result<Vec<_>, aws_sdk_dynamodb::error::BuildError>>();
            let puts = puts.map_err(|e| Error::storage(step, e))?;
            let request = self.client.batch_write_item().request_items(&self.tables.hub, puts);
            let output = request.send().await.map_err(storage(step))?;
            let left = output.unprocessed_items.and_then(|mut tables| tables.remove(&self.tables.hub));
            wanted = rest;
            let left = left.unwrap_or_default().into_iter();
            wanted.extend(left.filter_map(|write| write.put_request).map(|put| put.item));
            idle.round(step, wanted.len(), before)?;
        }
        Ok(())
    }
}
