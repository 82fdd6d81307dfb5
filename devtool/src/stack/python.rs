//! Python tools in virtual environments of the project's own, installed once from hashed requirements.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::files::Project;
use super::process::listen;
use crate::progress;

/// The environment that MiniStack runs in; answers its Python.
///
/// # Errors
/// When it cannot be installed.
pub(crate) async fn local_aws(project: &Project) -> Result<PathBuf> {
    let requirements = include_str!("../../requirements/ministack.txt");
    ensure(project, "aws", "the local AWS (MiniStack)", "half a minute", requirements).await
}

/// The environment that the SAM CLI runs in; answers its Python.
///
/// # Errors
/// When it cannot be installed.
pub(crate) async fn sam(project: &Project) -> Result<PathBuf> {
    let requirements = include_str!("../../requirements/sam.txt");
    ensure(project, "sam", "the SAM CLI", "a minute", requirements).await
}

/// axe-core, which checks pages in a browser; answers its script.
///
/// # Errors
/// When it cannot be installed.
pub(crate) async fn axe(project: &Project) -> Result<PathBuf> {
    let requirements = include_str!("../../requirements/axe.txt");
    let python = ensure(project, "axe", "axe-core", "ten seconds", requirements).await?;
    // The folder between has the Python's version in its name.
    let libraries = fs::read_dir(project.local("axe/lib"))?.collect::<std::io::Result<Vec<_>>>()?;
    let scripts =
        libraries.iter().map(|folder| folder.path().join("site-packages/axe_playwright_python/axe.min.js"));
    let script = scripts.into_iter().find(|script| script.is_file());
    script.with_context(|| format!("{} has no axe-core; remove .local/axe and run again", python.display()))
}

/// The environment that cargo-lambda, with its Zig, is installed in for `sam build`; answers its Python.
///
/// # Errors
/// When it cannot be installed.
pub(crate) async fn cargo_lambda(project: &Project) -> Result<PathBuf> {
    let requirements = include_str!("../../requirements/cargo-lambda.txt");
    ensure(project, "cargo-lambda", "cargo-lambda with Zig", "a minute", requirements).await
}

async fn ensure(
    project: &Project,
    name: &str,
    what: &str,
    takes: &str,
    requirements: &str,
) -> Result<PathBuf> {
    let folder = project.local(name);
    let python = folder.join("bin/python");
    let stamp = folder.join("installed.txt");
    let lock = project.lock_installs().await?;
    // The stamp is the list that was installed, so that a new list installs anew and an old one needs no network.
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    progress::step(format_args!("installing {what} into .local/{name}: about {takes}, once"));
    let list = project.local_dir("")?.join(format!("{name}-requirements.txt"));
    fs::write(&list, requirements)?;

    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    quietly(&mut venv, "Python 3.11 with its venv module is needed (Debian: apt install python3-venv)")
        .await?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    // The list is complete, so nothing that is not on it can come along.
    pip.args(["--require-hashes", "--no-deps", "--requirement"]).arg(&list);
    quietly(&mut pip, "is the network there? Run the command again to try once more").await?;
    fs::write(&stamp, requirements)?;
    fs::remove_file(&list)?;
    drop(lock);
    Ok(python)
}

/// Runs a command and shows what it said only when it fails.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) async fn quietly(command: &mut Command, advice: &str) -> Result<()> {
    let said = listen(command).await.context(advice.to_owned())?;
    if !said.status.success() {
        bail!("{}\n{advice}", (said.out + &said.err).trim());
    }
    Ok(())
}
