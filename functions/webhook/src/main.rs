//! Webhook ingress: answers the provider's handshake and makes its events durable.

mod answer;

use bokbro_app::webhooks::{EndpointCache, parcel_webhook_receive, webhook_handshake, webhook_receive};
use bokbro_domain::ids::Provider;
use bokbro_runtime::Platform;
use bokbro_runtime::config::Role;
use bokbro_runtime::http::{correlation, request_handle};
use bokbro_runtime::sources::source_address;
use lambda_http::http::Method;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

/// Its last segment opens the door, so logs name the pattern.
const ROUTE: &str = "/webhooks/{provider}/{endpoint}";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::start(Role::Webhook).await?;
    let cache = EndpointCache::default();
    run(service_fn(|request: Request| async {
        let method = request.method().clone();
        let answering = handle(&platform, &cache, request);
        Ok::<_, std::convert::Infallible>(
            request_handle(&platform.app, method.as_str(), ROUTE, answering).await,
        )
    }))
    .await
}

async fn handle(platform: &Platform, cache: &EndpointCache, request: Request) -> Response<Body> {
    let app = &platform.app;
    let correlation = correlation(app);
    let Some((provider, endpoint)) = address(request.uri().path()) else {
        return answer::unknown(&correlation);
    };
    let source = source_address(&request.request_context());
    if !platform.sources.admit(&provider, source) {
        return answer::not_from_there(&provider, source, &correlation);
    }
    let ingress = match *request.method() {
        Method::GET => webhook_handshake(app, cache, &provider, endpoint).await,
        Method::POST => match app.providers.parcel_webhooks(&provider) {
            Some(webhooks) => {
                let token =
                    request.headers().get(webhooks.token_header()).and_then(|value| value.to_str().ok());
                let body = request.body().as_ref();
                parcel_webhook_receive(app, cache, &provider, endpoint, token, body, &correlation).await
            }
            None => {
                let body = request.body().as_ref();
                webhook_receive(app, cache, &provider, endpoint, body, &correlation).await
            }
        },
        _ => return answer::method_not_allowed(&correlation),
    };
    answer::to(ingress, &correlation)
}

/// Provider and endpoint name of `/webhooks/{provider}/{endpoint}`.
fn address(path: &str) -> Option<(Provider, &str)> {
    let (_, rest) = path.split_once("/webhooks/")?;
    let (provider, endpoint) = rest.split_once('/')?;
    let plausible = (1..=100).contains(&endpoint.len()) && !endpoint.contains('/');
    Some((Provider::parse(provider).ok()?, endpoint)).filter(|_| plausible)
}
