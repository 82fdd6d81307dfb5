//! Sends requests: authorizes, repeats what may be repeated, logs one line per call and sorts failures.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::error::Error;
use bokbro_app::metrics;
use bokbro_app::ports::{Access, Clock, Pace, SendError, unlimited};
use bokbro_app::secret::SecretText;
use bokbro_domain::retry::quick_wait;
use bokbro_domain::said::Said;
use jiff::Timestamp;

use super::request::{Answer, Auth, Request};
use super::retry::{Next, Outcome, decide, longest_wait, patience, retry_after};
use super::transport::{Authorization, NoAnswer, Wire};

/// Sends requests to one provider.
#[derive(Clone)]
pub struct Client {
    provider: &'static str,
    wire: Arc<dyn Wire>,
    clock: Arc<dyn Clock>,
    pace: Arc<dyn Pace>,
    deadline: Option<Timestamp>,
    told_wait: ToldWait,
}

/// How long an answer of 429 without `Retry-After` asks to wait.
type ToldWait = fn(&Answer) -> Option<Duration>;

/// Why a request has no answer that a connector should read.
#[derive(Debug)]
pub enum Failure {
    /// Surely nothing was done: not connected, limited (429), no token, or the token refused twice (401).
    NotDone(Error),
    /// It may have been done: no answer, half of one, 408, 409, 5xx or a redirect.
    MaybeDone(Error),
}

impl Failure {
    /// The failure of a read, where it does not matter whether the request arrived.
    #[must_use]
    pub fn into_read_error(self) -> Error {
        match self {
            Self::NotDone(error) => error,
            Self::MaybeDone(Error::OutcomeUnknown { provider, step, after, source }) => {
                Error::Unavailable { provider, step, after, source }
            }
            Self::MaybeDone(error) => error,
        }
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotDone(error) => Self::NotDone(error),
            Failure::MaybeDone(error) => Self::Unknown(error),
        }
    }
}

impl Client {
    /// A client for one provider.
    #[must_use]
    pub fn new(provider: &'static str, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { provider, wire, clock, pace: unlimited(), deadline: None, told_wait: |_| None }
    }

    /// The same client for a provider that tells in the body of a 429 how long to wait.
    #[must_use]
    pub fn reading_waits(self, told_wait: ToldWait) -> Self {
        Self { told_wait, ..self }
    }

    /// The same client for calls of one connection: at its pace, and for work that must be over by its deadline. Only
    /// calls that the provider limits go this way; those for tokens do not.
    #[must_use]
    pub fn paced(&self, access: &Access) -> Self {
        Self { pace: access.pace.clone(), deadline: access.deadline, ..self.clone() }
    }

