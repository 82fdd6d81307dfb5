//! A worker that dies between any two steps, and a ledger program that has any bad day: one document of each.

use bokbro_domain::order::SyncState;
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::{World, sample};

use crate::flows::one_of_each;

async fn world(profile: PostingProfile) -> World {
    World::start_with(profile, FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() }).await
}

/// Runs the main job with a worker dying at the n-th crash point; gives the points of the dying run.
async fn run(profile: PostingProfile, die_at: Option<usize>) -> (World, Vec<String>) {
    let mut world = world(profile).await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.crash.arm(die_at);
    world.webhook(&event).await;
    world.settle().await;
    let points = world.crash.passed();
    let shown = world.show(&order.id).await;
    let died = die_at.and_then(|n| points.get(n).cloned()).unwrap_or_default();
    assert_eq!(
        shown.accounting.state,
        SyncState::Done,
        "died {died}: {:?} {:?}",
        shown.accounting,
        world.parked().await
    );
    assert!(world.dead.is_empty(), "died {died}");
    one_of_each(&world, "747.00");
    (world, points)
}

async fn dies_everywhere(profile: PostingProfile, steps: &[&str]) {
    let (_, points) = run(profile, None).await;
    for step in steps {
        for place in
            ["before send of", "after send of", "before write of intent of", "after write of intent of"]
        {
            let looked_up_only = *step == "customer" && place.ends_with("send of");
            let wanted = format!("{place} {step}");
            assert!(looked_up_only || points.contains(&wanted), "no crash point {wanted:?} in {points:?}");
        }
    }
    for nth in 0..points.len() {
        let (_, passed) = run(profile, Some(nth)).await;
        assert_eq!(passed[nth], points[nth], "the run is the same up to its death");
    }
}

#[tokio::test]
async fn an_invoice_survives_a_death_at_every_point() {
    dies_everywhere(
        PostingProfile::Invoice,
        &["customer", "invoice", "bookkeep_invoice", "payment", "bookkeep_payment"],
    )
    .await;
}

#[tokio::test]
async fn an_order_and_invoice_survive_a_death_at_every_point() {
    let steps = ["customer", "order", "invoice", "bookkeep_invoice", "payment", "bookkeep_payment"];
    dies_everywhere(PostingProfile::OrderAndInvoice, &steps).await;
}

/// Every write of the flow with every bad answer, once and twice in a row.
#[tokio::test]
async fn every_bad_answer_to_every_write_leaves_one_of_each() {
    let writes = [
        ("POST", "/3/customers"),
        ("POST", "/3/invoices"),
        ("PUT", "/3/invoices/{}/bookkeep"),
        ("POST", "/3/invoicepayments"),
        ("PUT", "/3/invoicepayments/{}/bookkeep"),
    ];
    for (method, path) in writes {
        for (name, fault) in bad_answers(method, path) {
            for times in [1, 2] {
                let mut world = world(PostingProfile::Invoice).await;
                let (order, code) = world.order("1", sample()).await;
                let event = world.pay(code).await;
                world.fortnox.faults.add(fault.clone().times(times));
                world.webhook(&event).await;
                world.settle().await;
                let shown = world.show(&order.id).await;
                let case = format!("{name} x {times} at {method} {path}");
                assert_eq!(shown.accounting.state, SyncState::Done, "{case}: {:?}", shown.accounting);
                one_of_each(&world, "747.00");
            }
        }
    }
}

pub(crate) fn bad_answers(method: &str, path: &str) -> Vec<(&'static str, Fault)> {
    let html = |fault: Fault| Fault {
        body: Some("<html><body>Bad gateway</body></html>".into()),
        content_type: Some("text/html".into()),
        ..fault
    };
    let status = |status| Fault::status(status, method, path);
    let body = |text: &str| {
        Fault { body: Some(text.to_owned()), ..Fault::new(Kind::Body, method, path) }.after_commit()
    };
    vec![
        ("connection reset", Fault::new(Kind::Reset, method, path)),
        ("answer lost after commit", Fault::new(Kind::DropAfterCommit, method, path)),
        ("500 before commit", status(500)),
        ("500 after commit", status(500).after_commit()),
        ("502 page after commit", html(status(502).after_commit())),
        ("429", status(429)),
        ("429 with a wait", Fault { retry_after: Some("7".into()), ..status(429) }),
        ("401", status(401)),
        ("408", status(408)),
        ("truncated JSON", body(r#"{"Invoice":{"Docum"#)),
        ("empty answer", body("")),
        ("another language", html(body("x"))),
    ]
}
