//! The stack's one clean origin: `http://127.0.0.1:<port>/…` before MiniStack's API path, so that absolute paths,
//! cookies and `/health` work as in the cloud.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::deploy::Deployed;
use super::ministack::MiniStack;

/// What an HTTP API accepts.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Headers that belong to one connection and are not passed on.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE];

/// A running proxy.
pub(crate) struct Proxy {
    url: String,
    task: JoinHandle<std::io::Result<()>>,
}

struct Upstream {
    client: reqwest::Client,
    base: String,
}

impl Proxy {
    /// Serves the deployed HTTP API on the listener.
    ///
    /// # Errors
    /// When the HTTP client cannot be made or the listener is gone.
    pub(crate) fn start(listener: TcpListener, ministack: &MiniStack, deployed: &Deployed) -> Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let client =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        // The path form: with the host form MiniStack answers /health itself.
        let base = format!("{}/_aws/execute-api/{}/$default", ministack.endpoint(), deployed.api_id);
        let routes = Router::new().fallback(forward).with_state(Arc::new(Upstream { client, base }));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, task })
    }

    /// The origin, without a trailing slash.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops serving at once.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // It ends with "aborted", as asked.
        self.task.await.ok();
    }
}

async fn forward(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    // A path with dot segments would climb out of the API into MiniStack's own.
    let Some(url) = Url::parse(&format!("{}{path}", upstream.base))
        .ok()
        .filter(|url| url.as_str().starts_with(&upstream.base))
    else {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let answer =
        upstream.client.request(parts.method, url).headers(end_to_end(parts.headers)).body(body).send().await;
    match answer {
        Ok(answer) => {
            let (status, headers) = (answer.status(), end_to_end(answer.headers().clone()));
            match answer.bytes().await {
                Ok(body) => (status, headers, Body::from(body)).into_response(),
                Err(_) => message(StatusCode::BAD_GATEWAY, "Bad Gateway"),
            }
        }
        Err(_) => message(StatusCode::BAD_GATEWAY, "Bad Gateway"),
    }
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

/// An error of the gateway itself, in the shape that an HTTP API gives it.
fn message(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!(r#"{{"message":"{text}"}}"#))
        .into_response()
}