    /// The same client for work that must be over by a deadline.
    #[must_use]
    pub fn until(&self, deadline: Timestamp) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// The clock that waiting goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// Sends a request and gives back an answer of 2xx or of a 4xx that the connector must read. A token that is
    /// refused is replaced once, for writes too: 401 means that nothing was done.
    ///
    /// # Errors
    /// Sorted by whether the request may have been done.
    pub async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let Auth::Bearer(tokens) = &request.auth else {
            let authorization = match &request.auth {
                Auth::Basic { user, password } => Authorization::Basic(user.clone(), password.clone()),
                Auth::None | Auth::Bearer(_) => Authorization::None,
            };
            return self.send_as(request, &authorization).await;
        };
        for _ in 0..2 {
            let token: SecretText = tokens.token().await.map_err(Failure::NotDone)?;
            let answer = self.send_as(request, &Authorization::Bearer(token.clone())).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            tokens.refused(&token).await;
        }
        // Only the token endpoint knows whether the consent is gone; two refusals may as well be the provider's bad day.
        let refused = Some("two access tokens in a row were refused (401)".into());
        Err(Failure::NotDone(self.unavailable(request, None, refused)))
    }

    /// Reads: sends a repeatable request.
    ///
    /// # Errors
    /// When there is no answer that a connector should read.
    pub async fn read(&self, request: &Request) -> Result<Answer, Error> {
        self.send(request).await.map_err(Failure::into_read_error)
    }

    /// The failure for an answer that says "done" in a body that cannot be read.
    pub fn garbled(
        &self,
        request: &Request,
        why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Failure {
        Failure::MaybeDone(self.unknown(request, None, Some(why.into())))
    }

    /// A refusal that a human must lift; the message says how.
    #[must_use]
    pub fn consent(&self, message: Said) -> Error {
        Error::Consent { provider: self.provider.to_owned(), message }
    }

    async fn send_as(&self, request: &Request, authorization: &Authorization) -> Result<Answer, Failure> {
        let mut tries = 0;
        let mut waited = Duration::ZERO;
        let longest = longest_wait(self.clock.now(), self.deadline);
        loop {
            tries += 1;
            self.pace.take(request.operation).await.map_err(Failure::NotDone)?;
            let result = self.exchange(request, authorization).await;
            let outcome = self.outcome(&result);
            let busy = match outcome {
                Outcome::Limited(after) => self.pace.slow_down(request.operation, after).await,
                Outcome::NotSent | Outcome::MaybeSent | Outcome::Status(_) => None,
            };
            let quick = quick_wait(tries, self.clock.dice());
            match decide(outcome, request.repeatable, tries, longest.saturating_sub(waited), quick) {
                Next::Again(wait) => {
                    self.clock.wait(wait).await;
                    waited += wait;
                }
                Next::Deliver => match busy {
                    Some(busy) => return Err(Failure::NotDone(busy)),
                    None => return self.deliver(request, outcome, result),
                },
            }
        }
    }

    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let started = self.clock.now();
        let patience = patience(started, self.deadline).filter(|_| request.repeatable);
        let result = match patience {
            // Nobody waits for a read that comes after the deadline. Writes are heard out: what became of them counts.
            Some(patience) if request.patience.is_none() => {
                self.wire.exchange(&request.clone().with_patience(patience), authorization).await
            }
            Some(_) | None => self.wire.exchange(request, authorization).await,
        };
        let duration_ms = self.clock.now().duration_since(started).as_millis();
        let (provider, operation) = (self.provider, request.operation);
        match &result {
            Ok(answer) => {
                let x_uid = answer.x_uid.as_deref().unwrap_or_default();
                tracing::info!(
                    provider,
                    operation,
                    status = answer.status,
                    duration_ms,
                    x_uid,
                    { metrics::PROVIDER_LIMITED } = (answer.status == 429).then_some(1),
                    "provider call"
                );
            }
            Err(error) => {
                let error = bokbro_app::error::chain(error);
                tracing::info!(provider, operation, duration_ms, error, "provider call without answer");
            }
        }
        result
    }

    fn outcome(&self, result: &Result<Answer, NoAnswer>) -> Outcome {
        match result {
            Err(NoAnswer::NotSent(_)) => Outcome::NotSent,
            Err(NoAnswer::MaybeSent(_)) => Outcome::MaybeSent,
            Ok(answer) if answer.status == 429 => {
                let after = answer.retry_after.as_deref();
                let after = after.and_then(|text| retry_after(text, self.clock.now()));
                Outcome::Limited(after.or_else(|| (self.told_wait)(answer)))
            }
            Ok(answer) => Outcome::Status(answer.status),
        }
    }

    fn deliver(
        &self,
        request: &Request,
        outcome: Outcome,
        result: Result<Answer, NoAnswer>,
    ) -> Result<Answer, Failure> {
        let status = |status: u16| Some(format!("status {status}").into());
        match (outcome, result) {
            (Outcome::NotSent, Err(error)) => {
                Err(Failure::NotDone(self.unavailable(request, None, Some(Box::new(error)))))
            }
            (_, Err(error)) => Err(Failure::MaybeDone(self.unknown(request, None, Some(Box::new(error))))),
            (Outcome::Limited(after), Ok(_)) => {
                Err(Failure::NotDone(self.unavailable(request, after, status(429))))
            }
            (_, Ok(answer)) => match answer.status {
                200..=299 | 400..=407 | 410..=499 => Ok(answer),
                other => Err(Failure::MaybeDone(self.unknown(request, None, status(other)))),
            },
        }
    }

    fn unavailable(
        &self,
        request: &Request,
        after: Option<Duration>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let (provider, step) = (self.provider.to_owned(), request.operation.to_owned());
        Error::Unavailable { provider, step, after, source }
    }

    fn unknown(
        &self,
        request: &Request,
        after: Option<Duration>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let (provider, step) = (self.provider.to_owned(), request.operation.to_owned());
        Error::OutcomeUnknown { provider, step, after, source }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pace_tests.rs"]
mod pace_tests;
