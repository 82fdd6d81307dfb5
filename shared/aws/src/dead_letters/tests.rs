//! Dead letters over canned answers.

use bokbro_app::message::Nudge;
use bokbro_domain::ids::{CorrelationId, TenantId};
use serde_json::{Value, json};

use super::*;
use crate::canned::{Answer, Canned};
use crate::items::samples;

fn dead_letters(canned: &Canned) -> SqsDeadLetters {
    let of = |suffix: &str| {
        let url = format!("http://localhost/1/accounting{suffix}");
        BTreeMap::from([(QueueName::Accounting, url)])
    };
    SqsDeadLetters::new(&canned.config(), &of(""), &of("-dead"))
}

fn message() -> Envelope {
    let order = samples::order();
    let correlation = CorrelationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let tenant = TenantId::parse("demo").unwrap();
    let mut message = Envelope::new(tenant, correlation, order.created_at, Nudge::order(order.id));
    message.not_before = Some(order.created_at);
    message
}

fn letter(number: usize, body: &str) -> DeadLetter {
    DeadLetter {
        id: format!("id-{number}"),
        receipt: format!("receipt-{number}"),
        sent_at: None,
        receives: 6,
        message: Envelope::parse(body),
        body: body.to_owned(),
    }
}

fn letters(count: usize) -> Vec<DeadLetter> {
    (0..count).map(|number| letter(number, &message().to_json())).collect()
}

fn partly(code: &str) -> Answer {
    let failed = json!([{"Id": "1", "SenderFault": false, "Code": code}]);
    Answer::ok(json!({"Successful": [], "Failed": failed}))
}

fn entries(canned: &Canned, operation: &str, url: &str) -> Vec<Vec<Value>> {
    let read = |sent: crate::canned::Sent| {
        assert_eq!((sent.operation.as_str(), &sent.body["QueueUrl"]), (operation, &json!(url)));
        sent.body["Entries"].as_array().unwrap().clone()
    };
    canned.requests().into_iter().map(read).collect()
}

#[tokio::test]
async fn a_look_waits_for_all_of_sqs_and_hides_what_it_sees() {
    let attributes = json!({"SentTimestamp": "1795168800000", "ApproximateReceiveCount": "7"});
    let messages = json!([
        {"MessageId": "a", "ReceiptHandle": "r-a", "Body": message().to_json(), "Attributes": attributes},
        {"MessageId": "b", "ReceiptHandle": "r-b", "Body": "not ours"},
    ]);
    let canned = Canned::new([Answer::ok(json!({"Messages": messages})), Answer::ok(json!({}))]);
    let dead_letters = dead_letters(&canned);
    let take = async || {
        dead_letters.dead_letters_take(QueueName::Accounting, 99, Duration::from_secs(30)).await.unwrap()
    };
    let taken = take().await;
    assert!(take().await.is_empty());
    let asked = &canned.requests()[0].body;
    assert_eq!(asked["QueueUrl"], "http://localhost/1/accounting-dead");
    assert_eq!(
        (&asked["MaxNumberOfMessages"], &asked["VisibilityTimeout"], &asked["WaitTimeSeconds"]),
        (&json!(10), &json!(30), &json!(1))
    );
    let [first, second] = &taken[..] else { panic!("{} messages", taken.len()) };
    assert_eq!((&*first.id, &*first.receipt, first.receives), ("a", "r-a", 7));
    assert_eq!(first.sent_at.unwrap().to_string(), "2026-11-20T10:00:00Z");
    assert_eq!(first.message, Ok(message()));
    assert_eq!((second.tenant(), &*second.body, second.receives), (None, "not ours", 1));
}

