//! Orders in memory.

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::said;

use super::store::{MemoryStore, page};
use super::store_open;
use crate::error::Error;
use crate::ports::{Cursor, Inserted, KeyClaim, LookUp, LookUpKind, OrderFilter, Orders, Page};
use crate::records::TimelineEntry;

fn look_ups(order: &Order) -> Vec<(LookUpKind, LookUp)> {
    let body = &order.body;
    let mut found = vec![(LookUpKind::OrderNumber, LookUp::OrderNumber(body.order_number.clone()))];
    found.extend(body.checkout_code.map(|code| (LookUpKind::CheckoutCode, LookUp::CheckoutCode(code))));
    let reference = body.payment_reference.clone();
    found.extend(reference.map(|text| (LookUpKind::Transaction, LookUp::Transaction(text))));
    found
}

fn name(by: &LookUp) -> String {
    match by {
        LookUp::OrderNumber(number) => format!("number {number}"),
        LookUp::CheckoutCode(code) => format!("code {code}"),
        LookUp::Transaction(text) => format!("transaction {text}"),
    }
}

#[async_trait]
impl Orders for MemoryStore {
    async fn order_insert(
        &self,
        order: &Order,
        key: Option<&KeyClaim>,
        entry: &TimelineEntry,
    ) -> Result<Inserted, Error> {
        let mut state = self.state();
        if let Some(claim) = key
            && let Some((hash, id, until)) = state.keys.get(&claim.id)
            && *until > order.created_at
        {
            return Ok(if *hash == claim.body_hash {
                Inserted::Repeated(id.clone())
            } else {
                Inserted::KeyReused
            });
        }
        let tenant = &order.tenant;
        for (field, by) in look_ups(order) {
            if state.look_ups.contains_key(&(tenant.clone(), name(&by))) {
                return Ok(Inserted::Taken { field });
            }
        }
        for (_, by) in look_ups(order) {
            state.look_ups.insert((tenant.clone(), name(&by)), order.id.clone());
        }
        if let Some(claim) = key {
            let kept = (claim.body_hash.clone(), order.id.clone(), claim.expires_at);
            state.keys.insert(claim.id.clone(), kept);
        }
        store_open::list(&mut state.open, order);
        state.orders.insert((tenant.clone(), order.id.clone()), order.clone());
        state.timelines.entry(order.id.clone()).or_default().insert(entry.id.clone(), entry.clone());
        Ok(Inserted::Created)
    }

    async fn order_get(&self, tenant: &TenantId, id: &OrderId) -> Result<Option<Order>, Error> {
        Ok(self.state().orders.get(&(tenant.clone(), id.clone())).cloned())
    }

    async fn order_find(&self, tenant: &TenantId, by: &LookUp) -> Result<Option<OrderId>, Error> {
        Ok(self.state().look_ups.get(&(tenant.clone(), name(by))).cloned())
    }

    async fn orders_list(
        &self,
        tenant: &TenantId,
        filter: &OrderFilter,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Order>, Error> {
        let state = self.state();
        let mut items: Vec<Order> =
            state.orders.values().filter(|order| order.tenant == *tenant).cloned().collect();
        items.retain(|order| filter.state.is_none_or(|state| order.state == state));
        items.sort_by(|a, b| b.id.cmp(&a.id));
        page("orders", &items, |order| order.id.to_string(), limit, cursor)
    }

    async fn payment_facts(&self, tenant: &TenantId, id: &OrderId) -> Result<Vec<PaymentFact>, Error> {
        let state = self.state();
        let ours = state.orders.contains_key(&(tenant.clone(), id.clone()));
        Ok(if ours { state.facts.get(id).cloned().unwrap_or_default() } else { Vec::new() })
    }

    async fn order_update(
        &self,
        order: &Order,
        facts: &[PaymentFact],
        entries: &[TimelineEntry],
    ) -> Result<(), Error> {
        let mut state = self.state();
        let key = (order.tenant.clone(), order.id.clone());
        let stored = state
            .orders
            .get(&key)
            .map(|stored| (stored.version, stored.accounting.clone(), stored.warehouse.clone()));
        let Some((version, accounting, warehouse)) = stored else {
            return Err(Error::Raced { step: "updating an order" });
        };
        if version + 1 != order.version {
            return Err(Error::Raced { step: "updating an order" });
        }
        for fact in facts {
            let look_up = (order.tenant.clone(), name(&LookUp::Transaction(fact.transaction.to_string())));
            if state.look_ups.get(&look_up).is_some_and(|owner| *owner != order.id) {
                let message = said!(
                    "parked-transaction-taken",
                    "transaction {transaction} belongs to another order already; check both",
                    transaction = fact.transaction
                );
                return Err(Error::park("transaction_taken", message));
            }
            state.look_ups.insert(look_up, order.id.clone());
            let known = state.facts.entry(order.id.clone()).or_default();
            known.retain(|f| f.transaction != fact.transaction);
            known.push(fact.clone());
        }
        for entry in entries {
            let timeline = state.timelines.entry(order.id.clone()).or_default();
            timeline.insert(entry.id.clone(), entry.clone());
        }
        // As the caller knows the order, like the table: what it knows of the books may be old.
        store_open::list(&mut state.open, order);
        state.orders.insert(key, Order { accounting, warehouse, ..order.clone() });
        Ok(())
    }

    async fn timeline_add(
        &self,
        _tenant: &TenantId,
        id: &OrderId,
        entry: &TimelineEntry,
    ) -> Result<(), Error> {
        self.state().timelines.entry(id.clone()).or_default().insert(entry.id.clone(), entry.clone());
        Ok(())
    }

    async fn timeline_list(
        &self,
        _tenant: &TenantId,
        id: &OrderId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TimelineEntry>, Error> {
        let state = self.state();
        let items: Vec<TimelineEntry> =
            state.timelines.get(id).map(|t| t.values().cloned().collect()).unwrap_or_default();
        page("timeline", &items, |entry| entry.id.clone(), limit, cursor)
    }
}
