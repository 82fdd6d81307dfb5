//! An order becomes done while somebody looks at its page, and another is canceled.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::Stack;
use bokbro_tests::visitor::person;

#[tokio::test]
async fn a_viewer_finds_an_order_and_watches_it_become_done() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let order = stack.ordered().await;
        let Some(viewer) = Chromium::signed_in(&stack, scripts, &person("viewer")).await else { return };
        viewer.click("Orders").await;
        // By the code that the payment provider gave it, of which scripts must not make a number.
        viewer.fill("Search", &order.code.to_string()).await;
        viewer.click("Show").await;
        let page = format!("/app/orders/{}", order.id);
        viewer.follow(&page).await;
        viewer.sees("waits for payment").await;
        viewer.sees_nothing_of("The invoice is booked").await;

        stack.pay_on_the_page(order.code).await;
        viewer.watches_for("The invoice is booked").await;
        assert_eq!(viewer.at().await, page);
        viewer.watches_for("747,00").await;
        viewer.sees_nothing_of("waits for payment").await;
        stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    }
}

#[tokio::test]
async fn an_operator_makes_a_test_order_pays_it_and_watches_it_become_done() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let Some(operator) = Chromium::signed_in(&stack, scripts, &person("operator")).await else { return };
        operator.go("/app/guide").await;
        operator.click("Make a test order").await;
        operator.sees("waits for payment").await;
        let page = operator.at().await;
        assert!(page.starts_with("/app/orders/ord_"), "{page}");
        operator.click_at("//section[@aria-labelledby=\"pay-title\"]//a").await;
        operator.click("Pay").await;
        operator.sees("Thank you, the order is paid.").await;
        operator.go(&page).await;
        operator.watches_for("The invoice is booked").await;
        operator.sees_nothing_of("waits for payment").await;
    }
}

#[tokio::test]
async fn an_operator_cancels_an_order_after_a_second_thought() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let order = stack.ordered().await;
        let Some(operator) = Chromium::signed_in(&stack, scripts, &person("operator")).await else { return };
        operator.go(&format!("/app/orders/{}", order.id)).await;
        if scripts == Scripts::On {
            operator.click_and_answer("Cancel", false).await;
            operator.reload().await;
            operator.sees("waits for payment").await;
        }
        operator.click_and_answer("Cancel", true).await;
        operator.sees("The order is canceled").await;
        assert!(!operator.is_offered("Cancel").await);
    }
}
