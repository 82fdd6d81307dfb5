//! Text as Fortnox takes it: its set of characters and its lengths (`apis/fortnox.md` 2.5).

use icu_normalizer::ComposingNormalizer;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

/// Characters besides letters and digits that Fortnox takes. The straight apostrophe is left out because the
/// documentation does not show it, and `·` and `…` because live calls with them were refused.
const SIGNS: &str = "’\\\u{308}\u{30a} –:.`´,;^¤#%§£$€¢¥©™°&/()=+-*_!?²³®½@\u{a0}\n\r";

/// What stands in for characters that Fortnox refuses.
fn stand_in(c: char) -> Option<&'static str> {
    Some(match c {
        '\'' | '‘' | '‚' | '‛' | '"' | '“' | '”' | '„' | '«' | '»' => "’",
        '—' | '―' => "–",
        '‐' | '‑' | '~' | '·' | '•' => "-",
        '…' => "...",
        '[' | '{' | '<' => "(",
        ']' | '}' | '>' => ")",
        '|' => "/",
        _ => return None,
    })
}

/// Whether Fortnox takes the character.
pub(super) fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || SIGNS.contains(c) || is_letter(c)
}

/// One line of text that Fortnox takes, of at most so many characters. Decomposed letters are composed, what it
/// refuses is replaced, and blanks are collapsed; `None` when nothing is left.
pub(super) fn line(text: &str, longest: usize) -> Option<String> {
    let mut clean = String::with_capacity(text.len());
    let mut refused_before = false;
    for c in ComposingNormalizer::new_nfc().normalize(text).chars() {
        let refused = !c.is_whitespace() && !is_allowed(c) && stand_in(c).is_none();
        match stand_in(c) {
            Some(other) => clean.push_str(other),
            None if c.is_whitespace() => clean.push(' '),
            None if !refused => clean.push(c),
            // An emoji is often several characters: one sign for all of them.
            None if !refused_before => clean.push('?'),
            None => {}
        }
        refused_before = refused;
    }
    // Live calls with an address were refused.
    while clean.contains("://") {
        clean = clean.replace("://", ":/");
    }
    let words: Vec<&str> = clean.split_whitespace().collect();
    let cut: String = words.join(" ").chars().take(longest).collect();
    let cut = cut.trim_end();
    if cut.is_empty() { None } else { Some(cut.to_owned()) }
}

/// The text when Fortnox takes it as it is. For addresses of e-mail, where a replaced character is another address.
pub(super) fn verbatim(text: &str, longest: usize) -> Option<String> {
    line(text, longest).filter(|clean| clean == text)
}

/// Exactly `\p{L}`; `char::is_alphabetic` also takes marks, which Fortnox refuses.
fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refused_characters_have_stand_ins() {
        let cases = [
            ("Åsa Öberg", "Åsa Öberg"),
            ("O'Brien \"Bob\"", "O’Brien ’Bob’"),
            ("Rene\u{301}e", "Renée"),
            ("[Stor] <30 ml> {x|y}", "(Stor) (30 ml) (x/y)"),
            ("Tvål 🧼🏽\u{200d}🫧 fin", "Tvål ? fin"),
            ("två\r\nrader\toch  blanksteg ", "två rader och blanksteg"),
            ("mer… · än", "mer... - än"),
            ("https://exempel.se", "https:/exempel.se"),
            ("x:////y", "x:/y"),
            ("王小明", "王小明"),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text, 100).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(line(" \u{a0}\n", 100), None);
        assert_eq!(line("🧼", 100).as_deref(), Some("?"));
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(line("åäöåäö", 3).as_deref(), Some("åäö"));
        assert_eq!(line("ab cd", 3).as_deref(), Some("ab"));
    }

    #[test]
    fn an_address_is_kept_whole_or_not_at_all() {
        assert_eq!(verbatim("asa+shop@example.se", 50).as_deref(), Some("asa+shop@example.se"));
        assert_eq!(verbatim("o'brien@example.se", 50), None);
        assert_eq!(verbatim("asa@example.se", 5), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_fits_what_fortnox_takes(text in "\\PC{0,60}|[\\s\\S]{0,60}", longest in 1usize..50) {
            if let Some(clean) = line(&text, longest) {
                prop_assert!(clean.chars().all(is_allowed), "{:?}", clean);
                prop_assert!((1..=longest).contains(&clean.chars().count()));
                prop_assert!(!clean.contains("://"));
                prop_assert_eq!(line(&clean, longest), Some(clean.clone()));
            }
        }
    }
}
