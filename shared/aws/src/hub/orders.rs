//! Orders, their payment facts and their history.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Inserted, KeyClaim, LookUp, LookUpKind, OrderFilter, Orders, Page};
use bokbro_app::records::TimelineEntry;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::Order;
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::said;

use super::Hub;
use super::open;
use super::pages::Listing;
use super::transaction::{Change, Condition, Outcome, Transaction};
use crate::items::keys::{FACTS, Key, ORDERS, TIMELINE, order_pk, state_pk, state_sk, tenant_pk};
use crate::items::{Item, Unreadable, number, order as items, records, stamp, text};

/// Most writes that DynamoDB takes in one transaction.
const MAX_WRITES: usize = 100;

/// By what an order that is stored can be found.
fn look_ups(order: &Order) -> Vec<(LookUpKind, LookUp)> {
    let body = &order.body;
    let mut look_ups = vec![(LookUpKind::OrderNumber, LookUp::OrderNumber(body.order_number.clone()))];
    look_ups.extend(body.checkout_code.map(|code| (LookUpKind::CheckoutCode, LookUp::CheckoutCode(code))));
    let reference = body.payment_reference.clone();
    look_ups.extend(reference.map(|text| (LookUpKind::Transaction, LookUp::Transaction(text))));
    look_ups
}

/// An entry of an order's history as an item.
pub(super) fn entry_item(tenant: &TenantId, order: &OrderId, entry: &TimelineEntry) -> Item {
    records::to_item(Key::timeline(tenant, order, &entry.id), entry)
}

/// What the key of a request that came before says.
fn repeated(stored: &Item, key: &KeyClaim) -> Result<Inserted, Unreadable> {
    let before = records::Completed::read(stored)?;
    if before.validation != Some(key.body_hash.as_str()) {
        return Ok(Inserted::KeyReused);
    }
    before.order().map(Inserted::Repeated)
}

#[async_trait]
impl Orders for Hub {
    async fn order_insert(
        &self,
        order: &Order,
        key: Option<&KeyClaim>,
        entry: &TimelineEntry,
    ) -> Result<Inserted, Error> {
        const STEP: &str = "storing an order";
        let (tenant, id) = (&order.tenant, &order.id);
        let mut writes = Transaction::on(&self.tables.hub);
        writes.put_if(items::to_item(order), &Condition::absent());
        let look_ups = look_ups(order);
        let mut fields = Vec::new();
        for (kind, by) in &look_ups {
            let item = records::pointer(Key::look_up(tenant, by), id.as_str());
            fields.push((*kind, writes.put_if(item, &Condition::absent())));
        }
        writes.put(entry_item(tenant, id, entry));
        let claimed = key.map(|key| {
            let free = Condition {
                expression: "attribute_not_exists(id) OR expiration < :now",
                values: vec![(":now", number(order.created_at.as_second()))],
            };
            (key, writes.put_if_on(&self.tables.idempotency, records::claim(key, id), &free))
        });
        open::list(&mut writes, order);
        let refusals = match writes.commit(&self.client, STEP).await? {
            Outcome::Committed => return Ok(Inserted::Created),
            Outcome::Refused(refusals) => refusals,
        };
        // A repeat collides with its own first order everywhere: the key says so, the look-ups cannot.
        if let Some((key, index)) = claimed
            && let Some(stored) = refusals.at(index)
        {
            return repeated(stored, key).map_err(|e| Error::storage(STEP, e));
        }
        match fields.into_iter().find(|(_, index)| refusals.at(*index).is_some()) {
            Some((field, _)) => Ok(Inserted::Taken { field }),
            None => Err(Error::Raced { step: STEP }),
        }
    }

