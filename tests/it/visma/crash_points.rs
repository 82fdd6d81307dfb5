//! A worker that dies between any two steps, and a ledger program that has any bad day: one document of each.

use bokbro_domain::order::SyncState;
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::sample;

use super::one_of_each;

/// Private persons' prices without VAT, so that the draft is priced anew and every step is taken.
async fn world() -> VismaWorld {
    let config = VismaConfig { prices_excl_vat: true, ..VismaConfig::default() };
    VismaWorld::start_with(PostingProfile::Invoice, config).await
}

/// Runs the main job with a worker dying at the n-th crash point; gives the points of the dying run.
async fn run(die_at: Option<usize>) -> Vec<String> {
    let mut world = world().await;
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    world.crash.arm(die_at);
    world.webhook(&event).await;
    world.settle().await;
    let points = world.crash.passed();
    let shown = world.show(&order.id).await;
    let died = die_at.and_then(|n| points.get(n).cloned()).unwrap_or_default();
    let parked = world.parked().await;
    assert_eq!(shown.accounting.state, SyncState::Done, "died {died}: {:?} {parked:?}", shown.accounting);
    assert!(world.dead.is_empty(), "died {died}");
    one_of_each(&world, "747.00", "149.40");
    points
}

#[tokio::test]
async fn an_invoice_survives_a_death_at_every_point() {
    let points = run(None).await;
    for step in ["customer", "article_25", "draft", "price_draft", "invoice", "payment"] {
        for place in ["before send of", "after send of", "after write of intent of"] {
            let wanted = format!("{place} {step}");
            assert!(points.contains(&wanted), "no crash point {wanted:?} in {points:?}");
        }
    }
    for nth in 0..points.len() {
        let passed = run(Some(nth)).await;
        assert_eq!(passed[nth], points[nth], "the run is the same up to its death");
    }
}

/// Every write of the flow with every bad answer, once and twice in a row.
#[tokio::test]
async fn every_bad_answer_to_every_write_leaves_one_of_each() {
    let writes = [
        ("POST", "/v2/customers"),
        ("POST", "/v2/articles"),
        ("POST", "/v2/customerinvoicedrafts"),
        ("PUT", "/v2/customerinvoicedrafts/{}"),
        ("POST", "/v2/customerinvoicedrafts/{}/convert"),
        ("POST", "/v2/customerinvoices/{}/payments"),
    ];
    for (method, path) in writes {
        for (name, fault) in bad_answers(method, path) {
            for times in [1, 2] {
                let mut world = world().await;
                let (order, code) = world.order("1", sample()).await;
                let event = world.pay(code).await;
                world.visma.faults.add(fault.clone().times(times));
                world.webhook(&event).await;
                world.settle().await;
                let shown = world.show(&order.id).await;
                let case = format!("{name} x {times} at {method} {path}");
                assert_eq!(shown.accounting.state, SyncState::Done, "{case}: {:?}", shown.accounting);
                one_of_each(&world, "747.00", "149.40");
            }
        }
    }
}

fn bad_answers(method: &str, path: &str) -> Vec<(&'static str, Fault)> {
    let html = |fault: Fault| Fault {
        body: Some("<html><body>Bad gateway</body></html>".into()),
        content_type: Some("text/html".into()),
        ..fault
    };
    let status = |status| Fault::status(status, method, path);
    let body = |text: &str| {
        Fault { body: Some(text.to_owned()), ..Fault::new(Kind::Body, method, path) }.after_commit()
    };
    let coded = |code: u32| Fault {
        body: Some(format!(r#"{{"ErrorCode":{code},"DeveloperErrorMessage":"x","ErrorId":"x"}}"#)),
        ..status(400)
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
        ("409 after commit", status(409).after_commit()),
        ("400 that passes", coded(5001)),
        ("400 after commit that passes", coded(5002).after_commit()),
        ("truncated JSON", body(r#"{"Id":"0"#)),
        ("empty answer", body("")),
        ("another language", html(body("x"))),
    ]
}
