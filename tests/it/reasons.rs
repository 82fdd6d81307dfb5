//! Every reason that the code can park with has its actions and its place in the runbook.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bokbro_app::parked::{REASONS, actions_of};

use crate::tidy::files;

/// Reasons that travel as parked errors and are never stored: the caller of the API is told instead.
const TOLD: [&str; 3] = ["bad_cursor", "no_check", "too_many_dead_letters"];
/// Where a reason is handed on that is written elsewhere.
const HANDED_ON: [&str; 5] = ["code", "mismatch.code()", "name", "refused.code()", "reason.code"];
/// How a reason is written down, up to its first argument.
const WRITTEN: [&str; 7] =
    ["Error::park(", "Reason::new(", " park(", "(park(", "park_order(", "for_people(", "        code: "];
/// Folders whose sources may park.
const FOLDERS: [&str; 3] = ["shared/app/src/", "shared/connectors/src/", "shared/aws/src/"];

/// Reasons in the sources, each with the file where it stands and, in a connector's folder, the provider.
fn written() -> Vec<(String, String)> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let sources = files("rs");
    for (name, text) in &sources {
        let tests = name.contains("test") || name.contains("/samples");
        if tests || !FOLDERS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for marker in WRITTEN {
            // Only messages are parked whole; elsewhere the word means something else.
            if marker.ends_with("code: ") && !name.ends_with("app/src/work.rs") {
                continue;
            }
            for (at, _) in code.match_indices(marker) {
                let before = code[..at].trim_end();
                if before.ends_with("fn") || code[..at].ends_with('.') {
                    continue;
                }
                match argument(&code[at + marker.len()..]) {
                    Argument::Literal(reason) => found.push((name.clone(), reason)),
                    Argument::Constant(constant) => match value_of(&sources, &constant) {
                        Some(reason) => found.push((name.clone(), reason)),
                        None => unknown.push(format!("{name}: {constant}")),
                    },
                    Argument::Other(other) => {
                        if !HANDED_ON.contains(&other.as_str()) {
                            unknown.push(format!("{name}: {other}"));
                        }
                    }
                }
            }
        }
    }
    for name in ["shared/domain/src/payment.rs", "shared/domain/src/posting.rs"] {
        let text = &sources.iter().find(|(file, _)| file == name).unwrap().1;
        let body = text.split("fn code(&self) -> &'static str {").nth(1).unwrap();
        let body = body.split("\n    }").next().unwrap();
        let literals = body.split('"').skip(1).step_by(2);
        found.extend(literals.map(|reason| (name.to_owned(), reason.to_owned())));
    }
    assert!(unknown.is_empty(), "Teach this test where these reasons come from:\n  {}", unknown.join("\n  "));
    found
}

enum Argument {
    Literal(String),
    Constant(String),
    Other(String),
}

/// The first argument of a call whose text begins after the parenthesis.
fn argument(rest: &str) -> Argument {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
    if let Some(literal) = rest.strip_prefix('"') {
        return Argument::Literal(literal.split('"').next().unwrap().to_owned());
    }
    let expression = rest.split([',', '\n']).next().unwrap().trim().trim_start_matches('&').to_owned();
    if expression.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
        Argument::Constant(expression)
    } else {
        Argument::Other(expression)
    }
}

fn value_of(sources: &[(String, String)], constant: &str) -> Option<String> {
    let declared = format!("const {constant}: &str = \"");
    let rest = sources.iter().find_map(|(_, text)| text.split(&declared).nth(1))?;
    Some(rest.split('"').next()?.to_owned())
}

/// A reason with a hole is one for any filling.
fn filled(reason: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in reason.chars() {
        match c {
            '{' => inside = true,
            '}' => {
                inside = false;
                text.push('1');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

fn provider_of(file: &str) -> Option<&str> {
    file.strip_prefix("shared/connectors/src/")?.split('/').next()
}

#[test]
fn every_reason_has_actions() {
    let found = written();
    assert!(found.len() > 40, "the sources are not read as they should be: {found:?}");
    let without = found.iter().filter(|(file, reason)| {
        !TOLD.contains(&reason.as_str()) && actions_of(&filled(reason), provider_of(file)).is_none()
    });
    let without: BTreeSet<String> = without.map(|(file, reason)| format!("{reason} ({file})")).collect();
    assert!(without.is_empty(), "Say in shared/app/src/parked/mod.rs what helps against {without:?}");
}

#[test]
fn no_action_is_for_a_reason_that_nobody_gives() {
    let found: BTreeSet<String> = written().into_iter().map(|(_, reason)| reason).collect();
    let listed = REASONS.iter().flat_map(|(_, codes)| codes.iter().copied());
    let stale: Vec<&str> = listed.filter(|code| !found.contains(*code)).collect();
    assert!(stale.is_empty(), "Nobody parks with {stale:?} any more");
}

/// Where something is quoted: values among words, and what only programs are told.
const QUOTING: [&str; 4] = [
    "shared/connectors/src/ongoing/webhook.rs",
    "shared/connectors/src/viva/webhook.rs",
    "shared/domain/src/money.rs",
    "shared/domain/src/said.rs",
];

#[test]
fn nothing_of_ours_is_said_without_a_name() {
    let sources = files("rs");
    let says = |(name, text): &&(String, String)| {
        let ours = name.starts_with("shared/") || name.starts_with("functions/");
        let tests = name.contains("test") || name.contains("/samples");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        ours && !tests && code.contains("Said::quoted(")
    };
    let quoting: BTreeSet<&str> = sources.iter().filter(says).map(|(name, _)| name.as_str()).collect();
    assert_eq!(quoting, BTreeSet::from(QUOTING), "Say it with said!, so that pages can translate it");
}

#[test]
fn every_reason_is_in_the_runbook() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbooks/parked.md");
    let page = fs::read_to_string(path).unwrap();
    let listed = REASONS.iter().flat_map(|(_, codes)| codes.iter().copied());
    let missing: Vec<&str> = listed.filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/runbooks/parked.md does not explain {missing:?}");
    for shape in ["`…_refused`", "`fortnox_…`", "`viva_…`"] {
        assert!(page.contains(shape), "docs/runbooks/parked.md does not explain {shape}");
    }
}
