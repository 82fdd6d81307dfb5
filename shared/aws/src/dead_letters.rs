//! Dead letters over SQS.
//!
//! SQS shows a message only to those who receive it: every look is a receive that hides the message for a while. A
//! receive of an empty queue waits for a second, which makes SQS ask all of its servers; without, it may miss messages.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use bokbro_app::error::Error;
use bokbro_app::message::Envelope;
use bokbro_app::ports::{DeadLetter, DeadLetters, Moving, QueueName};
use jiff::Timestamp;

use crate::failure::{Failure, storage};
use crate::queues::{BATCH, CORRELATION, MAX_VISIBILITY, correlation, seconds};

/// Seconds that a receive waits for a message to come.
const WAIT: i32 = 1;
/// Most messages a second that SQS moves by itself.
const MAX_RATE: u32 = 500;
/// Group of messages that do not tell whose they are.
const NOBODY: &str = "operator";

/// Where a queue and its dead letters are.
#[derive(Debug, Clone)]
struct Urls {
    queue: String,
    dead: String,
}

/// Dead letters over SQS.
#[derive(Debug, Clone)]
pub struct SqsDeadLetters {
    client: Client,
    urls: BTreeMap<QueueName, Urls>,
}

impl SqsDeadLetters {
    /// The dead letters of those queues of which both addresses are known.
    pub(crate) fn new(
        config: &SdkConfig,
        queues: &BTreeMap<QueueName, String>,
        dead: &BTreeMap<QueueName, String>,
    ) -> Self {
        let urls = dead.iter().filter_map(|(name, dead)| {
            let queue = queues.get(name)?.clone();
            Some((*name, Urls { queue, dead: dead.clone() }))
        });
        Self { client: Client::new(config), urls: urls.collect() }
    }

    fn urls(&self, step: &'static str, queue: QueueName) -> Result<&Urls, Error> {
        self.urls.get(&queue).ok_or_else(|| {
            let what = format!("no address is set for the dead letters of queue {queue:?}");
            Error::storage(step, Failure::coded(what))
        })
    }

    async fn count(
        &self,
        step: &'static str,
        queue: QueueName,
        name: QueueAttributeName,
    ) -> Result<u64, Error> {
        let count = self.attribute(step, &self.urls(step, queue)?.dead, name).await?;
        count.parse().map_err(|e: std::num::ParseIntError| Error::storage(step, e))
    }

    async fn attribute(
        &self,
        step: &'static str,
        url: &str,
        name: QueueAttributeName,
    ) -> Result<String, Error> {
        let request = self.client.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let output = request.send().await.map_err(storage(step))?;
        let value = output.attributes.and_then(|mut attributes| attributes.remove(&name));
        value.ok_or_else(|| Error::storage(step, Failure::coded(format!("the queue has no {name}"))))
    }
}

/// A message as it was received.
fn dead_letter(message: Message) -> Option<DeadLetter> {
    let attribute = |name| message.attributes.as_ref().and_then(|attributes| attributes.get(&name));
    let sent_at = attribute(MessageSystemAttributeName::SentTimestamp).and_then(|text| text.parse().ok());
    let receives =
        attribute(MessageSystemAttributeName::ApproximateReceiveCount).and_then(|text| text.parse().ok());
    let (sent_at, receives) =
        (sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()), receives.unwrap_or(1));
    let body = message.body.unwrap_or_default();
    Some(DeadLetter {
        id: message.message_id?,
        receipt: message.receipt_handle?,
        sent_at,
        receives,
        message: Envelope::parse(&body),
        body,
    })
}

