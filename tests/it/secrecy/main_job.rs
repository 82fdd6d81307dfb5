//! The main job and its bad days: no secret, and nothing personal of a webhook, reaches a log, a queue, the table or an
//! error.

use std::collections::BTreeSet;
use std::time::Duration;

use bokbro_app::webhooks::Ingress;
use bokbro_simulators::kit::{Fault, Kind};
use serde_json::{Value, json};

use super::watched::{BUYER, PAYER, Watched};

/// What must show in each place, so that the search is known to look in the right one.
pub(super) const SEEN: [(&str, &[&str]); 4] = [
    ("logs", &["provider call", "webhook received", "\"message\":\"parked\"", "hyper_util"]),
    ("queues", &["viva", "transaction"]),
    ("store", &["asa@example.se", "fortnox_2000359", "tenant_id"]),
    ("errors", &["create_invoice", "does not let us in", "not a JSON object"]),
];

#[tokio::test]
async fn no_log_queue_item_or_error_holds_a_secret_or_the_payer() {
    let mut watched = Watched::start().await;
    main_job(&mut watched).await;
    let places = watched.places().await;
    watched.assert_silent(&places, &SEEN);
}

/// Payments that are booked, refused, forged and never let in, at providers that quote whatever they were sent.
pub(super) async fn main_job(watched: &mut Watched) {
    let refusal = |status: u16, method: &str, path: &str| {
        // A provider that quotes what it was sent, secrets and all.
        let quoted = format!("fortnox-client-secret-1 viva-client-secret-3 {} {}", PAYER[0], BUYER[0]);
        let body = json!({"error": "invalid_client", "error_description": quoted, "message": quoted,
            "ErrorInformation": {"error": 1, "message": quoted, "code": 2000359}});
        Fault { body: Some(body.to_string()), ..Fault::status(status, method, path) }
    };

    // The main job, with a token that is refused and a server that breaks down.
    let event = watched.paid("1").await;
    for payer in PAYER {
        assert!(event.contains(payer), "the webhook does not tell {payer}");
    }
    watched.world.fortnox.faults.add(refusal(401, "POST", "/3/invoices"));
    watched.world.fortnox.faults.add(refusal(500, "PUT", "/3/invoices/{}/bookkeep"));
    watched.world.fortnox.faults.add(Fault::new(Kind::DropAfterCommit, "POST", "/3/invoicepayments"));
    watched.world.viva.kit.faults.add(refusal(401, "GET", "/checkout/v2/transactions/{}"));
    watched.world.viva.kit.faults.add(refusal(500, "GET", "/checkout/v2/transactions/{}"));
    watched.take(&event).await;
    assert_eq!(watched.world.books("invoice_payments").len(), 1, "{:?}", watched.world.errors);

    // A forgery, and bodies that are no events at all.
    let mut forged: Value = serde_json::from_str(&event).unwrap();
    forged["EventData"]["TransactionId"] = json!("00000000-0000-4000-8000-000000000bad");
    watched.take(&forged.to_string()).await;
    for broken in [event.replace("1796", "\"x\""), event[..event.len() / 2].to_owned()] {
        match watched.world.webhook(&broken).await {
            Ingress::NotAnEvent(why) => watched.world.errors.push(why.to_string()),
            other => panic!("{other:?}"),
        }
    }

    // A refusal for good that quotes the buyer.
    let event = watched.paid("2").await;
    watched.world.fortnox.faults.add(refusal(400, "POST", "/3/invoices"));
    watched.take(&event).await;

    // Both providers refuse to give a token, some hours later.
    for (number, faults, path) in [
        ("3", watched.world.fortnox.faults.clone(), "/oauth-v1/token"),
        ("4", watched.world.viva.kit.faults.clone(), "/connect/token"),
    ] {
        for status in [500, 401] {
            let event = watched.paid(&format!("{number}-{status}")).await;
            watched.world.clock.advance(Duration::from_secs(3 * 3600));
            faults.add(refusal(status, "POST", path).times(20));
            watched.take(&event).await;
            let left: u32 = faults.remaining().iter().map(|fault| fault.times).sum();
            assert!(left < 20, "nobody asked {path} for a token");
            faults.clear();
        }
    }

    let parked: BTreeSet<String> = watched.parked().await.into_iter().map(|item| item.code).collect();
    for code in ["transaction_unknown", "fortnox_2000359", "needs_consent"] {
        assert!(parked.contains(code), "{code} did not happen: {parked:?}");
    }
}
