//! Everything that the code names has words in both languages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bokbro_app::parked::REASONS;
use bokbro_domain::order::OrderState;

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
    }
    events
}

#[test]
fn every_event_has_words() {
    let events = events();
    for known in
        ["order_accepted", "order_partially_refunded", "parked", "seen_in_books", "bookkeep_invoice_done"]
    {
        assert!(events.contains(known), "the sources are not read as they should be: {events:?}");
    }
    let missing = missing(events.iter().map(|event| format!("event-{event}")));
    assert!(missing.is_empty(), "Say it in shared/pages/locales/*.events.ftl: {missing:?}");
}
