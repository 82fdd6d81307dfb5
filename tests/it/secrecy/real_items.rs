//! The same search where it counts: over every item of both tables and every message of all queues.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use bokbro_app::ports::QueueName;
use bokbro_aws::Tables;
use bokbro_tests::local_aws::{Account, create_tables, fresh_account};

use super::consents::consents;
use super::main_job::main_job;
use super::watched::Watched;

#[tokio::test]
async fn no_item_of_the_tables_and_no_message_of_the_queues_holds_a_secret() {
    let Some(account) = fresh_account().await else { return };
    let tables = create_tables(&account).await;
    let urls = create_queues(&account).await;
    let hub = Arc::new(account.clients.hub(tables.clone()));
    let vault = Arc::new(account.clients.vault("bokbro/test/"));
    let queues = Arc::new(account.clients.queues(urls.clone()));
    let mut watched = Watched::start_over(hub, vault, queues).await;
    main_job(&mut watched).await;
    consents(&mut watched).await;

    let items = items(&account, &tables).await;
    let messages = messages(&account, &urls).await;
    let mut places = watched.places().await;
    places.extend([("tables", items), ("messages", messages)]);
    let seen: [(&str, &[&str]); 3] = [
        ("tables", &["asa@example.se", "fortnox_2000359", "tenant_id", "withdrawn", "disconnected"]),
        ("messages", &["\"payment\"", "\"order\"", "correlation"]),
        ("answers", &["rotated: true"]),
    ];
    watched.assert_silent(&places, &seen);
}

/// Makes all queues; gives their addresses.
async fn create_queues(account: &Account) -> BTreeMap<QueueName, String> {
    let client = aws_sdk_sqs::Client::new(&account.config);
    let mut urls = BTreeMap::new();
    for (queue, name) in [
        (QueueName::Payments, "payments"),
        (QueueName::Accounting, "accounting"),
        (QueueName::Pulls, "pulls"),
    ] {
        let made = client.create_queue().queue_name(name).send().await.unwrap();
        urls.insert(queue, made.queue_url.unwrap());
    }
    urls
}

/// Every item of both tables.
async fn items(account: &Account, tables: &Tables) -> String {
    let client = aws_sdk_dynamodb::Client::new(&account.config);
    let mut text = String::new();
    for table in [&tables.hub, &tables.idempotency] {
        let mut pages = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let mut count = 0;
        while let Some(item) = pages.next().await {
            let item = item.unwrap();
            for (name, value) in &item {
                // Bytes could hide what a search for text does not find.
                assert!(!matches!(value, AttributeValue::B(_) | AttributeValue::Bs(_)), "{name} holds bytes");
                text += &format!("{name} {value:?}\n");
            }
            count += 1;
        }
        assert!(count > 0, "{table} is empty");
    }
    text
}

/// Every message of all queues with its attributes; nobody has received any before.
async fn messages(account: &Account, urls: &BTreeMap<QueueName, String>) -> String {
    let client = aws_sdk_sqs::Client::new(&account.config);
    let mut text = String::new();
    for url in urls.values() {
        loop {
            let request = client.receive_message().queue_url(url).max_number_of_messages(10);
            let request = request.visibility_timeout(600).message_attribute_names("All");
            let received = request.send().await.unwrap().messages.unwrap_or_default();
            if received.is_empty() {
                break;
            }
            for message in received {
                text += &format!("{}\n{:?}\n", message.body().unwrap(), message.message_attributes());
            }
        }
    }
    text
}
