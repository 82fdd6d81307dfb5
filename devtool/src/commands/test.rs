//! `cargo dev test`: everything that continuous integration runs, as named steps.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::process::Command;

use super::{fuzz, sam};
use crate::chromium;
use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::{Effort, Profile, cargo};
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::ministack::MiniStack;
use crate::stack::process::Group;
use crate::stack::python;
use crate::stack::tools::tool;
use crate::stack::{Options, Stack};

/// The release of cargo-deny that the checks are written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs every check that continuous integration runs.
///
/// The tests share one local AWS, whose address they find in BOKBRO_TEST_AWS_ENDPOINT, and one whole stack of the real
/// function binaries, described in the file that BOKBRO_TEST_STACK names; its logs are in .local/logs/test-stack/. Tests
/// in a browser drive headless Chromium, which the file that BOKBRO_TEST_BROWSER names describes; on Debian root installs
/// it, elsewhere they are left out when it is missing. Tests against vendors' specifications need their folder in
/// BOKBRO_SPECS_DIR and say so when they are left out. `sam build` compiles without optimization here; `cargo dev sam`
/// does it as for the cloud. Every step runs, also after one has failed.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only formatting, lints and tests, without the test that waits a minute for a dead worker's lease to end
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy)]
enum Step {
    Format,
    Lints,
    Documentation,
    Dependencies,
    Advisories,
    Template,
    Tests,
    Sam,
    Fuzz,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Format,
        Self::Lints,
        Self::Documentation,
        Self::Dependencies,
        Self::Advisories,
        Self::Template,
        Self::Tests,
        Self::Sam,
        Self::Fuzz,
    ];
    const QUICK: [Self; 3] = [Self::Format, Self::Lints, Self::Tests];

    fn name(self) -> &'static str {
        match self {
            Self::Format => "formatting",
            Self::Lints => "lints",
            Self::Documentation => "documentation",
            Self::Dependencies => "dependencies: bans, licenses, sources",
            Self::Advisories => "dependencies: security advisories",
            Self::Template => "template.yaml",
            Self::Tests => "tests",
            Self::Sam => "sam build, invoke, start-api",
            Self::Fuzz => "fuzzing: 20,000 inputs for each parser",
        }
    }

    async fn run(self, project: &Project, quick: bool) -> Result<Outcome> {
        match self {
            Self::Format => check(cargo(project).args(["fmt", "--all", "--check"])).await,
            Self::Lints => {
                let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                check(cargo(project).args(lints)).await
            }
            Self::Documentation => {
                let doc = ["doc", "--workspace", "--no-deps"];
                check(cargo(project).args(doc).env("RUSTDOCFLAGS", "-D warnings")).await
            }
            Self::Dependencies => {
                let deny = tool(project, "cargo-deny", CARGO_DENY).await?;
                let checks = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
                check(Command::new(deny).current_dir(project.root()).args(checks)).await
            }
            Self::Advisories => advisories(project).await,
            Self::Template => {
                let python = python::sam(project).await?;
                let mut sam = Command::new(python.with_file_name("sam"));
                sam.current_dir(project.root()).args(["validate", "--lint"]).env("SAM_CLI_TELEMETRY", "0");
                if let Outcome::Failed(reason) = check(&mut sam).await? {
                    return Ok(Outcome::Failed(reason));
                }
                // What sam does not ask for: that each thing that holds something says what becomes of it.
                let mut lint = Command::new(python.with_file_name("cfn-lint"));
                lint.args(["--include-checks", "I", "--regions", "eu-north-1", "--", "template.yaml"]);
                check(lint.current_dir(project.root())).await
            }
            Self::Tests => tests(project, quick).await,
            Self::Sam => Ok(match sam::check(project, &[], Effort::None, false).await? {
                sam::Outcome::Right => Outcome::Passed,
                sam::Outcome::Wrong(events) => Outcome::Failed(format!("{events} wrong answers, see above")),
                sam::Outcome::Skipped(why) => Outcome::Skipped(format!("built, but not asked: {why}")),
            }),
            Self::Fuzz if !fuzz::has_compiler().await => {
                Ok(Outcome::Skipped("libFuzzer needs a C++ compiler, and there is no `c++`".to_owned()))
            }
            Self::Fuzz => Ok(match fuzz::short(project).await? {
                true => Outcome::Passed,
                false => Outcome::Failed("see above, and fuzz/artifacts".to_owned()),
            }),
        }
    }
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// How a step went and how long it took.
type Results = Vec<(Step, Outcome, Duration)>;

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let steps = if arguments.quick { Step::QUICK.as_slice() } else { Step::ALL.as_slice() };
    let results = tokio::select! {
        results = every(&project, steps, arguments.quick) => results,
        stopped = super::stop_signal() => {
            stopped?;
            progress::step("stopped");
            return Ok(ExitCode::FAILURE);
        }
    };
    let failed = results.iter().filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_))).count();
    for (step, outcome, took) in &results {
        let told = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(reason) => format!("FAILED: {reason}"),
            Outcome::Skipped(reason) => format!("skipped: {reason}"),
        };
        progress::show(format_args!("{:<40} {:>6.1} s  {told}", step.name(), took.as_secs_f32()));
    }
    if failed == 0 {
        progress::show("all checks passed");
        Ok(ExitCode::SUCCESS)
    } else {
        progress::show(format_args!("{failed} of {} checks failed", results.len()));
        Ok(ExitCode::FAILURE)
    }
}

