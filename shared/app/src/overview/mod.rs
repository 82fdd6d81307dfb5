//! The overview: what needs somebody, how the connections are, how many orders came and how far they are.
//!
//! It costs a bounded number of reads, whatever there is: for each provider of the build two or three, one of the parked
//! items, at most five of the latest orders, one each of the settings and the API keys, and for whoever may see dead letters
//! one of each queue's count. They are made at once.

mod figures;
mod guide;

use bokbro_domain::ids::TenantId;
use bokbro_domain::order::Order;
use bokbro_domain::posting::swedish_day;
use futures::future::try_join_all;
use futures::try_join;

pub use figures::{Counts, DAYS, Figures};
pub use guide::{Guide, StepName, StepState, guide_show};

use self::figures::first_day;
use self::guide::Facts;
use crate::app::App;
use crate::connections::{ConnectionView, ShownState, connections_list};
use crate::error::Error;
use crate::parked::{Action, actions_of};
use crate::ports::{OrderFilter, QueueName};
use crate::records::{Parked, Role, Settings};

/// Orders that one read brings.
const PAGE: usize = 200;
/// Most orders that are counted.
const MOST: usize = 1_000;
/// Waiting items that are counted.
const WAITING: usize = 100;
/// Orders that are shown.
const LATEST: usize = 10;
/// Days before the end of a consent from which it is told: one that is used is renewed long before.
const ENDS_SOON: i64 = 14;

/// How much waits for a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Payments that fit no order.
    pub unmatched: usize,
    /// Everything else.
    pub parked: usize,
    /// Whether there is more that was not counted.
    pub more: bool,
}

impl Waiting {
    fn of(items: &[Parked], more: bool) -> Self {
        let matchable = |item: &&Parked| {
            actions_of(&item.code, None).is_some_and(|actions| actions.contains(&Action::Match))
        };
        let unmatched = items.iter().filter(matchable).count();
        Self { unmatched, parked: items.len() - unmatched, more }
    }
}

/// What the overview shows.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewView {
    /// What waits for a human.
    pub waiting: Waiting,
    /// Whether messages have stranded; nobody is told whose they are.
    pub stranded: bool,
    /// The connections that there are, and those that the settings name and that are not there.
    pub connections: Vec<ConnectionView>,
    /// How many orders are how far.
    pub figures: Figures,
    /// The latest orders.
    pub latest: Vec<Order>,
    /// What is left to be set up.
    pub guide: Guide,
    /// The settings, once somebody has made them.
    pub settings: Option<Settings>,
}

/// Whether a connection's consent ends soon if nobody does anything.
#[must_use]
pub fn ends_soon(view: &ConnectionView) -> bool {
    view.state != ShownState::Disconnected && view.days_left.is_some_and(|days| days < ENDS_SOON)
}

/// Shows the overview to somebody with this role.
///
/// # Errors
/// When the table or a queue fails.
pub async fn overview_show(app: &App, tenant: &TenantId, role: Role) -> Result<OverviewView, Error> {
    let (parked, connections, settings, keys, (orders, complete), stranded) = try_join!(
        app.parking.parked_list(tenant, WAITING, None),
        connections_list(app, tenant),
        app.directory.settings_get(tenant),
        app.keyring.api_keys_list(tenant),
        lately(app, tenant),
        stranded(app, role),
    )?;
    let facts =
        Facts { connections: &connections, settings: settings.as_ref(), keys: &keys, orders: &orders };
    Ok(OverviewView {
        waiting: Waiting::of(&parked.items, parked.next.is_some()),
        stranded,
        guide: Guide::of(&*app.providers, &facts),
        figures: Figures::of(&orders, complete, app.clock.now()),
        latest: orders.into_iter().take(LATEST).collect(),
        connections: connections.into_iter().filter(|view| is_shown(view, settings.as_ref())).collect(),
        settings,
    })
}

fn is_shown(view: &ConnectionView, settings: Option<&Settings>) -> bool {
    let used = settings.is_some_and(|settings| {
        let Settings { payments, accounting, .. } = settings;
        *payments == view.provider || accounting.as_ref() == Some(&view.provider)
    });
    view.state != ShownState::Disconnected || used
}

/// The orders of the days that are counted, newest first and some older ones behind; and whether these are all.
async fn lately(app: &App, tenant: &TenantId) -> Result<(Vec<Order>, bool), Error> {
    let first = first_day(app.clock.now());
    let mut orders: Vec<Order> = Vec::new();
    let mut cursor = None;
    while orders.len() < MOST {
        let page = app.orders.orders_list(tenant, &OrderFilter::default(), PAGE, cursor.as_ref()).await?;
        orders.extend(page.items);
        cursor = page.next;
        let goes_back = orders.last().is_some_and(|oldest| swedish_day(oldest.created_at) < first);
        if goes_back || cursor.is_none() {
            return Ok((orders, true));
        }
    }
    Ok((orders, false))
}

/// Whether a dead-letter queue holds anything.
async fn stranded(app: &App, role: Role) -> Result<bool, Error> {
    if role < Role::Operator {
        return Ok(false);
    }
    let counts = QueueName::ALL.iter().map(|queue| app.dead_letters.dead_letters_count(*queue));
    Ok(try_join_all(counts).await?.into_iter().any(|count| count > 0))
}
