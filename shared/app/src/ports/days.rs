//! Batches of a day's sales and refunds, of which each becomes one voucher.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bokbro_domain::day::{DayId, DayLot};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::SyncStatus;
use bokbro_domain::posting::{CreditId, NetAndVat};
use bokbro_domain::vat::VatRate;

use super::{Cursor, Guard, LedgerWrite, Page};
use crate::error::Error;
use crate::records::Parked;

/// A batch. It is open until a worker takes its ledger for the first time; from then on nothing joins it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub id: DayId,
    /// Marker inside its voucher, unlike any other's.
    pub reference: String,
    /// How many entries have joined it.
    pub entries: u64,
    /// How far its voucher has come.
    pub status: SyncStatus,
}

/// An order's sale or one of its credits, as it stands in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Whose it is.
    pub order: OrderId,
    /// Which of the order's credits, if it is one.
    pub credit: Option<CreditId>,
    /// Net and tax by rate.
    pub sums: BTreeMap<VatRate, NetAndVat>,
}

/// An entry that is about to join a batch.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    /// Which batch.
    pub day: &'a DayId,
    /// The marker of a batch that begins with this entry; none for one that is there.
    pub begins: Option<&'a str>,
    /// The entry.
    pub joined: &'a Joined,
}

/// A write of a batch, its ledger and what belongs to it, in one transaction.
#[derive(Debug, Clone)]
pub struct DayWrite<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// The batch as it is to be; with as many entries as were read.
    pub day: &'a Day,
    /// What must hold of its ledger.
    pub guard: Guard,
    /// The new ledger.
    pub ledger: &'a Ledger,
    /// What waits for a human, once per fingerprint.
    pub parked: Option<&'a Parked>,
}

/// Batches, their entries, and which of them have no voucher yet.
#[async_trait]
pub trait Days: Send + Sync {
    /// Writes an order's ledger as [`super::Ledgers::ledger_write`] does and has an entry of the order join a batch, or
    /// neither. An order's ledger tells what has joined, so nothing joins twice.
    ///
    /// # Errors
    /// `Raced` when the ledger's guard does not hold, the batch is closed, or it begins and is there already; `Storage` when
    /// the table fails.
    async fn day_join(&self, write: LedgerWrite<'_>, joining: Joining<'_>) -> Result<(), Error>;

    /// Reads the newest batch of a lot and its ledger, consistently.
    ///
    /// # Errors
    /// When the table fails.
    async fn day_newest(&self, tenant: &TenantId, lot: &DayLot) -> Result<Option<(Day, Ledger)>, Error>;

    /// Reads a batch and its ledger, consistently.
    ///
    /// # Errors
    /// When the table fails.
    async fn day_load(&self, tenant: &TenantId, id: &DayId) -> Result<Option<(Day, Ledger)>, Error>;

    /// Writes a batch under the guard of its ledger. The first such write closes it. When an item with the parked item's
    /// fingerprint waits already, the status leads to that one.
    ///
    /// # Errors
    /// `Raced` when the guard does not hold, or an entry has joined since the batch was read; `Storage` when the table
    /// fails.
    async fn day_write(&self, write: DayWrite<'_>) -> Result<(), Error>;

    /// Lists a batch's entries in a fixed order.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn day_entries(
        &self,
        tenant: &TenantId,
        id: &DayId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Joined>, Error>;

    /// Lists the batches that still need a worker, by their ids: a batch is listed from its first entry on until
    /// [`Days::day_drop`].
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn days_open(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<DayId>, Error>;

    /// Takes a batch off the list; again is the same.
    ///
    /// # Errors
    /// When the table fails.
    async fn day_drop(&self, tenant: &TenantId, id: &DayId) -> Result<(), Error>;
}
