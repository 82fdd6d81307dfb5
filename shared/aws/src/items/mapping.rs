//! Mappings of ledger programs' registers as items.

use bokbro_app::ports::{Mapping, RegisterKey};
use bokbro_domain::ids::Provider;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::{Key, MAPPINGS, invoice_prefix};
use super::{Item, Reader, Unreadable, json, versioned};

#[derive(Serialize, Deserialize)]
struct MappingDoc {
    number: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ours: Vec<String>,
    hash: String,
    changed_at: Option<Timestamp>,
    seen: Timestamp,
    told: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

/// A mapping as an item.
pub(crate) fn to_item(of: &RegisterKey, mapping: &Mapping) -> Item {
    let Mapping { external_id, number, ours, hash, changed_at, seen, told, gone } = mapping.clone();
    let mut item = versioned(Key::mapping(of, &external_id).into_item());
    let doc = MappingDoc { number, ours, hash, changed_at, seen, told, gone };
    item.insert("doc".to_owned(), json(&doc));
    item
}

/// The item as a mapping.
pub(crate) fn from_item(item: &Item) -> Result<Mapping, Unreadable> {
    let reader = Reader::new("mapping", item)?;
    let external_id = reader.parsed("sk", |sk| sk.strip_prefix(MAPPINGS).ok_or(()))?.to_owned();
    let MappingDoc { number, ours, hash, changed_at, seen, told, gone } = reader.json("doc")?;
    Ok(Mapping { external_id, number, ours, hash, changed_at, seen, told, gone })
}

/// Which invoice a look-up is of.
pub(crate) fn number_of_invoice(at: &Provider, item: &Item) -> Result<String, Unreadable> {
    let prefix = invoice_prefix(at);
    Reader::new("look-up", item)?.parsed("sk", |sk| sk.strip_prefix(&prefix).ok_or(()).map(str::to_owned))
}
