//! Limiters in memory.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::error::Error;
use crate::ports::{LimitKey, Limits, StoredLimiter, Swapped};

#[async_trait]
impl Limits for MemoryStore {
    async fn limiter_swap(
        &self,
        key: &LimitKey,
        mark: Option<u64>,
        new: &StoredLimiter,
    ) -> Result<Swapped, Error> {
        let mut state = self.state();
        let stored = state.limiters.get(key);
        if stored.map(|stored| stored.mark) != mark {
            return Ok(Swapped::No(stored.cloned()));
        }
        state.limiters.insert(key.clone(), new.clone());
        Ok(Swapped::Yes)
    }
}
