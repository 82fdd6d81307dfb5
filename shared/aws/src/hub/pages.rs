//! Lists in pages, and the opaque cursors between them.

use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Page};
use bokbro_domain::ids::{OrderId, Provider, TenantId};

use super::Hub;
use crate::failure::storage;
use crate::items::keys::{CONNECTIONS, Key, ORDERS, tenant_pk};
use crate::items::{Item, Unreadable, text};

/// Most items of one page, so that no caller can have the whole table read.
const MAX_PAGE: usize = 1_000;

/// Where the items of a list stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    /// In a partition of the table, under sort keys that begin with a prefix.
    Table {
        /// The partition.
        pk: String,
        /// The prefix.
        prefix: &'static str,
        /// Order by sort key, or against it.
        newest_first: bool,
    },
    /// In a partition of the table, under the ids of orders from one to another, oldest first.
    Between {
        /// The partition.
        pk: String,
        /// The ids, both ends among them.
        keys: RangeInclusive<OrderId>,
    },
    /// A tenant's orders in a partition of the index by state, newest first.
    Index {
        /// Whose orders.
        tenant: TenantId,
        /// The partition of the index.
        pk: String,
    },
    /// The connections of all tenants in their partition of the index, by tenant and provider.
    Connections,
}

/// What a cursor says: which list, and the sort key of the last item seen.
type Position = (String, String);

impl Listing {
    /// Tells this list from all others; a cursor carries it.
    fn name(&self) -> String {
        match self {
            Self::Table { pk, prefix, .. } => format!("{pk}|{prefix}"),
            Self::Between { pk, keys } => format!("{pk}|{}|{}", keys.start(), keys.end()),
            Self::Index { pk, .. } => pk.clone(),
            Self::Connections => CONNECTIONS.to_owned(),
        }
    }

    /// The attribute by which the list is sorted.
    fn sort_attribute(&self) -> &'static str {
        match self {
            Self::Table { .. } | Self::Between { .. } => "sk",
            Self::Index { .. } | Self::Connections => "gsi1sk",
        }
    }

    /// The cursor behind an item.
    fn cursor(&self, last: &Item) -> Option<Cursor> {
        let key = last.get(self.sort_attribute())?.as_s().ok()?;
        let position: Position = (self.name(), key.clone());
        Some(Cursor(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&position).ok()?)))
    }

    /// DynamoDB's own key of the item that a cursor points behind. The partition comes from the list, never from the
    /// cursor, so that a forged cursor can only move within the caller's own list.
    fn start(&self, cursor: &Cursor) -> Option<Item> {
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).ok()?;
        let (name, key): Position = serde_json::from_slice(&bytes).ok()?;
        if name != self.name() {
            return None;
        }
        let attributes = match self {
            Self::Table { pk, prefix, .. } => {
                key.starts_with(prefix).then(|| vec![("pk", pk.clone()), ("sk", key)])?
            }
            Self::Between { pk, keys } => {
                let order = OrderId::parse(&key).ok().filter(|order| keys.contains(order))?;
                vec![("pk", pk.clone()), ("sk", order.to_string())]
            }
            Self::Index { tenant, pk } => {
                let order = OrderId::parse(key.rsplit_once('#')?.1).ok()?;
                let table_key = [("pk", tenant_pk(tenant)), ("sk", format!("{ORDERS}{order}"))];
                let index_key = [("gsi1pk", pk.clone()), ("gsi1sk", key)];
                table_key.into_iter().chain(index_key).collect()
            }
            Self::Connections => {
                let (tenant, provider) = key.split_once('#')?;
                let (tenant, provider) = (TenantId::parse(tenant).ok()?, Provider::parse(provider).ok()?);
                let table = Key::connection(&tenant, &provider);
                let index_key = [("gsi1pk", CONNECTIONS.to_owned()), ("gsi1sk", key)];
                [("pk", table.pk), ("sk", table.sk)].into_iter().chain(index_key).collect()
            }
        };
        Some(attributes.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect())
    }
}

