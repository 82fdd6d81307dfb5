//! What the simulator is started with, and the switches that can be turned while it runs.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;

use super::fill::Fill;
use crate::kit::VatRounding;

/// How a simulated Visma starts.
#[derive(Clone)]
pub struct VismaConfig {
    /// Port on 127.0.0.1; a free one when `None`.
    pub port: Option<u16>,
    /// Client id of the registered app. Made up; never a real one.
    pub client_id: String,
    /// Client secret of the registered app. Made up; never a real one.
    pub client_secret: String,
    /// Scopes that the app may ask for.
    pub scopes: Vec<String>,
    /// The companies of the user who consents. The first one is the default company.
    pub companies: Vec<Company>,
    /// Whether refresh tokens rotate.
    pub rotation: Rotation,
    /// Whether calls beyond 600 per minute and endpoint are refused.
    pub rate_limited: bool,
    /// Where value-added tax is rounded; Visma's way is not documented.
    pub vat_rounding: VatRounding,
    /// Whether totals are rounded to whole kronor (`DomesticCurrencyRounding`).
    pub whole_kronor: bool,
    /// Whether prices are shown without VAT to private persons too (`ShowPricesExclVatPC`).
    pub prices_excl_vat: bool,
    /// Whether sales are booked when they are paid (kontantmetoden).
    pub cash_method: bool,
    /// Whether invoices on cash or card terms are paid as they are made; the description is silent about it.
    pub cash_terms_pay: bool,
    /// Which way credit invoices take their rows.
    pub credit_rows: CreditRows,
    /// Which way payments of credit invoices go.
    pub credit_payments: CreditPayments,
    /// A refresh token of a consent that was given before the start, to the first company. Made up; never a real one.
    pub refresh_token: Option<String>,
}

impl Default for VismaConfig {
    fn default() -> Self {
        let scopes = "ea:api offline_access ea:sales ea:sales_readonly ea:accounting ea:purchase_readonly";
        Self {
            port: None,
            client_id: "sim-client".to_owned(),
            client_secret: "sim-secret".to_owned(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            companies: vec![Company {
                customer_id: "0f5d2c1e-0000-4000-8000-000000000001".to_owned(),
                identifier: "6f1de8ac-0000-4000-8000-000000000001".to_owned(),
                name: "Demobolaget AB".to_owned(),
                organisation_number: "5560004754".to_owned(),
            }],
            rotation: Rotation::default(),
            rate_limited: true,
            vat_rounding: VatRounding::default(),
            whole_kronor: false,
            prices_excl_vat: false,
            cash_method: false,
            cash_terms_pay: false,
            credit_rows: CreditRows::default(),
            credit_payments: CreditPayments::default(),
            refresh_token: None,
        }
    }
}

/// What the rows of a credit invoice say; the description is silent about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditRows {
    /// What is taken back: two pieces make the total lower.
    #[default]
    Turned,
    /// What they say on an invoice: only negative quantities make the total negative.
    AsWritten,
}

/// What a payment of a credit invoice says; the description is silent about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditPayments {
    /// A negative amount, as what remains is.
    #[default]
    Negative,
    /// A positive amount, which lowers what remains all the same.
    Positive,
    /// A positive amount, while a negative one makes what remains twice as much.
    Doubling,
    /// Nothing: they are settled in the program only.
    Refused,
}

/// One company.
#[derive(Clone)]
pub struct Company {
    /// The claim `customer_id` of its tokens, a UUID.
    pub customer_id: String,
    /// `CompanyIdentifier` in its settings.
    pub identifier: String,
    /// Company name.
    pub name: String,
    /// `CorporateIdentityNumber` in its settings.
    pub organisation_number: String,
}

/// What becomes of a refresh token that is used; older apps have the one, newer ones the other (`apis/visma.md` 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It is dead at once, and another one comes.
    #[default]
    Rotating,
    /// It comes back and goes on serving.
    Reusable,
    /// None comes back, and the old one goes on serving.
    Silent,
}

/// What becomes of a `$pagesize` above the largest, which is not known (`apis/visma.md` 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OversizedPages {
    /// It is refused with 6000.
    #[default]
    Refused,
    /// The largest is given.
    Clamped,
}

/// The switches of the books.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) vat_rounding: VatRounding,
    pub(super) whole_kronor: bool,
    pub(super) prices_excl_vat: bool,
    pub(super) credit_rows: CreditRows,
    pub(super) credit_payments: CreditPayments,
    pub(super) keep_draft_date: bool,
    pub(super) cash_method: bool,
    pub(super) cash_terms_pay: bool,
    pub(super) locked_through: Option<Date>,
    pub(super) lag_ms: i64,
    pub(super) any_filter: bool,
    pub(super) unfilterable: BTreeSet<String>,
    pub(super) unsortable: bool,
    pub(super) oversized_pages: OversizedPages,
    pub(super) conflict_status: u16,
}

