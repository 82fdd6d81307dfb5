//! Reads and tokens over a scripted wire.

mod checkouts;
mod checkup;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bokbro_app::error::Disposition;
use bokbro_app::message::HintedEvent;
use bokbro_app::ports::{TokenEndpoint, TokenGrant, Webhooks, unlimited};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::payment::{FactKind, FactStatus};

use super::*;
use crate::kit::testing::{CountedTokens, Reply, Script, StillClock};

const TRANSACTION: &str = include_str!("fixtures/transaction-swish.json");
const SEARCH: &str = include_str!("fixtures/search-paid-and-refunded.json");
const CODE: CheckoutCode = CheckoutCode(9_451_234_567_890_123);

fn id(text: &str) -> TransactionId {
    TransactionId::parse(text).unwrap()
}

fn told(members: &str) -> Result<PaymentFact, map::Unmappable> {
    let json = format!(r#"{{"insDate":"2026-11-20T10:15:30+02:00",{members}}}"#);
    map::fact(&id("a-1"), serde_json::from_str(&json).unwrap())
}

fn found(members: &str) -> PaymentFact {
    let json = format!(
        r#"{{"TransactionId":"a-1","Amount":1,"CurrencyCode":"752","InsDate":"2026-11-20T10:15:30",{members}}}"#
    );
    map::found_fact(CODE, serde_json::from_str(&json).unwrap()).unwrap().unwrap()
}

#[test]
fn how_the_buyer_paid_follows_from_the_type() {
    for (type_id, method) in [
        ("5", "card"),
        ("0", "card"),
        ("4", "card"),
        ("50", "trustly"),
        ("81", "klarna"),
        ("70", "swish"),
        ("16", "other"),
    ] {
        let members =
            format!(r#""amount":1.0,"currencyCode":"752","transactionTypeId":{type_id},"statusId":"F""#);
        assert_eq!(told(&members).unwrap().method.as_str(), method, "{type_id}");
    }
    assert_eq!(found(r#""StatusId":"F""#).method.as_str(), "other");
}

#[test]
fn kind_and_status_follow_from_type_and_status_id() {
    use FactKind::{Charge, Reversal};
    use FactStatus::{Captured, Failed, Pending, Voided};
    let cases = [
        ("5", "F", Charge, Captured),
        ("0", "F", Charge, Captured),
        ("70", "F", Charge, Captured),
        ("81", "F", Charge, Captured),
        ("5", "R", Charge, Captured),
        ("5", "X", Charge, Voided),
        ("5", "E", Charge, Failed),
        ("5", "A", Charge, Pending),
        ("5", "MW", Charge, Captured),
        ("5", "ML", Charge, Captured),
        ("5", "U", Charge, Pending),
        ("5", "new", Charge, Pending),
        ("1", "F", Charge, Pending),
        ("1", "C", Charge, Pending),
        ("80", "F", Charge, Pending),
        ("69", "F", Charge, Pending),
        ("19", "F", Charge, Pending),
        ("4", "F", Reversal, Captured),
        ("4", "R", Reversal, Captured),
        ("4", "E", Reversal, Failed),
        ("7", "F", Reversal, Captured),
        ("53", "F", Reversal, Captured),
        ("71", "A", Reversal, Pending),
        ("9999", "F", Charge, Captured),
    ];
    for (type_id, status, kind, expected) in cases {
        let members = format!(
            r#""amount":1.0,"currencyCode":"752","transactionTypeId":{type_id},"statusId":"{status}""#
        );
        let fact = told(&members).unwrap();
        assert_eq!((fact.kind, fact.status), (kind, expected), "{type_id} {status}");
    }
    let fact = told(r#""amount":1.0,"currencyCode":"752""#).unwrap();
    assert_eq!((fact.kind, fact.status), (Charge, Pending));
    let fact = told(r#""amount":-1.0,"currencyCode":"752","transactionTypeId":9999,"statusId":"F""#).unwrap();
    assert_eq!((fact.kind, fact.status, fact.amount.minor), (Reversal, Captured, 100));
}

#[test]
fn a_found_transaction_may_not_tell_its_type() {
    let cases = [
        (r#""StatusId":"F""#, FactKind::Charge),
        (r#""StatusId":"F","ParentId":"B-2""#, FactKind::Reversal),
        (r#""StatusId":"F","ParentId":"b-2","TransactionTypeId":0"#, FactKind::Charge),
        (r#""StatusId":"F","TransactionType":{"Name":"n","TransactionTypeId":4}"#, FactKind::Reversal),
        (r#""StatusId":"F","TransactionTypeId":"71","TransactionType":null"#, FactKind::Reversal),
    ];
    for (members, kind) in cases {
        assert_eq!(found(members).kind, kind, "{members}");
    }
    assert_eq!(found(r#""ParentId":"B-2""#).parent, Some(id("b-2")));
    assert_eq!(found(r#""ParentId":"""#).parent, None);
}

#[test]
fn amounts_are_exact_and_odd_ones_are_for_people() {
    let cases = [
        (r#""amount":30.0,"currencyCode":"978""#, Ok("30.00 EUR")),
        (r#""amount":1.2000,"currencyCode":752"#, Ok("1.20 SEK")),
        (r#""amount":"8.29","currencyCode":"752""#, Ok("8.29 SEK")),
        (r#""amount":-9.0,"currencyCode":"752""#, Ok("9.00 SEK")),
        (r#""amount":0.1,"currencyCode":"752""#, Ok("0.10 SEK")),
        (r#""amount":1.0,"currencyCode":"999""#, Err("currency_unknown")),
        (r#""amount":1.0,"currencyCode":"SEK""#, Err("currency_unknown")),
        (r#""amount":1.005,"currencyCode":"752""#, Err("amount_unreadable")),
        (r#""amount":1e2,"currencyCode":"752""#, Err("amount_unreadable")),
    ];
    for (members, expected) in cases {
        match (told(members), expected) {
            (Ok(fact), Ok(amount)) => assert_eq!(format!("{:?}", fact.amount), amount),
            (Err(map::Unmappable::ForPeople(reason)), Err(code)) => assert_eq!(reason.code, code),
            (other, _) => panic!("{members}: {other:?}"),
        }
    }
}

#[test]
fn times_without_an_offset_are_greek() {
    let cases = [
        ("2026-07-20T10:15:30.123", "2026-07-20T07:15:30.123Z"),
        ("2026-11-20T10:15:30", "2026-11-20T08:15:30Z"),
        ("2026-11-20T10:15:30+01:00", "2026-11-20T09:15:30Z"),
        ("2026-10-25T03:30:00", "2026-10-25T00:30:00Z"),
    ];
    for (text, expected) in cases {
        let json = format!(r#"{{"TransactionId":"a-1","Amount":1,"CurrencyCode":"752","InsDate":"{text}"}}"#);
        let fact = map::found_fact(CODE, serde_json::from_str(&json).unwrap()).unwrap().unwrap();
        assert_eq!(fact.made_at.to_string(), expected, "{text}");
    }
}

// --- Calls -------------------------------------------------------------------------------------------------------

struct Bench {
    viva: Viva,
    script: Arc<Script>,
    access: Access,
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let script = Arc::new(Script::of(replies));
    let secrets = [("merchant_id", "m"), ("api_key", "k"), ("client_id", "c"), ("client_secret", "s")];
    let secrets = secrets.map(|(name, secret)| (name.to_owned(), SecretText::new(secret.to_owned())));
    let access = Access {
        connection: Arc::new(Connection {
            tenant: TenantId::parse("demo").unwrap(),
            provider: Provider::parse(NAME).unwrap(),
            state: ConnectionState::Healthy,
            settings: BTreeMap::new(),
            chart: None,
        }),
        credentials: Arc::new(Credentials::new(secrets)),
        tokens: Arc::new(CountedTokens::default()),
        pace: unlimited(),
        deadline: None,
    };
    let viva = Viva::new(VivaUrls::default(), script.clone(), Arc::new(StillClock::default()));
    Bench { viva, script, access }
}

fn status(status: u16, body: &str) -> Reply {
    Reply::Status(status, body.to_owned())
}

impl Bench {
    async fn transaction(&self) -> Result<Option<PaymentFact>, Error> {
        self.viva.transaction(&self.access, &id("0b7d6d3e-2c58-4e9a-9f43-5a4e0d6a1796")).await
    }

    async fn search(&self) -> Result<Vec<PaymentFact>, Error> {
        self.viva.transactions_of(&self.access, CODE).await
    }

    async fn checkout(&self) -> Result<Option<CheckoutState>, Error> {
        self.viva.checkout(&self.access, CODE).await
    }

    async fn token(&self) -> Result<TokenGrant, Error> {
        let access = &self.access;
        self.viva.client_credentials(&access.connection, &Credentials::default(), &access.credentials).await
    }
}

fn sent(script: &Script) -> (String, String) {
    let [sent] = script.sent().try_into().unwrap();
    (sent.line, sent.authorization)
}

#[tokio::test]
async fn a_transaction_becomes_a_fact() {
    let bench = bench([status(200, TRANSACTION)]);
    let fact = bench.transaction().await.unwrap().unwrap();
    assert_eq!((fact.kind, fact.status), (FactKind::Charge, FactStatus::Captured));
    assert_eq!(format!("{:?}", fact.amount), "747.00 SEK");
    assert_eq!(fact.checkout_code, Some(CODE));
    assert_eq!(fact.merchant_text.as_deref(), Some("1753-1001"));
    assert_eq!(fact.made_at.to_string(), "2026-11-20T08:15:30.123Z");
    let line = "GET /checkout/v2/transactions/0b7d6d3e-2c58-4e9a-9f43-5a4e0d6a1796".to_owned();
    assert_eq!(sent(&bench.script), (line, "Bearer token-1".to_owned()));
}

#[tokio::test]
async fn an_order_has_its_own_transactions_only() {
    let bench = bench([status(200, SEARCH)]);
    let [charge, refund] = bench.search().await.unwrap().try_into().unwrap();
    assert_eq!(
        (charge.kind, charge.status, charge.amount.minor),
        (FactKind::Charge, FactStatus::Captured, 74_700)
    );
    assert_eq!(charge.made_at.to_string(), "2026-07-20T07:15:30.123Z");
    assert_eq!(
        (refund.kind, refund.status, refund.amount.minor),
        (FactKind::Reversal, FactStatus::Captured, 10_050)
    );
    assert_eq!(refund.parent, Some(charge.transaction));
    assert_eq!((refund.checkout_code, refund.merchant_text), (Some(CODE), None));
    let line = format!("GET /api/transactions/?ordercode={CODE}");
    assert_eq!(sent(&bench.script), (line, "Basic m:k".to_owned()));
}

#[tokio::test]
async fn the_older_search_refuses_in_many_ways() {
    let refusal =
        |code: &str| status(200, &format!(r#"{{"Transactions":null,"ErrorCode":{code},"Success":false}}"#));
    let none = bench([status(200, r#"{"Transactions":[],"ErrorCode":0,"Success":true}"#)]);
    assert_eq!(none.search().await.unwrap(), []);
    for reply in [refusal("404"), status(404, "")] {
        assert_eq!(bench([reply]).search().await.unwrap(), []);
    }
    for reply in [refusal("403"), refusal("\"401\""), status(401, ""), status(403, "<html>")] {
        let error = bench([reply]).search().await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::NeedsConsent, "{error}");
    }
    for reply in [refusal("500"), refusal("0"), status(200, ""), status(200, "<html>"), status(200, "{}")] {
        let error = bench([reply]).search().await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_order_tells_its_state() {
    let cases = [
        ("0", CheckoutState::Pending),
        ("1", CheckoutState::Expired),
        ("2", CheckoutState::Cancelled),
        ("\"3\"", CheckoutState::Paid),
        ("17", CheckoutState::Pending),
    ];
    for (state, expected) in cases {
        let bench = bench([status(200, &format!(r#"{{"OrderCode":1,"StateId":{state}}}"#))]);
        assert_eq!(bench.checkout().await.unwrap(), Some(expected), "{state}");
        assert_eq!(sent(&bench.script), (format!("GET /api/orders/{CODE}"), "Basic m:k".to_owned()));
    }
    assert_eq!(bench([status(404, "")]).checkout().await.unwrap(), None);
}

#[tokio::test]
async fn what_viva_does_not_know_is_not_an_error() {
    for code in [404, 400] {
        assert_eq!(bench([status(code, "")]).transaction().await.unwrap(), None, "{code}");
    }
}

#[tokio::test]
async fn failures_of_a_read_are_sorted_by_what_happens_next() {
    let refused = bench([status(401, ""), status(401, "")]);
    assert_eq!(refused.transaction().await.unwrap_err().disposition(), Disposition::Retry { after: None });
    let forbidden = bench([status(403, "")]);
    assert_eq!(forbidden.transaction().await.unwrap_err().disposition(), Disposition::NeedsConsent);
    let gone = bench([status(410, "")]);
    assert_eq!(gone.transaction().await.unwrap_err().code(), "viva_410");
    for body in ["", "<html>", "{", "[]", r#"{"amount":1.0}"#, &TRANSACTION.replace("+02:00", " o'clock")] {
        let error = bench([status(200, body)]).transaction().await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{body}: {error:?}");
    }
    let parked = bench([status(200, &TRANSACTION.replace("752", "999"))]);
    assert_eq!(parked.transaction().await.unwrap_err().code(), "currency_unknown");
}

#[tokio::test]
async fn a_read_is_repeated_when_that_can_help() {
    let bench = bench([Reply::MaybeSent, status(503, ""), status(200, TRANSACTION)]);
    assert!(bench.transaction().await.unwrap().is_some());
    assert_eq!(bench.script.left(), 0);
}

#[tokio::test]
async fn missing_credentials_are_asked_for() {
    let mut bench = bench([]);
    bench.access.credentials = Arc::default();
    for error in [bench.search().await.unwrap_err(), bench.token().await.err().unwrap()] {
        assert_eq!(error.disposition(), Disposition::NeedsConsent, "{error}");
    }
    assert!(bench.script.sent().is_empty());
}

#[tokio::test]
async fn a_token_is_fetched_once() {
    let bench = bench([status(200, r#"{"access_token":"t","expires_in":3600,"token_type":"Bearer"}"#)]);
    let grant = bench.token().await.ok().unwrap();
    assert_eq!((grant.access_token.expose(), grant.expires_in.as_secs()), ("t", 3600));
    assert_eq!(sent(&bench.script), ("POST /connect/token".to_owned(), "Basic c:s".to_owned()));
    assert_eq!(bench.script.sent()[0].body, "grant_type=client_credentials");
    assert!(bench.viva.app_secret().is_none());
}

#[tokio::test]
async fn a_token_is_refused_for_good_or_for_now() {
    let cases = [
        (status(400, r#"{"error":"invalid_client"}"#), Disposition::NeedsConsent),
        (status(400, r#"{"error":"invalid_grant"}"#), Disposition::NeedsConsent),
        (status(401, ""), Disposition::NeedsConsent),
        (status(403, "<html>"), Disposition::NeedsConsent),
        (status(400, r#"{"error":"temporarily_unavailable"}"#), Disposition::Retry { after: None }),
        (status(400, "<html>"), Disposition::Retry { after: None }),
        (status(503, ""), Disposition::Retry { after: None }),
        (status(200, ""), Disposition::Retry { after: None }),
        (status(200, r#"{"access_token":"t","expires_in":"soon"}"#), Disposition::Retry { after: None }),
        (Reply::MaybeSent, Disposition::Retry { after: None }),
        (Reply::NotSent, Disposition::Retry { after: None }),
    ];
    for (index, (reply, expected)) in cases.into_iter().enumerate() {
        let bench = bench([reply]);
        assert_eq!(bench.token().await.err().unwrap().disposition(), expected, "case {index}");
        assert_eq!(bench.script.left(), 0, "case {index}");
    }
}

#[test]
fn the_handshake_is_one_member() {
    assert_eq!(Deliveries.handshake("0a\"b"), r#"{"Key":"0a\"b"}"#);
}

// --- The provider's own samples ----------------------------------------------------------------------------------

/// A sample from the folder of provider material, which is not part of the project.
#[expect(clippy::disallowed_methods, reason = "where that folder is stands in the environment alone")]
#[expect(clippy::print_stderr, reason = "a skipped check must be visible in the test output")]
fn sample(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("BOKBRO_SPECS_DIR").filter(|folder| !folder.is_empty()) else {
        eprintln!("SKIPPED: BOKBRO_SPECS_DIR is not set, so Viva's own {name} is not read");
        return None;
    };
    Some(std::fs::read_to_string(PathBuf::from(folder).join("viva").join(name)).unwrap())
}

#[test]
fn a_real_delivery_is_read() {
    let Some(body) = sample("webhook-1796.real-2024-06-10.redacted.json") else { return };
    let hint = Deliveries.parse(body.as_bytes()).unwrap();
    assert_eq!(hint.event, HintedEvent::Paid);
    assert_eq!(hint.amount.as_deref(), Some("1.20"));
    assert_eq!(hint.checkout_code, Some(CheckoutCode(2_593_699_567_872_608)));
    assert_eq!(hint.transaction, Some(id("19e058a5-2b5b-4b4e-92d0-de9a73c8b3ae")));
    assert_eq!(hint.currency.as_deref(), Some("978"));
    assert_eq!(hint.source.as_deref(), Some("8541"));
    assert_eq!(hint.message_id.as_deref(), Some("31eb6552-2e6f-44b7-b63c-e84fec68e65f"));
}

#[test]
fn derived_deliveries_are_read() {
    if let Some(body) = sample("webhook-1797.derived.json") {
        let hint = Deliveries.parse(body.as_bytes()).unwrap();
        assert_eq!(hint.event, HintedEvent::Reversed);
        assert_eq!(hint.transaction, Some(id("19e058a5-2b5b-4b4e-92d0-de9a73c80002")));
    }
    if let Some(body) = sample("webhook-4865-order-updated.doc-partial.json") {
        let hint = Deliveries.parse(body.as_bytes()).unwrap();
        assert_eq!((hint.event, hint.transaction), (HintedEvent::OrderChanged, None));
        assert_eq!(hint.checkout_code, Some(CheckoutCode(6_727_479_629_472_606)));
    }
}

#[tokio::test]
async fn sampled_answers_are_read() {
    if let Some(body) = sample("retrieve-transaction.response.json") {
        let fact = bench([status(200, &body)]).transaction().await.unwrap().unwrap();
        assert_eq!(format!("{:?}", fact.amount), "30.00 EUR");
        assert_eq!((fact.kind, fact.status), (FactKind::Charge, FactStatus::Captured));
        assert_eq!(fact.made_at.to_string(), "2021-12-06T12:32:10.32Z");
    }
    if let Some(body) = sample("search-transactions.legacy-response.json") {
        let bench = bench([status(200, &body)]);
        let facts =
            bench.viva.transactions_of(&bench.access, CheckoutCode(2_593_699_567_872_608)).await.unwrap();
        assert_eq!(facts.len(), 1);
        assert_eq!(format!("{:?}", facts[0].amount), "1.20 EUR");
        assert_eq!(facts[0].made_at.to_string(), "2024-06-10T06:55:07.957Z");
    }
    if let Some(body) = sample("search-transactions.legacy-empty.json") {
        assert_eq!(bench([status(200, &body)]).search().await.unwrap(), []);
    }
    if let Some(body) = sample("order-state.get-response.json") {
        assert_eq!(bench([status(200, &body)]).checkout().await.unwrap(), Some(CheckoutState::Pending));
    }
    if let Some(body) = sample("oauth-token.response.json") {
        assert_eq!(bench([status(200, &body)]).token().await.ok().unwrap().expires_in.as_secs(), 3600);
    }
}
