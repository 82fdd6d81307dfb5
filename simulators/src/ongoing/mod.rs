//! Ongoing WMS: orders, articles and webhooks of one warehouse, as apis/viva-ongoing-bank.md section 2 describes them.

mod answers;
mod api;
mod config;
mod desk;
mod model;
mod sim;
mod state;
mod webhooks;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::JoinSet;

use crate::kit::{Clock, Kit, Outbox, Provider, Route, Running, Server, outbox};
use state::State;
use webhooks::About;

pub use config::{ErrorBody, OngoingConfig, Switches};
pub use model::{Article, Order, Parcel, Refused};
pub use state::Work;
pub use webhooks::Delivery;

/// Starts simulated warehouses.
pub struct Ongoing;

impl Ongoing {
    /// Serves the warehouse on 127.0.0.1.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(config: OngoingConfig) -> io::Result<Handle> {
        let kit = Kit::default();
        let state = Mutex::new(State::new(&config));
        let outbox = Arc::new(Outbox::default());
        let shared = Arc::new(Shared { clock: kit.clock.clone(), state, outbox, config });
        let routes =
            api::routes(&shared).merge(sim::routes()).merge(desk::routes()).with_state(shared.clone());
        let running = Server::start(shared.config.port, kit.clone(), shared.clone(), routes).await?;
        let mut worker = JoinSet::new();
        worker.spawn(outbox::run(shared.outbox.clone(), shared.clock.clone(), || SignedDuration::ZERO));
        Ok(Handle { kit, running, shared, _worker: worker })
    }
}

/// A running warehouse. It stops, and with it the webhooks, when this is dropped.
pub struct Handle {
    /// Its clock, faults and request log.
    pub kit: Kit,
    running: Running,
    shared: Arc<Shared>,
    /// Sends webhooks; held because a set of tasks ends them when it is dropped.
    _worker: JoinSet<()>,
}

impl Deref for Handle {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Handle {
    /// Stops and waits until the port is free again.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Turns switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.state().switches);
    }

    /// Lets the staff work on an order, and waits for the webhook's first attempt if one is due.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn work(&self, work: &Work) -> Result<Order, Refused> {
        self.shared.work_and_tell(work).await
    }

    /// Forgets articles, orders and webhooks; switches stay.
    pub fn reset(&self) {
        Provider::reset(&*self.shared);
    }

    /// Puts goods on the shelf.
    ///
    /// # Errors
    /// When the article does not exist.
    pub fn receive(&self, article: &str, items: Decimal) -> Result<(), Refused> {
        self.shared.state().receive(None, article, items, self.shared.now())
    }

    /// The orders, oldest first.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.shared.state().orders.values().cloned().collect()
    }

    /// The articles of all goods owners.
    #[must_use]
    pub fn articles(&self) -> Vec<Article> {
        self.shared.state().articles.values().cloned().collect()
    }

    /// Writes that came while another of the same goods owner was under way.
    #[must_use]
    pub fn collisions(&self) -> u64 {
        self.shared.state().collisions
    }

    /// The webhooks made so far and what became of them.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.outbox.list()
    }

    /// Waits until no webhook is due or under way, for example after a move of the clock.
    pub async fn settled(&self) {
        self.shared.outbox.quiet(&self.shared.clock, |_| true).await;
    }
}

/// What routes and the webhook worker share.
struct Shared {
    config: OngoingConfig,
    clock: Clock,
    state: Mutex<State>,
    outbox: Arc<Outbox<About>>,
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work_and_tell(&self, work: &Work) -> Result<Order, Refused> {
        let now = self.now();
        let (order, id) = {
            let mut state = self.state();
            let order = state.work(work, now)?;
            let switches = &mut state.switches;
            let dropped = work.deliver && switches.drop_next > 0;
            if work.deliver {
                switches.drop_next = switches.drop_next.saturating_sub(1);
            }
            let told = work.told_status.unwrap_or(order.status);
            let letter = webhooks::letter(&self.config.warehouse, &order, told, switches, now);
            let (url, duplicates) = (switches.webhook_url.clone(), switches.duplicates);
            let route = Route { url, held: !work.deliver, dropped, first_at: now, duplicates };
            (order, self.outbox.post(letter, route))
        };
        self.outbox.quiet(&self.clock, |one| one.id == id).await;
        Ok(order)
    }
}

impl Provider for Shared {
    fn state(&self) -> Box<RawValue> {
        let state = Shared::state(self);
        let holdings = json!({
            "orders": state.orders.values().collect::<Vec<_>>(),
            "articles": state.articles.values().collect::<Vec<_>>(),
            "webhooks": self.outbox.list(), "collisions": state.collisions, "switches": state.switches,
        });
        to_raw_value(&holdings).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    fn reset(&self) {
        Shared::state(self).forget();
        self.outbox.forget();
    }

    fn configure(&self, switches: &RawValue) -> Result<(), String> {
        let switches: Switches = serde_json::from_str(switches.get()).map_err(|error| error.to_string())?;
        Shared::state(self).switches = switches;
        Ok(())
    }
}
