//! Days that need a human, and what a human can do about them.

use bokbro_app::parked::{Answer, actions, parked_resolve};
use bokbro_app::ports::Directory as _;
use bokbro_domain::ids::{CorrelationId, OrderId};
use bokbro_domain::order::SyncState;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::{sample, tenant};
use serde_json::json;
use ulid::Ulid;

use super::{CARD, Program, Shop, one};

async fn resolve(shop: &mut Shop, answer: Answer) {
    let parked = shop.parked().await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert!(actions(&parked[0]).contains(&answer.action()), "{:?} of {}", answer, parked[0].code);
    let why = Some("a reason");
    let correlation = CorrelationId::from_ulid(Ulid::from_parts(1, 1));
    parked_resolve(&shop.app, &tenant(), "me", &parked[0].id, &answer, why, &correlation).await.unwrap();
    shop.settle().await;
}

/// A day of two orders that is parked for this reason; the orders wait.
async fn parked(shop: &mut Shop, code: &str) -> [OrderId; 2] {
    let ids = [shop.sold("1", sample(), CARD).await, shop.sold("2", one("106.00", "6"), CARD).await];
    shop.day_ends().await;
    still_parked(shop, &ids, code).await;
    // It is parked once, and not tried again by the schedule.
    shop.hour_passes().await;
    still_parked(shop, &ids, code).await;
    ids
}

async fn still_parked(shop: &Shop, ids: &[OrderId], code: &str) {
    let parked = shop.parked().await;
    assert_eq!(parked.iter().map(|item| item.code.as_str()).collect::<Vec<_>>(), [code], "{:?}", shop.errors);
    let day = format!("day_{}_viva_card_001", shop.today);
    assert_eq!((&parked[0].order, parked[0].details.get("day")), (&None, Some(&day)));
    for id in ids {
        shop.waits(id, shop.today).await;
    }
}

fn lock(shop: &Shop, until: &str) {
    shop.fortnox.configure(&json!({ "locked_until": until })).unwrap();
}

#[tokio::test]
async fn a_locked_period_parks_the_day_until_it_is_unlocked() {
    let mut shop = Shop::open(Program::Fortnox).await;
    lock(&shop, &shop.today.to_string());
    let ids = parked(&mut shop, "period_locked").await;
    assert!(shop.parked().await[0].message.contains("unlock"), "{}", shop.parked().await[0].message);
    lock(&shop, "");
    // The chart of accounts is read anew each day.
    shop.pass(jiff::SignedDuration::from_hours(24));
    resolve(&mut shop, Answer::Retry).await;
    shop.done(&[&ids[0], &ids[1]]).await;
    assert_eq!(shop.vouchers().len(), 1);
}

#[tokio::test]
async fn a_day_that_was_booked_by_hand_is_done_with_its_orders() {
    let mut shop = Shop::open(Program::Fortnox).await;
    lock(&shop, &shop.today.to_string());
    let ids = parked(&mut shop, "period_locked").await;
    resolve(&mut shop, Answer::Dismiss).await;
    for id in &ids {
        let message = Some("Done by hand with its day.".to_owned());
        assert_eq!(shop.stands(id).await, (SyncState::Done, message));
    }
    assert!(shop.vouchers().is_empty() && shop.parked().await.is_empty());
    assert_eq!(shop.open_days().await, 0);
}

#[tokio::test]
async fn a_voucher_that_nobody_told_the_outcome_of_is_named_by_hand() {
    let mut shop = Shop::open(Program::Fortnox).await;
    // It is written once, no answer ever comes, and no search finds it.
    shop.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/3/vouchers").times(1));
    shop.fortnox.faults.add(Fault::status(500, "POST", "/3/vouchers").times(20));
    let empty = json!({"Vouchers": [], "MetaInformation": {"@TotalResources": 0, "@TotalPages": 0, "@CurrentPage": 1}});
    for path in ["/3/vouchers", "/3/vouchers/sublist", "/3/vouchers/sublist/{}"] {
        let hidden = Fault { body: Some(empty.to_string()), ..Fault::new(Kind::Body, "GET", path) };
        shop.fortnox.faults.add(hidden.times(200));
    }
    let ids = parked(&mut shop, "outcome_unknown").await;
    shop.fortnox.faults.clear();
    let number = shop.vouchers()[0].number.clone();
    resolve(&mut shop, Answer::Exists { number: format!("A{number}") }).await;
    let numbers = shop.done(&[&ids[0], &ids[1]]).await;
    assert_eq!(shop.vouchers().len(), 1);
    assert_eq!(numbers[0], numbers[1]);
}

#[tokio::test]
async fn an_account_that_is_missing_parks_the_day_and_not_each_order() {
    let mut shop = Shop::open(Program::Visma).await;
    let mut settings = shop.store.settings_get(&tenant()).await.unwrap().unwrap();
    // An account that the company does not have.
    settings.accounts.insert(bokbro_domain::posting::AccountRole::Vat6, 2999);
    shop.store.settings_put(&tenant(), &settings).await.unwrap();
    let ids =
        [shop.sold("1", one("106.00", "6"), CARD).await, shop.sold("2", one("106.00", "6"), CARD).await];
    shop.day_ends().await;
    assert_eq!(shop.parked().await.len(), 1, "{:?}", shop.parked().await);
    assert!(shop.vouchers().is_empty());
    settings.accounts.clear();
    shop.store.settings_put(&tenant(), &settings).await.unwrap();
    resolve(&mut shop, Answer::Retry).await;
    shop.done(&[&ids[0], &ids[1]]).await;
}

#[tokio::test]
async fn an_order_that_cannot_be_booked_keeps_nobody_waiting() {
    let mut shop = Shop::open(Program::Fortnox).await;
    let mut abroad = sample();
    abroad["customer"]["delivery"] = abroad["customer"]["billing"].clone();
    abroad["customer"]["delivery"]["country"] = json!("NO");
    let foreign = shop.sold("1", abroad, CARD).await;
    let ours = shop.sold("2", sample(), CARD).await;
    assert_eq!(shop.stands(&foreign).await.0, SyncState::NeedsAttention);
    shop.day_ends().await;
    assert_eq!(shop.stands(&ours).await.0, SyncState::Done, "{:?}", shop.errors);
    assert_eq!(shop.vouchers()[0].rows, [(1580, 74_700), (2611, -14_940), (3001, -59_760)].into());
    resolve(&mut shop, Answer::Dismiss).await;
    shop.done(&[&ours]).await;
    assert_eq!(shop.stands(&foreign).await.0, SyncState::Done);
}

#[tokio::test]
async fn a_consent_that_ended_pauses_the_day_and_the_sweep_goes_on_with_it() {
    let mut shop = Shop::open(Program::Fortnox).await;
    let id = shop.sold("1", sample(), CARD).await;
    let refused = Fault::status(403, "POST", "/3/vouchers");
    shop.fortnox.faults.add(refused.times(50));
    shop.day_ends().await;
    let codes: Vec<String> = shop.parked().await.into_iter().map(|item| item.code).collect();
    assert_eq!(codes, ["needs_consent"]);
    shop.fortnox.faults.clear();
    shop.hour_passes().await;
    shop.hour_passes().await;
    shop.done(&[&id]).await;
    assert_eq!(shop.vouchers().len(), 1);
}
