//! Answers of the half that programs call, and of addresses that nobody owns.

use bokbro_app::error::{Error, chain};
use bokbro_app::oauth::Started;
use bokbro_app::orders::Refusal;
use bokbro_domain::ids::CorrelationId;
use bokbro_runtime::browser::Cookie;
use bokbro_runtime::problem::{Problem, json_response};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::json;

/// Sends the browser to the consent page, or tells a program where it is.
pub(crate) fn started(started: &Started, wants_json: bool, correlation: &CorrelationId) -> Response<Body> {
    let (Some(cookie), Ok(location)) =
        (Cookie::Consent.keep(&started.nonce), HeaderValue::from_str(&started.location))
    else {
        let source = std::io::Error::other("the provider's address does not fit into a header");
        return failed(&Error::storage("beginning a consent", source), correlation);
    };
    let body = json!({ "location": started.location }).to_string();
    let mut response: Response<Body> = json_response(200, "application/json", body);
    if !wants_json {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

pub(crate) fn refused(refusal: &Refusal, correlation: &CorrelationId) -> Response<Body> {
    match refusal {
        Refusal::Invalid(error) => {
            let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid", error.to_string(), correlation);
            problem.at(error.field.clone()).response()
        }
        Refusal::Conflict { code, message, .. } => {
            Problem::new(StatusCode::CONFLICT, *code, message.clone(), correlation).response()
        }
        Refusal::NotFound(what) => {
            let detail = format!("There is no such {what}.");
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail, correlation).response()
        }
        Refusal::Failed(error) => failed(error, correlation),
    }
}

pub(crate) fn failed(error: &Error, correlation: &CorrelationId) -> Response<Body> {
    tracing::error!(%correlation, error = chain(error), "request failed");
    let detail = "Something of ours failed. Try again.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "try_again", detail, correlation).response()
}

pub(crate) fn unauthorized(correlation: &CorrelationId) -> Response<Body> {
    let detail = "Send an API key: Authorization: Bearer bk_…";
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail, correlation);
    let mut response: Response<Body> = problem.response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

pub(crate) fn forbidden(correlation: &CorrelationId) -> Response<Body> {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "This needs the role owner.", correlation).response()
}

pub(crate) fn bad_service(correlation: &CorrelationId) -> Response<Body> {
    let detail = "service: must be true or false";
    Problem::new(StatusCode::BAD_REQUEST, "invalid", detail, correlation).at("service").response()
}

pub(crate) fn not_found(correlation: &CorrelationId) -> Response<Body> {
    let detail = "Consent is at /oauth/{provider}/start and /oauth/{provider}/callback.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail, correlation).response()
}

pub(crate) fn method_not_allowed(correlation: &CorrelationId) -> Response<Body> {
    let detail = "Consent takes GET.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, correlation).response()
}

pub(crate) fn no_origin(correlation: &CorrelationId) -> Response<Body> {
    let detail = "The request does not tell its host, and BOKBRO_PUBLIC_URL is not set.";
    Problem::new(StatusCode::BAD_REQUEST, "no_origin", detail, correlation).response()
}
