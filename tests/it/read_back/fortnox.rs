//! Fortnox' registers, 500 to a page.

use bokbro_app::ports::{Clock as _, Contents, Register, Span};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_tests::world::World;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Reader;

/// A world whose ledger program holds so many of each.
async fn filled(customers: u64, invoices: u64) -> (World, Reader) {
    let world = World::start().await;
    fill(&world, customers, invoices);
    let reader = Reader::of(&world, "fortnox").await;
    (world, reader)
}

fn fill(world: &World, customers: u64, invoices: u64) {
    world.fortnox.configure(&json!({"fill": {"customers": customers, "invoices": invoices}})).unwrap();
}

fn calls(world: &World) -> [u64; 2] {
    ["GET /3/customers", "GET /3/invoices"].map(|operation| world.fortnox.log.calls(operation))
}

fn remark() -> Option<Value> {
    Some(json!({"Invoice": {"Remarks": "x"}}))
}

#[tokio::test]
async fn every_page_is_read_once() {
    let (world, reader) = filled(1_200, 1_300).await;
    reader.all(Register::Customers, Span::All).await.unwrap().is_each_once(1_200);
    reader.all(Register::Invoices, Span::All).await.unwrap().is_each_once(1_300);
    assert_eq!(calls(&world), [3, 3]);
    assert_eq!(world.fortnox.log.stats().by_operation.get("GET /3/invoices/{number}"), None);
}

