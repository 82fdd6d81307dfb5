//! Routes, who may call them, and errors in the form that callers read.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post, put};
use bokbro_app::auth::{Caller, caller_find};
use bokbro_app::error::{Error, chain};
use bokbro_app::orders::Refusal;
use bokbro_app::records;
use bokbro_domain::ids::CorrelationId;
use bokbro_runtime::Platform;
use bokbro_runtime::problem::{Problem, json_response};
use serde_json::{Value, json};

use crate::{connections, orders, parked, stock, work};

/// Largest posted body, in bytes: an order of the most lines with the longest texts is well below.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// What every handler gets.
pub(crate) type Api = State<Arc<Platform>>;

/// All routes. Everything under `/v1` needs a caller, found before anything else is read.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    let v1 = Router::new()
        .route("/v1/orders", post(orders::post_order).get(orders::list))
        .route("/v1/orders/{id}", get(orders::show))
        .route("/v1/orders/sync-pending", post(orders::sync_pending))
        .route("/v1/orders/{id}/sync", post(orders::sync))
        .route("/v1/orders/{id}/cancel", post(orders::cancel))
        .route("/v1/orders/{id}/timeline", get(orders::timeline))
        .route("/v1/parked", get(parked::list))
        .route("/v1/parked/{id}/resolve", post(parked::resolve))
        .route("/v1/dead-letters", get(work::dead_letters))
        .route("/v1/dead-letters/replay", post(work::replay))
        .route("/v1/stock", get(stock::list))
        .route("/v1/jobs", get(work::jobs))
        .route("/v1/jobs/{id}", get(work::job))
        .route("/v1/audit", get(work::audit))
        .route("/v1/connections", get(connections::list))
        .route("/v1/connections/{provider}", put(connections::enter).delete(connections::disconnect))
        .route("/v1/connections/{provider}/health", get(connections::health))
        .route("/v1/connections/{provider}/refresh", post(connections::refresh))
        .route("/v1/connections/{provider}/sync", post(connections::sync))
        .route_layer(from_fn_with_state(platform.clone(), authenticate));
    Router::new()
        .route("/health", get(health))
        .merge(v1)
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(DefaultBodyLimit::disable())
        .with_state(platform)
}

async fn health() -> Response {
    let body = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
    json_response(200, "application/json", body.to_string())
}

async fn unknown(State(platform): Api) -> Response {
    let detail = "There is nothing at this path. GET /health answers; orders are under /v1/orders.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail, &correlation(&platform)).response()
}

async fn wrong_method(State(platform): Api) -> Response {
    let detail = "This path does not take this method.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, &correlation(&platform))
        .response()
}

async fn authenticate(State(platform): Api, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match caller_find(&platform.app, header).await {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) => {
            let detail = "Send an API key: Authorization: Bearer bk_…";
            let problem =
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail, &correlation(&platform));
            let mut response: Response = problem.response();
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            response
        }
        Err(error) => failed(&error, &correlation(&platform)),
    }
}

/// The answer to give when the caller's role is not enough.
pub(crate) fn lacking(caller: &Caller, role: records::Role, correlation: &CorrelationId) -> Option<Response> {
    if caller.role >= role {
        return None;
    }
    let detail = format!("This needs the role {role:?} or a higher one.").to_lowercase();
    Some(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail, correlation).response())
}

/// A new correlation id.
pub(crate) fn correlation(platform: &Platform) -> CorrelationId {
    CorrelationId::from_ulid(platform.app.stamps.ulid(&*platform.app.clock))
}

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    json_response(status.as_u16(), "application/json", body.to_string())
}

/// A refusal as an answer.
pub(crate) fn refuse(refusal: &Refusal, correlation: &CorrelationId) -> Response {
    match refusal {
        Refusal::Invalid(error) => {
            let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid", error.to_string(), correlation);
            problem.at(error.field.clone()).response()
        }
        Refusal::Conflict { code, field, message } => {
            let mut problem = Problem::new(StatusCode::CONFLICT, *code, message.clone(), correlation);
            problem.field = field.map(str::to_owned);
            problem.response()
        }
        Refusal::NotFound(what) => {
            let detail = format!("There is no such {what}.");
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail, correlation).response()
        }
        Refusal::Failed(Error::Unavailable { provider, after, .. }) => {
            let detail = format!("{provider} does not answer properly just now. Try again later.");
            let problem =
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable", detail, correlation);
            let mut response: Response = problem.response();
            if let Some(after) = after {
                response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().max(1).into());
            }
            response
        }
        Refusal::Failed(Error::Busy { provider, after, .. }) => {
            let after = after.as_secs() + 1;
            let detail = format!("{provider} takes no more calls just now. Try again in {after} s.");
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "provider_busy", detail, correlation);
            let mut response: Response = problem.response();
            response.headers_mut().insert(header::RETRY_AFTER, after.into());
            response
        }
        Refusal::Failed(error) => failed(error, correlation),
    }
}

fn failed(error: &Error, correlation: &CorrelationId) -> Response {
    tracing::error!(%correlation, error = chain(error), "request failed");
    let detail = "Something of ours failed. Try again; the same Idempotency-Key makes that safe.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "try_again", detail, correlation).response()
}

/// Reads a body up to the limit.
pub(crate) async fn read_body(body: Body, correlation: &CorrelationId) -> Result<Vec<u8>, Response> {
    match axum::body::to_bytes(body, MAX_BODY).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => {
            let detail = format!("The body is over {} KiB.", MAX_BODY / 1024);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail, correlation).response())
        }
    }
}

/// A header's text.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}
