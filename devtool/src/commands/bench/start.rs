//! The start of a function: from spawn to its first request for work and to its first answer, against a stand-in of
//! Lambda's runtime API.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::tenths;
use crate::progress;
use crate::stack::Stack;
use crate::stack::build::Profile;
use crate::stack::process::Group;

const RUNS: usize = 20;
const LIMIT: Duration = Duration::from_secs(10);

/// Medians of one function's starts, in milliseconds.
pub(super) struct Started {
    pub(super) name: String,
    /// From spawn until it asks for work.
    pub(super) next: f64,
    /// From spawn until it has answered its first event.
    pub(super) answer: f64,
}

impl Started {
    pub(super) fn json(&self) -> Value {
        json!({ "function": self.name, "runs": RUNS, "ready_ms": self.next, "first_answer_ms": self.answer })
    }
}

/// Measures every function of a stack, and the empty one. They take turns, so that a slow moment of the machine is not
/// one function's alone.
///
/// # Errors
/// When one of them does not start.
pub(super) async fn measure(stack: &Stack, empty: &Path) -> Result<Vec<Started>> {
    progress::step(format_args!("starting each function {RUNS} times"));
    let environment = stack.function_environment();
    let mut functions = vec![("empty", empty.to_owned(), json!({ "Records": [] }))];
    for (name, event) in [
        ("webhook", http_event(&stack.seed().webhook_path())),
        ("admin", http_event("/health")),
        ("oauth", http_event("/oauth/nobody/start")),
        ("sync", json!({ "Records": [] })),
        ("scheduler", json!({ "time": "2026-11-20T10:00:00Z" })),
        ("replay", json!({ "Records": [] })),
    ] {
        let binary = stack.binary(name).with_context(|| format!("{name} was not built"))?;
        functions.push((name, binary.to_owned(), event));
    }
    let mut times = vec![Vec::new(); functions.len()];
    for _ in 0..RUNS {
        for (times, (name, binary, event)) in times.iter_mut().zip(&functions) {
            let run = once(binary, &environment, event).await;
            times.push(run.with_context(|| format!("{name} does not start"))?);
        }
    }
    let medians = functions.into_iter().zip(times).map(|((name, _, _), times)| {
        let median = |of: fn(&(Duration, Duration)) -> Duration| {
            let mut sorted: Vec<Duration> = times.iter().map(of).collect();
            sorted.sort();
            tenths(sorted.get(sorted.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0))
        };
        Started { name: name.to_owned(), next: median(|times| times.0), answer: median(|times| times.1) }
    });
    Ok(medians.collect())
}

/// Shows the times beside those of the empty function.
pub(super) fn show(started: &[Started], profile: Profile) {
    progress::show(format_args!("\nStart, {} build, median of {RUNS}, in ms", profile.name()));
    progress::show("  function   asks for work   first answer   x empty");
    let base = started.first().map_or(1.0, |empty| empty.answer.max(0.1));
    for one in started {
        progress::show(format_args!(
            "  {:<10} {:>13.1} {:>14.1} {:>9.1}",
            one.name,
            one.next,
            one.answer,
            one.answer / base
        ));
    }
    progress::show("  (the webhook's answer holds one read from the local table; the others call nobody)");
}

/// A GET as the HTTP API hands it to a function.
fn http_event(path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "bokbro.example"},
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "domainName": "bokbro.example", "domainPrefix": "bokbro",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "requestId": "bench", "routeKey": "$default", "stage": "$default",
            "time": "20/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_168_800_000_u64,
        },
        "isBase64Encoded": false,
    })
}

/// What the stand-in saw.
enum Seen {
    AskedForWork,
    Answered,
}

struct Stub {
    event: String,
    handed_out: AtomicBool,
    seen: UnboundedSender<Seen>,
}

/// Starts a function once; answers when it asked for work and when it had answered, counted from its spawn.
async fn once(
    binary: &Path,
    environment: &[(String, String)],
    event: &Value,
) -> Result<(Duration, Duration)> {
    let (seen, mut sees) = unbounded_channel();
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/bench/response", post(answered))
        .with_state(Arc::new(Stub { event: event.to_string(), handed_out: AtomicBool::new(false), seen }));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });

    let mut command = Command::new(binary);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let function = Group::spawn(&mut command)?;
    let watching = async {
        let mut asked = None;
        while let Some(seen) = sees.recv().await {
            match seen {
                Seen::AskedForWork => asked = asked.or(Some(begun.elapsed())),
                Seen::Answered => return asked.map(|asked| (asked, begun.elapsed())),
            }
        }
        None
    };
    let times = timeout(LIMIT, watching).await.ok().flatten();
    function.kill().await?;
    serving.abort();
    times.context("it did not answer its first event")
}

/// Hands out the event once; whoever asks again waits until the end.
async fn next(State(stub): State<Arc<Stub>>) -> Response {
    if stub.handed_out.swap(true, Ordering::Relaxed) {
        return std::future::pending().await;
    }
    // Nobody listens any more once the run is over.
    stub.seen.send(Seen::AskedForWork).ok();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + LIMIT;
    let headers = [
        ("lambda-runtime-aws-request-id", "bench".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-north-1:000000000000:function:bench".to_owned(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    (AppendHeaders(headers), stub.event.clone()).into_response()
}

async fn answered(State(stub): State<Arc<Stub>>) -> StatusCode {
    stub.seen.send(Seen::Answered).ok();
    StatusCode::ACCEPTED
}
