//! The guide for the first day: what is left to do until orders are booked by themselves.

use bokbro_app::overview::{Guide, StepName, StepState};
use bokbro_app::records::Role;
use bokbro_app::test_orders::Stage;
use maud::{Markup, html};

use crate::layout::Frame;
use crate::orders::test_order;

/// Where the guide is.
pub const PATH: &str = "/app/guide";

/// The page. Webhook addresses are whole here; whether test orders are taken depends on the stage.
#[must_use]
pub fn page(frame: &Frame<'_>, guide: &Guide, webhook_urls: &[String], stage: Stage) -> Markup {
    let texts = frame.texts;
    let next = guide.steps.iter().find(|(_, state)| *state == StepState::Open).map(|(name, _)| *name);
    html! {
        @if guide.is_done() {
            section.notice {
                h2 { (texts.get("guide-done")) }
                p { (texts.get("guide-done-text")) }
                p { a.button href="/app" { (texts.get("back-home")) } }
            }
        } @else {
            p { (texts.get("guide-text")) }
        }
        ol.steps {
            @for (name, state) in guide.steps {
                li aria-current=[(next == Some(name)).then_some("step")] {
                    h2 { (texts.get(&format!("guide-{}", name.as_str()))) }
                    p class={ "state " (class(state)) } { (texts.get(key(state))) }
                    p { (texts.get(&format!("guide-{}-text", name.as_str()))) }
                    (way(frame, name, guide, webhook_urls, stage))
                }
            }
        }
    }
}

/// How far the guide is, for the overview.
#[must_use]
pub fn summary(frame: &Frame<'_>, guide: &Guide) -> Markup {
    let texts = frame.texts;
    if guide.is_done() {
        return html! { p.faint { a href=(PATH) { (texts.get("guide-see")) } } };
    }
    let far = [("done", guide.done().into()), ("all", guide.needed().into())];
    html! {
        section.notice {
            h2 { (texts.get("guide")) }
            p { (texts.with("guide-far", &far)) }
            p { a.button href=(PATH) { (texts.get("guide-go-on")) } }
        }
    }
}

/// Where a step is done, for whoever may do it.
fn way(frame: &Frame<'_>, name: StepName, guide: &Guide, webhook_urls: &[String], stage: Stage) -> Markup {
    let texts = frame.texts;
    let link = |path: &str| {
        html! {
            @if frame.role >= Role::Owner {
                p { a href=(path) { (texts.get(&format!("guide-{}-do", name.as_str()))) } }
            } @else {
                p.faint { (texts.get("guide-ask-owner")) }
            }
        }
    };
    match name {
        StepName::Payments => html! {
            (link("/app/connections"))
            @for url in webhook_urls { p { (texts.get("guide-webhook")) " " code { (url) } } }
        },
        StepName::Accounting | StepName::Warehouse => link("/app/connections"),
        StepName::Settings => link("/app/settings"),
        StepName::Key => link("/app/keys"),
        StepName::Order => match stage {
            Stage::Production => html! { p { (texts.get("guide-order-production")) } },
            Stage::Trial if !guide.books() => html! { p.faint { (texts.get("guide-order-later")) } },
            Stage::Trial if frame.role >= Role::Operator => test_order(frame),
            Stage::Trial => Markup::default(),
        },
    }
}

fn key(state: StepState) -> &'static str {
    match state {
        StepState::Done => "guide-state-done",
        StepState::Open => "guide-state-open",
        StepState::Optional => "guide-state-optional",
    }
}

fn class(state: StepState) -> &'static str {
    match state {
        StepState::Done => "good",
        StepState::Open => "warn",
        StepState::Optional => "faint",
    }
}
