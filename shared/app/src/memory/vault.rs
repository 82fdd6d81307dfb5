//! Secrets in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::Error;
use crate::ports::{Vault, Versioned};
use crate::secret::Credentials;

/// A vault for tests.
#[derive(Default)]
pub struct MemoryVault(Mutex<BTreeMap<String, Versions>>);

#[derive(Default)]
struct Versions {
    all: Vec<Credentials>,
    current: Option<usize>,
    staged: Option<usize>,
}

impl Versions {
    fn add(&mut self, credentials: &Credentials) -> usize {
        self.all.push(credentials.clone());
        self.all.len() - 1
    }

    fn get(&self, index: Option<usize>) -> Option<Versioned> {
        let index = index?;
        Some(Versioned { credentials: self.all.get(index)?.clone(), version: index.to_string() })
    }
}

impl MemoryVault {
    fn names(&self) -> MutexGuard<'_, BTreeMap<String, Versions>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn secret_get(&self, name: &str) -> Result<Option<Versioned>, Error> {
        Ok(self.names().get(name).and_then(|versions| versions.get(versions.current)))
    }

    async fn secret_put(&self, name: &str, credentials: &Credentials) -> Result<(), Error> {
        let mut names = self.names();
        let versions = names.entry(name.to_owned()).or_default();
        versions.current = Some(versions.add(credentials));
        Ok(())
    }

    async fn secret_staged(&self, name: &str) -> Result<Option<Versioned>, Error> {
        Ok(self.names().get(name).and_then(|versions| versions.get(versions.staged)))
    }

    async fn secret_stage(&self, name: &str, credentials: &Credentials) -> Result<String, Error> {
        let mut names = self.names();
        let missing = || Error::storage("staging a secret", std::io::Error::other("there is no such secret"));
        let versions = names.get_mut(name).ok_or_else(missing)?;
        let index = versions.add(credentials);
        versions.staged = Some(index);
        Ok(index.to_string())
    }

    async fn secret_promote(&self, name: &str, staged: &str, over: &str) -> Result<bool, Error> {
        let mut names = self.names();
        let Some(versions) = names.get_mut(name) else { return Ok(false) };
        if versions.current.map(|index| index.to_string()).as_deref() != Some(over) {
            return Ok(false);
        }
        versions.current = staged.parse().ok().filter(|index| *index < versions.all.len());
        Ok(true)
    }

    async fn secret_delete(&self, name: &str) -> Result<(), Error> {
        self.names().remove(name);
        Ok(())
    }
}
