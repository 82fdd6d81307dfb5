//! The `/_sim` routes of the warehouse's own: what the staff and other systems do.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::model::{Members, Refused};
use super::webhooks::Delivery;
use super::{Shared, Work};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/work", post(work))
        .route("/_sim/receive", post(receive))
        .route("/_sim/foreign-order", post(foreign_order))
        .route("/_sim/webhooks", get(webhooks))
        .route("/_sim/webhooks/settle", post(settle))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({ "detail": self.why }))).into_response()
    }
}

/// The staff works on an order.
async fn work(State(shared): State<Arc<Shared>>, Json(work): Json<Work>) -> Result<Response, Refused> {
    Ok(Json(shared.work_and_tell(&work).await?).into_response())
}

/// Goods that arrive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrival {
    article_number: String,
    items: Decimal,
    goods_owner_id: Option<u32>,
}

async fn receive(State(shared): State<Arc<Shared>>, Json(it): Json<Arrival>) -> Result<StatusCode, Refused> {
    let now = shared.now();
    shared.state().receive(it.goods_owner_id, &it.article_number, it.items, now)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another system, the ledger program's own integration say, writes an order (apis/viva-ongoing-bank.md 2.6).
async fn foreign_order(
    State(shared): State<Arc<Shared>>,
    Json(order): Json<Members>,
) -> Result<Response, Refused> {
    let now = shared.now();
    let (id, is_new) = shared.state().put_order(order, now)?;
    Ok(Json(json!({ "order_id": id, "created": is_new })).into_response())
}

async fn webhooks(State(shared): State<Arc<Shared>>) -> Json<Vec<Delivery>> {
    Json(shared.outbox.list())
}

/// Waits until no webhook is due or under way.
async fn settle(State(shared): State<Arc<Shared>>) -> Json<Vec<Delivery>> {
    shared.outbox.quiet(&shared.clock, |_| true).await;
    webhooks(State(shared)).await
}
