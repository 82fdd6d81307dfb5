//! Pages around signing in, and those that say why something cannot be shown.

use bokbro_app::error::Error;
use bokbro_app::records::Role;
use bokbro_app::signin::Refused;
use bokbro_domain::said::Said;
use maud::html;

use crate::catalog::Texts;
use crate::layout::outside;
use crate::words::said;

/// Why somebody sees a page with a message instead of what they wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Nobody has set a sign-in provider up.
    NoSignIn,
    /// Signed out; with the address at which the provider forgets the browser too.
    SignedOut(Option<String>),
    /// The sign-in was begun elsewhere or too long ago.
    OtherBrowser,
    /// The provider signed nobody in.
    NotSignedIn,
    /// The provider does not answer.
    Away,
    /// Signed in, and let in nowhere.
    NoAccess {
        /// Who it is.
        name: String,
    },
    /// Lacks a role.
    Forbidden(Role),
    /// There is no such page.
    NotFound,
    /// What was asked for stands against what is there.
    Conflict {
        /// What stands against it and what to do.
        why: Said,
    },
    /// The form is of another session.
    FormExpired,
    /// Came too often.
    TooMany {
        /// When to come back.
        seconds: u64,
    },
    /// Something failed.
    Failed {
        /// What to tell us when asking about it.
        reference: String,
    },
}

impl Message {
    /// What somebody is told whom nobody signed in; `reference` is what to tell us when something of ours failed.
    #[must_use]
    pub fn refused(refused: &Refused, reference: &str) -> Self {
        match refused {
            Refused::OtherBrowser => Self::OtherBrowser,
            Refused::NotSignedIn | Refused::Failed(Error::Consent { .. }) => Self::NotSignedIn,
            Refused::NoAccess { name } => Self::NoAccess { name: name.clone() },
            Refused::Failed(Error::Unavailable { .. }) => Self::Away,
            Refused::Failed(_) => Self::Failed { reference: reference.to_owned() },
        }
    }

    /// HTTP status of the page.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::SignedOut(_) => 200,
            Self::OtherBrowser | Self::NotSignedIn | Self::FormExpired => 400,
            Self::NoAccess { .. } | Self::Forbidden(_) => 403,
            Self::NotFound => 404,
            Self::Conflict { .. } => 409,
            Self::TooMany { .. } => 429,
            Self::NoSignIn | Self::Away | Self::Failed { .. } => 503,
        }
    }

    /// The page.
    #[must_use]
    pub fn page(&self, texts: Texts) -> String {
        let (title, text) = self.words(texts);
        let body = html! {
            p {
                @match self {
                    Self::Conflict { why } => { (said(texts, why)) }
                    _ => { (text) }
                }
            }
            @match self {
                Self::SignedOut(there) => {
                    @if let Some(there) = there {
                        p { a href=(there) { (texts.get("signed-out-there")) } }
                    }
                    p { a.button href="/app" { (texts.get("sign-in-again")) } }
                }
                Self::OtherBrowser | Self::NotSignedIn | Self::Away => {
                    p { a.button href="/app" { (texts.get("sign-in-again")) } }
                }
                Self::Failed { reference } => {
                    p { (texts.get("reference")) ": " code { (reference) } }
                    p { a href="/app" { (texts.get("back-home")) } }
                }
                Self::Forbidden(_) | Self::NotFound | Self::Conflict { .. } | Self::FormExpired => {
                    p { a href="/app" { (texts.get("back-home")) } }
                }
                Self::NoSignIn | Self::NoAccess { .. } | Self::TooMany { .. } => {}
            }
        };
        outside(texts, &title, &body)
    }

    fn words(&self, texts: Texts) -> (String, String) {
        let plain = |title: &str, text: &str| (texts.get(title), texts.get(text));
        match self {
            Self::NoSignIn => plain("sign-in-missing-title", "sign-in-missing-text"),
            Self::SignedOut(_) => plain("signed-out-title", "signed-out-text"),
            Self::OtherBrowser => plain("other-browser-title", "other-browser-text"),
            Self::NotSignedIn => plain("not-signed-in-title", "not-signed-in-text"),
            Self::Away => plain("sign-in-away-title", "sign-in-away-text"),
            Self::NoAccess { name } => {
                let values = [("name", name.as_str().into()), ("group", "demo:bookkeeper".into())];
                (texts.get("no-access-title"), texts.with("no-access-text", &values))
            }
            Self::Forbidden(role) => {
                let role = texts.get(&format!("role-{}", role.as_str()));
                (texts.get("forbidden-title"), texts.with("forbidden-text", &[("role", role.into())]))
            }
            Self::NotFound => plain("not-found-title", "not-found-text"),
            Self::Conflict { .. } => (texts.get("conflict-title"), String::new()),
            Self::FormExpired => plain("form-expired-title", "form-expired-text"),
            Self::TooMany { seconds } => {
                let minutes = seconds.div_ceil(60);
                (texts.get("too-many-title"), texts.with("too-many-text", &[("minutes", minutes.into())]))
            }
            Self::Failed { .. } => plain("failed-title", "failed-text"),
        }
    }
}

/// The page from which people go to sign in. A link takes them there: browsers that hold forms to our own address would
/// not follow one to the provider's.
#[must_use]
pub fn sign_in(texts: Texts, wanted: &str) -> String {
    let wanted: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    let body = html! {
        p { (texts.get("sign-in-text")) }
        p { a.button href=(format!("/app/sign-in/start?to={wanted}")) { (texts.get("sign-in-button")) } }
    };
    outside(texts, &texts.get("sign-in-title"), &body)
}
