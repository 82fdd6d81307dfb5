//! What a released version has stored, this one reads: one full item of every kind, as each version wrote it.
//!
//! `stored/<version>.json` is this version's own until it is released, and frozen from then on. `BOKBRO_WRITE_STORED=1`
//! writes it anew; a file of an older version is never written.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use bokbro_app::ports::{
    Day, Joined, KeyClaim, LedgerKey, LimitKey, LookUp, OpenKind, OpenOrder, Register, RegisterKey, Stock,
    StoredLimiter,
};
use bokbro_app::records::{
    ApiKey, AuditEntry, Connection, ConnectionState, Endpoint, Job, JobState, JobTask, Parked, ReadChart,
    Reading, Role, Session, Settings, TimelineEntry,
};
use bokbro_domain::effect::Lease;
use bokbro_domain::ids::{JobId, OrderId, Provider, Target};
use bokbro_domain::limit::Limiter;
use bokbro_domain::posting::{AccountRole, BookYear, Chart, CreditId, NetAndVat, PostingProfile};
use bokbro_domain::said::Said;
use bokbro_domain::token::TokenState;
use bokbro_domain::vat::VatRate;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::keys::Key;
use super::{Item, Unreadable, day, ledger, limiter, mapping, order, records, samples, token, warehouse};

/// One kind of item: as this version writes it, and how this version reads it.
struct Kind {
    name: &'static str,
    written: Item,
    read: fn(&Item) -> Result<(), Unreadable>,
}

fn kind(name: &'static str, written: Item, read: fn(&Item) -> Result<(), Unreadable>) -> Kind {
    Kind { name, written, read }
}

/// Reads a record of one type.
fn record<T: serde::de::DeserializeOwned>(item: &Item) -> Result<(), Unreadable> {
    records::from_item::<T>("record", item).map(drop)
}

fn orders() -> Vec<Kind> {
    let mut full = samples::order();
    full.payment.captured = samples::sek(69_800);
    full.payment.reversed = samples::sek(24_900);
    full.payment.transactions = vec![samples::transaction()];
    full.payment.paid_at = Some(samples::time());
    full.accounting = samples::status(Some(samples::parked().id));
    full.warehouse = samples::status(None);
    full.warehouse.shipment = Some(samples::shipment());
    let (tenant, id) = (&full.tenant, &full.id);
    let open = OpenOrder { order: id.clone(), since: samples::time() };
    let number = LookUp::OrderNumber(full.body.order_number.clone());
    let claim = KeyClaim { id: "k".into(), body_hash: "ab".repeat(32), expires_at: samples::time() };
    let of = LedgerKey { tenant: tenant.clone(), order: id.clone(), target: Target::Accounting };
    vec![
        kind("order", order::to_item(&full), |item| order::from_item(item).map(drop)),
        kind("payment fact", order::fact_to_item(tenant, id, &samples::fact()), |item| {
            order::fact_from_item(item).map(drop)
        }),
        kind("look-up", records::pointer(Key::look_up(tenant, &number), id.as_str()), |item| {
            records::pointer_id(item, OrderId::parse).map(drop)
        }),
        kind("open order", records::open(tenant, OpenKind::Accounting, &open), |item| {
            records::open_from_item(item).map(drop)
        }),
        kind("idempotency key", records::claim(&claim, id), |item| {
            records::Completed::read(item)?.order().map(drop)
        }),
        kind("effect ledger", ledger::to_item(&of, &samples::ledger()), |item| {
            ledger::from_item(item).map(drop)
        }),
        kind(
            "timeline entry",
            records::to_item(Key::timeline(tenant, id, &samples::entry().id), &samples::entry()),
            record::<TimelineEntry>,
        ),
        kind(
            "parked item",
            records::to_item(Key::parked(tenant, &samples::parked().id), &samples::parked()),
            record::<Parked>,
        ),
    ]
}

