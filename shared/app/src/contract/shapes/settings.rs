//! A tenant's own choices, and API keys.

use bokbro_domain::ids::Provider;
use bokbro_domain::posting::{AccountRole, PostingProfile};
use serde_json::{Value, json};

use super::{about, any_text, boolean, day, list, names, object, or_null, text, text_or_none, time};
use crate::contract::{Build, Shape};
use crate::records::Role;

/// The choices as they are sent (`crate::settings`). What was read may be sent back whole.
pub const SETTINGS_IN: Shape = Shape {
    name: "SettingsIn",
    schema: |build| {
        let mut maybe = choices(build);
        maybe.retain(|(name, _)| *name != "payments");
        let shown = || about("Shown by GET; may come back and counts for nothing.", json!({}));
        maybe.extend([("available", shown()), ("read_from_books", shown())]);
        object(&[("payments", among(&build.payments))], &maybe)
    },
    example: chosen,
};

/// The choices, and what there is to choose from.
pub const SETTINGS: Shape = Shape {
    name: "Settings",
    schema: |build| {
        let providers = |known: &[Provider]| list(among(known));
        let available = object(
            &[
                ("payments", providers(&build.payments)),
                ("accounting", providers(&build.accounting)),
                ("warehouse", providers(&build.warehouses)),
                ("posting_profile", list(profile())),
                ("accounts", list(names(AccountRole::ALL.map(AccountRole::as_str)))),
            ],
            &[],
        );
        let books = object(
            &[
                ("accounts", accounts()),
                ("payment_mode", or_null(any_text())),
                ("cash_method", boolean()),
                ("locked_through", or_null(day())),
            ],
            &[],
        );
        let books = about("What the ledger program's own settings say.", or_null(books));
        object(&[("available", available), ("read_from_books", books)], &choices(build))
    },
    example: |build| {
        let mut shown = chosen(build);
        shown["available"] = json!({"payments": build.payments, "accounting": build.accounting,
            "warehouse": build.warehouses, "posting_profile": PostingProfile::ALL, "accounts": AccountRole::ALL});
        shown["read_from_books"] = json!({"accounts": {"sales_25": 3001, "vat_25": 2611}, "payment_mode": null,
            "cash_method": false, "locked_through": "2025-12-31"});
        shown
    },
};

/// A wish for a key (`crate::auth`).
pub const API_KEY_IN: Shape = Shape {
    name: "ApiKeyIn",
    schema: |_| object(&[("name", text(100)), ("role", role())], &[]),
    example: |_| json!({"name": "webshop", "role": "operator"}),
};

/// A key; what it opens with is in the answer that made it and never again.
pub const API_KEY: Shape = Shape {
    name: "ApiKey",
    schema: |_| {
        object(
            &[
                ("id", any_text()),
                ("name", any_text()),
                ("role", role()),
                ("prefix", about("First characters, to tell keys apart.", any_text())),
                ("created_at", time()),
                ("used_at", about("Within the hour.", or_null(time()))),
            ],
            &[("key", about("The key itself, this once.", any_text()))],
        )
    },
    example: |_| {
        json!({"id": "key_01KB0Q5V3XJ4A6C8E0G2J5K7M9", "name": "webshop", "role": "operator", "prefix": "bk_9f3a",
            "created_at": "2026-11-21T08:25:00Z", "used_at": null})
    },
};

fn choices(build: &Build) -> Vec<(&'static str, Value)> {
    let account =
        about("Accounts that differ from the ledger program's own settings.", or_null(accounts_or_null()));
    vec![
        ("payments", among(&build.payments)),
        ("accounting", or_null(among(&build.accounting))),
        ("warehouse", or_null(among(&build.warehouses))),
        ("posting_profile", or_null(profile())),
        ("accounts", account),
        ("payment_mode", text_or_none(50)),
    ]
}

fn among(known: &[Provider]) -> Value {
    names(known.iter().map(Provider::as_str))
}

fn profile() -> Value {
    names(PostingProfile::ALL.map(PostingProfile::as_str))
}

fn role() -> Value {
    names(Role::ALL.map(Role::as_str))
}

fn account() -> Value {
    json!({"type": "integer", "minimum": 1000, "maximum": 9999})
}

fn accounts() -> Value {
    object(&[], &AccountRole::ALL.map(|role| (role.as_str(), account())))
}

fn accounts_or_null() -> Value {
    object(&[], &AccountRole::ALL.map(|role| (role.as_str(), or_null(account()))))
}

fn chosen(build: &Build) -> Value {
    json!({"payments": Build::first(&build.payments), "accounting": Build::first(&build.accounting),
        "warehouse": null, "posting_profile": "invoice", "accounts": {"payment_claim": 1584}, "payment_mode": null})
}
