//! The shapes of Visma's JSON, as far as they are used. Names came in both casings within months (`apis/visma.md` 6), so
//! both are read, and everything may be missing.

use serde::Deserialize;

use crate::kit::LooseText;

/// The company.
#[derive(Deserialize)]
pub(super) struct CompanySettings {
    #[serde(rename = "Name", alias = "name", default)]
    pub(super) name: LooseText,
    #[serde(rename = "CorporateIdentityNumber", alias = "corporateIdentityNumber", default)]
    pub(super) corporate_identity_number: LooseText,
    #[serde(rename = "CompanyIdentifier", alias = "companyIdentifier", default)]
    company_identifier: LooseText,
}

impl CompanySettings {
    /// The company's own id, in lower case.
    pub(super) fn company_identifier(&self) -> Option<String> {
        self.company_identifier.as_deref().map(str::to_lowercase)
    }
}

/// A refusal of the API. Its text may quote what was sent, so it is not even read.
#[derive(Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "ErrorCode", alias = "errorCode", default)]
    pub(super) error_code: LooseText,
}

/// What is read of an access token.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    pub(super) customer_id: LooseText,
}
