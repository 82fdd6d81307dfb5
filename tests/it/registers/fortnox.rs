//! Fortnox over real HTTP: what has changed since, what people do there by hand, and what goes or gets another number.

use std::time::Duration;

use bokbro_app::ports::Register;
use bokbro_app::records::JobState;
use bokbro_domain::ids::OrderId;
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::{AccountingMethod, FortnoxConfig};
use bokbro_simulators::kit::RequestLine;
use bokbro_tests::registers::mapped;
use bokbro_tests::world::{COMPANY, World, sample};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::orders::{booked, seen, shown};
use super::{HOUR, WEEK, counts, jobs, one};

async fn world(method: AccountingMethod, zone: &str) -> World {
    let config = FortnoxConfig { rate_limited: false, accounting_method: method, ..FortnoxConfig::default() };
    let world = World::start_with(PostingProfile::Invoice, config).await;
    world.fortnox.configure(&json!({ "last_modified_zone": zone })).unwrap();
    world
}

/// Lets time pass there and here, the schedule tick and the workers work.
async fn pass(world: &mut World, time: Duration) {
    let there = time.checked_sub(HOUR).unwrap_or(time);
    world.clock.advance(there);
    world.fortnox.clock.advance(SignedDuration::try_from(there + HOUR).unwrap());
    world.hour_passes().await;
}

/// Paths of the lists that were read since the last time.
fn lists(world: &World, from: usize) -> Vec<String> {
    let requests = world.fortnox.log.requests();
    let of = |path: &str| path.starts_with("/3/customers?") || path.starts_with("/3/invoices?");
    requests[from..].iter().map(|line| line.path.clone()).filter(|path| of(path)).collect()
}

async fn state(world: &World, id: &OrderId) -> Value {
    shown(world, id).await
}

#[tokio::test]
async fn changes_are_read_in_either_time_zone_and_cost_two_calls() {
    for zone in ["utc", "stockholm"] {
        let mut world = world(AccountingMethod::Accrual, zone).await;
        let order = booked(&mut world, "1").await;
        pass(&mut world, HOUR).await;
        assert_eq!(state(&world, &order.id).await["state"], "paid", "{zone}: {:?}", world.errors);
        for _ in 0..5 {
            pass(&mut world, HOUR).await;
        }
        let from = world.fortnox.log.requests().len();
        let number = order.accounting.invoice().unwrap().to_owned();
        world.by_hand("PUT", &format!("/3/invoices/{number}/credit"), None).await;
        pass(&mut world, HOUR).await;
        let lists = lists(&world, from);
        assert_eq!(lists.len(), 2, "{zone}: {lists:?}");
        assert!(lists.iter().all(|path| path.contains("lastmodified=")), "{lists:?}");
        assert_eq!(counts(&jobs(&world).await[0], ["new"]), [1], "{zone}: the credit invoice");
        assert!(world.dead.is_empty() && world.parked().await.is_empty());
    }
}

#[tokio::test]
async fn what_people_change_by_hand_is_shown_and_not_overwritten() {
    // With cash accounting, invoices can be changed for as long as they are not booked.
    let mut world = world(AccountingMethod::Cash, "stockholm").await;
    let order = booked(&mut world, "1").await;
    pass(&mut world, HOUR).await;
    assert_eq!(state(&world, &order.id).await["state"], "paid", "{:?}", world.errors);
    assert!(seen(&world, &order.id).await.is_empty(), "{:?}", seen(&world, &order.id).await);
    let number = order.accounting.invoice().unwrap().to_owned();
    let path = format!("/3/invoices/{number}");
    world.by_hand("PUT", &path, Some(json!({ "Invoice": { "InvoiceDate": "2026-01-02" } }))).await;
    let before = world.books("invoices");
    let is_write = |line: &&RequestLine| line.method != "GET" && line.path.starts_with("/3/");
    let writes = |world: &World| world.fortnox.log.requests().iter().filter(is_write).count();
    let written = writes(&world);
    pass(&mut world, HOUR).await;
    assert_eq!(state(&world, &order.id).await["changed"], json!(["date"]));
    assert_eq!(seen(&world, &order.id).await.len(), 1);
    for _ in 0..3 {
        pass(&mut world, HOUR).await;
    }
    assert_eq!(seen(&world, &order.id).await.len(), 1);
    assert!(world.books("invoices") == before && writes(&world) == written, "something was written there");
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
}

