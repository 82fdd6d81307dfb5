//! `cargo dev up`: the whole stack, left running.

use std::process::ExitCode;

use anyhow::Result;

use crate::progress;
use crate::stack::between::Between;
use crate::stack::build::Profile;
use crate::stack::files::{Project, StackFile};
use crate::stack::ledger::LedgerProgram;
use crate::stack::{Options, Stack};

/// Starts the local stack and leaves it running until Ctrl-C or SIGTERM.
///
/// When it is ready, .local/stack.json says where everything is; it is removed at stop. The functions call AWS through a
/// proxy that has bad days when it is told to at the address `aws_faults` (POST, GET, DELETE). Logs of the local AWS and of
/// the functions are in .local/logs/up/.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Port of the HTTP API on 127.0.0.1
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Run release builds of the functions
    #[arg(long)]
    release: bool,
    /// Start no provider stand-ins; provider addresses then come from BOKBRO_FORTNOX_API_URL and the like
    #[arg(long)]
    no_simulators: bool,
    /// Check every AWS call of the functions against the roles of template.yaml; the AWS endpoint then accepts only
    /// the access key `test` from outside
    #[arg(long)]
    enforce_iam: bool,
    /// Connect nothing and make no API key: what a new user finds
    #[arg(long)]
    empty: bool,
    /// The ledger program that the tenant keeps its books in
    #[arg(long, env = "BOKBRO_DEMO_ACCOUNTING", value_enum, default_value_t)]
    accounting: LedgerProgram,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    // Held until the process ends, however it ends: a file left behind by a dead one is not mistaken for a stack.
    let mut file = StackFile::claim(&project)?;
    let options = Options {
        command: "up",
        port: arguments.port,
        profile: if arguments.release { Profile::Release } else { Profile::Debug },
        simulators: !arguments.no_simulators,
        enforce_iam: arguments.enforce_iam,
        ledger: arguments.accounting,
        empty: arguments.empty,
        between: Between::Faults,
    };
    let mut stack = tokio::select! {
        started = Stack::start(&project, &options) => started?,
        stopped = super::stop_signal() => {
            stopped?;
            progress::step("stopped before the stack was ready");
            return Ok(ExitCode::FAILURE);
        }
    };
    file.write(&stack.describe())?;
    progress::show(format!("Bokbro is up at {}", stack.base_url()));
    progress::step(format_args!("people sign in at {}/app", stack.base_url()));
    for (who, url) in stack.desks() {
        progress::step(format_args!("what {who} shows its customers, with what opens its API: {url}/"));
    }
    progress::step("everything else is in .local/stack.json; Ctrl-C stops it");

    let died = tokio::select! {
        stopped = super::stop_signal() => stopped.map(|()| None)?,
        status = stack.died() => Some(status),
    };
    file.remove()?;
    stack.stop().await?;
    match died {
        None => {
            progress::step("stopped");
            Ok(ExitCode::SUCCESS)
        }
        Some(status) => {
            anyhow::bail!(
                "the local AWS ended by itself ({status}); its last words are in .local/logs/up/ministack.log"
            )
        }
    }
}
