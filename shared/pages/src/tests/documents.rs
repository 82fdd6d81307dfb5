//! Every page is a document that browsers and screen readers understand, without code in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use scraper::{ElementRef, Html, Node, Selector};

use super::samples::{Rendered, all, longest};
use super::world::HOSTILE;
use crate::assets::{ICON, SCRIPT, STYLE};

/// A page and what a browser makes of it.
struct Parsed {
    page: Rendered,
    document: Html,
}

/// Every page, read as a browser reads it.
fn parsed() -> impl Iterator<Item = Parsed> {
    static PAGES: LazyLock<usize> = LazyLock::new(|| all().len());
    assert!(*PAGES > 500, "there are {} pages only", *PAGES);
    all().into_iter().map(|page| Parsed { document: Html::parse_document(&page.html), page })
}

impl Parsed {
    fn find(&self, selector: &str) -> Vec<ElementRef<'_>> {
        self.document.select(&Selector::parse(selector).unwrap()).collect()
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.find(&format!("[{name}]")).into_iter().filter_map(|element| element.attr(name)).collect()
    }
}

/// Looks at every page and says what is wrong with each.
fn check(look: impl Fn(&Parsed) -> Vec<String>) {
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for parsed in parsed() {
        for what in look(&parsed) {
            wrong.entry(what).or_insert_with(|| parsed.page.name.clone());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}

/// Whether something says what a control is for.
fn is_named(page: &Parsed, control: ElementRef<'_>) -> bool {
    let label = control.attr("id").map(|id| page.find(&format!("label[for=\"{id}\"]")));
    let around =
        control.ancestors().filter_map(ElementRef::wrap).find(|element| element.value().name() == "label");
    let labels = label.into_iter().flatten().chain(around).filter(|label| !text(*label).is_empty()).count();
    labels == 1 || control.attr("aria-label").is_some_and(|label| !label.trim().is_empty())
}

#[test]
fn pages_are_written_as_the_standard_wants() {
    check(|page| page.document.errors.iter().map(ToString::to_string).collect());
}

#[test]
fn pages_say_their_language_and_their_subject() {
    check(|page| {
        let mut wrong = Vec::new();
        let html = page.document.root_element();
        if html.attr("lang") != Some(page.page.language.tag()) {
            wrong.push("the document does not say its language".to_owned());
        }
        for once in ["title", "h1", "main", "a.skip", "meta[name=viewport]"] {
            let found = page.find(once);
            if found.len() != 1 || (found[0].value().name() != "meta" && text(found[0]).is_empty()) {
                wrong.push(format!("{once} stands {} times", found.len()));
            }
        }
        let mut before = 0;
        for heading in page.find("h1, h2, h3, h4") {
            let level: usize = heading.value().name()[1..].parse().unwrap();
            if level > before + 1 {
                wrong.push(format!(
                    "{} {:?} follows a heading of level {before}",
                    heading.value().name(),
                    text(heading)
                ));
            }
            before = level;
        }
        wrong
    });
}

#[test]
fn ids_are_unique_and_lead_somewhere() {
    check(|page| {
        let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
        for id in page.values("id") {
            if !seen.insert(id) {
                wrong.push(format!("id {id} stands twice"));
            }
        }
        let anchors = page.values("href").into_iter().filter_map(|href| href.strip_prefix('#'));
        let named = page.values("for").into_iter().chain(page.values("aria-labelledby")).chain(anchors);
        wrong.extend(named.filter(|id| !seen.contains(id)).map(|id| format!("nothing has the id {id}")));
        let refreshed = page.find("[data-refresh]").into_iter().filter(|part| part.attr("id").is_none());
        wrong.extend(refreshed.map(|_| "a part refreshes itself without an id".to_owned()));
        wrong
    });
}

#[test]
fn everything_that_can_be_filled_in_or_pressed_says_what_it_is() {
    check(|page| {
        let fields = page.find("input:not([type=hidden]), select, textarea");
        let unnamed = fields.into_iter().filter(|field| !is_named(page, *field));
        let mut wrong: Vec<String> = unnamed.map(|field| format!("no label: {}", field.html())).collect();
        for pressed in page.find("button, a, summary, legend, th, option, dt") {
            if text(pressed).is_empty() {
                wrong.push(format!("no text: {}", pressed.html()));
            }
        }
        wrong
    });
}

#[test]
fn tables_have_headers_that_say_of_what() {
    check(|page| {
        let mut wrong = Vec::new();
        for header in page.find("th") {
            if !matches!(header.attr("scope"), Some("col" | "row")) {
                wrong.push(format!("no scope: {}", header.html()));
            }
        }
        let header = Selector::parse("thead th[scope=col]").unwrap();
        for table in page.find("table") {
            if table.select(&header).next().is_none() {
                wrong.push("a table has no headers".to_owned());
            }
            // Somebody without a mouse must be able to scroll what is wider than the window.
            let around = table.parent().and_then(ElementRef::wrap);
            if !around.is_some_and(|around| {
                around.attr("tabindex") == Some("0") && around.attr("aria-label").is_some()
            }) {
                wrong.push("a table cannot be scrolled by keyboard".to_owned());
            }
        }
        wrong
    });
}

#[test]
fn forms_that_change_something_carry_the_token() {
    check(|page| {
        let token = Selector::parse("input[type=hidden][name=form_token]").unwrap();
        let mut wrong = Vec::new();
        for form in page.find("form") {
            let tokens = form
                .select(&token)
                .filter(|field| field.attr("value").is_some_and(|v| v.len() == 64))
                .count();
            let wanted = match form.attr("method") {
                Some("post") => 1,
                Some("get") => 0,
                other => {
                    wrong.push(format!("a form is sent by {other:?}"));
                    continue;
                }
            };
            if tokens != wanted {
                wrong.push(format!("{tokens} tokens in the form to {:?}", form.attr("action")));
            }
            if !form.attr("action").is_some_and(|to| to.starts_with("/app/")) {
                wrong.push(format!("a form goes to {:?}", form.attr("action")));
            }
        }
        wrong
    });
}

#[test]
fn nothing_in_a_page_is_code() {
    check(|page| {
        let mut wrong = Vec::new();
        let scripts = page.find("script");
        let ours =
            |element: &ElementRef<'_>| element.attr("src") == Some(&SCRIPT.path) && text(*element).is_empty();
        if scripts.len() != 1 || !scripts.iter().all(ours) {
            wrong.push(format!("{} scripts", scripts.len()));
        }
        let links = page.find("link, style, iframe, object, embed, base, img, b");
        let led: Vec<_> = links.iter().map(|link| link.attr("href")).collect();
        if led != [Some(ICON.path.as_str()), Some(STYLE.path.as_str())] {
            wrong.push(format!("{} links, styles or frames", links.len()));
        }
        for element in page.find("*") {
            for (name, value) in element.value().attrs() {
                if name == "style" || name.starts_with("on") {
                    wrong.push(format!("inline {name}: {}", element.html()));
                }
                let address = ["href", "src", "action", "formaction"].contains(&name);
                if address && !["/", "#", "https://"].iter().any(|begin| value.starts_with(begin))
                    || value.starts_with("//")
                {
                    wrong.push(format!("{name} leads to {value}"));
                }
            }
        }
        wrong
    });
}

/// Hostile texts come back as they were written, as texts: nothing of them was taken for markup, or lost.
#[test]
fn what_comes_from_outside_is_shown_as_it_is() {
    let shown = |page: &Parsed| {
        let texts = page.document.tree.nodes().filter_map(|node| match node.value() {
            Node::Text(text) => Some(text.contains(HOSTILE)),
            _ => None,
        });
        let attributes = page.find("*").into_iter().flat_map(|element| element.value().attrs());
        texts.chain(attributes.map(|(_, value)| value.contains(HOSTILE))).filter(|found| *found).count()
    };
    let hostile = parsed().filter(|parsed| parsed.page.name.contains("Hostile"));
    let counts: Vec<(String, usize)> = hostile.map(|page| (page.page.name.clone(), shown(&page))).collect();
    let of = |name: &str| {
        let found = counts.iter().filter(|(known, _)| known.starts_with(name)).map(|(_, count)| *count).max();
        found.unwrap_or_else(|| panic!("there is no page {name}"))
    };
    for (name, least) in [
        ("order for owner", 20),
        ("orders for viewer", 1),
        ("parked for owner", 20),
        ("parked unmatched_payment", 5),
        ("jobs for owner", 4),
        ("audit for owner", 4),
        ("dead letters, refused for owner", 10),
        ("settings refused for owner", 4),
        ("keys made for owner", 8),
        ("connections refused for owner", 8),
        ("NoAccess", 1),
        ("Conflict", 1),
    ] {
        assert!(of(name) >= least, "{name} shows {} hostile texts", of(name));
    }
    check(|page| {
        let raw = ["<script>alert", "<b onload", "onload=x>\""].into_iter();
        raw.filter(|code| page.page.html.contains(code)).map(ToOwned::to_owned).collect()
    });
}

#[test]
fn every_text_is_in_the_catalog() {
    check(|page| {
        let texts = page.document.root_element().text();
        let values =
            page.find("*").into_iter().flat_map(|element| element.value().attrs().map(|(_, value)| value));
        let is_key = |text: &&str| {
            let inner = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
            inner.is_some_and(|(key, _)| {
                key.contains('-') && key.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
            })
        };
        let unfilled = |text: &&str| text.contains("{ $") || text.contains("{$");
        texts.chain(values).filter(|text| is_key(text) || unfilled(text)).map(ToOwned::to_owned).collect()
    });
}

#[test]
fn pages_are_small_even_when_they_are_full() {
    let assets = STYLE.body.len() + SCRIPT.body.len() + ICON.body.len();
    for page in all().into_iter().chain(longest()) {
        let size = page.html.len() + assets;
        assert!(size < 100 * 1024, "{} has {size} bytes with style and script", page.name);
    }
}

#[test]
fn words_differ_between_the_languages() {
    let titles = |tag: &str| -> BTreeSet<String> {
        parsed().filter(|page| page.page.language.tag() == tag).map(|page| text(page.find("h1")[0])).collect()
    };
    let both: Vec<String> = titles("sv").intersection(&titles("en")).cloned().collect();
    // Names of outside, and of reasons that nobody has heard of, are the same everywhere.
    let expected = ["Title", HOSTILE, "never heard of"];
    assert!(both.iter().all(|title| expected.contains(&title.as_str())), "{both:?}");
}

/// Nobody asks about what worked; about everything else people can say which it was. No page looks like another, and none
/// tells how it failed.
#[test]
fn every_consent_has_a_page_of_its_own() {
    for language in crate::Language::ALL {
        let mut seen = BTreeSet::new();
        for page in parsed().filter(|page| page.page.name.starts_with("consent ")) {
            if page.page.language != language || !page.page.name.contains("Plain") {
                continue;
            }
            let name = &page.page.name;
            let words = text(page.find("main")[0]);
            assert!(seen.insert(words.clone()), "{name} looks like another: {words}");
            assert_eq!(page.find("main code").is_empty(), name.contains("Connected"), "{name}");
            assert!(page.find("main p").len() >= 2, "{name} says what happened and what to do");
            assert!(!words.contains("step") && !words.contains(" 0 "), "{name}: {words}");
            assert_eq!(page.find("main a.button[href=\"/app/connections\"]").len(), 1, "{name}");
        }
        assert_eq!(seen.len(), 18, "{}", language.tag());
    }
}
