//! What the simulator is started with, and the switches that can be turned while it runs.

use serde::{Deserialize, Serialize};

/// How a simulated warehouse starts. All values are made up; none opens anything at Ongoing.
#[derive(Clone)]
pub struct OngoingConfig {
    /// Port on 127.0.0.1; a free one when `None`.
    pub port: Option<u16>,
    /// The warehouse's name, first segment of every path.
    pub warehouse: String,
    /// User name of the API.
    pub user: String,
    /// Password of the API.
    pub password: String,
    /// The goods owners that the user may act for.
    pub goods_owners: Vec<u32>,
    /// How the warehouse behaves at first, including where its webhooks go.
    pub switches: Switches,
}

impl Default for OngoingConfig {
    fn default() -> Self {
        Self {
            port: None,
            warehouse: "demo".to_owned(),
            user: "WSI-demo".to_owned(),
            password: "simulated-warehouse-password".to_owned(),
            goods_owners: vec![159],
            switches: Switches::default(),
        }
    }
}

/// What the body of a refusal looks like; nothing about it is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// `{"Message": "…"}`, as its framework writes it.
    #[default]
    Message,
    /// A JSON string.
    Text,
    /// A page of the web server.
    Html,
    /// Nothing.
    Empty,
}

/// `POST /_sim/config`: what is absent goes back to what it is at first.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// What the body of a refusal looks like.
    pub error_body: ErrorBody,
    /// Whether members that the API does not know are refused.
    pub unknown_members_refused: bool,
    /// Whether a write answers without ids, which the API allows.
    pub null_ids: bool,
    /// Status number from which the warehouse has begun: no update and no cancellation any more.
    pub started_from: u32,
    /// Real milliseconds that a write takes. Another write of the same goods owner meanwhile is refused.
    pub write_ms: u64,
    /// Where webhooks go.
    pub webhook_url: Option<String>,
    /// Value of their `X-Auth-Token`, when the warehouse has set one.
    pub webhook_token: Option<String>,
    /// Whether a webhook that failed is repeated for a day.
    pub webhook_retries: bool,
    /// How often each webhook comes again after it was taken.
    pub duplicates: u32,
    /// How many of the next webhooks get lost.
    pub drop_next: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            error_body: ErrorBody::default(),
            unknown_members_refused: true,
            null_ids: false,
            started_from: 320,
            write_ms: 0,
            webhook_url: None,
            webhook_token: None,
            webhook_retries: true,
            duplicates: 0,
            drop_next: 0,
        }
    }
}
