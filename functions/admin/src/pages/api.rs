//! The contract as a page.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use bokbro_app::contract::Build;
use bokbro_pages::contract;

use super::{Guest, show};
use crate::api::Api;
use crate::routes::described;

pub(crate) async fn page(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    let build = Build::of(&*platform.app.providers);
    show(&guest, &guest.texts.get("nav-api"), &contract::page(&guest.frame(), &described(), &build))
}
