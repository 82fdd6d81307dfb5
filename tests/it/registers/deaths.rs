//! A worker that dies anywhere while it reads: nothing missed, nothing doubled, and the cursor only moved at the end.

use bokbro_app::ports::Register;
use bokbro_app::records::JobState;
use bokbro_app::registers::registers_known;
use bokbro_tests::browser::provider;
use bokbro_tests::registers::{Books, customer, mapped};
use bokbro_tests::world::{World, tenant};

use super::{WEEK, all_known, jobs};

/// Reads everything, and everything again after some entries have left, with a worker dying at the n-th point; gives the
/// points that were passed.
async fn run(die_at: Option<usize>) -> Vec<String> {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(14, 6);
    world.crash.arm(die_at);
    world.hour_passes().await;
    let first = world.crash.passed();
    all_known(&world, &books).await;
    let mut died = die_at.filter(|n| *n < first.len());
    books.delete(Register::Customers, 2);
    books.delete(Register::Invoices, 6);
    books.put(Register::Customers, customer(15));
    world.clock.advance(WEEK);
    let left = die_at.and_then(|n| n.checked_sub(first.len()));
    world.crash.arm(left);
    world.hour_passes().await;
    let points: Vec<String> = first.into_iter().chain(world.crash.passed()).collect();
    died = died.or(die_at);
    let at = died.and_then(|n| points.get(n).cloned()).unwrap_or_default();
    all_known(&world, &books).await;
    let job = &jobs(&world).await[0];
    assert_eq!(job.state, JobState::Done, "died {at}: {job:?}");
    assert_eq!(mapped(&world.store, Register::Customers).await.len(), 15, "died {at}");
    assert_eq!(mapped(&world.store, Register::Invoices).await.len(), 6, "died {at}");
    let known = registers_known(&world.app, &tenant(), &provider("fortnox")).await.unwrap().unwrap();
    assert_eq!((known.customers, known.invoices), (14, 5), "died {at}");
    assert!(world.dead.is_empty(), "died {at}");
    points
}

#[tokio::test]
async fn a_reading_survives_a_death_at_every_point() {
    let points = run(None).await;
    for point in [
        "before storing entries of a register",
        "after a page of a register",
        "after an entry that was not seen",
        "after moving the cursor of a register",
    ] {
        assert!(points.iter().any(|passed| passed == point), "no crash point {point:?} in {points:?}");
    }
    for nth in 0..points.len() {
        run(Some(nth)).await;
    }
}
