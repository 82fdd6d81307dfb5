//! Entering the warehouse's credentials: checked first, and of the webhook's secret only the hash leaves the vault.

use bokbro_app::connections::{EntryRefusal, ShownState, connection_enter, connection_health};
use bokbro_app::ports::{Directory as _, Endpoints as _};
use bokbro_app::webhooks::{Ingress, Intake, parcel_webhook_receive, token_sha256};
use bokbro_domain::ids::Provider;
use bokbro_tests::browser::correlation;
use bokbro_tests::world::{World, tenant, tester};
use serde_json::json;

const SECRET: &str = "made-up-by-a-person";

#[tokio::test]
async fn entered_credentials_are_checked_and_the_secret_of_the_webhook_is_kept_as_a_hash() {
    let world = World::start().await;
    let ongoing = Provider::parse("ongoing").unwrap();
    let enter = async |password: &str, goods_owner: &str| {
        let body = json!({"warehouse": "demo", "goods_owner_id": goods_owner, "user": "WSI-demo", "password": password,
            "webhook_token": SECRET});
        connection_enter(
            &world.app,
            tester(&tenant(), &correlation(&world)),
            &ongoing,
            body.to_string().as_bytes(),
        )
        .await
    };
    let right = "simulated-warehouse-password";
    assert!(matches!(enter("wrong", "159").await, Err(EntryRefusal::NotLetIn { .. })));
    assert!(matches!(enter(right, "x").await, Err(EntryRefusal::NotLetIn { .. })));
    assert!(matches!(enter(right, "160").await, Err(EntryRefusal::NotLetIn { .. })), "another goods owner");
    assert!(world.store.connection_get(&tenant(), &ongoing).await.unwrap().is_none(), "nothing was stored");

    let view = enter(right, "159").await.unwrap();
    assert_eq!(view.state, ShownState::Healthy);
    let shown = format!("{view:?}");
    for hidden in [right, SECRET, "WSI-demo", &token_sha256(SECRET)] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let name = view.webhook_endpoint.unwrap();
    let endpoint = world.store.endpoint_get(&name).await.unwrap().unwrap();
    assert_eq!(endpoint.token_sha256, Some(token_sha256(SECRET)));
    let intake = Intake::of(&world.app);
    let body = br#"{"orderNumber":"1"}"#;
    for (token, taken) in [(SECRET, true), ("another", false)] {
        let correlation = intake.correlation();
        let ingress = parcel_webhook_receive(&intake, &ongoing, &name, Some(token), body, &correlation).await;
        assert_eq!(matches!(ingress, Ingress::Accepted), taken, "{ingress:?}");
    }
    // A check later keeps the endpoint and shows what the warehouse's statuses are called.
    let health = connection_health(&world.app, &tenant(), &ongoing, &correlation(&world)).await.unwrap();
    assert!(health.healthy && health.details["statuses"].contains("450 Sent"), "{health:?}");
    assert_eq!(world.store.endpoint_get(&name).await.unwrap(), Some(endpoint));
}
