//! Asked for by hand: everything, changes or days, one job at a time, and a clear word where there is nothing to read.

use bokbro_app::audit::By;
use bokbro_app::connections::{Asked, connection_sync};
use bokbro_app::message::ConnectionTask;
use bokbro_app::orders::Refusal;
use bokbro_app::ports::{Audits as _, Contents, Entry, QueueName, Register, Span};
use bokbro_app::records::{Job, JobState};
use bokbro_app::wire::work_out::job_json;
use bokbro_tests::browser::{correlation, provider};
use bokbro_tests::registers::{Books, Call, invoice, mapped};
use bokbro_tests::world::{World, tenant};
use futures::future::join_all;
use serde_json::json;

use super::{HOUR, all_known, jobs};

async fn ask_at(world: &World, at: &str, body: &str) -> Result<Asked, Refusal> {
    let (tenant, correlation) = (tenant(), correlation(world));
    let asker = By { tenant: &tenant, who: "bk_test", correlation: &correlation };
    connection_sync(&world.app, asker, &provider(at), body.as_bytes()).await
}

pub(super) async fn ask(world: &World, body: &str) -> Job {
    match ask_at(world, "fortnox", body).await.unwrap() {
        Asked::Job(job) => *job,
        Asked::Tasks(tasks) => panic!("{tasks:?}"),
    }
}

fn dated(id: u32, day: &str) -> Entry {
    let mut entry = invoice(id);
    if let Contents::Invoice { date, .. } = &mut entry.contents {
        *date = Some(day.parse().unwrap());
    }
    entry
}

