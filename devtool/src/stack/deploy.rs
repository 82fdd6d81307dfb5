//! Puts `template.yaml` into the local AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::files::Project;
use super::ministack::{REGION, python_command};
use super::process::Group;
use crate::progress;

/// The order that `deploy.py` takes.
#[derive(Serialize)]
struct Order<'a> {
    endpoint: &'a str,
    region: &'a str,
    stack: &'a str,
    template: PathBuf,
    parameters: BTreeMap<String, String>,
    binaries: &'a BTreeMap<String, PathBuf>,
}

/// What was deployed.
#[derive(Deserialize)]
pub(crate) struct Deployed {
    /// The HTTP API.
    pub(crate) api_id: String,
    /// The outputs of the stack by name.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The functions by logical id.
    pub(crate) functions: BTreeMap<String, Function>,
    /// Resources that the local AWS cannot have.
    left_out: Vec<String>,
}

/// A deployed function.
#[derive(Deserialize)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The CloudWatch log group that it writes to.
    log_group: String,
    /// The variables that the template sets, with what they came to.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Function {
    /// How its file of logs is called: the last part of its log group.
    pub(crate) fn log_name(&self) -> &str {
        self.log_group.rsplit('/').next().unwrap_or(&self.log_group)
    }
}

/// Deploys the stack, with every gap of MiniStack filled.
///
/// # Errors
/// When a resource cannot be made; the message names it.
pub(crate) async fn deploy(
    project: &Project,
    python: &Path,
    endpoint: &str,
    binaries: &BTreeMap<String, PathBuf>,
    parameters: BTreeMap<String, String>,
) -> Result<Deployed> {
    let template = project.root().join("template.yaml");
    let order = Order { endpoint, region: REGION, stack: "bokbro-local", template, parameters, binaries };
    let mut command = python_command(python);
    command.args(["-c", include_str!("deploy.py")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Group::spawn(&mut command)?;

    let leader = process.leader();
    let (mut stdin, mut stdout, mut stderr) =
        (leader.stdin.take(), leader.stdout.take(), leader.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), String::new());
    if let Some(mut stdin) = stdin.take() {
        stdin.write_all(&serde_json::to_vec(&order)?).await?;
    }
    if let (Some(stdout), Some(stderr)) = (stdout.as_mut(), stderr.as_mut()) {
        tokio::try_join!(stdout.read_to_end(&mut answer), stderr.read_to_string(&mut complaint))?;
    }
    if !process.wait().await?.success() {
        bail!("template.yaml was not deployed into the local AWS:\n{}", complaint.trim());
    }
    let deployed: Deployed =
        serde_json::from_slice(&answer).context("deploy.py answered something else than its docs say")?;
    if !deployed.left_out.is_empty() {
        let count = deployed.left_out.len();
        progress::step(format!("{count} alarms stay out, because the local AWS has no metric math"));
    }
    Ok(deployed)
}
