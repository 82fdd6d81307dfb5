//! The queue workers: one program, deployed once per queue.

use aws_lambda_events::event::sqs::SqsEvent;
use bokbro_app::ports::QueueName;
use bokbro_runtime::Platform;
use bokbro_runtime::config::{Role, variable};
use bokbro_runtime::sqs::batch_handle;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (role, queue) = match variable("BOKBRO_SYNC_ROLE").as_deref() {
        Some("payments") => (Role::Payments, QueueName::Payments),
        Some("accounting") => (Role::Accounting, QueueName::Accounting),
        Some("warehouse") => (Role::Warehouse, QueueName::Warehouse),
        Some("pulls") => (Role::Pulls, QueueName::Pulls),
        _ => {
            return Err(
                "BOKBRO_SYNC_ROLE must be payments, accounting, warehouse or pulls; template.yaml sets it"
                    .into(),
            );
        }
    };
    let platform = Platform::start(role).await?;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async {
        Ok::<_, std::convert::Infallible>(batch_handle(&platform.app, queue, event).await)
    }))
    .await
}
