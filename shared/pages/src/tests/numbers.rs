//! Amounts, counts and times are written as Swedes write them, on every page: none gets there past the formatter.

use std::collections::BTreeMap;

use scraper::{ElementRef, Html, Node};

use super::samples::all;

/// What is not ours to write: names in code, and words of others.
fn is_quoted(element: ElementRef<'_>) -> bool {
    let quotes = |around: ElementRef<'_>| {
        let element = around.value();
        ["code", "pre"].contains(&element.name())
            || element.name() != "html" && element.attr("lang").is_some()
    };
    quotes(element) || element.ancestors().filter_map(ElementRef::wrap).any(quotes)
}

/// Digits that a reader must not meet: `1234.50`, `12345` or `2026-11-21T07:15:59Z`.
fn unwritten(text: &str) -> Vec<&str> {
    let is_number = |word: &str| {
        let has_digit = word.contains(|c: char| c.is_ascii_digit());
        has_digit && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let is_time = |word: &str| {
        let parts = word.split_once('T').filter(|(day, time)| day.contains('-') && time.contains(':'));
        parts.is_some_and(|(day, time)| day.ends_with(char::is_numeric) && time.starts_with(char::is_numeric))
    };
    let words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let wrong = |word: &&str| is_time(word) || is_number(word) && (word.contains('.') || word.len() > 4);
    words.filter(wrong).collect()
}

/// What has digits and is no number: a postal code, and a version of OpenAPI.
const NAMES: [&str; 2] = ["11122", "3.1"];

#[test]
fn no_page_shows_a_number_as_programs_write_it() {
    let (mut wrong, mut grouped) = (BTreeMap::new(), 0);
    for page in all() {
        let document = Html::parse_document(&page.html);
        for node in document.tree.nodes() {
            let Node::Text(text) = node.value() else { continue };
            let around = node.parent().and_then(ElementRef::wrap);
            if around.is_some_and(is_quoted) {
                continue;
            }
            grouped += usize::from(text.contains("12\u{a0}345"));
            for word in unwritten(text).into_iter().filter(|word| !NAMES.contains(word)) {
                wrong.entry(word.to_owned()).or_insert_with(|| page.name.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(grouped > 50, "there are hardly any counts that are large enough to tell: {grouped}");
}

#[test]
fn what_programs_write_is_recognized() {
    let wrong = ["1234.50", "is 349.00.", "12345", "(18930)", "at 2026-11-21T07:15:59Z."];
    for text in wrong {
        assert_eq!(unwritten(text).len(), 1, "{text}");
    }
    let right =
        "1\u{a0}234,50\u{a0}kr 12\u{a0}345 2,5 2026-11-21 08:15 1753-1001 1042 konto 3001. A12345 21/11 0.x";
    assert_eq!(unwritten(right), [""; 0]);
}
