//! Entries of the registry: names, fields, operations, capabilities that need each other, and the folder's files.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_app::ports::{Providers as _, Senders as _, Shipping};
use bokbro_domain::ids::Provider;

use super::{every_candidate, registry};
use crate::tidy::files;

const HOME: &str = "shared/connectors/src/";
/// What an operation may begin with: what is done, so that logs read like sentences.
const VERBS: [&str; 14] = [
    "bookkeep", "cancel", "convert", "create", "date", "delete", "fetch", "find", "get", "list", "price",
    "put", "read", "search",
];

#[track_caller]
fn nothing(found: &[String], advice: &str) {
    assert!(found.is_empty(), "{advice}\n  {}", found.join("\n  "));
}

fn is_snake_case(name: &str) -> bool {
    let words = name.split('_').all(|word| !word.is_empty());
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    words && letters && name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The texts of a connector's folder by their names there.
fn folder(of: &Provider) -> BTreeMap<String, String> {
    let home = format!("{HOME}{of}/");
    let all = files("rs").into_iter().chain(files("md"));
    all.filter_map(|(name, text)| Some((name.strip_prefix(&home)?.to_owned(), text))).collect()
}

#[test]
fn every_entry_has_a_name_and_a_folder_of_its_own() {
    let names: Vec<String> = registry().names().iter().map(ToString::to_string).collect();
    let unique: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    let mut wrong = Vec::new();
    for name in &names {
        if !is_snake_case(name) || !(2..=20).contains(&name.len()) {
            wrong.push(format!("{name}: 2 to 20 of a-z, 0-9 and _, a letter first"));
        }
    }
    let folders: BTreeSet<String> = files("rs")
        .into_iter()
        .filter_map(|(file, _)| Some(file.strip_prefix(HOME)?.split_once('/')?.0.to_owned()))
        // Neither is a provider of books, payments or parcels.
        .filter(|folder| !["kit", "signin"].contains(&folder.as_str()))
        .collect();
    wrong.extend(unique.difference(&folders).map(|name| format!("{name} has no folder")));
    wrong.extend(folders.difference(&unique).map(|name| format!("{HOME}{name} is not in the registry")));
    nothing(&wrong, "Names of providers stand in settings, keys and logs for good:");
}

#[test]
fn every_folder_has_its_files_and_its_readme_tells_of_them() {
    let registry = registry();
    let mut wrong = Vec::new();
    for name in registry.names() {
        let folder = folder(&name);
        let Some(readme) = folder.get("README.md") else {
            wrong.push(format!("{name}: no README.md"));
            continue;
        };
        let called = !registry.operations(&name).is_empty();
        let needed = ["mod.rs", "auth.rs", "requests.rs", "map.rs", "wire.rs", "tests.rs"];
        for file in needed.iter().take(if called { needed.len() } else { 1 }) {
            if !folder.contains_key(*file) {
                wrong.push(format!("{name}: no {file}"));
            }
        }
        let told = folder
            .keys()
            .filter(|file| file.ends_with(".rs") && !file.contains('/') && !file.contains("test") && called);
        for file in told {
            if !readme.contains(&format!("`{file}`")) {
                wrong.push(format!("{name}: README.md does not say what {file} holds"));
            }
        }
        for field in registry.entry_fields(&name).unwrap() {
            if !readme.contains(&format!("`{}`", field.name)) {
                wrong.push(format!("{name}: README.md does not explain the field {}", field.name));
            }
        }
    }
    nothing(&wrong, "A folder is read by strangers (docs/ADD-A-CONNECTOR.md):");
}

#[test]
fn every_readme_names_every_step() {
    let mut wrong = Vec::new();
    for (name, candidate) in every_candidate() {
        let readme = folder(&name).remove("README.md").unwrap_or_default();
        let told =
            |step: &&&str| readme.contains(&format!("`{step}`")) || readme.contains(&format!("| {step} |"));
        wrong.extend(candidate.steps.iter().filter(|step| !told(step)).map(|step| format!("{name}: {step}")));
    }
    nothing(&wrong, "How is it found again? Say so in README.md:");
}

#[test]
fn every_field_that_people_enter_has_a_name_of_its_own() {
    let registry = registry();
    let mut wrong = Vec::new();
    for name in registry.names() {
        let fields = registry.entry_fields(&name).unwrap();
        let unique: BTreeSet<&str> = fields.iter().map(|field| field.name).collect();
        if unique.len() < fields.len() {
            wrong.push(format!("{name}: a field stands there twice"));
        }
        wrong.extend(
            unique.iter().filter(|field| !is_snake_case(field)).map(|field| format!("{name}: {field}")),
        );
        // Whoever must enter something has it checked.
        if !fields.is_empty() && registry.checkup(&name).is_none() {
            wrong.push(format!("{name}: what is entered is checked by nobody"));
        }
    }
    nothing(&wrong, "Fields are members of the API:");
}

#[test]
fn every_operation_is_a_verb_and_what_it_is_done_to() {
    let registry = registry();
    let (mut wrong, mut called) = (Vec::new(), 0);
    for name in registry.names() {
        let operations = registry.operations(&name);
        called += usize::from(!operations.is_empty());
        let unique: BTreeSet<&&str> = operations.iter().collect();
        if unique.len() < operations.len() {
            wrong.push(format!("{name}: an operation stands there twice"));
        }
        for operation in operations {
            let verb = operation.split_once('_').map(|(verb, _)| verb);
            if !is_snake_case(operation) || !verb.is_some_and(|verb| VERBS.contains(&verb)) {
                wrong.push(format!("{name}: {operation}"));
            }
        }
    }
    assert!(called > 0, "the registry lists no operation at all");
    nothing(&wrong, &format!("Name each operation once, one of {VERBS:?} first:"));
}

#[test]
fn capabilities_have_what_they_need() {
    let registry = registry();
    let mut wrong = Vec::new();
    for name in registry.names() {
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{name}: {what}"));
            }
        };
        let called = !registry.operations(&name).is_empty();
        let books = registry.accounting(&name).is_some();
        let pays = registry.payments(&name).is_some();
        let shipping = registry.shipping(&name);
        let ships = matches!(shipping, Some(Shipping::Ours(_)));
        let theirs = matches!(shipping, Some(Shipping::Theirs));
        must(books || pays || ships || theirs, "it can do nothing");
        must(called != theirs, "whatever is called lists its operations, and what others ship is not called");
        must(called == registry.tokens(&name).is_some(), "every way in is opened by a token endpoint");
        must(called == registry.checkup(&name).is_some(), "every way in can be checked");
        must(books || registry.vouchers(&name).is_none(), "vouchers are a ledger program's");
        must(books || registry.registers(&name).is_none(), "registers are a ledger program's");
        must(pays || registry.webhooks(&name).is_none(), "webhooks of payments are a payment provider's");
        must(ships || registry.parcel_webhooks(&name).is_none(), "webhooks of parcels are a warehouse's");
        must(called || registry.oauth(&name).is_none(), "a consent is for calls");
        must(called || registry.limited(&name).is_none(), "a limit is of calls");
        let fields = registry.entry_fields(&name).unwrap();
        if let Some(tokens) = registry.tokens(&name) {
            let has_secret = tokens.app_secret().is_some() || fields.iter().any(|field| field.secret);
            must(has_secret, "a way in needs the app's secret or one that people enter");
            must(
                registry.oauth(&name).is_none() || tokens.app_secret().is_some(),
                "a consent is given to an app",
            );
            must(
                registry.oauth(&name).is_some() || fields.iter().any(|field| field.required),
                "without a consent people must enter something",
            );
        }
    }
    nothing(&wrong, "What an entry of the registry can do does not fit together:");
}

/// So that a new provider's name is looked for like the others' (`tests/it/tidy.rs`).
#[test]
fn the_names_that_must_stay_in_their_folders_are_the_registry_s() {
    let registry = registry();
    let called = registry.names().into_iter().filter(|name| !registry.operations(name).is_empty());
    let called: BTreeSet<String> = called.map(|name| name.to_string()).collect();
    assert_eq!(
        called,
        crate::tidy::PROVIDERS.map(str::to_owned).into(),
        "tell PROVIDERS in tests/it/tidy.rs"
    );
}