impl Settings {
    pub(super) fn of(config: &VismaConfig) -> Self {
        Self {
            vat_rounding: config.vat_rounding,
            whole_kronor: config.whole_kronor,
            prices_excl_vat: config.prices_excl_vat,
            credit_rows: config.credit_rows,
            credit_payments: config.credit_payments,
            keep_draft_date: false,
            cash_method: config.cash_method,
            cash_terms_pay: config.cash_terms_pay,
            locked_through: None,
            lag_ms: 0,
            any_filter: false,
            unfilterable: BTreeSet::new(),
            unsortable: false,
            oversized_pages: OversizedPages::default(),
            conflict_status: 400,
        }
    }
}

/// `POST /_sim/config`: every member is optional; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Switches {
    /// What the consent page does: `approve`, an error code, or `nothing`.
    pub(super) consent_answer: Option<String>,
    /// `customer_id` of the company that is picked next.
    pub(super) consenting_company: Option<String>,
    pub(super) rotation: Option<Rotation>,
    /// Kills every refresh token without a word, as a change of password does, until there is another consent.
    pub(super) consent_revoked: Option<bool>,
    /// Whether tokens name their company; the claim is seen in an old example only.
    pub(super) customer_claim: Option<bool>,
    /// `customer_id` of the company that every token is made out for, whoever was picked; empty text for the right one.
    pub(super) token_company: Option<String>,
    /// Whether the API add-on is missing: every call is 403 with 4002 although the consent succeeded.
    pub(super) module_missing: Option<bool>,
    /// Another refusal of every call, by its code, with status 403; 0 for none.
    pub(super) refusal: Option<u32>,
    /// Whether calls beyond 600 per minute and endpoint are refused.
    pub(super) rate_limited: Option<bool>,
    /// Where value-added tax is rounded.
    pub(super) vat_rounding: Option<VatRounding>,
    pub(super) whole_kronor: Option<bool>,
    pub(super) prices_excl_vat: Option<bool>,
    /// Whether invoices on cash or card terms are paid as they are made.
    pub(super) cash_terms_pay: Option<bool>,
    /// Removes the terms of payment that are of another kind than days.
    pub(super) only_days: Option<bool>,
    /// Which way credit invoices take their rows.
    pub(super) credit_rows: Option<CreditRows>,
    /// Which way payments of credit invoices go.
    pub(super) credit_payments: Option<CreditPayments>,
    /// Somebody credits the invoice of this number in the program, in the default company.
    pub(super) credit: Option<u64>,
    /// Somebody sets a credit invoice off against an invoice there: the invoice's number, and the credit's.
    pub(super) set_off: Option<(u64, u64)>,
    /// Whether the company keeps a draft's date when it is converted, without being asked.
    pub(super) keep_draft_date: Option<bool>,
    /// Last day of the locked period; empty text unlocks.
    pub(super) locked_until: Option<String>,
    /// Locks the fiscal year that holds this day.
    pub(super) lock_year: Option<Date>,
    /// Removes the fiscal year that holds this day.
    pub(super) remove_year: Option<Date>,
    /// Adds the calendar year that holds this day as a fiscal year.
    pub(super) open_year: Option<Date>,
    /// Simulated milliseconds for which lists do not show a new document.
    pub(super) lag_ms: Option<i64>,
    /// Whether every property can be filtered by; otherwise only those that are known to be.
    pub(super) any_filter: Option<bool>,
    /// Properties that cannot be filtered by, whatever else says so.
    pub(super) unfilterable: Option<BTreeSet<String>>,
    /// Whether lists cannot be sorted.
    pub(super) unsortable: Option<bool>,
    /// What becomes of a `$pagesize` above the largest.
    pub(super) oversized_pages: Option<OversizedPages>,
    /// Adds documents that years of trade have left behind.
    pub(super) fill: Option<Fill>,
    /// Status of a conflict (4000), 400 or 409.
    pub(super) conflict_status: Option<u16>,
    /// Replaces the bank accounts by one for each of these ledger accounts.
    pub(super) bank_accounts: Option<Vec<u32>>,
}

/// Stores a value that was given.
pub(super) fn put<T>(given: Option<T>, place: &mut T) {
    if let Some(value) = given {
        *place = value;
    }
}
