//! Viva: payment orders, transactions and webhooks, as apis/viva-ongoing-bank.md section 1 describes them.
//!
//! One origin stands in for the three hosts of Viva: accounts (tokens), API and the older "basic" API.

mod api;
mod delivery;
mod events;
mod members;
mod model;
mod page;
mod sim;
mod state;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::JoinSet;

use crate::kit::{Clock, Kit, Provider, Route, Running, Server, outbox};
use delivery::Outbox;
use events::Event;
use state::State;

pub use crate::kit::{Attempt, DeliveryState};
pub use delivery::{About, Delivery};
pub use members::Members;
pub use model::{
    Customer, NewOrder, Order, OrderState, Outcome, Pay, Refund, Refused, Switches, Transaction,
};
pub use sim::{Post, Told};
pub use wire::{Amount, Currency, OrderCode};

/// The account that is simulated. All values are made up; none opens anything at Viva.
#[derive(Clone)]
pub struct VivaConfig {
    /// Where to listen; a free port when `None`.
    pub port: Option<u16>,
    /// The merchant's id, a UUID; user name of the older API.
    pub merchant_id: String,
    /// Password of the older API.
    pub api_key: String,
    /// Client id of the token endpoint.
    pub client_id: String,
    /// Client secret of the token endpoint.
    pub client_secret: String,
    /// The key that webhook endpoints answer the handshake with: 40 hexadecimal digits.
    pub webhook_key: String,
    /// The shop whose orders these are, four digits or `Default`.
    pub source_code: String,
    /// The account's only currency, as ISO 4217 number; 752 is SEK.
    pub currency: Currency,
    /// How the account behaves at first, including where its events go.
    pub switches: Switches,
}

impl Default for VivaConfig {
    fn default() -> Self {
        Self {
            port: None,
            merchant_id: "7b1e5a52-0000-4000-8000-51a0b0c0d0e0".to_owned(),
            api_key: "simulated-api-key".to_owned(),
            client_id: "simulated-client.apps.vivapayments.com".to_owned(),
            client_secret: "simulated-client-secret".to_owned(),
            webhook_key: "5133A9C05133A9C05133A9C05133A9C05133A9C0".to_owned(),
            source_code: "1753".to_owned(),
            currency: Currency(752),
            switches: Switches::default(),
        }
    }
}

/// Starts the simulator.
pub struct Viva;

impl Viva {
    /// Serves the account on 127.0.0.1.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(account: VivaConfig) -> io::Result<Handle> {
        let kit = Kit::default();
        let shared = Arc::new(Shared {
            clock: kit.clock.clone(),
            state: Mutex::new(State::new(account.switches.clone())),
            outbox: Arc::new(Outbox::default()),
            account,
        });
        let routes = api::routes().merge(page::routes()).merge(sim::routes()).with_state(shared.clone());
        let running = Server::start(shared.account.port, kit.clone(), shared.clone(), routes).await?;
        let mut worker = JoinSet::new();
        let later = shared.clone();
        let duplicate_after = move || wire::millis(later.state().switches.duplicate_after_ms);
        worker.spawn(outbox::run(shared.outbox.clone(), shared.clock.clone(), duplicate_after));
        Ok(Handle { kit, running, shared, _worker: worker })
    }
}

