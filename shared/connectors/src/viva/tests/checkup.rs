//! Check-ups: both pairs of credentials are tried, and the one that is wrong is named.

use bokbro_app::ports::{Checkup as _, Findings};

use super::*;
use crate::viva::ENTRY_FIELDS;

const TOKEN: &str = r#"{"access_token":"t","expires_in":3600,"token_type":"Bearer"}"#;
const KEY: &str = "5133A9C05133A9C05133A9C05133A9C05133A9C0";

async fn check(bench: &Bench) -> Result<Findings, Error> {
    bench.viva.check(&bench.access).await
}

fn key(name: &str) -> Reply {
    status(200, &format!(r#"{{"{name}":"{KEY}"}}"#))
}

#[tokio::test]
async fn both_pairs_are_tried_and_the_webhook_key_is_found() {
    for name in ["Key", "key"] {
        let bench = bench([status(200, TOKEN), key(name)]);
        let findings = check(&bench).await.unwrap();
        assert_eq!(findings.settings, BTreeMap::from([("webhook_key".to_owned(), KEY.to_owned())]));
        let sent: Vec<_> =
            bench.script.sent().into_iter().map(|sent| (sent.line, sent.authorization)).collect();
        let expected =
            [("POST /connect/token", "Basic c:s"), ("GET /api/messages/config/token", "Basic m:k")];
        assert_eq!(sent, expected.map(|(line, auth)| (line.to_owned(), auth.to_owned())));
    }
}

#[tokio::test]
async fn the_wrong_pair_is_named() {
    let cases = [
        (vec![status(400, r#"{"error":"invalid_client"}"#)], "Smart Checkout client id"),
        (vec![status(401, "")], "Smart Checkout client id"),
        (vec![status(200, TOKEN), status(401, "")], "merchant id and API key"),
        (vec![status(200, TOKEN), status(403, "<html>")], "merchant id and API key"),
    ];
    for (index, (replies, says)) in cases.into_iter().enumerate() {
        let error = check(&bench(replies)).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::NeedsConsent, "case {index}: {error}");
        assert!(error.to_string().contains(says), "case {index}: {error}");
    }
}

#[tokio::test]
async fn an_outage_is_not_a_wrong_pair() {
    let late = || status(503, "");
    let cases = [
        vec![late()],
        vec![Reply::MaybeSent],
        vec![status(200, TOKEN), late(), late(), late()],
        vec![status(200, TOKEN), status(404, "")],
        vec![status(200, TOKEN), status(200, "{}")],
        vec![status(200, TOKEN), status(200, "<html>")],
    ];
    for (index, replies) in cases.into_iter().enumerate() {
        let error = check(&bench(replies)).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "case {index}: {error:?}");
    }
}

#[tokio::test]
async fn the_merchant_id_of_the_settings_comes_first() {
    let mut bench = bench([status(200, TOKEN), key("Key")]);
    let mut connection = (*bench.access.connection).clone();
    connection.settings.insert("merchant_id".to_owned(), "from-settings".to_owned());
    bench.access.connection = Arc::new(connection);
    check(&bench).await.unwrap();
    assert_eq!(bench.script.sent()[1].authorization, "Basic from-settings:k");
}

#[test]
fn keys_and_secrets_are_write_only() {
    let secret = |wanted: bool| {
        ENTRY_FIELDS.iter().filter(|field| field.secret == wanted).map(|field| field.name).collect::<Vec<_>>()
    };
    assert_eq!(secret(true), ["api_key", "client_id", "client_secret"]);
    assert_eq!(secret(false), ["merchant_id", "source_codes"]);
    let optional: Vec<_> =
        ENTRY_FIELDS.iter().filter(|field| !field.required).map(|field| field.name).collect();
    assert_eq!(optional, ["source_codes"]);
}
