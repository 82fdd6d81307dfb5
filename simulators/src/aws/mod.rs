//! A proxy before the local AWS that has the bad days which the local AWS never has: throttling, server errors, broken
//! connections and lost answers, in the codes and shapes of each service.
//!
//! `POST /_faults` takes a [`Fault`], `GET /_faults` shows what is pending and how many calls were hit, `DELETE /_faults`
//! ends it. Everything else is passed on.

pub mod events;
mod faults;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::kit::{Severable, Wire, http_client};

pub use faults::{Call, Fault, Faults, Kind, Service};

/// Path of the routes by which the proxy is steered.
pub const CONTROL: &str = "/_faults";
/// Largest body that is passed on, in bytes: a Lambda package is the largest thing that AWS takes directly.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
/// Headers that belong to one connection and are not passed on.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE];

/// A running proxy. Dropping it stops it.
pub struct AwsProxy {
    /// Its origin without a trailing slash: the endpoint to give to AWS clients.
    pub url: String,
    /// What goes wrong.
    pub faults: Faults,
    calls: Calls,
    task: JoinHandle<io::Result<()>>,
}

/// How often each operation was called.
type Calls = Arc<Mutex<BTreeMap<String, u64>>>;

#[derive(Clone)]
struct Upstream {
    client: reqwest::Client,
    base: Arc<str>,
    faults: Faults,
    calls: Calls,
}

impl AwsProxy {
    /// Serves on the listener what lies at `upstream`, an address without a trailing slash.
    ///
    /// # Errors
    /// When the listener is gone.
    pub fn serve(listener: TcpListener, upstream: &str) -> io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let faults = Faults::default();
        let calls = Calls::default();
        let upstream = Upstream {
            client: http_client(),
            base: upstream.into(),
            faults: faults.clone(),
            calls: calls.clone(),
        };
        let routes = Router::new()
            .fallback(pass)
            .route(CONTROL, get(pending).post(add).delete(clear))
            .with_state(upstream)
            .into_make_service_with_connect_info::<Wire>();
        let task = tokio::spawn(async move { axum::serve(Severable(listener), routes).await });
        Ok(Self { url, faults, calls, task })
    }

    /// How often each operation was called since this was last asked.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stops serving at once.
    pub async fn stop(mut self) {
        self.task.abort();
        // It ends with "aborted", as asked.
        (&mut self.task).await.ok();
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn add(State(upstream): State<Upstream>, Json(fault): Json<Fault>) -> StatusCode {
    upstream.faults.add(fault);
    StatusCode::CREATED
}

async fn pending(State(upstream): State<Upstream>) -> Json<Value> {
    Json(json!({ "pending": upstream.faults.pending(), "hit": upstream.faults.hits() }))
}

async fn clear(State(upstream): State<Upstream>) -> StatusCode {
    upstream.faults.clear();
    StatusCode::NO_CONTENT
}

async fn pass(
    State(upstream): State<Upstream>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let call = call_of(request.headers());
    if let Some(call) = &call {
        let mut calls = upstream.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(call.operation.clone()).or_default() += 1;
    }
    let hit = call.as_ref().and_then(|call| upstream.faults.take(call).map(|hit| (call.service, hit)));
    match hit {
        None => forward(&upstream, request).await,
        Some((_, hit)) if hit.kind == Kind::Reset => {
            wire.cut();
            Response::default()
        }
        Some((_, hit)) if hit.kind == Kind::DropAfterCommit => {
            let answer = forward(&upstream, request).await;
            wire.cut();
            answer
        }
        Some((service, hit)) => refusal(service, hit.kind, hit.nth),
    }
}

/// The service and operation of a call; none for services that are not spoken to in JSON.
fn call_of(headers: &HeaderMap) -> Option<Call> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = text("x-amz-target").split_once('.')?;
    let service = match service.split('_').next()? {
        "DynamoDB" => Service::Dynamodb,
        "AmazonSQS" => Service::Sqs,
        "secretsmanager" => Service::Secretsmanager,
        _ => return None,
    };
    let app = text("user-agent").split(' ').find_map(|part| part.strip_prefix("app/"));
    Some(Call { service, operation: operation.to_owned(), app: app.map(str::to_owned) })
}

/// An error as the service gives it. The codes take turns, so that each is met.
fn refusal(service: Service, kind: Kind, nth: u64) -> Response {
    let (status, code) = match kind {
        Kind::Throttle => {
            let codes: &[&str] = match service {
                Service::Dynamodb => {
                    &["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
                }
                Service::Sqs => &["RequestThrottled", "ThrottlingException"],
                Service::Secretsmanager => &["ThrottlingException"],
            };
            (StatusCode::BAD_REQUEST, turn(codes, nth))
        }
        Kind::ServerError | Kind::Reset | Kind::DropAfterCommit => {
            let code = match service {
                Service::Dynamodb => "InternalServerError",
                Service::Sqs => "InternalFailure",
                Service::Secretsmanager => "InternalServiceError",
            };
            match nth % 2 {
                0 => (StatusCode::INTERNAL_SERVER_ERROR, code),
                _ => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
            }
        }
    };
    let namespace = match service {
        Service::Dynamodb => "com.amazonaws.dynamodb.v20120810#",
        Service::Sqs => "com.amazonaws.sqs#",
        Service::Secretsmanager => "",
    };
    let body = json!({ "__type": format!("{namespace}{code}"), "message": "Rate exceeded" });
    let mut answer = (status, body.to_string()).into_response();
    let content_type = match service {
        Service::Dynamodb | Service::Sqs => "application/x-amz-json-1.0",
        Service::Secretsmanager => "application/x-amz-json-1.1",
    };
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert("x-amzn-requestid", HeaderValue::from_static("FAULT"));
    answer
}

fn turn<'a>(codes: &[&'a str], nth: u64) -> &'a str {
    let at = usize::try_from(nth).unwrap_or(0) % codes.len().max(1);
    codes.get(at).copied().unwrap_or_default()
}

async fn forward(upstream: &Upstream, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let url = format!("{}{path}", upstream.base);
    let request = upstream.client.request(parts.method, url).headers(end_to_end(parts.headers));
    let Ok(answer) = request.body(body).send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), end_to_end(answer.headers().clone()));
    match answer.bytes().await {
        Ok(body) => (status, headers, Body::from(body)).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests;
