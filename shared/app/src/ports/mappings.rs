//! What is known of a ledger program's registers: which entry there is what of ours, and whether it has changed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bokbro_domain::ids::{OrderId, Provider, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cursor, Page, Register};
use crate::error::Error;

/// Whose register it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterKey {
    /// Whose.
    pub tenant: TenantId,
    /// At which provider.
    pub provider: Provider,
    /// Which.
    pub register: Register,
}

/// What is kept of one entry of a register. No names and no addresses; e-mail addresses and organization numbers, which
/// may be a person's, as hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// What the provider knows the entry by.
    pub external_id: String,
    /// The number that people know it by.
    pub number: String,
    /// What of ours it is: the order's id for an invoice, and for a customer the hashes by which an order's buyer is known.
    #[serde(default)]
    pub ours: Vec<String>,
    /// SHA-256 of what is compared.
    pub hash: String,
    /// When it was changed last, where the provider tells.
    pub changed_at: Option<Timestamp>,
    /// When the last reading of everything that saw it began, or the reading that found it.
    pub seen: Timestamp,
    /// Whether its order knows what is in it.
    pub told: bool,
    /// Whether it is not there any more.
    #[serde(default)]
    pub gone: bool,
}

/// Mappings of registers' entries.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// Reads entries by external id, any number of them; those that are not known are left out.
    ///
    /// # Errors
    /// When the table fails.
    async fn mappings_get(&self, of: &RegisterKey, external_ids: &[String]) -> Result<Vec<Mapping>, Error>;

    /// Stores entries over what was known of them; each external id stands once among them.
    ///
    /// # Errors
    /// When the table fails; some of them may be stored.
    async fn mappings_put(&self, of: &RegisterKey, mappings: &[Mapping]) -> Result<(), Error>;

    /// Lists what is known of a register, gone or not, in a fixed order.
    ///
    /// # Errors
    /// When the table fails; a cursor of another list is a `Parked` error with code `bad_cursor`.
    async fn mappings_list(
        &self,
        of: &RegisterKey,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Mapping>, Error>;

    /// Which of these numbers are invoices or credit invoices of orders that the books have in full: the last write of an
    /// order's ledger notes its numbers.
    ///
    /// # Errors
    /// When the table fails.
    async fn invoices_find(
        &self,
        tenant: &TenantId,
        at: &Provider,
        numbers: &[String],
    ) -> Result<BTreeMap<String, OrderId>, Error>;
}
