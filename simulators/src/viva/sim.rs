//! The `/_sim` routes of Viva's own: pay, refund, and play with webhooks.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::Shared;
use super::delivery::{self, Delivery};
use super::events::{Event, ORDER_UPDATED};
use super::members::Members;
use super::model::{Pay, Refund, Refused, Transaction};
use super::wire::OrderCode;
use crate::kit::Route;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/pay", post(pay))
        .route("/_sim/refund", post(refund))
        .route("/_sim/vanish", post(vanish))
        .route("/_sim/webhooks", get(webhooks))
        .route("/_sim/webhooks/{id}", get(webhook))
        .route("/_sim/webhooks/send", post(send))
        .route("/_sim/webhooks/settle", post(settle))
}

/// What came of a payment or refund.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The new transaction.
    pub transaction_id: String,
    /// The body of its event, whether that was sent or not.
    pub event: Box<RawValue>,
}

/// Which events to send, as `POST /_sim/webhooks/send` takes it. With `body`, exactly that is sent, once. Otherwise the
/// event about `transaction_id`, or about `order_code` with a transaction that Viva knows nothing of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Post {
    /// The whole body, byte for byte.
    pub body: Option<Box<RawValue>>,
    /// The transaction to tell of. What was told before is told again with the same `MessageId`.
    pub transaction_id: Option<String>,
    /// The order to tell of.
    pub order_code: Option<OrderCode>,
    /// `EventTypeId`; the one that fits when absent.
    pub event_type: Option<u32>,
    /// How many times; once when absent.
    pub times: Option<u32>,
    /// All at once instead of one after the other.
    pub concurrently: bool,
    /// Makes a new event, with another `MessageId`, although one was told before.
    pub fresh: bool,
    /// Writes the order code as a string.
    pub order_code_as_string: bool,
    /// Members of `EventData` in place of, or besides, the usual ones.
    pub overrides: Members,
    /// Members of the envelope in place of, or besides, the usual ones.
    pub envelope: Members,
    /// Where to, in place of the account's address.
    pub url: Option<String>,
}

impl Shared {
    pub(super) async fn pay_and_tell(&self, wish: &Pay) -> Result<Told, Refused> {
        let (transaction, delivery) = self.pay(wish)?;
        Ok(self.told(transaction, delivery).await)
    }

    pub(super) async fn refund_and_tell(&self, wish: &Refund) -> Result<Told, Refused> {
        let (reversal, delivery) = self.refund(wish)?;
        Ok(self.told(reversal, delivery).await)
    }

    async fn told(&self, transaction: Transaction, delivery: u64) -> Told {
        let body = self.outbox.get(delivery).map(|delivery| delivery.body().to_owned()).unwrap_or_default();
        self.outbox.quiet(&self.clock, |one| one.id == delivery).await;
        Told {
            transaction_id: transaction.transaction_id,
            event: RawValue::from_string(body).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        }
    }

    pub(super) async fn send(&self, post: Post) -> Result<Vec<Delivery>, Refused> {
        let url = post.url.clone().or_else(|| self.state().switches.webhook_url.clone());
        if url.is_none() {
            return Err(Refused::Invalid("there is no webhook_url to send to".to_owned()));
        }
        let (times, concurrently) = (post.times.unwrap_or(1), post.concurrently);
        let made_up = post.body.as_ref().map(|body| body.get().to_owned());
        let event = if made_up.is_none() { Some(self.event_to_send(post)?) } else { None };
        let mut ids = Vec::new();
        for _ in 0..times {
            let letter = match (&event, &made_up) {
                (Some(event), _) => delivery::event(event.clone()),
                (None, text) => delivery::made_up(text.clone().unwrap_or_default()),
            };
            let route =
                Route { url: url.clone(), held: false, dropped: false, first_at: self.now(), duplicates: 0 };
            let id = self.outbox.post(letter, route);
            ids.push(id);
            if !concurrently {
                self.outbox.quiet(&self.clock, |one| one.id == id).await;
            }
        }
        self.outbox.quiet(&self.clock, |one| ids.contains(&one.id)).await;
        Ok(ids.into_iter().filter_map(|id| self.outbox.get(id)).collect())
    }

