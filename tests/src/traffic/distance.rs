//! Latency: every call to a provider and to AWS takes time by the common clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::memory::MemoryStore;
use bokbro_app::ports::{
    Cursor, Directory, Endpoints, LedgerKey, LedgerWrite, Ledgers, LimitKey, Limits, Page, StoredLimiter,
    Swapped,
};
use bokbro_app::records::{Connection, Endpoint, Settings};
use bokbro_connectors::kit::{Answer, Authorization, NoAnswer, Request, Transport, Wire};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::order::Order;

use super::clock::OwnClock;

/// How long calls take, in milliseconds from the least to the most.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    /// Until a request has arrived at the provider.
    pub there: (u64, u64),
    /// What the provider takes and the way back.
    pub back: (u64, u64),
    /// A call to AWS.
    pub aws: (u64, u64),
}

/// The wire of one worker.
pub(super) struct FarWire {
    /// What really sends.
    pub(super) wire: Transport,
    /// The worker's clock.
    pub(super) clock: Arc<OwnClock>,
    /// How far.
    pub(super) distance: Distance,
}

#[async_trait]
impl Wire for FarWire {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let Distance { there, back, .. } = self.distance;
        self.clock.some_millis(there.0, there.1).await;
        let answer = self.wire.exchange(request, authorization).await;
        self.clock.some_millis(back.0, back.1).await;
        answer
    }
}

/// The table as one worker reaches it.
pub(super) struct FarStore {
    /// The table itself.
    pub(super) store: Arc<MemoryStore>,
    /// The worker's clock.
    pub(super) clock: Arc<OwnClock>,
    /// How far.
    pub(super) distance: Distance,
    /// How often it was called, by all workers.
    pub(super) calls: Arc<AtomicU64>,
}

impl FarStore {
    async fn reach(&self) -> &MemoryStore {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let (least, most) = self.distance.aws;
        self.clock.some_millis(least, most).await;
        &self.store
    }
}

#[async_trait]
impl Limits for FarStore {
    async fn limiter_swap(
        &self,
        key: &LimitKey,
        mark: Option<u64>,
        new: &StoredLimiter,
    ) -> Result<Swapped, Error> {
        self.reach().await.limiter_swap(key, mark, new).await
    }
}

#[async_trait]
impl Ledgers for FarStore {
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error> {
        self.reach().await.ledger_load(key).await
    }

    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error> {
        self.reach().await.ledger_write(write).await
    }
}

#[async_trait]
impl Directory for FarStore {
    async fn settings_get(&self, tenant: &TenantId) -> Result<Option<Settings>, Error> {
        self.reach().await.settings_get(tenant).await
    }

    async fn settings_put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), Error> {
        self.reach().await.settings_put(tenant, settings).await
    }

    async fn connection_get(&self, tenant: &TenantId, to: &Provider) -> Result<Option<Connection>, Error> {
        self.reach().await.connection_get(tenant, to).await
    }

    async fn connection_put(&self, connection: &Connection) -> Result<(), Error> {
        self.reach().await.connection_put(connection).await
    }

    async fn connections_list(
        &self,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Connection>, Error> {
        self.reach().await.connections_list(limit, cursor).await
    }

    async fn endpoint_put(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.reach().await.endpoint_put(endpoint).await
    }
}

#[async_trait]
impl Endpoints for FarStore {
    async fn endpoint_get(&self, name: &str) -> Result<Option<Endpoint>, Error> {
        self.reach().await.endpoint_get(name).await
    }
}