fn days_and_registers() -> Vec<Kind> {
    let (tenant, id) = (samples::order().tenant, samples::day());
    let provider = Provider::parse("ledger").unwrap();
    let batch =
        Day { id: id.clone(), reference: "day_mark".into(), entries: 2, status: samples::status(None) };
    let sum = NetAndVat { net: samples::sek(-27_920), vat: samples::sek(-6_980) };
    let joined = Joined {
        order: samples::order().id,
        credit: Some(CreditId(34_900)),
        sums: [(VatRate::Standard, sum)].into(),
    };
    let of = RegisterKey { tenant: tenant.clone(), provider: provider.clone(), register: Register::Invoices };
    let stock = Stock { sku: "OIL-30".into(), on_hand: 5.into(), sellable: 3.into() };
    vec![
        kind("day", day::to_item(&tenant, &batch, &samples::ledger()), |item| day::from_item(item).map(drop)),
        kind("open day", day::open(&tenant, &id), |item| day::open_from_item(item).map(drop)),
        kind("day's entry", day::joined_to_item(&tenant, &id, &joined), |item| {
            day::joined_from_item(item).map(drop)
        }),
        kind("mapping", mapping::to_item(&of, &samples::mapping()), |item| {
            mapping::from_item(item).map(drop)
        }),
        kind("turn", warehouse::turn("ledger#1", "me", samples::time()), |item| {
            warehouse::turn_until(item).map(drop)
        }),
        kind("cursor", warehouse::cursor(&tenant, &provider, "parcels", "17"), |item| {
            warehouse::cursor_text(item).map(drop)
        }),
        kind("stock", warehouse::stock(&tenant, &provider, &stock, samples::time()), |item| {
            warehouse::stock_from_item(item).map(drop)
        }),
    ]
}

fn connections() -> Vec<Kind> {
    let (tenant, provider) = (samples::order().tenant, Provider::parse("ledger").unwrap());
    let day = "2026-12-31".parse().unwrap();
    let chart = Chart {
        accounts: [(AccountRole::PaymentClaim, 1580)].into(),
        payment_mode: Some("VIVA".into()),
        cash_method: true,
        locked_through: Some(day),
        card_account: Some(1580),
        years: vec![BookYear { from: "2026-01-01".parse().unwrap(), to: day }],
    };
    let connection = Connection {
        tenant: tenant.clone(),
        provider: provider.clone(),
        state: ConnectionState::NeedsConsent,
        settings: [("merchant_id".to_owned(), "m".to_owned())].into(),
        chart: Some(ReadChart { chart, read_at: samples::time() }),
    };
    let settings = Settings {
        payments: provider.clone(),
        accounting: Some(provider.clone()),
        warehouse: Some(provider.clone()),
        posting_profile: PostingProfile::OrderAndInvoice,
        accounts: [(AccountRole::PaymentClaim, 1580)].into(),
        payment_mode: Some("VIVA".into()),
    };
    let endpoint = Endpoint {
        name: "e".into(),
        tenant: tenant.clone(),
        provider: provider.clone(),
        handshake_key: "k".into(),
        token_sha256: Some("ab".repeat(32)),
    };
    let state = TokenState {
        version: 4,
        fence: 7,
        lease: Some(Lease { owner: "worker-1".into(), until: samples::time() }),
        good_until: Some(samples::time()),
        cool_until: Some(samples::time()),
        refreshed_at: Some(samples::time()),
        ended: Some(Said::quoted("it is disconnected")),
    };
    let limit = LimitKey { provider: provider.clone(), key: "client:1".into() };
    let slots = Limiter {
        last: 8_590_000_000,
        taken: 3,
        closed_until: samples::time(),
        line: samples::time(),
        behind: SignedDuration::from_millis(1_753),
    };
    let slots = StoredLimiter { mark: 9, limiter: slots };
    vec![
        kind("connection", records::connection(&connection), record::<Connection>),
        kind("settings", records::to_item(Key::settings(&tenant), &settings), record::<Settings>),
        kind("endpoint", records::to_item(Key::endpoint("e"), &endpoint), record::<Endpoint>),
        kind("token state", token::to_item(&tenant, &provider, &state), |item| {
            token::from_item(item).map(drop)
        }),
        kind("limiter", limiter::to_item(&limit, &slots), |item| limiter::from_item(item).map(drop)),
    ]
}

