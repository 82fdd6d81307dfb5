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

use super::calls::Calls;

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
    calls: Option<Calls>,
}

impl Proxy {
    /// Serves on the listener what lies under `base`, an address without a trailing slash.
    ///
    /// # Errors
    /// When the HTTP client cannot be made or the listener is gone.
    pub(crate) fn start(listener: TcpListener, base: String) -> Result<Self> {
        Self::serve(listener, base, None)
    }

    /// Does the same and counts the AWS calls that pass.
    ///
    /// # Errors
    /// As [`Proxy::start`].
    pub(crate) fn counting(listener: TcpListener, base: String, calls: Calls) -> Result<Self> {
        Self::serve(listener, base, Some(calls))
    }

    fn serve(listener: TcpListener, base: String, calls: Option<Calls>) -> Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let client =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let routes = Router::new().fallback(forward).with_state(Arc::new(Upstream { client, base, calls }));
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
    if let Some(calls) = &upstream.calls {
        calls.count(&parts.headers);
    }
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

#[cfg(test)]
mod tests {
    use axum::Json;
    use serde_json::{Value, json};

    use super::*;

    async fn listen() -> TcpListener {
        TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
    }

    /// An upstream that tells what it was asked under `/api`, with a redirect as its answer.
    async fn proxied() -> Proxy {
        let echo = |request: Request| async {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let told = json!({
                "method": parts.method.as_str(),
                "path": parts.uri.to_string(),
                "host": parts.headers[header::HOST].to_str().unwrap(),
                "authorization": parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap()),
                "body": String::from_utf8_lossy(&body),
            });
            (StatusCode::SEE_OTHER, [("location", "/elsewhere"), ("set-cookie", "a=1")], Json(told))
        };
        let upstream = listen().await;
        let base = format!("http://{}/api", upstream.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(upstream, Router::new().fallback(echo)).await });
        Proxy::start(listen().await, base).unwrap()
    }

    fn client() -> reqwest::Client {
        rustls::crypto::ring::default_provider().install_default().ok();
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    #[tokio::test]
    async fn passes_the_request_and_the_answer_unchanged() {
        let (client, proxy) = (client(), proxied().await);
        let answer = client
            .put(format!("{}/v1/orders?limit=1&cursor=a%2Fb", proxy.url()))
            .header("host", "bokbro.example")
            .bearer_auth("bk_key")
            .body("{\"total\": 747.00}")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()["location"], "/elsewhere");
        assert_eq!(answer.headers()["set-cookie"], "a=1");
        let told: Value = answer.json().await.unwrap();
        assert_eq!(
            told,
            json!({
                "method": "PUT",
                "path": "/api/v1/orders?limit=1&cursor=a%2Fb",
                "host": "bokbro.example",
                "authorization": "Bearer bk_key",
                "body": "{\"total\": 747.00}",
            })
        );
    }

    #[tokio::test]
    async fn refuses_a_body_that_an_http_api_refuses() {
        let (client, proxy) = (client(), proxied().await);
        let answer = client.post(proxy.url()).body(vec![b'x'; BODY_LIMIT + 1]).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn keeps_dot_segments_out_of_the_emulator() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        client();
        let proxy = proxied().await;
        let address = proxy.url().trim_start_matches("http://").to_owned();
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        // Written by hand, because HTTP clients resolve the segments themselves.
        connection
            .write_all(b"GET /../_ministack/reset HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}
