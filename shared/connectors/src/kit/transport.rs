//! The one place that opens sockets to providers.

use std::error::Error as StdError;
use std::sync::Once;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use bokbro_app::secret::SecretText;
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;

use super::request::{Answer, Body, Request};

/// Longest answer that is read. Documents are some kilobytes, and the longest page of a list holds a thousand of them.
const LARGEST_ANSWER: usize = 24 * 1024 * 1024;
/// Time-out of resolving, connecting and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time-out of a whole call.
pub(super) const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// Proof of who sends a request, ready for its header.
#[derive(Clone)]
pub enum Authorization {
    /// None is sent.
    None,
    /// User name and password.
    Basic(String, SecretText),
    /// An access token.
    Bearer(SecretText),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing left this machine: no address, no connection, no TLS.
    #[error("not sent")]
    NotSent(#[source] Box<dyn StdError + Send + Sync>),
    /// It may have arrived.
    #[error("no complete answer")]
    MaybeSent(#[source] Box<dyn StdError + Send + Sync>),
}

/// Sends one request once. [`Transport`] does it for real, tests with a script.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends a request once and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no complete answer.
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer>;
}

/// HTTP over TLS with one pool of connections.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
}

impl Transport {
    /// A transport with its own pool; one per process is enough.
    ///
    /// # Errors
    /// When TLS cannot be set up, for want of root certificates say.
    pub fn new() -> Result<Self, reqwest::Error> {
        static TLS: Once = Once::new();
        // An error means that this process has a provider already, which serves as well.
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let client = reqwest::Client::builder()
            .user_agent(concat!("bokbro/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Wire for Transport {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let url = format!("{}{}", request.base.trim_end_matches('/'), request.path);
        let mut builder = self.client.request(request.method.clone(), url).header(ACCEPT, "application/json");
        if !request.query.is_empty() {
            builder = builder.query(&request.query);
        }
        if let Some(patience) = request.patience {
            builder = builder.timeout(patience);
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(value) = header(authorization).map_err(|e| NoAnswer::NotSent(Box::new(e)))? {
            builder = builder.header(AUTHORIZATION, value);
        }
        builder = match &request.body {
            // Without a body hyper leaves the length out, and some gateways refuse a write that lacks it.
            Body::None if request.method != http::Method::GET => builder.header(CONTENT_LENGTH, "0"),
            Body::None => builder,
            Body::Json(text) => builder.header(CONTENT_TYPE, "application/json").body(text.clone()),
            Body::Form(fields) => builder.form(fields),
        };
        let mut answer = builder.send().await.map_err(no_answer)?;
        let text =
            |name| answer.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
        let mut whole = Answer {
            status: answer.status().as_u16(),
            retry_after: text(RETRY_AFTER),
            content_type: text(CONTENT_TYPE),
            x_uid: text(http::HeaderName::from_static("x-uid")),
            body: Bytes::new(),
        };
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(NoAnswer::MaybeSent(
                    format!("the answer is longer than {LARGEST_ANSWER} bytes").into(),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        whole.body = body.freeze();
        Ok(whole)
    }
}

fn header(authorization: &Authorization) -> Result<Option<HeaderValue>, http::header::InvalidHeaderValue> {
    let text = match authorization {
        Authorization::None => return Ok(None),
        Authorization::Basic(user, password) => {
            let pair = format!("{user}:{}", password.expose());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Authorization::Bearer(token) => format!("Bearer {}", token.expose()),
    };
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The address is cut off because its query may hold an e-mail address.
fn no_answer(error: reqwest::Error) -> NoAnswer {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        NoAnswer::NotSent(Box::new(error))
    } else {
        NoAnswer::MaybeSent(Box::new(error))
    }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
