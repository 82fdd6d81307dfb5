//! What is kept of an SDK error: enough to find the call in AWS's own records, never a request or an answer.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use bokbro_app::error::{Error, chain};

/// A failed call: the service's code, or how the call broke, and the request's id.
///
/// SDK errors are not kept as sources, because their text is the service's own and may repeat what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default())]
pub(crate) struct Failure {
    what: String,
    request_id: Option<String>,
}

impl Failure {
    /// What is kept of an SDK error.
    pub(crate) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let response = error.raw_response();
        let request_id = response.and_then(|r| r.headers().get("x-amzn-requestid")).map(str::to_owned);
        let what = match error {
            SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
            SdkError::TimeoutError(_) => "timed out".to_owned(),
            // Nothing was received, so the connector's text is about sockets and names only.
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(connector) => format!("not sent: {}", chain(connector)),
                None => "not sent".to_owned(),
            },
            SdkError::ServiceError(_) => error.code().unwrap_or("unnamed service error").to_owned(),
            _ => format!("unreadable answer with status {}", response.map_or(0, |r| r.status().as_u16())),
        };
        Self { what, request_id }
    }

    /// A failure known by its code alone.
    pub(crate) fn coded(code: impl Into<String>) -> Self {
        Self { what: code.into(), request_id: None }
    }
}

/// A failed call at a step as the use cases see it.
pub(crate) fn storage<E: ProvideErrorMetadata>(
    step: &'static str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error {
    move |error| Error::storage(step, Failure::of(&error))
}
