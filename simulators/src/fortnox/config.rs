//! What the simulator is started with, and the switches that can be turned while it runs.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::fill::Fill;
use super::totals::VatRounding;

/// How a simulated Fortnox starts.
#[derive(Clone)]
pub struct FortnoxConfig {
    /// Port on 127.0.0.1; a free one when `None`.
    pub port: Option<u16>,
    /// Client id of the registered integration. Made up; never a real one.
    pub client_id: String,
    /// Client secret of the registered integration. Made up; never a real one.
    pub client_secret: String,
    /// Scopes that the integration may ask for.
    pub scopes: Vec<String>,
    /// The companies that exist. The first one gives consent unless a switch names another.
    pub tenants: Vec<TenantConfig>,
    /// Whether more than 25 calls in 5 s of one tenant are refused (`apis/fortnox.md` 4).
    pub rate_limited: bool,
    /// Where value-added tax is rounded.
    pub vat_rounding: VatRounding,
    /// Whether totals are rounded to whole kronor.
    pub whole_kronor: bool,
    /// Accounting method of every tenant.
    pub accounting_method: AccountingMethod,
}

impl Default for FortnoxConfig {
    fn default() -> Self {
        let scopes = "article bookkeeping companyinformation connectfile currency customer invoice order payment settings";
        Self {
            port: None,
            client_id: "sim-client".to_owned(),
            client_secret: "sim-secret".to_owned(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            tenants: vec![TenantConfig::new("1000001", "Demobolaget AB")],
            rate_limited: true,
            vat_rounding: VatRounding::default(),
            whole_kronor: false,
            accounting_method: AccountingMethod::default(),
        }
    }
}

/// One company.
#[derive(Clone)]
pub struct TenantConfig {
    /// `DatabaseNumber`, which is also the `TenantId` header of client credentials.
    pub database_number: String,
    /// Company name.
    pub name: String,
    /// Whether a system administrator has already consented to a service account.
    pub service_consent: bool,
}

impl TenantConfig {
    /// A company that has already consented to a service account.
    #[must_use]
    pub fn new(database_number: &str, name: &str) -> Self {
        Self { database_number: database_number.to_owned(), name: name.to_owned(), service_consent: true }
    }
}

/// When sales are booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccountingMethod {
    /// When the invoice is bookkept.
    #[default]
    Accrual,
    /// When it is paid; the invoice itself cannot be bookkept.
    Cash,
}

/// What an overrun rate window answers; the real body is not known (`apis/fortnox.md` 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateAnswer {
    /// A short JSON object.
    #[default]
    Json,
    /// A gateway's HTML page.
    Html,
    /// No body.
    Empty,
}

/// What using a refresh token a second time leads to; which one Fortnox does is not known (`apis/fortnox.md` 1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReuse {
    /// It is refused, and that is all.
    #[default]
    Refused,
    /// It is refused, and every token that came after it from the same consent is dead too.
    KillsFamily,
    /// For a minute it gives another pair, and the first pair lives on.
    Grace,
}

/// The zone in which `lastmodified` is read; which one it is at Fortnox is not known (`apis/fortnox.md` 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastModifiedZone {
    /// Sweden's.
    #[default]
    Stockholm,
    /// None.
    Utc,
}

impl LastModifiedZone {
    pub(super) fn time_zone(self) -> TimeZone {
        match self {
            Self::Stockholm => TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC),
            Self::Utc => TimeZone::UTC,
        }
    }
}

/// A customer that somebody gives another number, as people do in the program itself.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Renumbering {
    pub(super) from: String,
    pub(super) to: String,
}

/// The switches of one tenant.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) vat_rounding: VatRounding,
    pub(super) whole_kronor: bool,
    pub(super) accounting_method: AccountingMethod,
    pub(super) finalize_first: bool,
    pub(super) lag_ms: i64,
    pub(super) locked_until: Option<Date>,
    pub(super) scopes_lost: BTreeSet<String>,
    pub(super) licenses_lost: BTreeSet<String>,
    pub(super) integration_license_lost: bool,
    pub(super) consent_revoked: bool,
    pub(super) no_right_fields: BTreeSet<String>,
}

