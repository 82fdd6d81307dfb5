//! The first page: what needs somebody, how many orders are how far, how the connections are, and what came last.

use bokbro_app::connections::{ConnectionView, ShownState};
use bokbro_app::overview::{Figures, OverviewView, ends_soon};
use bokbro_app::records::Role;
use maud::{Markup, html};

use crate::chart::chart;
use crate::format::{amount, provider_name, whole};
use crate::guide;
use crate::layout::Frame;
use crate::orders::{Parcels, table};

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, shown: &OverviewView) -> Markup {
    let texts = frame.texts;
    html! {
        @if !shown.guide.is_done() { (guide::summary(frame, &shown.guide)) }
        div.cards {
            section.card {
                h2 { (texts.get("overview-needs-you")) }
                (needs_you(frame, shown))
            }
            section.card {
                h2 { (texts.get("overview-lately")) }
                (lately(frame, &shown.figures))
            }
            section.card {
                h2 { (texts.get("overview-connections")) }
                (connections(frame, &shown.connections))
                @if frame.role >= Role::Operator { p { a href="/health/deep" { (texts.get("overview-health")) } } }
            }
        }
        section {
            h2 { (texts.get("chart-title")) }
            @if !shown.figures.complete { p.faint { (texts.get("chart-incomplete")) } }
            (chart(texts, &shown.figures))
        }
        h2 { (texts.get("overview-latest")) }
        @if shown.latest.is_empty() {
            p { (texts.get("orders-none")) }
        } @else {
            (table(texts, &shown.latest, Parcels::of(shown.settings.as_ref())))
        }
        @if shown.guide.is_done() { (guide::summary(frame, &shown.guide)) }
    }
}

/// Everything that waits for somebody, with the way there for whoever may go it.
fn needs_you(frame: &Frame<'_>, shown: &OverviewView) -> Markup {
    let texts = frame.texts;
    let (waiting, mut items) = (&shown.waiting, Vec::new());
    let count = |count: usize| [("count", count.into())];
    if waiting.more {
        let all = waiting.parked + waiting.unmatched;
        items.push(("/app/parked", Role::Bookkeeper, texts.with("overview-parked-many", &count(all))));
    } else {
        for (key, number) in [("overview-unmatched", waiting.unmatched), ("overview-parked", waiting.parked)]
        {
            if number > 0 {
                items.push(("/app/parked", Role::Bookkeeper, texts.with(key, &count(number))));
            }
        }
    }
    if shown.stranded {
        items.push(("/app/dead-letters", Role::Operator, texts.get("overview-stranded")));
    }
    for view in &shown.connections {
        let provider = [("provider", provider_name(&view.provider).into())];
        let text = match view.state {
            ShownState::NeedsConsent => texts.with("overview-needs-consent", &provider),
            ShownState::Disconnected => texts.with("overview-disconnected", &provider),
            ShownState::Unchecked | ShownState::Healthy if ends_soon(view) => {
                let [provider] = provider;
                let days = ("days", view.days_left.unwrap_or_default().into());
                texts.with("overview-ends-soon", &[provider, days])
            }
            ShownState::Unchecked | ShownState::Healthy => continue,
        };
        items.push(("/app/connections", Role::Bookkeeper, text));
    }
    html! {
        @if items.is_empty() {
            p.good { (texts.get("overview-nothing")) }
        } @else {
            ul.bad {
                @for (path, role, text) in items {
                    li { @if frame.role >= role { a href=(path) { (text) } } @else { (text) } }
                }
            }
        }
    }
}

fn lately(frame: &Frame<'_>, figures: &Figures) -> Markup {
    let (texts, counts) = (frame.texts, &figures.lately);
    html! {
        dl.facts {
            dt { (texts.get("chart-taken")) } dd { (whole(counts.taken.into())) }
            dt { (texts.get("chart-paid")) } dd { (whole(counts.paid.into())) }
            dt { (texts.get("chart-booked")) } dd { (whole(counts.booked.into())) }
            dt { (texts.get("chart-shipped")) } dd { (whole(counts.shipped.into())) }
            @for sum in &figures.sold { dt { (texts.get("overview-sold")) } dd { (amount(*sum)) } }
        }
    }
}

fn connections(frame: &Frame<'_>, views: &[ConnectionView]) -> Markup {
    let texts = frame.texts;
    html! {
        @if views.is_empty() {
            p { (texts.get("overview-none-connected")) }
        } @else {
            dl.facts {
                @for view in views {
                    dt { (provider_name(&view.provider)) }
                    dd class=(class(view.state)) { (texts.get(&format!("connection-{}", view.state.as_str()))) }
                }
            }
        }
    }
}

fn class(state: ShownState) -> &'static str {
    match state {
        ShownState::Healthy => "good",
        ShownState::NeedsConsent => "bad",
        ShownState::Unchecked | ShownState::Disconnected => "faint",
    }
}
