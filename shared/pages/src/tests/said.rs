//! Everything that the code names has words in both languages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bokbro_app::parked::REASONS;
use bokbro_domain::order::OrderState;

use crate::catalog::SAID;
use crate::{Language, Texts};

const LANGUAGES: [Language; 2] = [Language::Swedish, Language::English];

fn missing<'a>(keys: impl Iterator<Item = String> + Clone + 'a) -> Vec<String> {
    let of = |language: Language| {
        let texts = Texts::of(language);
        keys.clone().filter(move |key| !texts.has(key)).map(move |key| format!("{key} ({})", language.tag()))
    };
    LANGUAGES.into_iter().flat_map(of).collect()
}

#[test]
fn every_reason_has_a_title_and_what_to_do() {
    let codes = REASONS.iter().flat_map(|(_, codes)| codes.iter().copied());
    let codes = codes.chain(["step_refused", "provider_refused"]);
    let keys = codes.flat_map(|code| [format!("reason-{code}"), format!("reason-{code}-advice")]);
    let missing = missing(keys);
    assert!(missing.is_empty(), "Say it in shared/pages/locales/*.reasons.ftl: {missing:?}");
}

#[test]
fn no_reason_is_explained_that_nobody_gives() {
    let known: BTreeSet<&str> = REASONS.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    let written = include_str!("../../locales/sv.reasons.ftl").lines();
    let written = written.filter_map(|line| line.strip_prefix("reason-")?.split_once(" = "));
    let codes = written.map(|(key, _)| key.trim_end_matches("-advice"));
    let stale: Vec<&str> = codes
        .filter(|code| !known.contains(code) && !["step_refused", "provider_refused"].contains(code))
        .collect();
    assert!(stale.is_empty(), "Nobody parks with {stale:?} any more");
}

/// Advice names the buttons that an item has, by the words on them.
#[test]
fn advice_names_buttons_that_are_there() {
    for language in LANGUAGES {
        let texts = Texts::of(language);
        let quoted = |text: &str| {
            let parts: Vec<String> = text.split(['”', '“']).map(str::to_owned).collect();
            parts.into_iter().skip(1).step_by(2).collect::<Vec<_>>()
        };
        for (actions, codes) in REASONS {
            let buttons: Vec<String> =
                actions.iter().map(|action| texts.get(&format!("action-{}", action.as_str()))).collect();
            for code in *codes {
                for button in quoted(&texts.get(&format!("reason-{code}-advice"))) {
                    assert!(
                        buttons.contains(&button),
                        "{code}: there is no button {button}, only {buttons:?}"
                    );
                }
            }
        }
    }
}

fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// Names of events that stand in the sources: those of entries, and those of the steps toward a document.
fn events() -> BTreeSet<String> {
    let mut events: BTreeSet<String> =
        OrderState::ALL.map(|state| format!("order_{}", state.as_str())).into_iter().collect();
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    for source in sources("app/src") {
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        // The name is the first text among the arguments.
        for call in code.split("entry(").skip(1) {
            let arguments = call.split(");").next().unwrap();
            events.extend(arguments.split('"').nth(1).filter(|name| is_name(name)).map(str::to_owned));
        }
    }
    for source in sources("connectors/src") {
        for body in source.split("fn name(self) -> &'static str {").skip(1) {
            let names = body.split("\n    }").next().unwrap().split('"').skip(1).step_by(2);
            // The drafts of vouchers are told to the day, which has no timeline.
            events.extend(
                names.filter(|name| !name.starts_with("voucher_")).map(|name| format!("{name}_done")),
            );
        }
        let steps =
            source.split("/// Names of the steps; they are stored in ledgers and must not change.\n").nth(1);
        let steps =
            steps.into_iter().flat_map(|steps| steps.lines().take_while(|line| line.starts_with("const ")));
        events.extend(steps.filter_map(|line| Some(format!("parcel_{}_done", line.split('"').nth(1)?))));
    }
    events
}

