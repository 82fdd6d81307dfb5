//! Refusals by what happens next (`apis/fortnox.md` 3). The code decides, never the text.

use bokbro_app::error::Reason;
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::wire::Refused;
use crate::kit::Answer;

/// Customer number taken, also by a deleted customer.
pub(super) const CUSTOMER_NUMBER_TAKEN: u32 = 2_000_637;
/// Nothing is left to be paid on the invoice.
pub(super) const ALREADY_PAID: u32 = 2_003_055;
/// Query parameter or filter value that the list does not take.
pub(super) const BAD_PARAMETER: [u32; 2] = [2_000_588, 2_000_587];

/// Codes of a missing login, right or licence, whatever the status.
const NO_ACCESS: [u32; 10] = [
    2_000_310, 2_000_311, 2_000_663, 2_001_101, 2_001_103, 2_001_339, 2_001_393, 2_002_455, 2_003_275,
    2_004_054,
];

/// A refusal that is surely final for the request as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A login, right or licence is missing; the text says what to do.
    NoAccess(Said),
    /// The request itself is refused.
    Final(Reason),
}

/// The code in a refusal's envelope, if it has one.
pub(super) fn code(answer: &Answer) -> Option<u32> {
    let refused: Refused = answer.json().ok()?;
    refused.information.code.as_deref()?.parse().ok()
}

/// Sorts a 4xx answer to an operation.
pub(super) fn refusal(answer: &Answer, operation: &str) -> Refusal {
    let code = code(answer);
    if answer.status == 401 || answer.status == 403 || code.is_some_and(|code| NO_ACCESS.contains(&code)) {
        return Refusal::NoAccess(no_access(code, answer.status, operation));
    }
    let Some(code) = code else {
        let message = said!(
            "refused-without-code",
            "{provider} refused {operation} with status {status} and no code; try again, and ask {provider} if it stays so",
            provider = "Fortnox",
            operation,
            status = answer.status
        );
        return Refusal::Final(Reason::new(format!("fortnox_http_{}", answer.status), message));
    };
    let name = match code {
        2_000_401 | 2_002_141 => "period_locked".to_owned(),
        _ => format!("fortnox_{code}"),
    };
    Refusal::Final(Reason::new(
        name,
        said!(
            "refused-with-code",
            "{provider} refused {operation} (code {code}): {what}",
            provider = "Fortnox",
            operation,
            code;
            what = what_to_do(code)
        ),
    ))
}

fn no_access(code: Option<u32>, status: u16, operation: &str) -> Said {
    match code {
        Some(code @ 2_001_101) => said!(
            "fortnox-2001101",
            "the company has no licence for {operation} (code {code}); buy the module in Fortnox",
            operation,
            code
        ),
        Some(code @ 2_001_103) => said!(
            "fortnox-2001103",
            "the company has no integration licence (code {code}); buy it in Fortnox",
            code
        ),
        Some(code @ 2_000_663) => said!(
            "fortnox-2000663",
            "the consent does not cover {operation} (code {code}); renew it with the missing scope",
            operation,
            code
        ),
        Some(code) => said!(
            "fortnox-no-right",
            "it refused {operation} (code {code}); check the rights of the user who gave consent, or renew it",
            operation,
            code
        ),
        None => said!(
            "fortnox-no-access",
            "it refused {operation} (status {status}); check rights and licences in Fortnox, or renew the consent",
            operation,
            status
        ),
    }
}

/// What a person does about a code.
fn what_to_do(code: u32) -> Said {
    match code {
        2_000_401 | 2_002_141 => said!(
            "fortnox-period-locked",
            "the date lies in a locked period; unlock the period in Fortnox and try again"
        ),
        CUSTOMER_NUMBER_TAKEN => said!(
            "fortnox-customer-number-taken",
            "the customer number belongs to a deleted or inactive customer, or to one whose organization number was \
             changed; mend that customer, or create the buyer in Fortnox with the same e-mail address or organization \
             number, and try again"
        ),
        2_000_359 => said!(
            "fortnox-bad-characters",
            "a text holds characters that Fortnox does not take; report this as a bug"
        ),
        2_000_106 | 2_000_107 | 2_000_108 | 2_000_134 => {
            said!(
                "fortnox-bad-value",
                "a value does not fit its field; correct the order's texts and try again"
            )
        }
        2_000_204 | 2_000_433 => said!(
            "fortnox-customer-gone",
            "the customer does not exist any more; restore it in Fortnox and try again"
        ),
        2_000_423 | 2_000_550 | 2_001_304 | 2_002_462 => said!(
            "fortnox-account-gone",
            "an account does not exist or is inactive; correct the accounts in the settings or in Fortnox"
        ),
        2_000_434 => {
            said!("fortnox-invoice-gone", "the invoice does not exist any more; check the order by hand")
        }
        2_000_439 => {
            said!("fortnox-order-gone", "the order does not exist any more; check the order by hand")
        }
        2_001_089 => said!(
            "fortnox-paid-before-dated",
            "the day of payment is before the invoice's date; correct the invoice's date in Fortnox"
        ),
        ALREADY_PAID => {
            said!("fortnox-already-paid", "the invoice is paid already; check its payments in Fortnox")
        }
        2_003_498 => said!(
            "fortnox-not-ready",
            "the invoice must be marked as ready in the warehouse module; do so and try again"
        ),
        2_004_052 | 2_004_167 => said!(
            "fortnox-account-vat",
            "an account does not fit the VAT rate; correct the accounts in the settings or the VAT code in Fortnox"
        ),
        _ => said!(
            "fortnox-look-up",
            "look the code up in Fortnox' documentation, correct what it names and try again"
        ),
    }
}
