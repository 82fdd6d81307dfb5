//! Open work in memory.

use std::collections::BTreeMap;
use std::ops::{Bound, Range, RangeInclusive};

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
        self.open_page(tenant, kind, None, limit, cursor)
    }

    async fn open_accepted(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        accepted: &Range<Timestamp>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error> {
        if accepted.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        self.open_page(tenant, kind, Some(OrderId::made_in(accepted)), limit, cursor)
    }

    async fn open_drop(&self, tenant: &TenantId, kind: OpenKind, order: &OrderId) -> Result<(), Error> {
        self.state().open.entry((tenant.clone(), kind)).or_default().remove(order);
        Ok(())
    }
}

impl MemoryStore {
    fn open_page(
        &self,
        tenant: &TenantId,
        kind: OpenKind,
        of: Option<RangeInclusive<OrderId>>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<OpenOrder>, Error> {
        let name = match &of {
            Some(of) => format!("open {} of {tenant} {} {} ", kind.as_str(), of.start(), of.end()),
            None => format!("open {} of {tenant} ", kind.as_str()),
        };
        let bad = Error::bad_cursor;
        let (mut from, mut to) = (Bound::Unbounded, Bound::Unbounded);
        if let Some((lowest, highest)) = of.clone().map(RangeInclusive::into_inner) {
            (from, to) = (Bound::Included(lowest), Bound::Included(highest));
        }
        if let Some(Cursor(text)) = cursor {
            let last = text.strip_prefix(&name).and_then(|last| OrderId::parse(last).ok());
            let inside = |last: &OrderId| of.as_ref().is_none_or(|of| of.contains(last));
            from = Bound::Excluded(last.filter(inside).ok_or_else(bad)?);
        }
        let mut state = self.state();
        let orders = state.open.entry((tenant.clone(), kind)).or_default();
        let mut items: Vec<OpenOrder> = orders
            .range((from, to))
            .take(limit + 1)
            .map(|(order, since)| OpenOrder { order: order.clone(), since: *since })
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor(format!("{name}{}", last.order)));
        Ok(Page { items, next })
    }
}