#[tokio::test]
async fn days_are_those_of_the_invoices() {
    let (world, reader) = filled(1, 1_300).await;
    let all = reader.all(Register::Invoices, Span::All).await.unwrap();
    let today = world.clock.now().in_tz("Europe/Stockholm").unwrap().date();
    let first = today.checked_sub(jiff::Span::new().days(200)).unwrap();
    let last = today.checked_sub(jiff::Span::new().days(20)).unwrap();
    world.fortnox.log.reset_stats();
    let read = reader.all(Register::Invoices, Span::Days(first, last)).await.unwrap();
    let ids: Vec<&str> = read.entries.iter().map(|entry| entry.external_id.as_str()).collect();
    assert_eq!(ids, all.of_days(first, last));
    assert!(ids.len() > 500 && ids.len() < 1_000, "{}", ids.len());
    assert_eq!(calls(&world), [0, 2]);
    // Customers have no day.
    assert_eq!(reader.all(Register::Customers, Span::Days(first, last)).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn what_changed_is_found_in_whichever_zone_its_time_is_read() {
    for zone in ["utc", "stockholm"] {
        let (world, reader) = filled(600, 600).await;
        world.fortnox.clock.freeze();
        world.fortnox.configure(&json!({"last_modified_zone": zone})).unwrap();
        world.fortnox.clock.advance(SignedDuration::from_hours(30));
        let since = Span::Since(world.fortnox.clock.now());
        for (method, path, body) in [
            ("PUT", "/3/customers/17", Some(json!({"Customer": {"City": "Lund"}}))),
            ("PUT", "/3/invoices/599/credit", None),
            ("POST", "/3/customers", Some(json!({"Customer": {"Name": "Ny"}}))),
        ] {
            world.by_hand(method, path, body).await;
        }
        world.fortnox.log.reset_stats();
        let customers = reader.all(Register::Customers, since).await.unwrap();
        assert_eq!(customers.ids().into_keys().collect::<Vec<_>>(), ["17", "601"], "{zone}");
        let invoices = reader.all(Register::Invoices, since).await.unwrap();
        assert_eq!(invoices.ids().into_keys().collect::<Vec<_>>(), ["599", "601"], "{zone}");
        assert_eq!(calls(&world), [1, 1]);
        // An hour later nothing is news where the time is read as it is meant.
        world.fortnox.clock.advance(SignedDuration::from_mins(150));
        let later = Span::Since(world.fortnox.clock.now());
        assert!(reader.all(Register::Invoices, later).await.unwrap().entries.is_empty(), "{zone}");
    }
}

#[tokio::test]
async fn what_people_do_shows_in_the_entry() {
    let (world, reader) = filled(3, 4).await;
    world.by_hand("PUT", "/3/invoices/2/credit", None).await;
    let credited = async |id: &str| match reader.entry(Register::Invoices, id).await.unwrap().contents {
        Contents::Invoice { credited, total, .. } => (credited, total.unwrap().minor.signum()),
        Contents::Customer { .. } => panic!("no invoice"),
    };
    assert_eq!((credited("1").await, credited("2").await), ((false, 1), (true, 1)));
    assert_eq!(credited("5").await, (false, -1), "a credit invoice");
    world.by_hand("POST", "/3/customers", Some(json!({"Customer": {"Name": "Ny"}}))).await;
    world.by_hand("DELETE", "/3/customers/4", None).await;
    assert_eq!(reader.entry(Register::Customers, "4").await, None);
    let inactive = Some(json!({"Customer": {"Active": false}}));
    world.by_hand("PUT", "/3/customers/3", inactive).await;
    let entry = reader.entry(Register::Customers, "3").await.unwrap();
    assert!(matches!(entry.contents, Contents::Customer { active: false, .. }));
    world.fortnox.configure(&json!({"renumber_customer": {"from": "2", "to": "70"}})).unwrap();
    assert_eq!(reader.entry(Register::Customers, "2").await, None);
    assert_eq!(reader.entry(Register::Customers, "70").await.unwrap().number, "70");
    let customers = reader.all(Register::Customers, Span::All).await.unwrap();
    assert_eq!(customers.ids().into_keys().collect::<Vec<_>>(), ["1", "3", "70"]);
}

#[tokio::test]
async fn members_that_nobody_may_see_stop_nothing() {
    let (world, reader) = filled(2, 2).await;
    let hidden =
        ["Total", "Balance", "InvoiceDate", "Email", "OrganisationNumber", "CustomerName", "FinalPayDate"];
    world.fortnox.configure(&json!({"no_right_fields": hidden})).unwrap();
    for entry in reader.all(Register::Invoices, Span::All).await.unwrap().entries {
        let Contents::Invoice { total, balance, date, customer_number, paid_on, .. } = entry.contents else {
            panic!("no invoice")
        };
        assert_eq!((total, balance, date, paid_on), (None, None, None, None));
        assert!(customer_number.is_some());
    }
    for entry in reader.all(Register::Customers, Span::All).await.unwrap().entries {
        assert!(matches!(entry.contents, Contents::Customer { email: None, organisation_number: None, .. }));
    }
    // What nobody may see of an entry's own number is no entry, and that is not passed over.
    world.fortnox.configure(&json!({"no_right_fields": ["DocumentNumber"]})).unwrap();
    assert_eq!(reader.all(Register::Invoices, Span::All).await.unwrap_err().code(), "provider_unavailable");
}

#[tokio::test]
async fn what_is_made_or_changed_in_mid_reading_is_not_missed() {
    let (world, reader) = filled(1_200, 1_200).await;
    let new = json!({"Invoice": {"CustomerNumber": "1", "InvoiceRows": []}});
    let read = reader.all_while(Register::Invoices, Span::All, async |page| {
        let number = (page - 1) * 500 + 1;
        world.by_hand("PUT", &format!("/3/invoices/{number}/credit"), None).await;
        world.by_hand("POST", "/3/invoices", Some(new.clone())).await;
    });
    read.await.unwrap().is_each_once_of(1_204);
    // Of those that changed since a time, more become fewer places for others: they come twice rather than never.
    world.fortnox.clock.freeze();
    world.fortnox.clock.advance(SignedDuration::from_hours(30));
    let since = Span::Since(world.fortnox.clock.now());
    for number in 1_201..=1_204 {
        if number % 2 == 0 {
            world.by_hand("PUT", &format!("/3/invoices/{number}"), remark()).await;
        }
    }
    let read = reader.all(Register::Invoices, since).await.unwrap();
    assert_eq!(read.ids().into_keys().collect::<Vec<_>>(), ["1202", "1204"]);
}

#[tokio::test]
async fn what_is_deleted_in_mid_reading_shows_in_the_total() {
    let (world, reader) = filled(1_200, 0).await;
    let read = reader.all_while(Register::Customers, Span::All, async |page| {
        if page == 1 {
            world.by_hand("DELETE", "/3/customers/7", None).await;
        }
    });
    let read = read.await.unwrap();
    // Number 501 has moved up over the border: the reader must look again, and can tell.
    assert!(!read.ids().contains_key("501"));
    assert_eq!(read.totals, [1_200, 1_199, 1_199]);
}

#[tokio::test]
async fn bad_moments_cost_a_call_each_and_nothing_else() {
    let (world, reader) = filled(1_200, 1).await;
    let path = "/3/customers";
    for fault in [
        Fault::status(503, "GET", path),
        Fault::new(Kind::Reset, "GET", path),
        Fault { retry_after: Some("7".to_owned()), ..Fault::status(429, "GET", path) },
        Fault::new(Kind::DropAfterCommit, "GET", path),
        Fault::status(401, "GET", path),
    ] {
        world.fortnox.log.reset_stats();
        world.fortnox.faults.add(fault);
        reader.all(Register::Customers, Span::All).await.unwrap().is_each_once(1_200);
        assert_eq!(calls(&world), [4, 0]);
    }
    // It does not pass: whoever asked is told, and what was read is not lost on him.
    world.fortnox.faults.add(Fault::status(500, "GET", path).times(3));
    let error = reader.all(Register::Customers, Span::All).await.unwrap_err();
    assert_eq!(error.code(), "provider_unavailable");
}

/// The whole size of the job.
#[tokio::test]
async fn twenty_thousand_of_each_take_eighty_calls() {
    let (world, reader) = filled(20_000, 20_000).await;
    for register in Register::ALL {
        reader.all(register, Span::All).await.unwrap().is_each_once(20_000);
    }
    assert_eq!(calls(&world), [40, 40]);
}
