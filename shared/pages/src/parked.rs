//! What waits for a human: the list, and one item with what can be done about it.

use bokbro_app::parked::{Action, PROVIDER, actions, actions_of};
use bokbro_app::ports::Page;
use bokbro_app::records::Parked;
use bokbro_domain::money::{Currency, Money};
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::form::{Form, Refused, value};
use crate::format::{amount, capital, digits, time};
use crate::layout::Frame;
use crate::words::{known, refusal, said};

/// The list.
#[must_use]
pub fn list(frame: &Frame<'_>, page: &Page<Parked>) -> Markup {
    let texts = frame.texts;
    html! {
        @if page.items.is_empty() {
            p.good { (texts.get("overview-nothing")) }
        } @else {
            ul.cards {
                @for parked in &page.items {
                    li.card {
                        h2 { a href=(path(parked)) { (title(texts, parked)) } }
                        @if let Some(advice) = advice(texts, parked) { p { (advice) } }
                        p.faint { (time(parked.at)) " · " (said(texts, &parked.message)) }
                    }
                }
            }
        }
        @if let Some(next) = &page.next {
            p { a.button.second href=(format!("/app/parked?cursor={}", next.0)) rel="next" { (texts.get("older")) } }
        }
    }
}

/// One item, after an answer to it that was refused.
#[must_use]
pub fn detail(frame: &Frame<'_>, parked: &Parked, refused: Option<Refused<'_>>) -> Markup {
    let texts = frame.texts;
    html! {
        @if let Some(refused) = refused { (refusal(texts, refused.error)) }
        @if let Some(advice) = advice(texts, parked) { p { (advice) } }
        dl.facts {
            dt { (texts.get("parked-message")) } dd { (said(texts, &parked.message)) }
            dt { (texts.get("parked-at")) } dd { (time(parked.at)) }
            @if let Some(order) = &parked.order {
                dt { (texts.get("order-number")) } dd { a href=(format!("/app/orders/{order}")) { (order) } }
            }
            @for (name, value) in parked.details.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())) {
                dt { (known(texts, "detail", name)) } dd { (fact(texts, parked, name, value)) }
            }
            dt { (texts.get("reference")) } dd { code { (parked.correlation) } }
        }
        h2 { (texts.get("parked-do")) }
        div.cards {
            @for action in actions(parked) {
                @let typed = refused.map(|refused| refused.form);
                (form(frame, parked, action, typed.filter(|form| form.field("action") == action.as_str())))
            }
        }
    }
}

/// Detail that is the currency of an amount.
const CURRENCY: &str = "currency";
/// Details that are whole messages, for programs, and the currency, which stands with its amount.
const LEFT_OUT: [&str; 4] = ["message", "hint", "body", CURRENCY];

/// A detail as people write it. Ids and references stand as they are.
fn fact(texts: Texts, parked: &Parked, name: &str, value: &str) -> Markup {
    let words = match name {
        PROVIDER => capital(value),
        "queue" => known(texts, "queue", value),
        "amount" | "claimed_amount" => {
            let currency = parked.details.get(CURRENCY).and_then(|letters| Currency::parse(letters).ok());
            let money = currency.and_then(|currency| Money::parse_major(value, currency).ok());
            // What a message claims may be anything.
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let plain = || if is_number { digits(value) } else { value.to_owned() };
            money.map_or_else(plain, amount)
        }
        "order_numbers" => match serde_json::from_str::<Vec<String>>(value) {
            Ok(numbers) => numbers.join(", "),
            Err(_) => value.to_owned(),
        },
        _ => return html! { code { (value) } },
    };
    html! { (words) }
}

fn form(frame: &Frame<'_>, parked: &Parked, action: Action, typed: Option<&Form>) -> Markup {
    let texts = frame.texts;
    let name = action.as_str();
    let field = match action {
        Action::Exists => Some("number"),
        Action::Match => Some("order_id"),
        Action::Retry | Action::Send | Action::Dismiss => None,
    };
    html! {
        form.card method="post" action=(format!("{}/resolve", path(parked))) {
            (frame.token())
            input type="hidden" name="action" value=(name);
            h3 { (texts.get(&format!("action-{name}"))) }
            p.hint { (texts.get(&format!("action-{name}-hint"))) }
            @if let Some(field) = field {
                div.field {
                    label for=(format!("{name}-{field}")) { (texts.get(&format!("action-{name}-field"))) }
                    input id=(format!("{name}-{field}")) name=(field) required value=[value(typed, field, None)];
                }
            }
            div.field {
                label for=(format!("{name}-reason")) { (texts.get("reason")) }
                input id=(format!("{name}-reason")) name="reason" maxlength="500" required[action == Action::Dismiss]
                    value=[value(typed, "reason", None)];
            }
            button.danger[action == Action::Dismiss] { (texts.get(&format!("action-{name}"))) }
        }
    }
}

/// Where an item's page is.
#[must_use]
pub fn path(parked: &Parked) -> String {
    format!("/app/parked/{}", parked.id)
}

/// What an item is about; a reason that the catalog does not know shows as the API has it.
#[must_use]
pub fn title(texts: Texts, parked: &Parked) -> String {
    say(texts, parked, "").unwrap_or_else(|| parked.code.replace('_', " "))
}

/// What helps.
fn advice(texts: Texts, parked: &Parked) -> Option<String> {
    say(texts, parked, "-advice")
}

/// What the catalog says of an item's reason. Refusals have a reason each, so they are spoken of by their shape.
fn say(texts: Texts, parked: &Parked, what: &str) -> Option<String> {
    if let Some(text) = texts.find(&format!("reason-{}{what}", parked.code)) {
        return Some(text);
    }
    if parked.code.ends_with("_refused") {
        return texts.find(&format!("reason-step_refused{what}"));
    }
    let provider = parked.details.get(PROVIDER).map(String::as_str);
    actions_of(&parked.code, provider)?;
    let key = format!("reason-provider_refused{what}");
    Some(texts.with(&key, &[("provider", provider?.into())]))
}
