//! Connections: how each is, what people enter for it, and what they can do with it.

use bokbro_app::connections::ConnectionView;
use bokbro_app::ports::EntryField;
use bokbro_app::records::{Job, Role};
use bokbro_domain::order::FieldError;
use bokbro_domain::said::Said;
use maud::{Markup, html};

use crate::form::{Form, value};
use crate::format::{provider_name, time, whole};
use crate::layout::Frame;
use crate::words::{known, refusal, said};
use crate::work::{is_under_way, progress};

/// A connection, and what this build can do with it.
pub struct Offered<'a> {
    /// How it is.
    pub view: ConnectionView,
    /// What people enter for it.
    pub fields: &'a [EntryField],
    /// Whether its consent is given in a browser.
    pub by_consent: bool,
    /// Whether there is something to read there: registers, parcels, stock.
    pub readable: bool,
    /// Where the provider sends webhooks, when it does.
    pub webhook_url: Option<String>,
    /// The job that reads its registers just now.
    pub reading: Option<Job>,
    /// What was typed for it, when that was refused.
    pub typed: Option<&'a Form>,
}

impl Offered<'_> {
    /// Whether there is nothing to connect: another system does the work, and the settings alone name it.
    fn is_elsewhere(&self) -> bool {
        self.fields.is_empty() && !self.by_consent
    }
}

/// What became of the action before, if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// There was none.
    Nothing,
    /// It went well; the key of what to say.
    Good(&'static str),
    /// It did not; what people should know.
    Bad(Said),
    /// A field of it is wrong.
    Refused(FieldError),
}

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, offered: &[Offered<'_>], told: &Told) -> Markup {
    let texts = frame.texts;
    html! {
        @match told {
            Told::Nothing => {}
            Told::Good(key) => { p.notice role="status" { (texts.get(key)) } }
            Told::Refused(error) => { (refusal(texts, error)) }
            Told::Bad(why) => { p.notice.bad role="alert" { (said(texts, why)) } }
        }
        div.cards {
            @for one in offered {
                @if one.is_elsewhere() { (elsewhere(frame, one)) } @else { (card(frame, one)) }
            }
        }
    }
}

fn elsewhere(frame: &Frame<'_>, one: &Offered<'_>) -> Markup {
    let (texts, provider) = (frame.texts, &one.view.provider);
    html! {
        section.card aria-labelledby=(format!("c-{provider}")) {
            h2 id=(format!("c-{provider}")) { (provider_name(provider)) }
            p { (texts.with("connection-elsewhere", &[("provider", provider.as_str().into())])) }
            @if frame.role >= Role::Owner {
                p { a href="/app/settings" { (texts.get("nav-settings")) } }
            }
        }
    }
}

fn card(frame: &Frame<'_>, one: &Offered<'_>) -> Markup {
    let (texts, view) = (frame.texts, &one.view);
    let state = view.state.as_str();
    let class = match state {
        "healthy" => "good",
        "needs_consent" => "bad",
        _ => "faint",
    };
    let connected = state != "disconnected";
    html! {
        section.card aria-labelledby=(format!("c-{}", view.provider)) {
            h2 id=(format!("c-{}", view.provider)) { (provider_name(&view.provider)) }
            p class={ "state " (class) } { (texts.get(&format!("connection-{state}"))) }
            @if let Some(message) = &view.message { p { (said(texts, message)) } }
            dl.facts {
                @if let Some(company) = &view.company { dt { (texts.get("connection-company")) } dd { (company) } }
                @if let Some(at) = view.refreshed_at { dt { (texts.get("connection-refreshed")) } dd { (time(at)) } }
                @if let Some(days) = view.days_left {
                    dt { (texts.get("connection-days")) } dd { (days) }
                }
                @if let Some(url) = &one.webhook_url { dt { (texts.get("connection-webhook")) } dd { code { (url) } } }
            }
            @if one.readable { (registers(frame, one)) }
            div.row {
                @if one.by_consent && frame.role >= Role::Owner {
                    a.button href=(format!("/oauth/{}/start", view.provider)) {
                        (texts.get(if connected { "connection-again" } else { "connection-connect" }))
                    }
                }
                @if connected {
                    (action(frame, one, "check", "second"))
                    (action(frame, one, "refresh", "second"))
                    @if one.readable { (action(frame, one, "sync", "second")) }
                    @if frame.role >= Role::Owner { (action(frame, one, "disconnect", "danger")) }
                }
            }
            @if frame.role >= Role::Owner && !one.fields.is_empty() { (entry(frame, one)) }
        }
    }
}

/// What is known of the registers, and how far the reading of them is.
fn registers(frame: &Frame<'_>, one: &Offered<'_>) -> Markup {
    let (texts, view) = (frame.texts, &one.view);
    let reading = one.reading.as_ref().filter(|job| is_under_way(job));
    html! {
        div id=(format!("r-{}", view.provider)) data-refresh=[reading.map(|_| "3")] {
            @if let Some(known) = &view.registers {
                dl.facts {
                    dt { (texts.get("connection-customers")) } dd { (whole(known.customers)) }
                    dt { (texts.get("connection-invoices")) } dd { (whole(known.invoices)) }
                    dt { (texts.get("connection-read-at")) } dd { (time(known.read_at)) }
                }
            }
            @if let Some(job) = reading {
                p { a href=(format!("/app/jobs/{}", job.id)) { (texts.get("connection-reading")) } }
                (progress(texts, job))
                p { a href="/app/connections" { (texts.get("look-again")) } }
            }
        }
    }
}

fn action(frame: &Frame<'_>, one: &Offered<'_>, name: &str, class: &str) -> Markup {
    let texts = frame.texts;
    let provider = &one.view.provider;
    let question = (name == "disconnect").then(|| {
        texts.with("connection-disconnect-confirm", &[("provider", provider_name(provider).into())])
    });
    html! {
        form method="post" action=(format!("/app/connections/{provider}/{name}")) data-confirm=[question] {
            (frame.token())
            button class=(class) aria-label=(format!("{} {}", texts.get(&format!("connection-{name}")), provider_name(provider))) {
                (texts.get(&format!("connection-{name}")))
            }
        }
    }
}

fn entry(frame: &Frame<'_>, one: &Offered<'_>) -> Markup {
    let texts = frame.texts;
    let provider = &one.view.provider;
    html! {
        details open[one.typed.is_some() || one.view.state.as_str() == "disconnected" && !one.by_consent] {
            summary { (texts.get("connection-enter")) }
            form method="post" action=(format!("/app/connections/{provider}")) {
                (frame.token())
                @for field in one.fields {
                    @let id = format!("{provider}-{}", field.name);
                    @let stored = one.view.settings.get(field.name).map(String::as_str);
                    div.field {
                        label for=(id) { (known(texts, "field", field.name)) }
                        input id=(id) name=(field.name) type=(if field.secret { "password" } else { "text" })
                            autocomplete="off" required[field.required]
                            value=[value(one.typed, field.name, stored).filter(|_| !field.secret)];
                    }
                }
                button { (texts.get("connection-store")) }
            }
        }
    }
}
