//! Connections, consent and webhooks.

use serde_json::{Value, json};

use super::{
    about, any_text, boolean, count, day, list, map, names, object, one_of, or_null, provider, text, time,
};
use crate::contract::{Build, Shape};
use crate::ports::EntryField;

/// What people enter for a connection (`crate::connections`), by provider.
pub const CONNECTION_IN: Shape = Shape {
    name: "ConnectionIn",
    schema: |build| {
        let field = |field: &EntryField| {
            let about =
                if field.secret { "Kept in the vault and never shown again." } else { "Shown later." };
            (field.name, super::about(about, text(2_000)))
        };
        let of = |fields: &[EntryField], required: bool| -> Vec<(&str, Value)> {
            fields.iter().filter(|one| one.required == required).map(field).collect()
        };
        let entered = |(provider, fields): &(_, &'static [EntryField])| {
            let mut schema = object(&of(fields, true), &of(fields, false));
            schema["title"] = json!(provider);
            schema
        };
        json!({"anyOf": build.providers.iter().map(entered).collect::<Vec<_>>()})
    },
    example: |build| {
        let payments = build.payments.first();
        let fields = build.providers.iter().find(|(provider, _)| Some(provider) == payments);
        let required = fields.into_iter().flat_map(|(_, fields)| *fields).filter(|field| field.required);
        Value::Object(
            required.map(|field| (field.name.to_owned(), json!(format!("your {}", field.name)))).collect(),
        )
    },
};

/// A connection as people see it.
pub const CONNECTION: Shape = Shape {
    name: "Connection",
    schema: |build| {
        let consent = object(
            &[
                ("grant", names(["client_credentials", "refresh_token"])),
                ("refreshed_at", or_null(time())),
                ("expires_in_days", or_null(json!({"type": "integer"}))),
            ],
            &[],
        );
        let registers = object(&[("customers", count()), ("invoices", count()), ("read_at", time())], &[]);
        object(
            &[
                ("provider", provider(build)),
                ("state", names(["unchecked", "healthy", "needs_consent", "disconnected"])),
                ("company", or_null(any_text())),
                ("settings", about("What was entered and is no secret.", map(any_text()))),
                ("consent", or_null(consent)),
                ("webhook_url", about("Where the provider sends its webhooks.", or_null(any_text()))),
                ("registers", about("What has been read of the books.", or_null(registers))),
                ("message", or_null(any_text())),
            ],
            &[],
        )
    },
    example: |build| {
        json!({"provider": Build::first(&build.accounting), "state": "healthy", "company": "Demobolaget AB",
            "settings": {"company_name": "Demobolaget AB"},
            "consent": {"grant": "refresh_token", "refreshed_at": "2026-11-21T08:00:01Z", "expires_in_days": 44},
            "webhook_url": null,
            "registers": {"customers": 212, "invoices": 1893, "read_at": "2026-11-21T08:00:03Z"},
            "message": null})
    },
};

/// What a check found.
pub const CONNECTION_HEALTH: Shape = Shape {
    name: "ConnectionHealth",
    schema: |_| {
        object(
            &[
                ("healthy", boolean()),
                ("name", or_null(any_text())),
                ("details", map(any_text())),
                ("message", about("What is wrong and what to do.", or_null(any_text()))),
            ],
            &[],
        )
    },
    example: |_| json!({"healthy": true, "name": "Demobolaget AB", "details": {"consent_days_left": "44"}, "message": null}),
};

/// What a refresh on demand did.
pub const REFRESHED: Shape = Shape {
    name: "Refreshed",
    schema: |_| object(&[("refreshed", boolean()), ("rotated", boolean())], &[("message", any_text())]),
    example: |_| json!({"refreshed": true, "rotated": true}),
};

/// What disconnecting did.
pub const DISCONNECTED: Shape = Shape {
    name: "Disconnected",
    schema: |_| {
        object(
            &[
                ("disconnected", boolean()),
                ("revoked", about("Null when there was nothing to take back.", or_null(boolean()))),
                ("message", or_null(any_text())),
            ],
            &[],
        )
    },
    example: |_| json!({"disconnected": true, "revoked": true, "message": null}),
};

/// What of the books is to be read (`crate::wire::registers_in`).
pub const READING_IN: Shape = Shape {
    name: "ReadingIn",
    schema: |_| {
        let when = || json!({"type": ["string", "null"], "format": "date", "maxLength": 10});
        let full = about("Everything, not only what has changed.", json!({"type": ["boolean", "null"]}));
        let (from, to) = (about("First day, with `to`.", when()), about("Last day.", when()));
        object(&[], &[("full", full), ("from", from), ("to", to)])
    },
    example: |_| json!({"from": "2026-01-01", "to": "2026-06-30"}),
};

/// That a connection is being read: a job for books, or what of a warehouse is read.
pub const READ_ASKED: Shape = Shape {
    name: "ReadAsked",
    schema: |build| {
        let reads =
            object(&[("provider", provider(build)), ("reads", list(names(["parcels", "stock"])))], &[]);
        one_of(vec![json!({"$ref": "#/components/schemas/Job"}), reads])
    },
    example: |build| json!({"provider": Build::first(&build.warehouses), "reads": ["parcels", "stock"]}),
};

/// Where the consent page is, for programs.
pub const CONSENT_PAGE: Shape = Shape {
    name: "ConsentPage",
    schema: |_| object(&[("location", json!({"type": "string", "format": "uri"}))], &[]),
    example: |_| json!({"location": "https://provider.example/oauth-v1/auth?client_id=c0ffee&state=0f9d"}),
};

/// A webhook's event, as its provider describes it.
pub const EVENT_IN: Shape = Shape {
    name: "EventIn",
    schema: |_| about("As the provider describes it.", json!({"type": "object"})),
    example: |_| json!({"EventTypeId": 1796, "EventData": {"TransactionId": "19e058a5-2b5b-4b4e-92d0-de9a73c8b3ae"}}),
};

/// What answers a webhook's handshake, as its provider wants it.
pub const HANDSHAKE: Shape = Shape {
    name: "Handshake",
    schema: |_| about("As the provider wants it.", json!({"type": "object"})),
    example: |_| json!({"Key": "B3248222FCA1885D2CEDE5D78A6B3E0FBF8D1F04"}),
};

/// That an event is kept.
pub const ACCEPTED: Shape = Shape {
    name: "Accepted",
    schema: |_| object(&[("status", names(["accepted"]))], &[]),
    example: |_| json!({"status": "accepted"}),
};

/// A day, for shapes of other files.
pub(super) fn days() -> [(&'static str, Value); 2] {
    [("from", or_null(day())), ("to", or_null(day()))]
}
