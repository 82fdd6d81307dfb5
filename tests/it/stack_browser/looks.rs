//! Every page in both languages, on a wide screen in light colors and on a small phone in dark ones: what axe-core finds,
//! and what scrolls sideways. Pictures of all of them are kept.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::{Stack, read};
use bokbro_tests::visitor::person;
use reqwest::Method;

use crate::stack_pages::{PAGES, routes};
use crate::stack_replay::{bury, payment};

/// Addresses that lead elsewhere or are no pages.
const NO_PAGES: [&str; 3] = ["/app/sign-in/start", "/app/sign-in/callback", "/app/assets/{name}"];
/// Addresses for those who are not signed in.
const OUTSIDE: [&str; 2] = ["/app/sign-in", "/app/signed-out"];

/// Where there is something to see: an order that waits for a human, what waits of it, and a job.
struct Samples {
    order: String,
    parked: String,
    job: String,
}

impl Samples {
    async fn of(stack: &Stack) -> Self {
        let order = stack.ordered_abroad().await;
        stack.pay_on_the_page(order.code).await;
        let (parked, other) = (stack.parked_in_the_books(&order).await, stack.ordered().await);
        bury(stack, "payments", payment(stack, &other).await.to_json()).await;
        let (_, job) = read(stack.request(Method::POST, "/v1/connections/fortnox/sync")).await;
        Self { order: order.id, parked, job: job["id"].as_str().unwrap().to_owned() }
    }

    /// The address of a route with something to see.
    fn address(&self, route: &str) -> String {
        let id = match route {
            "/app/orders/{id}" => &self.order,
            "/app/parked/{id}" => &self.parked,
            "/app/jobs/{id}" => &self.job,
            other => {
                assert!(!other.contains('{'), "{other} is new: say here what it shows");
                ""
            }
        };
        route.replace("{id}", id)
    }
}

/// A route as part of a file's name.
fn name(route: &str, language: &str) -> String {
    let route = route.trim_start_matches('/').replace('/', "-").replace(['{', '}'], "");
    format!("{route}-{language}")
}

#[tokio::test]
async fn every_page_looks_well_in_both_languages() {
    let Some(stack) = Stack::shared() else { return };
    let Some(owner) = Chromium::signed_in(&stack, Scripts::On, &person("owner")).await else { return };
    let samples = Samples::of(&stack).await;
    let mut flaws = Vec::new();
    for (language, its_name) in [("sv", "Svenska"), ("en", "English")] {
        owner.go("/app").await;
        if owner.language().await != language {
            owner.click(its_name).await;
        }
        for (route, _) in PAGES.into_iter().filter(|(route, _)| !OUTSIDE.contains(route)) {
            owner.go(&samples.address(route)).await;
            owner.sees_in("//main/h1", "").await;
            assert_eq!(owner.language().await, language, "{route}");
            flaws.extend(owner.flaws(&name(route, language)).await);
        }
        owner.go("/app/nowhere").await;
        flaws.extend(owner.flaws(&name("/app/nowhere", language)).await);
    }
    let Some(nobody) = Chromium::open(&stack, Scripts::On).await else { return };
    for route in routes("Get", " Visit").iter().filter(|route| !NO_PAGES.contains(&route.as_str())) {
        assert!(OUTSIDE.contains(&route.as_str()), "{route} is new: say here whether it is a page");
        nobody.go(route).await;
        nobody.sees_in("//main/h1", "").await;
        flaws.extend(nobody.flaws(&name(route, "en")).await);
    }
    assert!(flaws.is_empty(), "{}", flaws.join("\n"));
}

/// What looks for flaws must find them.
#[tokio::test]
async fn flaws_are_found() {
    let Some(stack) = Stack::shared() else { return };
    let Some(nobody) = Chromium::open(&stack, Scripts::On).await else { return };
    nobody.go("/app/sign-in").await;
    nobody.sees("Sign in").await;
    assert_eq!(nobody.flaws("sign-in").await, Vec::<String>::new());
    for (spoil, rule) in [
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.querySelector('h1').style.color = 'silver'", "color-contrast"),
        ("document.querySelector('main').append(document.createElement('input'))", "label"),
        ("document.querySelector('main').style.minWidth = '2000px'", "2000 px on 360"),
    ] {
        nobody.run(spoil).await;
        let flaws = nobody.flaws("spoiled").await.join("\n");
        assert!(flaws.contains(rule), "{rule}: {flaws}");
    }
}
