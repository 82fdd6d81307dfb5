//! The state of a connection's tokens as an item: fence and lease as attributes that conditions can see. No token.

use bokbro_domain::effect::Lease;
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::said::Said;
use bokbro_domain::token::TokenState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::Key;
use super::{Item, Reader, Unreadable, json, number, stamp, text, versioned};

#[derive(Serialize, Deserialize)]
struct Doc {
    version: u64,
    good_until: Option<Timestamp>,
    cool_until: Option<Timestamp>,
    refreshed_at: Option<Timestamp>,
    ended: Option<Said>,
}

/// The state as an item.
pub(crate) fn to_item(tenant: &TenantId, provider: &Provider, state: &TokenState) -> Item {
    let TokenState { version, fence, lease, good_until, cool_until, refreshed_at, ended } = state.clone();
    let mut item = versioned(Key::tokens(tenant, provider).into_item());
    item.insert("fence".to_owned(), number(fence));
    if let Some(Lease { owner, until }) = lease {
        item.insert("lease_owner".to_owned(), text(owner));
        item.insert("lease_until".to_owned(), text(stamp(until)));
    }
    item.insert("state".to_owned(), json(&Doc { version, good_until, cool_until, refreshed_at, ended }));
    item
}

/// The item as a state.
pub(crate) fn from_item(item: &Item) -> Result<TokenState, Unreadable> {
    let reader = Reader::new("token state", item)?;
    let lease = match reader.maybe_text("lease_owner")? {
        Some(owner) => {
            Some(Lease { owner: owner.to_owned(), until: reader.parsed("lease_until", str::parse)? })
        }
        None => None,
    };
    let Doc { version, good_until, cool_until, refreshed_at, ended } = reader.json("state")?;
    Ok(TokenState {
        version,
        fence: reader.number("fence")?,
        lease,
        good_until,
        cool_until,
        refreshed_at,
        ended,
    })
}
