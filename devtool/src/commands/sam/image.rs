//! The image that functions run in: AWS's own, or a stand-in for machines that reach no registry.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::debian::{self, said};
use super::engine::Engine;
use crate::progress;
use crate::stack::build::architecture;
use crate::stack::files::Project;
use crate::stack::process::Group;

const STAND_IN: &str = "bokbro-provided:local";
const PULL_LIMIT: Duration = Duration::from_secs(300);
/// The machine's list of certificate authorities, without which no TLS client can be made.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// What SAM and the runtime need of a shell: it moves and marks its emulator.
const TOOLS: [&str; 6] = ["sh", "mv", "chmod", "cp", "mkdir", "cat"];

/// The image to begin with; the inner error says in one line why there is none.
///
/// # Errors
/// When the stand-in cannot be made.
pub(super) async fn base(project: &Project, engine: &Engine) -> Result<Result<String, String>> {
    let official = format!("public.ecr.aws/lambda/provided:al2023-{}", architecture());
    if engine.docker(&["image", "inspect", &official]).await.is_ok() {
        return Ok(Ok(official));
    }
    progress::step(format_args!("fetching {official}"));
    if timeout(PULL_LIMIT, engine.docker(&["pull", "--quiet", &official]))
        .await
        .is_ok_and(|pull| pull.is_ok())
    {
        return Ok(Ok(official));
    }
    progress::step("no registry can be reached: a stand-in takes its place");
    if engine.docker(&["image", "inspect", STAND_IN]).await.is_ok() {
        return Ok(Ok(STAND_IN.to_owned()));
    }
    if !debian::is_here().await {
        return Ok(Err(format!(
            "{official} cannot be fetched, and its stand-in is made of Debian's packages"
        )));
    }
    stand_in(project, engine).await.context("making the stand-in for AWS's image")?;
    Ok(Ok(STAND_IN.to_owned()))
}

/// An image of a C library, a shell and the certificate authorities: 10 MB.
async fn stand_in(project: &Project, engine: &Engine) -> Result<()> {
    let packages = ["busybox-static", "libc6", "libgcc-s1"];
    let unpacked = debian::unpack(project, "lambda-image", &packages).await?;
    let root = project.local("lambda-image/image");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    for folder in
        ["bin", "etc/pki/tls/certs", "etc/ssl/certs", "opt", "tmp", "var/rapid", "var/runtime", "var/task"]
    {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    for folder in ["lib", "lib64"] {
        if unpacked.join(folder).exists() {
            said(Command::new("cp").arg("-a").arg(unpacked.join(folder)).arg(&root)).await?;
        }
    }
    fs::copy(unpacked.join("bin/busybox"), root.join("bin/busybox"))?;
    for tool in TOOLS {
        symlink("busybox", root.join("bin").join(tool))?;
    }
    for list in ["etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/certs/ca-certificates.crt"] {
        fs::copy(AUTHORITIES, root.join(list))
            .with_context(|| format!("{AUTHORITIES} (Debian: apt install ca-certificates)"))?;
    }
    fs::write(root.join("etc/nsswitch.conf"), "hosts: files dns\n")?;
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;

    let archive = project.local("lambda-image/image.tar");
    said(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg(".")).await?;
    let environment = "ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin LAMBDA_TASK_ROOT=/var/task \
                       LAMBDA_RUNTIME_DIR=/var/runtime \
                       LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/task:/opt/lib TZ=:/etc/localtime";
    let archive_name = archive.to_string_lossy();
    let import =
        ["import", "--change", environment, "--change", "WORKDIR /var/task", &*archive_name, STAND_IN];
    engine.docker(&import).await?;
    for left in [&root, &archive] {
        if left.is_dir() { fs::remove_dir_all(left)? } else { fs::remove_file(left)? }
    }
    Ok(())
}

/// Makes an image from another in which the AWS SDK calls `endpoint`: the template has no variable for that, and SAM
/// passes on only what the template has.
///
/// # Errors
/// When the engine refuses.
pub(super) async fn pointed_at(
    engine: &Engine,
    base: &str,
    endpoint: &str,
    name: &str,
    log: &Path,
) -> Result<()> {
    let log = fs::File::create(log)?;
    let mut build = engine.command(&["build", "--tag", name, "-"]);
    build.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    let mut build = Group::spawn(&mut build)?;
    if let Some(mut stdin) = build.leader().stdin.take() {
        stdin.write_all(format!("FROM {base}\nENV AWS_ENDPOINT_URL={endpoint}\n").as_bytes()).await?;
    }
    if !build.wait().await?.success() {
        bail!("{name} cannot be built; see .local/logs/sam/");
    }
    Ok(())
}
