//! How often Fortnox may be called: 25 times in 5 s per client id and company, however many tokens there are
//! (`apis/fortnox.md` 4).

use bokbro_app::ports::{Limit, Limited};
use bokbro_app::records::Connection;
use bokbro_app::secret::Credentials;
use bokbro_domain::limit::Allowance;
use jiff::SignedDuration;

use super::Fortnox;
use super::company::TENANT_ID;

/// One call less than is allowed: what an evenly paced caller needs to be sure.
const ALLOWANCE: Allowance = Allowance { calls: 24, window: SignedDuration::from_secs(5) };

/// Calls of an order of a known customer: one look-up, two documents that are each booked, and a search for payments.
const CALLS_PER_ORDER: u32 = 6;

impl Limited for Fortnox {
    /// A connection without a company cannot be opened, so its calls need no count.
    fn limit(&self, connection: &Connection, app: &Credentials, _operation: &str) -> Option<Limit> {
        let company = connection.settings.get(TENANT_ID)?;
        let client_id = app.get("client_id").map_or("", |id| id.expose());
        Some(Limit { key: format!("{client_id}:{company}"), allowance: ALLOWANCE })
    }

    fn order(&self, connection: &Connection, app: &Credentials) -> Option<(Limit, u32)> {
        Some((self.limit(connection, app, "")?, CALLS_PER_ORDER))
    }
}
