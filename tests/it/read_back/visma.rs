//! Visma's registers, 1,000 to a page, asked for in the best way that it takes.

use std::sync::Arc;
use std::time::Duration;

use bokbro_app::ports::{Clock as _, Contents, Register, Span};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::visma::{Visma, VismaUrls};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::visma_world::VismaWorld;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Read, Reader};

/// A world whose ledger program holds so many of each.
async fn filled(customers: u64, invoices: u64) -> (VismaWorld, Reader) {
    let world = VismaWorld::start().await;
    world.visma.configure(&json!({"fill": {"customers": customers, "invoices": invoices}})).unwrap();
    let reader = Reader::of(&world, "visma").await;
    world.visma.log.reset_stats();
    (world, reader)
}

fn calls(world: &VismaWorld) -> [u64; 2] {
    ["GET /v2/customers", "GET /v2/customerinvoices"].map(|operation| world.visma.log.calls(operation))
}

/// The numbers of what was read, sorted.
fn numbers(read: &Read) -> Vec<&str> {
    let mut numbers: Vec<&str> = read.entries.iter().map(|entry| entry.number.as_str()).collect();
    numbers.sort_unstable();
    numbers
}

/// A customer or an invoice as the ledger program holds it, by its number.
fn held(world: &VismaWorld, kind: &str, member: &str, number: &Value) -> Value {
    world.books(kind).into_iter().find(|document| document[member] == *number).unwrap()
}

fn path_of(kind: &str, document: &Value) -> String {
    format!("/{kind}/{}", document["Id"].as_str().unwrap())
}

#[tokio::test]
async fn every_page_is_read_once() {
    let (world, reader) = filled(2_200, 2_300).await;
    reader.all(Register::Customers, Span::All).await.unwrap().is_each_once(2_200);
    reader.all(Register::Invoices, Span::All).await.unwrap().is_each_once(2_300);
    assert_eq!(calls(&world), [3, 3]);
    assert_eq!(world.visma.log.stats().calls_total, 6);
}

/// The same connection read by a process that has learned nothing yet.
async fn newcomer(world: &VismaWorld) -> Reader {
    let urls = VismaUrls { api: world.visma.url.clone(), auth: world.visma.url.clone() };
    let registers = Arc::new(Visma::new(urls, Arc::new(Transport::new().unwrap()), world.clock.clone()));
    Reader { registers, ..Reader::of(world, "visma").await }
}

#[tokio::test]
async fn whatever_the_lists_refuse_the_same_is_read() {
    let (world, reader) = filled(1_100, 1_100).await;
    let today = world.clock.now().in_tz("Europe/Stockholm").unwrap().date();
    let first = today.checked_sub(jiff::Span::new().days(100)).unwrap();
    let since = Span::Since(world.clock.now() - SignedDuration::from_hours(100 * 24));
    let reads = [
        (Register::Customers, Span::All),
        (Register::Customers, since),
        (Register::Invoices, Span::All),
        (Register::Invoices, since),
        (Register::Invoices, Span::Days(first, today)),
    ];
    let of_days = reader.all(Register::Invoices, Span::All).await.unwrap();
    let of_days = of_days.of_days(first, today).len();
    let mut expected: Vec<Vec<String>> = Vec::new();
    // For each way to ask that is refused one call more, once; where the list does not filter, all of its pages.
    for (switches, pages) in [
        (json!({"any_filter": true}), [2, 1, 2, 1, 1]),
        (json!({"unsortable": true}), [3, 2, 3, 2, 2]),
        (json!({"unfilterable": ["ChangedUtc", "InvoiceDate"]}), [3, 5, 3, 2, 5]),
        (json!({"unsortable": false}), [2, 4, 2, 1, 4]),
    ] {
        world.visma.configure(&switches).unwrap();
        let reader = newcomer(&world).await;
        for (at, (register, span)) in reads.into_iter().enumerate() {
            world.visma.log.reset_stats();
            let read = reader.all(register, span).await.unwrap();
            assert_eq!(calls(&world).iter().sum::<u64>(), pages[at], "{switches} {register:?} {span:?}");
            let read: Vec<String> = numbers(&read).into_iter().map(str::to_owned).collect();
            match expected.get(at) {
                Some(expected) => assert_eq!(read, *expected, "{switches} {register:?} {span:?}"),
                None => expected.push(read),
            }
            // The second time it is known.
            world.visma.log.reset_stats();
            let again = reader.all(register, span).await.unwrap();
            assert_eq!(calls(&world).iter().sum::<u64>(), u64::from(again.pages));
        }
    }
    assert_eq!([expected[0].len(), expected[2].len(), expected[4].len()], [1_100, 1_100, of_days]);
    for some in [&expected[1], &expected[3], &expected[4]] {
        assert!((250..400).contains(&some.len()), "{}", some.len());
    }
}

