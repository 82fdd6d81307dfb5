//! Queues over SQS: standard queues that are fair between tenants.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use bokbro_app::error::Error;
use bokbro_app::message::Envelope;
use bokbro_app::ports::{QueueName, Queues};

use crate::failure::{Failure, storage};

/// Longest time in seconds that SQS keeps a message out of sight.
pub(crate) const MAX_VISIBILITY: u64 = 43_200;
/// Longest time in seconds that SQS keeps a new message back.
const MAX_DELAY: u64 = 900;
/// Most messages that SQS takes in one call.
pub(crate) const BATCH: usize = 10;
/// Name of the message attribute with the correlation id.
pub(crate) const CORRELATION: &str = "correlation";

/// Queues over SQS.
#[derive(Debug, Clone)]
pub struct SqsQueues {
    client: Client,
    urls: BTreeMap<QueueName, String>,
}

impl SqsQueues {
    /// The queues, each with its address.
    pub(crate) fn new(config: &SdkConfig, urls: BTreeMap<QueueName, String>) -> Self {
        Self { client: Client::new(config), urls }
    }

    fn url(&self, step: &'static str, queue: QueueName) -> Result<&str, Error> {
        let url = self.urls.get(&queue).map(String::as_str);
        url.ok_or_else(|| {
            Error::storage(step, Failure::coded(format!("no address is set for queue {queue:?}")))
        })
    }
}

/// The message attribute that ties a message to what set it in motion.
pub(crate) fn correlation(step: &'static str, message: &Envelope) -> Result<MessageAttributeValue, Error> {
    let value =
        MessageAttributeValue::builder().data_type("String").string_value(message.correlation.as_str());
    value.build().map_err(|e| Error::storage(step, e))
}

/// Whole seconds, never less than asked for, as far as SQS can count.
pub(crate) fn seconds(after: Duration, longest: u64) -> i32 {
    let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
    i32::try_from(seconds.min(longest)).unwrap_or(i32::MAX)
}

#[async_trait]
impl Queues for SqsQueues {
    async fn queue_send(&self, queue: QueueName, message: &Envelope) -> Result<(), Error> {
        self.queue_send_later(queue, message, Duration::ZERO).await
    }

    async fn queue_send_later(
        &self,
        queue: QueueName,
        message: &Envelope,
        after: Duration,
    ) -> Result<(), Error> {
        const STEP: &str = "sending a message";
        let delay = seconds(after, MAX_DELAY);
        let request = self
            .client
            .send_message()
            .queue_url(self.url(STEP, queue)?)
            .set_delay_seconds(Some(delay).filter(|delay| *delay > 0))
            .message_body(message.to_json())
            // A group on a standard queue makes it fair: a loud tenant does not delay the rest.
            .message_group_id(message.tenant.as_str())
            .message_attributes(CORRELATION, correlation(STEP, message)?);
        request.send().await.map(|_| ()).map_err(storage(STEP))
    }

    async fn queue_send_all(&self, queue: QueueName, messages: &[Envelope]) -> Result<(), Error> {
        const STEP: &str = "sending messages";
        for batch in messages.chunks(BATCH) {
            let mut request = self.client.send_message_batch().queue_url(self.url(STEP, queue)?);
            for (index, message) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(message.to_json())
                    .message_group_id(message.tenant.as_str())
                    .message_attributes(CORRELATION, correlation(STEP, message)?);
                request = request.entries(entry.build().map_err(|e| Error::storage(STEP, e))?);
            }
            let output = request.send().await.map_err(storage(STEP))?;
            // SQS answers 200 to a batch of which it took a part.
            if let Some(failed) = output.failed.first() {
                return Err(Error::storage(STEP, Failure::coded(failed.code.clone())));
            }
        }
        Ok(())
    }

    async fn queue_waiting(&self, queue: QueueName) -> Result<u64, Error> {
        const STEP: &str = "asking how many messages wait";
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(self.url(STEP, queue)?);
        let output = request.attribute_names(name.clone()).send().await.map_err(storage(STEP))?;
        let count = output.attributes.as_ref().and_then(|attributes| attributes.get(&name));
        count
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| Error::storage(STEP, Failure::coded(format!("the queue has no {name}"))))
    }

    async fn queue_give_back(&self, queue: QueueName, receipt: &str, after: Duration) -> Result<(), Error> {
        const STEP: &str = "giving a message back";
        let request = self
            .client
            .change_message_visibility()
            .queue_url(self.url(STEP, queue)?)
            .receipt_handle(receipt)
            .visibility_timeout(seconds(after, MAX_VISIBILITY));
        request.send().await.map(|_| ()).map_err(storage(STEP))
    }
}

#[cfg(test)]
mod tests {
    use bokbro_app::message::Nudge;
    use bokbro_domain::ids::{CorrelationId, TenantId};
    use serde_json::json;

    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::items::samples;