/// A running simulator. It stops, and with it the webhooks, when this is dropped.
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

    /// Makes an order as the shop would over `POST /checkout/v2/orders`, without the HTTP.
    ///
    /// # Errors
    /// When Viva would refuse it.
    pub fn create_order(&self, wish: NewOrder) -> Result<OrderCode, Refused> {
        self.shared.state().create_order(wish, &self.shared.account, self.shared.now())
    }

    /// Pays an order, and waits for the first attempts to deliver the event if any are due.
    ///
    /// # Errors
    /// When the order cannot be paid.
    pub async fn pay(&self, wish: &Pay) -> Result<Told, Refused> {
        self.shared.pay_and_tell(wish).await
    }

    /// Gives money back, and waits as [`Handle::pay`] does.
    ///
    /// # Errors
    /// When there is nothing to give back.
    pub async fn refund(&self, wish: &Refund) -> Result<Told, Refused> {
        self.shared.refund_and_tell(wish).await
    }

    /// Sends events again, or events that never happened, and waits for the first attempts.
    ///
    /// # Errors
    /// When the post names a transaction or order that does not exist.
    pub async fn send(&self, post: Post) -> Result<Vec<Delivery>, Refused> {
        self.shared.send(post).await
    }

    /// Turns switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.state().switches);
    }

    /// Forgets orders, transactions and events, as `POST /_sim/reset` does; faults and request lines stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// The orders, by code.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.shared.state().orders.values().cloned().collect()
    }

    /// The transactions, oldest first.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.shared.state().transactions.clone()
    }

    /// The events made so far and what became of them.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.outbox.list()
    }

    /// Every access token ever given out, for tests that search for them elsewhere.
    #[must_use]
    pub fn secrets_issued(&self) -> Vec<String> {
        self.shared.state().tokens()
    }

    /// Waits until no delivery is due or under way, for example after a move of the clock.
    pub async fn settled(&self) {
        self.shared.outbox.quiet(&self.shared.clock, |_| true).await;
    }
}

/// What routes and the webhook worker share.
struct Shared {
    account: VivaConfig,
    clock: Clock,
    state: Mutex<State>,
    outbox: Arc<Outbox>,
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the event about a transaction as the account is now.
    fn event(&self, event_type_id: u32, transaction: &Transaction) -> Event {
        let state = self.state();
        let order = state.orders.get(&transaction.order_code);
        Event::of_transaction(event_type_id, transaction, order, &self.account, &state.switches, self.now())
    }

    /// Puts an event that really happened on its way, or loses it where a switch says so.
    fn tell(&self, event: Event, deliver: bool) -> u64 {
        let now = self.now();
        let route = {
            let switches = &mut self.state().switches;
            let (nth, every) = (self.outbox.count() + 1, u64::from(switches.drop_every));
            let dropped = deliver && (switches.drop_next > 0 || every > 0 && nth % every == 0);
            if deliver {
                switches.drop_next = switches.drop_next.saturating_sub(1);
            }
            Route {
                url: switches.webhook_url.clone(),
                held: !deliver,
                dropped,
                first_at: now + wire::millis(switches.delay_ms),
                duplicates: switches.duplicates,
            }
        };
        self.outbox.post(delivery::event(event), route)
    }

    fn pay(&self, wish: &Pay) -> Result<(Transaction, u64), Refused> {
        let paid = self.state().pay(wish, &self.account, self.now())?;
        let event = self.event(Event::type_of(&paid), &paid);
        let delivery = self.tell(event, wish.deliver);
        Ok((paid, delivery))
    }

    fn refund(&self, wish: &Refund) -> Result<(Transaction, u64), Refused> {
        let reversal = self.state().refund(wish, self.now())?;
        let event = self.event(Event::type_of(&reversal), &reversal);
        let delivery = self.tell(event, wish.deliver);
        Ok((reversal, delivery))
    }

    fn cancel(&self, code: OrderCode) -> Result<(), Refused> {
        let event = {
            let mut state = self.state();
            let order = state.cancel(code, self.now())?;
            Event::of_order(&order, &self.account, &state.switches, self.now())
        };
        self.tell(event, true);
        Ok(())
    }
}

/// Everything the account holds, as `GET /_sim/state` shows it.
#[derive(Serialize)]
struct Holdings<'a> {
    orders: Vec<&'a Order>,
    transactions: &'a [Transaction],
    webhooks: Vec<Delivery>,
    switches: &'a Switches,
}

impl Provider for Shared {
    fn state(&self) -> Box<RawValue> {
        let state = Shared::state(self);
        let holdings = Holdings {
            orders: state.orders.values().collect(),
            transactions: &state.transactions,
            webhooks: self.outbox.list(),
            switches: &state.switches,
        };
        to_raw_value(&holdings).expect("holdings are JSON")
    }

    fn reset(&self) {
        Shared::state(self).forget();
        self.outbox.forget();
    }

    fn configure(&self, switches: &RawValue) -> Result<(), String> {
        Shared::state(self).switch(switches.get())
    }
}
