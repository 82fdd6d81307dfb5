//! MiniStack as a child process: the local AWS.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{ChildStdin, Command};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::files::Project;
use super::process::Group;

/// The region that everything local lives in.
pub(crate) const REGION: &str = "eu-north-1";
/// The access key that is root in the local AWS; its secret is the same word.
pub(crate) const ACCESS_KEY: &str = "test";

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running MiniStack. Dropping it kills it and its functions.
pub(crate) struct MiniStack {
    // Fields drop in order: the folder goes after the processes that write into it.
    process: Group,
    // Never written to; closed when the tool ends, however it ends, which `ministack.py` waits for.
    _lifeline: ChildStdin,
    _scratch: Scratch,
    endpoint: String,
}

/// A folder that is removed when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the ignored folder and is in nobody's way.
        fs::remove_dir_all(&self.0).ok();
    }
}

impl MiniStack {
    /// Starts MiniStack on a free port of 127.0.0.1 and waits until it answers. The functions will call AWS there, or at
    /// `functions_call` if that is given. What they log goes to the command's folder of logs.
    ///
    /// # Errors
    /// When it does not start; its log says why.
    pub(crate) async fn start(
        project: &Project,
        python: &Path,
        command_name: &str,
        enforce_iam: bool,
        functions_call: Option<&str>,
    ) -> Result<Self> {
        // The port is let go again for MiniStack to take, which cannot be told to choose one itself.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let scratch = Scratch(project.local_dir(&format!("run/{port}"))?);
        let log = project.log(command_name, "ministack.log")?;
        let mut command = python_command(python);
        command.args(["-c", include_str!("ministack.py")]);
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_REGION", REGION)
            .env("AUTH", if enforce_iam { "true" } else { "false" })
            // What MiniStack hands to the functions; without it they would call the real AWS.
            .env("AWS_ENDPOINT_URL", functions_call.unwrap_or(&endpoint))
            .env("TMPDIR", &scratch.0)
            .env("BOKBRO_LOGS", project.log_dir(command_name)?)
            // At start and stop MiniStack removes every container of its kind; those of others are none of our business.
            .env("DOCKER_HOST", "unix:///nonexistent")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = Group::spawn(&mut command)?;
        // Taken out, because waiting for a child closes the pipe that is still in it.
        let lifeline = process.leader().stdin.take().context("MiniStack has no standard input")?;
        let mut ministack = Self { process, _lifeline: lifeline, _scratch: scratch, endpoint };
        match timeout(START_LIMIT, ministack.ready()).await {
            Ok(ready) => ready?,
            Err(_) => bail!("the local AWS did not answer within {} s", START_LIMIT.as_secs()),
        }
        Ok(ministack)
    }

    async fn ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let health = format!("{}/_ministack/health", self.endpoint);
        let mut ticks = interval(Duration::from_millis(50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = self.process.wait() => {
                    bail!("the local AWS ended at once ({}); see ministack.log in .local/logs/", status?);
                }
                _ = ticks.tick() => {
                    if client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Its address, for any AWS SDK.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its process, while it lives.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Waits for it to end by itself.
    pub(crate) async fn died(&mut self) -> ExitStatus {
        // Without an answer from the operating system there is nothing to wait for any more.
        self.process.wait().await.unwrap_or_default()
    }

    /// Kills it and its functions; it keeps nothing that would be worth a slower end.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(crate) async fn stop(self) -> Result<()> {
        self.process.kill().await
    }
}

/// Python with nothing of the caller's AWS settings or proxies around it.
pub(crate) fn python_command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.env_clear();
    for kept in ["PATH", "HOME", "LANG"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}
