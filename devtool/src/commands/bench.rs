//! `cargo dev bench`: what an order costs in calls, and how long the functions take to start, against the budgets.

mod orders;
mod start;

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use self::orders::Counted;
use self::start::Started;
use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::{self, Profile};
use crate::stack::calls::Calls;
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::{Options, Stack};

/// Counts provider calls and AWS calls per order, and measures the start of each function.
///
/// Three orders run one after the other through the whole stack: the first after start, one of a new customer, and one
/// of a known customer. Then each function is started 20 times against a stand-in of Lambda's runtime API, beside a
/// function that does nothing. Results are also written to .local/bench.json. Times are this machine's, not the
/// cloud's; the command ends with code 0 also when a budget is overrun.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure debug builds, which are built in a fraction of the time and start several times slower
    #[arg(long)]
    quick: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let profile = if arguments.quick { Profile::Debug } else { Profile::Release };
    tokio::select! {
        done = measure(&project, profile) => done.map(|()| ExitCode::SUCCESS),
        stopped = super::stop_signal() => {
            stopped?;
            anyhow::bail!("stopped");
        }
    }
}

async fn measure(project: &Project, profile: Profile) -> Result<()> {
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
    let counted = orders::count(&stack, &calls).await;
    let empty = build::empty_function(project, profile).await;
    let started = match (&counted, empty) {
        (Ok(_), Ok(empty)) => start::measure(&stack, &empty).await,
        (_, Err(error)) => Err(error),
        (Err(_), _) => Ok(Vec::new()),
    };
    stack.stop().await?;
    let (counted, started) = (counted?, started?);

    for order in &counted {
        order.show();
    }
    start::show(&started, profile);
    let budgets = budgets(&counted, &started, profile);
    progress::show("\nBudgets");
    for budget in &budgets {
        progress::show(format_args!(
            "  {:<5} {:<62} {:>6} of at most {}",
            if budget.holds() { "ok" } else { "OVER" },
            budget.what,
            budget.measured,
            budget.most
        ));
    }
    let results = json!({
        "profile": profile.name(),
        "orders": counted.iter().map(Counted::json).collect::<Vec<_>>(),
        "start": started.iter().map(Started::json).collect::<Vec<_>>(),
        "budgets": budgets.iter().map(Budget::json).collect::<Vec<_>>(),
    });
    let path = project.local_dir("")?.join("bench.json");
    std::fs::write(path, format!("{results:#}\n"))?;
    progress::step("written to .local/bench.json");
    Ok(())
}

/// One number that must not grow.
struct Budget {
    what: &'static str,
    most: f64,
    measured: f64,
}

impl Budget {
    fn holds(&self) -> bool {
        self.measured <= self.most
    }

    fn json(&self) -> serde_json::Value {
        json!({ "what": self.what, "most": self.most, "measured": self.measured, "holds": self.holds() })
    }
}

fn budgets(counted: &[Counted], started: &[Started], profile: Profile) -> Vec<Budget> {
    let mut budgets = Vec::new();
    if let Some(known) = counted.last() {
        let aws = |function: &str| known.aws(function) as f64;
        let (accounting, provider) = (aws("accounting"), known.provider("fortnox") as f64);
        budgets.push(Budget {
            what: "provider calls to book, known customer",
            most: 7.0,
            measured: provider,
        });
        budgets.push(Budget { what: "AWS calls to book, known customer", most: 12.0, measured: accounting });
        budgets.push(Budget { what: "AWS calls of a warm webhook", most: 1.0, measured: aws("webhook") });
    }
    // A debug build says nothing about the cloud.
    if profile == Profile::Release
        && let Some(empty) = started.iter().find(|one| one.name == "empty")
    {
        let over = |name| started.iter().find(|one| one.name == name).map(|one| one.answer - empty.answer);
        for (what, name) in [
            ("ms from spawn to first answer over an empty function, webhook", "webhook"),
            ("ms from spawn to first answer over an empty function, sync", "sync"),
        ] {
            budgets.extend(over(name).map(|measured| Budget {
                what,
                most: 12.0,
                measured: tenths(measured),
            }));
        }
    }
    budgets
}

/// Rounded to one decimal.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
