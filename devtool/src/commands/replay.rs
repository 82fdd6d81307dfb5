//! `cargo dev replay`: the dead letters of a running local stack, listed and sent again through its API.

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::api::Api;
use crate::progress;
use crate::stack::files::Project;

/// How long a replay may take before the command stops watching it.
const LIMIT: Duration = Duration::from_secs(300);
/// How often its job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Lists the dead letters of the stack that `cargo dev up` runs, or sends them again.
///
/// Without ids and --all it only lists. Docs: docs/runbooks/dead-letters.md.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Ids of the dead letters to send again
    #[arg(conflicts_with = "all")]
    ids: Vec<String>,
    /// Send all of them again
    #[arg(long)]
    all: bool,
    /// Only those of this queue: payments, accounting, pulls or replays
    #[arg(long)]
    queue: Option<String>,
    /// Why, for the audit log
    #[arg(long, default_value = "asked for with cargo dev replay")]
    reason: String,
    /// How many a second at most
    #[arg(long)]
    per_second: Option<u32>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let path = Project::find()?.local("stack.json");
    let told = fs::read_to_string(&path).context("no stack is running; start one with `cargo dev up`")?;
    let told: Value = serde_json::from_str(&told).context("stack.json is not JSON")?;
    let text = |name: &str| told[name].as_str().with_context(|| format!("stack.json does not tell {name}"));
    let api = Api::new(text("base_url")?, text("api_key")?)?;
    if arguments.ids.is_empty() && !arguments.all {
        return list(&api, arguments.queue.as_deref()).await;
    }
    let ids = (!arguments.all).then_some(&arguments.ids);
    let wish = json!({
        "ids": ids,
        "all": arguments.all,
        "queue": arguments.queue,
        "reason": arguments.reason,
        "per_second": arguments.per_second,
    });
    let job = api.post("/v1/dead-letters/replay", &wish).await?;
    let id = job["id"].as_str().context("the answer names no job")?;
    progress::step(format_args!("{id} is under way"));
    match timeout(LIMIT, ended(&api, id)).await {
        Err(_) => bail!("{id} is still under way after {} s; GET /v1/jobs/{id} tells more", LIMIT.as_secs()),
        Ok(job) => {
            let job = job?;
            progress::show(format_args!("{} {}", job["state"].as_str().unwrap_or_default(), job["counts"]));
            if job["state"] == "done" {
                return Ok(ExitCode::SUCCESS);
            }
            bail!("the replay failed: {}", job["error"])
        }
    }
}

async fn list(api: &Api, queue: Option<&str>) -> Result<ExitCode> {
    let filter = queue.map(|queue| format!("&queue={queue}")).unwrap_or_default();
    let listed = api.get(&format!("/v1/dead-letters?limit=200{filter}")).await?;
    let items = listed["items"].as_array().context("the answer lists nothing")?;
    for item in items {
        let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
        let about = if item["nudge"].is_null() { &item["unreadable"] } else { &item["nudge"] };
        progress::show(format_args!(
            "{}  {:<10}  {}  {about}",
            text("id"),
            text("queue"),
            text("first_sent_at")
        ));
    }
    progress::step(match (items.len(), listed["truncated"] == true) {
        (0, _) => "no dead letters".to_owned(),
        (count, false) => format!("dead letters: {count}; --all or their ids send them again"),
        (count, true) => format!("dead letters: {count}, and there may be more"),
    });
    Ok(ExitCode::SUCCESS)
}

/// Watches a job until it has ended.
async fn ended(api: &Api, id: &str) -> Result<Value> {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let job = api.get(&format!("/v1/jobs/{id}")).await?;
        if job["state"] == "done" || job["state"] == "failed" {
            return Ok(job);
        }
    }
}
