//! A tenant's own choices: where payments come from, which books, which documents, which accounts.

use std::collections::BTreeMap;

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::order::FieldError;
use bokbro_domain::posting::{AccountRole, Chart, PostingProfile};
use bokbro_domain::said;
use serde_json::{Value, json};

use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::Error;
use crate::orders::Refusal;
use crate::records::{ConnectionState, Settings};
use crate::wire::fields::{Fields, none_of, read_json, read_whole};

/// Accounts in the BAS chart.
const ACCOUNTS: std::ops::RangeInclusive<u64> = 1_000..=9_999;

/// A tenant's choices, and what there is to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsView {
    /// The choices; none yet for a new tenant.
    pub settings: Option<Settings>,
    /// What a tenant without choices is connected to, so that it need not be chosen among much else.
    pub connected: Vec<Provider>,
    /// What the books look like by the ledger program's own settings, as last read.
    pub chart: Option<Chart>,
    /// Payment providers.
    pub payments: Vec<Provider>,
    /// Ledger programs.
    pub accounting: Vec<Provider>,
    /// Warehouses.
    pub warehouses: Vec<Provider>,
}

/// Shows a tenant's choices.
///
/// # Errors
/// When the table fails.
pub async fn settings_show(app: &App, tenant: &TenantId) -> Result<SettingsView, Error> {
    let settings = app.directory.settings_get(tenant).await?;
    let books = settings.as_ref().and_then(|settings| settings.accounting.as_ref());
    let connection = match books {
        Some(books) => app.directory.connection_get(tenant, books).await?,
        None => None,
    };
    let connected = match settings {
        Some(_) => Vec::new(),
        None => connected(app, tenant).await?,
    };
    let chart = connection.and_then(|connection| connection.chart).map(|read| read.chart);
    let able =
        |can: &dyn Fn(&Provider) -> bool| app.providers.names().into_iter().filter(|p| can(p)).collect();
    Ok(SettingsView {
        settings,
        connected,
        chart,
        payments: able(&|provider| app.providers.payments(provider).is_some()),
        accounting: able(&|provider| app.providers.accounting(provider).is_some()),
        warehouses: able(&|provider| app.providers.shipping(provider).is_some()),
    })
}

async fn connected(app: &App, tenant: &TenantId) -> Result<Vec<Provider>, Error> {
    let mut connected = Vec::new();
    for provider in app.providers.names() {
        let connection = app.directory.connection_get(tenant, &provider).await?;
        if connection.is_some_and(|connection| connection.state != ConnectionState::Disconnected) {
            connected.push(provider);
        }
    }
    Ok(connected)
}

/// Replaces a tenant's choices by those in a JSON text.
///
/// # Errors
/// `Invalid` with the field named.
pub async fn settings_change(app: &App, by: By<'_>, body: &[u8]) -> Result<SettingsView, Refusal> {
    let shown = settings_show(app, by.tenant).await?;
    let settings = read_settings(body, &shown).map_err(Refusal::Invalid)?;
    if shown.settings.as_ref() != Some(&settings) {
        app.directory.settings_put(by.tenant, &settings).await?;
        let changed = Changed {
            before: shown.settings.as_ref().map(settings_json),
            after: Some(settings_json(&settings)),
            reason: None,
        };
        audit_add(app, by, "settings_changed", "settings", changed).await?;
    }
    Ok(settings_show(app, by.tenant).await?)
}

/// The choices as the API shows them and takes them.
#[must_use]
pub fn settings_json(settings: &Settings) -> Value {
    json!({
        "payments": settings.payments,
        "accounting": settings.accounting,
        "warehouse": settings.warehouse,
        "posting_profile": settings.posting_profile,
        "accounts": settings.accounts,
        "payment_mode": settings.payment_mode,
    })
}

/// The choices and what there is to choose from, as the API shows them.
#[must_use]
pub fn view_json(view: &SettingsView) -> Value {
    let mut shown = view.settings.as_ref().map_or_else(|| json!({}), settings_json);
    shown["available"] = json!({
        "payments": view.payments,
        "accounting": view.accounting,
        "warehouse": view.warehouses,
        "posting_profile": PostingProfile::ALL,
        "accounts": AccountRole::ALL,
    });
    shown["read_from_books"] = json!(view.chart.as_ref().map(|chart| json!({
        "accounts": chart.accounts,
        "payment_mode": chart.payment_mode,
        "cash_method": chart.cash_method,
        "locked_through": chart.locked_through,
    })));
    shown
}

