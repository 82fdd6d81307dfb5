//! Our own storage: tables and the vault.

use async_trait::async_trait;
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{CheckoutCode, JobId, OrderId, OrderNumber, ParkedId, Provider, Target, TenantId};
use bokbro_domain::order::{Order, OrderState, SyncState, SyncStatus};
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::token::TokenState;
use jiff::Timestamp;

use crate::error::Error;
use crate::records::{AuditEntry, Connection, Endpoint, Job, Parked, Settings, TimelineEntry};
use crate::secret::Credentials;

/// An idempotency key that a caller sent, and the hash of the body that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClaim {
    /// Function, tenant and key: unique over all callers.
    pub id: String,
    /// SHA-256 of the body, hex.
    pub body_hash: String,
    /// Until when the key is remembered.
    pub expires_at: Timestamp,
}

/// What became of inserting an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is new.
    Created,
    /// The same key came with the same body before: the order made then.
    Repeated(OrderId),
    /// The same key came with another body before.
    KeyReused,
    /// Another order has the value of this field already.
    Taken {
        /// The field by its API name.
        field: LookUpKind,
    },
}

/// By what an order can be found besides its id; unique per tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookUpKind {
    /// The webshop's own number.
    OrderNumber,
    /// The payment provider's order code.
    CheckoutCode,
    /// A transaction id or payment reference.
    Transaction,
}

/// A value by which an order can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// The webshop's own number.
    OrderNumber(OrderNumber),
    /// The payment provider's order code.
    CheckoutCode(CheckoutCode),
    /// A transaction id or payment reference.
    Transaction(String),
}

/// Which orders to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Only those in this state.
    pub state: Option<OrderState>,
}

/// Where a list goes on; opaque to callers, and only valid for the same list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Orders, their payment facts and their history.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Stores a new order, its look-ups, its first timeline entry and the idempotency key in one transaction.
    ///
    /// # Errors
    /// When the table fails.
    async fn order_insert(
        &self,
        order: &Order,
        key: Option<&KeyClaim>,
        entry: &TimelineEntry,
    ) -> Result<Inserted, Error>;

    /// Reads an order.
    ///
    /// # Errors
    /// When the table fails.
    async fn order_get(&self, tenant: &TenantId, id: &OrderId) -> Result<Option<Order>, Error>;

    /// Finds an order by one of its look-ups.
    ///
    /// # Errors
    /// When the table fails.
    async fn order_find(&self, tenant: &TenantId, by: &LookUp) -> Result<Option<OrderId>, Error>;

    /// Lists orders, newest first.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn orders_list(
        &self,
        tenant: &TenantId,
        filter: &OrderFilter,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Order>, Error>;

    /// The payment facts recorded so far.
    ///
    /// # Errors
    /// When the table fails.
    async fn payment_facts(&self, tenant: &TenantId, id: &OrderId) -> Result<Vec<PaymentFact>, Error>;

    /// Stores an order's new state and payment, its facts and timeline entries in one transaction, on condition that
    /// the stored version is one below the order's. The sync states are not touched.
    ///
    /// # Errors
    /// `Raced` when the version has moved; `Storage` when the table fails.
    async fn order_update(
        &self,
        order: &Order,
        facts: &[PaymentFact],
        entries: &[TimelineEntry],
    ) -> Result<(), Error>;

    /// Adds an entry to an order's history and leaves the order as it is.
    ///
    /// # Errors
    /// When the table fails.
    async fn timeline_add(&self, tenant: &TenantId, id: &OrderId, entry: &TimelineEntry)
    -> Result<(), Error>;

    /// An order's history, oldest first.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn timeline_list(
        &self,
        tenant: &TenantId,
        id: &OrderId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TimelineEntry>, Error>;
}

/// Which ledger: one order at one target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// Whose.
    pub tenant: TenantId,
    /// Which order.
    pub order: OrderId,
    /// Which target.
    pub target: Target,
}

/// What must hold in the store for a ledger to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Taking the lease: the stored fence is this one (0 with no ledger stored counts), so nobody took it or gave it back
    /// since we read.
    Fence(u64),
    /// Working under the lease: this owner with this fence.
    Owner {
        /// Who holds the lease.
        owner: String,
        /// With which fence.
        fence: u64,
    },
}

