//! Visma over real HTTP: the same as with Fortnox, by ids that stay and invoices that nobody can change.

use std::time::Duration;

use bokbro_app::ports::Register;
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::registers::mapped_at;
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::sample;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::orders::{booked, seen, shown};
use super::{HOUR, WEEK, counts, jobs};

async fn world() -> VismaWorld {
    VismaWorld::start_with(PostingProfile::Invoice, VismaConfig::default()).await
}

/// Lets time pass there and here, the schedule tick and the workers work.
async fn pass(world: &mut VismaWorld, time: Duration) {
    let there = time.checked_sub(HOUR).unwrap_or_default();
    world.clock.advance(there);
    world.visma.clock.advance(SignedDuration::try_from(there + HOUR).unwrap());
    world.hour_passes().await;
}

fn number(value: &Value) -> u64 {
    value.to_string().trim_matches('"').parse().unwrap()
}

#[tokio::test]
async fn an_invoice_that_was_credited_by_hand_is_shown_and_left_alone() {
    let mut world = world().await;
    let order: Order = booked(&mut world, "1").await;
    for _ in 0..3 {
        pass(&mut world, HOUR).await;
    }
    assert_eq!(shown(&world, &order.id).await["state"], "paid", "{:?}", world.errors);
    assert!(seen(&world, &order.id).await.is_empty(), "{:?}", seen(&world, &order.id).await);
    let of = number(&world.books("invoices")[0]["InvoiceNumber"]);
    world.visma.configure(&json!({ "credit": of })).unwrap();
    let from = world.visma.log.requests().len();
    for _ in 0..3 {
        pass(&mut world, HOUR).await;
    }
    assert_eq!(shown(&world, &order.id).await["state"], "credited");
    assert_eq!(seen(&world, &order.id).await, [format!("visma: invoice {of} is credited")]);
    let requests = world.visma.log.requests();
    let writes = requests[from..].iter().filter(|line| line.method != "GET" && line.path.starts_with("/v2/"));
    assert_eq!(writes.count(), 0, "nothing was written there");
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    assert!(world.dead.is_empty() && world.parked().await.is_empty());
}

#[tokio::test]
async fn a_customer_keeps_its_id_under_another_number_and_may_leave() {
    let mut world = world().await;
    let order = booked(&mut world, "1").await;
    pass(&mut world, HOUR).await;
    let known = mapped_at(&world.store, "visma", Register::Customers).await;
    let [before] = &known[..] else { panic!("{known:?}") };
    let mut customer = world.books("customers")[0].clone();
    customer["CustomerNumber"] = json!("7007");
    let path = format!("/customers/{}", before.external_id);
    world.by_hand("PUT", &path, Some(customer.clone())).await;
    customer["CustomerNumber"] = json!("7008");
    customer["EmailAddress"] = json!("leaves@example.se");
    let leaves = world.by_hand("POST", "/customers", Some(customer)).await;
    pass(&mut world, HOUR).await;
    let known = mapped_at(&world.store, "visma", Register::Customers).await;
    assert_eq!(known.len(), 2);
    let after = known.iter().find(|known| known.external_id == before.external_id).unwrap();
    assert_eq!((after.number.as_str(), &after.ours), ("7007", &before.ours));
    assert_eq!(counts(&jobs(&world).await[0], ["new", "changed"]), [1, 1]);
    let path = format!("/customers/{}", leaves["Id"].as_str().unwrap());
    world.by_hand("DELETE", &path, None).await;
    pass(&mut world, WEEK).await;
    assert_eq!(counts(&jobs(&world).await[0], ["gone"]), [1], "{:?}", jobs(&world).await[0]);
    assert_eq!(shown(&world, &order.id).await["changed"], json!([]), "{:?}", seen(&world, &order.id).await);
    assert_eq!(sample()["currency"], "SEK");
}
