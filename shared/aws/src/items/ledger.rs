//! The effect ledger as an item: fence and lease as attributes that conditions can see, the steps as one document.

use std::collections::BTreeMap;

use bokbro_app::ports::LedgerKey;
use bokbro_domain::effect::{Lease, Ledger, Receipt, Step, StepName, StepState};
use bokbro_domain::said::Said;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Item, Reader, Unreadable, json, number, stamp, text, versioned};

#[derive(Serialize, Deserialize)]
struct StepDoc {
    state: StepState,
    request_hash: String,
    reference: String,
    attempt: u32,
    sent_at: Timestamp,
    receipt: Option<ReceiptDoc>,
    last_error: Option<Said>,
    done_at: Option<Timestamp>,
    told: bool,
}

#[derive(Serialize, Deserialize)]
struct ReceiptDoc {
    external_id: String,
    facts: BTreeMap<String, String>,
}

impl From<&Step> for StepDoc {
    fn from(step: &Step) -> Self {
        let Step { state, request_hash, reference, attempt, sent_at, receipt, last_error, done_at, told } =
            step.clone();
        let receipt = receipt.map(|Receipt { external_id, facts }| ReceiptDoc { external_id, facts });
        Self { state, request_hash, reference, attempt, sent_at, receipt, last_error, done_at, told }
    }
}

impl From<StepDoc> for Step {
    fn from(doc: StepDoc) -> Self {
        let StepDoc { state, request_hash, reference, attempt, sent_at, receipt, last_error, done_at, told } =
            doc;
        let receipt = receipt.map(|ReceiptDoc { external_id, facts }| Receipt { external_id, facts });
        Self { state, request_hash, reference, attempt, sent_at, receipt, last_error, done_at, told }
    }
}

/// The ledger as an item.
pub(crate) fn to_item(key: &LedgerKey, ledger: &Ledger) -> Item {
    let mut item = versioned(Key::ledger(key).into_item());
    put_into(&mut item, ledger);
    item
}

/// The ledger's attributes, added to those of an item.
pub(crate) fn put_into(item: &mut Item, ledger: &Ledger) {
    let Ledger { fence, lease, profile, steps } = ledger;
    item.insert("fence".to_owned(), number(*fence));
    if let Some(Lease { owner, until }) = lease {
        item.insert("lease_owner".to_owned(), text(owner));
        item.insert("lease_until".to_owned(), text(stamp(*until)));
    }
    if let Some(profile) = profile {
        item.insert("profile".to_owned(), json(profile));
    }
    let steps: BTreeMap<&str, StepDoc> = steps.iter().map(|(name, step)| (&*name.0, step.into())).collect();
    item.insert("steps".to_owned(), json(&steps));
}

/// The item as a ledger.
pub(crate) fn from_item(item: &Item) -> Result<Ledger, Unreadable> {
    let reader = Reader::new("ledger", item)?;
    let lease = match reader.maybe_text("lease_owner")? {
        Some(owner) => {
            Some(Lease { owner: owner.to_owned(), until: reader.parsed("lease_until", str::parse)? })
        }
        None => None,
    };
    let steps: BTreeMap<String, StepDoc> = reader.json("steps")?;
    let steps = steps.into_iter().map(|(name, step)| (StepName(name), step.into())).collect();
    let profile = reader.maybe_json("profile")?;
    Ok(Ledger { fence: reader.number("fence")?, lease, profile, steps })
}
