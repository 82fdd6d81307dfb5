//! The promises of `store_contract`, kept by the store in memory and by the adapters over AWS.
//!
//! What runs against AWS needs an emulator, whose address the environment names.

use std::time::Duration;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use bokbro_app::memory::{MemoryStore, MemoryVault};
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{QueueName, Queues};
use bokbro_domain::ids::{CorrelationId, OrderId, TenantId};
use bokbro_tests::local_aws::{create_tables, fresh_account};
use bokbro_tests::store_contract;

macro_rules! kept_by_every_store {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            use super::{MemoryStore, store_contract};

            $(
                #[tokio::test]
                async fn $promise() {
                    store_contract::$promise(&MemoryStore::default()).await;
                }
            )+
        }

        mod dynamodb {
            use super::{create_tables, fresh_account, store_contract};

            $(
                #[tokio::test]
                async fn $promise() {
                    let Some(account) = fresh_account().await else { return };
                    let tables = create_tables(&account).await;
                    store_contract::$promise(&account.clients.hub(tables)).await;
                }
            )+
        }
    };
}

kept_by_every_store!(
    a_batch_s_trouble_is_parked_once,
    a_batch_that_was_taken_takes_no_more,
    a_delivery_keeps_its_first_outcome_until_it_expires,
    a_history_is_added_to_without_the_order,
    a_cursor_is_where_it_was_put,
    a_key_counts_until_it_is_revoked,
    a_key_that_has_expired_is_free,
    a_ledger_is_empty_until_it_is_written,
    a_ledger_s_write_takes_everything_with_it,
    a_limiter_is_written_by_who_knows_what_is_stored,
    a_list_goes_on_where_it_stopped,
    a_nonce_is_taken_once,
    a_session_ends_for_good,
    a_register_s_entries_read_back_in_any_number,
    a_stale_owner_writes_nothing_at_all,
    a_taken_value_names_its_field,
    a_timeline_is_read_oldest_first,
    a_transaction_belongs_to_one_order,
    a_turn_is_one_owner_s_at_a_time,
    a_worker_s_writes_never_touch_the_other_s,
    a_write_that_fails_lists_nothing,
    an_entry_joins_with_its_order_s_ledger,
    an_order_is_found_by_every_look_up,
    an_order_is_found_by_its_invoices_once_it_is_done,
    an_order_is_listed_under_what_it_waits_for,
    an_update_is_whole_or_not_at_all,
    batches_are_listed_until_they_are_dropped,
    closed_trouble_may_be_parked_again,
    connections_of_all_tenants_are_listed_in_pages,
    joining_races_against_closing,
    no_slot_is_given_twice,
    one_key_makes_one_order,
    one_order_number_is_taken_once,
    one_trouble_is_parked_once,
    one_update_per_version_wins,
    one_worker_takes_the_lease,
    open_work_is_read_oldest_first,
    open_work_of_a_time_is_read_alone,
    trouble_in_a_ledger_s_write_is_parked_once,
    records_read_back_and_tenants_are_apart,
    stock_is_listed_by_unit_and_replaced,
    the_same_key_gives_the_same_order,
    the_same_trouble_is_parked_once,
    unlinked_trouble_may_be_parked_beside,
    what_many_count_adds_up,
);

#[tokio::test]
async fn secrets_in_memory_read_back_by_name() {
    store_contract::secrets_read_back_by_name(&MemoryVault::default()).await;
}

#[tokio::test]
async fn secrets_in_secrets_manager_read_back_by_name() {
    let Some(account) = fresh_account().await else { return };
    store_contract::secrets_read_back_by_name(&account.clients.vault("bokbro/dev/")).await;
    // Another prefix is another vault.
    store_contract::secrets_read_back_by_name(&account.clients.vault("bokbro/prod/")).await;
}

#[tokio::test]
async fn a_message_is_received_as_it_was_sent_and_comes_back_when_given_back() {
    let Some(account) = fresh_account().await else { return };
    let client = aws_sdk_sqs::Client::new(&account.config);
    let url = client.create_queue().queue_name("payments").send().await.unwrap().queue_url.unwrap();
    let queues = account.clients.queues([(QueueName::Payments, url.clone())].into());
    let ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let nudge =
        Nudge::Order { order: OrderId::parse(&format!("ord_{ulid}")).unwrap(), insist: true, told: None };
    let tenant = TenantId::parse("demo").unwrap();
    let sent_at = "2026-11-20T08:00:00Z".parse().unwrap();
    let message = Envelope::new(tenant, CorrelationId::parse(ulid).unwrap(), sent_at, nudge);
    queues.queue_send(QueueName::Payments, &message).await.unwrap();
    let receive = async || {
        let request =
            client.receive_message().queue_url(&url).visibility_timeout(600).message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        request.send().await.unwrap().messages.unwrap_or_default()
    };
    let first = receive().await.pop().unwrap();
    assert_eq!(Envelope::parse(first.body().unwrap()).unwrap(), message);
    assert_eq!(first.message_attributes().unwrap()["correlation"].string_value(), Some(ulid));
    assert_eq!(first.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId], "demo");
    assert!(receive().await.is_empty());
    let receipt = first.receipt_handle().unwrap();
    queues.queue_give_back(QueueName::Payments, receipt, Duration::ZERO).await.unwrap();
    assert_eq!(receive().await.len(), 1);
}
