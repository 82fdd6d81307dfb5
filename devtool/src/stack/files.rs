//! The project's folders, and `.local/stack.json`, which says where a running stack is.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::interval;

/// Where the project's files are.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that this tool was built from.
    ///
    /// # Errors
    /// When it has been moved away since.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default();
        if !root.join("template.yaml").is_file() {
            bail!("{} holds no template.yaml; run `cargo dev` in the checkout", root.display());
        }
        Ok(Self { root })
    }

    /// The root of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the project's own ignored folder.
    pub(crate) fn local(&self, name: &str) -> PathBuf {
        self.root.join(".local").join(name)
    }

    /// A folder in the project's own ignored folder, made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn local_dir(&self, name: &str) -> Result<PathBuf> {
        let path = self.local(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// The folder for a command's logs. Commands that run at once have folders of their own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn log_dir(&self, command: &str) -> Result<PathBuf> {
        self.local_dir(&format!("logs/{command}"))
    }

    /// A log file in a command's folder, emptied.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn log(&self, command: &str, name: &str) -> Result<File> {
        let path = self.log_dir(command)?.join(name);
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Waits for the right to install things, which two commands must not do at once. Let go when dropped.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub(crate) async fn lock_installs(&self) -> Result<File> {
        let file = File::create(self.local_dir("")?.join("install.lock"))?;
        let mut tries = interval(Duration::from_millis(100));
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => tries.tick().await,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            };
        }
    }
}

/// The right to write `.local/stack.json`. The operating system takes it back when the process dies.
pub(crate) struct StackFile {
    path: PathBuf,
    _lock: File,
}

impl StackFile {
    /// Claims the file and removes what a dead process left in it.
    ///
    /// # Errors
    /// When another stack of this checkout is running.
    pub(crate) fn claim(project: &Project) -> Result<Self> {
        let path = project.local_dir("")?.join("stack.json");
        let lock = File::create(project.local("stack.lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "a stack of this checkout is already running; .local/stack.json says where, stop that one first"
                )
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let file = Self { path, _lock: lock };
        file.remove()?;
        Ok(file)
    }

    /// Writes the file in one step, so that a reader sees all of it or nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&mut self, stack: &serde_json::Value) -> Result<()> {
        let draft = self.path.with_extension("json.draft");
        let mut file = File::create(&draft)?;
        file.write_all(format!("{stack:#}\n").as_bytes())?;
        fs::rename(&draft, &self.path).context("cannot write .local/stack.json")
    }

    /// Removes the file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("cannot remove .local/stack.json")
            }
            _ => Ok(()),
        }
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        // Best effort for the ways out that do not pass `remove`; the lock tells a stale file from a live one anyway.
        self.remove().ok();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A project in a temporary folder of its own.
    fn project(name: &str) -> Project {
        let root = std::env::temp_dir().join(format!("bokbro-dev-{}-{name}", std::process::id()));
        fs::remove_dir_all(&root).ok();
        Project { root }
    }

    #[test]
    fn a_stack_file_belongs_to_one_command_at_a_time() {
        let project = project("claims");
        let path = project.local("stack.json");
        let mut first = StackFile::claim(&project).unwrap();
        assert!(!path.exists(), "nothing is ready yet");
        first.write(&json!({ "pid": 1 })).unwrap();
        assert!(StackFile::claim(&project).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"pid\": 1\n}\n", "the loser leaves it alone");
        drop(first);
        assert!(!path.exists());
        assert!(StackFile::claim(&project).is_ok());
        fs::remove_dir_all(&project.root).unwrap();
    }

    #[test]
    fn what_a_dead_process_left_is_removed() {
        let project = project("stale");
        fs::create_dir_all(project.local("")).unwrap();
        fs::write(project.local("stack.json"), "{}").unwrap();
        let claimed = StackFile::claim(&project).unwrap();
        assert!(!project.local("stack.json").exists());
        drop(claimed);
        fs::remove_dir_all(&project.root).unwrap();
    }
}
