//! Everything that the table keeps, in memory: directory, ledgers, parked items and deliveries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bokbro_domain::effect::{Lease, Ledger};
use bokbro_domain::ids::{JobId, OrderId, ParkedId, Provider, Target, TenantId};
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::token::TokenState;
use jiff::Timestamp;

use super::store_days::Batches;
use super::store_open::Open;
use crate::error::Error;
use crate::ports::{
    Cursor, Directory, Endpoints, Guard, Inbox, LedgerKey, LedgerWrite, Ledgers, LimitKey, Mapping, Nonces,
    OpenKind, Page, Parking, RegisterKey, Stock, StoredLimiter, TokenStates,
};
use crate::records::{
    ApiKey, AuditEntry, Connection, ConnectionState, Endpoint, Job, Parked, Session, Settings, TimelineEntry,
};

/// A store for tests; every method is atomic.
#[derive(Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Default, Clone)]
pub(super) struct State {
    pub(super) orders: BTreeMap<(TenantId, OrderId), Order>,
    /// Look-ups by kind and value.
    pub(super) look_ups: BTreeMap<(TenantId, String), OrderId>,
    pub(super) keys: BTreeMap<String, (String, OrderId, Timestamp)>,
    pub(super) facts: BTreeMap<OrderId, Vec<PaymentFact>>,
    pub(super) timelines: BTreeMap<OrderId, BTreeMap<String, TimelineEntry>>,
    ledgers: BTreeMap<LedgerKey, Ledger>,
    parked: BTreeMap<TenantId, Vec<Parked>>,
    /// Items whose trouble may be parked anew.
    unlinked: BTreeSet<ParkedId>,
    deliveries: BTreeMap<String, (String, Timestamp)>,
    token_states: BTreeMap<(TenantId, Provider), TokenState>,
    settings: BTreeMap<TenantId, Settings>,
    connections: BTreeMap<(TenantId, Provider), Connection>,
    endpoints: BTreeMap<String, Endpoint>,
    pub(super) api_keys: BTreeMap<String, ApiKey>,
    pub(super) sessions: BTreeMap<String, Session>,
    nonces: BTreeMap<String, Timestamp>,
    pub(super) open: Open,
    pub(super) batches: Batches,
    pub(super) jobs: BTreeMap<(TenantId, JobId), Job>,
    pub(super) audits: BTreeMap<TenantId, Vec<AuditEntry>>,
    /// Turns by name: whose and until when.
    pub(super) turns: BTreeMap<String, (String, Timestamp)>,
    pub(super) cursors: BTreeMap<(TenantId, Provider, String), String>,
    pub(super) stocks: BTreeMap<(TenantId, Provider, String), (Stock, Timestamp)>,
    pub(super) mappings: BTreeMap<RegisterKey, BTreeMap<String, Mapping>>,
    /// Orders by their invoices' numbers.
    pub(super) invoices: BTreeMap<(TenantId, Provider, String), OrderId>,
    pub(super) limiters: BTreeMap<LimitKey, StoredLimiter>,
    /// Counts by subject and number of the window.
    pub(super) counters: BTreeMap<(String, i64), u64>,
}

impl MemoryStore {
    /// What is stored now, as a back-up.
    #[must_use]
    pub fn back_up(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }

