//! One loud merchant among fifty, and another integration at the same company.

use std::time::Duration;

use bokbro_app::ports::Clock as _;
use bokbro_simulators::kit::http_client;
use bokbro_tests::traffic::{Distance, OwnClock, Traffic};
use futures::future::ready;
use jiff::SignedDuration;
use serde_json::Value;

use super::{calls, one_document_each};

const NEAR: Distance = Distance { there: (10, 60), back: (100, 350), aws: (4, 12) };
/// Merchants of which the first one may be loud.
const TENANTS: usize = 50;
/// Orders of each of the others.
const FEW: usize = 6;

/// Median time from paid to booked of the quiet merchants' orders, while the first one has so many.
async fn median_of_the_quiet(loud: usize) -> SignedDuration {
    let traffic = Traffic::start(TENANTS, NEAR).await;
    for number in 0..loud {
        traffic.order(0, number, 0, SignedDuration::ZERO).await;
    }
    let dice = OwnClock::new(traffic.time.clone(), 1753);
    for tenant in 1..TENANTS {
        for number in 0..FEW {
            let millis = i64::try_from(dice.dice() % 120_000).unwrap();
            traffic.order(tenant, number, number, SignedDuration::from_millis(millis)).await;
        }
    }
    let quiet_are_done = |traffic: &Traffic| traffic.waiting(|tenant| tenant > 0) == 0;
    traffic.run(20, quiet_are_done, ready(())).await;
    assert!(traffic.queue.dead().is_empty());
    assert!(calls(&traffic).iter().all(|(_, status)| *status != 429));
    for books in &traffic.books()[1..] {
        one_document_each(books, FEW);
    }
    let mut took: Vec<SignedDuration> = traffic
        .outcomes()
        .into_iter()
        .filter(|(_, paid)| paid.tenant > 0)
        .map(|(_, paid)| paid.booked.unwrap().duration_since(paid.at))
        .collect();
    took.sort();
    took[took.len() / 2]
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the rate that was reached is of interest in itself")]
async fn a_loud_merchant_does_not_delay_the_others() {
    let alone = median_of_the_quiet(0).await;
    let beside = median_of_the_quiet(1_000).await;
    eprintln!("median from paid to booked: {alone:#} without and {beside:#} with a loud merchant");
    assert!(beside <= alone * 11 / 10, "{beside:#} instead of {alone:#}");
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the rate that was reached is of interest in itself")]
async fn another_integration_s_calls_slow_everybody_and_nothing_is_lost() {
    const ORDERS: usize = 60;
    let traffic = Traffic::start(1, NEAR).await;
    for number in 0..ORDERS {
        traffic.order(0, number, 0, SignedDuration::ZERO).await;
    }
    let stranger = async {
        let clock = OwnClock::new(traffic.time.clone(), 1);
        let http = http_client();
        let asked = http
            .post(format!("{}/oauth-v1/token", traffic.fortnox.url))
            .basic_auth("sim-client", Some("sim-secret"))
            .header("TenantId", traffic.company(0))
            .form(&[("grant_type", "client_credentials")]);
        let token: Value = asked.send().await.unwrap().json().await.unwrap();
        for _ in 0..8 {
            clock.wait(Duration::from_secs(11)).await;
            for _ in 0..25 {
                let call = http.get(format!("{}/3/termsofpayments", traffic.fortnox.url));
                call.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
            }
        }
    };
    traffic.run(20, |_| false, stranger).await;
    one_document_each(&traffic.books()[0], ORDERS);
    assert!(traffic.queue.dead().is_empty());
    let requests = traffic.fortnox.log.requests();
    let ours: Vec<_> = requests.iter().filter(|line| !line.path.contains("termsofpayments")).collect();
    let refused = ours.iter().filter(|line| line.status == Some(429)).count();
    let counts = traffic.queue.counts();
    eprintln!("{} calls, {refused} refused, {counts:?}", ours.len());
    // Each outburst meets those that are under way, and nobody else comes until the window is over.
    assert!((1..=8 * 8).contains(&refused), "{refused} of our calls were refused");
    assert_eq!(counts.given_back, 0, "waiting is no failure");
}
