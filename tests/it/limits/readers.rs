//! Reading registers back beside a rush of orders: the orders go first, and no call is one too many.

use std::time::Duration;

use bokbro_app::app::Invocation;
use bokbro_app::error::{Disposition, Error};
use bokbro_app::ports::Clock as _;
use bokbro_app::registers::registers_read;
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_tests::traffic::{Distance, Traffic};
use futures::future::ready;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::calls;

const NEAR: Distance = Distance { there: (10, 60), back: (100, 350), aws: (4, 12) };
const ORDERS: usize = 100;

/// A merchant with a rush of orders and long registers.
async fn rush() -> Traffic {
    let traffic = Traffic::start(1, NEAR).await;
    let fill = json!({ "tenant": traffic.company(0), "fill": { "customers": 5_000, "invoices": 5_000 } });
    traffic.fortnox.configure(&fill).unwrap();
    for number in 0..ORDERS {
        traffic.order(0, number, 0, SignedDuration::ZERO).await;
    }
    traffic
}

/// How long it took until the last order was in the books.
fn took(traffic: &Traffic) -> SignedDuration {
    let booked = traffic.outcomes().into_iter().map(|(_, paid)| paid.booked.unwrap());
    booked.max().unwrap().duration_since(traffic.start)
}

/// Reads everything, as the pulls worker does; gives the time at which it was done.
async fn read_all(traffic: &Traffic) -> Timestamp {
    let (app, clock) = traffic.process();
    let (tenant, provider) = (traffic.tenant(0), Provider::parse("fortnox").unwrap());
    let mut place = None;
    // The rush has begun, and there is a line.
    clock.wait(Duration::from_secs(3)).await;
    loop {
        let invocation = Invocation {
            owner: format!("reader-{}", clock.now()),
            deadline: clock.now() + SignedDuration::from_secs(60),
            receive: 1,
            place,
            correlation: CorrelationId::parse("reader").unwrap(),
        };
        let error = match registers_read(&app, &invocation, &tenant, &provider, None).await {
            Ok(()) => return clock.now(),
            Err(error) => error,
        };
        assert!(matches!(error, Error::Later { .. } | Error::Busy { .. }), "{error}");
        place = error.place();
        let Disposition::Later { at } = error.disposition() else { panic!("{error}") };
        let wait = Duration::try_from(at.duration_since(clock.now())).unwrap_or_default();
        clock.wait(wait).await;
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the rate that was reached is of interest in itself")]
async fn a_reading_leaves_a_rush_of_orders_its_calls() {
    let alone = rush().await;
    alone.run(20, |_| false, ready(())).await;
    let beside = rush().await;
    let done = std::cell::Cell::new(None);
    beside.run(20, |_| false, async { done.set(Some(read_all(&beside).await)) }).await;
    let (without, with) = (took(&alone), took(&beside));
    let read = done.get().unwrap().duration_since(beside.start);
    eprintln!(
        "{ORDERS} orders booked in {without:#} without and {with:#} with a reading, which took until {read:#}"
    );
    assert!(with <= without * 11 / 10, "{with:#} instead of {without:#}");
    assert!(calls(&beside).iter().all(|(_, status)| *status != 429));
    let is_page = |path: &str| {
        ["/3/customers?", "/3/invoices?"].iter().any(|list| path.starts_with(list))
            && path.contains("sortby=")
    };
    let lists = beside.fortnox.log.requests().iter().filter(|line| is_page(&line.path)).count();
    assert!((20..=22).contains(&lists), "{lists} pages");
    assert!(beside.queue.dead().is_empty());
}