/// SQS answers 200 to a batch of which it took a part.
fn whole(step: &'static str, failed: &[BatchResultErrorEntry]) -> Result<(), Error> {
    match failed.first() {
        None => Ok(()),
        Some(failed) => Err(Error::storage(step, Failure::coded(failed.code.clone()))),
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn dead_letters_take(
        &self,
        queue: QueueName,
        max: usize,
        hidden: Duration,
    ) -> Result<Vec<DeadLetter>, Error> {
        const STEP: &str = "taking dead letters";
        let request = self
            .client
            .receive_message()
            .queue_url(&self.urls(STEP, queue)?.dead)
            .max_number_of_messages(i32::try_from(max.clamp(1, BATCH)).unwrap_or(1))
            .visibility_timeout(seconds(hidden, MAX_VISIBILITY))
            .wait_time_seconds(WAIT)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let output = request.send().await.map_err(storage(STEP))?;
        Ok(output.messages.unwrap_or_default().into_iter().filter_map(dead_letter).collect())
    }

    async fn dead_letters_give_back(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        const STEP: &str = "giving dead letters back";
        for batch in letters.chunks(BATCH) {
            let url = &self.urls(STEP, queue)?.dead;
            let mut request = self.client.change_message_visibility_batch().queue_url(url);
            for (index, letter) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&letter.receipt)
                    .visibility_timeout(0);
                request = request.entries(entry.build().map_err(|e| Error::storage(STEP, e))?);
            }
            // Single failures are of messages that are in sight already, or gone.
            request.send().await.map_err(storage(STEP))?;
        }
        Ok(())
    }

    async fn dead_letters_resend(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        const STEP: &str = "sending dead letters again";
        for batch in letters.chunks(BATCH) {
            let mut request = self.client.send_message_batch().queue_url(&self.urls(STEP, queue)?.queue);
            for (index, letter) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
                let entry = match &letter.message {
                    Ok(message) => entry
                        .message_body(message.anew().to_json())
                        .message_group_id(message.tenant.as_str())
                        .message_attributes(CORRELATION, correlation(STEP, message)?),
                    // As it came: the worker parks what it cannot read.
                    Err(_) => entry.message_body(&letter.body).message_group_id(NOBODY),
                };
                request = request.entries(entry.build().map_err(|e| Error::storage(STEP, e))?);
            }
            let output = request.send().await.map_err(storage(STEP))?;
            whole(STEP, &output.failed)?;
        }
        Ok(())
    }

    async fn dead_letters_delete(&self, queue: QueueName, letters: &[DeadLetter]) -> Result<(), Error> {
        const STEP: &str = "deleting dead letters";
        for batch in letters.chunks(BATCH) {
            let mut request = self.client.delete_message_batch().queue_url(&self.urls(STEP, queue)?.dead);
            for (index, letter) in batch.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&letter.receipt);
                request = request.entries(entry.build().map_err(|e| Error::storage(STEP, e))?);
            }
            let mut failed = request.send().await.map_err(storage(STEP))?.failed;
            // Gone already; or taken by somebody else by now, who sends it once more, which does no harm.
            failed.retain(|failed| failed.code != "ReceiptHandleIsInvalid");
            whole(STEP, &failed)?;
        }
        Ok(())
    }

    async fn dead_letters_count(&self, queue: QueueName) -> Result<u64, Error> {
        self.count("counting dead letters", queue, QueueAttributeName::ApproximateNumberOfMessages).await
    }

    async fn dead_letters_hidden(&self, queue: QueueName) -> Result<u64, Error> {
        let name = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        self.count("counting hidden dead letters", queue, name).await
    }

    async fn dead_letters_move(&self, queue: QueueName, per_second: Option<u32>) -> Result<Moving, Error> {
        const STEP: &str = "having dead letters moved";
        let arn = self.attribute(STEP, &self.urls(STEP, queue)?.dead, QueueAttributeName::QueueArn).await?;
        let rate = per_second.and_then(|rate| i32::try_from(rate.clamp(1, MAX_RATE)).ok());
        // Without a destination, every message goes to the queue that it came from.
        let request = self.client.start_message_move_task().source_arn(arn);
        match request.set_max_number_of_messages_per_second(rate).send().await {
            Ok(_) => Ok(Moving::Started),
            Err(error) if matches!(error.code(), Some("InvalidAction" | "UnknownOperationException")) => {
                Ok(Moving::Unknown)
            }
            Err(error) => Err(storage(STEP)(error)),
        }
    }
}

#[cfg(test)]
mod tests;
