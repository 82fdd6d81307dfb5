//! What is left to do, kept apart from everything that is done: a search for it costs what is open, not what there is.

use std::ops::Range;

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, Target, TenantId};
use bokbro_domain::order::{Order, OrderState, SyncState};
use jiff::Timestamp;

use super::{Cursor, Page};
use crate::error::Error;

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpenKind {
    /// Its payment.
    Payment,
    /// The books.
    Accounting,
    /// Its parcel.
    Warehouse,
    /// What may be given back of its money.
    Refund,
}

impl OpenKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Accounting, Self::Warehouse, Self::Refund];

    /// Its name in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Accounting => "accounting",
            Self::Warehouse => "warehouse",
            Self::Refund => "refund",
        }
    }

    /// What an order waits for at a target.
    #[must_use]
    pub fn of(target: Target) -> Self {
        match target {
            Target::Accounting => Self::Accounting,
            Target::Warehouse => Self::Warehouse,
        }
    }

    /// Whether an order waits for it.
    #[must_use]
    pub fn is_open(self, order: &Order) -> bool {
        match self {
            Self::Payment => order.state == OrderState::Pending,
            Self::Accounting => order.books_lack(),
            Self::Warehouse => {
                let stop = order.state == OrderState::Refunded && order.warehouse.may_be_taken_back();
                order.state.has_been_paid() && (order.warehouse.state != SyncState::Done || stop)
            }
            Self::Refund => match order.state {
                OrderState::Paid | OrderState::PartiallyRefunded => true,
                OrderState::Pending | OrderState::Refunded | OrderState::Cancelled => false,
            },
        }
    }
}

/// An order that waits for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrder {
    /// Which order.
    pub order: OrderId,
    /// When it was accepted.
    pub since: Timestamp,
}

/// Orders that wait for something. Stores keep the list in the same transactions as the orders themselves: an order is
/// on it from [`super::Orders::order_insert`] and [`super::Orders::order_update`] on, and off it with the update, or the
/// ledger's write, after which it waits no more.
///
/// An update that raced against the ledger's last write may leave an order on the list that waits for nothing. Nothing
/// is ever missing from it.
#[async_trait]
pub trait OpenWork: Send + Sync {
    /// Lists the orders that wait for something, oldest first. A cursor stays good when the orders before it leave.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn open_list(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error>;

    /// Lists those of them that were accepted in a time, oldest first, and reads no others. Cursors of one time are no good
    /// for another.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn open_accepted(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        accepted: &Range<Timestamp>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error>;

    /// Takes an order off the list; again is the same.
    ///
    /// # Errors
    /// When the table fails.
    async fn open_drop(&self, tenant: &TenantId, kind: OpenKind, order: &OrderId) -> Result<(), Error>;
}
