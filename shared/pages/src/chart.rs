//! A small chart of orders by day: bars for people who see, the same numbers as a table for everybody.

use bokbro_app::overview::{Counts, Figures};
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::format::whole;

/// What is shown of a day: the name in the catalog and in the style, and the count.
type Bar = (&'static str, fn(&Counts) -> u32);

/// The bars of a day.
const BARS: [Bar; 3] = [
    ("paid", |counts| counts.paid),
    ("booked", |counts| counts.booked),
    ("shipped", |counts| counts.shipped),
];
/// Units between two days.
const STEP: usize = 48;
/// Units of one bar.
const BAR: usize = 12;
/// Units of the highest bar.
const HEIGHT: usize = 100;
/// Units below the bars, for the days.
const FOOT: usize = 18;

/// The chart.
#[must_use]
pub fn chart(texts: Texts, figures: &Figures) -> Markup {
    let days = &figures.days;
    let highest =
        days.iter().flat_map(|(_, counts)| BARS.map(|(_, of)| of(counts))).max().unwrap_or_default();
    html! {
        ul.legend aria-hidden="true" {
            @for (name, _) in BARS { li class=(name) { (texts.get(&format!("chart-{name}"))) } }
        }
        svg.chart viewBox=(format!("0 0 {} {}", STEP * days.len(), HEIGHT + FOOT)) role="img" aria-label=(texts.get("chart-title")) {
            @for (index, (day, counts)) in days.iter().enumerate() {
                @for (place, (name, of)) in BARS.into_iter().enumerate() {
                    @let height = height(of(counts), highest);
                    rect class=(name) x=(index * STEP + place * BAR + 4) y=(HEIGHT - height) width=(BAR - 2) height=(height) {}
                }
                text x=(index * STEP + 21) y=(HEIGHT + FOOT - 4) text-anchor="middle" {
                    (day.day()) "/" (day.month())
                }
            }
        }
        details {
            summary { (texts.get("chart-numbers")) }
            div.scroll tabindex="0" role="region" aria-label=(texts.get("chart-title")) {
                table {
                    thead {
                        tr {
                            th scope="col" { (texts.get("chart-day")) }
                            th.number scope="col" { (texts.get("chart-taken")) }
                            @for (name, _) in BARS { th.number scope="col" { (texts.get(&format!("chart-{name}"))) } }
                        }
                    }
                    tbody {
                        @for (day, counts) in days.iter().rev() {
                            tr {
                                th scope="row" { (day) }
                                td.number { (whole(counts.taken.into())) }
                                @for (_, of) in BARS { td.number { (whole(of(counts).into())) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A bar's height against the highest: none for nothing, and never nothing for something.
fn height(count: u32, highest: u32) -> usize {
    let share = |count: u32| usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(HEIGHT);
    match (count, highest) {
        (0, _) | (_, 0) => 0,
        (count, highest) => (share(count) / usize::try_from(highest).unwrap_or(usize::MAX)).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_what_they_stand_for() {
        for (count, highest, expected) in [
            (0, 0, 0),
            (0, 7, 0),
            (7, 7, 100),
            (1, 2, 50),
            (1, 3, 33),
            (1, 1_000, 1),
            (u32::MAX, u32::MAX, 100),
        ] {
            assert_eq!(height(count, highest), expected, "{count} of {highest}");
        }
    }
}
