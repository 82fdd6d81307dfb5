//! Rules of the repository that a compiler does not know: arrows between crates, file sizes, names in their places.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files below the root with an extension, as paths from the root; build output and other people's code left out.
pub(crate) fn files(extension: &str) -> Vec<(String, String)> {
    fn walk(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && (!name.starts_with('.') || name == ".cargo") {
                    walk(&path, extension, found);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    walk(&root, extension, &mut found);
    found.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    found.iter().map(read).collect()
}

#[track_caller]
fn nothing(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{advice}\n  {}", found.join("\n  "));
}

/// What each crate may use of the workspace: only what stands to its left in docs/ARCHITECTURE.md.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (domain, app) = ("bokbro-domain", "bokbro-app");
    let (connectors, aws, runtime) = ("bokbro-connectors", "bokbro-aws", "bokbro-runtime");
    let (simulators, tests) = ("bokbro-simulators", "bokbro-tests");
    let function = vec![domain, app, runtime];
    BTreeMap::from([
        (domain, vec![]),
        (app, vec![domain]),
        ("bokbro-pages", vec![domain, app]),
        (connectors, vec![domain, app]),
        (aws, vec![domain, app]),
        (runtime, vec![domain, app, connectors, aws]),
        ("bokbro-webhook", function.clone()),
        ("bokbro-admin", vec![domain, app, "bokbro-pages", runtime]),
        ("bokbro-oauth", vec![domain, app, "bokbro-pages", runtime]),
        ("bokbro-sync", function.clone()),
        ("bokbro-scheduler", function.clone()),
        ("bokbro-replay", function),
        (simulators, vec![]),
        ("bokbro-devtool", vec![domain, app, connectors, aws, runtime, simulators]),
        (tests, vec![domain, app, "bokbro-pages", connectors, aws, runtime, simulators]),
    ])
}

/// Outside crates that a crate must never see, by prefix.
fn forbidden(package: &str) -> &'static [&'static str] {
    match package {
        "bokbro-domain" => &["tokio", "async-trait", "reqwest", "aws-", "aws_", "lambda_", "tracing", "http"],
        "bokbro-app" | "bokbro-pages" => &["reqwest", "aws-", "aws_", "lambda_", "http"],
        "bokbro-connectors" => &["aws-", "aws_", "lambda_"],
        "bokbro-aws" => &["reqwest", "lambda_"],
        "bokbro-webhook" | "bokbro-admin" | "bokbro-oauth" | "bokbro-sync" | "bokbro-scheduler"
        | "bokbro-replay" => &["reqwest", "aws-"],
        _ => &[],
    }
}

#[test]
fn arrows_between_crates_point_one_way() {
    let allowed = allowed();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (_, text) in manifests() {
        let package = text.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"');
        let Some(may) = allowed.get(package) else {
            wrong.push(format!("{package} is a new crate: say in this test what it may use"));
            continue;
        };
        seen += 1;
        for name in dependencies(&text) {
            if name.starts_with("bokbro-") && !may.contains(&name) {
                wrong.push(format!("{package} -> {name}"));
            }
            if forbidden(package).iter().any(|prefix| name.starts_with(prefix)) {
                wrong.push(format!("{package} must not see {name}"));
            }
        }
    }
    assert_eq!(seen, allowed.len(), "a crate is gone: take it out of this test");
    nothing(&wrong, "New arrows. Move the code, or change docs/ARCHITECTURE.md and this test with an ADR:");
}

/// The manifests of the workspace's crates. The fuzz targets are a workspace of their own: libFuzzer is built in another way
/// than everything else.
fn manifests() -> impl Iterator<Item = (String, String)> {
    let is_ours = |name: &str| name.ends_with("/Cargo.toml") && name != "fuzz/Cargo.toml";
    files("toml").into_iter().filter(move |(name, _)| is_ours(name))
}

/// What a crate is built with; its tests may use more.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut section = "";
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            section = line;
        }
        let name =
            line.split(['.', ' ']).next().filter(|name| !name.is_empty() && !name.starts_with(['[', '#']))?;
        (section.ends_with("dependencies]") && !section.ends_with("dev-dependencies]")).then_some(name)
    })
}

