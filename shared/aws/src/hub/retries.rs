//! Which refusals of DynamoDB are worth another try at once: those that say "two at a time", not "no".

use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;

/// A condition did not hold.
pub(super) const CONDITION: &str = "ConditionalCheckFailed";
/// Another transaction was at the item.
pub(super) const CONFLICT: &str = "TransactionConflict";
/// Reasons that pass by themselves.
const PASSING: [&str; 3] = [CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"];

/// Has the SDK repeat what collided with another transaction, with its own jittered back-off and at most three tries.
/// The SDK leaves this to its users, because it cannot know whether a condition has failed for good.
#[derive(Debug)]
pub(super) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(error) = error.as_operation_error() else { return RetryAction::NoActionIndicated };
        let passes = if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.downcast_ref::<TransactWriteItemsError>()
        {
            passes(canceled.cancellation_reasons())
        } else {
            error
                .downcast_ref::<PutItemError>()
                .is_some_and(|e| e.code() == Some("TransactionConflictException"))
        };
        if passes { RetryAction::throttling_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts"
    }
}

/// Whether a canceled transaction may go through the next time: nothing failed for good.
pub(super) fn passes(reasons: &[CancellationReason]) -> bool {
    let codes = || reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    codes().next().is_some() && codes().all(|code| PASSING.contains(&code))
}
