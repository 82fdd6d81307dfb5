//! What JSON values of the contract look like, as JSON Schema, each with an example.
//!
//! They are written by hand because the wire code is: it reads and writes `serde_json` values field by field, and no type
//! could be asked for them. Objects take no other members than those named here, so that whatever the code answers
//! besides, or leaves out, fails the tests that hold both together.

mod connections;
mod orders;
mod settings;
mod work;

use serde_json::{Map, Value, json};

pub use connections::*;
pub use orders::*;
pub use settings::*;
pub use work::*;

use super::{Build, Shape};
use crate::health::CheckState;

/// Every shape that has a name in the contract.
pub const ALL: [&Shape; 31] = [
    &PROBLEM,
    &HEALTH,
    &DEEP_HEALTH,
    &CONTRACT,
    &ORDER_IN,
    &ORDER,
    &TEST_ORDER,
    &TIMELINE_ENTRY,
    &STOCK,
    &CONNECTION_IN,
    &CONNECTION,
    &CONNECTION_HEALTH,
    &REFRESHED,
    &DISCONNECTED,
    &READING_IN,
    &READ_ASKED,
    &CONSENT_PAGE,
    &EVENT_IN,
    &HANDSHAKE,
    &ACCEPTED,
    &PARKED,
    &DECISION_IN,
    &DECISION,
    &DEAD_LETTER,
    &REPLAY_IN,
    &JOB,
    &AUDIT_ENTRY,
    &SETTINGS_IN,
    &SETTINGS,
    &API_KEY_IN,
    &API_KEY,
];

/// What is wrong, in the form of RFC 9457.
pub const PROBLEM: Shape = Shape {
    name: "Problem",
    schema: |_| {
        object(
            &[
                ("status", json!({"type": "integer", "minimum": 400, "maximum": 599})),
                ("title", any_text()),
                ("code", about("Stable short name.", any_text())),
                ("detail", about("What is wrong and what to do.", any_text())),
                ("correlation_id", about("What to tell us when asking about it.", any_text())),
            ],
            &[("field", about("The field that is wrong, as a path in what was sent.", any_text()))],
        )
    },
    example: |_| {
        json!({"status": 400, "title": "Bad Request", "code": "invalid",
            "detail": "lines[0].quantity: must be a string, not a number", "field": "lines[0].quantity",
            "correlation_id": "01KB0Q5V3X8K5T0V1R7W2M4N6P"})
    },
};

/// That it runs.
pub const HEALTH: Shape = Shape {
    name: "Health",
    schema: |_| object(&[("status", names(["ok"])), ("version", any_text())], &[]),
    example: |_| json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
};

/// Whether everything works that it stands on.
pub const DEEP_HEALTH: Shape = Shape {
    name: "DeepHealth",
    schema: |_| {
        let check = object(
            &[
                ("name", about("`table`, `queue:payments`, `connection:` and a provider, say.", any_text())),
                ("state", names(CheckState::ALL.map(CheckState::as_str))),
                ("duration_ms", json!({"type": "integer", "minimum": 0})),
                ("message", about("What is wrong and what to do next.", json!({"type": ["string", "null"]}))),
            ],
            &[],
        );
        object(
            &[
                ("status", names(["ok", "failing"])),
                ("version", any_text()),
                ("checks", json!({"type": "array", "items": check})),
            ],
            &[],
        )
    },
    example: |build| {
        json!({"status": "failing", "version": env!("CARGO_PKG_VERSION"), "checks": [
            {"name": "table", "state": "ok", "duration_ms": 4, "message": null},
            {"name": format!("connection:{}", Build::first(&build.accounting)), "state": "failed", "duration_ms": 812,
                "message": "The consent was taken back. Connect again."},
        ]})
    },
};

/// The contract itself.
pub const CONTRACT: Shape = Shape {
    name: "Contract",
    schema: |_| {
        json!({"type": "object", "required": ["openapi", "info", "paths"], "properties": {
            "openapi": {"type": "string"}, "info": {"type": "object"}, "paths": {"type": "object"}}})
    },
    example: |_| json!({"openapi": "3.1.1", "info": {"title": "Bokbro", "version": env!("CARGO_PKG_VERSION")}, "paths": {}}),
};

/// An object with exactly these members: some must be there, others may.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let members: Map<String, Value> =
        required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": members, "required": required, "additionalProperties": false})
}

/// A schema with a word on what it is for.
fn about(text: &str, mut schema: Value) -> Value {
    schema["description"] = json!(text);
    schema
}

/// Any text.
fn any_text() -> Value {
    json!({"type": "string"})
}

/// A posted text of 1 to `max` characters, not all of them blanks and none a control character.
pub(super) fn text(max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": "^(?=.*\\S)[^\\x00-\\x1f\\x7f-\\x9f]*$"})
}

/// A posted text that may be empty, null or missing.
fn text_or_none(max: usize) -> Value {
    json!({"type": ["string", "null"], "maxLength": max, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$"})
}

/// A decimal number as text.
fn decimal() -> Value {
    json!({"type": "string", "pattern": "^-?[0-9]{1,18}(\\.[0-9]{1,9})?$"})
}

/// An id of ours: a prefix and a ULID.
pub(super) fn id(prefix: &str) -> Value {
    json!({"type": "string", "pattern": format!("^{prefix}[0-9A-HJKMNP-TV-Z]{{26}}$")})
}

/// A moment.
fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// A day.
fn day() -> Value {
    json!({"type": "string", "format": "date"})
}

/// How many.
fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// One of these texts.
pub(super) fn names<'a>(known: impl IntoIterator<Item = &'a str>) -> Value {
    json!({"type": "string", "enum": known.into_iter().collect::<Vec<_>>()})
}

/// The same, or null.
fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object from any name to such a value.
fn map(values: Value) -> Value {
    json!({"type": "object", "additionalProperties": values})
}

fn one_of(schemas: Vec<Value>) -> Value {
    json!({"oneOf": schemas})
}

/// A provider's name.
pub(super) fn provider(build: &Build) -> Value {
    names(build.providers.iter().map(|(provider, _)| provider.as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_shape_has_a_name_of_its_own() {
        let known: BTreeSet<&str> = ALL.iter().map(|shape| shape.name).collect();
        assert_eq!(known.len(), ALL.len());
    }
}
