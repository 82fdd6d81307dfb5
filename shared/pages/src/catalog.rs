//! What pages say, in every language, in Fluent's form: the words of the pages, of consents, the reasons for which
//! something waits, and the events of an order, each in a file of its own.

use std::sync::OnceLock;

pub use bokbro_app::language::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

use crate::format::digits;

/// The messages of each language.
const SWEDISH: &str = concat!(
    include_str!("../locales/sv.ftl"),
    include_str!("../locales/sv.consent.ftl"),
    include_str!("../locales/sv.names.ftl"),
    include_str!("../locales/sv.reasons.ftl"),
    include_str!("../locales/sv.events.ftl"),
);
/// What is said elsewhere in the code, where its English stands.
pub(crate) const SAID: &str = include_str!("../locales/sv.said.ftl");
const ENGLISH: &str = concat!(
    include_str!("../locales/en.ftl"),
    include_str!("../locales/en.consent.ftl"),
    include_str!("../locales/en.names.ftl"),
    include_str!("../locales/en.reasons.ftl"),
    include_str!("../locales/en.events.ftl"),
);

type Bundle = FluentBundle<FluentResource>;

/// What pages say in one language.
#[derive(Clone, Copy)]
pub struct Texts {
    language: Language,
    bundle: &'static Bundle,
}

impl Texts {
    /// The texts of a language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        static BUNDLES: [OnceLock<Bundle>; 2] = [OnceLock::new(), OnceLock::new()];
        let (slot, sources, id) = match language {
            Language::Swedish => (&BUNDLES[0], &[SWEDISH, SAID][..], langid!("sv")),
            Language::English => (&BUNDLES[1], &[ENGLISH][..], langid!("en")),
        };
        Self { language, bundle: slot.get_or_init(|| bundle(sources, id)) }
    }

    /// The language.
    #[must_use]
    pub fn language(self) -> Language {
        self.language
    }

    /// A message without values.
    #[must_use]
    pub fn get(self, key: &str) -> String {
        self.render(key, None)
    }

    /// A message with values in it.
    #[must_use]
    pub fn with<'a>(self, key: &str, values: &[(&'a str, FluentValue<'a>)]) -> String {
        let values: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.render(key, Some(&values))
    }

    /// A message that the catalog may not know: what is named by somebody else.
    #[must_use]
    pub fn find(self, key: &str) -> Option<String> {
        self.has(key).then(|| self.get(key))
    }

    /// Whether there is such a message.
    #[must_use]
    pub fn has(self, key: &str) -> bool {
        self.bundle.get_message(key).is_some_and(|message| message.value().is_some())
    }

    /// A message that is missing shows as its key, which a test looks for.
    fn render(self, key: &str, values: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return format!("[{key}]");
        };
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, values, &mut errors).into_owned()
    }
}

/// What cannot be read of a file is left out; a test reads both whole.
fn bundle(sources: &[&str], language: LanguageIdentifier) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks around values serve mixed directions of writing, which neither language has.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(number));
    for source in sources {
        let resource = match FluentResource::try_new((*source).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// A number among words is written as elsewhere on the page.
fn number<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    Some(digits(&number.as_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn keys(source: &str) -> BTreeSet<&str> {
        let is_key = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        source.lines().filter(is_key).filter_map(|line| Some(line.split_once(" =")?.0)).collect()
    }

    fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn both_languages_say_the_same_things() {
        for source in [SWEDISH, ENGLISH, SAID] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
        let (swedish, english) = (keys(SWEDISH), keys(ENGLISH));
        assert_eq!(swedish, english);
        let count = |source: &str| source.lines().filter(|line| line.contains(" = ")).count();
        assert!(count(SWEDISH) >= swedish.len() && count(ENGLISH) >= english.len());
    }

    /// Every key in quotes after `get(` or `with(`, and every key that a table of the pages names, is in the catalog; and
    /// no message is left that nobody shows.
    #[test]
    fn what_pages_show_is_in_the_catalog_and_nothing_else_is() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let known = keys(SWEDISH);
        let mut shown = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for call in [".get(\"", ".with(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(known.contains(key), "{key} of {} is not in the catalog", file.display());
                }
            }
            shown.extend(known.iter().filter(|key| text.contains(&format!("\"{key}\""))).copied());
        }
        let unused: Vec<_> = known
            .difference(&shown)
            .filter(|key| !DYNAMIC.iter().any(|prefix| key.starts_with(prefix)))
            .collect();
        assert!(unused.is_empty(), "nobody shows {unused:?}");
    }

    /// Keys that are put together from a name: their beginnings.
    const DYNAMIC: &[&str] = &[
        "account-",
        "action-",
        "api-place-",
        "audit-what-",
        "books-",
        "chart-",
        "change-",
        "connection-",
        "consent-",
        "count-",
        "detail-",
        "event-",
        "guide-",
        "field-",
        "job-",
        "nav-",
        "nudge-",
        "number-",
        "overview-parked",
        "profile-",
        "queue-",
        "reason-",
        "register-",
        "role-",
        "settings-",
        "state-",
        "sync-",
    ];

    #[test]
    fn values_stand_where_they_belong() {
        let texts = Texts::of(Language::Swedish);
        let shown = texts.with("signed-in-as", &[("name", "asa@example.se".into())]);
        assert!(shown.contains("asa@example.se"), "{shown}");
        let missing = "no-such-key";
        assert_eq!(texts.get(missing), "[no-such-key]");
    }
}
