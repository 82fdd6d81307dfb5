//! Canned answers in place of AWS for unit tests: what an emulator never says, over the SDK's own wire format.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{AsyncSleep, Credentials, SharedCredentialsProvider, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// One answer.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Http(u16, String),
    /// The connection broke and nobody knows what became of the request.
    Lost,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self::Http(200, body.to_string())
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Http(status, json!({"__type": code, "message": message}).to_string())
    }

    pub(crate) fn raw(status: u16, body: &str) -> Self {
        Self::Http(status, body.to_owned())
    }

    pub(crate) fn lost() -> Self {
        Self::Lost
    }

    /// A canceled transaction: a code per write, with the stored item where a condition failed.
    pub(crate) fn canceled(reasons: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let reasons: Vec<Value> = reasons
            .into_iter()
            .map(
                |(code, item)| {
                    if item.is_null() { json!({"Code": code}) } else { json!({"Code": code, "Item": item}) }
                },
            )
            .collect();
        let body = json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
        Self::Http(400, body.to_string())
    }
}

/// One request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Service and operation.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Value,
}

/// Answers in the order in which they are given, and the requests that they were given to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Sent>>>,
}

impl Canned {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self { answers, requests: Arc::default() }
    }

    pub(crate) fn requests(&self) -> Vec<Sent> {
        self.requests.lock().unwrap().clone()
    }

    /// An SDK configuration whose calls end here and whose back-off takes no time.
    pub(crate) fn config(&self) -> SdkConfig {
        let connector = self.clone();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-north-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "id", "key", None, None, "test",
            )))
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
            .sleep_impl(NoSleep)
            .build()
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        self.requests.lock().unwrap().push(Sent { operation, body });
        HttpConnectorFuture::ready(match self.answers.lock().unwrap().pop_front() {
            Some(Answer::Http(status, body)) => {
                Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
            }
            Some(Answer::Lost) => Err(ConnectorError::io("connection reset".into())),
            None => Err(ConnectorError::user("more requests than answers".into())),
        })
    }
}

#[derive(Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _: std::time::Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}
