//! The first page: what needs somebody, how the connections are, and what came last.

use bokbro_app::records::{Connection, ConnectionState, Role};
use bokbro_domain::order::Order;
use maud::{Markup, html};

use crate::layout::Frame;
use crate::orders::table;

/// What the page shows.
pub struct Overview<'a> {
    /// How many items wait for a human, and whether there are more.
    pub parked: (usize, bool),
    /// The connections.
    pub connections: &'a [Connection],
    /// Whether the tenant has chosen where payments come from.
    pub settled: bool,
    /// The latest orders.
    pub orders: &'a [Order],
}

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, shown: &Overview<'_>) -> Markup {
    let texts = frame.texts;
    // Only owners can do what the guide says.
    let is_new = frame.role == Role::Owner && (shown.orders.is_empty() || !shown.settled);
    html! {
        @if is_new {
            section.notice {
                h2 { (texts.get("overview-guide")) }
                ol {
                    li { a href="/app/connections" { (texts.get("overview-guide-connect")) } }
                    li { a href="/app/settings" { (texts.get("overview-guide-settings")) } }
                    li { a href="/app/keys" { (texts.get("overview-guide-key")) } }
                }
            }
        }
        div.cards {
            section.card {
                h2 { (texts.get("overview-needs-you")) }
                (needs_you(frame, shown.parked))
            }
            section.card {
                h2 { (texts.get("overview-connections")) }
                @if shown.connections.is_empty() {
                    p { (texts.get("overview-none-connected")) }
                } @else {
                    dl.facts {
                        @for connection in shown.connections {
                            dt { (connection.provider) }
                            dd class=(class(connection.state)) {
                                (texts.get(&format!("connection-{}", connection.state.as_str())))
                            }
                        }
                    }
                }
            }
        }
        h2 { (texts.get("overview-latest")) }
        @if shown.orders.is_empty() {
            p { (texts.get("orders-none")) }
        } @else {
            (table(texts, shown.orders))
        }
    }
}

fn needs_you(frame: &Frame<'_>, (count, more): (usize, bool)) -> Markup {
    let texts = frame.texts;
    if count == 0 {
        return html! { p.good { (texts.get("overview-nothing")) } };
    }
    let key = if more { "overview-parked-many" } else { "overview-parked" };
    let text = texts.with(key, &[("count", count.into())]);
    html! {
        p.bad {
            @if frame.role >= Role::Bookkeeper { a href="/app/parked" { (text) } } @else { (text) }
        }
    }
}

fn class(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Healthy => "good",
        ConnectionState::NeedsConsent => "bad",
        ConnectionState::Unchecked | ConnectionState::Disconnected => "faint",
    }
}