    async fn order_get(&self, tenant: &TenantId, id: &OrderId) -> Result<Option<Order>, Error> {
        const STEP: &str = "reading an order";
        let item = self.get(STEP, Key::order(tenant, id)).await?;
        item.as_ref().map(items::from_item).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn order_find(&self, tenant: &TenantId, by: &LookUp) -> Result<Option<OrderId>, Error> {
        const STEP: &str = "finding an order";
        let Some(item) = self.get(STEP, Key::look_up(tenant, by)).await? else { return Ok(None) };
        records::pointer_id(&item, OrderId::parse).map(Some).map_err(|e| Error::storage(STEP, e))
    }

    async fn orders_list(
        &self,
        tenant: &TenantId,
        filter: &OrderFilter,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Order>, Error> {
        let OrderFilter { state } = filter;
        let listing = match state {
            Some(state) => Listing::Index { tenant: tenant.clone(), pk: state_pk(tenant, *state) },
            None => Listing::Table { pk: tenant_pk(tenant), prefix: ORDERS, newest_first: true },
        };
        self.page("listing orders", &listing, limit, cursor, items::from_item).await
    }

    async fn payment_facts(&self, tenant: &TenantId, id: &OrderId) -> Result<Vec<PaymentFact>, Error> {
        const STEP: &str = "reading payments";
        let listing = Listing::Table { pk: order_pk(tenant, id), prefix: FACTS, newest_first: false };
        let items = self.query(STEP, &listing, None, None).await?;
        items.iter().map(items::fact_from_item).collect::<Result<_, _>>().map_err(|e| Error::storage(STEP, e))
    }

    async fn order_update(
        &self,
        order: &Order,
        facts: &[PaymentFact],
        entries: &[TimelineEntry],
    ) -> Result<(), Error> {
        const STEP: &str = "changing an order";
        let (tenant, id) = (&order.tenant, &order.id);
        let mut writes = Transaction::on(&self.tables.hub);
        let changed = writes.change(Change {
            key: Key::order(tenant, id),
            set: vec![
                ("state", text(order.state.as_str())),
                ("payment", items::payment(&order.payment)),
                ("version", number(order.version)),
                ("updated_at", text(stamp(order.updated_at))),
                ("gsi1pk", text(state_pk(tenant, order.state))),
                ("gsi1sk", text(state_sk(order.updated_at, id))),
            ],
            condition: Condition {
                expression: "version = :before",
                values: vec![(":before", number(order.version.saturating_sub(1)))],
            },
        });
        // DynamoDB takes an item only once per transaction.
        let facts: BTreeMap<_, _> = facts.iter().map(|fact| (&fact.transaction, fact)).collect();
        let mut transactions = Vec::new();
        for (transaction, fact) in facts {
            writes.put(items::fact_to_item(tenant, id, fact));
            let by = LookUp::Transaction(transaction.to_string());
            let pointer = records::pointer(Key::look_up(tenant, &by), id.as_str());
            let ours = Condition::absent_or_leads_to(id.as_str());
            transactions.push((transaction, writes.put_if(pointer, &ours)));
        }
        for entry in entries {
            writes.put(entry_item(tenant, id, entry));
        }
        open::relist(&mut writes, order);
        if writes.len() > MAX_WRITES {
            let message = said!(
                "parked-many-transactions",
                "the order has {count} transactions, more than can be stored at once",
                count = transactions.len()
            );
            return Err(Error::park("too_many_transactions", message));
        }
        let refusals = match writes.commit(&self.client, STEP).await? {
            Outcome::Committed => return Ok(()),
            Outcome::Refused(refusals) => refusals,
        };
        let taken = transactions.iter().find(|(_, index)| refusals.at(*index).is_some());
        match taken {
            // Seen with an old version, somebody else's transaction may be ours by now: read again first.
            Some((transaction, _)) if refusals.at(changed).is_none() => {
                let message = said!(
                    "parked-transaction-taken",
                    "transaction {transaction} belongs to another order already; check both",
                    transaction
                );
                Err(Error::park("transaction_taken", message))
            }
            Some(_) | None => Err(Error::Raced { step: STEP }),
        }
    }

    async fn timeline_add(
        &self,
        tenant: &TenantId,
        id: &OrderId,
        entry: &TimelineEntry,
    ) -> Result<(), Error> {
        self.put("adding to a timeline", entry_item(tenant, id, entry)).await
    }

    async fn timeline_list(
        &self,
        tenant: &TenantId,
        id: &OrderId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<TimelineEntry>, Error> {
        let listing = Listing::Table { pk: order_pk(tenant, id), prefix: TIMELINE, newest_first: false };
        let read = |item: &Item| records::from_item("timeline entry", item);
        self.page("listing a timeline", &listing, limit, cursor, read).await
    }
}
