//! Entries of a register become mappings: what is new or changed is stored, what is ours is told to its order.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_domain::ids::OrderId;
use jiff::{SignedDuration, Timestamp};

use super::marks::{digest, marks};
use super::position::{Part, Slice};
use super::run::Run;
use super::tell::Told;
use crate::error::Error;
use crate::ports::{Contents, Entry, Mapping, Register};

/// Entries that are stored together.
const TOGETHER: usize = 25;
/// Time that so many entries may take: a run with less left stops, and reads the page again.
const RESERVE: SignedDuration = SignedDuration::from_secs(10);

/// What is known of the entries of a page before it is stored.
struct Before {
    known: BTreeMap<String, Mapping>,
    /// Orders by the numbers of their invoices.
    orders: BTreeMap<String, OrderId>,
}

impl Before {
    /// The order whose invoice or credit invoice an entry is, as far as the page tells.
    fn order(&self, entry: &Entry) -> Option<OrderId> {
        match entry.contents {
            Contents::Customer { .. } => None,
            Contents::Invoice { .. } => {
                order_named(entry).or_else(|| self.orders.get(&entry.number).cloned())
            }
        }
    }
}

fn known_ours(known: Option<&Mapping>) -> &[String] {
    known.map_or(&[], |known| &known.ours)
}

impl Run<'_> {
    /// Stores the entries of a page; says whether all of them, or whether time ran short.
    pub(super) async fn store(
        &mut self,
        slice: Slice,
        entries: Vec<Entry>,
        asked_at: Timestamp,
    ) -> Result<bool, Error> {
        let entries = once_each(entries);
        let before = self.before(slice, &entries).await?;
        for (index, entries) in entries.chunks(TOGETHER).enumerate() {
            if index > 0 && self.short(RESERVE) {
                return Ok(false);
            }
            let (mut stored, first) = (Vec::new(), index * TOGETHER);
            for (at, entry) in entries.iter().enumerate() {
                if first + at >= self.place.counted {
                    self.tally(entry, &before);
                }
                stored.extend(self.take(slice, entry, &before, asked_at).await?);
            }
            if !stored.is_empty() {
                self.app.crash.reached("before storing entries of a register").await;
                self.app.mappings.mappings_put(&self.key(slice), &stored).await?;
            }
            self.place.counted = self.place.counted.max(first + entries.len());
        }
        self.place.counted = 0;
        Ok(true)
    }

    fn tally(&mut self, entry: &Entry, before: &Before) {
        self.count("read", 1);
        let there = before.known.get(&entry.external_id).filter(|known| !known.gone);
        match there {
            None => {
                self.count("new", 1);
                self.place.more += 1;
            }
            Some(known) if known.hash != digest(entry) => self.count("changed", 1),
            Some(_) => self.count("unchanged", 1),
        }
        let linked =
            known_ours(before.known.get(&entry.external_id)).is_empty() && before.order(entry).is_some();
        self.count("linked", usize::from(linked));
    }

    async fn before(&self, slice: Slice, entries: &[Entry]) -> Result<Before, Error> {
        let ids: Vec<String> = entries.iter().map(|entry| entry.external_id.clone()).collect();
        let known = self.app.mappings.mappings_get(&self.key(slice), &ids).await?;
        let known: BTreeMap<String, Mapping> =
            known.into_iter().map(|mapping| (mapping.external_id.clone(), mapping)).collect();
        let unlinked = |entry: &&Entry| {
            let ours = known.get(&entry.external_id).is_some_and(|known| !known.ours.is_empty());
            slice.register == Register::Invoices && !ours && order_named(entry).is_none()
        };
        let numbers: BTreeSet<String> =
            entries.iter().filter(unlinked).map(|entry| entry.number.clone()).collect();
        let numbers: Vec<String> = numbers.into_iter().collect();
        let orders = match numbers.is_empty() {
            true => BTreeMap::new(),
            false => self.app.mappings.invoices_find(self.tenant, self.provider, &numbers).await?,
        };
        Ok(Before { known, orders })
    }

    /// What is to be stored of an entry, if anything is; its order is told first, so that whoever dies in between tells it
    /// again.
    async fn take(
        &mut self,
        slice: Slice,
        entry: &Entry,
        before: &Before,
        asked_at: Timestamp,
    ) -> Result<Option<Mapping>, Error> {
        let known = before.known.get(&entry.external_id);
        let hash = digest(entry);
        let ours = match &entry.contents {
            Contents::Customer { organisation_number, email, .. } => {
                marks(organisation_number.as_deref(), email.as_deref())
            }
            Contents::Invoice { .. } => before
                .order(entry)
                .map_or_else(|| known_ours(known).to_vec(), |order| vec![order.to_string()]),
        };
        let there = known.filter(|known| !known.gone);
        let same = there.is_some_and(|known| known.hash == hash && known.told && known.ours == ours);
        let seen = there.map_or(self.place.begun, |known| known.seen.max(self.place.begun));
        if same && (slice.part != Part::All || there.is_some_and(|known| known.seen == seen)) {
            return Ok(None);
        }
        let mut told = true;
        if let Contents::Invoice { .. } = &entry.contents
            && let Some(order) = ours.first().and_then(|order| OrderId::parse(order).ok())
            && !same
        {
            told = self.tell(&order, &entry.number, Some(&entry.contents), asked_at).await? == Told::Yes;
        }
        if !told {
            let changed_at = entry.changed_at.unwrap_or_else(|| self.place.changed_after());
            self.place.waits = Some(self.place.waits.map_or(changed_at, |waits| waits.min(changed_at)));
        }
        Ok(Some(Mapping {
            external_id: entry.external_id.clone(),
            number: entry.number.clone(),
            ours,
            hash,
            changed_at: entry.changed_at,
            seen,
            told,
            gone: false,
        }))
    }

    /// An entry that was known is not there any more.
    pub(super) async fn gone(
        &mut self,
        slice: Slice,
        known: Mapping,
        asked_at: Timestamp,
    ) -> Result<(), Error> {
        if slice.register == Register::Invoices
            && let Some(order) = known.ours.first().and_then(|order| OrderId::parse(order).ok())
            && self.tell(&order, &known.number, None, asked_at).await? == Told::NotYet
        {
            // The next reading of everything asks for it again.
            return Ok(());
        }
        let mapping = Mapping { gone: true, seen: self.place.begun, ..known };
        self.app.mappings.mappings_put(&self.key(slice), &[mapping]).await?;
        self.count("gone", 1);
        self.place.more -= 1;
        Ok(())
    }
}

/// The order that an invoice names in its reference: its own, or one whose credit it is.
fn order_named(entry: &Entry) -> Option<OrderId> {
    let Contents::Invoice { reference: Some(reference), .. } = &entry.contents else { return None };
    bokbro_domain::posting::order_of_reference(reference)
}

/// Each external id once, as it stands last: a live list may show an entry twice.
fn once_each(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    entries.reverse();
    entries.retain(|entry| seen.insert(entry.external_id.clone()));
    entries.reverse();
    entries
}
