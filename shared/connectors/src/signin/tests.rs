//! Tokens that count and tokens that do not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::secret::SecretText;
use jsonwebtoken::jwk::JwkSet;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::proof::{Expected, Keys, key_id};

const NOW: i64 = 1_795_000_000;

/// A provider's key pair.
struct Issuer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap(), random }
    }

    fn keys(&self) -> Keys {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        let keys = json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "alg": "ES256", "use": "sig" },
            { "kty": "oct", "k": URL_SAFE_NO_PAD.encode("shared"), "kid": "k2", "alg": "HS256" },
        ]});
        Keys::new(serde_json::from_value::<JwkSet>(keys).unwrap())
    }

    fn token(&self, header: &Value, claims: &Value) -> SecretText {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&self.random, signed.as_bytes()).unwrap();
        SecretText::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" })
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "app-1", "sub": "s-1", "nonce": "n-1", "iat": NOW, "exp": NOW + 300,
        "email": "asa@example.se", "cognito:groups": ["demo:owner", "staff"],
    })
}

fn verified(issuer: &Issuer, token: &SecretText) -> Result<super::proof::Claims, &'static str> {
    let now = jiff::Timestamp::from_second(NOW).unwrap();
    let expected = Expected { issuer: "https://id.example", audience: "app-1", nonce: "n-1", now };
    issuer.keys().verify(token, &expected)
}

#[test]
fn a_good_token_says_who_it_is() {
    let issuer = Issuer::new();
    let token = issuer.token(&header(), &claims());
    assert_eq!(key_id(&token).unwrap(), "k1");
    let identity = verified(&issuer, &token).unwrap_or_else(|why| panic!("{why}")).identity("cognito:groups");
    assert_eq!((identity.subject.as_str(), identity.name.as_str()), ("s-1", "asa@example.se"));
    assert_eq!(identity.groups, ["demo:owner", "staff"]);
    let several = json!({ "aud": ["app-1", "app-2"], "azp": "app-1", "groups": "a, demo:viewer" });
    let mut claims = claims();
    for (name, value) in several.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let token = issuer.token(&header(), &claims);
    let identity = verified(&issuer, &token).unwrap_or_else(|why| panic!("{why}")).identity("groups");
    assert!(identity.groups.contains(&"demo:viewer".to_owned()));
}

#[test]
fn a_token_with_one_thing_wrong_does_not_count() {
    let issuer = Issuer::new();
    let wrong = [
        ("iss", json!("https://evil.example"), "it is from another provider"),
        ("aud", json!("app-2"), "it is for another app"),
        ("azp", json!("app-2"), "it is for another app"),
        ("nonce", json!("n-2"), "it is of another visit"),
        ("nonce", Value::Null, "it is of another visit"),
        ("exp", json!(NOW - 60), "it is too old"),
        ("iat", json!(NOW + 61), "it is from the future"),
        ("nbf", json!(NOW + 61), "it is from the future"),
    ];
    for (name, value, why) in wrong {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(verified(&issuer, &issuer.token(&header(), &claims)).err(), Some(why), "{name}");
    }
    for name in ["iss", "aud", "sub", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(verified(&issuer, &issuer.token(&header(), &claims)).is_err(), "{name} is missing");
    }
}

#[test]
fn only_the_provider_s_own_signature_counts() {
    let issuer = Issuer::new();
    let claims = claims();
    let foreign = Issuer::new().token(&header(), &claims);
    assert_eq!(verified(&issuer, &foreign).err(), Some("its signature is wrong"));
    let good = issuer.token(&header(), &claims);
    let unsigned = good.expose().rsplit_once('.').unwrap().0;
    assert!(verified(&issuer, &SecretText::new(format!("{unsigned}."))).is_err());
    for (alg, kid) in [("none", "k1"), ("HS256", "k2"), ("HS256", "k1"), ("RS256", "k1"), ("ES256", "k3")] {
        let token = issuer.token(&json!({ "alg": alg, "kid": kid }), &claims);
        assert!(verified(&issuer, &token).is_err(), "{alg} {kid}");
    }
}
