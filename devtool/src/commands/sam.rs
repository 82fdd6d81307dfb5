//! `cargo dev sam`: the functions as SAM builds and runs them, asked with every file in `events/`.

mod debian;
mod doors;
mod engine;
mod image;
mod local;

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bokbro_simulators::aws::events::{self, Event, differences};
use serde_json::Value;

use self::engine::Engine;
use self::local::{Local, SCRIPT};
use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::{self, Effort, Profile};
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::seed::Seed;
use crate::stack::{Options, Stack};

/// Builds the functions with `sam build` and asks them through `sam local`: every file in events/ by `sam local invoke`,
/// and those that are HTTP requests through `sam local start-api` as well.
///
/// Each answer must be as the file beside the event says (events/webhook/handshake.expected.json). The functions run in
/// containers and call the local AWS that this command deploys template.yaml into. It needs a Docker engine: the machine's,
/// or, for root on Debian, one that is unpacked into .local/docker and runs only as long as this command. Where no engine
/// can run, the functions are built and one line says why they were not asked. Logs are in .local/logs/sam/.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo dev sam\n  cargo dev sam events/webhook/handshake.json\n  cargo dev sam --keep"
)]
pub(crate) struct Arguments {
    /// Only these events
    events: Vec<PathBuf>,
    /// Leave everything running until Ctrl-C, for `.local/sam-local invoke …` by hand
    #[arg(long)]
    keep: bool,
}

/// How it went.
pub(crate) enum Outcome {
    /// Every answer was as it should be.
    Right,
    /// This many were not.
    Wrong(usize),
    /// Nobody was asked; why.
    Skipped(String),
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    Ok(match check(&project, &arguments.events, Effort::Full, arguments.keep).await? {
        Outcome::Right => ExitCode::SUCCESS,
        Outcome::Wrong(_) => ExitCode::FAILURE,
        Outcome::Skipped(why) => {
            progress::show(format_args!("skipped: {why}"));
            ExitCode::SUCCESS
        }
    })
}

/// Builds, asks and compares; of all events when none is named.
///
/// # Errors
/// When the functions do not build, or something else than a function fails.
pub(crate) async fn check(
    project: &Project,
    only: &[PathBuf],
    effort: Effort,
    keep: bool,
) -> Result<Outcome> {
    let _lock = alone(project)?;
    let mut events = events::events(&project.root().join("events"))?;
    if !only.is_empty() {
        let only = only.iter().map(|file| fs::canonicalize(file).with_context(|| file.display().to_string()));
        let only = only.collect::<Result<Vec<_>>>()?;
        events.retain(|event| fs::canonicalize(&event.file).is_ok_and(|file| only.contains(&file)));
        ensure!(events.len() == only.len(), "not all of these files are events");
    }
    let logs = project.local("logs/sam");
    if logs.exists() {
        fs::remove_dir_all(logs)?;
    }
    tokio::select! {
        built = build::sam(project, effort) => built?,
        stopped = super::stop_signal() => return stopped.and_then(|()| bail!("stopped")),
    }
    let engine = match Engine::find(project).await? {
        Ok(engine) => engine,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    // Whatever happens, the engine is stopped in peace: what it has mounted it takes away itself.
    let outcome = with_stack(project, &engine, &events, keep).await;
    engine.stop().await?;
    outcome
}

/// The right to build and to run SAM in this checkout. Let go when dropped.
fn alone(project: &Project) -> Result<File> {
    let lock = File::create(project.local_dir("")?.join("sam.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!("another `cargo dev sam` of this checkout is running"),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

async fn with_stack(project: &Project, engine: &Engine, events: &[Event], keep: bool) -> Result<Outcome> {
    let options = Options {
        command: "sam",
        port: 0,
        profile: Profile::Sam,
        simulators: true,
        // The functions' calls come with SAM's credentials and not with their roles'.
        enforce_iam: false,
        ledger: LedgerProgram::Fortnox,
        empty: false,
        between: Between::Nothing,
    };
    let seed = Seed::of_events(options.ledger);
    let stack = tokio::select! {
        stack = Stack::start_seeded(project, &options, seed) => stack?,
        stopped = super::stop_signal() => return stopped.and_then(|()| bail!("stopped")),
    };
    let outcome = match Local::prepare(project, engine, &stack).await {
        Ok(Ok(local)) => {
            let outcome = tokio::select! {
                outcome = ask(&local, events, keep) => outcome,
                stopped = super::stop_signal() => stopped.and_then(|()| bail!("stopped")),
            };
            local.remove().await;
            outcome
        }
        Ok(Err(why)) => Ok(Outcome::Skipped(why)),
        Err(error) => Err(error),
    };
    stack.stop().await?;
    outcome
}

async fn ask(local: &Local<'_>, events: &[Event], keep: bool) -> Result<Outcome> {
    progress::show(format_args!("{:<32} {:<10} {:>12} {:>12}", "event", "asked by", "expected", "got"));
    let mut wrong = 0;
    for event in events {
        let begun = Instant::now();
        let answer = local.invoke(event).await;
        wrong += usize::from(!show(event, "invoke", answer, begun.elapsed()));
    }
    let api = local.api().await?;
    for event in events {
        let begun = Instant::now();
        if let Some(answer) = api.request(event).await.transpose() {
            wrong += usize::from(!show(event, "start-api", answer, begun.elapsed()));
        }
    }
    api.stop().await?;
    if keep {
        progress::show(format_args!(
            "\nBy hand: {SCRIPT} invoke WebhookFunction --event events/webhook/handshake.json"
        ));
        progress::step("Ctrl-C stops it");
        super::stop_signal().await?;
    }
    Ok(if wrong == 0 { Outcome::Right } else { Outcome::Wrong(wrong) })
}

/// Shows a line, and what is wrong under it; says whether all is well.
fn show(event: &Event, by: &str, answer: Result<Value>, took: Duration) -> bool {
    let (got, wrong) = match answer {
        Ok(answer) => {
            let mut wrong = differences(&event.expected, &answer);
            if !wrong.is_empty() {
                wrong.push(format!("in {answer}"));
            }
            (short(&answer), wrong)
        }
        Err(error) => ("nothing".to_owned(), vec![format!("{error:#}")]),
    };
    let verdict = if wrong.is_empty() { "" } else { "  WRONG" };
    let (name, expected) = (&event.name, short(&event.expected));
    progress::show(format_args!(
        "{name:<32} {by:<10} {expected:>12} {got:>12} {:>6.1} s{verdict}",
        took.as_secs_f32()
    ));
    for line in &wrong {
        progress::show(format_args!("    {line}"));
    }
    wrong.is_empty()
}

/// An answer in a word or two.
fn short(answer: &Value) -> String {
    let failures = answer["batchItemFailures"].as_array().map(|failed| format!("{} failed", failed.len()));
    let status = answer["statusCode"].as_u64().map(|status| status.to_string());
    let error = answer["errorMessage"].as_str().map(|_| "error".to_owned());
    let known = status.or(failures).or(error);
    known.unwrap_or_else(|| if answer.is_null() { "null" } else { "JSON" }.to_owned())
}
