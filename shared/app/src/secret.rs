//! Secrets that cannot be printed: no `Debug`, no `Display`, no `Serialize`, wiped from memory when dropped.

use std::collections::BTreeMap;

use zeroize::{Zeroize, Zeroizing};

/// A text that must never reach a log, an error, a queue or a table.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps a secret; the original is wiped.
    #[must_use]
    pub fn new(mut text: String) -> Self {
        let kept = Zeroizing::new(text.clone());
        text.zeroize();
        Self(kept)
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The named secrets of one connection or app: `client_secret`, `api_key` and so on.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, SecretText>);

impl Credentials {
    /// Collects named secrets.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (String, SecretText)>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// Reads a flat JSON object of strings, the form in which a vault keeps them.
    ///
    /// # Errors
    /// When the text is not such an object. The error never quotes the text.
    pub fn from_json(text: &str) -> Result<Self, NotCredentials> {
        let fields: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| NotCredentials)?;
        Ok(Self(fields.into_iter().map(|(name, value)| (name, SecretText::new(value))).collect()))
    }

    /// The flat JSON object, for the vault alone.
    #[must_use]
    pub fn to_json(&self) -> SecretText {
        let fields: BTreeMap<&str, &str> =
            self.0.iter().map(|(name, v)| (name.as_str(), v.expose())).collect();
        SecretText::new(serde_json::to_string(&fields).unwrap_or_default())
    }

    /// The same secrets with one more, or another in its place.
    #[must_use]
    pub fn with(mut self, name: &str, secret: SecretText) -> Self {
        self.0.insert(name.to_owned(), secret);
        self
    }

    /// The same secrets without one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// One secret by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretText> {
        self.0.get(name)
    }
}

/// What the vault holds is not a flat JSON object of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored secret is not a flat JSON object of strings")]
pub struct NotCredentials;
