//! Refusals by what happens next. Nothing about their bodies is documented, so only the status counts
//! (`apis/viva-ongoing-bank.md` 2.4).

use bokbro_app::error::Reason;
use bokbro_domain::said;
use bokbro_domain::said::Said;

use crate::kit::reasons;

/// A refusal that is surely final for the request as it is.
pub(super) enum Refusal {
    /// The login, the warehouse's name or the goods owner is wrong; the text says what to do.
    NoAccess(Said),
    /// The request itself is refused.
    Final(Reason),
}

/// Sorts a 4xx answer to an operation.
pub(super) fn refusal(status: u16, operation: &str) -> Refusal {
    let no_access = match status {
        401 => said!("ongoing-user-refused", "it refuses user and password; enter them again"),
        403 => said!(
            "ongoing-user-no-right",
            "the user may not act for this goods owner; have its rights corrected at the warehouse"
        ),
        404 if operation != "cancel_order" => {
            said!("ongoing-no-warehouse", "there is no such warehouse; correct its name in the settings")
        }
        _ => {
            let code = format!("ongoing_{status}");
            return Refusal::Final(reasons::refused(code, "Ongoing", operation, status));
        }
    };
    Refusal::NoAccess(said!(
        "ongoing-no-access",
        "{why} ({operation}, status {status})",
        operation,
        status;
        why = no_access
    ))
}
