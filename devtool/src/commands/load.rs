//! `cargo dev load`: webhooks for minutes on end, in bad weather, and whether everything was answered in time and booked once.

mod books;
mod drain;
mod kinds;
mod ramp;
mod results;
mod shops;
mod storm;
mod watch;
mod weather;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Value, json};

use self::books::Tally;
use self::kinds::Kind;
use self::shops::Shop;
use self::storm::{Answers, Plan};
use self::watch::Watch;
use super::report::Report;
use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::Profile;
use crate::stack::files::Project;
use crate::stack::ledger::LedgerProgram;
use crate::stack::seed::Seed;
use crate::stack::{Options, Stack};

/// Orders that are paid a second, all merchants together: what the ledger program lets them book, less what it takes to
/// make good for calls that fail.
const ORDERS_A_SECOND: u32 = 2;

/// Sends webhooks on a fixed timetable while everything else has bad days, and counts what became of them.
///
/// Four merchants have two orders a second paid between them, as fast as the ledger program lets them book; each payment's
/// webhook comes once as news. All other deliveries are what else arrives in a storm: most of them word for word what came
/// before, then other merchants' payments, unknown events, forged amounts, payments that were never made or fit no order,
/// wrong addresses and garbage. Meanwhile the payment provider, the ledger program, the table and the queues fail every so
/// many calls: errors, limits, broken connections, lost answers, slow ones.
///
/// The time of an answer counts from the timetable, not from the sending, so that a queue before the door shows. When the
/// storm is over and all queues are empty, the stand-ins' books are compared with what was paid, and what waits for a human
/// with what had to. Results are also written to target/load.json.
///
/// Ends with code 1 when an answer took a second, was none or another than it had to be, when an order was booked twice or
/// not at all, when something waits for a human that should not or does not that should, or when a function's memory grew.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo dev load\n  cargo dev load --minutes 1 --quick\n  cargo dev load --rate 80 --ramp"
)]
pub(crate) struct Arguments {
    /// How long webhooks come
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    minutes: u64,
    /// Webhooks a second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(10..=1_000))]
    rate: u32,
    /// What decides which kind of delivery comes when; another one each time when absent
    #[arg(long)]
    seed: Option<u64>,
    /// First look for the highest rate that is answered in time, for ten seconds at each
    #[arg(long)]
    ramp: bool,
    /// Run debug builds of the functions
    #[arg(long)]
    quick: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    tokio::select! {
        good = measure(&project, &arguments) => Ok(if good? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        stopped = super::stop_signal() => {
            stopped?;
            anyhow::bail!("stopped");
        }
    }
}

async fn measure(project: &Project, arguments: &Arguments) -> Result<bool> {
    let profile = if arguments.quick { Profile::Debug } else { Profile::Release };
    let options = Options {
        command: "load",
        port: 0,
        profile,
        simulators: true,
        enforce_iam: false,
        ledger: LedgerProgram::Fortnox,
        empty: false,
        between: Between::Faults,
    };
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };
    let mut tenant = Seed::new(options.ledger, options.empty);
    tenant.fortnox.tenants.extend(shops::companies());
    let stack = Stack::start_seeded(project, &options, tenant).await?;
    let report = storms(&stack, arguments, seed).await;
    stack.stop().await?;
    let report = report?;
    let asked = json!({ "profile": profile.name(), "minutes": arguments.minutes, "rate": arguments.rate, "seed": seed });
    report.keep(project, "load.json", asked)?;
    progress::step("the logs are in .local/logs/load/");
    Ok(report.is_good())
}

async fn storms(stack: &Stack, arguments: &Arguments, seed: u64) -> Result<Report> {
    let mut report = Report::default();
    let mut open = Vec::new();
    for (number, company) in shops::companies().into_iter().enumerate() {
        open.push(Shop::open(stack, number, company).await?);
    }
    if arguments.ramp {
        ramp::climb(stack, &mut open, seed, &mut report).await?;
    }
    // Every so manyth delivery is news of a payment.
    let news = u64::from(arguments.rate / ORDERS_A_SECOND).max(1);
    let plan = Plan {
        rate: arguments.rate,
        lasts: Duration::from_secs(60 * arguments.minutes),
        kinds: &|number, dice| if number % news == 0 { Kind::Payment } else { Kind::thrown(dice) },
        seed,
    };
    let orders = usize::try_from(plan.count().div_ceil(news))?;
    progress::step(format_args!("storing {orders} orders that wait for their payment"));
    for shop in &mut open {
        shop.take_orders(stack, orders.div_ceil(shops::SHOPS) + 1).await?;
    }
    let storm = Storm::of(stack, &mut open, &plan).await?;
    let drained = drain::wait(stack, storm.answers.again.clone()).await?;
    let tally = books_of(stack, &open)?;
    let waiting = drain::parked(stack, &open).await?;
    results::add(&plan, &storm, &drained, &tally, &waiting, &mut report);
    Ok(report)
}

/// What one storm came to.
struct Storm {
    answers: Answers,
    used: Vec<watch::Used>,
    /// Calls that were made to go wrong, by whose they are.
    wrong: Value,
}

impl Storm {
    async fn of(stack: &Stack, open: &mut [Shop], plan: &Plan<'_>) -> Result<Self> {
        let (rate, minutes, seed) = (plan.rate, plan.lasts.as_secs() / 60, plan.seed);
        progress::step(format_args!("{rate} webhooks a second for {minutes} minutes, seed {seed}"));
        let mut watch = Watch::new(stack)?;
        weather::turn_bad(stack)?;
        let answers = tokio::select! {
            answers = storm::rage(stack, open, plan) => answers?,
            never = watch.look_on() => match never? {},
        };
        let wrong = weather::turn_good(stack)?;
        Ok(Self { answers, used: watch.used(), wrong })
    }
}

/// What the books of all merchants hold.
fn books_of(stack: &Stack, open: &[Shop]) -> Result<Tally> {
    let fortnox = &stack.simulators()?.fortnox;
    let mut tally = Tally::default();
    for shop in open {
        let paid: Vec<String> = shop.paid.iter().map(ToString::to_string).collect();
        tally.add(&fortnox.books(&shop.company.database_number), &paid);
    }
    Ok(tally)
}
