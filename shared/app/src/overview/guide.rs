//! What is left to do until orders are booked by themselves, read from facts: nobody ticks anything off.

use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::order::{Order, SyncState};
use futures::try_join;

use super::lately;
use crate::app::App;
use crate::connections::{ConnectionView, ShownState, connections_list};
use crate::error::Error;
use crate::ports::{Providers, Shipping};
use crate::records::{ApiKey, Settings};

/// Something to be done once, in the order in which it is best done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepName {
    /// Connect where payments come from.
    Payments,
    /// Connect the books.
    Accounting,
    /// Connect the warehouse, or say that somebody else ships.
    Warehouse,
    /// Choose which of them to use, and how to book.
    Settings,
    /// Make the webshop an API key.
    Key,
    /// See an order being booked.
    Order,
}

impl StepName {
    /// Its name in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Accounting => "accounting",
            Self::Warehouse => "warehouse",
            Self::Settings => "settings",
            Self::Key => "key",
            Self::Order => "order",
        }
    }
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It is done.
    Done,
    /// It is to be done.
    Open,
    /// It may be done, and things go on without it.
    Optional,
}

/// All steps and how they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// The steps.
    pub steps: [(StepName, StepState); 6],
    /// Names of the webhook endpoints of the payment providers that are connected, so that they can be entered there.
    pub webhooks: Vec<(Provider, String)>,
}

impl Guide {
    /// Whether nothing is left that must be done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done() == self.needed()
    }

    /// How many steps are done of those that must be.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|(name, state)| is_needed(*name) && *state == StepState::Done).count()
    }

    /// How many steps must be done.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.steps.iter().filter(|(name, _)| is_needed(*name)).count()
    }

    /// Whether everything is there that an order needs to be paid and booked.
    #[must_use]
    pub fn books(&self) -> bool {
        let done = |name| self.steps.contains(&(name, StepState::Done));
        done(StepName::Payments) && done(StepName::Accounting) && done(StepName::Settings)
    }

    pub(super) fn of(providers: &dyn Providers, facts: &Facts<'_>) -> Self {
        let is_connected = |provider: &Provider| {
            facts.connections.iter().any(|view| view.provider == *provider && connected(view))
        };
        let any = |can: &dyn Fn(&Provider) -> bool| {
            facts.connections.iter().any(|view| connected(view) && can(&view.provider))
        };
        let done = |done| if done { StepState::Done } else { StepState::Open };
        let settled = facts.settings.is_some_and(|settings| {
            is_connected(&settings.payments) && settings.accounting.as_ref().is_some_and(is_connected)
        });
        let warehouse = facts.settings.and_then(|settings| settings.warehouse.as_ref());
        let ships = warehouse.is_some_and(|warehouse| match providers.shipping(warehouse) {
            Some(Shipping::Theirs) => true,
            Some(Shipping::Ours(_)) => is_connected(warehouse),
            None => false,
        });
        let takes_payments = |provider: &Provider| providers.payments(provider).is_some();
        let webhooks = facts.connections.iter().filter(|view| connected(view));
        let webhooks = webhooks.filter(|view| takes_payments(&view.provider));
        Self {
            steps: [
                (StepName::Payments, done(any(&takes_payments))),
                (StepName::Accounting, done(any(&|provider| providers.accounting(provider).is_some()))),
                (StepName::Warehouse, if ships { StepState::Done } else { StepState::Optional }),
                (StepName::Settings, done(settled)),
                (StepName::Key, done(!facts.keys.is_empty())),
                (StepName::Order, done(facts.has_booked())),
            ],
            webhooks: webhooks
                .filter_map(|view| Some((view.provider.clone(), view.webhook_endpoint.clone()?)))
                .collect(),
        }
    }
}

fn is_needed(name: StepName) -> bool {
    name != StepName::Warehouse
}

fn connected(view: &ConnectionView) -> bool {
    match view.state {
        ShownState::Unchecked | ShownState::Healthy => true,
        ShownState::NeedsConsent | ShownState::Disconnected => false,
    }
}

/// What the steps are read from.
pub(super) struct Facts<'a> {
    pub(super) connections: &'a [ConnectionView],
    pub(super) settings: Option<&'a Settings>,
    pub(super) keys: &'a [ApiKey],
    pub(super) orders: &'a [Order],
}

impl Facts<'_> {
    /// Whether the books have one of the orders.
    fn has_booked(&self) -> bool {
        let booked = |order: &Order| order.state.has_been_paid() && order.accounting.state == SyncState::Done;
        self.orders.iter().any(booked)
    }
}

/// What is left to do.
///
/// # Errors
/// When the table fails.
pub async fn guide_show(app: &App, tenant: &TenantId) -> Result<Guide, Error> {
    let (connections, settings, keys, (orders, _)) = try_join!(
        connections_list(app, tenant),
        app.directory.settings_get(tenant),
        app.keyring.api_keys_list(tenant),
        lately(app, tenant),
    )?;
    let facts =
        Facts { connections: &connections, settings: settings.as_ref(), keys: &keys, orders: &orders };
    Ok(Guide::of(&*app.providers, &facts))
}
