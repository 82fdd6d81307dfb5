//! Parameters that several routes take.

use bokbro_domain::order::OrderState;
use serde_json::json;

use super::shapes::{id, names, provider, text};
use super::{Parameter, Place};
use crate::ports::QueueName;

/// Most items of a page.
pub const MAX_LIMIT: usize = 200;
/// Items of a page when nobody says how many.
pub const DEFAULT_LIMIT: usize = 50;

pub(super) const ORDER_ID: Parameter =
    Parameter { place: Place::Path, name: "id", about: "The order's id.", schema: |_| id("ord_") };
pub(super) const PARKED_ID: Parameter =
    Parameter { place: Place::Path, name: "id", about: "The item's id.", schema: |_| id("prk_") };
pub(super) const JOB_ID: Parameter =
    Parameter { place: Place::Path, name: "id", about: "The job's id.", schema: |_| id("job_") };
pub(super) const KEY_ID: Parameter =
    Parameter { place: Place::Path, name: "id", about: "The key's id.", schema: |_| id("key_") };
pub(super) const PROVIDER: Parameter =
    Parameter { place: Place::Path, name: "provider", about: "The provider.", schema: provider };
pub(super) const ENDPOINT: Parameter = Parameter {
    place: Place::Path,
    name: "endpoint",
    about: "The connection's own segment, which nobody can guess.",
    schema: |_| text(100),
};
pub(super) const LIMIT: Parameter = Parameter {
    place: Place::Query,
    name: "limit",
    about: "Items of a page.",
    schema: |_| json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
};
pub(super) const CURSOR: Parameter = Parameter {
    place: Place::Query,
    name: "cursor",
    about: "Where to go on: `next` of the page before.",
    schema: |_| text(2_000),
};
pub(super) const STATE: Parameter = Parameter {
    place: Place::Query,
    name: "state",
    about: "Orders in this state only.",
    schema: |_| names(OrderState::ALL.map(OrderState::as_str)),
};
pub(super) const CODE: Parameter = Parameter {
    place: Place::Query,
    name: "code",
    about: "Items of this reason only.",
    schema: |_| text(100),
};
pub(super) const ORDER: Parameter = Parameter {
    place: Place::Query,
    name: "order",
    about: "Items of this order only.",
    schema: |_| id("ord_"),
};
pub(super) const QUEUE: Parameter = Parameter {
    place: Place::Query,
    name: "queue",
    about: "Dead letters of this queue only.",
    schema: |_| names(QueueName::ALL.map(QueueName::as_str)),
};
pub(super) const SERVICE: Parameter = Parameter {
    place: Place::Query,
    name: "service",
    about: "Whether to ask for a service account, where the provider has them.",
    schema: |_| json!({"type": "boolean", "default": true}),
};
pub(super) const CONSENT_STATE: Parameter = Parameter {
    place: Place::Query,
    name: "state",
    about: "What the browser was sent away with.",
    schema: |_| text(2_000),
};
pub(super) const CONSENT_CODE: Parameter = Parameter {
    place: Place::Query,
    name: "code",
    about: "The consent, when it was given.",
    schema: |_| text(2_000),
};
pub(super) const CONSENT_ERROR: Parameter =
    Parameter { place: Place::Query, name: "error", about: "Why it was not given.", schema: |_| text(2_000) };
pub(super) const IDEMPOTENCY_KEY: Parameter = Parameter {
    place: Place::Header,
    name: "Idempotency-Key",
    about: "Makes it safe to send the order again: one key makes one order, for 30 days.",
    schema: |_| json!({"type": "string", "pattern": "^[!-~]{1,255}$"}),
};
