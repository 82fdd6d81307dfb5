//! `cargo dev fuzz`: bytes that nobody thought of, for every parser of what comes from outside.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::progress;
use crate::stack::files::Project;
use crate::stack::process::Group;
use crate::stack::tools::tool;

/// The release of cargo-fuzz that the targets are written for.
const CARGO_FUZZ: &str = "0.13.2";

/// The targets, as `fuzz/Cargo.toml` has them.
const TARGETS: [&str; 5] = ["messages", "orders", "webhooks", "wishes", "answers"];

/// Looks for bytes that make a parser panic or say what is not so.
///
/// There is a target for each way in: texts on queues, bodies of orders, webhooks, other wishes, and what providers
/// answer. libFuzzer changes the files in fuzz/seeds so that ever more of the code is reached; what it finds worth keeping stays
/// in .local/fuzz, and the next run goes on from there. A find is written to fuzz/artifacts with the command that shows
/// it again. Needs a C++ compiler, for libFuzzer. `cargo dev test` runs a short form with a fixed seed.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo dev fuzz\n  cargo dev fuzz answers --seconds 600")]
pub(crate) struct Arguments {
    /// Which target; all of them when absent
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// How long each
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// When a run ends.
#[derive(Clone, Copy)]
enum Until {
    /// After a time.
    Seconds(u64),
    /// After a number of inputs, the same ones each time.
    Runs(u64),
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let chosen =
        TARGETS.into_iter().filter(|name| arguments.target.as_deref().is_none_or(|one| one == *name));
    let chosen: Vec<_> = chosen.collect();
    let searched = tokio::select! {
        searched = search(&project, &chosen, Until::Seconds(arguments.seconds)) => searched?,
        stopped = super::stop_signal() => {
            stopped?;
            progress::step("stopped");
            return Ok(ExitCode::FAILURE);
        }
    };
    Ok(if searched { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A short search that is the same each time; whether nothing was found.
pub(crate) async fn short(project: &Project) -> Result<bool> {
    search(project, &TARGETS, Until::Runs(20_000)).await
}

/// Whether libFuzzer can be built here.
pub(crate) async fn has_compiler() -> bool {
    let mut compiler = Command::new("c++");
    compiler.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    compiler.status().await.is_ok_and(|status| status.success())
}

async fn search(project: &Project, targets: &[&str], until: Until) -> Result<bool> {
    ensure!(has_compiler().await, "libFuzzer needs a C++ compiler: install one (`apt-get install g++`)");
    let binary = tool(project, "cargo-fuzz", CARGO_FUZZ).await?;
    let mut clean = true;
    for (index, target) in targets.iter().enumerate() {
        progress::step(format_args!("[{}/{}] fuzzing {target}", index + 1, targets.len()));
        clean &= search_one(project, &binary, target, until).await?;
    }
    progress::show(if clean {
        "nothing found"
    } else {
        "something was found: see above, and fuzz/artifacts"
    });
    Ok(clean)
}

async fn search_one(project: &Project, binary: &PathBuf, target: &str, until: Until) -> Result<bool> {
    let kept = match until {
        Until::Seconds(_) => project.local_dir(&format!("fuzz/{target}"))?,
        // What another run has kept would make this one another one.
        Until::Runs(_) => {
            let scratch = project.local_dir(&format!("run/fuzz-{target}-{}", std::process::id()))?;
            fs::remove_dir_all(&scratch).ok();
            fs::create_dir_all(&scratch)?;
            scratch
        }
    };
    let mut fuzz = Command::new(binary);
    // Our own code has no `unsafe`: without a sanitizer the stable compiler will do.
    fuzz.current_dir(project.root()).args(["fuzz", "run", "--sanitizer", "none", target]);
    fuzz.arg(&kept).arg(format!("fuzz/seeds/{target}"));
    fuzz.args(["--", "-print_final_stats=1", "-verbosity=0", "-max_len=16384", "-timeout=10"]);
    match until {
        Until::Seconds(seconds) => fuzz.arg(format!("-max_total_time={seconds}")),
        Until::Runs(runs) => fuzz.args([format!("-runs={runs}"), "-seed=20261121".to_owned()]),
    };
    let ended = Group::spawn(fuzz.stdin(Stdio::null()))?.wait().await?;
    if let Until::Runs(_) = until {
        fs::remove_dir_all(&kept).ok();
    }
    Ok(ended.success())
}
