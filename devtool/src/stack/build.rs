//! The function binaries, built by cargo.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::files::Project;
use super::process::Group;
use crate::progress;

/// Package and binary of every function.
const FUNCTIONS: [(&str, &str); 6] = [
    ("bokbro-webhook", "webhook"),
    ("bokbro-admin", "admin"),
    ("bokbro-oauth", "oauth"),
    ("bokbro-sync", "sync"),
    ("bokbro-scheduler", "scheduler"),
    ("bokbro-replay", "replay"),
];

/// How to build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to build.
    Debug,
    /// As it is built for the cloud.
    Release,
}

impl Profile {
    /// As cargo calls it, and as its folder is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// The cargo that runs this tool, or the one on the path.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project.root()).stdin(Stdio::null());
    command
}

/// Builds every function and says where its binary is, by binary name.
///
/// # Errors
/// When cargo fails; it has then said why.
pub(crate) async fn functions(project: &Project, profile: Profile) -> Result<BTreeMap<String, PathBuf>> {
    progress::step("building the functions (the first time takes minutes)");
    build(project, profile, &["--bins"]).await?;
    let folder = folder(profile)?;
    Ok(FUNCTIONS.iter().map(|(_, binary)| ((*binary).to_owned(), folder.join(binary))).collect())
}

/// Builds the function that does nothing and says where it is.
///
/// # Errors
/// When cargo fails; it has then said why.
pub(crate) async fn empty_function(project: &Project, profile: Profile) -> Result<PathBuf> {
    build(project, profile, &["--example", "empty"]).await?;
    Ok(folder(profile)?.join("examples/empty"))
}

/// Always builds for the same packages: with others, libraries would have other features and be built once more.
async fn build(project: &Project, profile: Profile, targets: &[&str]) -> Result<()> {
    let mut command = cargo(project);
    command.arg("build").args(targets);
    for (package, _) in FUNCTIONS {
        command.args(["--package", package]);
    }
    match profile {
        Profile::Release => command.arg("--release"),
        // Along with the tool, for the same reason: it is built already.
        Profile::Debug => command.args(["--package", env!("CARGO_PKG_NAME")]),
    };
    if !Group::spawn(&mut command)?.wait().await?.success() {
        bail!("the functions do not build");
    }
    Ok(())
}

/// Where cargo puts binaries. The tool's own lies in `<target>/<profile>/`.
fn folder(profile: Profile) -> Result<PathBuf> {
    let tool = std::env::current_exe()?;
    let target = tool.ancestors().nth(2).context("the tool does not run from cargo's target folder")?;
    Ok(target.join(profile.name()))
}
