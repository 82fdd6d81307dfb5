//! The function binaries, built by cargo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::files::Project;
use super::process::{Group, listen};
use super::python;
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
    /// By `sam build`, which has to be done already: [`sam`].
    Sam,
}

impl Profile {
    /// As cargo calls it, and as its folder is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
            Self::Sam => "lambda",
        }
    }
}

/// The cargo that runs this tool, or the one on the path.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project.root()).stdin(Stdio::null());
    as_by_hand(command.as_std_mut());
    command
}

/// Starts a cargo without what the cargo that runs this tool says of its crate: build scripts that read the like (ring's)
/// would have to run anew, and what is built on them be built anew, each time.
pub(crate) fn as_by_hand(cargo: &mut std::process::Command) {
    for (name, _) in std::env::vars_os() {
        let is_of_crate = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_of_crate) {
            cargo.env_remove(name);
        }
    }
}

/// Builds every function and says where its binary is, by binary name.
///
/// # Errors
/// When cargo fails; it has then said why.
pub(crate) async fn functions(project: &Project, profile: Profile) -> Result<BTreeMap<String, PathBuf>> {
    let binary = match profile {
        Profile::Sam => |folder: &Path, name: &str| folder.join(name).join("bootstrap"),
        Profile::Debug | Profile::Release => {
            progress::step("building the functions (the first time takes minutes)");
            build(project, profile, &["--bins"]).await?;
            |folder: &Path, name: &str| folder.join(name)
        }
    };
    let folder = folder(profile)?;
    Ok(FUNCTIONS.iter().map(|(_, name)| ((*name).to_owned(), binary(&folder, name))).collect())
}

/// This machine's processor, as the template calls it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// How much work the compiler puts into making programs small and fast.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// As the workspace's release profile says: many minutes, most of them for linking each program as one.
    Full,
    /// None: for whoever only wants to know what the programs answer.
    None,
}

impl Effort {
    /// What cargo is told about its release profile.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Full => &[],
            Self::None => &[
                ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
                ("CARGO_PROFILE_RELEASE_LTO", "off"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ],
        }
    }
}

/// Runs `sam build` for this machine's processor, into `.local/sam-build`: what lies in `.aws-sam` is for the cloud's,
/// and `sam deploy` takes it from there.
///
/// # Errors
/// When it fails; the message says why.
pub(crate) async fn sam(project: &Project, effort: Effort) -> Result<()> {
    let lambda = python::cargo_lambda(project).await?;
    let sam = python::sam(project).await?.with_file_name("sam");
    // cargo-lambda finds Zig by the Python that is first on the path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = lambda.parent().map(Path::to_owned);
    let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)))?;
    // All of them at once, as SAM would have each; SAM then finds them built, instead of linking one after the other.
    progress::step("building the functions as for the cloud (the first time takes many minutes)");
    let mut build = cargo(project);
    build.args(["lambda", "build", "--release"]).env("PATH", &path).envs(effort.settings().iter().copied());
    if architecture() == "arm64" {
        build.arg("--arm64");
    }
    for (_, binary) in FUNCTIONS {
        build.args(["--bin", binary]);
    }
    if !Group::spawn(&mut build)?.wait().await?.success() {
        bail!("the functions do not build");
    }
    progress::step("sam build");
    let mut build = Command::new(sam);
    as_by_hand(build.as_std_mut());
    build.current_dir(project.root()).env("PATH", &path).env("SAM_CLI_TELEMETRY", "0");
    build.envs(effort.settings().iter().copied());
    build.args(["build", "--no-cached", "--parameter-overrides"]);
    build.arg(format!("Architecture={}", architecture()));
    build.arg("--build-dir").arg(project.local("sam-build"));
    let said = listen(&mut build).await?;
    if !said.status.success() {
        bail!("sam build failed:\n{}", (said.out + &said.err).trim());
    }
    Ok(())
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
        Profile::Release | Profile::Sam => command.arg("--release"),
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
