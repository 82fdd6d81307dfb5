//! What waits for a human, and a human's decisions, over HTTP.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bokbro_app::auth::Caller;
use bokbro_app::orders::Refusal;
use bokbro_app::parked::{self, ParkedFilter, Resolved, answer_read};
use bokbro_app::wire::order_out::parked_json;
use bokbro_domain::ids::{CorrelationId, OrderId, ParkedId};
use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use serde::Deserialize;
use serde_json::json;

use crate::api::{Api, Path, Posted, Query, answer, correlation, refuse};
use crate::orders::{ListQuery, page_json, respond};

/// Filters of the list, still as text so that a bad one is named.
#[derive(Deserialize)]
pub(crate) struct Filters {
    code: Option<String>,
    order: Option<String>,
}

impl Filters {
    fn read(self) -> Result<ParkedFilter, Refusal> {
        let order = self.order.map(|text| {
            let invalid = |_| {
                Refusal::Invalid(FieldError::new(
                    "order",
                    said!("field-no-order-id", "must be an order's id"),
                ))
            };
            OrderId::parse(&text).map_err(invalid)
        });
        Ok(ParkedFilter { code: self.code, order: order.transpose()? })
    }
}

pub(crate) async fn list(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
    Query(filters): Query<Filters>,
) -> Response {
    let correlation = correlation(&platform);
    let listed = async {
        let (limit, filter) = (query.limit()?, filters.read()?);
        let cursor = query.cursor();
        parked::parked_list(&platform.app, &caller.tenant, &filter, limit, cursor.as_ref()).await
    };
    respond(listed.await.map(|page| page_json(&page, parked_json)), &correlation)
}

pub(crate) async fn resolve(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    match resolved(&platform, &caller, &id, &body, &correlation).await {
        Ok((resolved, action)) => {
            let body = json!({ "id": resolved.item.id, "action": action, "order_id": resolved.order });
            answer(StatusCode::OK, &body)
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

async fn resolved(
    platform: &bokbro_runtime::Platform,
    caller: &Caller,
    id: &str,
    body: &[u8],
    correlation: &CorrelationId,
) -> Result<(Resolved, &'static str), Refusal> {
    let id = ParkedId::parse(id).map_err(|_| Refusal::NotFound("parked item"))?;
    let (decision, reason) = answer_read(body).map_err(Refusal::Invalid)?;
    let reason = reason.as_deref();
    let app = &platform.app;
    let done =
        parked::parked_resolve(app, &caller.tenant, &caller.who, &id, &decision, reason, correlation).await?;
    Ok((done, decision.action().as_str()))
}
