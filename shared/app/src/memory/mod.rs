//! In-memory adapters that keep the ports' promises: for fast tests and for reading how a store must behave.

mod clock;
mod limits;
mod queues;
mod store;
mod store_counters;
mod store_days;
mod store_jobs;
mod store_keys;
mod store_mappings;
mod store_open;
mod store_orders;
mod store_warehouse;
mod vault;

pub use clock::ManualClock;
pub use queues::MemoryQueues;
pub use store::MemoryStore;
pub use vault::MemoryVault;
