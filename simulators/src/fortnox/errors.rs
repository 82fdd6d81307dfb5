//! Refusals in the shapes that Fortnox has been seen to use (`apis/fortnox.md` 3).

use super::json::{Json, Object};

/// A code for refusals whose real code nobody has recorded (`apis/fortnox.md` 9). Nothing may branch on it.
pub(super) const UNRECORDED: u32 = 2_009_999;

/// Why a call has no effect.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The usual envelope.
    Envelope { status: u16, code: u32, message: String, upper_case: bool },
    /// The bearer token is missing, unknown or expired: an answer without the envelope.
    Unauthorized,
    /// More calls than the window allows.
    TooMany,
}

impl Refusal {
    /// A body or query that is not accepted; recorded in lower case.
    pub(super) fn invalid(code: u32, message: impl Into<String>) -> Self {
        Self::Envelope { status: 400, code, message: message.into(), upper_case: false }
    }

    /// A document that a path names and that does not exist; recorded in upper case.
    pub(super) fn not_found(code: u32, message: &str) -> Self {
        Self::Envelope { status: 404, code, message: message.to_owned(), upper_case: true }
    }

    /// A state that does not allow the action.
    pub(super) fn not_now(message: impl Into<String>) -> Self {
        Self::invalid(UNRECORDED, message)
    }

    pub(super) fn customer_not_found() -> Self {
        Self::not_found(2_000_433, "Kan inte hitta kunden.")
    }

    pub(super) fn order_not_found() -> Self {
        Self::not_found(2_000_439, "Kan inte hitta ordern.")
    }

    pub(super) fn invoice_not_found() -> Self {
        Self::not_found(2_000_434, "Kan inte hitta fakturan.")
    }

    pub(super) fn no_such_account(account: u32) -> Self {
        Self::invalid(2_001_304, format!("Kunde inte hitta konto {account}."))
    }

    pub(super) fn wrong_data() -> Self {
        Self::invalid(2_001_392, "Ingen eller felaktig typ av data.")
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::invalid(2_001_795, format!("Obligatoriskt fält saknas ({field})."))
    }

    pub(super) fn bad_parameter() -> Self {
        Self::invalid(2_000_588, "Ogiltig parameter i anropet.")
    }

    /// The `ErrorInformation` envelope, or the bare 401.
    pub(super) fn body(&self) -> Json {
        match self {
            Self::Envelope { code, message, upper_case: true, .. } => {
                envelope(["Error", "Message", "Code"], *code, message)
            }
            Self::Envelope { code, message, upper_case: false, .. } => {
                envelope(["error", "message", "code"], *code, message)
            }
            Self::Unauthorized => Object::default().with("message", "unauthorized").into(),
            Self::TooMany => Object::default().with("message", "Too Many Requests").into(),
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Envelope { status, .. } => *status,
            Self::Unauthorized => 401,
            Self::TooMany => 429,
        }
    }
}

fn envelope([error, text, number]: [&str; 3], code: u32, message: &str) -> Json {
    let information = Object::default().with(error, 1_u32).with(text, message).with(number, code);
    Object::default().with("ErrorInformation", information).into()
}