#[tokio::test]
async fn a_credit_made_there_is_shown_on_the_order() {
    let mut world = world(AccountingMethod::Accrual, "utc").await;
    let order: Order = booked(&mut world, "1").await;
    pass(&mut world, HOUR).await;
    let number = order.accounting.invoice().unwrap().to_owned();
    world.by_hand("PUT", &format!("/3/invoices/{number}/credit"), None).await;
    let told = world.books("invoices");
    pass(&mut world, HOUR).await;
    // A row of the list does not name the credit invoice; the balance tells what is known.
    let now = state(&world, &order.id).await;
    let balance =
        told.iter().find(|invoice| invoice["DocumentNumber"].to_string().contains(&number)).unwrap();
    assert_eq!(
        now["balance"],
        json!(format!(
            "{:.2}",
            balance["Balance"].to_string().trim_matches('"').parse::<rust_decimal::Decimal>().unwrap()
        )),
        "{now}"
    );
}

#[tokio::test]
async fn a_customer_that_got_another_number_or_left_is_followed() {
    let mut world = world(AccountingMethod::Accrual, "stockholm").await;
    let order = booked(&mut world, "1").await;
    pass(&mut world, HOUR).await;
    let number = order.accounting.numbers["customer_number"].clone();
    let before = one(&world, Register::Customers, &number).await;
    world.fortnox.configure(&json!({ "renumber_customer": { "from": number, "to": "K-7" } })).unwrap();
    let created = json!({ "Customer": { "Name": "Somebody", "CustomerNumber": "LEAVES" } });
    world.by_hand("POST", "/3/customers", Some(created)).await;
    pass(&mut world, HOUR).await;
    assert_eq!(one(&world, Register::Customers, "K-7").await.ours, before.ours);
    world.by_hand("DELETE", "/3/customers/LEAVES", None).await;
    pass(&mut world, WEEK).await;
    for gone in [number.as_str(), "LEAVES"] {
        assert!(one(&world, Register::Customers, gone).await.gone, "{gone}");
    }
    assert_eq!(counts(&jobs(&world).await[0], ["gone"]), [2]);
    assert!(!one(&world, Register::Customers, "K-7").await.gone);
    // The order's invoice is to the same customer, whatever the number.
    let now = state(&world, &order.id).await;
    assert_eq!((&now["state"], &now["changed"]), (&json!("paid"), &json!([])));
    assert!(seen(&world, &order.id).await.is_empty());
}

#[tokio::test]
async fn days_are_read_back_by_hand() {
    use super::asked::ask;
    let mut world = world(AccountingMethod::Accrual, "stockholm").await;
    world
        .fortnox
        .configure(&json!({ "tenant": COMPANY, "fill": { "customers": 20, "invoices": 730 } }))
        .unwrap();
    let today = bokbro_domain::posting::swedish_day(jiff::Timestamp::from_second(1_795_000_000).unwrap());
    let invoices = world.books("invoices");
    let dates: Vec<jiff::civil::Date> =
        invoices.iter().map(|invoice| invoice["InvoiceDate"].as_str().unwrap().parse().unwrap()).collect();
    let (from, to) = (*dates.iter().min().unwrap(), *dates.iter().max().unwrap());
    let (from, to) = (from.last_of_month(), to.first_of_month());
    assert!(from < to && today > from, "{from} {to}");
    let wanted = dates.iter().filter(|date| (from..=to).contains(*date)).count();
    ask(&world, &json!({ "from": from.to_string(), "to": to.to_string() }).to_string()).await;
    world.settle().await;
    let job = &jobs(&world).await[0];
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(mapped(&world.store, Register::Invoices).await.len(), wanted);
    assert!(mapped(&world.store, Register::Customers).await.len() >= 20);
    assert_eq!(sample()["currency"], "SEK");
}
