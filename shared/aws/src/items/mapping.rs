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

#[cfg(test)]
mod tests {
    use bokbro_app::ports::Register;

    use super::*;
    use crate::items::{order, records, samples};

    fn provider() -> Provider {
        Provider::parse("ledger").unwrap()
    }

    fn stored<'a>(item: &'a Item, attribute: &str) -> &'a str {
        item[attribute].as_s().unwrap()
    }

    #[test]
    fn the_stored_text_of_a_mapping_is_frozen() {
        let (sample, mapping) = (samples::order(), samples::mapping());
        let of = RegisterKey { tenant: sample.tenant, provider: provider(), register: Register::Invoices };
        let item = to_item(&of, &mapping);
        assert_eq!((stored(&item, "pk"), stored(&item, "sk")), ("T#demo#M#ledger#invoices", "I#42"));
        let doc = [
            r#"{"number":"17","ours":["ord_01ARZ3NDEKTSV4RRFFQ69G5FAV"],"hash":""#,
            &"ab".repeat(32),
            r#"","changed_at":"2026-11-20T10:20:30.5Z","seen":"2026-11-20T10:20:30.5Z","told":true}"#,
        ];
        assert_eq!(stored(&item, "doc"), doc.concat());
        assert_eq!(from_item(&item), Ok(mapping.clone()));
        let gone = Mapping { gone: true, ours: Vec::new(), told: false, changed_at: None, ..mapping };
        assert_eq!(from_item(&to_item(&of, &gone)), Ok(gone));
    }

    #[test]
    fn an_invoice_s_number_leads_to_its_order() {
        let sample = samples::order();
        let item = records::pointer(Key::invoice(&sample.tenant, &provider(), "1#7"), sample.id.as_str());
        assert_eq!((stored(&item, "pk"), stored(&item, "sk")), ("T#demo", "L#invoice#ledger#1#7"));
        assert_eq!(number_of_invoice(&provider(), &item), Ok("1#7".to_owned()));
    }

    #[test]
    fn the_stored_text_of_an_invoice_in_the_books_is_frozen() {
        let mut sample = samples::order();
        sample.accounting.in_books = [("17".to_owned(), samples::in_books())].into();
        let item = order::to_item(&sample);
        let text = concat!(
            r#""in_books":{"17":{"state":"partly_paid","balance":{"minor":100,"currency":"SEK"},"#,
            r#""changed":["total","customer"],"read_at":"2026-11-20T10:20:30.5Z"}}}"#
        );
        assert!(stored(&item, "accounting").ends_with(text), "{}", stored(&item, "accounting"));
        assert_eq!(order::from_item(&item), Ok(sample));
    }
}
