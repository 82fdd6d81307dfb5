//! Limiters: one item per limit, written on condition that nobody else has written it since.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use bokbro_app::error::Error;
use bokbro_app::ports::{LimitKey, Limits, StoredLimiter, Swapped};

use super::Hub;
use super::transaction::Condition;
use crate::failure::storage;
use crate::items::{limiter, number};

const STEP: &str = "taking slots";

#[async_trait]
impl Limits for Hub {
    async fn limiter_swap(
        &self,
        key: &LimitKey,
        mark: Option<u64>,
        new: &StoredLimiter,
    ) -> Result<Swapped, Error> {
        let item = limiter::to_item(key, new);
        let condition = match mark {
            None => Condition::absent(),
            Some(mark) => Condition { expression: "mark = :mark", values: vec![(":mark", number(mark))] },
        };
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.hub)
            .set_item(Some(item.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_values(condition.owned_values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Swapped::Yes) };
        match error.as_service_error() {
            // The SDK repeats a write whose answer got lost. The mark is ours alone, so what is stored is our own.
            Some(PutItemError::ConditionalCheckFailedException(failed)) if failed.item() == Some(&item) => {
                Ok(Swapped::Yes)
            }
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let stored = failed.item().filter(|item| !item.is_empty()).map(limiter::from_item);
                stored.transpose().map(Swapped::No).map_err(|e| Error::storage(STEP, e))
            }
            _ if error.code() == Some("TransactionConflictException") => Err(Error::Raced { step: STEP }),
            _ => Err(storage(STEP)(error)),
        }
    }
}
