//! Texts can be read on what is behind them, in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11).

use std::collections::BTreeMap;

use crate::assets::STYLE;

/// Text on what is behind it.
const TEXTS: [(&str, &str); 14] = [
    ("ink", "ground"),
    ("ink", "panel"),
    ("faint", "ground"),
    ("faint", "panel"),
    ("accent", "ground"),
    ("accent", "panel"),
    ("good", "ground"),
    ("good", "panel"),
    ("bad", "ground"),
    ("bad", "panel"),
    ("warn", "ground"),
    ("warn", "panel"),
    ("on-accent", "accent"),
    ("ground", "bad"),
];
/// Outlines of fields and of what has the focus.
const OUTLINES: [(&str, &str); 4] =
    [("faint", "ground"), ("faint", "panel"), ("accent", "ground"), ("accent", "panel")];

type Colors = BTreeMap<String, [f64; 3]>;

/// The colors of the first block `:root` behind a text.
fn colors(style: &str, behind: &str) -> Colors {
    let rest = &style[style.find(behind).unwrap()..];
    let block = rest[rest.find(":root {").unwrap()..].split('}').next().unwrap();
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), channels(value.trim_end_matches(';')))).collect()
}

fn channels(value: &str) -> [f64; 3] {
    let digits = value.strip_prefix('#').unwrap_or_else(|| panic!("{value} is no color"));
    let each = digits.len() / 3;
    [0, 1, 2].map(|index| {
        let digits = &digits[index * each..(index + 1) * each];
        let digits = if each == 1 { digits.repeat(2) } else { digits.to_owned() };
        let share = f64::from(u8::from_str_radix(&digits, 16).unwrap()) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    })
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |[red, green, blue]: [f64; 3]| 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_what_the_standard_says_it_is() {
    assert!((contrast(channels("#000"), channels("#ffffff")) - 21.0).abs() < 0.001);
    assert!((contrast(channels("#777777"), channels("#fff")) - 4.478).abs() < 0.001);
}

#[test]
fn texts_can_be_read_in_light_and_in_dark() {
    let mut faint = Vec::new();
    for (name, behind) in [("light", ":root"), ("dark", "prefers-color-scheme: dark")] {
        let colors = colors(STYLE.body, behind);
        for (least, pairs) in [(4.5, &TEXTS[..]), (3.0, &OUTLINES[..])] {
            for (text, ground) in pairs {
                let contrast = contrast(colors[*text], colors[*ground]);
                if contrast < least {
                    faint.push(format!("{name}: {text} on {ground} is {contrast:.2}, not {least}"));
                }
            }
        }
    }
    assert!(faint.is_empty(), "{faint:#?}");
}

/// A color that stands outside the blocks would escape the test above.
#[test]
fn rules_use_the_named_colors_alone() {
    let rules = STYLE.body.split("* { box-sizing").nth(1).unwrap();
    assert!(!rules.contains('#') && !rules.contains("rgb") && !rules.contains("hsl"));
}
