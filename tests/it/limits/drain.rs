//! A thousand paid orders of one merchant at once.

use std::sync::Mutex;

use bokbro_tests::traffic::{Distance, Traffic};
use futures::future::ready;
use jiff::SignedDuration;

use super::{calls, one_document_each};

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the rate that was reached is of interest in itself")]
async fn a_thousand_orders_are_booked_as_fast_as_the_limit_allows() {
    let traffic = Traffic::start(1, Distance { there: (10, 60), back: (100, 350), aws: (4, 12) }).await;
    for number in 0..1_000 {
        // Every tenth buyer is new, which takes two calls more.
        let buyer = if number % 10 == 0 { number } else { 0 };
        traffic.order(0, number, buyer, SignedDuration::ZERO).await;
    }
    traffic.run(20, |_| false, ready(())).await;
    one_document_each(&traffic.books()[0], 1_000);
    let calls = calls(&traffic);
    assert!(calls.iter().all(|(_, status)| *status != 429), "too many calls at once");
    // Until the last orders, which have nobody to fill the gaps.
    let (first, last) = (calls[0].0, calls[calls.len() - 50].0);
    let per_window = 5.0 * (calls.len() - 50) as f64 / last.duration_since(first).as_secs_f64();
    let counts = traffic.queue.counts();
    eprintln!("{} calls, {per_window:.1} per 5 s, {counts:?}", calls.len());
    assert!(per_window >= 0.9 * 25.0, "{per_window:.1} calls per 5 s");
    assert_eq!(counts.given_back, 0);
    assert!(traffic.queue.dead().is_empty());
}

#[tokio::test]
async fn an_order_of_a_known_customer_costs_six_calls_and_ten_of_the_table() {
    let traffic = Traffic::start(1, Distance { there: (10, 60), back: (100, 350), aws: (4, 12) }).await;
    traffic.order(0, 1, 0, SignedDuration::ZERO).await;
    traffic.order(0, 2, 0, SignedDuration::from_mins(1)).await;
    let counts = |traffic: &Traffic| (traffic.table_calls(), calls(traffic).len());
    let before = Mutex::new((0, 0));
    let first_is_done = |traffic: &Traffic| {
        let mut before = before.lock().unwrap();
        if *before == (0, 0) && traffic.waiting(|_| true) == 1 {
            *before = counts(traffic);
        }
        false
    };
    traffic.run(1, first_is_done, ready(())).await;
    one_document_each(&traffic.books()[0], 2);
    let (before, after) = (*before.lock().unwrap(), counts(&traffic));
    assert_eq!((after.0 - before.0, after.1 - before.1), (10, 6));
}
