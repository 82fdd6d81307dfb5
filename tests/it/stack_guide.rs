//! The first day on the real binaries: a test order by a click, paid on the payment provider's page and booked, and what the
//! guide, the overview and the pages of a reading say meanwhile.

use std::time::Duration;

use bokbro_tests::stack::{LIMIT, Stack, read, until};
use bokbro_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::Value;

fn person(name: &str) -> String {
    format!("{name}@demobolaget.example")
}

/// What lies in a page between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> Option<&'a str> {
    page.split_once(from)?.1.split_once(to).map(|(found, _)| found)
}

#[tokio::test]
async fn a_test_order_is_made_paid_and_booked_with_pages_alone() {
    let Some(stack) = Stack::shared() else { return };
    let mut operator = Visitor::signed_in(&stack, &person("operator")).await;
    let guide = operator.get("/app/guide").await;
    assert!(guide.html.contains("<h1>Get started</h1>"), "{}", guide.html);
    assert!(guide.html.contains("action=\"/app/orders/test\""), "{}", guide.html);
    assert!(!guide.html.contains("href=\"/app/settings\""), "nobody is led to where they may not go");

    let made = operator.post("/app/orders/test", &[]).await;
    let id = made.at.strip_prefix("/app/orders/").unwrap().to_owned();
    assert!(made.status == StatusCode::OK && made.html.contains("Order TEST-"), "{}", made.html);
    let page = between(&made.html, "href=\"http", "\"").map(|rest| format!("http{rest}")).unwrap();
    assert!(page.starts_with(&format!("{}/web/checkout?ref=", stack.text("/simulators/viva"))), "{page}");
    let code: u64 = page.rsplit('=').next().unwrap().parse().unwrap();
    let mut viewer = Visitor::signed_in(&stack, &person("viewer")).await;
    let seen = viewer.get(&made.at).await;
    assert!(!seen.html.contains("Pay the test order"), "{}", seen.html);

    stack.pay_on_the_page(code).await;
    let path = format!("/app/orders/{id}");
    until(LIMIT, "the test order to be booked", async || {
        operator.get(&path).await.html.contains("The invoice is booked").then_some(())
    })
    .await;
    let shown = operator.get(&path).await;
    assert!(!shown.html.contains("Pay the test order") && !shown.html.contains(&page), "{}", shown.html);
    let guide = operator.get("/app/guide").await;
    let order = between(&guide.html, "See an order being booked", "</li>").unwrap();
    assert!(order.contains("Done"), "{order}");
    let overview = operator.get("/app").await;
    assert!(overview.html.contains("<svg class=\"chart\"") && overview.html.contains("href=\"/app/guide\""));
    assert!(overview.html.contains(&format!("href=\"{path}\"")), "it is among the latest: {}", overview.html);
}

#[tokio::test]
async fn programs_make_a_test_order_once_per_key() {
    let Some(stack) = Stack::shared() else { return };
    let key = uuid::Uuid::new_v4().to_string();
    let make = async || {
        let request = stack.request(Method::POST, "/v1/orders/test").header("idempotency-key", &key);
        read(request).await
    };
    let (status, first) = make().await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert!(first["order_number"].as_str().unwrap().starts_with("TEST-"), "{first}");
    let code = first["viva_order_code"].as_str().unwrap();
    assert!(first["pay_at"].as_str().unwrap().ends_with(&format!("/web/checkout?ref={code}")), "{first}");
    let (status, again) = make().await;
    assert_eq!((status, &again["id"], &again["pay_at"]), (StatusCode::OK, &first["id"], &first["pay_at"]));
}

/// Somebody with nothing connected is led, and an owner is shown where.
#[tokio::test]
async fn a_new_company_is_led_from_the_overview_to_every_step() {
    let Some(stack) = Stack::shared() else { return };
    let mut agency = Visitor::signed_in(&stack, &person("agency")).await;
    agency.post("/app/tenant", &[("tenant", "second")]).await;
    let overview = agency.get("/app").await;
    // Other tests choose settings there, so that a step or two may be done.
    assert!(overview.html.contains(" of 5 steps are done."), "{}", overview.html);
    let guide = agency.get("/app/guide").await;
    for path in ["/app/connections", "/app/settings", "/app/keys"] {
        assert!(guide.html.contains(&format!("href=\"{path}\"")), "{path}: {}", guide.html);
        assert_eq!(agency.get(path).await.status, StatusCode::OK, "{path}");
    }
    let order = agency.post("/app/orders/test", &[]).await;
    assert!(order.html.contains("opened no page"), "{}", order.html);
    let number = between(&order.html, "<h1>Order ", "</h1>").unwrap();
    assert!(order.html.contains(&format!("with {number} as the shop")), "{}", order.html);
}

#[tokio::test]
async fn a_reading_tells_how_far_it_is_until_it_is_over() {
    let Some(stack) = Stack::alone() else { return };
    let mut bookkeeper = Visitor::signed_in(&stack, &person("bookkeeper")).await;
    let asked = bookkeeper.post("/app/connections/fortnox/sync", &[]).await;
    let job = asked.at.clone();
    assert!(job.starts_with("/app/jobs/job_"), "{job}");
    // Without scripts too there is a way to see how it goes.
    let over = |html: &str| html.contains("Ended");
    assert!(over(&asked.html) || asked.html.contains(&format!("href=\"{job}\"")), "{}", asked.html);
    until(Duration::from_secs(60), "the reading to end", async || {
        over(&bookkeeper.get(&job).await.html).then_some(())
    })
    .await;
    let shown = bookkeeper.get("/app/connections").await;
    let card = between(&shown.html, "id=\"r-fortnox\"", "</div>").unwrap();
    assert!(card.contains("Customers") && card.contains("Read up to"), "{card}");
    assert!(!card.contains("data-refresh") && !card.contains(&job), "{card}");
    let told: Value = stack.get(&format!("/v1/jobs/{}", job.trim_start_matches("/app/jobs/"))).await;
    assert_eq!(told["state"], "done", "{told}");
}
