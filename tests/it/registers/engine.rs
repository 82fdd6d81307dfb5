//! Pages, overlaps, borders that move, entries that go and entries that get another number.

use std::time::Duration;

use bokbro_app::connections::connections_list;
use bokbro_app::ports::{Contents, Entry, Register, Span};
use bokbro_app::records::{JobState, JobTask, Reading};
use bokbro_app::registers::registers_known;
use bokbro_tests::browser::provider;
use bokbro_tests::registers::{Books, Call, customer, invoice, mapped};
use bokbro_tests::world::{World, tenant};
use jiff::SignedDuration;

use super::{WEEK, all_known, counts, jobs, one};

const BOTH: [&str; 5] = ["read", "new", "changed", "unchanged", "calls"];

fn pages(calls: &[Call], register: Register) -> Vec<u32> {
    let page = |call: &Call| match call {
        Call::Page(of, _, number) if *of == register => Some(*number),
        Call::Page(..) | Call::Entry(..) | Call::Failed => None,
    };
    calls.iter().filter_map(page).collect()
}

fn unpaid(id: u32) -> Entry {
    let mut entry = invoice(id);
    if let Contents::Invoice { balance, total, paid_on, .. } = &mut entry.contents {
        (*balance, *paid_on) = (*total, None);
    }
    entry
}

#[tokio::test]
async fn everything_is_read_at_first_then_what_has_changed_and_weekly_everything_again() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 500);
    books.fill(1_200, 700);
    world.clock.advance(Duration::from_secs(1));
    world.hour_passes().await;
    all_known(&world, &books).await;
    let calls = books.calls();
    assert_eq!(
        (pages(&calls, Register::Customers), pages(&calls, Register::Invoices)),
        (vec![1, 2, 3], vec![1, 2])
    );
    let job = &jobs(&world).await[0];
    assert_eq!((job.state, counts(job, BOTH)), (JobState::Done, [1_900, 1_900, 0, 0, 5]), "{job:?}");
    assert_eq!(job.position, None);
    let known = registers_known(&world.app, &tenant(), &provider("fortnox")).await.unwrap().unwrap();
    assert_eq!((known.customers, known.invoices), (1_200, 700));
    assert!(books.held() <= 500, "{} entries were held at once", books.held());
    let stored = mapped(&world.store, Register::Invoices).await;

    // An hour later: what changed since. What was only touched costs no write.
    books.put(Register::Invoices, unpaid(7));
    books.put(Register::Invoices, invoice(9));
    books.put(Register::Invoices, invoice(701));
    world.hour_passes().await;
    let calls = books.calls();
    let since = |calls: &[Call]| match calls[0] {
        Call::Page(Register::Customers, Span::Since(since), 1) => since,
        other => panic!("{other:?}"),
    };
    let first = since(&calls);
    assert_eq!(calls.len(), 2, "{calls:?}");
    let job = &jobs(&world).await[0];
    assert_eq!(counts(job, BOTH), [3, 1, 1, 1, 2]);
    assert!(matches!(&job.task, JobTask::Registers { reading: Reading::Changes, .. }));
    let changes = mapped(&world.store, Register::Invoices).await;
    assert_eq!(changes.len(), 701);
    for (before, after) in stored.iter().zip(&changes).filter(|(before, _)| before.external_id != "7") {
        assert_eq!(before, after, "what is unchanged is not written");
    }
    assert_ne!(stored[6].hash, changes[6].hash);
    all_known(&world, &books).await;

    world.hour_passes().await;
    let calls = books.calls();
    assert_eq!(since(&calls).duration_since(first), SignedDuration::from_hours(1), "the cursor moved");
    world.clock.advance(WEEK);
    world.hour_passes().await;
    assert!(matches!(books.calls()[0], Call::Page(Register::Customers, Span::All, 1)));
    assert!(world.dead.is_empty() && world.errors.is_empty(), "{:?}", world.errors);
    let shown = connections_list(&world.app, &tenant()).await.unwrap();
    let shown = shown.into_iter().find(|view| view.provider.as_str() == "fortnox").unwrap();
    assert_eq!(shown.registers.unwrap().invoices, 701);
}

#[tokio::test]
async fn the_same_again_writes_nothing_and_an_old_tick_reads_nothing() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(7, 8);
    world.hour_passes().await;
    let (customers, invoices) =
        (mapped(&world.store, Register::Customers).await, mapped(&world.store, Register::Invoices).await);
    books.calls();
    // The tick's message came twice.
    world.tick().await;
    world.settle().await;
    assert!(books.calls().is_empty());
    world.hour_passes().await;
    assert_eq!(counts(&jobs(&world).await[0], ["new", "changed", "linked"]), [0, 0, 0]);
    assert_eq!(mapped(&world.store, Register::Customers).await, customers);
    assert_eq!(mapped(&world.store, Register::Invoices).await, invoices);
}