#[test]
fn every_event_has_words() {
    let events = events();
    for known in [
        "order_accepted",
        "order_partially_refunded",
        "parked",
        "seen_in_books",
        "bookkeep_invoice_done",
        "parcel_order_done",
    ] {
        assert!(events.contains(known), "the sources are not read as they should be: {events:?}");
    }
    let missing = missing(events.iter().map(|event| format!("event-{event}")));
    assert!(missing.is_empty(), "Say it in shared/pages/locales/*.events.ftl: {missing:?}");
}

/// Something that the code says: its name, its English and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Saying {
    name: String,
    text: String,
    values: BTreeSet<String>,
}

/// The text between quotes at the beginning, and what follows it.
fn quoted(source: &str) -> Option<(String, &str)> {
    let (mut text, mut rest) = (String::new(), source.trim_start().strip_prefix('"')?);
    loop {
        let at = rest.find(['"', '\\'])?;
        text.push_str(&rest[..at]);
        if rest[at..].starts_with('"') {
            return Some((text, &rest[at + 1..]));
        }
        // An escaped quote, or a line that goes on after the blanks at the beginning of the next.
        let escaped = &rest[at + 1..];
        rest = if escaped.starts_with('\n') { escaped.trim_start() } else { &escaped[1..] };
        if !escaped.starts_with('\n') {
            text.push_str(&escaped[..1]);
        }
    }
}

/// Names between braces.
fn placeholders(text: &str, open: &str) -> BTreeSet<String> {
    let parts = text.split(open).skip(1).filter_map(|part| part.split('}').next());
    parts.map(|name| name.trim().trim_start_matches('$').to_owned()).collect()
}

/// Everything that is said with `said!`, outside of tests.
fn sayings() -> Vec<Saying> {
    let mut found = Vec::new();
    for folder in ["domain/src", "app/src", "connectors/src", "aws/src", "runtime/src", "../functions"] {
        for source in sources(folder) {
            let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: String = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .fold(String::new(), |code, line| code + line + "\n");
            for call in code.split("said!(").skip(1) {
                let Some((name, rest)) = quoted(call) else { continue };
                let (text, _) = quoted(rest.trim_start().trim_start_matches(',')).unwrap();
                found.push(Saying { values: placeholders(&text, "{"), name, text });
            }
        }
    }
    found
}

#[test]
fn everything_said_has_swedish_words_too() {
    let sayings = sayings();
    assert!(sayings.len() > 100, "the sources are not read as they should be: {}", sayings.len());
    let mut wrong = Vec::new();
    let written: Vec<(&str, &str)> =
        SAID.lines().filter_map(|line| line.strip_prefix("said-")?.split_once(" = ")).collect();
    for saying in &sayings {
        let Saying { name, text, values } = saying;
        let Some((_, swedish)) = written.iter().find(|(key, _)| key == name) else {
            wrong.push(format!("no words for {name}: {text}"));
            continue;
        };
        let unknown: Vec<String> = placeholders(swedish, "{ $").difference(values).cloned().collect();
        if !unknown.is_empty() {
            wrong.push(format!("{name} has no {unknown:?} in it: {swedish}"));
        }
        if sayings.iter().any(|other| other.name == *name && other != saying) {
            wrong.push(format!("{name} is said in two ways: {text}"));
        }
    }
    let said: BTreeSet<&str> = sayings.iter().map(|saying| saying.name.as_str()).collect();
    wrong.extend(
        written.iter().filter(|(key, _)| !said.contains(key)).map(|(key, _)| format!("nobody says {key}")),
    );
    assert!(wrong.is_empty(), "Say it in shared/pages/locales/sv.said.ftl: {wrong:#?}");
}

#[test]
fn what_is_said_is_read_from_the_sources_as_it_is() {
    let (text, rest) = quoted(" \"one \\\"two\\\" \\\n     three {four}\", x").unwrap();
    assert_eq!((text.as_str(), rest), ("one \"two\" three {four}", ", x"));
    assert_eq!(placeholders(&text, "{"), BTreeSet::from(["four".to_owned()]));
    assert_eq!(placeholders("ett { $four } av { $five }", "{ $").len(), 2);
}
