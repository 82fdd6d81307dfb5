//! A function as Lambda runs it: a process of its own that asks a stand-in of the runtime API for work.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::stack::process::Group;
use crate::stack::processes;

/// Longest wait for a function to do something.
const LIMIT: Duration = Duration::from_secs(60);

/// A running function.
pub(super) struct Function {
    process: Group,
    pid: u32,
    begun: Instant,
    work: UnboundedSender<String>,
    sees: UnboundedReceiver<Seen>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// What one event came to.
pub(super) struct Answered {
    /// What the function answered, as a rule an object.
    pub(super) payload: Value,
    /// From handing the event out until its answer.
    pub(super) took: Duration,
    /// Time of a processor that the function used for it, until it asked for the next one: its own time, without network
    /// and waiting, and the same on a busy machine.
    pub(super) own: Duration,
}

/// What the stand-in saw, and when.
enum Seen {
    AskedForWork(Instant),
    TookWork(Instant),
    Answered(Instant, Bytes),
    Failed(Bytes),
}

struct Stub {
    work: Mutex<UnboundedReceiver<String>>,
    seen: UnboundedSender<Seen>,
}

impl Function {
    /// Starts the process in this environment and in no other.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn spawn(binary: &Path, environment: &BTreeMap<String, String>) -> Result<Self> {
        let (work, waits) = unbounded_channel();
        let (seen, sees) = unbounded_channel();
        let stub = Arc::new(Stub { work: Mutex::new(waits), seen });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/bench/response", post(answered))
            .fallback(failed)
            .with_state(stub);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });

        let mut command = Command::new(binary);
        command.env_clear().envs(environment).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut process = Group::spawn(&mut command)?;
        let pid = process.leader().id().context("it ended at once")?;
        Ok(Self { process, pid, begun, work, sees, serving })
    }

    /// Waits until it asks for its first event; answers the time since its start.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn ready(&mut self) -> Result<Duration> {
        match self.see().await? {
            Seen::AskedForWork(at) => Ok(at - self.begun),
            Seen::Failed(why) => bail!("it did not start: {}", String::from_utf8_lossy(&why)),
            Seen::TookWork(_) | Seen::Answered(..) => bail!("it answered before it asked"),
        }
    }

    /// Hands out an event and waits for the answer, and for the function to ask for the next one. It must have asked for
    /// this one.
    ///
    /// # Errors
    /// When it fails or does not answer.
    pub(super) async fn invoke(&mut self, event: &Value) -> Result<Answered> {
        let before = self.processor()?;
        self.work.send(event.to_string()).context("nobody hands out events any more")?;
        let (mut begun, mut ended) = (None, None);
        loop {
            match self.see().await? {
                Seen::TookWork(at) => begun = Some(at),
                Seen::Answered(at, body) => ended = Some((at, body)),
                Seen::AskedForWork(_) => break,
                Seen::Failed(why) => bail!("it failed: {}", String::from_utf8_lossy(&why)),
            }
        }
        let (begun, (ended, body)) = begun.zip(ended).context("it asked again without an answer")?;
        let payload = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answered { payload, took: ended - begun, own: self.processor()?.saturating_sub(before) })
    }

    /// Memory that it occupies, in KiB.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn resident(&self) -> Result<u64> {
        processes::resident(self.pid)
    }

    /// Stops it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(super) async fn stop(self) -> Result<()> {
        self.process.kill().await?;
        self.serving.abort();
        Ok(())
    }

    /// Processor time of all its threads since its start.
    fn processor(&self) -> Result<Duration> {
        let mut nanoseconds = 0_u64;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid)).context("it is gone")? {
            // A thread may have ended since.
            let Ok(told) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += told.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    async fn see(&mut self) -> Result<Seen> {
        let seen = timeout(LIMIT, self.sees.recv()).await.context("it does nothing any more")?;
        seen.context("nobody listens to it any more")
    }
}

/// Hands out the next event as soon as there is one.
async fn next(State(stub): State<Arc<Stub>>) -> Response {
    // Nobody listens any more once the run is over.
    stub.seen.send(Seen::AskedForWork(Instant::now())).ok();
    let Some(event) = stub.work.lock().await.recv().await else { return std::future::pending().await };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + LIMIT;
    let arn = "arn:aws:lambda:eu-north-1:000000000000:function:bench";
    let headers = [
        ("lambda-runtime-aws-request-id", "bench".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", arn.to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    stub.seen.send(Seen::TookWork(Instant::now())).ok();
    (AppendHeaders(headers), event).into_response()
}

async fn answered(State(stub): State<Arc<Stub>>, body: Bytes) -> StatusCode {
    stub.seen.send(Seen::Answered(Instant::now(), body)).ok();
    StatusCode::ACCEPTED
}

/// Errors, of the start and of an event.
async fn failed(State(stub): State<Arc<Stub>>, body: Bytes) -> StatusCode {
    stub.seen.send(Seen::Failed(body)).ok();
    StatusCode::ACCEPTED
}

/// A request as the HTTP API hands it to a function.
pub(super) fn http_event(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut all = json!({ "host": "bokbro.example" });
    for (name, value) in headers {
        all[*name] = json!(value);
    }
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": all,
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "domainName": "bokbro.example", "domainPrefix": "bokbro",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "requestId": "bench", "routeKey": "$default", "stage": "$default",
            "time": "20/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_168_800_000_u64,
        },
        "isBase64Encoded": false,
    });
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    event
}

/// A batch of one message as SQS hands it to a function.
pub(super) fn sqs_event(queue: &str, message: &Value) -> Value {
    json!({ "Records": [{
        "messageId": "bench", "receiptHandle": "bench", "body": message.to_string(), "md5OfBody": "",
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1795168800000" },
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-north-1",
        "eventSourceARN": format!("arn:aws:sqs:eu-north-1:000000000000:bokbro-dev-{queue}"),
    }] })
}
