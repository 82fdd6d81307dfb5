//! Child processes that cannot outlive the tool: each runs in a process group of its own, which is killed as one.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A child with everything it has started itself, the functions of MiniStack for example.
pub(crate) struct Group {
    child: Child,
    group: Option<Pid>,
}

impl Group {
    /// Starts the command as the leader of a new process group.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn().with_context(|| format!("cannot start {program}"))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group })
    }

    /// The leader, for its pipes.
    pub(crate) fn leader(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The leader's process, whose number is the group's too; none once it has ended.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the leader to end by itself.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Kills the whole group and waits for its leader.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.signal();
        self.child.wait().await?;
        Ok(())
    }

    /// Asks the group to end, as Ctrl-C does, and kills it when it has not ended after `limit`.
    ///
    /// # Errors
    /// When the operating system does not tell that it is gone.
    pub(crate) async fn end(mut self, limit: Duration) -> Result<()> {
        if let Some(group) = self.group {
            kill_process_group(group, Signal::INT).ok();
        }
        match timeout(limit, self.child.wait()).await {
            Ok(ended) => {
                ended?;
                Ok(())
            }
            Err(_) => self.kill().await,
        }
    }

    fn signal(&mut self) {
        if let Some(group) = self.group.take() {
            // The only error worth a thought is "no such group", which is what is wanted.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal();
    }
}

/// How a command ended, and what it said.
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command in a group of its own to its end and keeps what it says.
///
/// # Errors
/// When it cannot be started or says something that is not text.
pub(crate) async fn listen(command: &mut Command) -> Result<Said> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let leader = group.leader();
    let (out, err) = (leader.stdout.take(), leader.stderr.take());
    let (out, err) = tokio::try_join!(read(out), read(err))?;
    Ok(Said { status: group.wait().await?, out, err })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_string(&mut text).await?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_command_says_is_kept_apart() {
        let said = listen(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).await.unwrap();
        assert_eq!((said.out.as_str(), said.err.as_str(), said.status.code()), ("out\n", "err\n", Some(3)));
    }

    #[tokio::test]
    async fn whoever_does_not_end_when_asked_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' INT; echo ready; while true; do sleep 1; done"]).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command).unwrap();
        let mut stdout = group.leader().stdout.take().unwrap();
        let mut ready = [0; 6];
        stdout.read_exact(&mut ready).await.unwrap();
        group.end(Duration::from_millis(50)).await.unwrap();
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    }

    #[tokio::test]
    async fn kills_what_the_child_has_started() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo started; wait"]).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command).unwrap();
        let mut stdout = group.leader().stdout.take().unwrap();
        let mut started = [0; 8];
        stdout.read_exact(&mut started).await.unwrap();

        group.kill().await.unwrap();
        // The grandchild holds the other end of the pipe: its end is the end of the stream.
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).await.unwrap();
        assert_eq!((&started, rest.as_slice()), (b"started\n", b"".as_slice()));
    }
}
