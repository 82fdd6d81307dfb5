//! The languages that people are spoken to in, and which of them a browser asks for.

/// Languages that pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Swedish.
    Swedish,
    /// English.
    English,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Swedish, Self::English];

    /// The language of a tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

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
