//! What the API shows of connections.

use std::collections::BTreeMap;

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::said::Said;
use bokbro_domain::token::TokenState;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::{COMPANY, COMPANY_NAME, CONNECTED_AT, WEBHOOK_ENDPOINT};
use crate::app::App;
use crate::error::Error;
use crate::ports::GrantKind;
use crate::records::{Connection, ConnectionState};
use crate::registers::{Known, registers_known};

/// Settings that are shown elsewhere or nowhere.
const OWN: [&str; 4] = [COMPANY, COMPANY_NAME, CONNECTED_AT, WEBHOOK_ENDPOINT];

/// A connection's state as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownState {
    /// Entered and never tried.
    Unchecked,
    /// Works.
    Healthy,
    /// Waits for a human.
    NeedsConsent,
    /// Not connected, or no longer.
    Disconnected,
}

impl ShownState {
    /// How a connection stands. The tokens know first that a consent has ended.
    pub(crate) fn of(connection: &Connection, tokens: &TokenState) -> Self {
        match (connection.state, &tokens.ended) {
            (ConnectionState::Disconnected, _) => Self::Disconnected,
            (_, Some(_)) | (ConnectionState::NeedsConsent, None) => Self::NeedsConsent,
            (ConnectionState::Unchecked, None) => Self::Unchecked,
            (ConnectionState::Healthy, None) => Self::Healthy,
        }
    }

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Healthy => "healthy",
            Self::NeedsConsent => "needs_consent",
            Self::Disconnected => "disconnected",
        }
    }
}

/// A connection as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionView {
    /// To whom.
    pub provider: Provider,
    /// Whether it works.
    pub state: ShownState,
    /// Whose company it is: its name, or its number while no check has told the name.
    pub company: Option<String>,
    /// The provider's own settings that are no secrets.
    pub settings: BTreeMap<String, String>,
    /// How it gets access tokens, when it is connected.
    pub grant: Option<&'static str>,
    /// When a token was last stored.
    pub refreshed_at: Option<Timestamp>,
    /// Whole days until the consent lapses if nobody uses it, where it does.
    pub days_left: Option<i64>,
    /// Name of the endpoint that the provider sends webhooks to.
    pub webhook_endpoint: Option<String>,
    /// What is known of its registers of customers and invoices, when it has any and they have been read.
    pub registers: Option<Known>,
    /// Why it does not work and what to do.
    pub message: Option<Said>,
}

/// All providers that this build knows and how the tenant is connected to them.
///
/// # Errors
/// When the table fails.
pub async fn connections_list(app: &App, tenant: &TenantId) -> Result<Vec<ConnectionView>, Error> {
    let shown = app.providers.names().into_iter().map(|provider| async move {
        let connection = app.directory.connection_get(tenant, &provider).await?;
        let tokens = app.token_states.token_state(tenant, &provider).await?;
        let registers = match (&connection, app.providers.registers(&provider)) {
            (Some(_), Some(_)) => registers_known(app, tenant, &provider).await?,
            (None, _) | (_, None) => None,
        };
        Ok::<_, Error>(ConnectionView { registers, ..view(app, provider, connection, &tokens) })
    });
    try_join_all(shown).await
}

/// One connection as people see it.
pub(super) fn view(
    app: &App,
    provider: Provider,
    connection: Option<Connection>,
    tokens: &TokenState,
) -> ConnectionView {
    let Some(connection) = connection else {
        return ConnectionView {
            provider,
            state: ShownState::Disconnected,
            company: None,
            settings: BTreeMap::new(),
            grant: None,
            refreshed_at: None,
            days_left: None,
            webhook_endpoint: None,
            registers: None,
            message: None,
        };
    };
    let state = ShownState::of(&connection, tokens);
    let message = tokens.ended.clone().filter(|_| state == ShownState::NeedsConsent);
    let setting = |name: &str| connection.settings.get(name).cloned();
    let grant = app.providers.tokens(&provider).map(|endpoint| match endpoint.grant_kind(&connection) {
        GrantKind::ClientCredentials => "client_credentials",
        GrantKind::RefreshToken => "refresh_token",
    });
    ConnectionView {
        provider,
        state,
        company: setting(COMPANY_NAME).or_else(|| setting(COMPANY)),
        grant: grant.filter(|_| state != ShownState::Disconnected),
        refreshed_at: tokens.refreshed_at,
        days_left: days_left(app, &connection, tokens).filter(|_| state != ShownState::Disconnected),
        webhook_endpoint: setting(WEBHOOK_ENDPOINT),
        registers: None,
        settings: {
            let shown = connection.settings.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            shown.map(|(name, value)| (name.clone(), value.clone())).collect()
        },
        message,
    }
}

/// Whole days until the connection's refresh token lapses if nobody uses it.
pub(crate) fn days_left(app: &App, connection: &Connection, tokens: &TokenState) -> Option<i64> {
    let endpoint = app.providers.tokens(&connection.provider)?;
    if tokens.ended.is_some() || endpoint.grant_kind(connection) != GrantKind::RefreshToken {
        return None;
    }
    let life = SignedDuration::try_from(endpoint.refresh_life()?).ok()?;
    let left = life - app.clock.now().duration_since(tokens.refreshed_at?);
    Some((left.as_hours() / 24).max(0))
}
