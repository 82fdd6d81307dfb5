//! A scripted wire, a clock that does not wait, and tokens to hand out, for the connectors' tests.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Clock, Pace, Tokens};
use bokbro_app::secret::SecretText;
use bytes::Bytes;
use jiff::Timestamp;

use super::request::{Answer, Body, Request};
use super::transport::{Authorization, NoAnswer, Wire};

/// One scripted reply.
#[derive(Clone)]
pub(crate) enum Reply {
    /// An answer with a status and a body.
    Status(u16, String),
    /// An answer with a status, a content type and a body.
    Typed(u16, &'static str, String),
    /// An answer with `Retry-After`.
    RetryAfter(u16, String),
    /// No connection.
    NotSent,
    /// The connection broke after sending.
    MaybeSent,
}

/// Plays replies in order and notes what was sent.
#[derive(Default)]
pub(crate) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Method, path and query, `GET /3/customers?email=a` say (not escaped).
    pub(crate) line: String,
    /// The body as text.
    pub(crate) body: String,
    /// Headers of the request.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Kind and text of the authorization.
    pub(crate) authorization: String,
    /// The request's own time for the whole call.
    pub(crate) patience: Option<Duration>,
}

impl Script {
    /// A wire that plays these replies.
    pub(crate) fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { replies: Mutex::new(replies.into_iter().collect()), sent: Mutex::default() }
    }

    /// What was sent so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The request lines sent so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.line).collect()
    }

    /// How many replies were never asked for.
    pub(crate) fn left(&self) -> usize {
        self.replies.lock().unwrap().len()
    }
}

#[async_trait]
impl Wire for Script {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let pairs: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        let sent = Sent {
            line: format!("{} {}{query}", request.method, request.path),
            body: match &request.body {
                Body::None => String::new(),
                Body::Json(text) => text.clone(),
                Body::Form(fields) => {
                    fields.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&")
                }
            },
            headers: request.headers.clone(),
            patience: request.patience,
            authorization: match authorization {
                Authorization::None => String::new(),
                Authorization::Basic(user, password) => format!("Basic {user}:{}", password.expose()),
                Authorization::Bearer(token) => format!("Bearer {}", token.expose()),
            },
        };
        let line = sent.line.clone();
        self.sent.lock().unwrap().push(sent);
        let reply = self.replies.lock().unwrap().pop_front();
        let answer = |status, body: String, retry_after| Answer {
            status,
            retry_after,
            content_type: None,
            x_uid: Some("uid-1".to_owned()),
            body: Bytes::from(body),
        };
        match reply {
            Some(Reply::Status(status, body)) => Ok(answer(status, body, None)),
            Some(Reply::Typed(status, content_type, body)) => {
                Ok(Answer { content_type: Some(content_type.to_owned()), ..answer(status, body, None) })
            }
            Some(Reply::RetryAfter(status, after)) => Ok(answer(status, String::new(), Some(after))),
            Some(Reply::NotSent) => Err(NoAnswer::NotSent("connection refused".into())),
            Some(Reply::MaybeSent) => Err(NoAnswer::MaybeSent("connection reset".into())),
            None => panic!("the script has no reply for {line}"),
        }
    }
}

/// A clock that stands still and notes how long it was asked to wait.
pub(crate) struct StillClock {
    now: Timestamp,
    waits: Mutex<Vec<Duration>>,
}

impl Default for StillClock {
    fn default() -> Self {
        Self { now: "2026-11-20T12:00:00Z".parse().unwrap(), waits: Mutex::default() }
    }
}

impl StillClock {
    /// How long it was asked to wait.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn wait(&self, time: Duration) {
        self.waits.lock().unwrap().push(time);
    }

    fn dice(&self) -> u64 {
        0
    }
}

/// Lets every call go and notes which.
#[derive(Default)]
pub(crate) struct CountedPace {
    taken: Mutex<Vec<String>>,
}

impl CountedPace {
    /// The operations that took a slot so far.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Pace for CountedPace {
    async fn admit(&self, _place: Option<Timestamp>) -> Result<(), Error> {
        Ok(())
    }

    async fn take(&self, operation: &str) -> Result<(), Error> {
        self.taken.lock().unwrap().push(operation.to_owned());
        Ok(())
    }

    async fn slow_down(&self, _operation: &str, _after: Option<Duration>) -> Option<Error> {
        None
    }
}

/// Hands out `token-1`, and the next number after each refusal.
#[derive(Default)]
pub(crate) struct CountedTokens {
    refused: Mutex<Vec<String>>,
}

impl CountedTokens {
    /// The tokens refused so far.
    pub(crate) fn refused_tokens(&self) -> Vec<String> {
        self.refused.lock().unwrap().clone()
    }
}

#[async_trait]
impl Tokens for CountedTokens {
    async fn token(&self) -> Result<SecretText, Error> {
        let nth = self.refused.lock().unwrap().len() + 1;
        Ok(SecretText::new(format!("token-{nth}")))
    }

    async fn refused(&self, token: &SecretText) {
        self.refused.lock().unwrap().push(token.expose().to_owned());
    }
}
