//! API keys: made here, shown once, revoked here.

use bokbro_app::records::{ApiKey, Role};
use bokbro_app::secret::SecretText;
use maud::{Markup, html};

use crate::form::{Refused, value};
use crate::format::time;
use crate::layout::Frame;
use crate::words::refusal;

/// What became of a wish for a key, if there was one.
pub enum Made<'a> {
    /// There was none.
    Nothing,
    /// This one was made; it is shown this once.
    Key(SecretText, ApiKey),
    /// It was refused.
    Refused(Refused<'a>),
}

/// The page.
#[must_use]
pub fn page(frame: &Frame<'_>, keys: &[ApiKey], made: &Made<'_>) -> Markup {
    let texts = frame.texts;
    let typed = match made {
        Made::Refused(refused) => Some(refused.form),
        Made::Nothing | Made::Key(..) => None,
    };
    let chosen = value(typed, "role", Some(Role::Operator.as_str()));
    html! {
        @match made {
            Made::Nothing => {}
            Made::Key(key, about) => {
                section.notice role="status" {
                    h2 { (texts.with("keys-made", &[("name", about.name.as_str().into())])) }
                    p { (texts.get("keys-shown-once")) }
                    p { code #made-key { (key.expose()) } }
                }
            }
            Made::Refused(refused) => { (refusal(texts, refused.error)) }
        }
        @if keys.is_empty() {
            p { (texts.get("keys-none")) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(texts.get("nav-keys")) {
                table {
                    thead {
                        tr {
                            th scope="col" { (texts.get("keys-name")) }
                            th scope="col" { (texts.get("keys-role")) }
                            th scope="col" { (texts.get("keys-prefix")) }
                            th scope="col" { (texts.get("keys-created")) }
                            th scope="col" { (texts.get("keys-used")) }
                            th scope="col" { (texts.get("keys-revoke")) }
                        }
                    }
                    tbody {
                        @for key in keys { (row(frame, key)) }
                    }
                }
            }
        }
        h2 { (texts.get("keys-make")) }
        form.row method="post" action="/app/keys" {
            (frame.token())
            div.field {
                label for="name" { (texts.get("keys-name")) }
                input #name name="name" required maxlength="100" value=[value(typed, "name", None)];
            }
            div.field {
                label for="role" { (texts.get("keys-role")) }
                select #role name="role" {
                    @for role in Role::ALL {
                        option value=(role.as_str()) selected[chosen == Some(role.as_str())] {
                            (texts.get(&format!("role-{}", role.as_str())))
                        }
                    }
                }
            }
            div.field { button { (texts.get("keys-make")) } }
        }
    }
}

fn row(frame: &Frame<'_>, key: &ApiKey) -> Markup {
    let texts = frame.texts;
    let question = texts.with("keys-revoke-confirm", &[("name", key.name.as_str().into())]);
    html! {
        tr {
            th scope="row" { (key.name) }
            td { (texts.get(&format!("role-{}", key.role.as_str()))) }
            td { code { (key.prefix) "…" } }
            td { (time(key.created_at)) }
            td { @match key.used_at { Some(at) => { (time(at)) } None => { (texts.get("keys-never")) } } }
            td {
                form method="post" action=(format!("/app/keys/{}/revoke", key.id)) data-confirm=(question) {
                    (frame.token())
                    button.danger aria-label=(texts.with("keys-revoke-named", &[("name", key.name.as_str().into())])) {
                        (texts.get("keys-revoke"))
                    }
                }
            }
        }
    }
}
