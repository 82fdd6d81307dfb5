//! Twenty thousand of each: hardly more calls than paging needs, whatever page a worker dies at, and one page in memory.

use std::time::Instant;

use bokbro_app::ports::Register;
use bokbro_app::records::JobState;
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::registers::{Books, mapped, mapped_at};
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::{COMPANY, World};
use serde_json::json;

use super::{all_known, counts, jobs};

const EACH: u64 = 20_000;
const EACH_USIZE: usize = 20_000;

/// Memory of this process in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the figures are of interest in themselves")]
async fn twenty_thousand_of_each_at_fortnox_in_eighty_calls() {
    const PAGES: usize = 2 * EACH_USIZE / 500;
    let mut world = World::start().await;
    let fill = json!({ "tenant": COMPANY, "fill": { "customers": EACH, "invoices": EACH } });
    world.fortnox.configure(&fill).unwrap();
    let (before, begun) = (resident(), Instant::now());
    let from = world.fortnox.log.requests().len();
    // A worker dies at a page in the middle of each register, and once while its entries are being stored.
    world.crash.arm(Some(1_000));
    world.hour_passes().await;
    let took = begun.elapsed();
    let calls = lists(&world, from);
    eprintln!(
        "{calls} calls for {PAGES} pages, {took:.1?}, {:?} KiB resident before and {:?} after, of which the table in memory has most",
        before,
        resident()
    );
    assert!(calls * 100 <= PAGES * 110, "{calls} calls for {PAGES} pages");
    let job = &jobs(&world).await[0];
    assert_eq!(job.state, JobState::Done, "{job:?} {:?}", world.errors);
    for (register, kind) in [(Register::Customers, "customers"), (Register::Invoices, "invoices")] {
        let known = mapped(&world.store, register).await;
        let there = world.by_hand("GET", &format!("/3/{kind}?limit=1"), None).await;
        assert_eq!(json!(known.len()), there["MetaInformation"]["@TotalResources"], "{kind}");
        assert!(known.iter().all(|mapping| !mapping.gone));
    }
    assert!(world.dead.is_empty());
}

fn lists(world: &World, from: usize) -> usize {
    let requests = world.fortnox.log.requests();
    requests[from..]
        .iter()
        .filter(|line| line.path.starts_with("/3/customers?") || line.path.starts_with("/3/invoices?"))
        .count()
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the figures are of interest in themselves")]
async fn twenty_thousand_of_each_at_visma_in_forty_calls() {
    const PAGES: usize = 2 * EACH_USIZE / 1_000;
    let mut world = VismaWorld::start_with(PostingProfile::Invoice, VismaConfig::default()).await;
    let fill = json!({ "fill": { "customers": EACH, "invoices": EACH } });
    world.visma.configure(&fill).unwrap();
    let begun = Instant::now();
    let from = world.visma.log.requests().len();
    world.crash.arm(Some(700));
    world.hour_passes().await;
    let requests = world.visma.log.requests();
    let of = |path: &str| path.starts_with("/v2/customers?") || path.starts_with("/v2/customerinvoices?");
    let calls = requests[from..].iter().filter(|line| of(&line.path)).count();
    eprintln!("{calls} calls for {PAGES} pages, {:.1?}", begun.elapsed());
    assert!(calls * 100 <= PAGES * 110, "{calls} calls for {PAGES} pages");
    let job = &jobs(&world).await[0];
    assert_eq!(job.state, JobState::Done, "{job:?} {:?}", world.errors);
    for (register, kind) in [(Register::Customers, "customers"), (Register::Invoices, "customerinvoices")] {
        let known = mapped_at(&world.store, "visma", register).await;
        let there = world.by_hand("GET", &format!("/{kind}?$pagesize=1"), None).await;
        assert_eq!(json!(known.len()), there["Meta"]["TotalNumberOfResults"], "{kind}");
    }
    assert!(world.dead.is_empty());
}

/// What is held at once does not grow with what there is: whatever was read is stored before the next page is asked for.
#[tokio::test]
async fn no_more_than_a_page_is_held_at_once() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 500);
    books.fill(20_000, 20_000);
    world.hour_passes().await;
    all_known(&world, &books).await;
    assert_eq!(books.held(), 500);
    assert_eq!(counts(&jobs(&world).await[0], ["read", "calls"]), [40_000, 80]);
}
