//! A golden file as it is read: the order and what happens to it.

use std::collections::BTreeMap;

use bokbro_domain::posting::{AccountRole, PostingProfile};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// One case. What Bokbro makes of it stands in the same file and is compared as text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What the case is and why the books must look so, for a bookkeeper.
    pub(super) about: String,
    /// The body of `POST /v1/orders`; the payment provider's order code is added.
    pub(super) order: Value,
    /// Orders that are posted and paid in full right after it.
    #[serde(default)]
    pub(super) others: Vec<Other>,
    /// What the tenant has chosen, and how the ledger programs are set up.
    #[serde(default)]
    pub(super) settings: Settings,
    /// What happens, in the order of time.
    #[serde(default)]
    pub(super) happens: Vec<Event>,
}

/// Another order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    /// The body of `POST /v1/orders`.
    pub(super) order: Value,
    /// Paid by Swish, and not by card.
    #[serde(default)]
    pub(super) by_swish: bool,
}

/// What is not as it is by itself.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// The posting profile.
    pub(super) profile: PostingProfile,
    /// Accounts in place of the ledger program's.
    pub(super) accounts: BTreeMap<AccountRole, u16>,
    /// Cash accounting (kontantmetoden).
    pub(super) cash_method: bool,
    /// How the ledger programs are set up.
    pub(super) programs: Switches,
}

/// Switches of the simulated ledger programs, as they name them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Switches {
    pub(super) fortnox: Option<Value>,
    pub(super) visma: Option<Value>,
}

/// Something that happens to the order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    /// When.
    pub(super) at: Timestamp,
    /// The buyer pays this much.
    pub(super) paid: Option<String>,
    /// The shop gives this much back.
    pub(super) given_back: Option<String>,
    /// Nobody tells of it before the next event.
    #[serde(default)]
    pub(super) told_later: bool,
    /// The hourly schedule ticks.
    #[serde(default)]
    pub(super) tick: bool,
    /// The bookkeeper has dealt with what waits for a human, and says how.
    pub(super) dismissed: Option<String>,
    /// What the bookkeeper does in the ledger program.
    #[serde(default)]
    pub(super) by_hand: ByHand,
    /// The ledger programs are set up otherwise from now on.
    #[serde(default)]
    pub(super) programs: Switches,
}

/// Requests that stand for a person's clicks in the ledger programs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ByHand {
    pub(super) fortnox: Vec<Click>,
    pub(super) visma: Vec<Click>,
}

/// One of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Click {
    /// Method and path.
    pub(super) request: String,
    /// The document, if the request has one.
    pub(super) body: Option<Value>,
}
