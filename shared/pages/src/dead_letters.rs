//! Messages that no worker could handle, and sending them again.

use bokbro_app::dead_letters::Listed;
use bokbro_app::wire::work_out::dead_letter_json;
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::form::{Form, Refused, value};
use crate::format::time;
use crate::layout::Frame;
use crate::words::{known, refusal, said};

/// What became of a wish to send some again, if there was one.
#[derive(Clone, Copy)]
pub enum Wish<'a> {
    /// There was none.
    None,
    /// It was taken, and nobody who may not look at jobs is shown more of it.
    Asked,
    /// None was chosen; this was typed besides.
    NoneChosen(&'a Form),
    /// A field is wrong.
    Field(Refused<'a>),
}

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, listed: &Listed, wish: Wish<'_>) -> Markup {
    let texts = frame.texts;
    let typed = match wish {
        Wish::NoneChosen(form) | Wish::Field(Refused { form, .. }) => Some(form),
        Wish::None | Wish::Asked => None,
    };
    let chosen = typed.map(|form| form.all("id")).unwrap_or_default();
    html! {
        @match wish {
            Wish::None => {}
            Wish::Asked => { p.notice role="status" { (texts.get("dead-letters-asked")) } }
            Wish::NoneChosen(_) => { p.notice.bad role="alert" { (texts.get("dead-letters-none-chosen")) } }
            Wish::Field(refused) => { (refusal(texts, refused.error)) }
        }
        p { (texts.get("dead-letters-text")) }
        @if listed.items.is_empty() {
            p.good { (texts.get("dead-letters-none")) }
        } @else {
            form method="post" action="/app/dead-letters/replay" {
                (frame.token())
                div.scroll tabindex="0" role="region" aria-label=(texts.get("nav-dead-letters")) {
                    table {
                        thead {
                            tr {
                                th scope="col" { (texts.get("dead-letters-choose")) }
                                th scope="col" { (texts.get("dead-letters-queue")) }
                                th scope="col" { (texts.get("dead-letters-sent")) }
                                th scope="col" { (texts.get("dead-letters-about")) }
                            }
                        }
                        tbody {
                            @for (queue, letter) in &listed.items {
                                @let shown = dead_letter_json(*queue, letter);
                                tr {
                                    td {
                                        input type="checkbox" name="id" value=(letter.id) checked[chosen.contains(&letter.id.as_str())]
                                            aria-label=(texts.with("dead-letters-choose-named", &[("id", letter.id.as_str().into())]));
                                    }
                                    td { (texts.get(&format!("queue-{}", queue.as_str()))) }
                                    td { @if let Some(at) = letter.sent_at { (time(at)) } }
                                    td {
                                        @match &letter.message {
                                            Err(unreadable) => {
                                                span.bad { (texts.get("dead-letters-unreadable")) }
                                                " " span.faint { (said(texts, &unreadable.why)) }
                                            }
                                            Ok(_) => { (about(texts, &shown)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @if listed.truncated { p.faint { (texts.get("dead-letters-more")) } }
                div.row {
                    div.field {
                        label for="reason" { (texts.get("reason")) }
                        input #reason name="reason" required maxlength="500" value=[value(typed, "reason", None)];
                        p.hint { (texts.get("dead-letters-reason-hint")) }
                    }
                    div.field {
                        label for="per_second" { (texts.get("dead-letters-rate")) }
                        input #per_second name="per_second" inputmode="numeric" pattern="[0-9]{1,3}"
                            value=[value(typed, "per_second", None)];
                    }
                    div.field { button name="which" value="chosen" { (texts.get("dead-letters-replay-chosen")) } }
                    div.field { button.second name="which" value="all" { (texts.get("dead-letters-replay-all")) } }
                }
            }
        }
    }
}

/// What a message asks to look at.
fn about(texts: Texts, shown: &serde_json::Value) -> Markup {
    let nudge = &shown["nudge"];
    let kind = known(texts, "nudge", nudge["kind"].as_str().unwrap_or_default());
    html! {
        (kind)
        @if let Some(order) = nudge["order_id"].as_str() {
            " " a href=(format!("/app/orders/{order}")) { (order) }
        }
    }
}
