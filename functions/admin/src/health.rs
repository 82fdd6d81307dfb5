//! Whether it runs, and whether everything works that it stands on.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bokbro_app::auth::Caller;
use bokbro_app::health::{Check, CheckState, health_deep};
use serde_json::{Value, json};

use crate::api::{Api, answer};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) async fn shallow() -> Response<Body> {
    answer(StatusCode::OK, &json!({ "status": "ok", "version": VERSION }))
}

pub(crate) async fn deep(State(platform): Api, Extension(caller): Extension<Caller>) -> Response {
    let checks = health_deep(&platform.app, platform.sign_in.as_deref(), &caller.tenant).await;
    let failing = checks.iter().any(|check| check.state == CheckState::Failed);
    let (status, word) =
        if failing { (StatusCode::SERVICE_UNAVAILABLE, "failing") } else { (StatusCode::OK, "ok") };
    let checks: Vec<Value> = checks.iter().map(check_json).collect();
    answer(status, &json!({ "status": word, "version": VERSION, "checks": checks }))
}

fn check_json(check: &Check) -> Value {
    let Check { name, state, duration_ms, message } = check;
    json!({ "name": name, "state": state.as_str(), "duration_ms": duration_ms, "message": message })
}
