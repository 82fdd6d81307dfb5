//! Effect ledgers: every write is conditional on the fence, so that an expired lease can never win.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use bokbro_app::error::Error;
use bokbro_app::ports::{Guard, Joining, LedgerKey, LedgerWrite, Ledgers, OpenKind};
use bokbro_app::records::TimelineEntry;
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::ParkedId;
use bokbro_domain::order::{Order, SyncState, SyncStatus};

use super::Hub;
use super::days;
use super::open;
use super::orders::entry_item;
use super::parking;
use super::transaction::{Change, Condition, Outcome, Transaction};
use crate::failure::{Failure, storage};
use crate::items::keys::{Key, state_sk};
use crate::items::{Item, ledger, number, order, records, stamp, text};

/// How often DynamoDB may leave a key out of a batch, as it does when throttled, before that is a failure.
const BATCH_TRIES: usize = 3;

const STEP: &str = "writing a ledger";

/// The guard as a condition on the stored ledger.
pub(super) fn condition(guard: &Guard) -> Condition {
    match guard {
        Guard::Fence(0) => Condition {
            expression: "attribute_not_exists(pk) OR fence = :fence",
            values: vec![(":fence", number(0))],
        },
        Guard::Fence(fence) => {
            Condition { expression: "fence = :fence", values: vec![(":fence", number(*fence))] }
        }
        Guard::Owner { owner, fence } => Condition {
            expression: "fence = :fence AND lease_owner = :owner",
            values: vec![(":fence", number(*fence)), (":owner", text(owner))],
        },
    }
}

/// The order's new sync status at the target. The order shows that it changed when its history has a new entry.
fn status_change(
    key: &LedgerKey,
    status: &SyncStatus,
    version: Option<u64>,
    entries: &[TimelineEntry],
) -> Change {
    let mut set = vec![(order::status_attribute(key.target), order::status(status))];
    if let Some(at) = entries.iter().map(|entry| entry.at).max() {
        set.push(("updated_at", text(stamp(at))));
        set.push(("gsi1sk", text(state_sk(at, &key.order))));
    }
    let condition = match version {
        Some(version) => {
            Condition { expression: "version = :version", values: vec![(":version", number(version))] }
        }
        None => Condition { expression: "attribute_exists(pk)", values: Vec::new() },
    };
    Change { key: Key::order(&key.tenant, &key.order), set, condition }
}

#[async_trait]
impl Ledgers for Hub {
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error> {
        const STEP: &str = "reading a ledger";
        let (order_key, ledger_key) = (Key::order(&key.tenant, &key.order), Key::ledger(key));
        let (mut stored_order, mut stored_ledger): (Option<Item>, Option<Item>) = (None, None);
        let mut missing = vec![order_key.clone().into_item(), ledger_key.into_item()];
        for _ in 0..BATCH_TRIES {
            let keys = KeysAndAttributes::builder().set_keys(Some(missing)).consistent_read(true).build();
            let keys = keys.map_err(|e| Error::storage(STEP, e))?;
            let request = self.client.batch_get_item().request_items(&self.tables.hub, keys);
            let output = request.send().await.map_err(storage(STEP))?;
            for item in
                output.responses.and_then(|mut tables| tables.remove(&self.tables.hub)).unwrap_or_default()
            {
                let is_order = item.get("sk") == Some(&text(order_key.sk.clone()));
                *(if is_order { &mut stored_order } else { &mut stored_ledger }) = Some(item);
            }
            let unprocessed = output.unprocessed_keys.and_then(|mut tables| tables.remove(&self.tables.hub));
            missing = unprocessed.map(|keys| keys.keys).unwrap_or_default();
            if missing.is_empty() {
                let order = stored_order.as_ref().map(order::from_item).transpose();
                let ledger = stored_ledger.as_ref().map(ledger::from_item).transpose();
                let (order, ledger) =
                    order.and_then(|o| Ok((o, ledger?))).map_err(|e| Error::storage(STEP, e))?;
                return Ok(order.map(|order| (order, ledger.unwrap_or_default())));
            }
        }
        Err(Error::storage(STEP, Failure::coded("some keys were never processed")))
    }

    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error> {
        self.ledger_write_with(write, None).await
    }
}