async fn every(project: &Project, steps: &[Step], quick: bool) -> Results {
    let mut results = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        progress::step(format_args!("[{}/{}] {}", index + 1, steps.len(), step.name()));
        let begun = Instant::now();
        let outcome =
            step.run(project, quick).await.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        results.push((*step, outcome, begun.elapsed()));
    }
    results
}

/// Runs a command that says itself what is wrong.
async fn check(command: &mut Command) -> Result<Outcome> {
    let status = Group::spawn(command.stdin(Stdio::null()))?.wait().await?;
    Ok(if status.success() { Outcome::Passed } else { Outcome::Failed("see above".to_owned()) })
}

/// Whether a command ends well; it says nothing.
async fn succeeds(command: &mut Command) -> Result<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Group::spawn(command)?.wait().await?.success())
}

async fn tests(project: &Project, quick: bool) -> Result<Outcome> {
    let browser = chromium::find(project).await?;
    let options = Options {
        command: "test-stack",
        port: 0,
        profile: Profile::Debug,
        simulators: true,
        enforce_iam: true,
        ledger: LedgerProgram::Fortnox,
        empty: false,
        between: Between::Faults,
    };
    let stack = Stack::start(project, &options).await?;
    let told = Told::write(project, &stack.describe())?;
    let python = python::local_aws(project).await?;
    // Tests of the adapters have an account each, which only works as long as nobody is held to a role.
    let ministack = MiniStack::start(project, &python, "test", false, None).await?;

    let mut command = cargo(project);
    let slowest = "killed::";
    if succeeds(cargo(project).args(["nextest", "--version"])).await? {
        command.args(["nextest", "run", "--workspace", "--test-threads"]).arg(test_threads().to_string());
        if quick {
            command.args(["--filterset", &format!("not test({slowest})")]);
        }
    } else {
        progress::step("cargo-nextest is not installed: cargo test does it, a little slower");
        command.args(["test", "--workspace"]);
        if quick {
            command.args(["--", "--skip", slowest]);
        }
    }
    command.env("BOKBRO_TEST_AWS_ENDPOINT", ministack.endpoint()).env("BOKBRO_TEST_STACK", &told.0);
    if let Some(browser) = &browser {
        command.env("BOKBRO_TEST_BROWSER", &browser.told);
    }
    let outcome = check(&mut command).await;
    if let Some(browser) = browser {
        progress::step(format_args!("pictures of every page are in {}", browser.screenshots.display()));
    }
    ministack.stop().await?;
    stack.stop().await?;
    outcome
}

/// How many tests run at once: half as many again as there are cores, because some wait for leases, for messages to come back
/// and for their turn at the stack.
fn test_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores + cores.div_ceil(2)
}

/// The file that tells the tests where the stack is; removed when it is dropped.
struct Told(PathBuf);

impl Told {
    fn write(project: &Project, stack: &serde_json::Value) -> Result<Self> {
        let path = project.local_dir("run")?.join(format!("test-stack-{}.json", std::process::id()));
        fs::write(&path, format!("{stack:#}\n"))?;
        Ok(Self(path))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // The tests lay a lock beside it. What is left behind lies in the ignored folder and is in nobody's way.
        for left in [self.0.with_extension("turns"), self.0.clone()] {
            fs::remove_file(left).ok();
        }
    }
}

/// The advisory database is a git repository on the network: where that cannot be reached, the check is left out.
async fn advisories(project: &Project) -> Result<Outcome> {
    let deny = tool(project, "cargo-deny", CARGO_DENY).await?;
    let mut fetch = Command::new(&deny);
    if !succeeds(fetch.current_dir(project.root()).args(["fetch", "db"])).await? {
        return Ok(Outcome::Skipped(
            "github.com/RustSec/advisory-db cannot be reached, so nobody looked for known holes".to_owned(),
        ));
    }
    let mut audit = Command::new(deny);
    check(audit.current_dir(project.root()).args([
        "--offline",
        "check",
        "--hide-inclusion-graph",
        "advisories",
    ]))
    .await
}
