//! The `state` of a consent: signed, so that nobody can make one up, and short-lived, so that an old one is worth nothing.
//!
//! It reads `{key id}.{claims}.{mac}`. The signature is compared as text, so that no second spelling of it counts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_domain::ids::{Provider, TenantId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::secret::{Credentials, SecretText};

/// What the signature is for: the same key signs nothing else by mistake.
const PURPOSE: &[u8] = b"bokbro oauth state v1\0";
/// Fields of the signing secret. While a key is being replaced, what the one before it signed still counts.
const KEYS: [&str; 2] = ["key", "previous_key"];
/// Shortest key that is accepted, in bytes.
const KEY_MIN: usize = 32;

/// What a state says. It stands in an address, so there is no secret in it: the nonce is there as its hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Whose connection.
    pub(super) tenant: TenantId,
    /// To whom.
    pub(super) provider: Provider,
    /// SHA-256 of the nonce that the browser has in its cookie, hex.
    pub(super) nonce: String,
    /// Whether a service account was asked for.
    pub(super) service: bool,
    /// When it ends, in seconds of Unix time.
    pub(super) expires: i64,
}

/// Why a state does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFault {
    /// It is not one of ours, or was changed on its way.
    Forged,
    /// It is too old.
    Expired,
    /// Another browser began.
    OtherBrowser,
    /// It is for another provider than the address.
    OtherProvider,
    /// It was used before.
    Used,
}

/// Makes and checks states.
pub(super) struct Signer {
    /// The key that signs, then those that are only believed.
    keys: Vec<(String, SecretText)>,
}

impl Signer {
    /// A signer with the keys of a secret; `None` when it has none that is long enough.
    pub(super) fn new(secret: &Credentials) -> Option<Self> {
        let long = |key: &&SecretText| key.expose().len() >= KEY_MIN;
        let keys: Vec<_> = KEYS
            .iter()
            .filter_map(|name| secret.get(name).filter(long))
            .map(|key| (key_id(key), key.clone()))
            .collect();
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// The claims, signed.
    pub(super) fn sign(&self, claims: &Claims) -> Option<String> {
        let (id, key) = self.keys.first()?;
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
        let signed = format!("{id}.{claims}");
        let mac = mac(key, &signed)?;
        Some(format!("{signed}.{mac}"))
    }

    /// The claims of a state that we signed and that has not ended.
    pub(super) fn open(&self, state: &str, now: Timestamp) -> Result<Claims, StateFault> {
        let (signed, given) = state.rsplit_once('.').ok_or(StateFault::Forged)?;
        let (id, claims) = signed.split_once('.').ok_or(StateFault::Forged)?;
        let (_, key) = self.keys.iter().find(|(known, _)| known == id).ok_or(StateFault::Forged)?;
        let expected = mac(key, signed).ok_or(StateFault::Forged)?;
        if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
            return Err(StateFault::Forged);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| StateFault::Forged)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| StateFault::Forged)?;
        if claims.expires <= now.as_second() {
            return Err(StateFault::Expired);
        }
        Ok(claims)
    }
}

/// SHA-256 of a nonce, hex: what the state and the table know of it.
pub(super) fn nonce_hash(nonce: &SecretText) -> String {
    hex(&Sha256::digest(nonce.expose().as_bytes()))
}

/// Tells keys apart without telling anything of them.
fn key_id(key: &SecretText) -> String {
    let hash =
        Sha256::new().chain_update(b"bokbro key id\0").chain_update(key.expose().as_bytes()).finalize();
    hex(hash.get(..4).unwrap_or_default())
}

fn mac(key: &SecretText, signed: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    mac.update(PURPOSE);
    mac.update(signed.as_bytes());
    Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_168_800;

    fn secret(fields: &[(&str, &str)]) -> Credentials {
        Credentials::new(fields.iter().map(|(n, v)| ((*n).to_owned(), SecretText::new((*v).to_owned()))))
    }

    fn signer(fields: &[(&str, &str)]) -> Signer {
        Signer::new(&secret(fields)).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claims() -> Claims {
        Claims {
            tenant: TenantId::parse("demo").unwrap(),
            provider: Provider::parse("ledger").unwrap(),
            nonce: nonce_hash(&SecretText::new("nonce".to_owned())),
            service: true,
            expires: NOW + 600,
        }
    }

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const TWO: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_state_reads_back_until_it_ends() {
        let signer = signer(&[("key", ONE)]);
        let state = signer.sign(&claims()).unwrap();
        assert_eq!(signer.open(&state, at(NOW)), Ok(claims()));
        assert_eq!(signer.open(&state, at(NOW + 599)), Ok(claims()));
        assert_eq!(signer.open(&state, at(NOW + 600)), Err(StateFault::Expired));
    }

    #[test]
    fn no_byte_of_a_state_may_change_and_none_may_go_or_come() {
        let signer = signer(&[("key", ONE)]);
        let state = signer.sign(&claims()).unwrap();
        for index in 0..state.len() {
            for other in ["A", "z", "0", ".", "-", "_", "=", " ", "%"] {
                let changed = format!("{}{other}{}", &state[..index], &state[index + 1..]);
                if changed != state {
                    assert_eq!(signer.open(&changed, at(NOW)), Err(StateFault::Forged), "{changed}");
                }
                let longer = format!("{}{other}{}", &state[..index], &state[index..]);
                assert_eq!(signer.open(&longer, at(NOW)), Err(StateFault::Forged), "{longer}");
            }
            let shorter = format!("{}{}", &state[..index], &state[index + 1..]);
            assert_eq!(signer.open(&shorter, at(NOW)), Err(StateFault::Forged), "{shorter}");
        }
    }

    #[test]
    fn the_key_before_still_counts_and_any_other_does_not() {
        let old = signer(&[("key", ONE)]).sign(&claims()).unwrap();
        let rotated = signer(&[("key", TWO), ("previous_key", ONE)]);
        assert_eq!(rotated.open(&old, at(NOW)), Ok(claims()));
        assert_ne!(rotated.sign(&claims()).unwrap(), old);
        assert_eq!(signer(&[("key", TWO)]).open(&old, at(NOW)), Err(StateFault::Forged));
    }

    #[test]
    fn a_short_key_signs_nothing() {
        assert!(Signer::new(&secret(&[("key", "short")])).is_none());
        assert!(Signer::new(&secret(&[])).is_none());
    }
}
