//! `cargo dev bench`: what an order costs in calls, time, memory and money, and what the functions weigh, beside what was
//! promised.

mod cost;
mod drain;
mod goods;
mod growth;
mod lambda;
mod orders;
mod pages;
mod sizes;
mod start;
mod warm;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use self::orders::Counted;
use super::report::{self, Budget, Report};
use crate::stack::between::Between;
use crate::stack::build::Profile;
use crate::stack::calls::{ByOperation, Calls};
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::{Options, Stack};

/// How often each function is started, and each page opened.
const RUNS: usize = 50;
/// Time between two orders that are to find the ledger program idle.
const ORDER_PACE: Duration = Duration::from_secs(2);
/// Time between two requests of one caller of the API or the pages, who may send 500 in ten seconds.
const CALLER_PACE: Duration = Duration::from_millis(21);

/// Measures everything that has a budget, against the local stack.
///
/// Parts: calls per order and their price, sizes, starts against a stand-in of Lambda's runtime API and against AWS's
/// emulator, a thousand events to each function, every page, growth with orders and tenants, and the drain of one tenant's
/// orders. Results are also written to target/bench.json. Times are this machine's, not the cloud's; the command ends with
/// code 0 also when a budget is overrun.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure debug builds, which are built in a fraction of the time; their sizes, starts and times have no budgets
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Calls to providers and to AWS for one order, and what they cost
    Orders,
    /// Programs and zips
    Sizes,
    /// From spawn to the first answer
    Start,
    /// A thousand events: time and memory
    Warm,
    /// Every page for people
    Pages,
    /// Up to 10,000 orders and 1,000 tenants
    Growth,
    /// A hundred orders of one tenant at once
    Drain,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    tokio::select! {
        done = measure(&project, &arguments) => done.map(|()| ExitCode::SUCCESS),
        stopped = super::stop_signal() => {
            stopped?;
            anyhow::bail!("stopped");
        }
    }
}

async fn measure(project: &Project, arguments: &Arguments) -> Result<()> {
    let profile = if arguments.quick { Profile::Debug } else { Profile::Release };
    let calls = Calls::default();
    let options = Options {
        command: "bench",
        port: 0,
        profile,
        simulators: true,
        enforce_iam: false,
        ledger: LedgerProgram::Fortnox,
        empty: false,
        between: Between::Counter(calls.clone()),
    };
    let stack = Stack::start(project, &options).await?;
    let mut report = Report::default();
    let measured = parts(project, arguments, &stack, calls, &mut report).await;
    stack.stop().await?;
    // What was measured before something failed counts.
    report.keep(project, "bench.json", json!({ "profile": profile.name() }))?;
    measured
}

async fn parts(
    project: &Project,
    arguments: &Arguments,
    stack: &Stack,
    calls: Calls,
    report: &mut Report,
) -> Result<()> {
    let profile = if arguments.quick { Profile::Debug } else { Profile::Release };
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let idle_queue = stack.inside().idle_queue().await?;
    let bed = Bed { stack, calls, profile, idle_queue };
    if wanted(Part::Orders) {
        let counted = orders::count(stack, &bed.calls).await?;
        add_orders(&counted, report);
    }
    if wanted(Part::Sizes) {
        sizes::measure(project, &bed, report).await?;
    }
    if wanted(Part::Start) {
        start::measure(project, &bed, report).await?;
    }
    if wanted(Part::Warm) {
        warm::measure(&bed, report).await?;
    }
    if wanted(Part::Pages) {
        pages::measure(&bed, report).await?;
    }
    if wanted(Part::Growth) {
        growth::measure(&bed, report).await?;
    }
    if wanted(Part::Drain) {
        drain::measure(&bed, report).await?;
    }
    Ok(())
}

fn add_orders(counted: &[Counted], report: &mut Report) {
    for order in counted {
        order.show();
    }
    report.detail("orders", json!(counted.iter().map(Counted::json).collect::<Vec<_>>()));
    if let Some(known) = counted.last() {
        let aws = |function: &str| known.aws(function) as f64;
        let provider = known.provider("fortnox") as f64;
        report.add(
            "order of a known customer: calls to the ledger program",
            "calls",
            provider,
            Budget::Most(7.0),
        );
        report.add(
            "order of a known customer: AWS calls to book it",
            "calls",
            aws("accounting"),
            Budget::Most(12.0),
        );
        report.add("webhook, warm: AWS calls", "calls", aws("webhook"), Budget::Most(1.0));
        report.add("order: AWS calls of all functions", "calls", known.aws_calls() as f64, Budget::None);
        report.add("order: calls to all providers", "calls", known.provider_calls() as f64, Budget::None);
        cost::add(known, report);
    }
}

/// What the parts measure in: a running stack, and functions beside it that are under their control.
struct Bed<'a> {
    stack: &'a Stack,
    calls: Calls,
    profile: Profile,
    /// Where the functions under control send to, so that nobody works on it meanwhile.
    idle_queue: String,
}

impl Bed<'_> {
    /// A function's program.
    fn binary(&self, name: &str) -> Result<PathBuf> {
        self.stack.binary(name).map(PathBuf::from).with_context(|| format!("{name} was not built"))
    }

    /// What a function needs in its environment; `role` is a worker's.
    fn environment(&self, role: &str) -> BTreeMap<String, String> {
        let mut environment = self.stack.function_environment();
        for (name, value) in &mut environment {
            if name.ends_with("_QUEUE_URL") {
                value.clone_from(&self.idle_queue);
            }
        }
        environment.insert("BOKBRO_SYNC_ROLE".to_owned(), role.to_owned());
        environment
    }

    /// The same, with every call to AWS counted on its way.
    fn counted_environment(&self, role: &str) -> BTreeMap<String, String> {
        let mut environment = self.environment(role);
        environment.insert("AWS_ENDPOINT_URL".to_owned(), self.stack.functions_call().to_owned());
        environment
    }
}

/// All calls of all functions.
fn total(calls: &BTreeMap<String, ByOperation>) -> u64 {
    calls.values().flat_map(BTreeMap::values).sum()
}
