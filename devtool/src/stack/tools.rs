//! Tools of others that the checks use, built into the project's own folder: no package registry has them ready-made.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::build::cargo;
use super::files::Project;
use super::process::Group;
use crate::progress;

/// A cargo subcommand in exactly this release; built when it is missing.
///
/// # Errors
/// When it does not build, or the folder cannot be written.
pub(crate) async fn tool(project: &Project, name: &str, version: &str) -> Result<PathBuf> {
    let root = project.local(&format!("{name}-{version}"));
    let binary = root.join("bin").join(name);
    let lock = project.lock_installs().await?;
    if !binary.is_file() {
        progress::step(format_args!("building {name} {version} into .local/: a few minutes, once"));
        let mut install = cargo(project);
        // Without optimization and debug information it builds in a fraction of the time and is still fast enough.
        install.args(["install", name, "--debug", "--version", version, "--locked", "--root"]).arg(&root);
        install.env("CARGO_PROFILE_DEV_DEBUG", "0");
        if !Group::spawn(&mut install)?.wait().await?.success() {
            bail!("{name} does not build");
        }
    }
    drop(lock);
    Ok(binary)
}
