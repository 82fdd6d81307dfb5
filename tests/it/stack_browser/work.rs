//! What failed is mended: a payment finds its order, a dead letter is sent again.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::{LIMIT, Stack, own_sample, read, until};
use bokbro_tests::visitor::person;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::stack_replay::{bury, payment};

#[tokio::test]
async fn a_bookkeeper_finds_the_order_of_a_payment() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let code = stack.checkout(74_700, "a text that names nothing").await;
        let (transaction, event) = stack.pay_in_silence(code).await;
        read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
        let item =
            until(LIMIT, "the payment to be parked", async || stack.parked_for(&transaction).await.pop());
        let item = item.await["id"].as_str().unwrap().to_owned();
        let mut body = own_sample();
        body["viva_order_code"] = Value::Null;
        let (status, order) = stack.post(&body).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        let order = order["id"].as_str().unwrap();

        let Some(bookkeeper) = Chromium::signed_in(&stack, scripts, &person("bookkeeper")).await else {
            return;
        };
        bookkeeper.click("Needs attention").await;
        bookkeeper.follow(&format!("/app/parked/{item}")).await;
        bookkeeper.sees("A payment without an order").await;
        bookkeeper.sees(&transaction).await;
        let form = "//form[.//input[@name=\"action\" and @value=\"match\"]]";
        bookkeeper.fill_in(form, "The order's id", "ord_1").await;
        bookkeeper.click_in(form, "Belongs to an order").await;
        bookkeeper.sees_in("//*[@role=\"alert\"]", "Id of the order").await;
        if scripts == Scripts::On {
            bookkeeper.looks_well("parked-refused").await;
        }
        bookkeeper.fill_in(form, "The order's id", order).await;
        bookkeeper.fill_in(form, "Reason", "the buyer called").await;
        bookkeeper.click_in(form, "Belongs to an order").await;
        bookkeeper.sees_in("//h1", "Needs attention").await;
        assert!(!bookkeeper.has(&format!("//a[@href=\"/app/parked/{item}\"]")).await, "it is off the list");
        bookkeeper.go(&format!("/app/orders/{order}")).await;
        bookkeeper.watches_for("The invoice is booked").await;
    }
}

#[tokio::test]
async fn a_bookkeeper_sends_a_dead_letter_again() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let order = stack.ordered().await;
        let id = bury(&stack, "payments", payment(&stack, &order).await.to_json()).await;
        let Some(bookkeeper) = Chromium::signed_in(&stack, scripts, &person("bookkeeper")).await else {
            return;
        };
        // Somebody else's look may hide it for a moment.
        let name = format!("Choose {id}");
        bookkeeper.opens_until("/app/dead-letters", &format!("//input[@aria-label=\"{name}\"]")).await;
        bookkeeper.tick(&name).await;
        bookkeeper.fill("Reason", "It works again.").await;
        bookkeeper.click("Send the chosen ones again").await;
        bookkeeper.sees("It works again.").await;
        bookkeeper.watches_for("Ended").await;
        bookkeeper.sees("done").await;
        bookkeeper.go(&format!("/app/orders/{}", order.id)).await;
        bookkeeper.watches_for("The invoice is booked").await;
        stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    }
}
