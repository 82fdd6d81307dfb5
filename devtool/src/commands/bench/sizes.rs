//! The size of each function: its program, and the zip that is uploaded.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::process::Command;

use super::Bed;
use super::report::{Budget, Report};
use crate::stack::build::Profile;
use crate::stack::files::Project;
use crate::stack::python;

/// Zips a file as `bootstrap` and prints the zip's size.
const ZIP: &str = "import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    archive.write(sys.argv[1], 'bootstrap')
print(len(out.getvalue()))";

/// Measures every function's binary and zip.
///
/// # Errors
/// When one was not built.
pub(super) async fn measure(project: &Project, bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    let python = python::local_aws(project).await?;
    let mut found = Vec::new();
    for (name, most) in [
        ("webhook", Some(4.0)),
        ("sync", Some(4.0)),
        ("admin", Some(6.0)),
        ("oauth", None),
        ("scheduler", None),
        ("replay", None),
    ] {
        let binary = bed.binary(name)?;
        let (plain, zipped) = (std::fs::metadata(&binary)?.len(), zip(&python, &binary).await?);
        found.push(json!({ "function": name, "bytes": plain, "zip_bytes": zipped }));
        let budget = most.filter(|_| bed.profile == Profile::Release).map_or(Budget::None, Budget::Most);
        report.add(format!("size of {name}, zipped at level 9"), "MB", zipped as f64 / 1e6, budget);
    }
    report.detail("sizes", json!(found));
    Ok(())
}

async fn zip(python: &Path, binary: &Path) -> Result<u64> {
    let mut command = Command::new(python);
    let told = command.args(["-c", ZIP]).arg(binary).stdin(Stdio::null()).output().await?;
    if !told.status.success() {
        bail!("{} cannot be zipped: {}", binary.display(), String::from_utf8_lossy(&told.stderr));
    }
    String::from_utf8_lossy(&told.stdout).trim().parse().context("Python told no size")
}
