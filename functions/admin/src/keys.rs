//! API keys over HTTP. A key itself is in one answer only: that to the request which made it.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bokbro_app::audit::By;
use bokbro_app::auth::{Caller, api_key_make, api_key_revoke};
use bokbro_app::wire::work_out::api_key_json;
use serde_json::json;

use crate::api::{Api, Path, Posted, answer, correlation, refuse};
use crate::orders::respond;

pub(crate) async fn list(State(platform): Api, Extension(caller): Extension<Caller>) -> Response {
    let listed = platform.app.keyring.api_keys_list(&caller.tenant).await;
    let body = listed.map(|keys| {
        let items: Vec<_> = keys.iter().map(api_key_json).collect();
        json!({ "items": items, "next": null })
    });
    respond(body.map_err(Into::into), &correlation(&platform))
}

pub(crate) async fn make(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    match api_key_make(&platform.app, by, &body).await {
        Ok((key, made)) => {
            let mut body = api_key_json(&made);
            body["key"] = json!(key.expose());
            answer(StatusCode::CREATED, &body)
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn revoke(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
) -> Response {
    let correlation = correlation(&platform);
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let revoked = api_key_revoke(&platform.app, by, &id).await;
    respond(revoked.map(|key| api_key_json(&key)), &correlation)
}
