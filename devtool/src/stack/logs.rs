//! What the functions log, copied from the local AWS into `.local/logs/<command>/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::time::timeout;

use super::deploy::Deployed;
use super::files::Project;
use super::ministack::{REGION, python_command};
use super::process::Group;

const LAST_ROUND_LIMIT: Duration = Duration::from_secs(5);

/// The process that copies.
pub(crate) struct LogCopy {
    process: Group,
    stdin: ChildStdin,
    folder: PathBuf,
}

impl LogCopy {
    /// Starts copying: one file per function, named as the last part of its log group.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub(crate) async fn start(
        project: &Project,
        python: &Path,
        command_name: &str,
        endpoint: &str,
        deployed: &Deployed,
    ) -> Result<Self> {
        let folder = project.local_dir(&format!("logs/{command_name}"))?;
        let files: BTreeMap<&str, PathBuf> = deployed
            .functions
            .values()
            .map(|function| {
                let group = function.log_group.as_str();
                let name = group.rsplit('/').next().unwrap_or(group);
                (group, folder.join(format!("{name}.log")))
            })
            .collect();
        let mut command = python_command(python);
        command.args(["-c", include_str!("logs.py")]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(project.log(command_name, "copy.log")?);
        let mut process = Group::spawn(&mut command)?;
        let mut stdin = process.leader().stdin.take().context("the log copy has no standard input")?;
        let order = json!({ "endpoint": endpoint, "region": REGION, "files": files });
        stdin.write_all(format!("{order}\n").as_bytes()).await?;
        Ok(Self { process, stdin, folder })
    }

    /// Where the files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets it copy a last round and ends it.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(crate) async fn stop(self) -> Result<()> {
        let Self { mut process, stdin, .. } = self;
        drop(stdin);
        // Past the limit the logs are cut off, which must not keep the stack from stopping.
        timeout(LAST_ROUND_LIMIT, process.wait()).await.ok();
        process.kill().await
    }
}
