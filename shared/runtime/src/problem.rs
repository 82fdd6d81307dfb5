//! Errors of the HTTP API as RFC 9457 `application/problem+json`.

use bokbro_app::gate::TooMany;
use bokbro_domain::ids::CorrelationId;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// An error as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The status in words.
    pub title: &'static str,
    /// Stable short name.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// The field that is wrong, as a path in the posted JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to tell us when asking about it.
    pub correlation_id: String,
}

impl Problem {
    /// An error without a field.
    pub fn new(
        status: StatusCode,
        code: impl Into<String>,
        detail: impl Into<String>,
        correlation: &CorrelationId,
    ) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error"),
            code: code.into(),
            detail: detail.into(),
            field: None,
            correlation_id: correlation.to_string(),
        }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The error as an answer.
    #[must_use]
    pub fn response<B: From<String>>(&self) -> Response<B> {
        let body = serde_json::to_string(self).unwrap_or_default();
        json_response(self.status, "application/problem+json", body)
    }
}

/// What somebody is told who came too often.
#[must_use]
pub fn too_many<B: From<String>>(many: TooMany, correlation: &CorrelationId) -> Response<B> {
    let seconds = many.after.as_secs();
    let detail = format!("Too many requests. Try again in {seconds} s.");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail, correlation);
    let mut response = problem.response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// An answer with a JSON body.
#[must_use]
pub fn json_response<B: From<String>>(status: u16, content_type: &'static str, body: String) -> Response<B> {
    let mut response = Response::new(B::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