/// Functions, tools and tests share what is compiled of others' libraries only when each has the same features for all.
#[test]
fn libraries_are_compiled_once() {
    let functions =
        ["webhook", "admin", "oauth", "sync", "scheduler", "replay"].map(|name| format!("-pbokbro-{name}"));
    let tool = "-pbokbro-devtool".to_owned();
    let all = features(&["--workspace".to_owned()], "normal,build,dev");
    let mut wrong = Vec::new();
    for (who, packages) in
        [("cargo dev", vec![tool.clone()]), ("the functions", [vec![tool], functions.to_vec()].concat())]
    {
        let theirs = features(&packages, "normal,build");
        assert!(theirs.len() > 100, "{theirs:?}");
        wrong.extend(theirs.difference(&all).map(|library| format!("{who}: {library}")));
    }
    nothing(
        &wrong,
        "These are built again for the tests, with what uses them. Let devtool ask for the same features:",
    );
}

/// Every library with the features that it is built with for these packages.
fn features(packages: &[String], edges: &str) -> BTreeSet<String> {
    #[expect(clippy::disallowed_methods, reason = "cargo names itself to what it runs")]
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.current_dir(root()).args([
        "tree",
        "--offline",
        "--prefix",
        "none",
        "--format",
        "{p} with {f}",
        "--edges",
        edges,
    ]);
    let told = tree.args(packages).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let lines = String::from_utf8(told.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn every_crate_keeps_the_workspace_lints_and_versions() {
    let mut wrong = Vec::new();
    for (name, text) in manifests() {
        if !text.contains("[lints]\nworkspace = true") {
            wrong.push(format!("{name}: no [lints] workspace = true"));
        }
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies
                && !(line.is_empty() || line.starts_with('#') || line.ends_with(".workspace = true"))
            {
                wrong.push(format!("{name}: {line}"));
            }
        }
    }
    nothing(&wrong, "Put versions and features into [workspace.dependencies]:");
}

#[test]
fn source_files_say_what_they_are_for_and_stay_short() {
    let mut wrong = Vec::new();
    for (name, text) in files("rs") {
        if !text.starts_with("//! ") && !text.starts_with("#![doc = include_str!") {
            wrong.push(format!("{name}: does not begin with //!"));
        }
        let lines = text.lines().count();
        if lines > 500 {
            wrong.push(format!("{name}: {lines} lines; split it by resource"));
        }
    }
    nothing(&wrong, "Begin each module with what it is for, in under 500 lines:");
}

#[test]
fn nothing_is_switched_off_or_left_open() {
    // Written apart, so that this file does not find itself.
    let banned = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("FIX", "ME"),
        concat!("thread::sl", "eep("),
    ];
    let mut wrong = Vec::new();
    for (name, text) in files("rs") {
        for (number, line) in text.lines().enumerate() {
            let instrument =
                line.contains(concat!("#[tracing::instr", "ument")) && !line.contains("skip_all");
            if instrument || banned.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    nothing(&wrong, "Tests run, work is finished, spans carry named fields only:");
}

/// The providers whose names must stay in their folders.
pub(crate) const PROVIDERS: [&str; 4] = ["fortnox", "visma", "viva", "ongoing"];
/// Words of the contract and the table that hold a provider's name for good.
const CONTRACT: [&str; 2] = ["viva_order_code", "(`apis/viva-ongoing-bank.md"];

#[test]
fn providers_are_named_only_in_their_folders() {
    let general =
        ["shared/domain/src", "shared/app/src", "shared/aws/src", "shared/runtime/src", "functions/"];
    let mut wrong = Vec::new();
    for (name, text) in files("rs") {
        if !general.iter().any(|folder| name.starts_with(folder)) || name.contains("test") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            // Comments may cite a source.
            let code = line.split("//").next().unwrap_or_default();
            let code = CONTRACT.iter().fold(code.to_lowercase(), |line, word| line.replace(word, ""));
            if PROVIDERS.iter().any(|provider| code.contains(provider)) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    nothing(&wrong, "Move it into the provider's folder, or make it a fact that the connector states:");
}

#[test]
fn the_tree_has_no_second_http_or_tls_stack() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut wrong = Vec::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(rest) = line.strip_prefix("name = ") {
            name = rest.trim_matches('"');
        } else if let Some(version) = line.strip_prefix("version = ") {
            let version = version.trim_matches('"');
            let old = match name {
                "hyper" => version.starts_with("0."),
                "rustls" => version.starts_with("0.21") || version.starts_with("0.20"),
                "aws-lc-sys" | "openssl-sys" | "native-tls" => true,
                _ => false,
            };
            if old {
                wrong.push(format!("{name} {version}"));
            }
        }
    }
    nothing(&wrong, "One HTTP stack, one TLS provider: switch the feature off that brings these:");
}
