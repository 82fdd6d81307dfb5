//! A warehouse that another system writes to: SYNKA+, or the ledger program's own integration. What Bokbro would send,
//! the warehouse would ship a second time, so this folder holds a name and nothing that could send.

/// The name in the tenant's settings.
pub const NAME: &str = "external";