/// A write of a ledger and what belongs to it, in one transaction.
#[derive(Debug, Clone)]
pub struct LedgerWrite<'a> {
    /// Which ledger.
    pub key: &'a LedgerKey,
    /// What must hold.
    pub guard: Guard,
    /// The new ledger.
    pub ledger: &'a Ledger,
    /// The order's new sync status at the target.
    pub status: Option<&'a SyncStatus>,
    /// The version that the order must still have, where the status is only true of that one: "done" of an order whose
    /// money was given back meanwhile is not.
    pub order_version: Option<u64>,
    /// What people will read.
    pub entries: &'a [TimelineEntry],
    /// What waits for a human, once per fingerprint.
    pub parked: Option<&'a Parked>,
}

impl LedgerWrite<'_> {
    /// The invoices and credit invoices by whose numbers the order can be found from now on, and where: those of an order
    /// that the books have in full.
    #[must_use]
    pub fn invoices(&self) -> Option<(&Provider, Vec<&str>)> {
        let status = self.status.filter(|status| status.state == SyncState::Done)?;
        let provider = status.provider.as_ref().filter(|_| self.key.target == Target::Accounting)?;
        Some((provider, status.invoice().into_iter().chain(status.credit_invoices()).collect()))
    }
}

/// Effect ledgers.
#[async_trait]
pub trait Ledgers: Send + Sync {
    /// Reads an order and its ledger at a target, consistently and in one call.
    ///
    /// # Errors
    /// When the table fails.
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error>;

    /// Writes a ledger under its guard. When an item with the parked item's fingerprint waits already, everything else
    /// is written and the status leads to the item that waits.
    ///
    /// # Errors
    /// `Raced` when the guard does not hold; `Storage` when the table fails.
    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error>;
}

/// Items that wait for a human.
#[async_trait]
pub trait Parking: Send + Sync {
    /// Parks an item unless one with the same fingerprint waits already; says whether it is new.
    ///
    /// # Errors
    /// When the table fails.
    async fn park_once(&self, tenant: &TenantId, parked: &Parked) -> Result<bool, Error>;

    /// Lists what waits, newest first.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn parked_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Parked>, Error>;

    /// Reads an item that waits.
    ///
    /// # Errors
    /// When the table fails.
    async fn parked_get(&self, tenant: &TenantId, id: &ParkedId) -> Result<Option<Parked>, Error>;

    /// An item that waits and whose fingerprint begins so, if there is one.
    ///
    /// # Errors
    /// When the table fails.
    async fn parked_find(&self, tenant: &TenantId, fingerprint_begins: &str)
    -> Result<Option<Parked>, Error>;

    /// Lets the same trouble be parked anew while the item is still listed; again is the same.
    ///
    /// # Errors
    /// When the table fails.
    async fn parked_unlink(&self, tenant: &TenantId, parked: &Parked) -> Result<(), Error>;

    /// Takes an item off the list, because nothing waits for it any more; again is the same. Another item with the same
    /// fingerprint stays.
    ///
    /// # Errors
    /// When the table fails.
    async fn parked_close(&self, tenant: &TenantId, id: &ParkedId) -> Result<(), Error>;
}

/// Numbers that may be used once.
#[async_trait]
pub trait Nonces: Send + Sync {
    /// Stores the SHA-256 of a nonce, hex.
    ///
    /// # Errors
    /// When the table fails.
    async fn nonce_put(&self, sha256: &str, expires_at: Timestamp) -> Result<(), Error>;

    /// Takes a nonce away; says whether it was there. Of any number of callers one is told so.
    ///
    /// # Errors
    /// When the table fails.
    async fn nonce_take(&self, sha256: &str) -> Result<bool, Error>;
}

/// Deliveries that have been dealt with, so that repeats cost nothing and what had no effect is on record.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// What became of a delivery before, if it came before.
    ///
    /// # Errors
    /// When the table fails.
    async fn delivery_outcome(&self, id: &str, now: Timestamp) -> Result<Option<String>, Error>;

    /// Records what became of a delivery; the first record stays.
    ///
    /// # Errors
    /// When the table fails.
    async fn delivery_done(&self, id: &str, outcome: &str, expires_at: Timestamp) -> Result<(), Error>;
}

