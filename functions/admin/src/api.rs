//! What handlers share: correlation ids, answers, and errors in the form that callers read.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bokbro_app::app::App;
use bokbro_app::error::{Error, chain};
use bokbro_app::orders::Refusal;
use bokbro_domain::ids::CorrelationId;
use bokbro_runtime::Platform;
use bokbro_runtime::browser;
use bokbro_runtime::http::request_handle;
use bokbro_runtime::problem::{Problem, json_response};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Largest posted body, in bytes: an order of the most lines with the longest texts is well below.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// What every handler gets.
pub(crate) type Api = State<Arc<Platform>>;

/// What stands in the query. What does not fit is refused in the form of every other refusal.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Platform>> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, platform: &Arc<Platform>) -> Result<Self, Response> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(query)| Self(query)).map_err(|_| {
            let detail = "The query has a parameter twice or is not UTF-8.";
            Problem::new(StatusCode::BAD_REQUEST, "invalid", detail, &correlation(platform))
                .at("query")
                .response()
        })
    }
}

/// What stands in the path. What does not fit is nothing that there is.
pub(crate) struct Path(pub(crate) String);

impl FromRequestParts<Arc<Platform>> for Path {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, platform: &Arc<Platform>) -> Result<Self, Response> {
        let read = axum::extract::Path::from_request_parts(parts, platform).await;
        read.map(|axum::extract::Path(text)| Self(text)).map_err(|_| {
            let detail = "There is nothing of this name.";
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail, &correlation(platform)).response()
        })
    }
}

/// What was posted, up to the limit.
pub(crate) struct Posted(pub(crate) Vec<u8>);

impl FromRequest<Arc<Platform>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, platform: &Arc<Platform>) -> Result<Self, Response> {
        match axum::body::to_bytes(request.into_body(), MAX_BODY).await {
            Ok(bytes) => Ok(Self(bytes.to_vec())),
            Err(_) => {
                let detail = format!("The body is over {} KiB.", MAX_BODY / 1024);
                let correlation = correlation(platform);
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail, &correlation).response())
            }
        }
    }
}

/// Where browsers find us, if that is known.
pub(crate) struct Origin(pub(crate) Option<String>);

impl FromRequestParts<Arc<Platform>> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, platform: &Arc<Platform>) -> Result<Self, Infallible> {
        Ok(Self(browser::origin(platform, &parts.extensions)))
    }
}

/// The request's correlation id.
pub(crate) fn correlation(platform: &Platform) -> CorrelationId {
    bokbro_runtime::http::correlation(&platform.app)
}

/// Logs one line about every request, and gives it its correlation id.
pub(crate) async fn logged(State(platform): Api, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    // Paths hold ids that anybody may make up; those of no route are not logged.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let App { clock, .. } = &platform.app;
    request_handle(&platform.app.correlation(), &**clock, method.as_str(), route, next.run(request)).await
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
            let mut problem = Problem::new(StatusCode::CONFLICT, *code, message.as_str(), correlation);
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

/// Our own failure as an answer.
pub(crate) fn failed(error: &Error, correlation: &CorrelationId) -> Response {
    tracing::error!(%correlation, error = chain(error), "request failed");
    let detail = "Something of ours failed. Try again; the same Idempotency-Key makes that safe.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "try_again", detail, correlation).response()
}

/// A header's text.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}
