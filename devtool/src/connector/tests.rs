//! What is generated compiles without a warning, works over a script, and its first test says what to fill in.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::stack::build::as_by_hand;

#[test]
fn names_that_cannot_be_one_are_refused() {
    for name in ["bokio", "acme_books", "a2", "b_2"] {
        assert!(Connector::new(name, Kind::Accounting).is_ok(), "{name}");
    }
    for name in ["", "a", "Bokio", "2go", "_a", "a_", "a__b", "a-b", "a b", "å", "kit", "super", "a/../b"] {
        assert!(Connector::new(name, Kind::Accounting).is_err(), "{name}");
    }
    assert!(Connector::new(&"a".repeat(21), Kind::Accounting).is_err());
    assert_eq!(Connector::new("acme_books2", Kind::Warehouse).unwrap().type_name(), "AcmeBooks2");
}

#[test]
fn a_registry_of_another_shape_is_left_alone() {
    let connector = Connector::new("acme", Kind::Accounting).unwrap();
    let error = connector.with_entry("use crate::external;\n").unwrap_err().to_string();
    assert!(error.contains("pub struct Urls"), "{error}");
    assert!(connector.with_module("pub mod acme;\n").is_err());
    let lib = connector.with_module("//! x\n\npub mod aaa;\npub mod kit;\n").unwrap();
    assert_eq!(lib, "//! x\n\npub mod aaa;\npub mod acme;\npub mod kit;\n");
}

/// A copy of the connectors' crate in a workspace of its own, removed in the end.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The build directory that this test runs from.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

impl Copy {
    fn make() -> Self {
        // The same place each time: cargo then knows what it has built.
        let copy = Self(target().join("new-connector"));
        fs::remove_dir_all(&copy.0).ok();
        copy_folder(&root().join("shared/connectors"), &copy.home());
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let here = format!("path = \"{}/", root().display());
        let members = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
        let manifest = manifest.replace(members, "members = [\"connectors\"]").replace("path = \"", &here);
        // With the libraries of the whole workspace and their features, so that those are the ones that it has built already.
        let (_, libraries) = manifest.split_once("[workspace.dependencies]\n").unwrap();
        let libraries = libraries.lines().take_while(|line| !line.starts_with('['));
        let names = libraries.filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
        let mut theirs = "\n[target.'cfg(all())'.dev-dependencies]\n".to_owned();
        for name in names.filter(|name| !name.starts_with("bokbro-") && !name.starts_with('#')) {
            theirs.push_str(&format!("{name}.workspace = true\n"));
        }
        let own = copy.home().join("Cargo.toml");
        fs::write(&own, fs::read_to_string(&own).unwrap() + &theirs).unwrap();
        // Crates of ours keep their line numbers outside of their workspace too.
        let lines = "bokbro-app = { debug = \"line-tables-only\" }\nbokbro-domain = { debug = \"line-tables-only\" }\n";
        let manifest =
            manifest.replace("[profile.dev.package]\n", &format!("[profile.dev.package]\n{lines}"));
        fs::write(copy.0.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root().join("Cargo.lock"), copy.0.join("Cargo.lock")).unwrap();
        copy
    }

    fn home(&self) -> PathBuf {
        self.0.join("connectors")
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_new_connector_of_each_kind_compiles_and_says_what_to_fill_in() {
    let copy = Copy::make();
    for (name, kind) in [("acme_books", Kind::Accounting), ("shelf", Kind::Warehouse)] {
        let connector = Connector::new(name, kind).unwrap();
        let written = connector.write_into(&copy.home()).unwrap();
        for file in ["mod.rs", "wire.rs", "requests.rs", "map.rs", "auth.rs", "tests.rs", "README.md"] {
            assert!(written.contains(&Path::new("src").join(name).join(file)), "{name} lacks {file}");
        }
        let again = connector.write_into(&copy.home()).unwrap_err().to_string();
        assert!(again.contains("there already"), "{again}");
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut test = Command::new(cargo);
    as_by_hand(&mut test);
    test.args(["test", "--offline", "--lib", "--", "acme_books", "shelf", "registry"]);
    test.current_dir(&copy.0).env("CARGO_TARGET_DIR", target()).env("CARGO_TERM_COLOR", "never");
    let ran = test.output().unwrap();
    let (told, built) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(built.contains("Running") && !built.contains("warning"), "{built}");
    assert!(!ran.status.success(), "a connector with nothing filled in must not pass:\n{told}");
    for test in ["acme_books::tests::nothing_is_left_to_fill_in", "shelf::tests::nothing_is_left_to_fill_in"]
    {
        assert!(told.contains(&format!("test {test} ... FAILED")), "{told}");
    }
    assert_eq!(told.matches(" ... FAILED").count(), 2, "only the checklists fail:\n{told}");
    assert!(told.matches(" ... ok").count() >= 7, "{told}");
    for item in ["[ ] mod.rs:", "[ ] README.md:", "the production host", "docs/ADD-A-CONNECTOR.md"] {
        assert!(told.contains(item), "the checklist does not name {item}:\n{told}");
    }
}
