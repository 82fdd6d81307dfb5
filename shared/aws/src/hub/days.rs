//! Batches of a day: entries join as long as nobody has taken the batch's ledger, which is the same item.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Cursor, Day, DayWrite, Days, Guard, Joined, Joining, LedgerWrite, Page};
use bokbro_domain::day::{DayId, DayLot};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::TenantId;
use bokbro_domain::order::SyncStatus;

use super::Hub;
use super::ledgers::condition;
use super::pages::Listing;
use super::parking;
use super::transaction::{Condition, Outcome, Transaction};
use crate::failure::storage;
use crate::items::keys::{DAYS, JOINED, Key, day_pk, days_pk, open_days_pk};
use crate::items::{day as items, number, text};

/// Adds to a transaction that an entry joins a batch.
pub(super) fn join(writes: &mut Transaction<'_>, tenant: &TenantId, joining: &Joining<'_>) {
    let Joining { day, begins, joined } = *joining;
    match begins {
        Some(reference) => {
            let first = Day {
                id: day.clone(),
                reference: reference.to_owned(),
                entries: 1,
                status: SyncStatus::default(),
            };
            writes.put_if(items::to_item(tenant, &first, &Ledger::default()), &Condition::absent());
            writes.put(items::open(tenant, day));
        }
        None => {
            let open = Condition { expression: "fence = :open", values: vec![(":open", number(0_u64))] };
            writes.count(Key::day(tenant, day), "entries", &open);
        }
    }
    writes.put(items::joined_to_item(tenant, day, joined));
}

/// The guard of a batch's ledger, and that no entry has joined meanwhile.
fn guarded(guard: &Guard, entries: u64) -> Condition {
    let expression = match guard {
        Guard::Fence(_) => "fence = :fence AND entries = :entries",
        Guard::Owner { .. } => "fence = :fence AND lease_owner = :owner AND entries = :entries",
    };
    let mut values = condition(guard).values;
    values.push((":entries", number(entries)));
    Condition { expression, values }
}

#[async_trait]
impl Days for Hub {
    async fn day_join(&self, write: LedgerWrite<'_>, joining: Joining<'_>) -> Result<(), Error> {
        self.ledger_write_with(write, Some(&joining)).await
    }

    async fn day_newest(&self, tenant: &TenantId, lot: &DayLot) -> Result<Option<(Day, Ledger)>, Error> {
        const STEP: &str = "finding a day";
        let request = self.client.query().table_name(&self.tables.hub).consistent_read(true).limit(1);
        let request = request
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(days_pk(tenant)))
            .expression_attribute_values(":sk", text(lot.prefix()))
            .scan_index_forward(false);
        let output = request.send().await.map_err(storage(STEP))?;
        let item = output.items.and_then(|items| items.into_iter().next());
        item.as_ref().map(items::from_item).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn day_load(&self, tenant: &TenantId, id: &DayId) -> Result<Option<(Day, Ledger)>, Error> {
        const STEP: &str = "reading a day";
        let item = self.get(STEP, Key::day(tenant, id)).await?;
        item.as_ref().map(items::from_item).transpose().map_err(|e| Error::storage(STEP, e))
    }

    async fn day_write(&self, write: DayWrite<'_>) -> Result<(), Error> {
        const STEP: &str = "writing a day";
        let DayWrite { tenant, day, guard, ledger, parked } = write;
        let guard = guarded(&guard, day.entries);
        let item = |day: &Day| items::to_item(tenant, day, ledger);
        let Some(parked) = parked else { return self.put_guarded(STEP, item(day), &guard).await };
        let mut writes = Transaction::on(&self.tables.hub);
        let guarded = writes.put_if(item(day), &guard);
        let pointer = parking::add(&mut writes, tenant, parked);
        let refusals = match writes.commit(&self.client, STEP).await? {
            Outcome::Committed => return Ok(()),
            Outcome::Refused(refusals) => refusals,
        };
        match refusals.at(pointer) {
            // The same trouble waits already, and the batch leads to it.
            Some(stored) if refusals.at(guarded).is_none() => {
                let waiting = parking::waiting(stored).map_err(|e| Error::storage(STEP, e))?;
                let status = SyncStatus { parked: Some(waiting), ..day.status.clone() };
                self.put_guarded(STEP, item(&Day { status, ..day.clone() }), &guard).await
            }
            Some(_) | None => Err(Error::Raced { step: STEP }),
        }
    }

    async fn day_entries(
        &self,
        tenant: &TenantId,
        id: &DayId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Joined>, Error> {
        let listing = Listing::Table { pk: day_pk(tenant, id), prefix: JOINED, newest_first: false };
        self.page("listing a day's entries", &listing, limit, cursor, items::joined_from_item).await
    }

    async fn days_open(
        &self,
        tenant: &TenantId,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<DayId>, Error> {
        let listing = Listing::Table { pk: open_days_pk(tenant), prefix: DAYS, newest_first: false };
        self.page("listing days", &listing, limit, cursor, items::open_from_item).await
    }

    async fn day_drop(&self, tenant: &TenantId, id: &DayId) -> Result<(), Error> {
        self.delete("closing a day", Key::open_day(tenant, id)).await.map(|_| ())
    }
}
