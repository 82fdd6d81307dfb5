//! Mappings of ledger programs' registers, in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, Provider, TenantId};

use super::store::MemoryStore;
use crate::error::Error;
use crate::ports::{Cursor, Mapping, Mappings, Page, RegisterKey};

#[async_trait]
impl Mappings for MemoryStore {
    async fn mappings_get(&self, of: &RegisterKey, external_ids: &[String]) -> Result<Vec<Mapping>, Error> {
        let state = self.state();
        let Some(known) = state.mappings.get(of) else { return Ok(Vec::new()) };
        Ok(external_ids.iter().filter_map(|id| known.get(id)).cloned().collect())
    }

    async fn mappings_put(&self, of: &RegisterKey, mappings: &[Mapping]) -> Result<(), Error> {
        let mut state = self.state();
        let known = state.mappings.entry(of.clone()).or_default();
        known.extend(mappings.iter().map(|mapping| (mapping.external_id.clone(), mapping.clone())));
        Ok(())
    }

    async fn mappings_list(
        &self,
        of: &RegisterKey,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Mapping>, Error> {
        let name = format!("{} of {} at {} ", of.register.as_str(), of.tenant, of.provider);
        let after = match cursor {
            Some(Cursor(text)) => {
                Bound::Excluded(text.strip_prefix(&name).ok_or_else(Error::bad_cursor)?.to_owned())
            }
            None => Bound::Unbounded,
        };
        let mut state = self.state();
        let known = state.mappings.entry(of.clone()).or_default();
        let listed =
            known.range((after, Bound::Unbounded)).take(limit + 1).map(|(_, mapping)| mapping.clone());
        let mut items: Vec<Mapping> = listed.collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor(format!("{name}{}", last.external_id)));
        Ok(Page { items, next })
    }

    async fn invoices_find(
        &self,
        tenant: &TenantId,
        at: &Provider,
        numbers: &[String],
    ) -> Result<BTreeMap<String, OrderId>, Error> {
        let state = self.state();
        let find = |number: &String| {
            let order = state.invoices.get(&(tenant.clone(), at.clone(), number.clone()))?;
            Some((number.clone(), order.clone()))
        };
        Ok(numbers.iter().filter_map(find).collect())
    }
}