impl Hub {
    /// Writes a ledger and what belongs to it, and has an entry of the order join a batch of a day.
    pub(super) async fn ledger_write_with(
        &self,
        write: LedgerWrite<'_>,
        joining: Option<&Joining<'_>>,
    ) -> Result<(), Error> {
        let item = ledger::to_item(write.key, write.ledger);
        let guard = condition(&write.guard);
        if write.status.is_none() && write.entries.is_empty() && write.parked.is_none() && joining.is_none() {
            return self.put_guarded(STEP, item, &guard).await;
        }
        let written = self.write_together(&write, joining, item.clone(), &guard).await?;
        let Some(waiting) = written else { return Ok(()) };
        // The same trouble waits already: everything else is written, and the order leads to the item that waits.
        let status = write
            .status
            .map(|status| SyncStatus { parked: status.parked.as_ref().map(|_| waiting), ..status.clone() });
        let rest = LedgerWrite { status: status.as_ref(), parked: None, ..write };
        self.write_together(&rest, joining, item, &guard).await.map(|_| ())
    }

    /// Writes an item that has a fence, and nothing else.
    pub(super) async fn put_guarded(
        &self,
        step: &'static str,
        item: Item,
        guard: &Condition,
    ) -> Result<(), Error> {
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.hub)
            .set_item(Some(item.clone()))
            .condition_expression(guard.expression)
            .set_expression_attribute_values(guard.owned_values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            // The SDK repeats a write whose answer got lost. When what is stored is what we wanted to store, the guard
            // fails because of our own first try: nobody else writes this owner and fence.
            Some(PutItemError::ConditionalCheckFailedException(failed)) if failed.item() == Some(&item) => {
                Ok(())
            }
            Some(PutItemError::ConditionalCheckFailedException(_)) => Err(Error::Raced { step }),
            _ if error.code() == Some("TransactionConflictException") => Err(Error::Raced { step }),
            _ => Err(storage(step)(error)),
        }
    }

    /// Writes a ledger and what belongs to it, or nothing. When nothing is written because an item with the same
    /// fingerprint waits already, that item's id comes back.
    async fn write_together(
        &self,
        write: &LedgerWrite<'_>,
        joining: Option<&Joining<'_>>,
        item: Item,
        guard: &Condition,
    ) -> Result<Option<ParkedId>, Error> {
        let key = write.key;
        let mut writes = Transaction::on(&self.tables.hub);
        let guarded = writes.put_if(item, guard);
        let order = write
            .status
            .map(|status| writes.change(status_change(key, status, write.order_version, write.entries)));
        let done = write.status.is_some_and(|status| status.state == SyncState::Done);
        if done {
            open::drop(&mut writes, &key.tenant, OpenKind::of(key.target), &key.order);
        }
        if let Some((provider, numbers)) = write.invoices() {
            for number in numbers {
                let found_by = Key::invoice(&key.tenant, provider, number);
                writes.put(records::pointer(found_by, key.order.as_str()));
            }
        }
        for entry in write.entries {
            writes.put(entry_item(&key.tenant, &key.order, entry));
        }
        if let Some(joining) = joining {
            days::join(&mut writes, &key.tenant, joining);
        }
        let pointer = write.parked.map(|parked| parking::add(&mut writes, &key.tenant, parked));
        let refusals = match writes.commit(&self.client, STEP).await? {
            Outcome::Committed => return Ok(None),
            Outcome::Refused(refusals) => refusals,
        };
        let refused = |index: Option<usize>| index.and_then(|index| refusals.at(index));
        match refused(pointer) {
            Some(stored) if refused(Some(guarded)).is_none() && refused(order).is_none() => {
                parking::waiting(stored).map(Some).map_err(|e| Error::storage(STEP, e))
            }
            _ => Err(Error::Raced { step: STEP }),
        }
    }
}
