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
    /// All companies of a client share it.
    fn limit(&self, _connection: &Connection, app: &Credentials, operation: &str) -> Option<Limit> {
        let client_id = app.get("client_id").map_or("", |id| id.expose());
        Some(Limit { key: format!("{client_id}:{}", endpoint(operation)), allowance: ALLOWANCE })
    }

    /// An order's calls go to several endpoints.
    fn order(&self, _connection: &Connection, _app: &Credentials) -> Option<(Limit, u32)> {
        None
    }
}

/// The endpoint of an operation. Whether reading and writing at one address count together is not documented.
fn endpoint(operation: &str) -> &str {
    match operation {
        "search_customers" | "list_customers" | "create_customer" => "customers",
        "search_invoices" | "list_invoices" => "customerinvoices",
        "search_articles" | "create_article" => "articles",
        "list_drafts" | "create_draft" => "customerinvoicedrafts",
        "get_draft" | "price_draft" => "customerinvoicedrafts/{id}",
        "list_voucher_drafts" | "create_voucher_draft" => "voucherdrafts",
        other => other,
    }
}
