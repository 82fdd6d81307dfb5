//! Every item reads back as what was written, and its stored text never changes unseen.

use aws_sdk_dynamodb::types::AttributeValue;
use bokbro_app::ports::{
    Day, Joined, LedgerKey, LimitKey, LookUp, OpenKind, OpenOrder, Stock, StoredLimiter,
};
use bokbro_app::records::{ApiKey, Connection, ConnectionState, Endpoint, Settings, TimelineEntry};
use bokbro_domain::effect::{Ledger, Step, StepName, StepState};
use bokbro_domain::ids::{Provider, Target, TenantId};
use bokbro_domain::limit::Limiter;
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::posting::{Chart, CreditId, NetAndVat, PostingProfile};
use bokbro_domain::said::Said;
use bokbro_domain::vat::VatRate;
use jiff::SignedDuration;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::keys::Key;
use super::{
    Item, Unreadable, day, ledger, limiter, number, order, records, samples, stamp, text, warehouse,
};

fn ledger_key() -> LedgerKey {
    let order = samples::order();
    LedgerKey { tenant: order.tenant, order: order.id, target: Target::Accounting }
}

fn limit_key() -> LimitKey {
    LimitKey { provider: Provider::parse("ledger").unwrap(), key: "client:1".to_owned() }
}

fn stored<'a>(item: &'a Item, attribute: &str) -> &'a str {
    item[attribute].as_s().unwrap()
}

#[test]
fn keys_are_the_design_s() {
    let (sample, fact, parked) = (samples::order(), samples::fact(), samples::parked());
    let (tenant, id) = (&sample.tenant, &sample.id);
    let ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let number = LookUp::OrderNumber(sample.body.order_number.clone());
    let code = LookUp::CheckoutCode(sample.body.checkout_code.unwrap());
    let provider = Provider::parse("ledger").unwrap();
    let of_order = format!("T#demo#O#ord_{ulid}");
    let cases = [
        (Key::order(tenant, id), "T#demo", format!("O#ord_{ulid}")),
        (Key::look_up(tenant, &number), "T#demo", "L#order_number#1753-1001".to_owned()),
        (Key::look_up(tenant, &code), "T#demo", "L#viva_order_code#9007199254740993".to_owned()),
        (Key::look_up(tenant, &LookUp::Transaction("t".into())), "T#demo", "L#transaction#t".to_owned()),
        (Key::fingerprint(tenant, "f"), "T#demo", "L#parked#f".to_owned()),
        (Key::fact(tenant, id, &fact.transaction), &of_order, format!("P#{}", fact.transaction)),
        (Key::ledger(&ledger_key()), &of_order, "E#accounting".to_owned()),
        (Key::open(tenant, OpenKind::Payment, id), "T#demo#OPEN#payment", format!("ord_{ulid}")),
        (Key::open(tenant, OpenKind::Accounting, id), "T#demo#OPEN#accounting", format!("ord_{ulid}")),
        (Key::day(tenant, &samples::day()), "T#demo#DAYS", samples::day().to_string()),
        (Key::open_day(tenant, &samples::day()), "T#demo#OPEN#day", samples::day().to_string()),
        (
            Key::joined(tenant, &samples::day(), id, None),
            "T#demo#D#day_2026-11-20_pay_card_001",
            format!("N#ord_{ulid}"),
        ),
        (
            Key::joined(tenant, &samples::day(), id, Some(CreditId(24_900))),
            "T#demo#D#day_2026-11-20_pay_card_001",
            format!("N#ord_{ulid}#24900"),
        ),
        (Key::timeline(tenant, id, ulid), &of_order, format!("H#{ulid}")),
        (Key::connection(tenant, &provider), "T#demo", "C#ledger".to_owned()),
        (Key::settings(tenant), "T#demo", "S".to_owned()),
        (Key::parked(tenant, &parked.id), "T#demo", format!("X#{ulid}")),
        (Key::api_key("ab12"), "A#ab12", "A".to_owned()),
        (Key::endpoint("e1"), "W#e1", "W".to_owned()),
        (Key::nonce("ab12"), "N#ab12", "N".to_owned()),
        (Key::counter("ab12", 179_500_000), "Q#ab12", "179500000".to_owned()),
        (Key::limiter(&limit_key()), "R#ledger#client:1", "R".to_owned()),
    ];
    for (key, pk, sk) in cases {
        assert_eq!((key.pk.as_str(), &key.sk), (pk, &sk));
    }
}

