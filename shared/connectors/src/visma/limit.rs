//! How often Visma may be called: 600 times a minute per client and endpoint (`apis/visma.md` 4).

use bokbro_app::ports::{Limit, Limited};
use bokbro_app::records::Connection;
use bokbro_app::secret::Credentials;
use bokbro_domain::limit::Allowance;
use jiff::SignedDuration;

use super::Visma;

/// One call less than is allowed: what an evenly paced caller needs to be sure.
const ALLOWANCE: Allowance = Allowance { calls: 599, window: SignedDuration::from_secs(60) };

impl Limited for Visma {
    /// All companies of a client share it. Each of our operations is one endpoint.
    fn limit(&self, _connection: &Connection, app: &Credentials, operation: &str) -> Option<Limit> {
        let client_id = app.get("client_id").map_or("", |id| id.expose());
        Some(Limit { key: format!("{client_id}:{operation}"), allowance: ALLOWANCE })
    }

    /// An order's calls go to several endpoints.
    fn order(&self, _connection: &Connection, _app: &Credentials) -> Option<(Limit, u32)> {
        None
    }
}
