//! Refusals by what happens next. Nothing about their bodies is documented, so only the status counts
//! (`apis/viva-ongoing-bank.md` 2.4).

use bokbro_app::error::Reason;

/// A refusal that is surely final for the request as it is.
pub(super) enum Refusal {
    /// The login, the warehouse's name or the goods owner is wrong; the text says what to do.
    NoAccess(String),
    /// The request itself is refused.
    Final(Reason),
}

/// Sorts a 4xx answer to an operation.
pub(super) fn refusal(status: u16, operation: &str) -> Refusal {
    let no_access = match status {
        401 => "it refuses user and password; enter them again",
        403 => "the user may not act for this goods owner; have its rights corrected at the warehouse",
        404 if operation != "cancel_order" => "there is no such warehouse; correct its name in the settings",
        _ => {
            let message = format!(
                "Ongoing refused {operation} with status {status}; look at the order there, correct what it names, and try again"
            );
            return Refusal::Final(Reason::new(format!("ongoing_{status}"), message));
        }
    };
    Refusal::NoAccess(format!("{no_access} ({operation}, status {status})"))
}
