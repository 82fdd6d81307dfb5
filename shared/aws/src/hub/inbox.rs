//! Deliveries that have been dealt with, in the idempotency table.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use bokbro_app::error::Error;
use bokbro_app::ports::Inbox;
use jiff::Timestamp;

use super::Hub;
use crate::failure::storage;
use crate::items::{records, text};

#[async_trait]
impl Inbox for Hub {
    async fn delivery_outcome(&self, id: &str, now: Timestamp) -> Result<Option<String>, Error> {
        const STEP: &str = "reading a delivery";
        let request = self.client.get_item().table_name(&self.tables.idempotency).key("id", text(id));
        let output = request.consistent_read(true).send().await.map_err(storage(STEP))?;
        let Some(item) = output.item else { return Ok(None) };
        let done = records::Completed::read(&item).map_err(|e| Error::storage(STEP, e))?;
        // The table deletes up to two days late.
        Ok((done.expiration > now.as_second()).then(|| done.data.to_owned()))
    }

    async fn delivery_done(&self, id: &str, outcome: &str, expires_at: Timestamp) -> Result<(), Error> {
        let item = records::completed(id, outcome, None, expires_at);
        let request = self.client.put_item().table_name(&self.tables.idempotency).set_item(Some(item));
        match request.condition_expression("attribute_not_exists(id)").send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(storage("recording a delivery")(error)),
        }
    }
}
