//! Sends dead letters again: goes on with jobs from its queue, and takes wishes by being invoked.

use aws_lambda_events::event::sqs::SqsEvent;
use bokbro_app::app::App;
use bokbro_app::error::chain;
use bokbro_app::ports::QueueName;
use bokbro_app::replay::{Asker, replay_invoke};
use bokbro_app::wire::replay_in::read_invocation;
use bokbro_app::wire::work_out::job_json;
use bokbro_runtime::Platform;
use bokbro_runtime::config::Role;
use bokbro_runtime::sqs::batch_handle;
use bokbro_runtime::tick::invocation;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// Who asked, on the audit log, when the function was invoked: AWS's own log knows who that was.
const INVOKER: &str = "invocation";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::start(Role::Replay).await?.with_dead_letters();
    run(service_fn(|event| handle(&platform.app, event))).await
}

async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (payload, context) = event.into_parts();
    if payload.get("Records").is_some() {
        let batch: SqsEvent = serde_json::from_value(payload)?;
        let response = batch_handle(app, QueueName::Replays, LambdaEvent::new(batch, context)).await;
        return Ok(serde_json::to_value(response)?);
    }
    let (tenant, asked) = read_invocation(&payload)?;
    let correlation = invocation(app, &context).correlation;
    let asker = Asker { tenant: tenant.as_ref(), who: INVOKER, correlation: &correlation };
    let job = replay_invoke(app, asker, &asked).await;
    let job = job.inspect_err(|error| tracing::error!(error = chain(error), "replay not begun"))?;
    Ok(job_json(&job))
}