fn read_settings(body: &[u8], known: &SettingsView) -> Result<Settings, FieldError> {
    let value = read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let payments = fields.text("payments", 20)?;
    let payments = one_of("payments", &payments, &known.payments)?;
    let mut maybe = |name: &'static str, among: &[Provider]| {
        let chosen = fields.text_or_none(name, 20)?;
        chosen.map(|text| one_of(name, &text, among)).transpose()
    };
    let accounting = maybe("accounting", &known.accounting)?;
    let warehouse = maybe("warehouse", &known.warehouses)?;
    let posting_profile = match fields.text_or_none("posting_profile", 40)? {
        None => PostingProfile::default(),
        Some(text) => read_profile(&text)?,
    };
    let accounts = fields.optional("accounts").map(read_accounts).transpose()?.unwrap_or_default();
    let payment_mode = fields.text_or_none("payment_mode", 50)?;
    // What GET shows beside the choices may come back with them.
    for shown in ["available", "read_from_books"] {
        fields.optional(shown);
    }
    fields.finish()?;
    Ok(Settings { payments, accounting, warehouse, posting_profile, accounts, payment_mode })
}

fn one_of(field: &str, text: &str, known: &[Provider]) -> Result<Provider, FieldError> {
    known.iter().find(|provider| provider.as_str() == text).cloned().ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(Provider::as_str).collect();
        none_of(field, &names)
    })
}

fn read_profile(text: &str) -> Result<PostingProfile, FieldError> {
    let known = PostingProfile::ALL.map(PostingProfile::as_str);
    PostingProfile::parse(text).ok_or_else(|| none_of("posting_profile", &known))
}

fn read_accounts(value: &Value) -> Result<BTreeMap<AccountRole, u16>, FieldError> {
    let mut fields = Fields::open("accounts", value)?;
    let mut accounts = BTreeMap::new();
    for role in AccountRole::ALL {
        let Some(value) = fields.optional(role.as_str()) else { continue };
        let number = read_whole(value).filter(|number| ACCOUNTS.contains(number));
        let number = number.and_then(|number| u16::try_from(number).ok()).ok_or_else(|| {
            FieldError::new(
                format!("accounts.{}", role.as_str()),
                said!("field-no-account", "must be an account number from 1000 to 9999"),
            )
        })?;
        accounts.insert(role, number);
    }
    fields.finish()?;
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> SettingsView {
        let provider = |name| Provider::parse(name).unwrap();
        SettingsView {
            settings: None,
            connected: Vec::new(),
            chart: None,
            payments: vec![provider("psp")],
            accounting: vec![provider("books")],
            warehouses: vec![provider("wms")],
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, field) in [
            ("[", ""),
            ("{}", "payments"),
            (r#"{"payments":"books"}"#, "payments"),
            (r#"{"payments":"psp","accounting":"psp"}"#, "accounting"),
            (r#"{"payments":"psp","warehouse":7}"#, "warehouse"),
            (r#"{"payments":"psp","posting_profile":"by hand"}"#, "posting_profile"),
            (r#"{"payments":"psp","accounts":{"sales_25":"3001"}}"#, "accounts.sales_25"),
            (r#"{"payments":"psp","accounts":{"sales_25":999}}"#, "accounts.sales_25"),
            (r#"{"payments":"psp","accounts":{"sales_24":3001}}"#, "accounts.sales_24"),
            (r#"{"payments":"psp","colour":"red"}"#, "colour"),
        ] {
            assert_eq!(read_settings(body.as_bytes(), &known()).unwrap_err().field, field, "{body}");
        }
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let body = r#"{"payments":"psp","accounting":"books","warehouse":null,"posting_profile":"order_and_invoice",
            "accounts":{"payment_claim":1584},"payment_mode":"KORT"}"#;
        let settings = read_settings(body.as_bytes(), &known()).unwrap();
        assert_eq!(settings.accounts, BTreeMap::from([(AccountRole::PaymentClaim, 1_584)]));
        let shown = view_json(&SettingsView { settings: Some(settings.clone()), ..known() });
        assert_eq!(read_settings(shown.to_string().as_bytes(), &known()).unwrap(), settings);
    }
}