#[tokio::test]
async fn days_are_read_month_by_month_and_move_no_cursor() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 2);
    books.fill(3, 0);
    let days =
        ["2026-01-09", "2026-01-10", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01", "2026-04-02"];
    for (id, day) in (1..).zip(days) {
        books.put(Register::Invoices, dated(id, day));
    }
    let job = ask(&world, r#"{"from":"2026-01-10","to":"2026-04-01"}"#).await;
    world.settle().await;
    let spans: Vec<String> = books
        .calls()
        .into_iter()
        .filter_map(|call| match call {
            Call::Page(_, Span::Days(from, to), page) => Some(format!("{from}..{to} {page}")),
            Call::Page(..) | Call::Entry(..) | Call::Failed => None,
        })
        .collect();
    assert_eq!(
        spans,
        [
            "2026-01-10..2026-01-31 1",
            "2026-02-01..2026-02-28 1",
            "2026-03-01..2026-03-31 1",
            "2026-04-01..2026-04-01 1"
        ]
    );
    let read: Vec<String> =
        mapped(&world.store, Register::Invoices).await.into_iter().map(|m| m.external_id).collect();
    assert_eq!(read, ["2", "3", "4", "5", "6"]);
    let done = jobs(&world).await.remove(0);
    assert_eq!((&done.id, done.state), (&job.id, JobState::Done));
    assert_eq!(done.counts, [("read", 8), ("new", 8), ("calls", 6)].map(|(n, c)| (n.to_owned(), c)).into());
    // The schedule has still read nothing.
    world.hour_passes().await;
    assert!(matches!(books.calls()[0], Call::Page(Register::Customers, Span::All, 1)));
    all_known(&world, &books).await;
}

#[tokio::test]
async fn asking_again_gives_the_job_that_runs_and_a_new_one_after_it() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(12, 7);
    let asked = join_all((0..8).map(|_| ask(&world, r#"{"full":true}"#))).await;
    let first = &asked[0];
    assert!(asked.iter().all(|job| job.id == first.id), "one job for all who ask at once");
    assert_eq!(world.queues.len(QueueName::Pulls), 1);
    assert_eq!(ask(&world, "").await.id, first.id, "another wish does not replace it");
    let shown = job_json(&jobs(&world).await[0]);
    assert_eq!(
        (&shown["kind"], &shown["read"], &shown["state"]),
        (&json!("registers"), &json!("full"), &json!("waiting"))
    );
    world.settle().await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
    let second = ask(&world, "{}").await;
    assert_ne!(second.id, first.id);
    world.settle().await;
    let log = world.store.audits_list(&tenant(), 10, None).await.unwrap().items;
    let log: Vec<(&str, &str)> =
        log.iter().map(|entry| (entry.what.as_str(), entry.subject.as_str())).collect();
    assert_eq!(log, [("connection_synced", "fortnox"); 2]);
    // One that nobody gets on with any more is in nobody's way.
    let third = ask(&world, "").await;
    assert!(world.queues.take(QueueName::Pulls).is_some(), "lost on the way");
    world.clock.advance(HOUR);
    assert_eq!(ask(&world, "").await.id, third.id);
    world.clock.advance(HOUR);
    assert_ne!(ask(&world, "").await.id, third.id);
}

#[tokio::test]
async fn a_job_that_got_lost_is_found_by_the_sweep() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(2, 2);
    let job = ask(&world, r#"{"full":true}"#).await;
    assert!(world.queues.take(QueueName::Pulls).is_some(), "lost on the way");
    world.hour_passes().await;
    let found = jobs(&world).await.into_iter().find(|found| found.id == job.id).unwrap();
    assert_eq!(found.state, JobState::Done);
}

#[tokio::test]
async fn a_job_shows_how_far_it_has_come() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(12, 7);
    ask(&world, r#"{"full":true}"#).await;
    books.fail_call(4);
    world.settle().await;
    // A provider that does not answer is asked again, and whoever asked sees it through.
    let job = jobs(&world).await.remove(0);
    assert_eq!(job.state, JobState::Done);
    ask(&world, r#"{"from":"2026-10-20","to":"2026-12-24"}"#).await;
    for call in 4..9 {
        books.fail_call(call);
    }
    world.settle().await;
    let shown = job_json(&jobs(&world).await[0]);
    assert_eq!(shown["state"], "failed", "{shown}");
    assert_eq!(
        shown["progress"],
        json!({"register": "invoices", "part": 3, "parts": 4, "page": 1, "pages": null}),
        "{shown}"
    );
    assert!(world.dead.is_empty());
}

#[tokio::test]
async fn where_there_is_nothing_to_read_the_answer_says_so() {
    let mut world = World::start().await;
    let books = Books::instead(&mut world, 5);
    books.fill(1, 1);
    let refused = async |at: &str, body: &str| match ask_at(&world, at, body).await {
        Err(Refusal::Conflict { code, .. }) => code.to_owned(),
        Err(Refusal::Invalid(error)) => error.field,
        Err(Refusal::NotFound(what)) => what.to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("fortnox", r#"{"from":"2026-01-01"}"#).await, "to");
    assert_eq!(refused("viva", "").await, "nothing_to_read");
    assert_eq!(refused("ongoing", "").await, "connection");
    let mut connection =
        world.app.directory.connection_get(&tenant(), &provider("fortnox")).await.unwrap().unwrap();
    let fortnox = connection.clone();
    connection.state = bokbro_app::records::ConnectionState::NeedsConsent;
    world.app.directory.connection_put(&connection).await.unwrap();
    assert_eq!(refused("fortnox", "").await, "needs_consent");
    world.app.directory.connection_put(&fortnox).await.unwrap();
    let settings = world.app.directory.settings_get(&tenant()).await.unwrap().unwrap();
    let none = bokbro_app::records::Settings { accounting: None, ..settings };
    world.app.directory.settings_put(&tenant(), &none).await.unwrap();
    assert_eq!(refused("fortnox", "").await, "not_in_use");
    assert!(world.queues.is_empty(QueueName::Pulls));
}

#[tokio::test]
async fn a_warehouse_is_read_now_too() {
    let world = World::shipping().await;
    let asked = ask_at(&world, "ongoing", "").await.unwrap();
    assert_eq!(asked, Asked::Tasks(vec![ConnectionTask::Parcels, ConnectionTask::Stock]));
    assert_eq!(world.queues.len(QueueName::Pulls), 2);
    assert!(matches!(
        ask_at(&world, "ongoing", r#"{"full":true}"#).await,
        Err(Refusal::Conflict { code: "nothing_to_read", .. })
    ));
}