    /// Forgets what is stored for what a back-up holds.
    pub fn restore(&self, back_up: &Self) {
        *self.state() = back_up.state().clone();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of items that are sorted as they are to be shown; `key` names an item in a cursor.
pub(super) fn page<T: Clone>(
    list: &str,
    items: &[T],
    key: impl Fn(&T) -> String,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Result<Page<T>, Error> {
    let bad = Error::bad_cursor;
    let start = match cursor {
        None => 0,
        Some(Cursor(text)) => {
            let last = text.strip_prefix(list).and_then(|t| t.strip_prefix(' ')).ok_or_else(bad)?;
            items.iter().position(|item| key(item) == last).ok_or_else(bad)? + 1
        }
    };
    let shown: Vec<T> = items.iter().skip(start).take(limit).cloned().collect();
    let more = start + shown.len() < items.len();
    let next = shown.last().filter(|_| more).map(|item| Cursor(format!("{list} {}", key(item))));
    Ok(Page { items: shown, next })
}

/// Parks an item unless one with its fingerprint waits; gives the one that waits then.
pub(super) fn park_into(state: &mut State, tenant: &TenantId, parked: &Parked) -> Option<ParkedId> {
    let (waiting, unlinked) = (state.parked.entry(tenant.clone()).or_default(), &state.unlinked);
    let same = |p: &&Parked| p.fingerprint == parked.fingerprint && !unlinked.contains(&p.id);
    if let Some(same) = waiting.iter().find(same) {
        return Some(same.id.clone());
    }
    waiting.push(parked.clone());
    None
}

/// Whether a guard holds for what is stored.
pub(super) fn holds(guard: &Guard, stored_fence: u64, lease: Option<&Lease>) -> bool {
    match guard {
        Guard::Fence(fence) => stored_fence == *fence,
        Guard::Owner { owner, fence } => {
            stored_fence == *fence && lease.is_some_and(|lease| lease.owner == *owner)
        }
    }
}

#[async_trait]
impl Ledgers for MemoryStore {
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error> {
        let state = self.state();
        let Some(order) = state.orders.get(&(key.tenant.clone(), key.order.clone())) else { return Ok(None) };
        Ok(Some((order.clone(), state.ledgers.get(key).cloned().unwrap_or_default())))
    }

    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error> {
        write_ledger(&mut self.state(), &write)
    }
}

/// Writes a ledger and what belongs to it, or nothing.
pub(super) fn write_ledger(state: &mut State, write: &LedgerWrite<'_>) -> Result<(), Error> {
    let stored = state.ledgers.get(write.key).cloned().unwrap_or_default();
    if !holds(&write.guard, stored.fence, stored.lease.as_ref()) {
        return Err(Error::Raced { step: "writing a ledger" });
    }
    let order = state.orders.get(&(write.key.tenant.clone(), write.key.order.clone()));
    if write.order_version.is_some_and(|version| order.is_none_or(|order| order.version != version)) {
        return Err(Error::Raced { step: "writing a ledger" });
    }
    // Through the wire format, so that a ledger that does not survive it fails here too.
    let text = serde_json::to_string(write.ledger).map_err(|e| Error::storage("writing a ledger", e))?;
    let ledger = serde_json::from_str(&text).map_err(|e| Error::storage("writing a ledger", e))?;
    state.ledgers.insert(write.key.clone(), ledger);
    let waits = write.parked.and_then(|parked| park_into(state, &write.key.tenant, parked));
    if let Some((provider, numbers)) = write.invoices() {
        for number in numbers {
            let found_by = (write.key.tenant.clone(), provider.clone(), number.to_owned());
            state.invoices.insert(found_by, write.key.order.clone());
        }
    }
    if let Some(status) = write.status
        && let Some(order) = state.orders.get_mut(&(write.key.tenant.clone(), write.key.order.clone()))
    {
        let mut status = status.clone();
        status.parked = waits.or(status.parked);
        let done = status.state == SyncState::Done;
        match write.key.target {
            Target::Accounting => order.accounting = status,
            Target::Warehouse => order.warehouse = status,
        }
        if done {
            let kind = OpenKind::of(write.key.target);
            let open = state.open.entry((write.key.tenant.clone(), kind)).or_default();
            open.remove(&write.key.order);
        }
    }
    for entry in write.entries {
        let timeline = state.timelines.entry(write.key.order.clone()).or_default();
        timeline.insert(entry.id.clone(), entry.clone());
    }
    Ok(())
}

#[async_trait]
impl TokenStates for MemoryStore {
    async fn token_state(&self, tenant: &TenantId, to: &Provider) -> Result<TokenState, Error> {
        Ok(self.state().token_states.get(&(tenant.clone(), to.clone())).cloned().unwrap_or_default())
    }

    async fn token_state_put(
        &self,
        tenant: &TenantId,
        to: &Provider,
        guard: &Guard,
        new: &TokenState,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let stored = state.token_states.entry((tenant.clone(), to.clone())).or_default();
        if !holds(guard, stored.fence, stored.lease.as_ref()) {
            return Err(Error::Raced { step: "writing a token's state" });
        }
        stored.clone_from(new);
        Ok(())
    }
}

#[async_trait]
impl Parking for MemoryStore {
    async fn park_once(&self, tenant: &TenantId, parked: &Parked) -> Result<bool, Error> {
        Ok(park_into(&mut self.state(), tenant, parked).is_none())
    }

    async fn parked_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Parked>, Error> {
        let mut items = self.state().parked.get(tenant).cloned().unwrap_or_default();
        items.sort_by(|a, b| b.id.cmp(&a.id));
        let list = format!("parked of {tenant}");
        let last = cursor.and_then(|cursor| cursor.0.strip_prefix(&list)?.strip_prefix(' '));
        let Some(last) = last.and_then(|last| ParkedId::parse(last).ok()) else {
            return page(&list, &items, |p| p.id.to_string(), limit, cursor);
        };
        // Whoever works through the list closes items behind the cursor.
        items.retain(|parked| parked.id < last);
        page(&list, &items, |p| p.id.to_string(), limit, None)
    }

    async fn parked_get(&self, tenant: &TenantId, id: &ParkedId) -> Result<Option<Parked>, Error> {
        let state = self.state();
        Ok(state.parked.get(tenant).and_then(|waiting| waiting.iter().find(|p| p.id == *id)).cloned())
    }

    async fn parked_find(
        &self,
        tenant: &TenantId,
        fingerprint_begins: &str,
    ) -> Result<Option<Parked>, Error> {
        let state = self.state();
        let found =
            |p: &&Parked| p.fingerprint.starts_with(fingerprint_begins) && !state.unlinked.contains(&p.id);
        Ok(state.parked.get(tenant).and_then(|waiting| waiting.iter().find(found)).cloned())
    }

    async fn parked_unlink(&self, _tenant: &TenantId, parked: &Parked) -> Result<(), Error> {
        self.state().unlinked.insert(parked.id.clone());
        Ok(())
    }

    async fn parked_close(&self, tenant: &TenantId, id: &ParkedId) -> Result<(), Error> {
        if let Some(waiting) = self.state().parked.get_mut(tenant) {
            waiting.retain(|parked| parked.id != *id);
        }
        Ok(())
    }
}

#[async_trait]
impl Nonces for MemoryStore {
    async fn nonce_put(&self, sha256: &str, expires_at: Timestamp) -> Result<(), Error> {
        self.state().nonces.insert(sha256.to_owned(), expires_at);
        Ok(())
    }

    async fn nonce_take(&self, sha256: &str) -> Result<bool, Error> {
        Ok(self.state().nonces.remove(sha256).is_some())
    }
}

#[async_trait]
impl Inbox for MemoryStore {
    async fn delivery_outcome(&self, id: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let state = self.state();
        Ok(state.deliveries.get(id).filter(|(_, until)| *until > now).map(|(outcome, _)| outcome.clone()))
    }

    async fn delivery_done(&self, id: &str, outcome: &str, expires_at: Timestamp) -> Result<(), Error> {
        self.state().deliveries.entry(id.to_owned()).or_insert((outcome.to_owned(), expires_at));
        Ok(())
    }
}

#[async_trait]
impl Directory for MemoryStore {
    async fn settings_get(&self, tenant: &TenantId) -> Result<Option<Settings>, Error> {
        Ok(self.state().settings.get(tenant).cloned())
    }

    async fn settings_put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), Error> {
        self.state().settings.insert(tenant.clone(), settings.clone());
        Ok(())
    }

    async fn connection_get(&self, tenant: &TenantId, to: &Provider) -> Result<Option<Connection>, Error> {
        Ok(self.state().connections.get(&(tenant.clone(), to.clone())).cloned())
    }

    async fn connection_put(&self, connection: &Connection) -> Result<(), Error> {
        let key = (connection.tenant.clone(), connection.provider.clone());
        self.state().connections.insert(key, connection.clone());
        Ok(())
    }

    async fn connections_list(
        &self,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Connection>, Error> {
        let mut items: Vec<_> = self.state().connections.values().cloned().collect();
        items.retain(|connection| connection.state != ConnectionState::Disconnected);
        page("connections", &items, |c| format!("{}#{}", c.tenant, c.provider), limit, cursor)
    }

    async fn endpoint_put(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.state().endpoints.insert(endpoint.name.clone(), endpoint.clone());
        Ok(())
    }
}

#[async_trait]
impl Endpoints for MemoryStore {
    async fn endpoint_get(&self, name: &str) -> Result<Option<Endpoint>, Error> {
        Ok(self.state().endpoints.get(name).cloned())
    }
}
