//! Writing several items at once or none, and reading why it was none.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use bokbro_app::error::Error;

use super::retries::{CONDITION, CONFLICT, passes};
use crate::failure::{Failure, storage};
use crate::items::Item;
use crate::items::keys::Key;

/// What must hold of the stored item, in DynamoDB's expression language.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The expression.
    pub(super) expression: &'static str,
    /// Values in the expression by their `:name`.
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    /// No item is stored under the key.
    pub(super) fn absent() -> Self {
        Self { expression: "attribute_not_exists(pk)", values: Vec::new() }
    }

    /// No look-up is stored under the key, or it leads to the same place already.
    pub(super) fn absent_or_leads_to(id: &str) -> Self {
        let values = vec![(":id", AttributeValue::S(id.to_owned()))];
        Self { expression: "attribute_not_exists(pk) OR id = :id", values }
    }

    /// The values by owned name, as the SDK wants them.
    pub(super) fn owned_values(&self) -> Option<Item> {
        // DynamoDB refuses an empty map of values.
        let values = self.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        (!self.values.is_empty()).then(|| values.collect())
    }
}

/// Sets attributes of an item that is there.
pub(super) struct Change {
    /// Which item.
    pub(super) key: Key,
    /// Attributes and their new values.
    pub(super) set: Vec<(&'static str, AttributeValue)>,
    /// What must hold.
    pub(super) condition: Condition,
}

/// What became of a transaction.
pub(super) enum Outcome {
    /// All items are written.
    Committed,
    /// None is, because conditions did not hold.
    Refused(Refusals),
}

/// For every write, in order, the item that was stored when its condition did not hold (empty when none was).
pub(super) struct Refusals(Vec<Option<Item>>);

impl Refusals {
    /// The stored item that made a write's condition fail.
    pub(super) fn at(&self, index: usize) -> Option<&Item> {
        self.0.get(index)?.as_ref()
    }
}

/// Writes that happen together.
pub(super) struct Transaction<'a> {
    table: &'a str,
    writes: Vec<TransactWriteItem>,
}

impl<'a> Transaction<'a> {
    /// An empty transaction whose writes go to `table` unless they say otherwise.
    pub(super) fn on(table: &'a str) -> Self {
        Self { table, writes: Vec::new() }
    }

    /// How many writes it has.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Writes an item over whatever is there.
    pub(super) fn put(&mut self, item: Item) {
        self.push(Put::builder().table_name(self.table).set_item(Some(item)));
    }

    /// Writes an item on a condition; says where its refusal will stand.
    pub(super) fn put_if(&mut self, item: Item, condition: &Condition) -> usize {
        self.put_if_on(self.table, item, condition)
    }

    /// Writes an item of another table on a condition; says where its refusal will stand.
    pub(super) fn put_if_on(&mut self, table: &str, item: Item, condition: &Condition) -> usize {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_values(condition.owned_values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.push(put);
        self.writes.len() - 1
    }

    /// Changes attributes of an item on a condition; says where its refusal will stand.
    pub(super) fn change(&mut self, change: Change) -> usize {
        let Change { key, set, condition } = change;
        // Attributes get stand-in names, because some of them are words of the expression language.
        let mut update = Update::builder().table_name(self.table).set_key(Some(key.into_item()));
        let mut assignments = Vec::new();
        for (index, (name, value)) in set.into_iter().enumerate() {
            assignments.push(format!("#a{index} = :a{index}"));
            update = update.expression_attribute_names(format!("#a{index}"), name);
            update = update.expression_attribute_values(format!(":a{index}"), value);
        }
        for (name, value) in &condition.values {
            update = update.expression_attribute_values(*name, value.clone());
        }
        let update = update
            .update_expression(format!("SET {}", assignments.join(", ")))
            .condition_expression(condition.expression)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // Only table, key and expression are required, and all are given.
        let update = update.build().ok();
        self.writes.push(TransactWriteItem::builder().set_update(update).build());
        self.writes.len() - 1
    }

    /// Adds one to a number of an item on a condition.
    pub(super) fn count(&mut self, key: Key, attribute: &str, condition: &Condition) {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(key.into_item()))
            .update_expression("ADD #count :one")
            .condition_expression(condition.expression)
            .expression_attribute_names("#count", attribute)
            .set_expression_attribute_values(condition.owned_values())
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        // Only table, key and expression are required, and all are given.
        self.writes.push(TransactWriteItem::builder().set_update(update.build().ok()).build());
    }

    /// Deletes an item, whether it is there or not.
    pub(super) fn delete(&mut self, key: Key) {
        let delete = Delete::builder().table_name(self.table).set_key(Some(key.into_item()));
        // Only table and key are required, and both are given.
        self.writes.push(TransactWriteItem::builder().set_delete(delete.build().ok()).build());
    }

    fn push(&mut self, put: aws_sdk_dynamodb::types::builders::PutBuilder) {
        // Only table and item are required, and both are given.
        self.writes.push(TransactWriteItem::builder().set_put(put.build().ok()).build());
    }

    /// Writes all or nothing.
    ///
    /// The SDK sends one token with all its tries, so a try whose answer got lost is not taken for somebody else's.
    pub(super) async fn commit(self, client: &Client, step: &'static str) -> Result<Outcome, Error> {
        let request = client.transact_write_items().set_transact_items(Some(self.writes));
        let Err(error) = request.send().await else { return Ok(Outcome::Committed) };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error()
        else {
            return Err(storage(step)(error));
        };
        let reasons = canceled.cancellation_reasons();
        let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
        if has(CONDITION) {
            let refused = reasons.iter().map(|reason| {
                (reason.code() == Some(CONDITION)).then(|| reason.item().cloned().unwrap_or_default())
            });
            return Ok(Outcome::Refused(Refusals(refused.collect())));
        }
        if has(CONFLICT) && passes(reasons) {
            return Err(Error::Raced { step });
        }
        let codes: Vec<&str> =
            reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None").collect();
        Err(Error::storage(step, Failure::coded(format!("canceled: {}", codes.join(", ")))))
    }
}
