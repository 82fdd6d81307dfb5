//! Counts that all processes add to: one item per subject and window, forgotten by the table itself.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use bokbro_app::error::Error;
use bokbro_app::ports::Counters;
use bokbro_domain::rate::Window;

use super::Hub;
use crate::failure::storage;
use crate::items::keys::Key;
use crate::items::{Reader, VERSION, number};

const STEP: &str = "counting calls";
/// How long a count is kept after its window, in seconds: somebody may want to look.
const KEPT: i64 = 3_600;

#[async_trait]
impl Counters for Hub {
    async fn counter_add(&self, subject: &str, window: Window, calls: u64) -> Result<u64, Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.hub)
            .set_key(Some(Key::counter(subject, window.number).into_item()))
            .update_expression("ADD calls :calls SET v = :v, expires_at = :expires_at")
            .expression_attribute_values(":calls", number(calls))
            .expression_attribute_values(":v", number(VERSION))
            .expression_attribute_values(":expires_at", number(window.until.as_second() + KEPT))
            .return_values(ReturnValue::AllNew);
        let output = update.send().await.map_err(storage(STEP))?;
        let item = output.attributes.unwrap_or_default();
        let reader = Reader::new("counter", &item).map_err(|e| Error::storage(STEP, e))?;
        reader.number("calls").map_err(|e| Error::storage(STEP, e))
    }
}
