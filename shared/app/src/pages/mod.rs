//! Pages for people in a browser: plain HTML without scripts and styles, so that the strictest policy fits them.

mod texts;

use std::borrow::Cow;

use bokbro_domain::ids::{CorrelationId, Provider};

use crate::oauth::Outcome;
use crate::resume::Resumed;
use texts::{Text, chrome, of};

/// Languages that pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Swedish.
    Swedish,
    /// English.
    English,
}

impl Language {
    /// The language that a browser likes best by its `Accept-Language`; English when it knows neither.
    #[must_use]
    pub fn accepted(header: Option<&str>) -> Self {
        let mut best = (0, Self::English);
        for wish in header.unwrap_or_default().split(',') {
            let (tag, parameters) = wish.split_once(';').unwrap_or((wish, "q=1"));
            let language = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("sv") => Self::Swedish,
                Some("en") => Self::English,
                _ => continue,
            };
            let weight = parameters.trim().strip_prefix("q=").and_then(per_mille).unwrap_or(0);
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    /// The tag of the `lang` attribute and the `Content-Language` header.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Swedish => "sv",
            Self::English => "en",
        }
    }
}

/// A weight such as `0.75` in thousandths.
fn per_mille(weight: &str) -> Option<u32> {
    let (whole, decimals) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let decimals: String = decimals.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u32>().ok()?.checked_mul(1_000)? + decimals.parse::<u32>().ok()?)
}

/// A page and its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The document.
    pub html: String,
}

/// The page that tells what became of a consent.
#[must_use]
pub fn consent_page(
    outcome: &Outcome,
    provider: &Provider,
    language: Language,
    correlation: &CorrelationId,
) -> Page {
    let text = of(outcome, language);
    let provider = display_name(provider);
    let mut paragraphs = vec![text.happened.replace("{provider}", &provider)];
    if let Outcome::Connected { resumed } = outcome {
        paragraphs.extend(resumed_text(*resumed, language));
    }
    paragraphs.push(text.advice.replace("{provider}", &provider));
    let title = text.title.replace("{provider}", &provider);
    Page { status: status(outcome), html: document(&title, &paragraphs, &text, language, correlation) }
}

fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Connected { .. } => 200,
        // The provider's answer was taken and understood; no browser or proxy shall try again.
        Outcome::Refused(_) => 200,
        Outcome::BadState(_) => 400,
        Outcome::UnknownProvider => 404,
        Outcome::Failed(_) => 503,
    }
}

fn resumed_text(resumed: Resumed, language: Language) -> Option<String> {
    let count = resumed.orders + resumed.deliveries;
    (count > 0).then(|| chrome(language).resumed.replace("{count}", &count.to_string()))
}

fn document(
    title: &str,
    paragraphs: &[String],
    text: &Text,
    language: Language,
    correlation: &CorrelationId,
) -> String {
    let chrome = chrome(language);
    let title = escape(title);
    let body: String = paragraphs.iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect();
    let reference = if text.good {
        String::new()
    } else {
        format!("<p>{}: <code>{}</code></p>\n", escape(chrome.reference), escape(correlation.as_str()))
    };
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} – Bokbro</title>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}{reference}</main>\n</body>\n</html>\n",
        lang = language.tag(),
    )
}

/// A provider's name as people write it: with a capital.
fn display_name(provider: &Provider) -> String {
    let mut chars = provider.as_str().chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Text that HTML shows and never acts on.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error::Error;
    use crate::oauth::StateFault;
    use crate::ports::ConsentRefusal;

    const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

    fn page(outcome: &Outcome, language: Language) -> Page {
        let provider = Provider::parse("ledger").unwrap();
        consent_page(outcome, &provider, language, &CorrelationId::parse(ULID).unwrap())
    }

    fn outcomes() -> Vec<(u16, Outcome)> {
        let refusals = [
            ConsentRefusal::Denied,
            ConsentRefusal::InvalidScope,
            ConsentRefusal::MissingLicense,
            ConsentRefusal::MissingAdminRight,
            ConsentRefusal::Nothing,
            ConsentRefusal::CodeExpired,
            ConsentRefusal::OtherCompany,
            ConsentRefusal::Other,
        ];
        let faults = [
            StateFault::Forged,
            StateFault::Expired,
            StateFault::OtherBrowser,
            StateFault::OtherProvider,
            StateFault::Used,
        ];
        let mut all = vec![
            (200, Outcome::Connected { resumed: Resumed { orders: 2, deliveries: 1 } }),
            (404, Outcome::UnknownProvider),
            (503, Outcome::Failed(Error::Raced { step: "secret <step>" })),
        ];
        all.extend(refusals.map(|why| (200, Outcome::Refused(why))));
        all.extend(faults.map(|fault| (400, Outcome::BadState(fault))));
        all
    }

    #[test]
    fn every_outcome_has_its_own_page_in_both_languages() {
        let mut titles_and_texts = BTreeSet::new();
        for (status, outcome) in outcomes() {
            for language in [Language::Swedish, Language::English] {
                let page = page(&outcome, language);
                assert_eq!(page.status, status, "{outcome:?}");
                let html = &page.html;
                assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{html}");
                assert_eq!(html.matches("<h1>").count(), 1, "{html}");
                assert!(html.matches("<p>").count() >= 2, "what happened and what to do: {html}");
                for forbidden in
                    ["<script", "<style", "style=", "http://", "https://", "{provider}", "{count}", "<step>"]
                {
                    assert!(!html.contains(forbidden), "{forbidden} in {html}");
                }
                assert!(titles_and_texts.insert(html.clone()), "two outcomes look alike: {html}");
                let failed = !matches!(outcome, Outcome::Connected { .. });
                assert_eq!(html.contains(ULID), failed, "{html}");
            }
        }
    }

    #[test]
    fn a_page_names_the_provider_and_what_goes_on() {
        let connected = Outcome::Connected { resumed: Resumed { orders: 2, deliveries: 1 } };
        let html = page(&connected, Language::Swedish).html;
        assert!(html.contains("Ledger är anslutet") && html.contains(" 3 "), "{html}");
        let nothing = Outcome::Connected { resumed: Resumed::default() };
        assert!(!page(&nothing, Language::English).html.contains(" 0 "));
    }

    #[test]
    fn what_stands_in_a_page_is_shown_and_never_acted_on() {
        assert_eq!(escape("a"), "a");
        assert_eq!(escape("<b a=\"x\" c='y'>&"), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;");
    }

    #[test]
    fn the_browser_s_language_is_spoken() {
        for (header, expected) in [
            (None, Language::English),
            (Some("sv"), Language::Swedish),
            (Some("sv-SE,sv;q=0.9,en;q=0.8"), Language::Swedish),
            (Some("en-GB, sv;q=0.9"), Language::English),
            (Some("de, sv;q=0.4, en;q=0.35"), Language::Swedish),
            (Some("de"), Language::English),
            (Some("sv;q=0, en;q=0.1"), Language::English),
            (Some("SV-fi;q=0.7;x=1"), Language::English),
            (Some("é,;;q=,sv;q=99999999999"), Language::English),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header:?}");
        }
    }
}
