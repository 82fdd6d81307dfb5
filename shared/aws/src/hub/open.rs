//! Open work: a small item per order and what it waits for, written and deleted with the order itself.

use std::ops::Range;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, OpenKind, OpenOrder, OpenWork, Page};
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::Order;
use jiff::Timestamp;

use super::Hub;
use super::pages::Listing;
use super::transaction::Transaction;
use crate::items::keys::{Key, OPEN, open_pk};
use crate::items::records;

/// Adds to a transaction what an order waits for.
pub(super) fn list(writes: &mut Transaction<'_>, order: &Order) {
    for kind in OpenKind::ALL.into_iter().filter(|kind| kind.is_open(order)) {
        let open = OpenOrder { order: order.id.clone(), since: order.created_at };
        writes.put(records::open(&order.tenant, kind, &open));
    }
}

/// The same of an order that was there before, and what it waits for no more.
pub(super) fn relist(writes: &mut Transaction<'_>, order: &Order) {
    list(writes, order);
    for kind in OpenKind::ALL.into_iter().filter(|kind| !kind.is_open(order)) {
        drop(writes, &order.tenant, kind, &order.id);
    }
}

/// Adds to a transaction that an order waits for something no more.
pub(super) fn drop(writes: &mut Transaction<'_>, tenant: &TenantId, kind: OpenKind, order: &OrderId) {
    writes.delete(Key::open(tenant, kind, order));
}

#[async_trait]
impl OpenWork for Hub {
    async fn open_list(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error> {
        let listing = Listing::Table { pk: open_pk(tenant, kind), prefix: OPEN, newest_first: false };
        self.page("listing open work", &listing, limit, cursor, records::open_from_item).await
    }

    async fn open_accepted(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        accepted: &Range<Timestamp>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error> {
        // DynamoDB refuses to look between two keys that are the wrong way around.
        if accepted.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let listing = Listing::Between { pk: open_pk(tenant, kind), keys: OrderId::made_in(accepted) };
        self.page("listing open work of a time", &listing, limit, cursor, records::open_from_item).await
    }

    async fn open_drop(&self, tenant: &TenantId, kind: OpenKind, order: &OrderId) -> Result<(), Error> {
        self.delete("closing open work", Key::open(tenant, kind, order)).await.map(|_| ())
    }
}
