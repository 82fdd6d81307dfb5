//! Counts, in memory.

use async_trait::async_trait;
use bokbro_domain::rate::Window;

use super::store::MemoryStore;
use crate::error::Error;
use crate::ports::Counters;

#[async_trait]
impl Counters for MemoryStore {
    async fn counter_add(&self, subject: &str, window: Window, calls: u64) -> Result<u64, Error> {
        let mut state = self.state();
        let count = state.counters.entry((subject.to_owned(), window.number)).or_default();
        *count += calls;
        Ok(*count)
    }
}
