//! Requests as values, and the answers to them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::ports::Tokens;
use bokbro_app::secret::SecretText;
use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;

/// How a request proves who sends it.
#[derive(Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// User name and password.
    Basic {
        /// User name, client id or merchant id.
        user: String,
        /// Password, client secret or API key.
        password: SecretText,
    },
    /// An access token; a refused one is replaced once.
    Bearer(Arc<dyn Tokens>),
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON text, already exact.
    Json(String),
    /// Names and values of a form.
    Form(Vec<(&'static str, String)>),
}

/// One request to a provider. It has no `Debug`: bodies and credentials must not reach a log.
#[derive(Clone)]
pub struct Request {
    /// Name in logs and errors, `create_invoice` say.
    pub operation: &'static str,
    /// Method.
    pub method: Method,
    /// Scheme and host, with a port where one is needed.
    pub base: String,
    /// Path from the root, with its segments escaped.
    pub path: String,
    /// Query by name, not escaped.
    pub query: Vec<(&'static str, String)>,
    /// Headers besides those that the kit sets.
    pub headers: Vec<(&'static str, String)>,
    /// What it carries.
    pub body: Body,
    /// Who sends it.
    pub auth: Auth,
    /// Whether sending it twice does no harm.
    pub repeatable: bool,
    /// How long the whole call may take, where that is not the usual time.
    pub patience: Option<Duration>,
}

impl Request {
    /// A read: repeatable, without body.
    pub fn get(operation: &'static str, base: &str, path: impl Into<String>, auth: Auth) -> Self {
        Self {
            operation,
            method: Method::GET,
            base: base.to_owned(),
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            auth,
            repeatable: true,
            patience: None,
        }
    }

    /// A write: sent once, whatever happens.
    pub fn write(
        operation: &'static str,
        method: Method,
        base: &str,
        path: impl Into<String>,
        body: Body,
        auth: Auth,
    ) -> Self {
        Self { method, body, repeatable: false, ..Self::get(operation, base, path, auth) }
    }

    /// The request with a query parameter more.
    #[must_use]
    pub fn with_query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The request with a time of its own for the whole call.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The request with a header more.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a provider answered. It has no `Debug`: bodies must not reach a log.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` as it came.
    pub retry_after: Option<String>,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// The provider's id of the request, for its support.
    pub x_uid: Option<String>,
    /// The exact bytes.
    pub body: Bytes,
}

impl Answer {
    /// Whether the status says that the request was done.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the body as JSON, whatever its content type claims.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        serde_json::from_slice(&self.body).map_err(|error| NotJson {
            class: match error.classify() {
                serde_json::error::Category::Io => "unreadable",
                serde_json::error::Category::Syntax => "not JSON",
                serde_json::error::Category::Data => "JSON of another shape",
                serde_json::error::Category::Eof => "cut off",
            },
            line: error.line(),
            column: error.column(),
        })
    }
}

/// A body that is not the JSON that it should be; says where without quoting it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is {class} at line {line} column {column}")]
pub struct NotJson {
    class: &'static str,
    line: usize,
    column: usize,
}

/// Escapes a value so that it is one segment of a path.
#[must_use]
pub fn path_segment(value: &str) -> String {
    let mut segment = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(segment, "%{byte:02X}").ok();
        }
    }
    segment
}