    /// The last event of this kind that was made about a transaction, for sending the very same again.
    fn last_event(&self, transaction_id: &str, event_type_id: u32) -> Option<Event> {
        let about = self.outbox.newest(|about| about.event_of(transaction_id, event_type_id).is_some())?;
        about.event_of(transaction_id, event_type_id).cloned()
    }

    fn event_to_send(&self, post: Post) -> Result<Event, Refused> {
        let event = match (&post.transaction_id, post.order_code) {
            (Some(id), _) => {
                let transaction =
                    self.state().transaction(id).cloned().ok_or(Refused::Unknown("no such transaction"))?;
                let event_type = post.event_type.unwrap_or_else(|| Event::type_of(&transaction));
                let told = if post.fresh { None } else { self.last_event(id, event_type) };
                told.unwrap_or_else(|| self.event(event_type, &transaction))
            }
            (None, Some(code)) => {
                let now = self.now();
                let order =
                    self.state().orders.get(&code).cloned().ok_or(Refused::Unknown("no such order"))?;
                match post.event_type {
                    Some(ORDER_UPDATED) => {
                        Event::of_order(&order, &self.account, &self.state().switches, now)
                    }
                    event_type => {
                        let invented = Transaction::of(&order, now);
                        self.event(event_type.unwrap_or_else(|| Event::type_of(&invented)), &invented)
                    }
                }
            }
            (None, None) => {
                return Err(Refused::Invalid("body, transaction_id or order_code is required".to_owned()));
            }
        };
        Ok(event.altered(post.overrides, post.envelope, post.order_code_as_string))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Refused::Unknown(why) => (StatusCode::NOT_FOUND, why.to_owned()),
            Refused::Conflict(why) => (StatusCode::CONFLICT, why.to_owned()),
            Refused::Invalid(why) => (StatusCode::BAD_REQUEST, why),
        };
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}

/// A body that may not be what it should.
type Body<T> = Result<Json<T>, JsonRejection>;

fn read<T>(body: Body<T>) -> Result<T, Refused> {
    body.map(|Json(wish)| wish).map_err(|rejection| Refused::Invalid(rejection.body_text()))
}

async fn pay(State(shared): State<Arc<Shared>>, body: Body<Pay>) -> Result<Json<Told>, Refused> {
    let paid = shared.pay_and_tell(&read(body)?).await?;
    Ok(Json(paid))
}

async fn refund(State(shared): State<Arc<Shared>>, body: Body<Refund>) -> Result<Json<Told>, Refused> {
    let refunded = shared.refund_and_tell(&read(body)?).await?;
    Ok(Json(refunded))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vanish {
    transaction_id: String,
}

/// Hides a transaction, and all others of its order, from every read.
async fn vanish(State(shared): State<Arc<Shared>>, body: Body<Vanish>) -> Result<StatusCode, Refused> {
    let wish = read(body)?;
    let mut state = shared.state();
    let code = state.transaction(&wish.transaction_id).map(|known| known.order_code);
    state.vanish(code.ok_or(Refused::Unknown("no such transaction"))?);
    Ok(StatusCode::NO_CONTENT)
}

async fn webhooks(State(shared): State<Arc<Shared>>) -> Json<Vec<Delivery>> {
    Json(shared.outbox.list())
}

/// The exact body of one event.
async fn webhook(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Result<Response, Refused> {
    let delivery = shared.outbox.get(id).ok_or(Refused::Unknown("no such event"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], delivery.body().to_owned()).into_response())
}

#[derive(Serialize)]
struct Sent {
    deliveries: Vec<Delivery>,
}

async fn send(State(shared): State<Arc<Shared>>, body: Body<Post>) -> Result<Json<Sent>, Refused> {
    let deliveries = shared.send(read(body)?).await?;
    Ok(Json(Sent { deliveries }))
}

/// Waits until no delivery is due or under way.
async fn settle(State(shared): State<Arc<Shared>>) -> Json<Vec<Delivery>> {
    shared.outbox.quiet(&shared.clock, |_| true).await;
    webhooks(State(shared)).await
}
