//! Answers to programs and to people in a browser, and of addresses that nobody owns.

use bokbro_app::error::{Error, chain};
use bokbro_app::gate::TooMany;
use bokbro_app::oauth::Started;
use bokbro_app::orders::Refusal;
use bokbro_app::records::Role;
use bokbro_domain::ids::CorrelationId;
use bokbro_pages::Texts;
use bokbro_pages::layout::PROTECTION;
use bokbro_pages::sign_in::Message;
use bokbro_runtime::browser::{self, Cookie};
use bokbro_runtime::problem::{Problem, json_response, too_many};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde_json::json;

use crate::Refused;

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

/// Tells a program why no consent is begun.
pub(crate) fn refused(refused: &Refused, correlation: &CorrelationId) -> Response<Body> {
    match refused {
        Refused::Unauthorized => unauthorized(correlation),
        Refused::Forbidden => {
            let detail = "This needs the role owner.";
            Problem::new(StatusCode::FORBIDDEN, "forbidden", detail, correlation).response()
        }
        Refused::TooMany(many) => too_many(*many, correlation),
        Refused::BadService => {
            let detail = "service: must be true or false";
            Problem::new(StatusCode::BAD_REQUEST, "invalid", detail, correlation).at("service").response()
        }
        Refused::Refusal(Refusal::Invalid(error)) => {
            let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid", error.to_string(), correlation);
            problem.at(error.field.clone()).response()
        }
        Refused::Refusal(Refusal::Conflict { code, message, .. }) => {
            Problem::new(StatusCode::CONFLICT, *code, message.as_str(), correlation).response()
        }
        Refused::Refusal(Refusal::NotFound(what)) => {
            let detail = format!("There is no such {what}.");
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail, correlation).response()
        }
        Refused::Refusal(Refusal::Failed(error)) => failed(error, correlation),
    }
}

/// Tells somebody in a browser why no consent is begun; who is not signed in is sent to do that first.
pub(crate) fn refused_page(
    refused: &Refused,
    request: &Request,
    texts: Texts,
    correlation: &CorrelationId,
) -> Response<Body> {
    let message = match refused {
        Refused::Unauthorized => return to_sign_in(request, texts),
        Refused::Forbidden => Message::Forbidden(Role::Owner),
        Refused::TooMany(many) => return too_many_page(*many, texts),
        Refused::BadService | Refused::Refusal(Refusal::Invalid(_) | Refusal::NotFound(_)) => {
            Message::NotFound
        }
        Refused::Refusal(Refusal::Conflict { message, .. }) => Message::Conflict { why: message.clone() },
        Refused::Refusal(Refusal::Failed(error)) => {
            tracing::error!(%correlation, error = chain(error), "page failed");
            Message::Failed { reference: correlation.to_string() }
        }
    };
    page(message.status(), message.page(texts), texts)
}

fn too_many_page(many: TooMany, texts: Texts) -> Response<Body> {
    let seconds = many.after.as_secs();
    let message = Message::TooMany { seconds };
    let mut response = page(message.status(), message.page(texts), texts);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn to_sign_in(request: &Request, texts: Texts) -> Response<Body> {
    let wanted: String = form_urlencoded::byte_serialize(request.uri().path().as_bytes()).collect();
    let mut response = page(303, String::new(), texts);
    if let Ok(to) = HeaderValue::from_str(&format!("/app/sign-in?to={wanted}")) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// A page as an answer. Its address may hold a code, so nobody else is told of it.
pub(crate) fn page(status: u16, html: String, texts: Texts) -> Response<Body> {
    let mut response: Response<Body> = browser::page_response(status, html, texts.language());
    for (name, value) in PROTECTION.into_iter().chain([("referrer-policy", "no-referrer")]) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn failed(error: &Error, correlation: &CorrelationId) -> Response<Body> {
    tracing::error!(%correlation, error = chain(error), "request failed");
    let detail = "Something of ours failed. Try again.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "try_again", detail, correlation).response()
}

fn unauthorized(correlation: &CorrelationId) -> Response<Body> {
    let detail = "Send an API key: Authorization: Bearer bk_…";
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail, correlation);
    let mut response: Response<Body> = problem.response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
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
