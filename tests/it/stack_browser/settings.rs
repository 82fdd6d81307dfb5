//! An owner changes a setting and hands out a key; the audit log tells of both.

use bokbro_tests::chromium::{Chromium, Scripts};
use bokbro_tests::stack::{Stack, read};
use bokbro_tests::visitor::person;
use reqwest::{Method, StatusCode};

/// The newest entry of the audit log.
const NEWEST: &str = "//main//tbody/tr[1]";

#[tokio::test]
async fn an_owner_changes_an_account_and_reads_of_it_in_the_audit_log() {
    // Alone, because nobody else's order should be booked there.
    let Some(stack) = Stack::alone() else { return };
    for scripts in Scripts::BOTH {
        let Some(owner) = Chromium::signed_in(&stack, scripts, &person("owner")).await else { return };
        let before = {
            owner.click("Settings").await;
            owner.sees_in("//h1", "Settings").await;
            owner.field("Claim on the payment provider").await
        };
        for account in ["1584", before.as_str()] {
            owner.fill("Claim on the payment provider", account).await;
            owner.click("Store").await;
            owner.sees("The settings are stored.").await;
            assert_eq!(owner.field("Claim on the payment provider").await, account);
            if scripts == Scripts::On {
                owner.looks_well("settings-stored").await;
            }
            owner.click("Audit log").await;
            owner.sees_in(NEWEST, "Settings changed").await;
            owner.sees_in(NEWEST, &person("owner")).await;
            owner.sees_in(NEWEST, account).await;
            owner.click("Settings").await;
        }
    }
}

#[tokio::test]
async fn an_owner_hands_a_key_out_and_takes_it_back() {
    let Some(stack) = Stack::shared() else { return };
    for scripts in Scripts::BOTH {
        let Some(owner) = Chromium::signed_in(&stack, scripts, &person("owner")).await else { return };
        let name = format!("webshop {}", uuid::Uuid::new_v4().simple());
        owner.click("API keys").await;
        owner.fill("Name", &name).await;
        owner.choose("Role", "viewer").await;
        owner.click("Make a key").await;
        owner.sees("It is never shown again.").await;
        let key = owner.text_of("//*[@id=\"made-key\"]").await;
        if scripts == Scripts::On {
            owner.looks_well("key-made").await;
        }
        let orders = || stack.stranger(Method::GET, "/v1/orders").bearer_auth(&key);
        assert_eq!(read(orders()).await.0, StatusCode::OK);
        owner.go("/app/keys").await;
        owner.sees(&name).await;
        owner.sees_nothing_of(&key).await;
        owner.click_and_answer(&format!("Revoke {name}"), true).await;
        owner.no_longer_sees(&name).await;
        assert_eq!(read(orders()).await.0, StatusCode::UNAUTHORIZED);
    }
}
