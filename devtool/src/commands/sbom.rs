//! `cargo dev sbom`: what is in the functions, for whoever must know.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::progress;
use crate::stack::files::Project;
use crate::stack::process::Group;
use crate::stack::tools::tool;

/// The release of cargo-cyclonedx that writes the lists.
const CARGO_CYCLONEDX: &str = "0.5.9";

/// What it calls each list, beside the crate's Cargo.toml.
const WRITTEN: &str = "bokbro-sbom";

/// Writes a software bill of materials for each function: every crate in it with its version, license and hash.
///
/// CycloneDX 1.5 as JSON, in target/sbom. It lists what the deployed functions hold and the macros that wrote parts of them,
/// without the crates of build scripts and tests.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The processor that the functions run on
    #[arg(long, default_value = "arm64", value_parser = ["arm64", "x86_64"])]
    architecture: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let binary = tool(&project, "cargo-cyclonedx", CARGO_CYCLONEDX).await?;
    let processor = if arguments.architecture == "arm64" { "aarch64" } else { "x86_64" };
    let mut list = Command::new(binary);
    list.current_dir(project.root());
    list.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
    list.args(["--target", &format!("{processor}-unknown-linux-gnu"), "--override-filename", WRITTEN]);
    let listed = Group::spawn(list.stdin(Stdio::null()))?.wait().await?;
    ensure!(listed.success(), "cargo-cyclonedx failed: see above");
    let into = project.root().join("target/sbom");
    fs::create_dir_all(&into)?;
    for folder in crates(project.root())? {
        let list = folder.join(format!("{WRITTEN}.json"));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if !list.is_file() {
            continue;
        }
        // It writes one beside every crate of the workspace.
        if folder.parent().is_some_and(|parent| parent.ends_with("functions")) {
            let kept = format!("{name}.cdx.json");
            fs::rename(&list, into.join(&kept))?;
            progress::show(format_args!("target/sbom/{kept}"));
        } else {
            fs::remove_file(&list)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folders of the workspace's crates.
fn crates(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("simulators"), root.join("devtool"), root.join("tests")];
    for parent in ["shared", "functions"] {
        for entry in fs::read_dir(root.join(parent))? {
            folders.push(entry?.path());
        }
    }
    Ok(folders)
}
