//! Who gets in, and what people of every role are shown and refused.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::Stack;
use bokbro_tests::visitor::person;

use crate::stack_pages::{PAGES, ROLES, may, nowhere};

#[tokio::test]
async fn an_owner_signs_in_on_the_way_to_a_page_and_out_again() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let Some(owner) = Chromium::open(&stack, scripts).await else { return };
        owner.go("/app/orders?state=paid").await;
        owner.sees("You sign in at your company's sign-in service").await;
        owner.sign_in(&person("owner")).await;
        owner.sees(&format!("Signed in as {}", person("owner"))).await;
        assert_eq!(owner.at().await, "/app/orders?state=paid", "where they wanted to go");
        owner.click("Sign out").await;
        owner.sees("You are signed out").await;
        owner.go("/app/orders").await;
        owner.sees("You sign in at your company's sign-in service").await;
    }
}

#[tokio::test]
async fn whoever_is_in_no_group_is_told_what_to_do() {
    let Some(stack) = Stack::shared() else { return };
    let Some(stranger) = Chromium::open(&stack, Scripts::On).await else { return };
    stranger.go("/app").await;
    stranger.sign_in(&person("stranger")).await;
    stranger.sees("You have no access").await;
    stranger.sees("demo:bookkeeper").await;
    stranger.looks_well("no-access").await;
}

/// Scripts that do not run are what the other tests rely on, so this one shows it.
#[tokio::test]
async fn scripts_run_only_where_they_may() {
    let Some(stack) = Stack::shared() else { return };
    for (scripts, title) in [(Scripts::On, "ran"), (Scripts::Off, "did not run")] {
        let Some(anybody) = Chromium::open(&stack, scripts).await else { return };
        anybody.visit("data:text/html,<title>did not run</title><script>document.title='ran'</script>").await;
        assert_eq!(anybody.title().await, title, "{scripts:?}");
    }
}

#[tokio::test]
async fn nobody_is_led_or_let_to_what_is_not_theirs() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    for role in ROLES {
        let Some(somebody) = Chromium::signed_in(&stack, Scripts::On, &person(role)).await else { return };
        for (path, least) in PAGES {
            let is_menu = path != "/app/sign-in" && !path.contains('{');
            let link = format!("//a[@href=\"{path}\"]");
            assert_eq!(somebody.has(&link).await, is_menu && may(role, least), "the menu of {role}: {path}");
        }
        // Whoever is not led there can still type the address.
        for (path, least) in PAGES {
            somebody.go(&nowhere(path)).await;
            somebody.sees_in("//main/h1", "").await;
            let refused = somebody.text().await.contains("You may not do this");
            assert_eq!(refused, !may(role, least), "{role} at {path}");
            if refused && role == "viewer" && path == "/app/settings" {
                somebody.sees("It needs the role owner").await;
                somebody.looks_well("forbidden").await;
            }
        }
        somebody.go(&format!("/app/orders/{}", order.id)).await;
        somebody.sees("waits for payment").await;
        assert_eq!(somebody.is_offered("Look at the order again").await, may(role, "operator"), "{role}");
        if may(role, "bookkeeper") {
            somebody.go("/app/connections").await;
            somebody.sees("Fortnox").await;
            assert_eq!(somebody.is_offered("Disconnect Fortnox").await, may(role, "owner"), "{role}");
        }
    }
}
