//! A provider is disconnected and connected again on its consent page, which somebody may also refuse.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::{LIMIT, Stack};
use bokbro_tests::visitor::person;
use serde_json::json;

/// The part of the page that is about the ledger program.
const CARD: &str = "//section[@aria-labelledby=\"c-fortnox\"]";

/// The owner in front of the provider's consent page.
async fn at_the_consent_page(owner: &Chromium, link: &str) {
    owner.go("/app/connections").await;
    owner.click_in(CARD, link).await;
    owner.sees("An app asks for your books").await;
}

#[tokio::test]
async fn an_owner_refuses_a_consent_then_gives_it_and_an_order_is_booked() {
    // Alone, because for a moment nobody can book anything.
    let Some(stack) = Stack::alone() else { return };
    stack.steer("fortnox", "config", &json!({ "consent_answer": "ask" })).await;
    for scripts in Scripts::BOTH {
        let Some(owner) = Chromium::signed_in(&stack, scripts, &person("owner")).await else { return };
        at_the_consent_page(&owner, "Connect again").await;
        owner.click("Refuse").await;
        owner.sees("Nothing has changed").await;
        if scripts == Scripts::On {
            owner.looks_well("consent-refused").await;
        }
        owner.click("To the connections").await;
        owner.click_in(CARD, "Check").await;
        owner.sees("The connection works.").await;

        owner.click_and_answer("Disconnect Fortnox", true).await;
        owner.sees("The connection is disconnected.").await;
        owner.sees_in(CARD, "disconnected").await;
        at_the_consent_page(&owner, "Connect").await;
        owner.click("Approve").await;
        owner.sees("Fortnox is connected").await;
        if scripts == Scripts::On {
            owner.looks_well("consent-given").await;
        }
        owner.click("To the connections").await;
        owner.sees_in(CARD, "works").await;

        let order = stack.ordered().await;
        stack.pay_on_the_page(order.code).await;
        stack.booked(&order, LIMIT).await;
        stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    }
    stack.steer("fortnox", "config", &json!({ "consent_answer": "approve" })).await;
}

#[tokio::test]
async fn whoever_thinks_again_at_the_question_disconnects_nothing() {
    let Some(stack) = Stack::shared() else { return };
    let Some(owner) = Chromium::signed_in(&stack, Scripts::On, &person("owner")).await else { return };
    owner.go("/app/connections").await;
    owner.click_and_answer("Disconnect Fortnox", false).await;
    owner.reload().await;
    owner.sees_in(CARD, "Connect again").await;
}
