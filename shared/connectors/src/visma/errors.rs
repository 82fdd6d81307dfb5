//! Refusals by what happens next (`apis/visma.md` 3). Code and status decide together, never the text.

use std::time::Duration;

use bokbro_app::error::Reason;
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::wire::{Limited, Refused};
use crate::kit::Answer;

/// A value that breaks a rule.
pub(super) const INVALID: u32 = 2000;
/// What the state of a document does not allow. With status 403 it means something else.
pub(super) const NOT_NOW: u32 = 4002;
/// There is no such thing; the status varies.
pub(super) const NOT_FOUND: u32 = 3000;
/// A number that is somebody else's.
pub(super) const CONFLICT: u32 = 4000;
/// A filter or a date in it that is not taken.
pub(super) const BAD_QUERY: [u32; 2] = [6000, 6001];

/// Codes of bad days, should they come with a status that does not say so.
const PASSING: [u32; 4] = [4010, 5000, 5001, 5002];

/// A refusal of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A login, right or licence is missing; the text says what to do.
    NoAccess(Said),
    /// It passes by itself, and what became of the request is not known.
    Passing,
    /// The request itself is refused for good.
    Final(Reason),
}

/// The code in a refusal's envelope, if it has one.
pub(super) fn code(answer: &Answer) -> Option<u32> {
    let refused: Refused = answer.json().ok()?;
    refused.error_code.as_deref()?.parse().ok()
}

/// How long a 429 asks to wait, which only its text tells: "Try again in 55 seconds." (`apis/visma.md` 4).
pub(super) fn told_wait(answer: &Answer) -> Option<Duration> {
    let limited: Limited = answer.json().ok()?;
    let words: Vec<&str> = limited.text.as_deref()?.split_whitespace().collect();
    let told = words.windows(2).find(|pair| pair[1].starts_with("second"))?;
    told[0].parse::<u16>().ok().map(|seconds| Duration::from_secs(seconds.into()))
}

/// Sorts a 4xx answer to an operation.
pub(super) fn refusal(answer: &Answer, operation: &str) -> Refusal {
    if let Some(message) = no_access(answer) {
        return Refusal::NoAccess(message);
    }
    let Some(code) = code(answer) else {
        if answer.status == 403 {
            // Whoever is not let in with one order is not let in with the next one either.
            return Refusal::NoAccess(said!(
                "visma-forbidden",
                "Visma refused {operation} with status 403 and does not say why; look in Visma whether the app is still \
                 allowed, and check the connection",
                operation
            ));
        }
        let message = said!(
            "refused-without-code",
            "{provider} refused {operation} with status {status} and no code; try again, and ask {provider} if it stays so",
            provider = "Visma",
            operation,
            status = answer.status
        );
        return Refusal::Final(Reason::new(format!("visma_http_{}", answer.status), message));
    };
    if PASSING.contains(&code) {
        return Refusal::Passing;
    }
    let name = match code {
        4026 | 4038 => "period_locked".to_owned(),
        3001 => "financial_year_missing".to_owned(),
        _ => format!("visma_{code}"),
    };
    Refusal::Final(Reason::new(
        name,
        said!(
            "refused-with-code",
            "{provider} refused {operation} (code {code}): {what}",
            provider = "Visma",
            operation,
            code;
            what = what_to_do(code)
        ),
    ))
}

/// What people must do about a refusal that only they can lift. A code alone does not decide: 4002 has a second meaning
/// with status 400.
pub(super) fn no_access(answer: &Answer) -> Option<Said> {
    let code = code(answer)?;
    let message = match (answer.status, code) {
        (403, 4002) => said!(
            "visma-no-api",
            "the company has no access to the API; activate it in Visma under apps and add-ons, and check that the consent \
             was not given for a standard company"
        ),
        (403, 4003) => {
            said!("visma-guide", "the company's start-up guide is not finished; finish it in Visma")
        }
        (_, 4005) => said!("visma-consent-over", "the consent does not count any more; give it again"),
        (_, 4006) => said!("visma-consent-short", "the consent does not cover what is needed; give it again"),
        (_, 4007 | 4011 | 4012 | 4019) => said!(
            "visma-user-right",
            "the user who gave the consent lost the right to the company; let a user with the right give it again"
        ),
        (_, 4004 | 4009) => {
            said!("visma-variant", "the company's variant of the program lacks the API; change it in Visma")
        }
        (_, 4034) => said!(
            "visma-sandbox",
            "the app's credentials are for sandbox companies only; ask Visma for those of production"
        ),
        _ => return None,
    };
    Some(said!("access-with-code", "{message} (code {code})", code; message))
}

/// What a person does about a code.
fn what_to_do(code: u32) -> Said {
    match code {
        INVALID => said!(
            "visma-bad-value",
            "a value does not fit its field; correct the order's texts and amounts and try again"
        ),
        NOT_FOUND => said!(
            "visma-gone",
            "the customer, article, bank account or draft does not exist any more; restore it in Visma, or finish the \
             order by hand"
        ),
        3001 => {
            said!("visma-no-year", "there is no fiscal year for the date; open it in Visma and try again")
        }
        3002 => said!(
            "visma-account-gone",
            "an account does not exist or is inactive; correct the article account coding in Visma"
        ),
        3003 => said!(
            "visma-may-not-approve",
            "the user who gave the consent may not approve this; let one who may give it again"
        ),
        CONFLICT => said!(
            "visma-number-taken",
            "the number belongs to an inactive customer or article, or to a customer of another organization number; \
             mend it in Visma and try again"
        ),
        NOT_NOW => said!(
            "visma-not-now",
            "Visma does not allow it as things stand; look at the document in Visma, then try again or finish by hand"
        ),
        4008 | 4029 => said!(
            "visma-bad-number",
            "the organization or personal number is not valid; correct the order and try again"
        ),
        4013 | 4024 => said!(
            "visma-sales-account",
            "a sales account is missing; complete the article account coding in Visma and try again"
        ),
        4023 => {
            said!("visma-too-early", "the day of payment is not over yet where Visma is; try again tomorrow")
        }
        4025 => said!(
            "visma-vat-number",
            "the customer's VAT number is not valid; correct it in Visma and try again"
        ),
        4026 => said!(
            "visma-period-locked",
            "the date lies in a locked period; unlock the period in Visma and try again"
        ),
        4030 => said!(
            "visma-bad-reference",
            "the invoice's payment reference is not valid; correct the settings of references in Visma"
        ),
        4038 => said!(
            "visma-year-locked",
            "the date lies in a locked fiscal year; unlock the year in Visma and try again"
        ),
        4039 => {
            said!("visma-foreign-account", "the bank account is in a foreign currency; choose one in kronor")
        }
        5003..=5007 => said!(
            "visma-forbidden-by-setting",
            "a setting of the article, project or cost center forbids it; correct it in Visma and try again"
        ),
        6000 | 6001 => {
            said!("visma-bad-query", "Visma does not take the query any more; report this as a bug")
        }
        _ => said!(
            "visma-look-up",
            "look the code up in Visma's documentation, correct what it names and try again"
        ),
    }
}
