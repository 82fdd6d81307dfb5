//! Visma eEkonomi (now Spiris), a Swedish ledger program: consent, access tokens and a look at the company.

mod auth;
mod limit;
mod requests;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Checkup, Clock, EntryField, Findings, Tokens};

use self::auth::{COMPANY_ID, claimed};
use self::wire::{CompanySettings, Refused};
use crate::kit::{Answer, Client, Wire};

/// The provider's name in settings, keys and logs.
pub const NAME: &str = "visma";

/// Nothing is entered by hand: a consent brings all that is needed.
pub const ENTRY_FIELDS: &[EntryField] = &[];

/// Visma's hosts, without a path. Sandbox companies live on the same ones (`apis/visma.md` 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VismaUrls {
    /// The API.
    pub api: String,
    /// Consent and tokens.
    pub auth: String,
}

impl Default for VismaUrls {
    fn default() -> Self {
        Self {
            api: "https://eaccountingapi.vismaonline.com".to_owned(),
            auth: "https://identity.vismaonline.com".to_owned(),
        }
    }
}

/// Visma, for all tenants.
pub struct Visma {
    urls: VismaUrls,
    client: Client,
}

impl Visma {
    /// Visma behind these hosts.
    #[must_use]
    pub fn new(urls: VismaUrls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { urls, client: Client::new(NAME, wire, clock) }
    }

    /// The company's own settings, the cheapest read that tells whose company it is.
    async fn company_settings(
        &self,
        client: &Client,
        tokens: Arc<dyn Tokens>,
    ) -> Result<CompanySettings, Error> {
        let request = requests::company_settings(&self.urls, tokens);
        let answer = client.read(&request).await?;
        let garbled = |why: String| client.garbled(&request, why).into_read_error();
        if !answer.is_success() {
            return Err(match no_access(&answer) {
                Some(message) => client.consent(message),
                None => garbled(format!("status {}", answer.status)),
            });
        }
        answer.json().map_err(|why| garbled(why.to_string()))
    }
}

#[async_trait]
impl Checkup for Visma {
    async fn check(&self, access: &Access) -> Result<Findings, Error> {
        let found = self.company_settings(&self.client.paced(access), access.tokens.clone()).await?;
        let told = [claimed(&access.tokens.token().await?), found.company_identifier()];
        let mut told = told.into_iter().flatten();
        if let Some(ours) = access.connection.settings.get(COMPANY_ID)
            && let Some(other) = told.next()
            && other != *ours
            && told.all(|other| other != *ours)
        {
            return Err(self.client.consent(format!(
                "the token is for company {other}, the connection for {ours}; nothing was written; give consent in \
                 the right company"
            )));
        }
        let number = found.corporate_identity_number.0;
        let details = number.map(|number| ("organisation_number".to_owned(), number)).into_iter().collect();
        Ok(Findings { name: found.name.0, details, settings: BTreeMap::new() })
    }
}

/// What people must do about a refusal (`apis/visma.md` 3). A code alone does not decide: 4002 has a second meaning with
/// status 400.
fn no_access(answer: &Answer) -> Option<String> {
    let refused: Option<Refused> = answer.json().ok();
    let code = refused.and_then(|refused| refused.error_code.as_deref()?.parse::<u32>().ok());
    let message = match (answer.status, code?) {
        (403, 4002) => {
            "the company has no access to the API; activate it in Visma under apps and add-ons, and check that the consent \
             was not given for a standard company"
        }
        (403, 4003) => "the company's start-up guide is not finished; finish it in Visma",
        (_, 4006) => "the consent does not cover what is needed; give it again",
        (_, 4007 | 4011 | 4012 | 4019) => {
            "the user who gave the consent lost the right to the company; let a user with the right give it again"
        }
        (_, 4004 | 4009) => "the company's variant of the program lacks the API; change it in Visma",
        (_, 4034) => {
            "the app's credentials are for sandbox companies only; ask Visma for those of production"
        }
        _ => return None,
    };
    Some(format!("{message} (code {})", code?))
}