#[tokio::test]
async fn an_entry_that_moves_up_over_the_border_is_not_missed() {
    // Before the call with this number from 0, so many entries of the first pages leave.
    for (nth, leaving) in [(1, 1), (2, 1), (2, 3), (2, 7), (3, 12), (1, 5)] {
        let mut world = World::start().await;
        let books = Books::instead(&mut world, 5);
        books.fill(18, 3);
        books.before_call(nth, move |books| {
            (1..=leaving).for_each(|id| books.delete(Register::Customers, id));
        });
        world.hour_passes().await;
        let known = mapped(&world.store, Register::Customers).await;
        for id in books.ids(Register::Customers) {
            assert!(
                known.iter().any(|m| m.external_id == id && !m.gone),
                "{id} of call {nth}, {leaving} leaving"
            );
        }
        assert_eq!(jobs(&world).await[0].state, JobState::Done);
        // Those that left while they were read are known, and the next reading of everything finds out.
        world.clock.advance(WEEK);
        world.hour_passes().await;
        all_known(&world, &books).await;
    }
}

#[tokio::test]
async fn what_is_not_there_any_more_is_asked_for_once_and_marked() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(12, 4);
    world.hour_passes().await;
    for id in [3, 9] {
        books.delete(Register::Customers, id);
    }
    world.hour_passes().await;
    assert!(!one(&world, Register::Customers, "3").await.gone, "lists of changes do not tell");
    books.calls();
    world.clock.advance(WEEK);
    world.hour_passes().await;
    let asked: Vec<Call> = books.calls().into_iter().filter(|call| matches!(call, Call::Entry(..))).collect();
    assert_eq!(asked, [3, 9].map(|id| Call::Entry(Register::Customers, id)));
    let job = &jobs(&world).await[0];
    assert_eq!(counts(job, ["gone", "unchanged", "new"]), [2, 14, 0], "{job:?}");
    all_known(&world, &books).await;
    let known = registers_known(&world.app, &tenant(), &provider("fortnox")).await.unwrap().unwrap();
    assert_eq!((known.customers, known.invoices), (10, 4));
    // Nobody asks again, and one that comes back is there again.
    world.clock.advance(WEEK);
    books.put(Register::Customers, customer(3));
    world.hour_passes().await;
    assert!(!books.calls().iter().any(|call| matches!(call, Call::Entry(..))));
    assert_eq!(counts(&jobs(&world).await[0], ["gone", "new"]), [0, 1]);
    all_known(&world, &books).await;
}

#[tokio::test]
async fn a_customer_with_another_number_is_still_the_same_customer() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(3, 0);
    world.hour_passes().await;
    let before = one(&world, Register::Customers, "2").await;
    // Where the id stays, its number is another one.
    books.put(Register::Customers, Entry { number: "A-1".to_owned(), ..customer(1) });
    // Where the number is the id, the old one goes and a new one comes.
    books.delete(Register::Customers, 2);
    books.put(Register::Customers, Entry { contents: customer(2).contents, ..customer(77) });
    world.hour_passes().await;
    let renumbered = one(&world, Register::Customers, "1").await;
    assert_eq!((renumbered.number.as_str(), renumbered.gone), ("A-1", false));
    let new = one(&world, Register::Customers, "77").await;
    assert_eq!(new.ours, before.ours);
    assert_eq!((new.ours.len(), new.ours[0].len()), (1, 64), "a hash and no address");
    world.clock.advance(WEEK);
    world.hour_passes().await;
    assert!(one(&world, Register::Customers, "2").await.gone);
    all_known(&world, &books).await;
}

#[tokio::test]
async fn a_reading_that_got_no_answer_goes_on_where_it_stood_with_the_next_tick() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(23, 9);
    books.fail_call(3);
    world.hour_passes().await;
    let job = jobs(&world).await.remove(0);
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.is_some() && job.position.is_some());
    assert_eq!(registers_known(&world.app, &tenant(), &provider("fortnox")).await.unwrap(), None);
    assert!(world.dead.is_empty(), "an outage makes no dead letters");
    books.calls();
    world.hour_passes().await;
    assert_eq!(pages(&books.calls(), Register::Customers), [4, 5]);
    let again = jobs(&world).await.remove(0);
    assert_eq!((&again.id, again.state, again.attempts), (&job.id, JobState::Done, 2));
    assert_eq!(counts(&again, ["read", "new"]), [32, 32]);
    all_known(&world, &books).await;
}

#[tokio::test]
async fn a_reading_that_is_short_of_time_goes_on_by_later() {
    let mut world = World::start().await;
    // Two pages and a bit fit an invocation.
    let books = Books::instead_with(&mut world, 5, Duration::from_secs(14));
    books.fill(23, 13);
    world.hour_passes().await;
    all_known(&world, &books).await;
    let job = &jobs(&world).await[0];
    assert_eq!((job.state, job.attempts), (JobState::Done, 1));
    assert_eq!(counts(job, ["read", "new", "calls"]), [36, 36, 8]);
    assert!(!world.errors.is_empty() && world.errors.iter().all(|error| error.contains("wait for its turn")));
    // Had it stood still for too long, its part would begin anew.
    assert_eq!(pages(&books.calls(), Register::Customers), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn registers_of_another_ledger_program_than_the_tenant_s_own_are_not_read() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(3, 3);
    let settings = world.app.directory.settings_get(&tenant()).await.unwrap().unwrap();
    let none = bokbro_app::records::Settings { accounting: None, ..settings };
    world.app.directory.settings_put(&tenant(), &none).await.unwrap();
    world.hour_passes().await;
    assert!(books.calls().is_empty() && jobs(&world).await.is_empty());
    assert!(world.dead.is_empty());
}
