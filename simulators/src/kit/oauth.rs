//! What simulated authorization servers share: codes and tokens, the way back to the caller, and who calls.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Makes codes and tokens, and remembers every one, so that tests can search for them where they must not be. It has no
/// `Debug`, for the same reason.
pub(crate) struct Mint {
    salt: String,
    digests: u64,
    made: Vec<String>,
}

impl Mint {
    /// A mint whose codes and tokens differ from those of other salts.
    pub(crate) fn new(salt: String) -> Self {
        Self { salt, digests: 0, made: Vec::new() }
    }

    /// 64 hexadecimal digits that never come again.
    pub(crate) fn digest(&mut self, now: Timestamp) -> String {
        self.digests += 1;
        let digest = Sha256::digest(format!("{}/{}/{now}", self.salt, self.digests));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Gives a code or token out.
    pub(crate) fn give(&mut self, secret: String) -> String {
        self.made.push(secret.clone());
        secret
    }

    /// A JWT with these claims, whose signature is made up.
    pub(crate) fn jwt(&mut self, algorithm: &str, claims: &Value, now: Timestamp) -> String {
        let signature = self.digest(now);
        let head = format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        self.give(format!("{}.{}.{}", part(&head), part(&claims.to_string()), part(&signature[..43])))
    }

    /// Every code and token given out so far, dead ones too.
    pub(crate) fn made(&self) -> &[String] {
        &self.made
    }
}

/// Whether a call carries the Basic credentials of the registered app.
pub(crate) fn is_client(headers: &HeaderMap, id: &str, secret: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given =
        given.and_then(|value| value.strip_prefix("Basic ")).and_then(|value| STANDARD.decode(value).ok());
    given.is_some_and(|given| given == format!("{id}:{secret}").as_bytes())
}

/// Sends the browser back with these parameters, or with none at all.
pub(crate) fn back_to(redirect_uri: &str, parameters: &[(&str, &str)]) -> Response {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let joint = match (query.is_empty(), redirect_uri.contains('?')) {
        (true, _) => "",
        (false, true) => "&",
        (false, false) => "?",
    };
    Redirect::to(&format!("{redirect_uri}{joint}{}", query.join("&"))).into_response()
}

/// Percent-encodes what is not unreserved in a query.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The end of a life that begins now.
pub(crate) fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.saturating_add(life).unwrap_or(Timestamp::MAX)
}
