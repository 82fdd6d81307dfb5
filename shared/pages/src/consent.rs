//! What became of a consent at a provider, and what to do next.

use bokbro_app::oauth::{Outcome, StateFault};
use bokbro_app::ports::ConsentRefusal;
use bokbro_domain::ids::{CorrelationId, Provider};
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::format::provider_name;
use crate::layout::outside;

/// HTTP status of the page of an outcome.
#[must_use]
pub fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Connected { .. } => 200,
        // The provider's answer was taken and understood; no browser or proxy shall try again.
        Outcome::Refused(_) => 200,
        Outcome::BadState(_) => 400,
        Outcome::UnknownProvider => 404,
        Outcome::Failed(_) => 503,
    }
}

/// The page of an outcome. Only what went wrong has a reference: nobody asks about what worked.
#[must_use]
pub fn page(texts: Texts, outcome: &Outcome, provider: &Provider, correlation: &CorrelationId) -> String {
    let name = provider_name(provider);
    let say = |what: &str| {
        texts.with(&format!("consent-{}{what}", name_of(outcome)), &[("provider", name.as_str().into())])
    };
    let body = html! {
        p { (say("-text")) }
        @if let Outcome::Connected { resumed } = outcome {
            @let count = resumed.orders + resumed.deliveries;
            @if count > 0 { p { (texts.with("consent-resumed", &[("count", count.into())])) } }
        }
        p { (say("-advice")) }
        div.row {
            @if may_try_again(outcome) {
                a.button href=(format!("/oauth/{provider}/start")) { (texts.get("consent-again")) }
            }
            (to_connections(texts, outcome))
        }
        @if !matches!(outcome, Outcome::Connected { .. }) {
            p.faint { (texts.get("reference")) ": " code { (correlation) } }
        }
    };
    outside(texts, &say(""), &body)
}

fn to_connections(texts: Texts, outcome: &Outcome) -> Markup {
    let class = if may_try_again(outcome) { "button second" } else { "button" };
    html! { a class=(class) href="/app/connections" { (texts.get("consent-connections")) } }
}

/// Whether beginning anew is what helps. A link that somebody else made must not be followed by an invitation to go on.
fn may_try_again(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(_) | Outcome::Failed(_) => true,
        Outcome::BadState(fault) => match fault {
            StateFault::Expired | StateFault::OtherProvider => true,
            StateFault::Forged | StateFault::OtherBrowser | StateFault::Used => false,
        },
        Outcome::Connected { .. } | Outcome::UnknownProvider => false,
    }
}

/// An outcome's name in the catalog, behind `consent-`.
fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Connected { .. } => "connected",
        Outcome::Refused(why) => match why {
            ConsentRefusal::Denied => "denied",
            ConsentRefusal::InvalidScope => "invalid-scope",
            ConsentRefusal::MissingLicense => "missing-license",
            ConsentRefusal::MissingAdminRight => "missing-admin-right",
            ConsentRefusal::Nothing => "nothing",
            ConsentRefusal::CodeExpired => "code-expired",
            ConsentRefusal::OtherCompany => "other-company",
            ConsentRefusal::Other => "other",
        },
        Outcome::BadState(fault) => match fault {
            StateFault::Forged => "forged",
            StateFault::Expired => "expired",
            StateFault::OtherBrowser => "other-browser",
            StateFault::OtherProvider => "other-provider",
            StateFault::Used => "used",
        },
        Outcome::Failed(_) => "failed",
        Outcome::UnknownProvider => "unknown-provider",
    }
}
