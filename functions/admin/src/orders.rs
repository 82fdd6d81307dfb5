//! Orders over HTTP.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bokbro_app::audit::By;
use bokbro_app::auth::Caller;
use bokbro_app::contract::{DEFAULT_LIMIT, MAX_LIMIT};
use bokbro_app::orders::{self, Refusal};
use bokbro_app::ports::{Cursor, OrderFilter, Page};
use bokbro_app::sweep::sweep_ask;
use bokbro_app::test_orders::{order_test, payment_page};
use bokbro_app::wire::fields::none_of;
use bokbro_app::wire::order_out::{order_json, timeline_json};
use bokbro_app::wire::work_out::job_json;
use bokbro_domain::ids::{CorrelationId, OrderId};
use bokbro_domain::order::{FieldError, OrderState};
use bokbro_domain::said;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, Path, Posted, Query, answer, correlation, header_text, refuse};

/// `?limit=&cursor=` and filters, still as text so that a bad one is named.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    limit: Option<String>,
    cursor: Option<String>,
    state: Option<String>,
}

impl ListQuery {
    pub(crate) fn limit(&self) -> Result<usize, Refusal> {
        read_limit(self.limit.as_deref())
    }

    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.cursor.clone().map(Cursor)
    }

    fn filter(&self) -> Result<OrderFilter, Refusal> {
        let Some(text) = &self.state else { return Ok(OrderFilter::default()) };
        let known = OrderState::ALL.map(OrderState::as_str);
        let state = OrderState::parse(text).ok_or_else(|| Refusal::Invalid(none_of("state", &known)))?;
        Ok(OrderFilter { state: Some(state) })
    }
}

/// How many items a list is to show.
pub(crate) fn read_limit(text: Option<&str>) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let message = said!("field-limit", "must be a number from 1 to {most}", most = MAX_LIMIT);
    limit.ok_or_else(|| Refusal::Invalid(FieldError::new("limit", message)))
}

pub(crate) async fn post_order(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let key = header_text(&headers, "idempotency-key");
    match orders::order_post(&platform.app, &caller.tenant, key, &correlation, &body).await {
        Ok(orders::Posted::Created(order)) => {
            tracing::info!(tenant = %caller.tenant, order = %order.id, %correlation, "order accepted");
            answer(StatusCode::CREATED, &order_json(&order))
        }
        Ok(orders::Posted::Repeated(order)) => answer(StatusCode::OK, &order_json(&order)),
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn test(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let correlation = correlation(&platform);
    let key = header_text(&headers, "idempotency-key");
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let made = async {
        let posted = order_test(&platform.app, by, platform.stage, key).await?;
        let (status, order) = match posted {
            orders::Posted::Created(order) => (StatusCode::CREATED, order),
            orders::Posted::Repeated(order) => (StatusCode::OK, order),
        };
        let mut shown = order_json(&order);
        shown["pay_at"] = json!(payment_page(&platform.app, &order).await?);
        Ok::<_, Refusal>((status, shown))
    };
    match made.await {
        Ok((status, shown)) => answer(status, &shown),
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn show(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
) -> Response {
    let found = match read_id(&id) {
        Ok(id) => orders::order_get(&platform.app, &caller.tenant, &id).await,
        Err(refusal) => Err(refusal),
    };
    respond(found.map(|order| order_json(&order)), &correlation(&platform))
}

pub(crate) async fn sync(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
) -> Response {
    let correlation = correlation(&platform);
    let nudged = match read_id(&id) {
        Ok(id) => orders::order_sync(&platform.app, &caller.tenant, &id, &correlation).await,
        Err(refusal) => Err(refusal),
    };
    match nudged {
        Ok(order) => answer(StatusCode::ACCEPTED, &order_json(&order)),
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn sync_pending(State(platform): Api, Extension(caller): Extension<Caller>) -> Response {
    let correlation = correlation(&platform);
    match sweep_ask(&platform.app, &caller.tenant, &caller.who, &correlation).await {
        Ok(job) => answer(StatusCode::ACCEPTED, &job_json(&job)),
        Err(error) => refuse(&Refusal::Failed(error), &correlation),
    }
}

pub(crate) async fn cancel(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
) -> Response {
    let correlation = correlation(&platform);
    let cancelled = match read_id(&id) {
        Ok(id) => orders::order_cancel(&platform.app, &caller.tenant, &id, &correlation).await,
        Err(refusal) => Err(refusal),
    };
    respond(cancelled.map(|order| order_json(&order)), &correlation)
}

pub(crate) async fn list(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Response {
    let listed = async {
        let (limit, filter) = (query.limit()?, query.filter()?);
        let cursor = query.cursor();
        orders::orders_list(&platform.app, &caller.tenant, &filter, limit, cursor.as_ref()).await
    };
    respond(listed.await.map(|page| page_json(&page, order_json)), &correlation(&platform))
}

pub(crate) async fn timeline(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
    Query(query): Query<ListQuery>,
) -> Response {
    let listed = async {
        let (id, limit) = (read_id(&id)?, query.limit()?);
        let cursor = query.cursor();
        orders::order_timeline(&platform.app, &caller.tenant, &id, limit, cursor.as_ref()).await
    };
    respond(listed.await.map(|page| page_json(&page, timeline_json)), &correlation(&platform))
}

pub(crate) fn read_id(text: &str) -> Result<OrderId, Refusal> {
    OrderId::parse(text).map_err(|_| Refusal::NotFound("order"))
}

pub(crate) fn page_json<T>(page: &Page<T>, item: impl Fn(&T) -> Value) -> Value {
    let items: Vec<Value> = page.items.iter().map(item).collect();
    json!({ "items": items, "next": page.next.as_ref().map(|cursor| &cursor.0) })
}

pub(crate) fn respond(result: Result<Value, Refusal>, correlation: &CorrelationId) -> Response {
    match result {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(refusal) => refuse(&refusal, correlation),
    }
}
