//! A Docker engine: the machine's, or else Debian's in the project's own folder for as long as the command runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::debian::{self, said};
use crate::progress;
use crate::stack::files::Project;
use crate::stack::process::{Group, listen};

/// How long an engine may take to start or to stop.
const LIMIT: Duration = Duration::from_secs(30);

/// An engine that answers.
pub(super) struct Engine {
    docker: PathBuf,
    address: String,
    own: Option<Own>,
}

/// An engine that was started by this command. What it runs is its own: it touches neither the firewall nor the routes.
struct Own {
    process: Group,
    scratch: PathBuf,
}

impl Engine {
    /// Finds the machine's, or starts one; the inner error says in one line why there is none.
    ///
    /// # Errors
    /// When the project's folder cannot be written.
    pub(super) async fn find(project: &Project) -> Result<Result<Self, String>> {
        let docker = PathBuf::from("docker");
        if let Ok(version) = listen(&mut version(&docker, None)).await
            && version.status.success()
        {
            // Where the current context has it, which SAM does not know of.
            let context = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
            let address = said(Command::new(&docker).args(context)).await?;
            return Ok(Ok(Self { docker, address, own: None }));
        }
        if !rustix::process::geteuid().is_root() {
            return Ok(Err("no Docker engine answers, and only root may start one".to_owned()));
        }
        if !debian::is_here().await {
            return Ok(Err(
                "no Docker engine answers, and this is not Debian, which has one to start".to_owned()
            ));
        }
        Ok(match Self::start(project).await {
            Ok(engine) => Ok(engine),
            Err(error) => Err(format!("no Docker engine answers, and Debian's does not start: {error:#}")),
        })
    }

    async fn start(project: &Project) -> Result<Self> {
        let root = debian::unpack(project, "docker", &["docker.io"]).await?;
        progress::step("starting a Docker engine of the project's own");
        // Sockets have short paths only, so they do not lie in the project.
        let scratch = std::env::temp_dir().join(format!("bokbro-docker-{}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        let address = format!("unix://{}", scratch.join("docker.sock").display());
        let log_file = project.log("sam", "dockerd.log")?;
        let mut dockerd = Command::new(root.join("usr/sbin/dockerd"));
        dockerd.arg("--host").arg(&address);
        dockerd.arg("--data-root").arg(project.local_dir("docker/data")?);
        dockerd.arg("--exec-root").arg(&scratch).arg("--pidfile").arg(scratch.join("pid"));
        dockerd.args(["--iptables=false", "--ip6tables=false"]);
        dockerd.args(["--ip-masq=false", "--ip-forward=false"]);
        dockerd.env("PATH", searched("PATH", &[root.join("usr/bin"), root.join("usr/sbin")])?);
        let libraries = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
        let libraries = [root.join("usr").join(&libraries), root.join(&libraries)];
        dockerd.env("LD_LIBRARY_PATH", searched("LD_LIBRARY_PATH", &libraries)?);
        dockerd.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file);
        let process = Group::spawn(&mut dockerd)?;
        let docker = root.join("usr/bin/docker");
        let mut engine = Self { docker, address, own: Some(Own { process, scratch }) };
        let ready = timeout(LIMIT, engine.ready()).await;
        match ready.unwrap_or_else(|_| bail!("it did not answer within {} s", LIMIT.as_secs())) {
            Ok(()) => Ok(engine),
            Err(error) => {
                engine.stop().await?;
                let log = project.local("logs/sam/dockerd.log");
                let told = fs::read_to_string(&log).unwrap_or_default();
                Err(error.context(told.lines().last().unwrap_or_default().to_owned()))
            }
        }
    }

    async fn ready(&mut self) -> Result<()> {
        let mut ticks = interval(Duration::from_millis(200));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut version = version(&self.docker, Some(&self.address));
        let own = self.own.as_mut().context("the engine is not ours")?;
        loop {
            tokio::select! {
                status = own.process.wait() => bail!("it ended at once ({})", status?),
                _ = ticks.tick() => {
                    if listen(&mut version).await?.status.success() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Its address, as `DOCKER_HOST` has it.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Runs `docker` with these arguments; answers what it says.
    ///
    /// # Errors
    /// When it fails, with what it complained about.
    pub(super) async fn docker(&self, arguments: &[&str]) -> Result<String> {
        said(&mut self.command(arguments)).await
    }

    /// `docker` with these arguments, to be run.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.docker);
        command.args(arguments).env("DOCKER_HOST", &self.address);
        command
    }

    /// Stops it, if it was started by this command.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(super) async fn stop(self) -> Result<()> {
        if let Some(own) = self.own {
            own.process.end(LIMIT).await?;
            fs::remove_dir_all(&own.scratch).ok();
        }
        Ok(())
    }
}

fn version(docker: &Path, address: Option<&str>) -> Command {
    let mut command = Command::new(docker);
    command.args(["version", "--format", "{{.Server.Version}}"]);
    if let Some(address) = address {
        command.env("DOCKER_HOST", address);
    }
    command
}

/// The folders, before those of the caller's variable.
fn searched(variable: &str, first: &[PathBuf]) -> Result<std::ffi::OsString> {
    let rest = std::env::var_os(variable).unwrap_or_default();
    Ok(std::env::join_paths(first.iter().cloned().chain(std::env::split_paths(&rest)))?)
}
