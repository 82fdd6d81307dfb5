//! The frame around every page: head, menu, who is signed in.

use bokbro_app::records::{Role, Session};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::catalog::{Language, Texts};

/// What may be loaded, run, framed and posted: only what is ours, and no inline code.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What browsers are told with every page.
pub const PROTECTION: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
];

/// A page of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the catalog, behind `nav-`.
    pub name: &'static str,
    /// Where it is.
    pub path: &'static str,
    /// Who may see it.
    pub role: Role,
}

/// The menu.
pub const MENU: [Entry; 10] = [
    Entry { name: "overview", path: "/app", role: Role::Viewer },
    Entry { name: "orders", path: "/app/orders", role: Role::Viewer },
    Entry { name: "parked", path: "/app/parked", role: Role::Bookkeeper },
    Entry { name: "connections", path: "/app/connections", role: Role::Bookkeeper },
    Entry { name: "jobs", path: "/app/jobs", role: Role::Bookkeeper },
    Entry { name: "dead-letters", path: "/app/dead-letters", role: Role::Operator },
    Entry { name: "settings", path: "/app/settings", role: Role::Owner },
    Entry { name: "keys", path: "/app/keys", role: Role::Owner },
    Entry { name: "audit", path: "/app/audit", role: Role::Owner },
    Entry { name: "api", path: "/app/api", role: Role::Viewer },
];

/// What every page of somebody who is signed in needs to know.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The language.
    pub texts: Texts,
    /// Who is signed in.
    pub session: &'a Session,
    /// What they may do where they are.
    pub role: Role,
    /// The path of the page, for the menu and the change of language.
    pub path: &'a str,
}

impl Frame<'_> {
    /// The whole document of a page.
    #[must_use]
    pub fn page(&self, title: &str, body: &Markup) -> String {
        let texts = self.texts;
        let menu = MENU.iter().filter(|entry| self.role >= entry.role);
        let header = html! {
            header.top {
                a.brand href="/app" { (texts.get("app-name")) }
                nav.menu aria-label=(texts.get("menu")) {
                    ul {
                        @for entry in menu {
                            li {
                                a href=(entry.path) aria-current=[self.is_at(entry).then_some("page")] {
                                    (texts.get(&format!("nav-{}", entry.name)))
                                }
                            }
                        }
                    }
                }
                (self.person())
            }
        };
        document(texts, title, &header, body)
    }

    fn is_at(&self, entry: &Entry) -> bool {
        self.path == entry.path
            || (entry.path != "/app"
                && self.path.strip_prefix(entry.path).is_some_and(|rest| rest.starts_with('/')))
    }

    fn person(&self) -> Markup {
        let texts = self.texts;
        html! {
            div.person {
                p {
                    (texts.with("signed-in-as", &[("name", self.session.name.as_str().into())]))
                    " · " (self.session.tenant) " · "
                    (texts.get(&format!("role-{}", self.role.as_str())))
                }
                @if self.session.grants.len() > 1 {
                    form method="post" action="/app/tenant" {
                        (self.token())
                        label for="tenant" { (texts.get("switch-tenant")) }
                        select id="tenant" name="tenant" {
                            @for tenant in self.session.grants.keys() {
                                option value=(tenant) selected[*tenant == self.session.tenant] { (tenant) }
                            }
                        }
                        button { (texts.get("switch")) }
                    }
                }
                form method="post" action="/app/language" {
                    (self.token())
                    input type="hidden" name="back" value=(self.path);
                    button.plain name="language" value=(other(texts.language()).tag()) lang=(other(texts.language()).tag()) {
                        (texts.get("language-other"))
                    }
                }
                form method="post" action="/app/sign-out" {
                    (self.token())
                    button.plain { (texts.get("sign-out")) }
                }
            }
        }
    }

    /// The hidden field without which no form counts.
    #[must_use]
    pub fn token(&self) -> Markup {
        html! { input type="hidden" name="form_token" value=(self.session.form_token); }
    }
}

fn other(language: Language) -> Language {
    match language {
        Language::Swedish => Language::English,
        Language::English => Language::Swedish,
    }
}

/// A page for somebody who is not signed in.
#[must_use]
pub fn outside(texts: Texts, title: &str, body: &Markup) -> String {
    let header = html! { header.top { a.brand href="/app" { (texts.get("app-name")) } } };
    document(texts, title, &header, body)
}

fn document(texts: Texts, title: &str, header: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(texts.language().tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (texts.get("app-name")) }
                link rel="icon" href=(ICON.path);
                link rel="stylesheet" href=(STYLE.path);
                script src=(SCRIPT.path) defer {}
            }
            body {
                a.skip href="#content" { (texts.get("skip-to-content")) }
                (PreEscaped(header.0.as_str()))
                main #content tabindex="-1" {
                    h1 { (title) }
                    (PreEscaped(body.0.as_str()))
                }
            }
        }
    };
    page.into_string()
}