fn people_and_work() -> Vec<Kind> {
    let tenant = samples::order().tenant;
    let ulid = samples::entry().id;
    let key = ApiKey {
        tenant: tenant.clone(),
        role: Role::Operator,
        prefix: "bk_ab".into(),
        id: format!("key_{ulid}"),
        name: "webshop".into(),
        created_at: samples::time(),
        used_at: Some(samples::time()),
    };
    let session = Session {
        subject: "s".into(),
        name: "asa@example.se".into(),
        grants: [(tenant.clone(), Role::Bookkeeper)].into(),
        tenant: tenant.clone(),
        form_token: "f".into(),
        signed_in_at: samples::time(),
        expires_at: samples::time(),
    };
    let day = "2026-11-20".parse().unwrap();
    let reading = Reading::Days { from: day, to: day };
    let task = JobTask::Registers { provider: Provider::parse("ledger").unwrap(), reading };
    let job = Job {
        state: JobState::Failed,
        reason: Some("audit".into()),
        counts: [("invoices".to_owned(), 3)].into(),
        position: Some("p".into()),
        finished_at: Some(samples::time()),
        attempts: 2,
        error: Some(Said::quoted("e")),
        ..Job::waiting(
            JobId::parse(&format!("job_{ulid}")).unwrap(),
            task,
            "bk_ab",
            samples::time(),
            &samples::correlation(),
        )
    };
    let audit = AuditEntry {
        id: ulid.clone(),
        at: samples::time(),
        who: "bk_ab".into(),
        what: "settings_changed".into(),
        subject: "settings".into(),
        reason: Some("audit".into()),
        before: Some(json!({"accounting": null})),
        after: Some(json!({"accounting": "ledger"})),
        correlation: samples::correlation(),
    };
    vec![
        kind("API key", records::to_item(Key::api_key("ab12"), &key), record::<ApiKey>),
        kind("session", records::to_item(Key::session("ab12"), &session), record::<Session>),
        kind("job", records::to_item(Key::job(&tenant, &job.id), &job), record::<Job>),
        kind("audit entry", records::to_item(Key::audit(&tenant, &ulid), &audit), record::<AuditEntry>),
    ]
}

fn kinds() -> Vec<Kind> {
    [orders(), days_and_registers(), connections(), people_and_work()].into_iter().flatten().collect()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stored"))
}

fn to_json(item: &Item) -> Value {
    let attributes: BTreeMap<_, _> = item.iter().collect();
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        other => panic!("an item has {other:?}: say here how it is written"),
    };
    attributes.into_iter().map(|(name, attribute)| (name.clone(), value(attribute))).collect::<Value>()
}

fn to_item(json: &Value) -> Item {
    let value = |value: &Value| match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), None) => AttributeValue::S(text.to_owned()),
        (None, Some(digits)) => AttributeValue::N(digits.to_owned()),
        _ => panic!("neither text nor number: {value}"),
    };
    json.as_object().unwrap().iter().map(|(name, attribute)| (name.clone(), value(attribute))).collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks for the file to be written, like the golden tests")]
fn this_version_writes_what_its_file_says() {
    let path = folder().join(concat!(env!("CARGO_PKG_VERSION"), ".json"));
    let written: Value = kinds().iter().map(|kind| (kind.name.to_owned(), to_json(&kind.written))).collect();
    if std::env::var_os("BOKBRO_WRITE_STORED").is_some() {
        fs::write(&path, format!("{written:#}\n")).unwrap();
    }
    let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(written, file, "if readers take both, BOKBRO_WRITE_STORED=1 writes {}", path.display());
}

#[test]
fn items_of_every_version_are_read() {
    let readers: BTreeMap<_, _> = kinds().into_iter().map(|kind| (kind.name, kind.read)).collect();
    let mut files = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        files += 1;
        for (name, item) in file.as_object().unwrap() {
            let read = readers.get(name.as_str());
            let read = read.unwrap_or_else(|| panic!("{}: nobody reads a {name}", path.display()));
            assert_eq!(read(&to_item(item)), Ok(()), "{name} of {}", path.display());
        }
    }
    assert!(files > 0, "no version has stored anything");
}

#[test]
fn an_item_of_another_format_is_refused() {
    for kind in kinds().iter().filter(|kind| kind.written.contains_key("v")) {
        let mut item = kind.written.clone();
        item.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
        assert!((kind.read)(&item).is_err(), "{} of format 2 is read as if it were of format 1", kind.name);
    }
}
