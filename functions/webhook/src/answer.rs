//! What the sender is told: good only when the event is durable, and a failure of ours asks it to try again.

use std::net::IpAddr;

use bokbro_app::error::chain;
use bokbro_app::webhooks::{Ingress, MAX_BODY};
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_runtime::problem::{Problem, json_response};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};

pub(crate) fn to(ingress: Ingress, correlation: &CorrelationId) -> Response<Body> {
    match ingress {
        Ingress::Accepted => json_response(200, "application/json", r#"{"status":"accepted"}"#.to_owned()),
        Ingress::Handshake(json) => json_response(200, "application/json", json),
        Ingress::UnknownEndpoint => unknown(correlation),
        Ingress::NotTheirs => {
            tracing::warn!(%correlation, "a delivery without the endpoint's secret");
            let detail = "The delivery does not carry the secret of this endpoint.";
            Problem::new(StatusCode::UNAUTHORIZED, "not_theirs", detail, correlation).response()
        }
        Ingress::TooLarge => {
            let detail = format!("The body is over {} KiB.", MAX_BODY / 1024);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail, correlation).response()
        }
        Ingress::NotAnEvent(unreadable) => {
            tracing::warn!(%correlation, error = %unreadable, "not an event");
            let detail = format!("The body is not an event of the provider: {}.", unreadable.why);
            Problem::new(StatusCode::BAD_REQUEST, "not_an_event", detail, correlation).response()
        }
        Ingress::Failed(error) => {
            tracing::error!(%correlation, error = chain(&error), "the event could not be made durable");
            let detail = "The event could not be stored. Send it again.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_stored", detail, correlation).response()
        }
    }
}

pub(crate) fn unknown(correlation: &CorrelationId) -> Response<Body> {
    Problem::new(StatusCode::NOT_FOUND, "unknown_endpoint", "There is no such webhook endpoint.", correlation)
        .response()
}

pub(crate) fn not_from_there(
    provider: &Provider,
    source: Option<IpAddr>,
    correlation: &CorrelationId,
) -> Response<Body> {
    let source = source.map(|source| source.to_string()).unwrap_or_default();
    tracing::warn!(%correlation, %provider, source, "a delivery from an address that is none of the provider's");
    let detail = "Deliveries from this address are not taken.";
    Problem::new(StatusCode::FORBIDDEN, "not_from_there", detail, correlation).response()
}

pub(crate) fn method_not_allowed(correlation: &CorrelationId) -> Response<Body> {
    let detail = "Webhooks take GET and POST.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, correlation).response()
}
