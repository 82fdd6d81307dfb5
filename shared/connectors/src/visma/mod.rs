//! Visma eEkonomi (now Spiris), a Swedish ledger program: paid orders become customers, invoices and payments there.

mod adopt;
mod api;
mod auth;
mod chart;
mod credits;
mod customers;
mod effects;
mod errors;
mod limit;
mod map;
mod registers;
mod requests;
mod rows;
mod vouchers;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{
    Access, Accounting, Checkup, Clock, Effector, EntryField, Findings, Tokens, Vouchers,
};
use bokbro_domain::effect::StepName;
use bokbro_domain::posting::{Chart, DayVoucher, Posting};
use bokbro_domain::said;

use self::api::Api;
use self::auth::{COMPANY_ID, claimed};
use self::effects::Effects;
use self::errors::{no_access, told_wait};
use self::registers::Learned;
use self::vouchers::DayVouchers;
use self::wire::CompanySettings;
use crate::kit::{Client, Wire};

/// The provider's name in settings, keys and logs.
pub const NAME: &str = "visma";

/// Every call that this connector makes of the API, by its name in logs. Debug builds refuse one that is not listed, so
/// that a test which exercises the whole list exercises the whole connector.
pub const OPERATIONS: [&str; 27] = [
    "get_company_settings",
    "list_fiscal_years",
    "list_codings",
    "list_bank_accounts",
    "list_units",
    "list_terms",
    "search_customers",
    "list_customers",
    "get_customer",
    "create_customer",
    "search_articles",
    "create_article",
    "list_drafts",
    "get_draft",
    "create_draft",
    "price_draft",
    "convert_draft",
    "search_invoices",
    "list_invoices",
    "get_invoice",
    "create_payment",
    "list_accounts",
    "list_voucher_drafts",
    "get_voucher_draft",
    "create_voucher_draft",
    "convert_voucher_draft",
    "list_vouchers",
];

/// The connection's setting that names the bank account (by its ledger account) which payments go to when it is not 1580.
const BANK_ACCOUNT: &str = "bank_account";

/// What people may enter. The company is not among it: a consent brings it.
pub const ENTRY_FIELDS: &[EntryField] = &[EntryField { name: BANK_ACCOUNT, secret: false, required: false }];

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
    learned: Learned,
}

impl Visma {
    /// Visma behind these hosts.
    #[must_use]
    pub fn new(urls: VismaUrls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self {
            urls,
            client: Client::new(NAME, wire, clock).reading_waits(told_wait),
            learned: Learned::default(),
        }
    }

    fn api(&self, access: &Access) -> Api {
        Api::new(self.client.paced(access), self.urls.api.clone(), access.tokens.clone())
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

impl Vouchers for Visma {
    fn effector(&self, access: Access, voucher: DayVoucher) -> Box<dyn Effector> {
        Box::new(DayVouchers { api: self.api(&access), voucher })
    }
}

#[async_trait]
impl Accounting for Visma {
    async fn read_chart(&self, access: &Access) -> Result<Chart, Error> {
        let named = access.connection.settings.get(BANK_ACCOUNT).map(String::as_str);
        chart::read(&self.api(access), named).await
    }

    fn effector(&self, access: Access, posting: Posting) -> Box<dyn Effector> {
        Box::new(Effects { api: self.api(&access), posting })
    }

    fn is_shared(&self, step: &StepName) -> bool {
        effects::is_shared(step)
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
            return Err(self.client.consent(said!(
                "visma-another-company",
                "the token is for company {other}, the connection for {ours}; nothing was written; give consent in \
                 the right company",
                other,
                ours
            )));
        }
        let number = found.corporate_identity_number.0;
        let details = number.map(|number| ("organisation_number".to_owned(), number)).into_iter().collect();
        Ok(Findings { name: found.name.0, details, settings: BTreeMap::new() })
    }
}
