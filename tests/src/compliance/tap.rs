//! A wire that notes which calls go over it and has scripted troubles with some of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Transport, Wire};

/// Calls that trouble befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Those that may not be repeated, but for calls of token endpoints.
    Writes,
    /// All but calls of token endpoints.
    All,
}

/// When trouble comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The provider never sees the request.
    Before,
    /// The request took effect.
    After,
}

/// What happens in place of an answer.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// No connection comes about.
    NoConnection,
    /// No answer comes.
    Silence(Moment),
    /// Another answer comes: status, `Retry-After` and body.
    Answer(Moment, u16, Option<u32>, String),
}

/// A call that went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The connector's name for it.
    pub operation: &'static str,
    /// Whether it may be repeated.
    pub repeatable: bool,
    /// Whether it carried an access token.
    pub bearer: bool,
}

impl Call {
    fn of(request: &Request, authorization: &Authorization) -> Self {
        let bearer = matches!(authorization, Authorization::Bearer(_));
        Self { operation: request.operation, repeatable: request.repeatable, bearer }
    }

    /// Whether it asks a token endpoint.
    #[must_use]
    pub fn is_of_tokens(&self) -> bool {
        self.operation.ends_with("_token")
    }

    /// Whether it may change something at the provider.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.repeatable && !self.is_of_tokens()
    }
}

/// The wire.
pub struct Tap {
    transport: Transport,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    heard: Vec<Call>,
    script: Option<(Calls, Trouble, usize)>,
    hits: usize,
}

impl Default for Tap {
    fn default() -> Self {
        Self { transport: Transport::new().unwrap(), state: Mutex::default() }
    }
}

impl Tap {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has trouble befall so many of these calls from now on.
    pub fn script(&self, calls: Calls, trouble: Trouble, times: usize) {
        let mut state = self.state();
        (state.script, state.hits) = (Some((calls, trouble, times)), 0);
    }

    /// Ends the trouble; says how many calls it befell.
    pub fn heal(&self) -> usize {
        let mut state = self.state();
        state.script = None;
        state.hits
    }

    /// What went over the wire since this was asked last.
    pub fn heard(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().heard)
    }

    fn take(&self, call: Call) -> Option<Trouble> {
        let mut state = self.state();
        let trouble = match &mut state.script {
            Some((calls, trouble, times)) if *times > 0 => {
                let befalls = match calls {
                    Calls::Writes => call.writes(),
                    Calls::All => !call.is_of_tokens(),
                };
                befalls.then(|| {
                    *times -= 1;
                    trouble.clone()
                })
            }
            _ => None,
        };
        state.hits += usize::from(trouble.is_some());
        state.heard.push(call);
        trouble
    }
}

#[async_trait]
impl Wire for Tap {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let Some(trouble) = self.take(Call::of(request, authorization)) else {
            return self.transport.exchange(request, authorization).await;
        };
        let (Trouble::NoConnection | Trouble::Silence(Moment::Before) | Trouble::Answer(Moment::Before, ..)) =
            &trouble
        else {
            self.transport.exchange(request, authorization).await.ok().unwrap();
            return instead(trouble);
        };
        instead(trouble)
    }
}

fn instead(trouble: Trouble) -> Result<Answer, NoAnswer> {
    match trouble {
        Trouble::NoConnection => Err(NoAnswer::NotSent("no connection".into())),
        Trouble::Silence(_) => Err(NoAnswer::MaybeSent("no answer".into())),
        Trouble::Answer(_, status, retry_after, body) => Ok(Answer {
            status,
            retry_after: retry_after.map(|seconds| seconds.to_string()),
            content_type: Some("application/json".to_owned()),
            x_uid: None,
            body: body.into(),
        }),
    }
}