/// Tenants' settings, connections and webhook endpoints.
#[async_trait]
pub trait Directory: Send + Sync {
    /// A tenant's settings.
    ///
    /// # Errors
    /// When the table fails.
    async fn settings_get(&self, tenant: &TenantId) -> Result<Option<Settings>, Error>;
    /// Stores a tenant's settings.
    ///
    /// # Errors
    /// When the table fails.
    async fn settings_put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), Error>;
    /// A connection.
    ///
    /// # Errors
    /// When the table fails.
    async fn connection_get(&self, tenant: &TenantId, to: &Provider) -> Result<Option<Connection>, Error>;
    /// Stores a connection.
    ///
    /// # Errors
    /// When the table fails.
    async fn connection_put(&self, connection: &Connection) -> Result<(), Error>;
    /// The connections of all tenants by tenant and provider, without disconnected ones. May lag behind writes.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn connections_list(
        &self,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Connection>, Error>;
    /// Stores a webhook endpoint.
    ///
    /// # Errors
    /// When the table fails.
    async fn endpoint_put(&self, endpoint: &Endpoint) -> Result<(), Error>;
}

/// Webhook endpoints, for whoever takes deliveries.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// A webhook endpoint by its path segment.
    ///
    /// # Errors
    /// When the table fails.
    async fn endpoint_get(&self, name: &str) -> Result<Option<Endpoint>, Error>;
}

/// Runs of longer tasks.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Stores a job as it is now. It is forgotten 90 days after its start.
    ///
    /// # Errors
    /// When the table fails.
    async fn job_put(&self, tenant: &TenantId, job: &Job) -> Result<(), Error>;

    /// Reads a job.
    ///
    /// # Errors
    /// When the table fails.
    async fn job_get(&self, tenant: &TenantId, id: &JobId) -> Result<Option<Job>, Error>;

    /// Lists jobs, newest first.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn jobs_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Job>, Error>;
}

/// Who changed what.
#[async_trait]
pub trait Audits: Send + Sync {
    /// Adds an entry.
    ///
    /// # Errors
    /// When the table fails.
    async fn audit_put(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<(), Error>;

    /// Lists entries, newest first.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn audits_list(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, Error>;
}

/// The tokens' states of connections.
#[async_trait]
pub trait TokenStates: Send + Sync {
    /// Reads a connection's state, consistently; the default when there is none.
    ///
    /// # Errors
    /// When the table fails.
    async fn token_state(&self, tenant: &TenantId, to: &Provider) -> Result<TokenState, Error>;

    /// Writes a connection's state under its guard.
    ///
    /// # Errors
    /// `Raced` when the guard does not hold; `Storage` when the table fails.
    async fn token_state_put(
        &self,
        tenant: &TenantId,
        to: &Provider,
        guard: &Guard,
        state: &TokenState,
    ) -> Result<(), Error>;
}

/// Secrets under a name, and which version of them this is.
#[derive(Clone)]
pub struct Versioned {
    /// The secrets.
    pub credentials: Credentials,
    /// The vault's own id of the version.
    pub version: String,
}

/// Secrets at rest. A name has a current version and may have a staged one, which is durable but not current yet.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Reads the current secrets under a name such as `connections/demo/ledger` or `app/ledger`.
    ///
    /// # Errors
    /// When the vault fails or holds something unreadable; the error never quotes a secret.
    async fn secret_get(&self, name: &str) -> Result<Option<Versioned>, Error>;

    /// Stores secrets and makes them current at once, whatever is there.
    ///
    /// # Errors
    /// When the vault fails.
    async fn secret_put(&self, name: &str, credentials: &Credentials) -> Result<(), Error>;

    /// Reads the version that was staged last, current by now or not.
    ///
    /// # Errors
    /// As [`Vault::secret_get`].
    async fn secret_staged(&self, name: &str) -> Result<Option<Versioned>, Error>;

    /// Stores secrets durably without making them current; gives the version's id. The name must exist.
    ///
    /// # Errors
    /// When the vault fails.
    async fn secret_stage(&self, name: &str, credentials: &Credentials) -> Result<String, Error>;

    /// Makes a staged version current if `over` still is; says whether it did.
    ///
    /// # Errors
    /// When the vault fails.
    async fn secret_promote(&self, name: &str, staged: &str, over: &str) -> Result<bool, Error>;

    /// Deletes a name with all its versions; again is the same.
    ///
    /// # Errors
    /// When the vault fails.
    async fn secret_delete(&self, name: &str) -> Result<(), Error>;
}