#[tokio::test]
async fn what_changed_since_is_found() {
    let (world, reader) = filled(600, 600).await;
    world.visma.clock.freeze();
    world.visma.clock.advance(SignedDuration::from_hours(30));
    // The token has run out meanwhile, and must be seen to.
    world.clock.advance(Duration::from_secs(30 * 3_600));
    let since = Span::Since(world.visma.clock.now());
    let mut customer = held(&world, "customers", "CustomerNumber", &json!("17"));
    customer["CustomerNumber"] = json!("1700");
    world.by_hand("PUT", &path_of("customers", &customer), Some(customer.clone())).await;
    let invoice = held(&world, "invoices", "InvoiceNumber", &json!(4));
    let void = format!("{}/void", path_of("customerinvoices", &invoice));
    world.by_hand("POST", &void, None).await;
    world.visma.log.reset_stats();
    let customers = reader.all(Register::Customers, since).await.unwrap();
    // The same customer under another number.
    assert_eq!(numbers(&customers), ["1700"]);
    assert_eq!(customers.entries[0].external_id, customer["Id"].as_str().unwrap());
    let invoices = reader.all(Register::Invoices, since).await.unwrap();
    assert_eq!(numbers(&invoices), ["4", "601"]);
    assert_eq!(calls(&world), [1, 1]);
    for entry in &invoices.entries {
        let Contents::Invoice { credited, total, balance, .. } = &entry.contents else { panic!("{entry:?}") };
        assert_eq!((*credited, total.unwrap().minor > 0), (entry.number == "4", entry.number == "4"));
        assert_eq!(balance.unwrap().minor, 0);
        assert!(entry.changed_at.is_some());
    }
    assert!(reader.entry(Register::Customers, &customers.entries[0].external_id).await.is_some());
}

#[tokio::test]
async fn a_deleted_customer_is_gone() {
    let (world, reader) = filled(2, 0).await;
    let customer = held(&world, "customers", "CustomerNumber", &json!("1"));
    let id = customer["Id"].as_str().unwrap();
    assert_eq!(reader.entry(Register::Customers, id).await.unwrap().number, "1");
    world.by_hand("DELETE", &path_of("customers", &customer), None).await;
    assert_eq!(reader.entry(Register::Customers, id).await, None);
    assert_eq!(numbers(&reader.all(Register::Customers, Span::All).await.unwrap()), ["2"]);
}

#[tokio::test]
async fn what_is_deleted_in_mid_reading_shows_in_the_total() {
    let (world, reader) = filled(2_200, 0).await;
    let read = reader.all_while(Register::Customers, Span::All, async |page| {
        if page == 1 {
            let customer = held(&world, "customers", "CustomerNumber", &json!("7"));
            world.by_hand("DELETE", &path_of("customers", &customer), None).await;
        }
    });
    let read = read.await.unwrap();
    assert_eq!((read.entries.len(), read.totals), (2_199, vec![2_200, 2_199, 2_199]));
}

#[tokio::test]
async fn bad_moments_cost_a_call_each_and_nothing_else() {
    let (world, reader) = filled(1, 1_200).await;
    let path = "/v2/customerinvoices";
    for fault in [
        Fault::status(503, "GET", path),
        Fault::new(Kind::Reset, "GET", path),
        Fault { retry_after: Some("7".to_owned()), ..Fault::status(429, "GET", path) },
        Fault::new(Kind::DropAfterCommit, "GET", path),
        Fault::status(401, "GET", path),
    ] {
        world.visma.log.reset_stats();
        world.visma.faults.add(fault);
        reader.all(Register::Invoices, Span::All).await.unwrap().is_each_once(1_200);
        assert_eq!(calls(&world), [0, 3]);
    }
    world.visma.faults.add(Fault::status(500, "GET", path).times(3));
    let error = reader.all(Register::Invoices, Span::All).await.unwrap_err();
    assert_eq!(error.code(), "provider_unavailable");
}

/// The whole size of the job.
#[tokio::test]
async fn twenty_thousand_of_each_take_forty_calls() {
    let (world, reader) = filled(20_000, 20_000).await;
    for register in Register::ALL {
        reader.all(register, Span::All).await.unwrap().is_each_once(20_000);
    }
    assert_eq!(calls(&world), [20, 20]);
}
