//! The API of the warehouse: orders and articles (apis/viva-ongoing-bank.md 2.2 to 2.4).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, put};
use base64::Engine as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::answers::{self, answer, refusal};
use super::model::{Members, Order, Refused, STATUSES};

/// Most items of a list when the caller names no number.
const PAGE: usize = 1_000;

pub(super) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let base = format!("/{}/api/v1", shared.config.warehouse);
    Router::new()
        .route(&format!("{base}/orders"), put(put_order).get(list_orders).delete(cancel_by_number))
        .route(&format!("{base}/orders/statuses"), get(statuses))
        .route(&format!("{base}/orders/{{id}}"), get(show_order).delete(cancel_by_id))
        .route(&format!("{base}/articles"), put(put_article).get(list_articles))
        .route_layer(middleware::from_fn_with_state(shared.clone(), authenticate))
}

async fn authenticate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if shared.knows(request.headers()) {
        return next.run(request).await;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let realm = header::HeaderValue::from_static(r#"Basic realm="Ongoing""#);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

impl Shared {
    fn knows(&self, headers: &HeaderMap) -> bool {
        let pair = format!("{}:{}", self.config.user, self.config.password);
        let wanted = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == wanted.as_bytes())
    }

    fn respond(&self, result: Result<Response, Refused>) -> Response {
        result.unwrap_or_else(|refused| refusal(&refused, self.state().switches.error_body))
    }

    /// Runs a write of a goods owner, alone.
    async fn write<T>(
        &self,
        goods_owner: u32,
        write: impl FnOnce(&mut super::state::State, Timestamp) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let pause = {
            let mut state = self.state();
            state.begin_write(goods_owner)?;
            state.switches.write_ms
        };
        // A client that hangs up in between drops this future: the guard ends its write all the same.
        let _writing = Writing { shared: self, goods_owner };
        if pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        write(&mut self.state(), self.now())
    }

    fn written(&self, status: StatusCode, name: &str, id: u64) -> Response {
        let id = (!self.state().switches.null_ids).then_some(id);
        answer(status, &json!({ name: id, "message": null }))
    }
}

/// A write under way.
struct Writing<'a> {
    shared: &'a Shared,
    goods_owner: u32,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.shared.state().end_write(self.goods_owner);
    }
}

fn members(body: &Bytes) -> Result<Members, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::bad("The request is invalid."))
}

/// Query of every list and of what is asked for by number.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    goods_owner_id: Option<u64>,
    order_number: Option<String>,
    article_number: Option<String>,
    order_id_from: Option<u64>,
    max_orders_to_get: Option<usize>,
    article_system_id_from: Option<u64>,
    max_articles_to_get: Option<usize>,
    order_status_from: Option<u32>,
    order_status_to: Option<u32>,
    order_status_changed_time_from: Option<Timestamp>,
    order_updated_time_from: Option<Timestamp>,
    stock_info_changed_from: Option<Timestamp>,
}

impl Asked {
    fn wants(&self, order: &Order) -> bool {
        self.order_number.as_ref().is_none_or(|number| *number == order.number)
            && self.order_id_from.is_none_or(|from| order.id >= from)
            && self.order_status_from.is_none_or(|from| order.status >= from)
            && self.order_status_to.is_none_or(|to| order.status <= to)
            && self.order_status_changed_time_from.is_none_or(|from| order.status_changed_at >= from)
            && self.order_updated_time_from.is_none_or(|from| order.updated_at >= from)
    }
}

async fn put_order(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let put = async {
        let members = members(&body)?;
        let goods_owner = shared.state().goods_owner(members.get("goodsOwnerId").and_then(Value::as_u64))?;
        let (id, is_new) = shared.write(goods_owner, |state, now| state.put_order(members, now)).await?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(shared.written(status, "orderId", id))
    };
    let put = put.await;
    shared.respond(put)
}

async fn list_orders(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    let state = shared.state();
    let listed = state.goods_owner(asked.goods_owner_id).map(|goods_owner| {
        let wanted = state.orders.values().filter(|o| o.goods_owner == goods_owner && asked.wants(o));
        let most = asked.max_orders_to_get.unwrap_or(PAGE).min(PAGE);
        let page: Vec<Value> = wanted.take(most).map(|order| answers::order(&state, order)).collect();
        answer(StatusCode::OK, &Value::Array(page))
    });
    drop(state);
    shared.respond(listed)
}

async fn show_order(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    let state = shared.state();
    let shown = state.orders.get(&id).map(|order| answer(StatusCode::OK, &answers::order(&state, order)));
    drop(state);
    shared.respond(shown.ok_or_else(Refused::unknown))
}

async fn cancel_by_id(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    let cancelled = cancel(&shared, Some(id)).await;
    shared.respond(cancelled)
}

async fn cancel_by_number(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    let id = {
        let state = shared.state();
        state.goods_owner(asked.goods_owner_id).map(|goods_owner| {
            let number = asked.order_number.as_deref().unwrap_or_default();
            state.order_by_number(goods_owner, number).map(|order| order.id)
        })
    };
    let cancelled = match id {
        Ok(id) => cancel(&shared, id).await,
        Err(refused) => Err(refused),
    };
    shared.respond(cancelled)
}

async fn cancel(shared: &Shared, id: Option<u64>) -> Result<Response, Refused> {
    let id = id.ok_or_else(Refused::unknown)?;
    let goods_owner = shared.state().orders.get(&id).map(|order| order.goods_owner);
    let goods_owner = goods_owner.ok_or_else(Refused::unknown)?;
    shared.write(goods_owner, |state, now| state.cancel(id, now)).await?;
    Ok(shared.written(StatusCode::OK, "orderId", id))
}

async fn statuses() -> Response {
    let all: Vec<Value> =
        STATUSES.iter().map(|(number, text)| json!({ "number": number, "text": text })).collect();
    answer(StatusCode::OK, &json!({ "orderStatuses": all }))
}

async fn put_article(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let put = async {
        let members = members(&body)?;
        let goods_owner = shared.state().goods_owner(members.get("goodsOwnerId").and_then(Value::as_u64))?;
        let id = shared.write(goods_owner, |state, now| state.put_article(members, now)).await?;
        Ok(shared.written(StatusCode::OK, "articleSystemId", id))
    };
    let put = put.await;
    shared.respond(put)
}

async fn list_articles(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    // A list parameter repeats its key (apis/viva-ongoing-bank.md 2.4).
    let numbers: Vec<String> =
        pairs.into_iter().filter(|(name, _)| name == "articleNumbers").map(|(_, number)| number).collect();
    let state = shared.state();
    let listed = state.goods_owner(asked.goods_owner_id).and_then(|goods_owner| {
        let articles = state.articles_of(goods_owner, asked.stock_info_changed_from, shared.now())?;
        let wanted = articles.into_iter().filter(|article| {
            asked.article_number.as_ref().is_none_or(|number| *number == article.number)
                && (numbers.is_empty() || numbers.contains(&article.number))
                && asked.article_system_id_from.is_none_or(|from| article.id >= from)
        });
        let most = asked.max_articles_to_get.unwrap_or(PAGE).min(PAGE);
        let page = wanted.take(most).map(|article| answers::article(&state, goods_owner, article));
        Ok(answer(StatusCode::OK, &Value::Array(page.collect())))
    });
    drop(state);
    shared.respond(listed)
}
