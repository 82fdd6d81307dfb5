//! Numbers that may be used once: stored, then deleted by the one who uses them.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::Nonces;
use jiff::Timestamp;

use super::Hub;
use crate::items::keys::Key;
use crate::items::{number, versioned};

#[async_trait]
impl Nonces for Hub {
    async fn nonce_put(&self, sha256: &str, expires_at: Timestamp) -> Result<(), Error> {
        let mut item = versioned(Key::nonce(sha256).into_item());
        item.insert("expires_at".to_owned(), number(expires_at.as_second()));
        self.put("storing a nonce", item).await
    }

    // When the SDK repeats a delete whose answer got lost, the nonce counts as used: its holder starts anew.
    async fn nonce_take(&self, sha256: &str) -> Result<bool, Error> {
        self.delete("taking a nonce", Key::nonce(sha256)).await
    }
}
