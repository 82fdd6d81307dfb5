//! A tenant's own choices, over HTTP.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use bokbro_app::audit::By;
use bokbro_app::auth::Caller;
use bokbro_app::settings::{settings_change, settings_show, view_json};

use crate::api::{Api, Posted, correlation};
use crate::orders::respond;

pub(crate) async fn show(State(platform): Api, Extension(caller): Extension<Caller>) -> Response {
    let shown = settings_show(&platform.app, &caller.tenant).await;
    respond(shown.map(|view| view_json(&view)).map_err(Into::into), &correlation(&platform))
}

pub(crate) async fn change(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let changed = settings_change(&platform.app, by, &body).await;
    respond(changed.map(|view| view_json(&view)), &correlation)
}
