//! A function that does nothing, built as the others are: what `cargo dev bench` compares their start with.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: LambdaEvent<SqsEvent>| async { Ok::<_, std::convert::Infallible>(()) })).await
}
