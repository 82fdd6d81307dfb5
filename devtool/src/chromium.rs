//! The browser that tests drive: found on the machine, or installed where that needs nobody's leave.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::json;
use tokio::process::Command;

use crate::progress;
use crate::stack::files::Project;
use crate::stack::python;

/// Names of Chromium, the likeliest first.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Name of its driver.
const DRIVER: &str = "chromedriver";
/// Debian's packages of both; they are of the same release, which a browser and its driver must be.
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// What tests need to know of the browser.
pub(crate) struct Browser {
    /// The file that tells the tests.
    pub(crate) told: PathBuf,
    /// The folder where they leave pictures of every page.
    pub(crate) screenshots: PathBuf,
}

/// Finds the browser, or installs it on a Debian machine whose root we are; `None`, and a line that says so, when it cannot
/// be had.
///
/// # Errors
/// When it cannot be had on a machine that calls itself continuous integration (`CI=true`), where nothing may be left out.
pub(crate) async fn find(project: &Project) -> Result<Option<Browser>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = among(&path);
    if found.is_none() && may_install() {
        install().await?;
        found = among(&path);
    }
    let Some((chromium, chromedriver)) = found else {
        let missing = "there is no browser: install chromium and chromedriver (Debian: apt-get install chromium \
                       chromium-driver)";
        if env::var("CI").is_ok_and(|ci| ci == "true") {
            bail!(missing);
        }
        progress::step(format_args!("{missing}; the tests in a browser are left out"));
        return Ok(None);
    };
    let screenshots = project.local("screenshots");
    if screenshots.exists() {
        fs::remove_dir_all(&screenshots)?;
    }
    let axe = python::axe(project).await?;
    let tools =
        json!({ "chromium": chromium, "chromedriver": chromedriver, "axe": axe, "screenshots": screenshots });
    let told = project.local("browser.json");
    fs::write(&told, format!("{tools:#}\n"))?;
    Ok(Some(Browser { told, screenshots }))
}

/// Browser and driver among the folders of a PATH, when both are there.
fn among(path: &OsStr) -> Option<(PathBuf, PathBuf)> {
    let named =
        |name: &str| env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
    Some((CHROMIUM.iter().find_map(|name| named(name))?, named(DRIVER)?))
}

fn may_install() -> bool {
    let is_debian = fs::read_to_string("/etc/os-release").is_ok_and(|release| {
        release.lines().any(|line| line == "ID=debian") && Path::new("/usr/bin/apt-get").is_file()
    });
    is_debian && rustix::process::geteuid().is_root()
}

async fn install() -> Result<()> {
    progress::step("installing Chromium and its driver with apt-get: a minute or two, once");
    let update: &[&str] = &["update"];
    let install = ["install", "--yes", "--no-install-recommends", PACKAGES[0], PACKAGES[1]];
    for arguments in [update, &install] {
        let mut apt = Command::new("apt-get");
        apt.arg("--quiet=2").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        python::quietly(&mut apt, "is the network there? Run the command again to try once more").await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_without_its_driver_is_none() {
        let root = env::temp_dir().join(format!("bokbro-dev-{}-browsers", std::process::id()));
        let folders = ["one", "other"].map(|name| root.join(name));
        let path = env::join_paths(&folders).unwrap();
        for folder in &folders {
            fs::create_dir_all(folder).unwrap();
        }
        let (chromium, chromedriver) = (folders[1].join("chromium"), folders[0].join("chromedriver"));
        fs::write(&chromium, "").unwrap();
        assert_eq!(among(&path), None);
        fs::write(&chromedriver, "").unwrap();
        assert_eq!(among(&path), Some((chromium, chromedriver)));
        fs::remove_dir_all(&root).unwrap();
    }
}
