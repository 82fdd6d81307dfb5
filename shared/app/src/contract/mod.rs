//! What the HTTP API promises: every route's parameters, body, answers and refusals, as data.
//!
//! The list of routes holds one [`Operation`] per route, so no route is without its description. [`openapi`] writes all of
//! them down for programs; the pages show the same to people.

mod document;
mod elsewhere;
mod operations;
mod parameters;
pub mod shapes;

use bokbro_domain::ids::Provider;
use serde_json::Value;

pub use document::openapi;
pub use elsewhere::ELSEWHERE;
pub use operations::*;

use crate::ports::{EntryField, Providers};
use crate::records::Role;

/// What a request does to what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes, or sets something going.
    Post,
    /// Replaces.
    Put,
    /// Takes away.
    Delete,
}

impl Verb {
    /// The method's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A route and what it promises.
#[derive(Clone, Copy)]
pub struct Described {
    /// Method.
    pub verb: Verb,
    /// Path, with its parameters in braces.
    pub path: &'static str,
    /// Who may call it; anyone without a role.
    pub role: Option<Role>,
    /// What it takes and answers.
    pub operation: &'static Operation,
}

/// What a route takes and answers. What all routes have in common stands in [`Described::problems`].
pub struct Operation {
    /// Its name in generated clients.
    pub id: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Parameters in path, query and headers.
    pub parameters: &'static [Parameter],
    /// What it takes as a body.
    pub body: Option<Posted>,
    /// What it answers when all is well.
    pub answers: &'static [Answer],
    /// Refusals of its own: status, code, when.
    pub problems: &'static [Told],
}

/// A refusal: status, code, when.
pub type Told = (u16, &'static str, &'static str);

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path; it must be there.
    Path,
    /// In the query; it may be left out.
    Query,
    /// In a header; it may be left out.
    Header,
}

impl Place {
    /// Its name in OpenAPI.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What it may be.
    pub schema: fn(&Build) -> Value,
}

/// A body that a route takes.
pub struct Posted {
    /// What it looks like.
    pub shape: &'static Shape,
    /// Whether it may be left out.
    pub required: bool,
}

/// A good answer.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub about: &'static str,
    /// What is in it.
    pub content: Content,
}

/// What is in an answer.
#[derive(Clone, Copy)]
pub enum Content {
    /// One thing.
    One(&'static Shape),
    /// A page of a list.
    Page(&'static Shape),
    /// A page for people.
    Html,
    /// Only where to go, in the header `Location`.
    Elsewhere,
}

/// A JSON value with a name.
pub struct Shape {
    /// Its name in the contract.
    pub name: &'static str,
    /// Its JSON Schema (2020-12).
    pub schema: fn(&Build) -> Value,
    /// One that could come.
    pub example: fn(&Build) -> Value,
}

/// What this build knows of providers: the contract names them, and the code that writes it does not.
pub struct Build {
    /// All providers, with what people enter for each.
    pub providers: Vec<(Provider, &'static [EntryField])>,
    /// Payment providers.
    pub payments: Vec<Provider>,
    /// Ledger programs.
    pub accounting: Vec<Provider>,
    /// Warehouses.
    pub warehouses: Vec<Provider>,
}

impl Build {
    /// What a registry knows.
    #[must_use]
    pub fn of(providers: &dyn Providers) -> Self {
        let names = providers.names();
        let able = |can: &dyn Fn(&Provider) -> bool| names.iter().filter(|name| can(name)).cloned().collect();
        Self {
            payments: able(&|name| providers.payments(name).is_some()),
            accounting: able(&|name| providers.accounting(name).is_some()),
            warehouses: able(&|name| providers.shipping(name).is_some()),
            providers: names
                .iter()
                .map(|name| (name.clone(), providers.entry_fields(name).unwrap_or_default()))
                .collect(),
        }
    }

    /// The first payment provider, ledger program and warehouse, for examples.
    fn first(of: &[Provider]) -> &str {
        of.first().map_or("", Provider::as_str)
    }
}

impl Described {
    /// What it is about: the first word of its path behind the version.
    #[must_use]
    pub fn group(&self) -> &'static str {
        let path = self.path.trim_start_matches("/v1").trim_start_matches('/');
        path.split(['/', '.']).next().unwrap_or(path)
    }

    /// Every refusal that may come: those of its own, and those that follow from what it takes.
    #[must_use]
    pub fn problems(&self) -> Vec<Told> {
        let Operation { parameters, body, problems, .. } = self.operation;
        let has = |place| parameters.iter().any(|parameter| parameter.place == place);
        let mut all = problems.to_vec();
        if has(Place::Query) || has(Place::Header) || body.is_some() {
            all.push((400, "invalid", "A field breaks a rule; `field` names it."));
        }
        if self.role.is_some() {
            all.push((401, "unauthorized", "No API key or session that counts."));
            all.push((403, "forbidden", "The caller's role is too low."));
            if self.verb != Verb::Get {
                all.push((403, "form_token_missing", "A session without its form token."));
            }
            all.push((
                429,
                "too_many_requests",
                "Too many requests of one key or person, or with unknown keys from one address; `Retry-After` says when.",
            ));
            all.push((503, "try_again", "Something of ours failed; trying again is safe."));
        }
        if has(Place::Path) && self.role.is_some() {
            all.push((404, "not_found", "There is no such thing, or it is another tenant's."));
        }
        if body.is_some() {
            all.push((413, "too_large", "The body is over the limit."));
        }
        all.sort_unstable();
        all.dedup_by_key(|told| (told.0, told.1));
        all
    }
}
