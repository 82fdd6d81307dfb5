//! Whose books they are: the company behind a token is compared with the connection's before anything is written, and
//! looked up when people ask whether the connection works.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Checkup, Findings, Tokens};
use bokbro_app::secret::SecretText;
use bokbro_domain::said;

use super::Fortnox;
use super::api::Api;
use super::auth::SCOPES;
use super::wire::{Claims, CompanyInformation, Invoice, text};
use crate::kit::{Client, OneToken, claims};

/// The connection's setting that names the company: its database number.
pub(super) const TENANT_ID: &str = "tenant_id";

/// The company that a token is for, when it can be read (`apis/fortnox.md` 1.7).
fn claimed(token: &SecretText) -> Option<String> {
    text(&claims::<Claims>(token)?.tenant_id).map(str::to_owned)
}

/// Refuses a token of another company. One that cannot be read is let through: it is documented as opaque.
pub(super) fn check(client: &Client, token: &SecretText, company: &str) -> Result<(), Error> {
    match claimed(token) {
        Some(other) if other != company => Err(another_company(client, &other, company)),
        _ => Ok(()),
    }
}

fn another_company(client: &Client, other: &str, company: &str) -> Error {
    client.consent(said!(
        "fortnox-another-company",
        "the token is for company {other}, the connection for {company}; nothing was written; correct {setting} or give consent in the right company",
        other,
        company,
        setting = TENANT_ID
    ))
}

/// Tokens of a connection, each compared with the connection's company before it is used.
pub(super) struct OwnTokens {
    client: Client,
    company: Option<String>,
    tokens: Arc<dyn Tokens>,
}

impl OwnTokens {
    /// The tokens of an access.
    pub(super) fn of(client: &Client, access: &Access) -> Self {
        let company = access.connection.settings.get(TENANT_ID).cloned();
        Self { client: client.clone(), company, tokens: access.tokens.clone() }
    }
}

#[async_trait]
impl Tokens for OwnTokens {
    async fn token(&self) -> Result<SecretText, Error> {
        let token = self.tokens.token().await?;
        if let Some(company) = &self.company {
            check(&self.client, &token, company)?;
        }
        Ok(token)
    }

    async fn refused(&self, token: &SecretText) {
        self.tokens.refused(token).await;
    }
}

impl Fortnox {
    /// The company that has just consented, by its database number: the token's claim, or else a read with it.
    pub(super) async fn company_of(&self, token: &SecretText) -> Result<String, Error> {
        if let Some(company) = claimed(token) {
            return Ok(company);
        }
        let api = Api::new(self.client.clone(), self.urls.api.clone(), Arc::new(OneToken(token.clone())));
        let company = read(&api).await?;
        text(&company.database_number).map(str::to_owned).ok_or_else(|| {
            self.client.consent(said!(
                "fortnox-company-untold",
                "Fortnox does not tell which company gave the consent; give it again with a user who may see the \
                 company's information"
            ))
        })
    }
}

async fn read(api: &Api) -> Result<CompanyInformation, Error> {
    let found = api.get("get_company_information", "/3/companyinformation", "CompanyInformation").await?;
    Ok(found.unwrap_or_default())
}

#[async_trait]
impl Checkup for Fortnox {
    /// Two reads: whose company it is, and a search for no invoice, which is refused when the licence for invoices is
    /// gone. Scopes that a token can be seen to lack are named.
    async fn check(&self, access: &Access) -> Result<Findings, Error> {
        let company = self.company(&access.connection)?;
        let api = self.api(access);
        let information = read(&api).await?;
        if let Some(other) = text(&information.database_number).filter(|other| *other != company) {
            return Err(another_company(&self.client, other, company));
        }
        let nobodys = [("externalinvoicereference1", "bokbro-check")];
        let _: Vec<Invoice> = api.list("search_invoices", "/3/invoices", "Invoices", &nobodys).await?;
        let mut details = BTreeMap::from([("company".to_owned(), company.to_owned())]);
        if let Some(number) = text(&information.organization_number) {
            details.insert("organisation_number".to_owned(), number.to_owned());
        }
        let granted = claims::<Claims>(&access.tokens.token().await?).and_then(|claims| claims.scopes);
        if let Some(granted) = granted {
            let missing: Vec<&str> =
                SCOPES.into_iter().filter(|scope| !granted.iter().any(|one| one == scope)).collect();
            if !missing.is_empty() {
                details.insert("missing_scopes".to_owned(), missing.join(" "));
            }
        }
        let name = text(&information.company_name).map(str::to_owned);
        Ok(Findings { name, details, settings: BTreeMap::new() })
    }
}
