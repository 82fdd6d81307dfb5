//! `cargo dev`: the project's own tool for the local stack and the checks.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(
    clippy::disallowed_methods,
    reason = "a tool on the developer's machine: no Clock, no Lambda that freezes, and it starts processes"
)]

mod api;
mod chromium;
mod commands;
mod connector;
mod progress;
mod stack;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs Bokbro on this machine and checks it.
///
/// Everything is installed into the project's own ignored folder .local/ and runs on 127.0.0.1; no AWS account is
/// needed, and no Docker except for `cargo dev sam`. The first run downloads and builds, later ones start in seconds.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(commands::demo::Arguments),
    Up(commands::up::Arguments),
    Test(commands::test::Arguments),
    Replay(commands::replay::Arguments),
    Sam(commands::sam::Arguments),
    Faults(commands::faults::Arguments),
    Fuzz(commands::fuzz::Arguments),
    Bench(commands::bench::Arguments),
    Load(commands::load::Arguments),
    Sbom(commands::sbom::Arguments),
    NewConnector(commands::new_connector::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    // One TLS provider for the whole project; the client below speaks plain HTTP to 127.0.0.1 but is built with it.
    rustls::crypto::ring::default_provider().install_default().ok();
    let outcome = match Cli::parse().command {
        Command::Demo(arguments) => commands::demo::run(arguments).await,
        Command::Up(arguments) => commands::up::run(arguments).await,
        Command::Bench(arguments) => commands::bench::run(arguments).await,
        Command::Load(arguments) => commands::load::run(arguments).await,
        Command::NewConnector(arguments) => commands::new_connector::run(arguments).await,
        Command::Sam(arguments) => commands::sam::run(arguments).await,
        Command::Faults(arguments) => commands::faults::run(arguments).await,
        Command::Fuzz(arguments) => commands::fuzz::run(arguments).await,
        Command::Sbom(arguments) => commands::sbom::run(arguments).await,
        Command::Test(arguments) => commands::test::run(arguments).await,
        Command::Replay(arguments) => commands::replay::run(arguments).await,
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}
