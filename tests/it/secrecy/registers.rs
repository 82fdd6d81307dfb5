//! What reading registers says while it goes on: which calls were made, and nothing of what came.

use std::sync::Arc;

use bokbro_app::ports::{Register, Span};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::kit::Fault;
use bokbro_simulators::viva::VivaConfig;
use bokbro_tests::world::World;
use serde_json::json;

use super::taps::{Eavesdropper, capture_logs};
use crate::read_back::Reader;

#[tokio::test]
async fn no_token_and_nobody_s_name_is_logged() {
    let (logs, wire) = (capture_logs(), Arc::new(Eavesdropper::new()));
    let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
    let world = World::start_over(wire.clone(), PostingProfile::Invoice, config, VivaConfig::default()).await;
    world.fortnox.configure(&json!({"fill": {"customers": 600, "invoices": 600}})).unwrap();
    let reader = Reader::of(&world, "fortnox").await;
    // A refusal that quotes what it should not.
    let quoted = json!({"ErrorInformation": {"error": 1, "message": "Kund7@example.se", "code": 2_000_588}});
    let refusal = Fault { body: Some(quoted.to_string()), ..Fault::status(400, "GET", "/3/invoices") };
    world.fortnox.faults.add(refusal);
    let error = reader.all(Register::Invoices, Span::All).await.unwrap_err();
    for register in Register::ALL {
        reader.all(register, Span::All).await.unwrap();
    }
    let said = logs.text() + &format!("{error:?} {error}");
    for wanted in ["list_customers", "list_invoices", "provider call", "fortnox_2000588"] {
        assert!(said.contains(wanted), "nothing is said of {wanted}");
    }
    let secrets = wire.secrets();
    assert!(!secrets.is_empty());
    for secret in secrets.iter().map(String::as_str).chain(["Kund7", "Kund 7", "kund7@", "551000-"]) {
        assert!(!said.contains(secret), "{} letters of a secret are said", secret.len());
    }
}
