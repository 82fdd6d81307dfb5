//! The proof of who signed in: an ID token, believed only with the right signature, issuer, audience, time and nonce
//! (OpenID Connect Core 1.0 section 3.1.3.7).

use std::collections::BTreeMap;
use std::sync::Once;

use bokbro_app::ports::Identity;
use bokbro_app::secret::SecretText;
use jiff::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation, decode, decode_header};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;
/// How a proof may be signed: by a private key, never by a secret that we have too.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

/// The provider's public keys.
#[derive(Clone)]
pub(super) struct Keys(JwkSet);

/// What a proof must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// What a proof says, once it is believed.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Claims {
    /// Who it is.
    pub(super) fn identity(&self, groups_claim: &str) -> Identity {
        let groups = match self.others.get(groups_claim) {
            Some(Value::Array(groups)) => {
                groups.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            // Some providers list them in one text.
            Some(Value::String(groups)) => groups.split([' ', ',']).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let name = self.email.clone().filter(|email| !email.is_empty());
        Identity { subject: self.sub.clone(), name: name.unwrap_or_else(|| self.sub.clone()), groups }
    }
}

/// The id of the key that a token claims to be signed with.
pub(super) fn key_id(token: &SecretText) -> Result<String, &'static str> {
    let header = decode_header(token.expose()).map_err(|_| "it is no token")?;
    header.kid.ok_or("it names no key")
}

impl Keys {
    pub(super) fn new(keys: JwkSet) -> Self {
        install();
        Self(keys)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.find(key).is_some()
    }

    /// Reads a token and believes it, or says why not.
    pub(super) fn verify(&self, token: &SecretText, expected: &Expected<'_>) -> Result<Claims, &'static str> {
        let header = decode_header(token.expose()).map_err(|_| "it is no token")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("it is signed in a way that does not count");
        }
        let jwk =
            header.kid.as_deref().and_then(|kid| self.0.find(kid)).ok_or("its key is not the provider's")?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| "its key cannot be used")?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[expected.issuer]);
        validation.set_audience(&[expected.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // By our own clock below, which tests can set.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let claims: Claims =
            decode(token.expose(), &key, &validation).map_err(|error| why(error.kind()))?.claims;
        let now = expected.now.as_second();
        if claims.exp.saturating_add(LEEWAY) <= now {
            return Err("it is too old");
        }
        if [claims.iat, claims.nbf].into_iter().flatten().any(|from| from > now.saturating_add(LEEWAY)) {
            return Err("it is from the future");
        }
        if claims.azp.as_deref().is_some_and(|azp| azp != expected.audience) {
            return Err("it is for another app");
        }
        if claims.nonce.as_deref() != Some(expected.nonce) {
            return Err("it is of another visit");
        }
        Ok(claims)
    }
}

fn why(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidIssuer => "it is from another provider",
        ErrorKind::InvalidAudience => "it is for another app",
        _ => "it cannot be read",
    }
}

/// Has signatures checked by the same library that speaks TLS, instead of bringing another one.
fn install() {
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    // An error means that the process has it already.
    ONCE.call_once(|| {
        RING.install_default().ok();
    });
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    if ALGORITHMS.contains(algorithm) {
        Ok(Box::new(ByRing { algorithm: *algorithm, key: key.clone() }))
    } else {
        Err(ErrorKind::InvalidAlgorithm.into())
    }
}

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl signature::Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match (self.algorithm, self.key.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            _ => return Err(signature::Error::new()),
        };
        verified.map_err(signature::Error::from_source)
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