/// `POST /_sim/config`: every member is optional; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Switches {
    /// The tenant that the tenant's switches below are for; every tenant when absent.
    pub(super) tenant: Option<String>,
    pub(super) vat_rounding: Option<VatRounding>,
    pub(super) whole_kronor: Option<bool>,
    pub(super) accounting_method: Option<AccountingMethod>,
    /// Whether an invoice must be made `warehouseready` before it can be bookkept.
    pub(super) finalize_first: Option<bool>,
    /// Simulated milliseconds for which searches do not find a new document.
    pub(super) lag_ms: Option<i64>,
    /// Last day of the locked period; empty text unlocks.
    pub(super) locked_until: Option<String>,
    /// Removes the financial year that holds this day.
    pub(super) remove_year: Option<Date>,
    /// Adds the calendar year that holds this day as a financial year.
    pub(super) open_year: Option<Date>,
    /// Scopes that calls are refused for (2000663).
    pub(super) scopes_lost: Option<BTreeSet<String>>,
    /// Scopes whose module license is gone (2001101).
    pub(super) licenses_lost: Option<BTreeSet<String>>,
    /// Whether the integration license is gone: 2001103 on calls, `error_missing_license` on tokens.
    pub(super) integration_license_lost: Option<bool>,
    /// Whether the consent is withdrawn: refresh tokens are dead for good and no new tokens are given until there is
    /// another consent; old access tokens live on until they expire.
    pub(super) consent_revoked: Option<bool>,
    /// Fields that are answered as `API_NORIGHT`.
    pub(super) no_right_fields: Option<BTreeSet<String>>,
    /// What the consent page does: `approve`, `ask` whoever looks at it, an error code of `apis/fortnox.md` 1.1, or `nothing`.
    pub(super) consent_answer: Option<String>,
    /// Whether the app may ask for service accounts.
    pub(super) service_accounts: Option<bool>,
    /// What using a refresh token twice leads to.
    pub(super) refresh_reuse: Option<RefreshReuse>,
    /// Seconds that a new refresh token lives without being used.
    pub(super) refresh_lifetime: Option<u32>,
    /// The tenant that every token is made out for, whoever consented; empty text for the right one.
    pub(super) token_company: Option<String>,
    /// The tenant that consents next.
    pub(super) consenting_tenant: Option<String>,
    /// Adds documents that years of trade have left behind.
    pub(super) fill: Option<Fill>,
    /// Gives a customer another number; its documents follow.
    pub(super) renumber_customer: Option<Renumbering>,
    /// The zone in which `lastmodified` is read.
    pub(super) last_modified_zone: Option<LastModifiedZone>,
    pub(super) rate_limited: Option<bool>,
    pub(super) rate_answer: Option<RateAnswer>,
    /// `Retry-After` seconds with a 429; zero sends none.
    pub(super) retry_after: Option<u32>,
}

impl Switches {
    pub(super) fn apply_to(&self, settings: &mut Settings) {
        put(self.vat_rounding, &mut settings.vat_rounding);
        put(self.whole_kronor, &mut settings.whole_kronor);
        put(self.accounting_method, &mut settings.accounting_method);
        put(self.finalize_first, &mut settings.finalize_first);
        put(self.lag_ms, &mut settings.lag_ms);
        put(self.scopes_lost.clone(), &mut settings.scopes_lost);
        put(self.licenses_lost.clone(), &mut settings.licenses_lost);
        put(self.integration_license_lost, &mut settings.integration_license_lost);
        put(self.consent_revoked, &mut settings.consent_revoked);
        put(self.no_right_fields.clone(), &mut settings.no_right_fields);
    }
}

/// Stores a value that was given.
pub(super) fn put<T>(given: Option<T>, place: &mut T) {
    if let Some(value) = given {
        *place = value;
    }
}
