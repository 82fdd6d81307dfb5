//! Child processes that cannot outlive the tool: each runs in a process group of its own, which is killed as one.

use std::process::ExitStatus;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

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

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::AsyncReadExt;

    use super::*;

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
