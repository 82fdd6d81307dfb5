//! The client over a scripted wire: tokens, repeats and sorted failures.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::error::Error;
use http::Method;

use super::*;
use crate::kit::Body;
use crate::kit::testing::{CountedTokens, Reply, Script, StillClock};

pub(super) struct Bench {
    script: Arc<Script>,
    clock: Arc<StillClock>,
    tokens: Arc<CountedTokens>,
    pub(super) client: Client,
}

pub(super) fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let script = Arc::new(Script::of(replies));
    let clock = Arc::new(StillClock::default());
    let client = Client::new("ledger", script.clone(), clock.clone());
    Bench { script, clock, tokens: Arc::default(), client }
}

impl Bench {
    pub(super) fn read(&self) -> Request {
        Request::get("read_thing", "http://ledger.test", "/thing", Auth::Bearer(self.tokens.clone()))
    }

    pub(super) fn write(&self) -> Request {
        let body = Body::Json("{}".to_owned());
        let auth = Auth::Bearer(self.tokens.clone());
        Request::write("create_thing", Method::POST, "http://ledger.test", "/thing", body, auth)
    }
}

pub(super) fn ok() -> Reply {
    Reply::Status(200, "{}".to_owned())
}

pub(super) fn status(status: u16) -> Reply {
    Reply::Status(status, String::new())
}

#[tokio::test]
async fn a_read_is_repeated_until_it_works() {
    let bench = bench([Reply::NotSent, status(503), ok()]);
    assert!(bench.client.read(&bench.read()).await.is_ok());
    assert_eq!(bench.clock.waits().len(), 2);
}

#[tokio::test]
async fn a_read_gives_up_after_three_tries_as_unavailable() {
    let bench = bench([status(500), Reply::MaybeSent, Reply::MaybeSent]);
    let error = bench.client.read(&bench.read()).await.err().unwrap();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(bench.script.left(), 0);
}

#[tokio::test]
async fn a_write_is_sent_once_and_sorted_by_whether_it_may_have_been_done() {
    let cases = [
        (Reply::NotSent, false),
        (status(429), false),
        (Reply::MaybeSent, true),
        (status(500), true),
        (status(503), true),
        (status(408), true),
        (status(409), true),
        (status(302), true),
    ];
    for (index, (reply, maybe_done)) in cases.into_iter().enumerate() {
        let bench = bench([reply]);
        match bench.client.send(&bench.write()).await.err().unwrap() {
            Failure::NotDone(Error::Unavailable { .. }) => assert!(!maybe_done, "case {index}"),
            Failure::MaybeDone(Error::OutcomeUnknown { .. }) => assert!(maybe_done, "case {index}"),
            Failure::NotDone(error) | Failure::MaybeDone(error) => panic!("case {index}: {error:?}"),
        }
        assert!(bench.clock.waits().is_empty(), "case {index}");
    }
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let bench = bench([Reply::RetryAfter(429, "40".to_owned())]);
    let error = bench.client.read(&bench.read()).await.err().unwrap();
    assert!(
        matches!(error, Error::Unavailable { after: Some(after), .. } if after == Duration::from_secs(40))
    );
}

#[tokio::test]
async fn a_short_limit_is_waited_for() {
    let bench = bench([Reply::RetryAfter(429, "5".to_owned()), ok()]);
    assert!(bench.client.read(&bench.read()).await.is_ok());
    assert_eq!(bench.clock.waits(), [Duration::from_secs(5)]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_even_for_a_write() {
    let bench = bench([status(401), ok()]);
    assert!(bench.client.send(&bench.write()).await.is_ok());
    let used: Vec<String> = bench.script.sent().into_iter().map(|sent| sent.authorization).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(bench.tokens.refused_tokens(), ["token-1"]);
}

#[tokio::test]
async fn a_second_refusal_is_left_to_a_later_try() {
    let bench = bench([status(401), status(401)]);
    let failure = bench.client.send(&bench.write()).await.err().unwrap();
    assert!(matches!(failure, Failure::NotDone(Error::Unavailable { .. })));
}

#[tokio::test]
async fn other_refusals_are_for_the_connector_to_read() {
    for code in [400, 403, 404, 422] {
        let bench = bench([status(code)]);
        assert_eq!(bench.client.send(&bench.write()).await.ok().unwrap().status, code);
    }
}
