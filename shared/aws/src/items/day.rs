//! Batches of a day and their entries as items. A batch holds its ledger, so that one condition closes it.

use std::collections::BTreeMap;

use bokbro_app::ports::{Day, Joined};
use bokbro_domain::day::DayId;
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::money::Money;
use bokbro_domain::posting::{CreditId, NetAndVat};
use bokbro_domain::vat::VatRate;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Item, Reader, Unreadable, json, ledger, number, order, text, versioned};

#[derive(Serialize, Deserialize)]
struct JoinedDoc {
    order: OrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credit: Option<CreditId>,
    sums: BTreeMap<VatRate, SumDoc>,
}

#[derive(Serialize, Deserialize)]
struct SumDoc {
    net: Money,
    vat: Money,
}

/// A batch and its ledger as an item.
pub(crate) fn to_item(tenant: &TenantId, day: &Day, ledger: &Ledger) -> Item {
    let Day { id, reference, entries, status } = day;
    let mut item = versioned(Key::day(tenant, id).into_item());
    item.insert("reference".to_owned(), text(reference));
    item.insert("entries".to_owned(), number(*entries));
    item.insert("status".to_owned(), order::status(status));
    ledger::put_into(&mut item, ledger);
    item
}

/// The item as a batch and its ledger.
pub(crate) fn from_item(item: &Item) -> Result<(Day, Ledger), Unreadable> {
    let reader = Reader::new("day", item)?;
    let day = Day {
        id: reader.parsed("sk", DayId::parse)?,
        reference: reader.text("reference")?.to_owned(),
        entries: reader.number("entries")?,
        status: order::status_of(reader, "status")?,
    };
    Ok((day, ledger::from_item(item)?))
}

/// That a batch needs a worker, as an item.
pub(crate) fn open(tenant: &TenantId, id: &DayId) -> Item {
    versioned(Key::open_day(tenant, id).into_item())
}

/// The item as a batch that needs a worker.
pub(crate) fn open_from_item(item: &Item) -> Result<DayId, Unreadable> {
    Reader::new("open day", item)?.parsed("sk", DayId::parse)
}

/// An entry as an item.
pub(crate) fn joined_to_item(tenant: &TenantId, id: &DayId, joined: &Joined) -> Item {
    let Joined { order, credit, sums } = joined.clone();
    let mut item = versioned(Key::joined(tenant, id, &order, credit).into_item());
    let sums = sums.into_iter().map(|(rate, NetAndVat { net, vat })| (rate, SumDoc { net, vat })).collect();
    item.insert("doc".to_owned(), json(&JoinedDoc { order, credit, sums }));
    item
}

/// The item as an entry.
pub(crate) fn joined_from_item(item: &Item) -> Result<Joined, Unreadable> {
    let JoinedDoc { order, credit, sums } = Reader::new("entry of a day", item)?.json("doc")?;
    let sums = sums.into_iter().map(|(rate, SumDoc { net, vat })| (rate, NetAndVat { net, vat })).collect();
    Ok(Joined { order, credit, sums })
}
