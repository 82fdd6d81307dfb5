//! Batches of a day in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bokbro_domain::day::{DayId, DayLot};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::TenantId;
use bokbro_domain::order::SyncStatus;

use super::store::{MemoryStore, holds, page, park_into, write_ledger};
use crate::error::Error;
use crate::ports::{Cursor, Day, DayWrite, Days, Joined, Joining, LedgerWrite, Page};

/// All batches, and which of them are listed.
#[derive(Default, Clone)]
pub(super) struct Batches {
    days: BTreeMap<(TenantId, DayId), (Day, Ledger)>,
    entries: BTreeMap<(TenantId, DayId), Vec<Joined>>,
    open: BTreeSet<(TenantId, DayId)>,
}

const JOIN: Error = Error::Raced { step: "joining a day" };

#[async_trait]
impl Days for MemoryStore {
    async fn day_join(&self, write: LedgerWrite<'_>, joining: Joining<'_>) -> Result<(), Error> {
        let mut state = self.state();
        let key = (write.key.tenant.clone(), joining.day.clone());
        let stored = state.batches.days.get(&key);
        let open = stored.is_some_and(|(_, ledger)| ledger.fence == 0);
        if (joining.begins.is_some() && stored.is_some()) || (joining.begins.is_none() && !open) {
            return Err(JOIN);
        }
        write_ledger(&mut state, &write)?;
        if let Some(reference) = joining.begins {
            let (id, reference) = (joining.day.clone(), reference.to_owned());
            let day = Day { id, reference, entries: 0, status: SyncStatus::default() };
            state.batches.days.insert(key.clone(), (day, Ledger::default()));
            state.batches.open.insert(key.clone());
        }
        if let Some((day, _)) = state.batches.days.get_mut(&key) {
            day.entries += 1;
        }
        let entries = state.batches.entries.entry(key).or_default();
        entries.push(joining.joined.clone());
        entries.sort_by(|a, b| (&a.order, a.credit).cmp(&(&b.order, b.credit)));
        Ok(())
    }

    async fn day_newest(&self, tenant: &TenantId, lot: &DayLot) -> Result<Option<(Day, Ledger)>, Error> {
        let state = self.state();
        let mut of_lot =
            state.batches.days.iter().filter(|((whose, id), _)| whose == tenant && id.lot == *lot);
        Ok(of_lot.next_back().map(|(_, stored)| stored.clone()))
    }

    async fn day_load(&self, tenant: &TenantId, id: &DayId) -> Result<Option<(Day, Ledger)>, Error> {
        Ok(self.state().batches.days.get(&(tenant.clone(), id.clone())).cloned())
    }

    async fn day_write(&self, write: DayWrite<'_>) -> Result<(), Error> {
        const RACED: Error = Error::Raced { step: "writing a day" };
        let mut state = self.state();
        let key = (write.tenant.clone(), write.day.id.clone());
        let Some((stored, ledger)) = state.batches.days.get(&key) else { return Err(RACED) };
        if stored.entries != write.day.entries || !holds(&write.guard, ledger.fence, ledger.lease.as_ref()) {
            return Err(RACED);
        }
        let mut day = write.day.clone();
        if let Some(waits) = write.parked.and_then(|parked| park_into(&mut state, write.tenant, parked)) {
            day.status.parked = Some(waits);
        }
        state.batches.days.insert(key, (day, write.ledger.clone()));
        Ok(())
    }

    async fn day_entries(
        &self,
        tenant: &TenantId,
        id: &DayId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Joined>, Error> {
        let state = self.state();
        let entries = state.batches.entries.get(&(tenant.clone(), id.clone())).cloned().unwrap_or_default();
        let name = |joined: &Joined| format!("{} {:?}", joined.order, joined.credit);
        page(&format!("entries of {tenant} {id}"), &entries, name, limit, cursor)
    }

    async fn days_open(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<DayId>, Error> {
        let list = format!("days of {tenant}");
        let after = match cursor {
            None => None,
            Some(Cursor(text)) => {
                let last = text.strip_prefix(&list).and_then(|rest| DayId::parse(rest.trim_start()).ok());
                Some(last.ok_or_else(Error::bad_cursor)?)
            }
        };
        let state = self.state();
        let ours = state.batches.open.iter().filter(|(whose, _)| whose == tenant).map(|(_, id)| id.clone());
        let items: Vec<DayId> = ours.filter(|id| after.as_ref().is_none_or(|after| id > after)).collect();
        page(&list, &items, ToString::to_string, limit, None)
    }

    async fn day_drop(&self, tenant: &TenantId, id: &DayId) -> Result<(), Error> {
        self.state().batches.open.remove(&(tenant.clone(), id.clone()));
        Ok(())
    }
}