    fn queues(canned: &Canned) -> SqsQueues {
        let urls = [(QueueName::Payments, "http://localhost/1/payments".to_owned())];
        SqsQueues::new(&canned.config(), urls.into())
    }

    fn message() -> Envelope {
        let order = samples::order();
        let correlation = CorrelationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        let nudge = Nudge::order(order.id);
        Envelope::new(TenantId::parse("demo").unwrap(), correlation, order.created_at, nudge)
    }

    #[test]
    fn times_are_whole_seconds_upwards_within_what_sqs_can_count() {
        let cases = [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (43_200_000, 43_200), (u64::MAX, 43_200)];
        for (millis, seconds) in cases {
            assert_eq!(super::seconds(Duration::from_millis(millis), MAX_VISIBILITY), seconds, "{millis} ms");
        }
        assert_eq!(super::seconds(Duration::MAX, MAX_DELAY), 900);
    }

    #[tokio::test]
    async fn a_message_carries_its_tenant_as_group_and_its_correlation() {
        // The SDK compares this hash of the body, so the answer has none.
        let canned = Canned::new([Answer::ok(json!({"MessageId": "1"}))]);
        let message = message();
        queues(&canned).queue_send(QueueName::Payments, &message).await.unwrap();
        let sent = &canned.requests()[0];
        assert_eq!(sent.operation, "AmazonSQS.SendMessage");
        assert_eq!(sent.body["QueueUrl"], "http://localhost/1/payments");
        assert_eq!(sent.body["MessageGroupId"], "demo");
        assert_eq!(
            sent.body["MessageAttributes"]["correlation"]["StringValue"],
            "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        );
        assert_eq!(Envelope::parse(sent.body["MessageBody"].as_str().unwrap()).unwrap(), message);
    }

    #[tokio::test]
    async fn a_message_for_later_is_kept_back() {
        let canned = Canned::new([2, 1].map(|n| Answer::ok(json!({"MessageId": n.to_string()}))));
        let queues = queues(&canned);
        queues.queue_send_later(QueueName::Payments, &message(), Duration::from_millis(2_100)).await.unwrap();
        queues.queue_send(QueueName::Payments, &message()).await.unwrap();
        let delays: Vec<_> = canned.requests().iter().map(|sent| sent.body["DelaySeconds"].clone()).collect();
        assert_eq!(delays, [json!(3), json!(null)]);
    }

    #[tokio::test]
    async fn many_messages_travel_ten_at_a_time() {
        let canned = Canned::new([2, 1].map(|n| Answer::ok(json!({"Successful": [], "Failed": [], "n": n}))));
        queues(&canned).queue_send_all(QueueName::Payments, &vec![message(); 13]).await.unwrap();
        let entries = canned.requests().into_iter().map(|sent| {
            assert_eq!(sent.operation, "AmazonSQS.SendMessageBatch");
            sent.body["Entries"].as_array().unwrap().clone()
        });
        let entries: Vec<_> = entries.collect();
        assert_eq!(entries.iter().map(Vec::len).collect::<Vec<_>>(), [10, 3]);
        for (index, entry) in entries.iter().flatten().enumerate() {
            assert_eq!(entry["Id"], (index % 10).to_string());
            assert_eq!(entry["MessageGroupId"], "demo");
            assert_eq!(Envelope::parse(entry["MessageBody"].as_str().unwrap()).unwrap(), message());
        }
        let none = Canned::new([]);
        queues(&none).queue_send_all(QueueName::Payments, &[]).await.unwrap();
        assert!(none.requests().is_empty());
    }

    #[tokio::test]
    async fn a_batch_of_which_a_part_was_refused_is_a_failure() {
        let failed = json!([{"Id": "1", "SenderFault": false, "Code": "InternalError"}]);
        let canned = Canned::new([Answer::ok(json!({"Successful": [], "Failed": failed}))]);
        let sent = queues(&canned).queue_send_all(QueueName::Payments, &[message(), message()]).await;
        assert_eq!(sent.unwrap_err().code(), "storage_failed");
    }

    #[tokio::test]
    async fn a_message_is_given_back_for_the_time_asked_for() {
        let canned = Canned::new([Answer::ok(json!({}))]);
        queues(&canned)
            .queue_give_back(QueueName::Payments, "handle", Duration::from_millis(1_500))
            .await
            .unwrap();
        let sent = &canned.requests()[0];
        assert_eq!(sent.operation, "AmazonSQS.ChangeMessageVisibility");
        assert_eq!(
            (&sent.body["ReceiptHandle"], &sent.body["VisibilityTimeout"]),
            (&json!("handle"), &json!(2))
        );
    }

    #[tokio::test]
    async fn a_queue_without_address_is_a_failure_and_no_call() {
        let canned = Canned::new([]);
        let error = queues(&canned).queue_send(QueueName::Accounting, &message()).await.unwrap_err();
        assert_eq!(error.code(), "storage_failed");
        assert!(canned.requests().is_empty());
    }
}