#[test]
fn a_limiter_reads_back_as_it_was_stored() {
    let limiter = Limiter {
        last: 8_590_000_000,
        taken: u64::MAX,
        closed_until: samples::time(),
        line: samples::time(),
        behind: SignedDuration::from_millis(1_753),
    };
    let written = StoredLimiter { mark: u64::MAX, limiter };
    let item = limiter::to_item(&limit_key(), &written);
    assert_eq!(item["mark"], number(u64::MAX));
    assert_eq!(item["behind_ms"], number(1_753));
    assert_eq!(stored(&item, "line"), "2026-11-20T10:20:30.500000000Z");
    assert_eq!(item.len(), 9);
    assert_eq!(limiter::from_item(&item), Ok(written));
}

#[test]
fn open_work_reads_back_as_it_was_stored() {
    let order = samples::order();
    let open = OpenOrder { order: order.id, since: samples::time() };
    let item = records::open(&order.tenant, OpenKind::Payment, &open);
    assert_eq!(stored(&item, "since"), "2026-11-20T10:20:30.500000000Z");
    assert_eq!(item.len(), 4);
    assert_eq!(records::open_from_item(&item), Ok(open));
}

#[test]
fn the_stored_text_of_an_order_is_frozen() {
    let item = order::to_item(&samples::order());
    let address = concat!(
        r#"{"name":"Åsa Öberg","address1":"Storgatan 1","address2":"c/o Berg","zip":"11122","#,
        r#""city":"Stockholm","country":"SE"}"#
    );
    let body = [
        r#"{"order_number":"1753-1001","currency":"SEK","checkout_code":9007199254740993,"#,
        r#""payment_reference":"b1a3067c-321b-4ec6-bc9d-1778aef2a19d","#,
        r#""customer":{"kind":"private","name":"Åsa Öberg","email":"asa@example.se","phone":"070-000 00 00","#,
        r#""organisation_number":null,"billing":"#,
        address,
        r#","delivery":"#,
        address,
        r#"},"lines":[{"kind":"goods","sku":"OIL-30","text":"Ansiktsolja 30 ml","quantity":"2.0","#,
        r#""unit_price":{"minor":34900,"currency":"SEK"},"vat_rate":"standard"}],"#,
        r#""total":{"minor":69800,"currency":"SEK"}}"#,
    ];
    assert_eq!(stored(&item, "body"), body.concat());
    let none = r#"{"minor":0,"currency":"SEK"}"#;
    let payment = format!(r#"{{"captured":{none},"reversed":{none},"paid_at":null,"transactions":[]}}"#);
    assert_eq!(stored(&item, "payment"), payment);
    let waiting = r#"{"state":"waiting","provider":null,"numbers":{},"message":null,"parked":null}"#;
    assert_eq!((stored(&item, "accounting"), stored(&item, "warehouse")), (waiting, waiting));
    let time = "2026-11-20T10:20:30.500000000Z";
    assert_eq!((stored(&item, "created_at"), stored(&item, "updated_at")), (time, time));
    assert_eq!((stored(&item, "state"), stored(&item, "gsi1pk")), ("pending", "T#demo#S#pending"));
    assert_eq!(stored(&item, "gsi1sk"), format!("{time}#ord_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    assert_eq!((&item["v"], &item["version"]), (&number(1_u64), &number(1_u64)));
    assert_eq!(item.len(), 13, "{item:?}");
}

#[test]
fn the_stored_text_of_facts_and_ledgers_is_frozen() {
    let sample = samples::order();
    let fact = order::fact_to_item(&sample.tenant, &sample.id, &samples::fact());
    let expected = concat!(
        r#"{"transaction":"b1a3067c-321b-4ec6-bc9d-1778aef2a19d","parent":null,"kind":"charge","status":"captured","#,
        r#""method":"card","amount":{"minor":69800,"currency":"SEK"},"checkout_code":9007199254740993,"#,
        r##""merchant_text":"Order #1753-1001","made_at":"2026-11-20T10:20:30.5Z"}"##
    );
    assert_eq!(stored(&fact, "doc"), expected);
    let item = ledger::to_item(&ledger_key(), &samples::ledger());
    let hash = "ab".repeat(32);
    let expected = [
        r#"{"invoice":{"state":"done","request_hash":""#,
        &hash,
        r#"","reference":"ord_01ARZ3NDEKTSV4RRFFQ69G5FAV","attempt":2,"sent_at":"2026-11-20T10:20:30.5Z","#,
        r#""receipt":{"external_id":"42","facts":{"total":"698"}},"last_error":null,"#,
        r#""done_at":"2026-11-20T10:20:30.5Z","told":true}}"#,
    ];
    assert_eq!(stored(&item, "steps"), expected.concat());
    assert_eq!((&item["fence"], stored(&item, "lease_owner")), (&number(3_u64), "worker-1"));
    assert_eq!(stored(&item, "lease_until"), "2026-11-20T10:20:30.500000000Z");
}

#[test]
fn the_stored_text_of_a_batch_and_its_entries_is_frozen() {
    let (tenant, id) = (samples::order().tenant, samples::day());
    let status = samples::status(Some(samples::parked().id));
    let batch = Day { id: id.clone(), reference: "day_mark".to_owned(), entries: 2, status };
    let item = day::to_item(&tenant, &batch, &samples::ledger());
    assert_eq!((stored(&item, "reference"), &item["entries"]), ("day_mark", &number(2_u64)));
    assert_eq!((&item["fence"], stored(&item, "lease_owner")), (&number(3_u64), "worker-1"));
    assert_eq!(stored(&item, "profile"), r#""invoice""#);
    let status = r#""credited":24900,"by_hand":true,"day":"day_2026-11-20_pay_card_001"}"#;
    assert!(stored(&item, "status").ends_with(status), "{}", stored(&item, "status"));
    assert_eq!(day::from_item(&item), Ok((batch, samples::ledger())));
    let sum = NetAndVat { net: samples::sek(-27_920), vat: samples::sek(-6_980) };
    for (credit, expected) in [(None, ""), (Some(CreditId(34_900)), r#""credit":34900,"#)] {
        let joined = Joined { order: samples::order().id, credit, sums: [(VatRate::Standard, sum)].into() };
        let item = day::joined_to_item(&tenant, &id, &joined);
        let expected = [
            r#"{"order":"ord_01ARZ3NDEKTSV4RRFFQ69G5FAV","#,
            expected,
            r#""sums":{"standard":{"net":{"minor":-27920,"currency":"SEK"},"vat":{"minor":-6980,"currency":"SEK"}}}}"#,
        ];
        assert_eq!(stored(&item, "doc"), expected.concat());
        assert_eq!(day::joined_from_item(&item), Ok(joined));
    }
    let open = day::open(&tenant, &id);
    assert_eq!(day::open_from_item(&open), Ok(id));
}

#[test]
fn the_stored_text_of_a_shipment_turn_cursor_and_stock_is_frozen() {
    let mut sample = samples::order();
    sample.warehouse.shipment = Some(samples::shipment());
    let item = order::to_item(&sample);
    let shipment = concat!(
        r#""shipment":{"order_id":"50161","status":450,"text":"Sent","stage":"shipped","#,
        r#""shipped_at":"2026-11-20T10:20:30.5Z","#,
        r#""parcels":[{"number":"3735","url":"https://track.example.se/3735"}],"#,
        r#""lines":[{"sku":"OIL-30","ordered":"2","picked":"2"}]}}"#
    );
    assert!(stored(&item, "warehouse").ends_with(shipment), "{}", stored(&item, "warehouse"));
    assert_eq!(order::from_item(&item), Ok(sample.clone()));
    let turn = warehouse::turn("ledger#1", "me", samples::time());
    assert_eq!((stored(&turn, "pk"), stored(&turn, "lease_owner")), ("TURN#ledger#1", "me"));
    assert_eq!(stored(&turn, "lease_until"), "2026-11-20T10:20:30.500000000Z");
    assert_eq!(warehouse::turn_until(&turn), Ok(samples::time()));
    let provider = Provider::parse("ledger").unwrap();
    let cursor = warehouse::cursor(&sample.tenant, &provider, "parcels", "17");
    assert_eq!((stored(&cursor, "sk"), stored(&cursor, "cursor")), ("K#ledger#parcels", "17"));
    assert_eq!(warehouse::cursor_text(&cursor), Ok("17".to_owned()));
    let stock = Stock { sku: "OIL-30".to_owned(), on_hand: 5.into(), sellable: 3.into() };
    let item = warehouse::stock(&sample.tenant, &provider, &stock, samples::time());
    assert_eq!((stored(&item, "pk"), stored(&item, "sk")), ("T#demo#STOCK#ledger", "A#OIL-30"));
    assert_eq!(stored(&item, "doc"), r#"{"sku":"OIL-30","on_hand":"5","sellable":"3"}"#);
    assert_eq!(warehouse::stock_from_item(&item), Ok((stock, samples::time())));
}

#[test]
fn records_read_back_as_written() {
    fn holds<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(record: &T) {
        let item = records::to_item(Key::api_key("x"), record);
        assert_eq!(&records::from_item::<T>("record", &item).unwrap(), record);
    }
    let (tenant, provider) = (TenantId::parse("demo").unwrap(), Provider::parse("ledger").unwrap());
    let chart = bokbro_app::records::ReadChart { chart: Chart::default(), read_at: samples::time() };
    holds(&samples::parked());
    holds(&samples::entry());
    holds(&Connection {
        tenant: tenant.clone(),
        provider: provider.clone(),
        state: ConnectionState::NeedsConsent,
        settings: [("merchant_id".to_owned(), "m".to_owned())].into(),
        chart: Some(chart),
    });
    holds(&Settings {
        payments: provider.clone(),
        accounting: Some(provider.clone()),
        warehouse: None,
        posting_profile: PostingProfile::OrderAndInvoice,
        accounts: std::collections::BTreeMap::default(),
        payment_mode: Some("VIVA".to_owned()),
    });
    holds(&Endpoint {
        name: "e".into(),
        tenant: tenant.clone(),
        provider,
        handshake_key: "k".into(),
        token_sha256: None,
    });
    // As it was stored before keys had names.
    let old = r#"{"tenant":"demo","role":"operator","prefix":"bk_ab"}"#;
    holds(&serde_json::from_str::<ApiKey>(old).unwrap());
}

#[test]
fn what_is_stored_wrongly_is_named_and_not_quoted() {
    let good = order::to_item(&samples::order());
    let changed = |attribute: &str, value: Option<AttributeValue>| {
        let mut item = good.clone();
        match value {
            Some(value) => item.insert(attribute.to_owned(), value),
            None => item.remove(attribute),
        };
        order::from_item(&item).unwrap_err().to_string()
    };
    for attribute in
        ["v", "body", "state", "payment", "accounting", "warehouse", "version", "created_at", "pk", "sk"]
    {
        for value in [None, Some(text("personal data")), Some(AttributeValue::Bool(true))] {
            let message = changed(attribute, value);
            assert_eq!(message, format!("stored order: attribute {attribute} is missing or unreadable"));
        }
    }
    assert!(changed("v", Some(number(2_u64))).contains("attribute v"));
    let other: Result<TimelineEntry, Unreadable> = records::from_item("timeline entry", &good);
    assert!(other.is_err());
}

#[test]
fn stamps_sort_as_times_do() {
    let times =
        ["2026-11-20T10:20:30Z", "2026-11-20T10:20:30.05Z", "2026-11-20T10:20:30.5Z", "2026-11-20T10:20:31Z"];
    let stamps: Vec<String> = times.iter().map(|t| stamp(t.parse().unwrap())).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert!(stamps.iter().all(|s| s.len() == stamps[0].len()));
}

fn any_text() -> impl Strategy<Value = String> {
    "\\PC{0,20}"
}

fn any_step() -> impl Strategy<Value = Step> {
    use StepState::{Done, Rejected, Sent, Unknown};
    let states = prop::sample::select(vec![Sent, Done, Unknown, Rejected]);
    let facts = btree_map(any_text(), any_text(), 0..3);
    let receipt = option::of((any_text(), facts));
    (states, any_text(), any::<u32>(), receipt, option::of(any_text().prop_map(Said::quoted)), any::<bool>())
        .prop_map(|(state, reference, attempt, receipt, last_error, told)| {
            let receipt =
                receipt.map(|(external_id, facts)| bokbro_domain::effect::Receipt { external_id, facts });
            let base = samples::ledger().steps.into_values().next().unwrap();
            Step {
                state,
                reference,
                attempt,
                receipt,
                last_error,
                told,
                done_at: told.then(samples::time),
                ..base
            }
        })
}

proptest! {
    #[test]
    fn any_ledger_reads_back(
        fence in any::<u64>(),
        owner in option::of("[a-z0-9-]{1,40}"),
        steps in btree_map(any_text().prop_map(StepName), any_step(), 0..4),
    ) {
        let lease = owner.map(|owner| bokbro_domain::effect::Lease { owner, until: samples::time() });
        let profile = lease.is_some().then_some(PostingProfile::VoucherPerDay);
        let ledger = Ledger { fence, lease, profile, steps };
        prop_assert_eq!(ledger::from_item(&ledger::to_item(&ledger_key(), &ledger)).unwrap(), ledger);
    }

    #[test]
    fn any_order_reads_back(
        texts in vec(any_text(), 6),
        absent in any::<[bool; 6]>(),
        minor in any::<i64>(),
        (mantissa, scale) in (any::<i64>(), 0_u32..20),
        version in any::<u64>(),
        seconds in 0_i64..4_000_000_000,
        nanos in 0_i32..1_000_000_000,
        state in prop::sample::select(vec![OrderState::Pending, OrderState::Paid, OrderState::PartiallyRefunded]),
    ) {
        let mut sample = samples::order();
        let maybe = |index: usize| (!absent[index]).then(|| texts[index].clone());
        sample.body.customer.email = maybe(0);
        sample.body.customer.phone = maybe(1);
        sample.body.customer.organisation_number = maybe(2);
        sample.body.payment_reference = maybe(3);
        sample.body.lines[0].sku = maybe(4);
        sample.body.customer.billing.address2 = maybe(5);
        if absent[0] {
            sample.body.checkout_code = None;
            sample.body.customer.delivery = None;
        }
        sample.body.lines[0].text = texts[0].clone();
        sample.body.lines[0].unit_price = samples::sek(minor);
        sample.body.lines[0].quantity = rust_decimal::Decimal::new(mantissa, scale);
        sample.payment.captured = samples::sek(minor);
        sample.payment.transactions = vec![samples::transaction()];
        sample.payment.paid_at = (!absent[1]).then(samples::time);
        sample.accounting = samples::status(Some(samples::parked().id));
        sample.warehouse.state = SyncState::Retrying;
        (sample.state, sample.version) = (state, version);
        sample.updated_at = jiff::Timestamp::new(seconds, nanos).unwrap();
        prop_assert_eq!(order::from_item(&order::to_item(&sample)).unwrap(), sample);
    }
}
