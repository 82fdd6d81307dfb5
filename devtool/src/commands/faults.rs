//! `cargo dev faults`: the fault matrix in its long form.

use std::fs;
use std::process::{ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::progress;
use crate::stack::build::cargo;
use crate::stack::files::Project;
use crate::stack::process::Group;

/// Searches for a day on which Bokbro books twice, loses or misbooks.
///
/// Each run is a generated day: one to three orders whose webhooks come late, twice, out of order or not at all, and whose
/// money is given back, in parts or all of it, at any moment; a ledger program, a payment provider and a warehouse that time
/// out, break connections, refuse, limit and garble at any of their operations; workers that die, stall or get in each
/// other's way between any two steps. After it all is well again and three hours pass; then the simulators must hold exactly
/// one of each document for each paid order and for each refund, with the right rows, sums, VAT and days, one parcel order
/// for each order that is still wanted, and nothing for any other.
///
/// It stops at the first day that ends badly, makes it as small as it can, and shows it with what the workers did. The
/// same seed gives the same days on every machine. Ends with 0 when every day ended well. `cargo dev test` runs a short
/// form with a fixed seed.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo dev faults\n  cargo dev faults --runs 20000 --accounting visma\n  cargo dev faults --seed 7 --run 568"
)]
pub(crate) struct Arguments {
    /// How many days
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// What the days are made from; another one each time when absent
    #[arg(long)]
    seed: Option<u64>,
    /// Only this one of the seed's days, as a failure names it
    #[arg(long, requires = "seed", conflicts_with = "runs")]
    run: Option<u64>,
    /// Which ledger program the books are kept in
    #[arg(long, env = "BOKBRO_DEMO_ACCOUNTING", default_value = "both", value_parser = ["fortnox", "visma", "both"])]
    accounting: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };
    progress::step(format_args!("building the tests"));
    let mut search = cargo(&project);
    // Not by nextest: it ends tests that take minutes.
    search.args(["test", "--quiet", "--package", "bokbro-tests", "--test", "it", "--"]);
    search.args(["faults::random::", "--nocapture"]);
    search.env("BOKBRO_FAULTS_SEED", seed.to_string()).env("BOKBRO_FAULTS_RUNS", arguments.runs.to_string());
    search.env("BOKBRO_FAULTS_ACCOUNTING", &arguments.accounting);
    if let Some(run) = arguments.run {
        search.env("BOKBRO_FAULTS_RUN", run.to_string());
    }
    // Without a test of that name cargo would be content.
    let report = project.local_dir("run")?.join(format!("faults-{}", std::process::id()));
    search.env("BOKBRO_FAULTS_REPORT", &report);
    let mut search = Group::spawn(search.stdin(Stdio::null()))?;
    let ended = tokio::select! {
        ended = search.wait() => ended?,
        stopped = super::stop_signal() => {
            stopped?;
            progress::step("stopped");
            return Ok(ExitCode::FAILURE);
        }
    };
    if !ended.success() {
        return Ok(ExitCode::FAILURE);
    }
    let told = fs::read_to_string(&report).unwrap_or_default();
    fs::remove_file(&report).ok();
    ensure!(!told.is_empty(), "the search did not run: its test has another name now");
    progress::show(told.trim_end());
    Ok(ExitCode::SUCCESS)
}
