//! The goods owner's desk: what opens the API, and where webhooks go.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::response::Html;
use axum::routing::get;
use serde::Deserialize;

use super::Shared;
use crate::kit::desk::Desk;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/", get(show).post(enter))
}

async fn show(State(shared): State<Arc<Shared>>) -> Html<String> {
    shared.desk("")
}

#[derive(Deserialize)]
struct Entered {
    webhook_url: String,
    webhook_token: String,
}

async fn enter(State(shared): State<Arc<Shared>>, Form(entered): Form<Entered>) -> Html<String> {
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    {
        let switches = &mut shared.state().switches;
        (switches.webhook_url, switches.webhook_token) =
            (given(entered.webhook_url), given(entered.webhook_token));
    }
    shared.desk("Stored.")
}

impl Shared {
    fn desk(&self, told: &str) -> Html<String> {
        let config = &self.config;
        let owner = config.goods_owners.first().copied().unwrap_or_default().to_string();
        let (url, token) = {
            let switches = &self.state().switches;
            (switches.webhook_url.clone(), switches.webhook_token.clone())
        };
        let desk = Desk {
            title: "Simulated warehouse: API access",
            entries: &[
                ("warehouse", &config.warehouse),
                ("goods owner id", &owner),
                ("user", &config.user),
                ("password", &config.password),
            ],
            fields: &[
                ("webhook_url", "Webhook address", url.as_deref()),
                ("webhook_token", "Its X-Auth-Token, which you make up", token.as_deref()),
            ],
            told,
        };
        desk.page()
    }
}