impl Hub {
    /// Reads one page of a list.
    pub(super) async fn page<T>(
        &self,
        step: &'static str,
        listing: &Listing,
        limit: usize,
        cursor: Option<&Cursor>,
        read: impl Fn(&Item) -> Result<T, Unreadable>,
    ) -> Result<Page<T>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let start = match cursor {
            Some(cursor) => Some(listing.start(cursor).ok_or_else(Error::bad_cursor)?),
            None => None,
        };
        // One more than asked for tells whether there is a next page.
        let mut items = self.query(step, listing, Some(limit + 1), start).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).and_then(|last| listing.cursor(last));
        let items = items.iter().map(read).collect::<Result<_, _>>().map_err(|e| Error::storage(step, e))?;
        Ok(Page { items, next })
    }

    /// Reads the items of a list, at most `most` of them. DynamoDB answers at most a megabyte at a time, so it is asked
    /// until there are enough.
    pub(super) async fn query(
        &self,
        step: &'static str,
        listing: &Listing,
        most: Option<usize>,
        mut start: Option<Item>,
    ) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        loop {
            let request =
                self.client.query().table_name(&self.tables.hub).set_exclusive_start_key(start.take());
            let request = match listing {
                // DynamoDB takes no empty text for a sort key.
                Listing::Table { pk, prefix: "", newest_first } => request
                    .consistent_read(true)
                    .key_condition_expression("pk = :pk")
                    .expression_attribute_values(":pk", text(pk))
                    .scan_index_forward(!newest_first),
                Listing::Table { pk, prefix, newest_first } => request
                    .consistent_read(true)
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":pk", text(pk))
                    .expression_attribute_values(":prefix", AttributeValue::S((*prefix).to_owned()))
                    .scan_index_forward(!newest_first),
                Listing::Between { pk, keys } => request
                    .consistent_read(true)
                    .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                    .expression_attribute_values(":pk", text(pk))
                    .expression_attribute_values(":from", text(keys.start().to_string()))
                    .expression_attribute_values(":to", text(keys.end().to_string())),
                Listing::Index { pk, .. } => request
                    .index_name("gsi1")
                    .key_condition_expression("gsi1pk = :pk")
                    .expression_attribute_values(":pk", text(pk))
                    .scan_index_forward(false),
                Listing::Connections => request
                    .index_name("gsi1")
                    .key_condition_expression("gsi1pk = :pk")
                    .expression_attribute_values(":pk", text(CONNECTIONS)),
            };
            let wanted = most.map(|most| most - items.len());
            let limit = wanted.map(|wanted| i32::try_from(wanted).unwrap_or(i32::MAX));
            let output = request.set_limit(limit).send().await.map_err(storage(step))?;
            items.extend(output.items.unwrap_or_default());
            start = output.last_evaluated_key;
            if start.is_none() || most.is_some_and(|most| items.len() >= most) {
                return Ok(items);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bokbro_app::records::{Connection, ConnectionState};
    use bokbro_domain::order::OrderState;

    use super::*;
    use crate::items::keys::{PARKED, state_pk};
    use crate::items::order::to_item;
    use crate::items::{records, samples};

    fn orders(tenant: &TenantId) -> Listing {
        Listing::Table { pk: tenant_pk(tenant), prefix: ORDERS, newest_first: true }
    }

    fn by_state(tenant: &TenantId, state: OrderState) -> Listing {
        Listing::Index { tenant: tenant.clone(), pk: state_pk(tenant, state) }
    }

    #[test]
    fn a_cursor_leads_back_to_its_own_list_only() {
        let order = samples::order();
        let item = to_item(&order);
        let other = TenantId::parse("other").unwrap();
        let lists = [
            orders(&order.tenant),
            orders(&other),
            Listing::Table { pk: tenant_pk(&order.tenant), prefix: PARKED, newest_first: true },
            by_state(&order.tenant, OrderState::Pending),
            by_state(&order.tenant, OrderState::Paid),
            by_state(&other, OrderState::Pending),
            Listing::Connections,
        ];
        for (index, from) in lists.iter().enumerate().filter(|(i, _)| [0, 3].contains(i)) {
            let cursor = from.cursor(&item).unwrap();
            let start = from.start(&cursor).unwrap();
            assert!(start.iter().all(|(name, value)| item.get(name) == Some(value)), "{start:?}");
            for (_, foreign) in lists.iter().enumerate().filter(|(i, _)| *i != index) {
                assert_eq!(foreign.start(&cursor), None, "{foreign:?}");
            }
        }
    }

    #[test]
    fn a_cursor_of_connections_leads_behind_its_connection() {
        let connection = Connection {
            tenant: TenantId::parse("demo").unwrap(),
            provider: Provider::parse("ledger").unwrap(),
            state: ConnectionState::Healthy,
            settings: BTreeMap::new(),
            chart: None,
        };
        let item = records::connection(&connection);
        let cursor = Listing::Connections.cursor(&item).unwrap();
        let start = Listing::Connections.start(&cursor).unwrap();
        assert_eq!(start.len(), 4);
        assert!(start.iter().all(|(name, value)| item.get(name) == Some(value)), "{start:?}");
        assert_eq!(orders(&connection.tenant).start(&cursor), None);
        for key in ["demo", "demo#", "#ledger", "Demo#ledger", "demo#led#ger"] {
            let forged = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(CONNECTIONS, key)).unwrap());
            assert_eq!(Listing::Connections.start(&Cursor(forged)), None, "{key}");
        }
    }

    #[test]
    fn a_garbled_cursor_is_none() {
        let tenant = samples::order().tenant;
        let forged = |key: &str| {
            let position = (by_state(&tenant, OrderState::Paid).name(), key.to_owned());
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&position).unwrap())
        };
        let texts =
            [String::new(), "%%%".into(), "e30".into(), forged("no order"), forged("2026#L#order_number#1")];
        for text in texts {
            assert_eq!(by_state(&tenant, OrderState::Paid).start(&Cursor(text.clone())), None, "{text}");
        }
    }
}
