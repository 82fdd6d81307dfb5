//! The start of a function: from spawn to its first request for work and to its first answer, beside a function that does
//! nothing, against our stand-in of Lambda's runtime API and against AWS's own emulator of it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

use super::lambda::{Function, http_event};
use super::report::{Budget, Report, millis, percentile};
use super::{Bed, RUNS};
use crate::progress;
use crate::stack::build::{self, Profile};
use crate::stack::files::Project;
use crate::stack::process::Group;
use crate::stack::python;

/// Longest wait for the emulator to listen.
const LIMIT: Duration = Duration::from_secs(10);

/// What is started, and its first event.
struct Subject {
    name: &'static str,
    binary: PathBuf,
    event: Value,
    ready: Vec<Duration>,
    answer: Vec<Duration>,
    /// First answer under the emulator, which starts a function at its first event.
    emulator: Vec<Duration>,
}

/// Measures every function of the stack, and the empty one. They take turns, so that a slow moment of the machine is not
/// one function's alone.
///
/// # Errors
/// When one of them does not start.
pub(super) async fn measure(project: &Project, bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let empty = build::empty_function(project, bed.profile).await?;
    let emulator = emulator(project).await?;
    let environment = bed.environment("accounting");
    let mut subjects = vec![subject("empty", empty, json!({ "Records": [] }))];
    let handshake = http_event("GET", &bed.stack.seed().webhook_path(), &[], None);
    for (name, event) in [
        ("webhook", handshake),
        ("admin", http_event("GET", "/health", &[], None)),
        ("oauth", http_event("GET", "/oauth/nobody/start", &[], None)),
        ("sync", json!({ "Records": [] })),
        ("scheduler", json!({ "time": "2026-11-20T10:00:00Z" })),
        ("replay", json!({ "Records": [] })),
    ] {
        subjects.push(subject(name, bed.binary(name)?, event));
    }
    progress::step(format_args!("starting each function {RUNS} times, twice"));
    for _ in 0..RUNS {
        for one in &mut subjects {
            one.start(&environment).await.with_context(|| format!("{} does not start", one.name))?;
            one.emulate(&emulator, &environment)
                .await
                .with_context(|| format!("{} under the emulator", one.name))?;
        }
    }
    note(&subjects, bed.profile, report);
    Ok(())
}

fn subject(name: &'static str, binary: PathBuf, event: Value) -> Subject {
    Subject { name, binary, event, ready: Vec::new(), answer: Vec::new(), emulator: Vec::new() }
}

impl Subject {
    async fn start(&mut self, environment: &BTreeMap<String, String>) -> Result<()> {
        let mut function = Function::spawn(&self.binary, environment).await?;
        let ready = function.ready().await?;
        let answered = function.invoke(&self.event).await?;
        // Without the moment between the question for work and the event, which is ours.
        self.answer.push(ready + answered.took);
        self.ready.push(ready);
        function.stop().await
    }

    async fn emulate(&mut self, emulator: &Path, environment: &BTreeMap<String, String>) -> Result<()> {
        // Let go again for the emulator to take, which cannot be told to choose one itself.
        let port = || anyhow::Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port());
        let (front, back) = (port()?, port()?);
        let mut command = Command::new(emulator);
        command.args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{front}")]);
        command.args(["--runtime-api-address", &format!("127.0.0.1:{back}")]).arg(&self.binary);
        command.env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Group::spawn(&mut command)?;
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", front)).await.is_err() {
            if begun.elapsed() > LIMIT {
                bail!("it does not listen");
            }
            sleep(Duration::from_millis(2)).await;
        }
        let url = format!("http://127.0.0.1:{front}/2015-03-31/functions/function/invocations");
        let client = reqwest::Client::builder().no_proxy().build()?;
        let begun = Instant::now();
        let answer = client.post(url).json(&self.event).send().await?;
        let body = answer.text().await?;
        self.emulator.push(begun.elapsed());
        process.kill().await?;
        if body.contains("errorType") {
            bail!("it answered {body}");
        }
        Ok(())
    }

    fn medians(&self) -> [f64; 3] {
        [&self.ready, &self.answer, &self.emulator].map(|times| millis(percentile(times, 50)))
    }
}

fn note(subjects: &[Subject], profile: Profile, report: &mut Report) {
    let mut base = [0.0; 3];
    let mut found = Vec::new();
    for one in subjects {
        let [ready, answer, emulator] = one.medians();
        if one.name == "empty" {
            base = [ready, answer, emulator];
        }
        found.push(json!({ "function": one.name, "runs": RUNS, "ready_ms": ready, "first_answer_ms": answer,
            "first_answer_p99_ms": millis(percentile(&one.answer, 99)), "emulator_first_answer_ms": emulator }));
        // A debug build says nothing about the cloud.
        let budget = match (one.name, profile) {
            ("webhook" | "sync", Profile::Release) => Budget::Most(12.0),
            _ => Budget::None,
        };
        if one.name == "empty" {
            report.add("start of the empty function: spawn to first answer, median", "ms", answer, budget);
            report.add("start of the empty function, AWS's emulator, median", "ms", emulator, Budget::None);
        } else {
            let name = one.name;
            report.add(
                format!("start of {name}: to first answer over empty"),
                "ms",
                answer - base[1],
                budget,
            );
            let what = format!("start of {name}: the same, AWS's emulator");
            report.add(what, "ms", emulator - base[2], Budget::None);
        }
    }
    report.detail("start", json!(found));
}

/// AWS's emulator of the runtime API, which comes with the SAM CLI.
async fn emulator(project: &Project) -> Result<PathBuf> {
    let python = python::sam(project).await?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let program = "import samcli, pathlib; print(pathlib.Path(samcli.__file__).parent / 'local' / 'rapid')";
    let told = Command::new(python).args(["-c", program]).stdin(Stdio::null()).output().await?;
    let folder = PathBuf::from(String::from_utf8_lossy(&told.stdout).trim());
    let path = folder.join(format!("aws-lambda-rie-{architecture}"));
    if path.is_file() { Ok(path) } else { bail!("the SAM CLI came without {}", path.display()) }
}
