//! Debian packages unpacked into a folder of the project's own: nothing is installed on the machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::progress;
use crate::stack::files::Project;
use crate::stack::process::listen;

/// Whether this machine has Debian's package tools.
pub(super) async fn is_here() -> bool {
    listen(Command::new("apt-get").arg("--version")).await.is_ok_and(|said| said.status.success())
}

/// Unpacks the packages, and what they need and the machine does not have, into `.local/<name>/root`, once; answers
/// that folder.
///
/// # Errors
/// When they cannot be downloaded.
pub(super) async fn unpack(project: &Project, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = project.local_dir(name)?;
    let (root, archives, stamp) =
        (folder.join("root"), folder.join("archives"), folder.join("installed.txt"));
    let lock = project.lock_installs().await?;
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(root);
    }
    progress::step(format_args!("downloading {} into .local/{name}, once", packages.join(", ")));
    fs::create_dir_all(&archives)?;
    if let Err(refused) = download(&archives, packages).await {
        // The machine's lists of packages may be old or missing.
        let update = listen(Command::new("apt-get").args(["update", "--quiet"])).await?;
        if !update.status.success() {
            return Err(refused);
        }
        download(&archives, packages).await?;
    }
    for entry in fs::read_dir(&archives)? {
        let archive = entry?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            said(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(&root)).await?;
        }
    }
    fs::remove_dir_all(&archives)?;
    fs::write(&stamp, wanted)?;
    drop(lock);
    Ok(root)
}

async fn download(archives: &Path, packages: &[&str]) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--download-only", "--reinstall", "--no-install-recommends", "--yes"]);
    // No lock is needed for a folder of our own.
    apt.args(["--option", "Debug::NoLocking=1", "--option"]);
    apt.arg(format!("Dir::Cache::archives={}", archives.display()));
    said(apt.args(packages)).await.map(drop)
}

/// What a command says on standard output.
///
/// # Errors
/// When it fails, with what it complained about.
pub(super) async fn said(command: &mut Command) -> Result<String> {
    let said = listen(command).await?;
    if !said.status.success() {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        bail!("{program}: {}", (said.out + &said.err).trim());
    }
    Ok(said.out.trim().to_owned())
}
