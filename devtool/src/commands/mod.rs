//! One module per command.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod faults;
pub(crate) mod fuzz;
pub(crate) mod load;
pub(crate) mod new_connector;
pub(crate) mod replay;
mod report;
pub(crate) mod sam;
pub(crate) mod sbom;
pub(crate) mod test;
pub(crate) mod up;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C, SIGTERM or a closed terminal.
pub(crate) async fn stop_signal() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
