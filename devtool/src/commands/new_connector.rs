//! `cargo dev new-connector`: a folder for another provider that compiles and says what to fill in.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::connector::{Connector, Kind, TOUCHED};
use crate::progress;
use crate::stack::files::Project;

/// Makes a folder for another provider.
///
/// It has every file of a connector, compiles without warnings and is known to the registry. Its first test fails and
/// says what to fill in. Docs: docs/ADD-A-CONNECTOR.md.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo dev new-connector bokio\n  cargo dev new-connector shelfless --kind warehouse"
)]
pub(crate) struct Arguments {
    /// The provider's name in settings, keys, logs and as a folder: 2 to 20 of a-z, 0-9 and _
    name: String,
    /// What it is
    #[arg(long, value_enum, default_value_t = Kind::Accounting)]
    kind: Kind,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let connector = Connector::new(&arguments.name, arguments.kind)?;
    refuse_unsaved(&project).await?;
    let home = project.root().join("shared/connectors");
    let written = connector.write_into(&home)?;
    // Names of other lengths break lines elsewhere.
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024"]).arg("--config-path").arg(project.root()).current_dir(&home);
    rustfmt.args(written.iter().filter(|path| path.ends_with("mod.rs") || path.ends_with("registry.rs")));
    if !rustfmt.status().await.context("cannot start rustfmt")?.success() {
        bail!("rustfmt could not read what was written; see its message");
    }
    for path in &written {
        progress::show(format_args!("  shared/connectors/{}", path.display()));
    }
    let name = connector.name();
    progress::show(format_args!(
        "\nWhat to fill in:\n  cargo nextest run --package bokbro-connectors {name}::\nFrom there to the merge: \
         docs/ADD-A-CONNECTOR.md"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Refuses to write into files with changes that git does not have: what this command does must be easy to take back.
async fn refuse_unsaved(project: &Project) -> Result<()> {
    let mut git = Command::new("git");
    git.args(["status", "--porcelain", "--"]).current_dir(project.root().join("shared/connectors"));
    let status = git.args(TOUCHED).output().await.context("cannot start git")?;
    if !status.status.success() {
        bail!(
            "git cannot tell whether the registry has changes: {}",
            String::from_utf8_lossy(&status.stderr).trim()
        );
    }
    let changes = String::from_utf8_lossy(&status.stdout);
    if !changes.trim().is_empty() {
        bail!(
            "commit or take back first, so that what is written can be told apart:\n{}",
            changes.trim_end()
        );
    }
    Ok(())
}
