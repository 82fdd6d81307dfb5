//! The provider at which people sign in.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Error;
use crate::secret::SecretText;

/// One visit to the sign-in page.
#[derive(Clone)]
pub struct Visit {
    /// Where the browser comes back to; registered at the provider.
    pub redirect_uri: String,
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the proof of who signed in, which so cannot be another visit's.
    pub nonce: String,
    /// What makes the code worth something to us alone (PKCE).
    pub verifier: SecretText,
}

/// Who signed in, as the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's own id of the person; never reused there.
    pub subject: String,
    /// What people know them by: the e-mail address as a rule.
    pub name: String,
    /// The groups that they are in.
    pub groups: Vec<String>,
}

/// A sign-in provider.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Address of the page where a visit begins.
    ///
    /// # Errors
    /// `Consent` when the app's credentials lack something, `Unavailable` when the provider does not answer.
    async fn page(&self, visit: &Visit) -> Result<String, Error>;

    /// Exchanges the code of a visit for who signed in. Called once; never repeated after sending.
    ///
    /// # Errors
    /// `Consent` when the code or the proof does not count, `Unavailable` when the provider does not answer.
    async fn identity(&self, visit: &Visit, code: &SecretText) -> Result<Identity, Error>;

    /// Asks whether the provider can be reached and says of itself what we need, and whether we know our own id there. Over
    /// by the deadline.
    ///
    /// # Errors
    /// As [`SignIn::page`].
    async fn check(&self, deadline: Timestamp) -> Result<(), Error>;

    /// Address at which the provider forgets the browser too, if it has one.
    ///
    /// # Errors
    /// As [`SignIn::page`].
    async fn leave(&self, back_to: &str) -> Result<Option<String>, Error>;
}
