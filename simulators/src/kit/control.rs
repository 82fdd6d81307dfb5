//! The `/_sim` routes, by which tests and people steer a simulator. They are never counted and never faulted.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Fault, Kit, RequestLine, SharedProvider, Stats};

#[derive(Clone)]
struct Control {
    kit: Kit,
    provider: SharedProvider,
}

pub(super) fn routes(kit: Kit, provider: SharedProvider) -> Router {
    Router::new()
        .route("/_sim/faults", post(add_fault).get(list_faults).delete(clear_faults))
        .route("/_sim/clock", post(move_clock).get(read_clock))
        .route("/_sim/state", get(state))
        .route("/_sim/requests", get(requests))
        .route("/_sim/stats", get(stats).delete(reset_stats))
        .route("/_sim/reset", post(reset))
        .route("/_sim/config", post(configure))
        .with_state(Control { kit, provider })
}

async fn add_fault(State(control): State<Control>, Json(fault): Json<Fault>) -> StatusCode {
    control.kit.faults.add(fault);
    StatusCode::CREATED
}

async fn list_faults(State(control): State<Control>) -> Json<Vec<Fault>> {
    Json(control.kit.faults.remaining())
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.kit.faults.clear();
    StatusCode::NO_CONTENT
}

/// How to move the clock: either by some milliseconds or to an RFC 3339 time.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Move {
    AdvanceMs(i64),
    Set(Timestamp),
}

#[derive(Serialize)]
struct Now {
    now: Timestamp,
}

async fn move_clock(State(control): State<Control>, Json(by): Json<Move>) -> Json<Now> {
    match by {
        Move::AdvanceMs(millis) => control.kit.clock.advance(SignedDuration::from_millis(millis)),
        Move::Set(to) => control.kit.clock.set(to),
    }
    read_clock(State(control)).await
}

async fn read_clock(State(control): State<Control>) -> Json<Now> {
    Json(Now { now: control.kit.clock.now() })
}

async fn state(State(control): State<Control>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], control.provider.state().get().to_owned()).into_response()
}

async fn requests(State(control): State<Control>) -> Json<Vec<RequestLine>> {
    Json(control.kit.log.requests())
}

async fn stats(State(control): State<Control>) -> Json<Stats> {
    Json(control.kit.log.stats())
}

async fn reset_stats(State(control): State<Control>) -> StatusCode {
    control.kit.log.reset_stats();
    StatusCode::NO_CONTENT
}

async fn reset(State(control): State<Control>) -> StatusCode {
    control.provider.reset();
    control.kit.faults.clear();
    control.kit.log.clear();
    StatusCode::NO_CONTENT
}

async fn configure(State(control): State<Control>, Json(switches): Json<Box<RawValue>>) -> Response {
    match control.provider.configure(&switches) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(reason) => (StatusCode::BAD_REQUEST, Json(json!({ "detail": reason }))).into_response(),
    }
}
