//! Fortnox, a Swedish ledger program: paid orders become customers, invoices and payments there.

mod adopt;
mod api;
mod auth;
mod chart;
mod company;
mod customers;
mod effects;
mod errors;
mod limit;
mod map;
mod registers;
mod requests;
mod text;
mod vouchers;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Accounting, Clock, Effector, EntryField, Vouchers};
use bokbro_domain::effect::StepName;
use bokbro_domain::posting::{Chart, DayVoucher, Posting};

use self::api::Api;
use self::company::OwnTokens;
use self::effects::Effects;
use self::vouchers::DayVouchers;
use crate::kit::{Client, Wire};

/// The provider's short name, in settings, keys and logs.
pub const NAME: &str = "fortnox";

/// Every call that this connector makes of the API, by its name in logs. Debug builds refuse one that is not listed, so
/// that a test which exercises the whole list exercises the whole connector.
pub const OPERATIONS: [&str; 27] = [
    "get_customer",
    "search_customers",
    "list_customers",
    "create_customer",
    "search_orders",
    "get_order",
    "create_order",
    "search_invoices",
    "list_invoices",
    "get_invoice",
    "create_invoice",
    "date_invoice",
    "bookkeep_invoice",
    "search_payments",
    "get_payment",
    "create_payment",
    "bookkeep_payment",
    "list_vouchers",
    "get_voucher",
    "get_voucher_series",
    "create_voucher",
    "list_financial_years",
    "list_predefined_accounts",
    "list_modes_of_payment",
    "get_locked_period",
    "list_accounts",
    "get_company_information",
];

/// The connection's setting that names the way of payment (its code) when the company has no account 1580.
const PAYMENT_MODE: &str = "payment_mode";

/// The connection's setting that names the series of vouchers (its code) which vouchers of days go to when it is not A.
const VOUCHER_SERIES: &str = "voucher_series";

/// What people may enter. The company is not among it: only a consent tells which one may be written to, because the app's
/// own credentials open every company that ever consented.
pub const ENTRY_FIELDS: &[EntryField] = &[
    EntryField { name: PAYMENT_MODE, secret: false, required: false },
    EntryField { name: VOUCHER_SERIES, secret: false, required: false },
];

/// Where Fortnox is: scheme and host, without path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FortnoxUrls {
    /// The API.
    pub api: String,
    /// Consent and tokens.
    pub auth: String,
}

impl Default for FortnoxUrls {
    fn default() -> Self {
        Self { api: "https://api.fortnox.se".to_owned(), auth: "https://apps.fortnox.se".to_owned() }
    }
}

/// The connector.
pub struct Fortnox {
    urls: FortnoxUrls,
    client: Client,
}

impl Fortnox {
    /// A connector that sends over a wire and waits by a clock.
    #[must_use]
    pub fn new(urls: FortnoxUrls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { urls, client: Client::new(NAME, wire, clock) }
    }

    fn api(&self, access: &Access) -> Api {
        let tokens = OwnTokens::of(&self.client, access);
        Api::new(self.client.paced(access), self.urls.api.clone(), Arc::new(tokens))
    }
}

impl Vouchers for Fortnox {
    fn effector(&self, access: Access, voucher: DayVoucher) -> Box<dyn Effector> {
        let series = access.connection.settings.get(VOUCHER_SERIES).map(String::as_str);
        Box::new(DayVouchers::new(self.api(&access), voucher, series))
    }
}

#[async_trait]
impl Accounting for Fortnox {
    async fn read_chart(&self, access: &Access) -> Result<Chart, Error> {
        let mode = access.connection.settings.get(PAYMENT_MODE).map(String::as_str);
        chart::read(&self.api(access), mode).await
    }

    fn effector(&self, access: Access, posting: Posting) -> Box<dyn Effector> {
        Box::new(Effects { api: self.api(&access), posting })
    }

    fn is_shared(&self, step: &StepName) -> bool {
        effects::is_shared(step)
    }
}
