//! What no emulator says: conflicts between transactions, throttling, lost answers, reasons of several kinds at once.

use bokbro_app::error::{Error, chain};
use bokbro_app::ports::{
    Guard, Inserted, KeyClaim, LedgerKey, LedgerWrite, Ledgers, LimitKey, Limits, LookUpKind, OrderFilter,
    Orders, Parking, StoredLimiter, Swapped,
};
use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{Provider, Target};
use bokbro_domain::limit::Limiter;
use bokbro_domain::order::OrderState;
use serde_json::{Map, Value, json};

use super::{Hub, Tables};
use crate::canned::{Answer, Canned};
use crate::items::{Item, ledger, limiter, order, records, samples};

const OK: (&str, Value) = ("None", Value::Null);
const CONFLICT: (&str, Value) = ("TransactionConflict", Value::Null);

fn hub(canned: &Canned) -> Hub {
    Hub::new(&canned.config(), Tables { hub: "hub".to_owned(), idempotency: "idempotency".to_owned() })
}

/// An item as DynamoDB sends it.
fn wire(item: &Item) -> Value {
    let fields = item.iter().map(|(name, value)| {
        let value = match value.as_s() {
            Ok(text) => json!({"S": text}),
            Err(_) => json!({"N": value.as_n().unwrap()}),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn failed(item: Value) -> (&'static str, Value) {
    ("ConditionalCheckFailed", item)
}

fn pointer(id: &str) -> Value {
    json!({"pk": {"S": "T#demo"}, "sk": {"S": "L#x"}, "v": {"N": "1"}, "id": {"S": id}})
}

fn claim(body_hash: &str) -> KeyClaim {
    KeyClaim { id: "orders#demo#key".into(), body_hash: body_hash.into(), expires_at: samples::time() }
}

fn ledger_key() -> LedgerKey {
    let order = samples::order();
    LedgerKey { tenant: order.tenant, order: order.id, target: Target::Accounting }
}

fn owned() -> Guard {
    Guard::Owner { owner: "worker-1".into(), fence: 3 }
}

fn alone<'a>(key: &'a LedgerKey, guard: Guard, ledger: &'a Ledger) -> LedgerWrite<'a> {
    LedgerWrite { key, guard, ledger, status: None, order_version: None, entries: &[], parked: None }
}

/// Writes of an insert in order: the order, three look-ups, the timeline, the key.
async fn insert(answers: impl IntoIterator<Item = Answer>) -> (Result<Inserted, Error>, Canned) {
    let canned = Canned::new(answers);
    let (order, entry) = (samples::order(), samples::entry());
    (hub(&canned).order_insert(&order, Some(&claim("hash")), &entry).await, canned)
}

#[tokio::test]
async fn an_insert_is_one_transaction_over_both_tables() {
    let (inserted, canned) = insert([Answer::ok(json!({}))]).await;
    assert_eq!(inserted.unwrap(), Inserted::Created);
    let requests = canned.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation, "DynamoDB_20120810.TransactWriteItems");
    let writes = requests[0].body["TransactItems"].as_array().unwrap();
    let puts: Vec<(&str, &str)> = writes
        .iter()
        .map(|write| {
            let put = &write["Put"];
            let key = put["Item"].get("sk").unwrap_or(&put["Item"]["id"]);
            (put["TableName"].as_str().unwrap(), key["S"].as_str().unwrap())
        })
        .collect();
    let ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let expected = [
        ("hub", format!("O#ord_{ulid}")),
        ("hub", "L#order_number#1753-1001".to_owned()),
        ("hub", "L#viva_order_code#9007199254740993".to_owned()),
        ("hub", format!("L#transaction#{}", samples::transaction())),
        ("hub", format!("H#{ulid}")),
        ("idempotency", "orders#demo#key".to_owned()),
        ("hub", format!("ord_{ulid}")),
    ];
    assert_eq!(puts, expected.each_ref().map(|(table, key)| (*table, key.as_str())));
    assert_eq!(writes[6]["Put"]["Item"]["pk"]["S"], "T#demo#OPEN#payment");
    let key = &writes[5]["Put"];
    assert_eq!(key["ConditionExpression"], "attribute_not_exists(id) OR expiration < :now");
    assert_eq!(key["Item"]["status"]["S"], "COMPLETED");
    assert_eq!(key["Item"]["expiration"]["N"], samples::time().as_second().to_string());
    assert!(requests[0].body["ClientRequestToken"].is_string());
}

#[tokio::test]
async fn the_key_s_reason_wins_over_the_look_ups() {
    let order = samples::order();
    let stored = wire(&records::claim(&claim("hash"), &order.id));
    let other = wire(&records::claim(&claim("other"), &order.id));
    let taken = || failed(pointer("ord_x"));
    let (repeated, _) = insert([Answer::canceled([OK, taken(), taken(), taken(), OK, failed(stored)])]).await;
    assert_eq!(repeated.unwrap(), Inserted::Repeated(order.id));
    let (reused, _) = insert([Answer::canceled([OK, taken(), OK, OK, OK, failed(other)])]).await;
    assert_eq!(reused.unwrap(), Inserted::KeyReused);
}

#[tokio::test]
async fn a_taken_value_names_its_field() {
    for (index, field) in
        [LookUpKind::OrderNumber, LookUpKind::CheckoutCode, LookUpKind::Transaction].into_iter().enumerate()
    {
        let mut reasons = vec![OK; 7];
        reasons[index + 1] = failed(pointer("ord_x"));
        // Another transaction at another item does not make the answer less definite.
        reasons[0] = CONFLICT;
        let (inserted, canned) = insert([Answer::canceled(reasons)]).await;
        assert_eq!(inserted.unwrap(), Inserted::Taken { field });
        assert_eq!(canned.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_conflict_passes_and_the_same_token_is_sent_again() {
    let conflict = || Answer::canceled([CONFLICT, OK, OK, OK, OK, OK]);
    let (inserted, canned) = insert([conflict(), conflict(), Answer::ok(json!({}))]).await;
    assert_eq!(inserted.unwrap(), Inserted::Created);
    let requests = canned.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|r| r.body["ClientRequestToken"] == requests[0].body["ClientRequestToken"]));
}

#[tokio::test]
async fn a_conflict_that_stays_is_a_lost_race() {
    let (inserted, canned) = insert((0..3).map(|_| Answer::canceled([CONFLICT, OK, OK, OK, OK, OK]))).await;
    assert!(matches!(inserted, Err(Error::Raced { .. })));
    assert_eq!(canned.requests().len(), 3);
}

#[tokio::test]
async fn throttling_is_waited_out_and_then_a_failure_with_its_code() {
    let throttled = || Answer::error(400, "ThrottlingException", "slow down, secret detail");
    let (inserted, _) = insert([throttled(), throttled(), Answer::ok(json!({}))]).await;
    assert_eq!(inserted.unwrap(), Inserted::Created);
    let (inserted, canned) = insert((0..3).map(|_| throttled())).await;
    let error = inserted.unwrap_err();
    assert_eq!(canned.requests().len(), 3);
    assert_eq!(chain(&error), "our own storage failed at storing an order: ThrottlingException");
    let within = || Answer::canceled([("ThrottlingError", Value::Null), OK, OK, OK, OK, OK]);
    let (inserted, canned) = insert((0..3).map(|_| within())).await;
    assert_eq!(
        chain(&inserted.unwrap_err()),
        "our own storage failed at storing an order: canceled: ThrottlingError"
    );
    assert_eq!(canned.requests().len(), 3);
}

#[tokio::test]
async fn a_refusal_that_no_retry_helps_is_not_retried() {
    let (inserted, canned) = insert([Answer::canceled([("ValidationError", Value::Null), CONFLICT])]).await;
    assert_eq!(inserted.unwrap_err().code(), "storage_failed");
    assert_eq!(canned.requests().len(), 1);
}

#[tokio::test]
async fn a_transaction_of_another_order_parks_unless_the_order_has_moved() {
    let mut order = samples::order();
    (order.version, order.state) = (2, OrderState::Paid);
    let update = async |reasons: Vec<(&'static str, Value)>| {
        let canned = Canned::new([Answer::canceled(reasons)]);
        hub(&canned).order_update(&order, &[samples::fact()], &[]).await.unwrap_err()
    };
    let taken = || failed(pointer("ord_01ARZ3NDEKTSV4RRFFQ69G5FAW"));
    assert_eq!(update(vec![OK, OK, taken()]).await.code(), "transaction_taken");
    assert_eq!(update(vec![failed(json!({})), OK, taken()]).await.code(), "raced");
    assert_eq!(update(vec![failed(json!({})), OK, OK]).await.code(), "raced");
}

#[tokio::test]
async fn a_ledger_alone_is_one_plain_put_under_its_guard() {
    let (key, ledger) = (ledger_key(), samples::ledger());
    let guards = [
        (Guard::Fence(0), "attribute_not_exists(pk) OR fence = :fence"),
        (Guard::Fence(2), "fence = :fence"),
        (owned(), "fence = :fence AND lease_owner = :owner"),
    ];
    for (guard, expression) in guards {
        let canned = Canned::new([Answer::ok(json!({}))]);
        hub(&canned).ledger_write(alone(&key, guard, &ledger)).await.unwrap();
        let sent = &canned.requests()[0];
        assert_eq!(sent.operation, "DynamoDB_20120810.PutItem");
        assert_eq!(sent.body["ConditionExpression"], expression);
    }
}

#[tokio::test]
async fn a_lost_answer_is_not_taken_for_somebody_else_s_write() {
    let (key, mut ledger) = (ledger_key(), samples::ledger());
    ledger.release();
    let mut failed = json!({"__type": "ConditionalCheckFailedException"});
    failed["Item"] = wire(&ledger::to_item(&key, &ledger));
    let answer = |body: &Value| Answer::raw(400, &body.to_string());
    // The first try released the lease and its answer got lost, so the second finds no owner any more.
    let canned = Canned::new([Answer::Lost, answer(&failed)]);
    hub(&canned).ledger_write(alone(&key, owned(), &ledger)).await.unwrap();
    assert_eq!(canned.requests().len(), 2);
    failed["Item"]["fence"] = json!({"N": "9"});
    let canned = Canned::new([Answer::Lost, answer(&failed)]);
    let raced = hub(&canned).ledger_write(alone(&key, owned(), &ledger)).await;
    assert!(matches!(raced, Err(Error::Raced { .. })));
}

#[tokio::test]
async fn a_put_that_stays_in_conflict_is_a_lost_race() {
    let (key, ledger) = (ledger_key(), samples::ledger());
    let canned = Canned::new((0..3).map(|_| Answer::error(400, "TransactionConflictException", "")));
    let raced = hub(&canned).ledger_write(alone(&key, owned(), &ledger)).await;
    assert!(matches!(raced, Err(Error::Raced { .. })));
    assert_eq!(canned.requests().len(), 3);
}

#[tokio::test]
async fn trouble_that_waits_already_is_not_parked_twice_and_the_order_leads_to_it() {
    let (key, ledger, parked) = (ledger_key(), samples::ledger(), samples::parked());
    let waiting = "prk_01ARZ3NDEKTSV4RRFFQ69G5FAW";
    let status = samples::status(Some(parked.id.clone()));
    let entries = [samples::entry()];
    let write = LedgerWrite {
        key: &key,
        guard: owned(),
        ledger: &ledger,
        status: Some(&status),
        order_version: None,
        entries: &entries,
        parked: Some(&parked),
    };
    // Writes in order: ledger, order, timeline, parked item, its look-up.
    let there = || Answer::canceled([OK, OK, OK, OK, failed(pointer(waiting))]);
    let canned = Canned::new([there(), Answer::ok(json!({}))]);
    hub(&canned).ledger_write(write.clone()).await.unwrap();
    let requests = canned.requests();
    let second = requests[1].body["TransactItems"].as_array().unwrap();
    assert_eq!((requests.len(), second.len()), (2, 3));
    let values = &second[1]["Update"]["ExpressionAttributeValues"];
    assert!(values[":a0"]["S"].as_str().unwrap().contains(waiting), "{values}");
    assert_ne!(requests[0].body["ClientRequestToken"], requests[1].body["ClientRequestToken"]);
    // A guard that fails as well comes first.
    let both = Answer::canceled([failed(json!({})), OK, OK, OK, failed(pointer(waiting))]);
    let canned = Canned::new([both]);
    assert!(matches!(hub(&canned).ledger_write(write).await, Err(Error::Raced { .. })));
    assert_eq!(canned.requests().len(), 1);
}

#[tokio::test]
async fn a_key_that_a_batch_leaves_out_is_asked_for_again() {
    let (key, sample, ledger) = (ledger_key(), samples::order(), samples::ledger());
    let (order_item, ledger_item) = (wire(&order::to_item(&sample)), wire(&ledger::to_item(&key, &ledger)));
    let ledger_only = json!({"pk": ledger_item["pk"], "sk": ledger_item["sk"]});
    let left_out = json!({"hub": {"Keys": [ledger_only], "ConsistentRead": true}});
    let first = json!({"Responses": {"hub": [order_item]}, "UnprocessedKeys": left_out});
    let second = json!({"Responses": {"hub": [ledger_item]}, "UnprocessedKeys": {}});
    let canned = Canned::new([Answer::ok(first.clone()), Answer::ok(second)]);
    let loaded = hub(&canned).ledger_load(&key).await.unwrap().unwrap();
    assert_eq!(loaded, (sample, ledger));
    let requests = canned.requests();
    assert_eq!(requests[0].body["RequestItems"]["hub"]["ConsistentRead"], true);
    assert_eq!(requests[1].body["RequestItems"]["hub"]["Keys"], left_out["hub"]["Keys"]);
    // Never told is not the same as absent: a fresh ledger would send everything again.
    let canned = Canned::new((0..3).map(|_| Answer::ok(first.clone())));
    assert_eq!(hub(&canned).ledger_load(&key).await.unwrap_err().code(), "storage_failed");
}

#[tokio::test]
async fn a_short_answer_is_not_the_end_of_a_list() {
    let sample = samples::order();
    let item = wire(&order::to_item(&sample));
    let last = json!({"pk": item["pk"], "sk": item["sk"]});
    let part = json!({"Items": [item], "LastEvaluatedKey": last});
    let answers = [Answer::ok(part.clone()), Answer::ok(part), Answer::ok(json!({"Items": []}))];
    let canned = Canned::new(answers);
    let page = hub(&canned).orders_list(&sample.tenant, &OrderFilter::default(), 10, None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    let requests = canned.requests();
    assert_eq!((requests.len(), &requests[1].body["ExclusiveStartKey"]), (3, &last));
    assert_eq!((&requests[0].body["Limit"], &requests[2].body["Limit"]), (&json!(11), &json!(9)));
}

#[tokio::test]
async fn parking_that_never_gets_through_is_a_lost_race() {
    let canned = Canned::new((0..3).map(|_| Answer::canceled([CONFLICT, CONFLICT])));
    let raced = hub(&canned).park_once(&samples::order().tenant, &samples::parked()).await;
    assert!(matches!(raced, Err(Error::Raced { .. })));
}

#[tokio::test]
async fn a_limiter_s_loser_is_told_what_is_stored_and_a_lost_answer_is_no_loss() {
    let key = LimitKey { provider: Provider::parse("ledger").unwrap(), key: "k".to_owned() };
    let ours = StoredLimiter { mark: 7, limiter: Limiter::default() };
    let theirs = StoredLimiter { mark: 8, limiter: Limiter { last: 9, ..Limiter::default() } };
    let refused = |stored: Option<&StoredLimiter>| {
        let mut failed = json!({"__type": "ConditionalCheckFailedException"});
        if let Some(stored) = stored {
            failed["Item"] = wire(&limiter::to_item(&key, stored));
        }
        Answer::raw(400, &failed.to_string())
    };
    for (answers, mark, expected) in [
        (vec![Answer::ok(json!({}))], None, Swapped::Yes),
        (vec![refused(Some(&theirs))], Some(3), Swapped::No(Some(theirs.clone()))),
        (vec![refused(None)], Some(3), Swapped::No(None)),
        (vec![Answer::Lost, refused(Some(&ours))], Some(3), Swapped::Yes),
        (vec![Answer::Lost, refused(Some(&theirs))], Some(3), Swapped::No(Some(theirs.clone()))),
    ] {
        let canned = Canned::new(answers);
        assert_eq!(hub(&canned).limiter_swap(&key, mark, &ours).await.unwrap(), expected);
        let condition = if mark.is_some() { "mark = :mark" } else { "attribute_not_exists(pk)" };
        assert_eq!(canned.requests()[0].body["ConditionExpression"], condition);
    }
}
