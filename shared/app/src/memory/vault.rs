//! Secrets in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::Error;
use crate::ports::Vault;
use crate::secret::Credentials;

/// A vault for tests.
#[derive(Default)]
pub struct MemoryVault(Mutex<BTreeMap<String, Credentials>>);

#[async_trait]
impl Vault for MemoryVault {
    async fn secret_get(&self, name: &str) -> Result<Option<Credentials>, Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    async fn secret_put(&self, name: &str, credentials: &Credentials) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), credentials.clone());
        Ok(())
    }
}
