//! Open work in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::Order;
use jiff::Timestamp;

use super::store::MemoryStore;
use crate::error::Error;
use crate::ports::{Cursor, OpenKind, OpenOrder, OpenWork, Page};

/// Open work by tenant and kind, then by order.
pub(super) type Open = BTreeMap<(TenantId, OpenKind), BTreeMap<OrderId, Timestamp>>;

/// Puts an order on the lists of what it waits for and takes it off the others.
pub(super) fn list(open: &mut Open, order: &Order) {
    for kind in OpenKind::ALL {
        let orders = open.entry((order.tenant.clone(), kind)).or_default();
        if kind.is_open(order) {
            orders.insert(order.id.clone(), order.created_at);
        } else {
            orders.remove(&order.id);
        }
    }
}

#[async_trait]
impl OpenWork for MemoryStore {
    async fn open_list(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error> {
        let name = format!("open {} of {tenant} ", kind.as_str());
        let bad = || Error::park("bad_cursor", "the cursor is not one of this list");
        let after = match cursor {
            Some(Cursor(text)) => {
                let last = text.strip_prefix(&name).ok_or_else(bad)?;
                Bound::Excluded(OrderId::parse(last).map_err(|_| bad())?)
            }
            None => Bound::Unbounded,
        };
        let mut state = self.state();
        let orders = state.open.entry((tenant.clone(), kind)).or_default();
        let mut items: Vec<OpenOrder> = orders
            .range((after, Bound::Unbounded))
            .take(limit + 1)
            .map(|(order, since)| OpenOrder { order: order.clone(), since: *since })
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor(format!("{name}{}", last.order)));
        Ok(Page { items, next })
    }

    async fn open_drop(&self, tenant: &TenantId, kind: OpenKind, order: &OrderId) -> Result<(), Error> {
        self.state().open.entry((tenant.clone(), kind)).or_default().remove(order);
        Ok(())
    }
}
