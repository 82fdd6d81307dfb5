//! Webhook ingress: answers the provider's handshake and makes its events durable.

mod answer;

use bokbro_app::webhooks::{parcel_webhook_receive, webhook_handshake, webhook_receive};
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_runtime::Receiver;
use bokbro_runtime::http::request_handle;
use bokbro_runtime::sources::source_address;
use lambda_http::http::Method;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

/// Its last segment opens the door, so logs name the pattern.
const ROUTE: &str = "/webhooks/{provider}/{endpoint}";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let receiver = Receiver::start().await?;
    run(service_fn(|request: Request| async {
        let (method, correlation) = (request.method().clone(), receiver.intake.correlation());
        let answering = handle(&receiver, request, &correlation);
        Ok::<_, std::convert::Infallible>(
            request_handle(&correlation, receiver.intake.clock(), method.as_str(), ROUTE, answering).await,
        )
    }))
    .await
}

async fn handle(receiver: &Receiver, request: Request, correlation: &CorrelationId) -> Response<Body> {
    let intake = &receiver.intake;
    let Some((provider, endpoint)) = address(request.uri().path()) else {
        return answer::unknown(correlation);
    };
    let source = source_address(&request.request_context());
    if !receiver.sources.admit(&provider, source) {
        return answer::not_from_there(&provider, source, correlation);
    }
    let ingress = match *request.method() {
        Method::GET => webhook_handshake(intake, &provider, endpoint).await,
        Method::POST => match intake.token_header(&provider) {
            Some(header) => {
                let token = request.headers().get(header).and_then(|value| value.to_str().ok());
                let body = request.body().as_ref();
                parcel_webhook_receive(intake, &provider, endpoint, token, body, correlation).await
            }
            None => webhook_receive(intake, &provider, endpoint, request.body().as_ref(), correlation).await,
        },
        _ => return answer::method_not_allowed(correlation),
    };
    answer::to(ingress, correlation)
}

/// Provider and endpoint name of `/webhooks/{provider}/{endpoint}`.
fn address(path: &str) -> Option<(Provider, &str)> {
    let (_, rest) = path.split_once("/webhooks/")?;
    let (provider, endpoint) = rest.split_once('/')?;
    let plausible = (1..=100).contains(&endpoint.len()) && !endpoint.contains('/');
    Some((Provider::parse(provider).ok()?, endpoint)).filter(|_| plausible)
}
