//! The hourly tick: hands its time to the use case that sends the nudges.

use bokbro_app::app::App;
use bokbro_app::error::chain;
use bokbro_app::schedule::{Ticked, schedule_tick};
use bokbro_runtime::Platform;
use bokbro_runtime::config::Role;
use bokbro_runtime::tick::{invocation, scheduled_at};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::start(Role::Scheduler).await?;
    run(service_fn(|event| handle(&platform.app, event))).await
}

async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<(), Error> {
    let at = scheduled_at(&event.payload)?;
    let ticked = schedule_tick(app, &invocation(app, &event.context), at).await;
    match ticked.inspect_err(|error| tracing::error!(error = chain(error), "tick failed"))? {
        Ticked::Done { .. } | Ticked::Before => Ok(()),
        // An error makes the platform send the same tick again, which goes on where this one stopped.
        Ticked::Stopped { .. } => Err("time ran short; the same tick again goes on from here".into()),
    }
}
