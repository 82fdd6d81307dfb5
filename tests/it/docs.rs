//! Docs that rot are worse than none: every path and command that they name must exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tidy::files;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Code spans and link targets of a page, with the line they stand on. Fenced blocks count line by line.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            found.push((number + 1, line.trim().to_owned()));
            continue;
        }
        found.extend(line.split('`').skip(1).step_by(2).map(|span| (number + 1, span.to_owned())));
        for link in line.split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with('#') {
                found.push((number + 1, format!("link:{}", target.split('#').next().unwrap_or_default())));
            }
        }
    }
    found
}

/// A span that names a file or folder of the project: it begins with one of its top-level names.
fn is_path(span: &str) -> bool {
    let first = span.split('/').next().unwrap_or_default();
    let top = [
        "shared",
        "functions",
        "tests",
        "devtool",
        "simulators",
        "docs",
        "events",
        ".ci",
        ".cargo",
        ".config",
    ];
    let single = [
        "Cargo.toml",
        "template.yaml",
        "samconfig.toml",
        "deny.toml",
        "clippy.toml",
        "rustfmt.toml",
        "rust-toolchain.toml",
    ];
    !span.contains(['*', '<', '{', ' ', '…'])
        && (single.contains(&span) || (span.contains('/') && top.contains(&first)))
}

#[test]
fn every_path_that_a_page_names_exists() {
    let root = root();
    let mut wrong = Vec::new();
    for (name, text) in files("md") {
        let folder = root.join(&name).parent().unwrap().to_owned();
        for (line, span) in named(&text) {
            let (path, exists) = match span.strip_prefix("link:") {
                Some(link) => (link.to_owned(), folder.join(link).exists()),
                None if is_path(&span) => {
                    (span.clone(), root.join(&span).exists() || folder.join(&span).exists())
                }
                None => continue,
            };
            if !exists {
                wrong.push(format!("{name}:{line}: {path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "These pages name what is not there:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_command_that_a_page_names_exists() {
    let commands: Vec<String> = fs::read_dir(root().join("devtool/src/commands"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', "-"))
        .filter(|name| name != "mod")
        .collect();
    let mut wrong = Vec::new();
    for (name, text) in files("md") {
        for (line, span) in named(&text) {
            let Some(rest) = span.strip_prefix("cargo dev ") else { continue };
            let command = rest.split_whitespace().next().unwrap_or_default();
            if !command.starts_with('-') && !commands.iter().any(|known| known == command) {
                wrong.push(format!("{name}:{line}: cargo dev {command}"));
            }
        }
    }
    assert!(wrong.is_empty(), "There is no such command; known are {commands:?}:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_adr_is_numbered_once() {
    let mut numbers: Vec<String> = files("md")
        .into_iter()
        .filter_map(|(name, _)| name.strip_prefix("docs/adr/").map(|file| file.chars().take(4).collect()))
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=numbers.len()).map(|n| format!("{n:04}")).collect();
    assert_eq!(numbers, expected, "ADRs are numbered from 0001 without gaps");
}