#[tokio::test]
async fn what_is_sent_again_is_as_new_and_what_cannot_be_read_as_it_came() {
    let canned = Canned::new([Answer::ok(json!({"Successful": [], "Failed": []}))]);
    let sent = [letter(0, &message().to_json()), letter(1, "not ours")];
    dead_letters(&canned).dead_letters_resend(QueueName::Accounting, &sent).await.unwrap();
    let entries = entries(&canned, "AmazonSQS.SendMessageBatch", "http://localhost/1/accounting");
    let [first, second] = &entries[0][..] else { panic!("{entries:?}") };
    let read = Envelope::parse(first["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(read, Envelope { not_before: None, ..message() });
    assert_eq!(first["MessageGroupId"], "demo");
    assert_eq!(first["MessageAttributes"]["correlation"]["StringValue"], message().correlation.as_str());
    assert_eq!((&second["MessageBody"], &second["MessageGroupId"]), (&json!("not ours"), &json!("operator")));
}

#[tokio::test]
async fn batches_have_ten_at_most() {
    let fine = || Answer::ok(json!({"Successful": [], "Failed": []}));
    let canned = Canned::new([fine(), fine(), fine()]);
    dead_letters(&canned).dead_letters_delete(QueueName::Accounting, &letters(23)).await.unwrap();
    let entries = entries(&canned, "AmazonSQS.DeleteMessageBatch", "http://localhost/1/accounting-dead");
    assert_eq!(entries.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 3]);
    assert_eq!(entries[2][2], json!({"Id": "2", "ReceiptHandle": "receipt-22"}));
    let none = Canned::new([]);
    dead_letters(&none).dead_letters_delete(QueueName::Accounting, &[]).await.unwrap();
    assert!(none.requests().is_empty());
}

#[tokio::test]
async fn a_part_that_was_refused_is_a_failure_unless_it_is_in_sight_anyway() {
    let canned = Canned::new([
        partly("InternalError"),
        partly("InternalError"),
        partly("ReceiptHandleIsInvalid"),
        partly("InternalError"),
    ]);
    let dead_letters = dead_letters(&canned);
    let letters = letters(2);
    let resent = dead_letters.dead_letters_resend(QueueName::Accounting, &letters).await;
    assert_eq!(resent.unwrap_err().code(), "storage_failed");
    let deleted = dead_letters.dead_letters_delete(QueueName::Accounting, &letters).await;
    assert_eq!(deleted.unwrap_err().code(), "storage_failed");
    dead_letters.dead_letters_delete(QueueName::Accounting, &letters).await.unwrap();
    dead_letters.dead_letters_give_back(QueueName::Accounting, &letters).await.unwrap();
    let given = &canned.requests()[3];
    assert_eq!(given.operation, "AmazonSQS.ChangeMessageVisibilityBatch");
    assert_eq!(given.body["Entries"][1]["VisibilityTimeout"], 0);
}

#[tokio::test]
async fn whole_queues_are_moved_by_sqs_where_it_knows_how() {
    let arn = "arn:aws:sqs:eu-north-1:1:accounting-dead";
    let found = || Answer::ok(json!({"Attributes": {"QueueArn": arn}}));
    let started = Answer::ok(json!({"TaskHandle": "t"}));
    let canned = Canned::new([found(), started]);
    let moving = dead_letters(&canned).dead_letters_move(QueueName::Accounting, Some(5)).await;
    assert_eq!(moving.unwrap(), Moving::Started);
    let asked = &canned.requests()[1];
    assert_eq!(asked.operation, "AmazonSQS.StartMessageMoveTask");
    assert_eq!(asked.body, json!({"SourceArn": arn, "MaxNumberOfMessagesPerSecond": 5}));

    let cases =
        [("InvalidAction", Some(Moving::Unknown)), ("UnknownOperationException", Some(Moving::Unknown))];
    for (code, expected) in cases.into_iter().chain([("AccessDeniedException", None)]) {
        let canned = Canned::new([found(), Answer::error(400, code, "the service's own words")]);
        let moving = dead_letters(&canned).dead_letters_move(QueueName::Accounting, None).await;
        match expected {
            Some(expected) => assert_eq!(moving.unwrap(), expected, "{code}"),
            None => assert_eq!(moving.unwrap_err().code(), "storage_failed", "{code}"),
        }
    }
}

#[tokio::test]
async fn they_are_counted_and_the_hidden_ones_apart() {
    let attributes = json!({"ApproximateNumberOfMessagesNotVisible": "12"});
    let canned = Canned::new([Answer::ok(json!({"Attributes": attributes}))]);
    assert_eq!(dead_letters(&canned).dead_letters_hidden(QueueName::Accounting).await.unwrap(), 12);
    let attributes = json!({"ApproximateNumberOfMessages": "3"});
    let canned = Canned::new([Answer::ok(json!({"Attributes": attributes}))]);
    assert_eq!(dead_letters(&canned).dead_letters_count(QueueName::Accounting).await.unwrap(), 3);
    let none = dead_letters(&Canned::new([])).dead_letters_hidden(QueueName::Pulls).await;
    assert_eq!(none.unwrap_err().code(), "storage_failed");
}
